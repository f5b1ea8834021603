//! From a spanned YAML tree to typed values, collecting every finding instead of stopping at the first.
//!
//! [`record!`](crate::record!) declares a struct once: its fields are the keys that the format has (camelCase), its types decide what is required, its doc
//! comments become the JSON Schema's descriptions. [`words!`](crate::words!) does the same for a choice of words, [`text_type!`](crate::text_type!) for text with a grammar.

mod entries;
mod forms;
mod macros;
mod scalars;

pub use entries::Entries;
pub use scalars::{MOST, plain_date, text, text_or_number};

pub use crate::diag::Findings;
use crate::diag::{Code, Diag, did_you_mean, nearest};
use crate::formats::check_carried_key;
use crate::source::{Span, Spanned};
use crate::yaml::read::{Node, Value};
use crate::yaml::scalar::{self, Plain};

/// A type that can be read from a YAML node.
pub trait Decode: Sized {
    /// Reads the node; `None` after a finding.
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self>;

    /// What stands for a key that is not there; `None` where the key is required.
    fn absent() -> Option<Self> {
        None
    }
}

impl Decode for Node {
    fn decode(node: &Node, _: &mut Findings) -> Option<Self> {
        Some(node.clone())
    }
}

impl<T: Decode> Decode for Spanned<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        T::decode(node, findings).map(|value| Self::new(value, node.span))
    }

    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        T::decode(node, findings).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let Value::Seq(items) = &node.value else {
            findings.push(wrong_type(node, "a list"));
            return None;
        };
        let decoded: Vec<Option<T>> = items.iter().map(|item| T::decode(item, findings)).collect();
        decoded.into_iter().collect()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        T::decode(node, findings).map(Self::new)
    }

    fn absent() -> Option<Self> {
        T::absent().map(Self::new)
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

impl schemars::JsonSchema for Node {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Any".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "object" })
    }
}

/// The entries of a mapping.
pub fn mapping<'a>(node: &'a Node, findings: &mut Findings) -> Option<&'a [(Node, Node)]> {
    if let Value::Map(entries) = &node.value {
        return Some(entries);
    }
    findings.push(wrong_type(node, "a mapping"));
    None
}

/// The entries of a mapping with the keys of a record; where it is something else, the help says what to write of which keys.
pub fn record<'a>(
    node: &'a Node,
    what: &str,
    keys: &[&str],
    required: impl FnOnce() -> Vec<&'static str>,
    findings: &mut Findings,
) -> Option<&'a [(Node, Node)]> {
    if let Value::Map(entries) = &node.value {
        return Some(entries);
    }
    let diag = wrong_type(node, "a mapping");
    findings.push(match forms::in_full(what, node) {
        _ if node.is_null() => diag,
        Some(help) => Diag { help: vec![help], ..diag },
        None => {
            let required = required();
            let named = if required.is_empty() {
                format!("The keys of {what} are: {}.", keys.join(", "))
            } else {
                format!("{} needs: `{{{}: ...}}`.", capitalised(what), required.join(": ..., "))
            };
            // What is said of a list is how to write a mapping; of a text it says less than this.
            let help = if matches!(node.value, Value::Seq(_)) { diag.help.clone() } else { Vec::new() };
            Diag { help: [help, vec![named]].concat(), ..diag }
        }
    });
    None
}

/// A sentence's beginning.
fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// The finding that a node has another shape than it must.
pub fn wrong_type(node: &Node, expected: &str) -> Diag {
    let found = match &node.value {
        Value::Seq(_) => "a list".to_owned(),
        Value::Map(_) => "a mapping".to_owned(),
        Value::Scalar { .. } if node.is_null() => "nothing".to_owned(),
        Value::Scalar { text, quoted: true } => format!("the text \"{}\"", abridged(text)),
        Value::Scalar { text, quoted: false } => format!("`{}`", abridged(text)),
    };
    let diag = Diag::new(Code::WrongType, head(node), format!("expected {expected}, found {found}"));
    let is = |shape: &str| expected == shape;
    diag.help(match &node.value {
        _ if node.is_null() => "Write a value, or remove the key where its default is meant.".to_owned(),
        Value::Scalar { text, .. } if is("a list") => format!("Write a list, here of one entry: `[{}]`.", in_a_list(text)),
        Value::Map(_) if is("a list") => "Write a list: every entry begins with `- `.".to_owned(),
        Value::Seq(_) if is("a mapping") => "Write `KEY: VALUE` on each line, without `- ` before it.".to_owned(),
        Value::Scalar { .. } if is("a mapping") => "Write `KEY: VALUE` on lines of their own below the key, or `{KEY: VALUE}`.".to_owned(),
        Value::Seq(_) | Value::Map(_) => format!("Write {expected} on the line of the key."),
        Value::Scalar { quoted: true, text } if text.parse::<i64>().is_ok() || matches!(text.as_str(), "true" | "false") => {
            format!("Write {text} without quotes.")
        }
        Value::Scalar { .. } => format!("Write {expected}."),
    })
}

/// A scalar as an entry of a list on one line.
fn in_a_list(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'));
    if plain && scalar::plain(text) == Plain::Text { text.to_owned() } else { format!("\"{}\"", abridged(text)) }
}

/// At most forty characters of a text, on one line.
fn abridged(text: &str) -> String {
    let short: String = text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.len() { short + "..." } else { short }
}

/// Where a node begins to be itself: a mapping's first key, a list's first item, else the whole of it.
pub fn head(node: &Node) -> Span {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() => entries[0].0.span,
        Value::Seq(items) if !items.is_empty() => head(&items[0]),
        _ => node.span,
    }
}

/// Reports keys of a mapping that are none of `keys`; whether it is written in Kubernetes' own form, so that what else it lacks goes without saying.
pub fn unknown_keys(entries: &[(Node, Node)], keys: &[&str], what: &str, findings: &mut Findings) -> bool {
    unknown_keys_but(entries, keys, what, |_| None, findings)
}

/// As [`unknown_keys`]; of some of them it is known where they belong.
pub fn unknown_keys_but(
    entries: &[(Node, Node)],
    keys: &[&str],
    what: &str,
    belongs: impl Fn(&str) -> Option<String>,
    findings: &mut Findings,
) -> bool {
    let foreign = entries.iter().find_map(|(key, _)| Some((key, forms::instead(what, key.text()?)?)));
    if let Some((key, help)) = foreign.filter(|(key, _)| key.text().is_none_or(|name| !keys.contains(&name))) {
        let message = format!("{what} has no key `{}`", key.text().unwrap_or_default());
        findings.push(Diag::new(Code::UnknownKey, key.span, message).help(help));
        return true;
    }
    for (key, _) in entries {
        let name = key.text().unwrap_or_default();
        // Of one that is too long it was said already.
        if keys.contains(&name) || check_carried_key(name).is_err() {
            continue;
        }
        findings.add(Code::UnknownKey, key.span, || {
            let mut sorted = keys.to_vec();
            sorted.sort_unstable();
            let message = if name.is_empty() { format!("{what} has no key without a name") } else { format!("{what} has no key `{name}`") };
            let hint = belongs(name).or_else(|| did_you_mean(name, keys.iter().copied()));
            let all = format!("The keys are: {}.", sorted.join(", "));
            Diag::new(Code::UnknownKey, key.span, message).help(hint.unwrap_or(all))
        });
    }
    false
}

/// Reads one key of a record.
pub fn field<T: Decode>(node: &Node, entries: &[(Node, Node)], key: &str, what: &str, findings: &mut Findings) -> Option<T> {
    if let Some((_, value)) = entries.iter().find(|(k, _)| k.text() == Some(key)) {
        let before = findings.len();
        if let Some((expected, help)) = forms::expected(what, key, value) {
            findings.push(Diag { help: vec![help], ..wrong_type(value, expected) });
            return None;
        }
        let decoded = T::decode(value, findings);
        debug_assert!(decoded.is_some() || findings.len() > before, "`{key}` of {what} was lost in silence (I2)");
        return decoded;
    }
    let absent = T::absent();
    if absent.is_none() && !is_misspelt(key, entries, findings) {
        findings.push(missing_key(node, key, what));
    }
    absent
}

/// Whether an unknown key was found that is near to this one: that this one is missing says the same again.
fn is_misspelt(key: &str, entries: &[(Node, Node)], findings: &Findings) -> bool {
    // The unknown keys of this mapping are among the last findings; what was nested between them and now is little.
    const RECENT: usize = 64;
    let near = |written: &Node| written.text().is_some_and(|text| nearest(text, [key]).is_some());
    let of_this = |diag: &Diag| {
        diag.code == Code::UnknownKey && entries.iter().any(|(written, _)| written.span == diag.primary.span && near(written))
    };
    findings.iter().rev().take(RECENT).any(of_this)
}

/// The finding that a record lacks a key.
pub fn missing_key(node: &Node, key: &str, what: &str) -> Diag {
    let diag = Diag::new(Code::MissingKey, head(node), format!("{what} needs the key `{key}`"));
    diag.help(format!("Write `{key}` beside this; it has no default."))
}

/// `data_classes` as it is written in YAML: `dataClasses`.
pub fn camel_case(field: &str) -> String {
    let mut key = String::with_capacity(field.len());
    let mut upper = false;
    for c in field.trim_start_matches("r#").chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                key.extend(c.to_uppercase());
                upper = false;
            }
            c => key.push(c),
        }
    }
    key
}

/// The finding that a word is none of the allowed ones.
pub fn not_one_of(node: &Node, word: &str, words: &[&str]) -> Diag {
    let all = format!("Write one of: {}.", words.join(", "));
    let help = did_you_mean(word, words.iter().copied()).unwrap_or(all);
    Diag::new(Code::InvalidValue, node.span, format!("`{word}` is not allowed here")).help(help)
}

/// The JSON types that a text type takes in an editor.
pub fn schema_types(scalar: &str) -> serde_json::Value {
    if scalar == "text_or_number" { serde_json::json!(["string", "number"]) } else { serde_json::json!("string") }
}

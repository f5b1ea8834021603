//! From a spanned YAML tree to typed values, collecting every finding instead of stopping at the first.
//!
//! [`record!`](crate::record!) declares a struct once: its fields are the keys that the format has (camelCase), its types decide what is required, its doc
//! comments become the JSON Schema's descriptions. [`words!`](crate::words!) does the same for a choice of words, [`text_type!`](crate::text_type!) for text with a grammar.

use crate::diag::{Code, Diag, did_you_mean};
use crate::source::{Span, Spanned};
use crate::yaml::read::{Node, Value};
use crate::yaml::scalar::{self, Plain};

/// Where findings go while a tree is decoded.
pub type Findings = Vec<Diag>;

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

impl Decode for String {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        text(node, findings).map(str::to_owned)
    }
}

impl Decode for bool {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        match &node.value {
            Value::Scalar { text, quoted: false } => match scalar::plain(text) {
                Plain::Bool(value) => Some(value),
                Plain::Ambiguous(_) if ["yes", "on", "y"].iter().any(|word| text.eq_ignore_ascii_case(word)) => {
                    findings.push(ambiguous(node, text, "some readers take it for a boolean").help("Write `true`."));
                    None
                }
                Plain::Ambiguous(_) if ["no", "off", "n"].iter().any(|word| text.eq_ignore_ascii_case(word)) => {
                    findings.push(ambiguous(node, text, "some readers take it for a boolean").help("Write `false`."));
                    None
                }
                _ => {
                    findings.push(wrong_type(node, "`true` or `false`"));
                    None
                }
            },
            _ => {
                findings.push(wrong_type(node, "`true` or `false`"));
                None
            }
        }
    }
}

macro_rules! integers {
    ($($int:ty),+) => {$(
        impl Decode for $int {
            fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
                let int = integer(node, findings)?;
                let converted = <$int>::try_from(int).ok();
                if converted.is_none() {
                    let message = format!("{int} is outside {} to {}", <$int>::MIN, <$int>::MAX);
                    findings.push(Diag::new(Code::InvalidValue, node.span, message));
                }
                converted
            }
        }
    )+};
}

integers!(u16, u32, i32, i64);

/// A mapping with keys of the user's choice, in the order they were written.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Entries<T> {
    /// The value at a key.
    pub fn get(&self, key: &str) -> Option<&T> {
        self.0.iter().find(|(k, _)| k.value == key).map(|(_, value)| value)
    }

    /// Keys and values in the order they were written.
    pub fn iter(&self) -> std::slice::Iter<'_, (Spanned<String>, T)> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Clone> Entries<T> {
    /// The entries of `self` with those of `over` put over them: an equal key is replaced where it stands, a new one comes last.
    #[must_use]
    pub fn overlaid(&self, over: &Self) -> Self {
        let mut merged = self.clone();
        for (key, value) in &over.0 {
            match merged.0.iter_mut().find(|(existing, _)| existing.value == key.value) {
                Some(entry) => *entry = (key.clone(), value.clone()),
                None => merged.0.push((key.clone(), value.clone())),
            }
        }
        merged
    }
}

impl<'a, T> IntoIterator for &'a Entries<T> {
    type Item = &'a (Spanned<String>, T);
    type IntoIter = std::slice::Iter<'a, (Spanned<String>, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Decode> Decode for Entries<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let entries = mapping(node, findings)?;
        let decoded: Vec<Option<_>> = entries
            .iter()
            .map(|(key, value)| {
                let key = Spanned::new(key.text().unwrap_or_default().to_owned(), key.span);
                Some((key, T::decode(value, findings)?))
            })
            .collect();
        decoded.into_iter().collect::<Option<Vec<_>>>().map(Self)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

impl<T: schemars::JsonSchema> schemars::JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        std::collections::BTreeMap::<String, T>::json_schema(generator)
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

/// The text of a scalar that every YAML reader takes for text.
pub fn text<'a>(node: &'a Node, findings: &mut Findings) -> Option<&'a str> {
    let Value::Scalar { text, quoted } = &node.value else {
        findings.push(wrong_type(node, "text"));
        return None;
    };
    if *quoted {
        return Some(text);
    }
    let what = match scalar::plain(text) {
        Plain::Text => return Some(text),
        Plain::Null => {
            findings.push(wrong_type(node, "text"));
            return None;
        }
        Plain::Bool(_) => "YAML readers take it for a boolean",
        Plain::Int(_) | Plain::Float(_) => "YAML readers take it for a number",
        Plain::Ambiguous(why) => why,
    };
    findings.push(ambiguous(node, text, what).help(format!("Quote it where the text is meant: `\"{text}\"`.")));
    None
}

/// The text of a scalar that is text or a plain decimal number, as Kubernetes reads quantities: `250m`, `0.5`, `4`.
pub fn text_or_number<'a>(node: &'a Node, findings: &mut Findings) -> Option<&'a str> {
    match &node.value {
        Value::Scalar { text, quoted: false } if matches!(scalar::plain(text), Plain::Int(_) | Plain::Float(_)) => Some(text),
        _ => text(node, findings),
    }
}

fn integer(node: &Node, findings: &mut Findings) -> Option<i64> {
    match &node.value {
        Value::Scalar { text, quoted: false } => match scalar::plain(text) {
            Plain::Int(int) => Some(int),
            Plain::Ambiguous(why) => {
                findings.push(ambiguous(node, text, why).help("Write it in decimal digits, without a leading zero or underscores."));
                None
            }
            _ => {
                findings.push(wrong_type(node, "a whole number"));
                None
            }
        },
        _ => {
            findings.push(wrong_type(node, "a whole number"));
            None
        }
    }
}

fn ambiguous(node: &Node, text: &str, why: &str) -> Diag {
    Diag::new(Code::AmbiguousScalar, node.span, format!("`{text}` does not mean the same to every YAML reader")).label(why)
}

/// The entries of a mapping.
pub fn mapping<'a>(node: &'a Node, findings: &mut Findings) -> Option<&'a [(Node, Node)]> {
    if let Value::Map(entries) = &node.value {
        return Some(entries);
    }
    findings.push(wrong_type(node, "a mapping"));
    None
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
    if node.is_null() { diag.help("Write a value, or remove the key where its default is meant.") } else { diag }
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

/// Reports keys of a mapping that are none of `keys`.
pub fn unknown_keys(entries: &[(Node, Node)], keys: &[&str], what: &str, findings: &mut Findings) {
    for (key, _) in entries {
        let name = key.text().unwrap_or_default();
        if keys.contains(&name) {
            continue;
        }
        let mut sorted = keys.to_vec();
        sorted.sort_unstable();
        let diag = Diag::new(Code::UnknownKey, key.span, format!("{what} has no key `{name}`"));
        let hint = did_you_mean(name, keys.iter().copied());
        let all = format!("The keys are: {}.", sorted.join(", "));
        findings.push(diag.help(hint.unwrap_or(all)));
    }
}

/// Reads one key of a record.
pub fn field<T: Decode>(node: &Node, entries: &[(Node, Node)], key: &str, what: &str, findings: &mut Findings) -> Option<T> {
    if let Some((_, value)) = entries.iter().find(|(k, _)| k.text() == Some(key)) {
        let before = findings.len();
        let decoded = T::decode(value, findings);
        debug_assert!(decoded.is_some() || findings.len() > before, "`{key}` of {what} was lost in silence (I2)");
        return decoded;
    }
    let absent = T::absent();
    if absent.is_none() {
        findings.push(missing_key(node, key, what));
    }
    absent
}

/// The finding that a record lacks a key.
pub fn missing_key(node: &Node, key: &str, what: &str) -> Diag {
    Diag::new(Code::MissingKey, head(node), format!("{what} needs the key `{key}`"))
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

/// Declares a struct that is read from a mapping. `Option`, `Vec` and `Entries` fields may be left out, all others are required;
/// what the record is called in findings comes first. A field is written as its Rust name in camelCase, or as the literal before `=>`.
#[macro_export]
macro_rules! record {
    (
        $what:literal
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[doc = $doc:literal])* pub $field:ident $(as $key:literal)? : $type:ty),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, schemars::JsonSchema)]
        #[schemars(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $doc])* $(#[schemars(rename = $key)])? pub $field: $type),+
        }

        impl $name {
            /// The keys of this record as they are written.
            pub fn keys() -> &'static [String] {
                static KEYS: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
                KEYS.get_or_init(|| vec![$($crate::record!(@key $field $($key)?)),+])
            }

            /// Reads the record's own keys from a mapping that may have others.
            pub(crate) fn decode_fields(
                node: &$crate::yaml::Node,
                entries: &[($crate::yaml::Node, $crate::yaml::Node)],
                findings: &mut $crate::decode::Findings,
            ) -> Option<Self> {
                let mut keys = Self::keys().iter();
                $(let $field = $crate::decode::field::<$type>(node, entries, keys.next()?, $what, findings);)+
                Some(Self { $($field: $field?),+ })
            }
        }

        impl $crate::decode::Decode for $name {
            fn decode(node: &$crate::yaml::Node, findings: &mut $crate::decode::Findings) -> Option<Self> {
                let entries = $crate::decode::mapping(node, findings)?;
                let keys: Vec<&str> = Self::keys().iter().map(String::as_str).collect();
                $crate::decode::unknown_keys(entries, &keys, $what, findings);
                Self::decode_fields(node, entries, findings)
            }
        }
    };
    (@key $field:ident $key:literal) => { $key.to_owned() };
    (@key $field:ident) => { $crate::decode::camel_case(stringify!($field)) };
}

/// Declares an enum that is read from one of a few words.
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[doc = $doc:literal])* $variant:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, schemars::JsonSchema)]
        pub enum $name { $($(#[doc = $doc])* #[schemars(rename = $word)] $variant),+ }

        impl $name {
            /// All words, in the order of the declaration.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value that a word stands for.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl $crate::decode::Decode for $name {
            fn decode(node: &$crate::yaml::Node, findings: &mut $crate::decode::Findings) -> Option<Self> {
                let word = $crate::decode::text(node, findings)?;
                let value = Self::from_word(word);
                if value.is_none() {
                    findings.push($crate::decode::not_one_of(node, word, Self::WORDS));
                }
                value
            }
        }
    };
}

/// The finding that a word is none of the allowed ones.
pub fn not_one_of(node: &Node, word: &str, words: &[&str]) -> Diag {
    let all = format!("Write one of: {}.", words.join(", "));
    let help = did_you_mean(word, words.iter().copied()).unwrap_or(all);
    Diag::new(Code::InvalidValue, node.span, format!("`{word}` is not allowed here")).help(help)
}

/// Declares a type whose text has a grammar: `parse` says what is wrong in a sentence, and the finding has the given code.
#[macro_export]
macro_rules! text_type {
    (
        $(#[$meta:meta])*
        pub struct $name:ident; $code:ident, $example:literal, $scalar:ident, $parse:expr
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Reads the text; the error is a sentence about the rule that it breaks.
            pub fn new(text: &str) -> Result<Self, String> {
                let parse: fn(&str) -> Result<(), String> = $parse;
                parse(text).map(|()| Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $crate::decode::Decode for $name {
            fn decode(node: &$crate::yaml::Node, findings: &mut $crate::decode::Findings) -> Option<Self> {
                let text = $crate::decode::$scalar(node, findings)?;
                match Self::new(text) {
                    Ok(value) => Some(value),
                    Err(rule) => {
                        let diag = $crate::diag::Diag::new($crate::diag::Code::$code, node.span, rule);
                        findings.push(diag.help(concat!("An example: `", $example, "`.")));
                        None
                    }
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": $crate::decode::schema_types(stringify!($scalar)), "examples": [$example] })
            }
        }
    };
}

/// The JSON types that a text type takes in an editor.
pub fn schema_types(scalar: &str) -> serde_json::Value {
    if scalar == "text_or_number" { serde_json::json!(["string", "number"]) } else { serde_json::json!("string") }
}

/// The text of a date: readers disagree whether a plain one is text, and here its meaning is clear.
pub fn plain_date<'a>(node: &'a Node, findings: &mut Findings) -> Option<&'a str> {
    match &node.value {
        Value::Scalar { text, .. } if !node.is_null() => Some(text),
        _ => {
            findings.push(wrong_type(node, "a date"));
            None
        }
    }
}

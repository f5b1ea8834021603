//! The walker: one set of rules over any [`View`].

use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::format;
use super::minor::Minor;
use super::model::{Format, Identity, List, Object, Schema, Shape};
use super::table::{Definition, table};
use super::view::{Seen, View};
use crate::diag::did_you_mean;

/// A place in the tree that is walked, and the way to it.
pub(super) struct At<'a, V> {
    pub(super) parent: Option<&'a At<'a, V>>,
    pub(super) step: Step<'a, V>,
    pub(super) value: &'a V,
}

/// The last step to a place.
pub(super) enum Step<'a, V> {
    Root,
    /// A key; its node where it has a place.
    Key(&'a str, Option<&'a V>),
    Index(usize),
}

/// What kind of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// The schema does not have it so.
    Field,
    /// Readers disagree on the scalar, or take it for something other than the text that is meant.
    Ambiguous,
    /// An entry of a list that is there before.
    Duplicate,
}

/// A mistake, without its place.
pub(super) struct Fault<'a, V> {
    pub(super) mistake: Mistake,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// The key is wrong, not its value.
    pub(super) at_key: bool,
    /// The entry that was there before.
    pub(super) first: Option<&'a V>,
}

impl<V> Fault<'_, V> {
    fn new(message: String, help: Option<String>) -> Self {
        Self { mistake: Mistake::Field, message, help, at_key: false, first: None }
    }

    fn at_key(self) -> Self {
        Self { at_key: true, ..self }
    }

    fn ambiguous(self) -> Self {
        Self { mistake: Mistake::Ambiguous, ..self }
    }
}

impl<'a, V: View> At<'a, V> {
    pub(super) fn root(value: &'a V) -> Self {
        Self { parent: None, step: Step::Root, value }
    }

    fn below(&'a self, step: Step<'a, V>, value: &'a V) -> Self {
        Self { parent: Some(self), step, value }
    }

    /// The place as messages name it: `` `replicas` ``, `` `containers[0]` ``.
    fn name(&self) -> String {
        match (&self.step, self.parent) {
            (Step::Root, _) | (_, None) => "the object".to_owned(),
            (Step::Key(key, _), _) => format!("`{key}`"),
            (Step::Index(index), Some(parent)) => match parent.step {
                Step::Key(key, _) => format!("`{key}[{index}]`"),
                _ => format!("item {index}"),
            },
        }
    }
}

/// A walk and what it does with each fault.
pub(super) struct Walk<'f, V> {
    pub(super) minor: Minor,
    /// A part of an object that is merged into one: what is required may stand in the other, and null removes.
    pub(super) partial: bool,
    pub(super) report: &'f mut dyn FnMut(&At<V>, Fault<V>),
}

impl<V: View> Walk<'_, V> {
    /// Checks what stands at a place against a schema: the whole of the built-in definition of that name, if one is named.
    pub(super) fn value(&mut self, schema: &Schema, definition: &str, at: &At<V>) {
        self.value_of(schema, table().definition(self.minor, definition), at);
    }

    fn value_of(&mut self, schema: &Schema, owner: Option<&Definition>, at: &At<V>) {
        if let Shape::Reference(reference) = &schema.shape {
            match reference.at(self.minor) {
                Some(definition) => self.value_of(definition.schema(), Some(definition), at),
                None => (self.report)(at, Fault::new(format!("Kubernetes {} has no definition `{}`", self.minor, reference.name()), None)),
            }
            return;
        }
        let seen = at.value.seen();
        match seen {
            Seen::Unclear(text, why) => return self.unclear(schema, text, why, at),
            Seen::Null | Seen::Nothing if schema.nullable || matches!(schema.shape, Shape::Any) => return,
            Seen::Null if self.partial && matches!(at.step, Step::Key(..)) => return,
            Seen::Null | Seen::Nothing => return self.null(schema, at),
            _ => {}
        }
        match (&schema.shape, seen) {
            (Shape::Any, _) => self.anything(at),
            (Shape::Object(object), Seen::Map) => self.object(object, owner, at),
            (Shape::List(list), Seen::List) => self.list(list, at),
            (Shape::Text(format), Seen::Text(text)) => self.text(*format, text, at),
            (Shape::Int(bits), Seen::Int(value)) => self.int(*bits, value, at),
            (Shape::IntOrString, Seen::Int(value)) => self.int(32, value, at),
            (Shape::Quantity, Seen::Text(text)) if !format::is_quantity(text) => {
                let help = "A quantity is a number with an optional suffix: `250m`, `1.5`, `64Mi`, `2G`.".to_owned();
                (self.report)(at, Fault::new(format!("{} takes a quantity, which `{text}` is not", at.name()), Some(help)));
            }
            (Shape::Number, Seen::Int(_) | Seen::Number(_))
            | (Shape::Bool, Seen::Bool(_))
            | (Shape::IntOrString, Seen::Text(_))
            | (Shape::Quantity, Seen::Text(_) | Seen::Int(_) | Seen::Number(_)) => {}
            _ => self.wrong_type(schema, seen, at),
        }
        self.choice(schema, seen, at);
        if let Some(rule) = &schema.rule {
            for broken in rule.broken(at.value) {
                let help = Some("The schema of its kind asks for it.".to_owned());
                (self.report)(at, Fault::new(format!("{} {broken}", at.name()), help));
            }
        }
    }

    fn object(&mut self, object: &Object, owner: Option<&Definition>, at: &At<V>) {
        for entry in at.value.entries() {
            let below = at.below(Step::Key(entry.key, entry.key_node), entry.value);
            self.key(entry.unclear, &below);
            if let Some(schema) = object.at(entry.key) {
                self.value_of(schema, None, &below);
            } else {
                let help = self.instead(object, owner, entry.key);
                (self.report)(&below, Fault::new(format!("{} has no field `{}`", at.name(), entry.key), help).at_key());
            }
        }
        if self.partial {
            return;
        }
        for name in &object.required {
            if at.value.at(name).is_none() {
                (self.report)(at, missing(name, at));
            }
        }
    }

    fn key(&mut self, unclear: Option<&'static str>, at: &At<V>) {
        if let (Some(why), Step::Key(key, _)) = (unclear, &at.step) {
            let fault = Fault::new(format!("the key `{key}` is not plainly text: {why}"), Some(format!("Quote it: \"{key}\".")));
            (self.report)(at, fault.at_key().ambiguous());
        }
    }

    /// What to do about an unknown field: another minor's, a near one, or the few there are.
    fn instead(&self, object: &Object, owner: Option<&Definition>, key: &str) -> Option<String> {
        if let Some(owner) = owner {
            let minors = table().minors_with(owner.name, key);
            if let Some(others) = minors.seen_from(self.minor) {
                return Some(format!("Kubernetes has it {others}; this cluster runs {}.", self.minor));
            }
        }
        did_you_mean(key, object.names()).or_else(|| {
            let names: Vec<_> = object.names().map(|name| format!("`{name}`")).collect();
            (1..=8).contains(&names.len()).then(|| format!("Its fields are {}.", names.join(", ")))
        })
    }

    fn list(&mut self, list: &List, at: &At<V>) {
        for (index, item) in at.value.items().iter().enumerate() {
            self.value_of(&list.items, None, &at.below(Step::Index(index), item));
        }
        match &list.identity {
            Identity::Atomic => {}
            Identity::Set => self.duplicates(at, View::scalar, &[]),
            Identity::Keys(keys) => {
                let entry = list.items.resolve(self.minor);
                self.missing_keys(keys, entry, at);
                self.duplicates(at, |item| identity(keys, entry, item), keys);
            }
        }
    }

    /// Entries that lack what tells them apart. What the entry's own schema requires has been found already.
    fn missing_keys(&mut self, keys: &[String], entry: Option<&Schema>, at: &At<V>) {
        for (index, item) in at.value.items().iter().enumerate() {
            for key in keys {
                let Some(Schema { shape: Shape::Object(object), .. }) = entry else { continue };
                let required = !self.partial && object.required.contains(key);
                let has_default = object.property(key).is_some_and(|schema| schema.default.is_some());
                if item.seen() == Seen::Map && item.at(key).is_none() && !required && !has_default {
                    let below = at.below(Step::Index(index), item);
                    let fault = missing(key, &below);
                    let help = Some(format!("Entries of {} are told apart by `{key}`.", at.name()));
                    (self.report)(&below, Fault { help, ..fault });
                }
            }
        }
    }

    /// Entries of one identity: equal values at the keys; without keys, equal values.
    fn duplicates<'v>(&mut self, at: &At<'v, V>, identity: impl Fn(&'v V) -> Option<Cow<'v, str>>, keys: &[String]) {
        let items = at.value.items();
        if items.len() < 2 {
            return;
        }
        let mut seen = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            let Some(identity) = identity(item) else { continue };
            match seen.entry(identity) {
                btree_map::Entry::Vacant(place) => _ = place.insert(item),
                btree_map::Entry::Occupied(place) => {
                    let what = if keys.is_empty() { "the value".to_owned() } else { format!("`{}`", keys.join("` and `")) };
                    let shown = place.key().replace(SEPARATOR, "` and `");
                    let message = format!("{} has two entries with {what} `{shown}`", at.name());
                    let fault = Fault { mistake: Mistake::Duplicate, first: Some(*place.get()), ..Fault::new(message, None) };
                    (self.report)(&at.below(Step::Index(index), item), fault);
                }
            }
        }
    }

    fn text(&mut self, format: Format, text: &str, at: &At<V>) {
        let (fits, expected, help) = match format {
            Format::Plain => return,
            Format::Bytes => (format::is_base64(text), "base64", "Encode it, or use a field that takes plain text."),
            Format::DateTime => (format::is_date_time(text), "a moment", "Write it as in `2026-01-31T08:00:00Z`."),
            Format::Date => (text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10, "a day", "Write it as in `2026-01-31`."),
            Format::Ipv4 => (text.parse::<Ipv4Addr>().is_ok(), "an IPv4 address", "Write it as in `192.0.2.10`."),
            Format::Ipv6 => (text.parse::<Ipv6Addr>().is_ok(), "an IPv6 address", "Write it as in `2001:db8::10`."),
            Format::Cidr => (text.parse::<ipnet::IpNet>().is_ok(), "an address range", "Write it as in `192.0.2.0/24`."),
            Format::Uuid => (format::is_uuid(text), "a UUID", "Write it as in `1b4e28ba-2fa1-11d2-883f-0016d3cca427`."),
            Format::HostName => (format::is_host_name(text), "a host name", "Labels of letters, digits and `-`, with dots between them."),
        };
        if !fits {
            (self.report)(at, Fault::new(format!("{} takes {expected}, which this text is not", at.name()), Some(help.to_owned())));
        }
    }

    fn int(&mut self, bits: u8, value: i64, at: &At<V>) {
        if bits == 32 && i32::try_from(value).is_err() {
            let help = format!("The least is {}, the greatest {}.", i32::MIN, i32::MAX);
            (self.report)(at, Fault::new(format!("{value} is beyond the 32 bits of {}", at.name()), Some(help)));
        }
    }

    fn choice(&mut self, schema: &Schema, seen: Seen<'_>, at: &At<V>) {
        let found = match seen {
            _ if schema.choices.is_empty() => return,
            Seen::Text(text) if schema.choices.iter().all(|choice| choice != text) => text.to_owned(),
            Seen::Int(_) | Seen::Bool(_) => match at.value.scalar() {
                Some(text) if !schema.choices.iter().any(|choice| *choice == text) => text.into_owned(),
                _ => return,
            },
            _ => return,
        };
        let known = schema.choices.iter().map(String::as_str);
        let help = did_you_mean(&found, known.clone())
            .unwrap_or_else(|| format!("It takes {}.", known.map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ")));
        (self.report)(at, Fault::new(format!("`{found}` is none of the values of {}", at.name()), Some(help)));
    }

    /// Where anything goes, scalars and keys must still be clear.
    fn anything(&mut self, at: &At<V>) {
        let any = Schema::default();
        for entry in at.value.entries() {
            let below = at.below(Step::Key(entry.key, entry.key_node), entry.value);
            self.key(entry.unclear, &below);
            self.value_of(&any, None, &below);
        }
        for (index, item) in at.value.items().iter().enumerate() {
            self.value_of(&any, None, &at.below(Step::Index(index), item));
        }
    }

    fn unclear(&mut self, schema: &Schema, text: &str, why: &str, at: &At<V>) {
        let help = match schema.shape {
            Shape::Bool => "Write `true` or `false`.".to_owned(),
            Shape::Int(_) | Shape::Number => "Write a plain decimal number.".to_owned(),
            _ => format!("Quote it if text is meant: \"{text}\"."),
        };
        (self.report)(at, Fault::new(format!("YAML readers disagree on `{text}`: {why}"), Some(help)).ambiguous());
    }

    fn null(&mut self, schema: &Schema, at: &At<V>) {
        let help = match (&schema.shape, &at.step) {
            (_, Step::Index(_)) => "Remove the item, or give it a value.",
            (_, Step::Key(..)) if self.partial => "Write `null` to remove what stands there, or a value.",
            (Shape::Object(_), _) => "The API server would drop it: write `{}` for an empty mapping, or leave the key out.",
            (Shape::List(_), _) => "The API server would drop it: write `[]` for an empty list, or leave the key out.",
            _ => "The API server would drop it: leave the key out.",
        };
        (self.report)(at, Fault::new(format!("{} has no value", at.name()), Some(help.to_owned())));
    }

    fn wrong_type(&mut self, schema: &Schema, seen: Seen<'_>, at: &At<V>) {
        let wants_text = matches!(schema.shape, Shape::Text(_) | Shape::IntOrString);
        let fault = Fault::new(format!("{} takes {}, not {}", at.name(), expected(&schema.shape), found(seen)), None);
        let fault = match (seen, at.value.scalar()) {
            (Seen::Bool(_) | Seen::Int(_) | Seen::Number(_), Some(text)) if wants_text => {
                Fault { help: Some(format!("Quote it: \"{text}\".")), ..fault }.ambiguous()
            }
            (Seen::Text(text), _) if unquotes(&schema.shape, text) => {
                Fault { help: Some(format!("Write {text} without quotes.")), ..fault }
            }
            // What is often a value of a mapping with keys of one's own, of which `kubectl explain` knows nothing.
            _ if matches!(schema.shape, Shape::Quantity) => {
                Fault { help: Some("A quantity is a number with an optional suffix: `250m`, `1.5`, `64Mi`, `2G`.".to_owned()), ..fault }
            }
            _ if wants_text => Fault { help: Some(format!("Write {} there.", expected(&schema.shape))), ..fault },
            _ => fault,
        };
        (self.report)(at, fault);
    }
}

fn missing<'a, V: View>(name: &str, at: &At<V>) -> Fault<'a, V> {
    Fault::new(format!("{} lacks `{name}`", at.name()), None).at_key()
}

fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Any | Shape::Reference(_) => "a value",
        Shape::Object(_) => "a mapping",
        Shape::List(_) => "a list",
        Shape::Text(_) => "text",
        Shape::Int(32) => "a whole number of 32 bits",
        Shape::Int(_) => "a whole number of 64 bits",
        Shape::Number => "a number",
        Shape::Bool => "`true` or `false`",
        Shape::IntOrString => "a whole number or text",
        Shape::Quantity => "a quantity",
    }
}

fn found(seen: Seen<'_>) -> String {
    match seen {
        Seen::Null | Seen::Nothing => "nothing".to_owned(),
        Seen::Bool(value) => format!("`{value}`"),
        Seen::Int(value) => format!("the number {value}"),
        Seen::Number(value) => format!("the number {value:?}"),
        Seen::Text(text) if text.chars().count() <= 40 && !text.contains('\n') => format!("the text \"{text}\""),
        Seen::Text(_) => "text".to_owned(),
        Seen::Unclear(text, _) => format!("`{text}`"),
        Seen::List => "a list".to_owned(),
        Seen::Map => "a mapping".to_owned(),
    }
}

/// Whether the text would fit if it were not quoted.
fn unquotes(shape: &Shape, text: &str) -> bool {
    match shape {
        Shape::Int(_) => text.parse::<i64>().is_ok(),
        Shape::Number => text.parse::<f64>().is_ok(),
        Shape::Bool => matches!(text, "true" | "false"),
        _ => false,
    }
}

/// Between the parts of an identity of several keys; no value of a key holds it.
const SEPARATOR: char = '\u{0}';

/// What tells an entry from others: its values at the keys, or their defaults. None if one is missing.
pub(super) fn identity<'a, V: View>(keys: &[String], entry: Option<&'a Schema>, item: &'a V) -> Option<Cow<'a, str>> {
    let part = |key: &String| match item.at(key) {
        Some(value) => value.scalar(),
        None => entry?.property(key)?.default.as_ref()?.scalar(),
    };
    let (first, others) = keys.split_first()?;
    let mut identity = part(first)?;
    for key in others {
        let next = part(key)?;
        let text = identity.to_mut();
        text.push(SEPARATOR);
        text.push_str(&next);
    }
    Some(identity)
}

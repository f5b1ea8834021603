//! One look at two trees: a JSON value, and a YAML node with its place. What the walker and the merge know of them.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use crate::yaml::scalar::{self, Plain};
use crate::yaml::{self, Node};

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Seen<'a> {
    /// Null that was written out.
    Null,
    /// A key with nothing after it.
    Nothing,
    Bool(bool),
    Int(i64),
    Number(f64),
    Text(&'a str),
    /// A plain scalar on which YAML readers disagree, and why.
    Unclear(&'a str, &'static str),
    List,
    Map,
}

/// An entry of a mapping.
pub(super) struct Entry<'a, V> {
    pub(super) key: &'a str,
    /// The key where it has a place.
    pub(super) key_node: Option<&'a V>,
    /// Why YAML readers disagree on the key, or take it for something other than text.
    pub(super) unclear: Option<&'static str>,
    pub(super) value: &'a V,
}

/// A tree of scalars, lists and mappings.
pub(super) trait View: Sized {
    fn seen(&self) -> Seen<'_>;
    /// A scalar as it was written; none for null, lists and mappings.
    fn scalar(&self) -> Option<Cow<'_, str>>;
    /// The entries of a mapping; none for anything else.
    fn entries(&self) -> impl Iterator<Item = Entry<'_, Self>>;
    /// The value at a key of a mapping.
    fn at(&self, key: &str) -> Option<&Self>;
    /// The items of a list; none for anything else.
    fn items(&self) -> &[Self];
}

impl View for Value {
    fn seen(&self) -> Seen<'_> {
        match self {
            Self::Null => Seen::Null,
            Self::Bool(value) => Seen::Bool(*value),
            Self::Number(number) => number.as_i64().map_or_else(|| Seen::Number(number.as_f64().unwrap_or(f64::INFINITY)), Seen::Int),
            Self::String(text) => Seen::Text(text),
            Self::Array(_) => Seen::List,
            Self::Object(_) => Seen::Map,
        }
    }

    fn scalar(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::String(text) => Some(Cow::Borrowed(text)),
            Self::Bool(_) | Self::Number(_) => Some(Cow::Owned(self.to_string())),
            Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_, Self>> {
        self.as_object().into_iter().flatten().map(|(key, value)| Entry { key, key_node: None, unclear: None, value })
    }

    fn at(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    fn items(&self) -> &[Self] {
        self.as_array().map_or(&[], Vec::as_slice)
    }
}

impl View for Node {
    fn seen(&self) -> Seen<'_> {
        match &self.value {
            yaml::Value::Scalar { text, quoted: true } => Seen::Text(text),
            yaml::Value::Scalar { text, quoted: false } => match scalar::plain(text) {
                // An empty value is given as `~`, in a place of no width.
                Plain::Null if self.span.start == self.span.end => Seen::Nothing,
                Plain::Null => Seen::Null,
                Plain::Bool(value) => Seen::Bool(value),
                Plain::Int(value) => Seen::Int(value),
                Plain::Float(value) => Seen::Number(value),
                Plain::Text => Seen::Text(text),
                Plain::Ambiguous(why) => Seen::Unclear(text, why),
            },
            yaml::Value::Seq(_) => Seen::List,
            yaml::Value::Map(_) => Seen::Map,
        }
    }

    fn scalar(&self) -> Option<Cow<'_, str>> {
        self.text().filter(|_| !self.is_null()).map(Cow::Borrowed)
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_, Self>> {
        let entries = match &self.value {
            yaml::Value::Map(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|(key, value)| Entry {
            key: key.text().unwrap_or_default(),
            key_node: Some(key),
            unclear: unclear_key(key),
            value,
        })
    }

    fn at(&self, key: &str) -> Option<&Self> {
        self.get(key)
    }

    fn items(&self) -> &[Self] {
        match &self.value {
            yaml::Value::Seq(items) => items,
            _ => &[],
        }
    }
}

fn unclear_key(key: &Node) -> Option<&'static str> {
    match key.seen() {
        Seen::Text(_) => None,
        Seen::Unclear(_, why) => Some(why),
        _ => Some("some readers take it for something other than text"),
    }
}

/// The JSON value that a node means. A plain scalar on which readers disagree stays the text that it is: a check has found it before.
pub fn json(node: &Node) -> Value {
    match node.seen() {
        Seen::Null | Seen::Nothing => Value::Null,
        Seen::Bool(value) => Value::Bool(value),
        Seen::Int(value) => Value::Number(value.into()),
        Seen::Number(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
        Seen::Text(text) | Seen::Unclear(text, _) => Value::String(text.to_owned()),
        Seen::List => Value::Array(node.items().iter().map(json).collect()),
        Seen::Map => Value::Object(node.entries().map(|entry| (entry.key.to_owned(), json(entry.value))).collect::<Map<_, _>>()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::*;
    use crate::schema::testing::node;

    #[test]
    fn a_node_becomes_the_value_that_readers_agree_on() {
        let text =
            "a: 1\nb: '1'\nc: 1.5\nd: true\ne: [x, \"true\", 10.0.0.1]\nf: {}\ng: ~\nh:\ni: 18446744073709551616\nj: |\n  two\n  lines\n";
        let expected = value!({
            "a": 1, "b": "1", "c": 1.5, "d": true, "e": ["x", "true", "10.0.0.1"], "f": {}, "g": null, "h": null,
            "i": "18446744073709551616", "j": "two\nlines\n",
        });
        assert_eq!(json(&node(text).1), expected);
    }
}

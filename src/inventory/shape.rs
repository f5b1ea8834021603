//! Shapes that several keys share: a list that is not empty, one or many, a word for a record.

use std::borrow::Cow;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::decode::{Decode, Findings};
use crate::diag::{Code, Diag};
use crate::source::Spanned;
use crate::yaml::read::{Node, Value};

/// The schema of a value that is written in one of two ways.
pub fn either<A: JsonSchema, B: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [generator.subschema_for::<A>(), generator.subschema_for::<B>()] })
}

/// A list that must be written and must not be empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Vec1<T>(pub Vec<T>);

impl<T> Deref for Vec1<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Decode> Decode for Vec1<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let items = Vec::decode(node, findings)?;
        if items.is_empty() {
            let diag = Diag::new(Code::InvalidValue, node.span, "the list must not be empty");
            findings.push(diag.help("Write at least one entry."));
            return None;
        }
        Some(Self(items))
    }
}

impl<T: JsonSchema> JsonSchema for Vec1<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("ListOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "minItems": 1, "items": generator.subschema_for::<T>() })
    }
}

/// One value, or a list of them.
#[derive(Clone, Debug, PartialEq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T: Decode> Decode for OneOrMany<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        match node.value {
            Value::Seq(_) => Vec1::decode(node, findings).map(|many| Self(many.0)),
            _ => T::decode(node, findings).map(|one| Self(vec![one])),
        }
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        either::<T, Vec<T>>(generator)
    }
}

/// A record that one word can stand for.
pub trait Shorthand: Decode {
    /// The word's type.
    type Word: Decode + JsonSchema;

    /// The record that the word means.
    fn from_word(word: Spanned<Self::Word>) -> Self;
}

/// A record written in full, or as the one word that stands for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief<T>(pub T);

impl<T> Deref for Brief<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Shorthand> Decode for Brief<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        match node.value {
            Value::Map(_) => T::decode(node, findings).map(Self),
            _ => Decode::decode(node, findings).map(|word| Self(T::from_word(word))),
        }
    }
}

impl<T: Shorthand + JsonSchema> JsonSchema for Brief<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Brief{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        either::<T::Word, T>(generator)
    }
}

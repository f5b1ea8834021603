//! The keywords of schemas: what each takes, and where it has a place.

use serde_json::Value;

/// What a keyword takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Any value, or one that is read as a schema.
    Any,
    Bool,
    Text,
    Number,
    /// A whole number from 0.
    Count,
    Scalars,
    Texts,
    Schemas,
    Mapping,
    Mappings,
}

use Form::{Any, Bool, Count, Mapping, Mappings, Number, Scalars, Schemas, Text, Texts};

/// Every keyword. What these say is checked, of objects and of schemas, but for `description`, `example`, `externalDocs` and `title`, which ask nothing, and
/// the rules in CEL: those are the API server's alone.
const KEYWORDS: [(&str, Form); 40] = [
    ("$ref", Text),
    ("additionalProperties", Any),
    ("allOf", Schemas),
    ("anyOf", Schemas),
    ("default", Any),
    ("description", Text),
    ("enum", Scalars),
    ("example", Any),
    ("exclusiveMaximum", Bool),
    ("exclusiveMinimum", Bool),
    ("externalDocs", Mapping),
    ("format", Text),
    ("items", Any),
    ("maxItems", Count),
    ("maxLength", Count),
    ("maxProperties", Count),
    ("maximum", Number),
    ("minItems", Count),
    ("minLength", Count),
    ("minProperties", Count),
    ("minimum", Number),
    ("multipleOf", Number),
    ("not", Any),
    ("nullable", Bool),
    ("oneOf", Schemas),
    ("pattern", Text),
    ("properties", Mapping),
    ("required", Texts),
    ("title", Text),
    ("type", Text),
    ("uniqueItems", Bool),
    ("x-kubernetes-embedded-resource", Bool),
    ("x-kubernetes-int-or-string", Bool),
    ("x-kubernetes-list-map-keys", Texts),
    ("x-kubernetes-list-type", Text),
    ("x-kubernetes-map-type", Text),
    // Of the table alone: a custom resource definition has none.
    ("x-kubernetes-patch-merge-key", Text),
    ("x-kubernetes-patch-strategy", Text),
    ("x-kubernetes-preserve-unknown-fields", Bool),
    ("x-kubernetes-validations", Mappings),
];

/// The keywords of a custom schema.
pub(super) fn of_custom() -> impl Iterator<Item = &'static str> {
    KEYWORDS.into_iter().map(|(keyword, _)| keyword).filter(|keyword| !keyword.starts_with("x-kubernetes-patch-"))
}

/// The keywords of a schema under `allOf`, `anyOf`, `oneOf` or `not`: those add rules, and neither types, defaults nor words of their own. Types alone are
/// repeated there for what may be a number or text.
pub(super) fn of_branch(int_or_string: bool) -> impl Iterator<Item = &'static str> {
    const WHOLE: [&str; 6] = ["$ref", "additionalProperties", "default", "description", "nullable", "title"];
    let has_place =
        move |keyword: &&str| !WHOLE.contains(keyword) && !keyword.starts_with("x-kubernetes-") && (int_or_string || *keyword != "type");
    of_custom().filter(has_place)
}

/// What a keyword takes, if a value is none of it, as the end of a sentence.
pub(super) fn mismatch(keyword: &str, value: &Value) -> Option<&'static str> {
    let form = KEYWORDS.iter().find(|(known, _)| *known == keyword).map(|(_, form)| *form)?;
    let all = |fits: fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(fits));
    let (fits, expected) = match form {
        Any => return None,
        Bool => (value.is_boolean(), "`true` or `false`"),
        Text => (value.is_string(), "text"),
        Number => (value.is_number(), "a number"),
        Count => (value.is_u64(), "a whole number from 0"),
        Scalars => (all(|item| item.is_string() || item.is_number() || item.is_boolean()), "a list of scalars"),
        Texts => (all(Value::is_string), "a list of texts"),
        Schemas => (value.is_array(), "a list of schemas"),
        Mapping => (value.is_object(), "a mapping"),
        Mappings => (all(Value::is_object), "a list of mappings"),
    };
    (!fits).then_some(expected)
}

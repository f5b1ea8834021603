//! Reads schemas from the keywords of `OpenAPI`: those of the table, and structural schemas of custom kinds.

use serde_json::{Map, Value};

use super::check::path;
use super::keywords;
use super::model::{Format, Identity, List, Object, Reference, Schema, Shape, Strategy};
use super::walk::{At, Fault, Step, Walk};
use super::{Minor, PathSegment, Problem};
use crate::diag::did_you_mean;

impl Schema {
    /// Reads a definition of the table.
    ///
    /// # Panics
    /// On a line that the program which makes the table would not write; a test reads every line.
    pub(super) fn from_table(json: &str) -> Self {
        let value = serde_json::from_str(json).expect("the table holds JSON");
        let mut reader = Reader::default();
        let schema = reader.schema(&value);
        assert!(reader.problems.is_empty(), "the table holds schemas");
        schema
    }

    /// Reads the keywords of `OpenAPI`; all that is wrong with them comes in one go.
    pub(super) fn from_openapi(value: &Value) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader { custom: true, ..Reader::default() };
        let schema = reader.schema(value);
        if reader.problems.is_empty() { Ok(schema) } else { Err(reader.problems) }
    }
}

/// Reads a schema and keeps what is wrong with it.
#[derive(Default)]
pub(super) struct Reader {
    path: Vec<PathSegment>,
    problems: Vec<Problem>,
    /// It is no definition of the table, which has neither rules nor mistakes.
    custom: bool,
    /// The rules that are read are of a value that may be a number or text.
    pub(super) int_or_string: bool,
}

impl Reader {
    fn schema(&mut self, value: &Value) -> Schema {
        let Value::Object(keywords) = value else {
            self.problem("a schema is a mapping", None);
            return Schema::default();
        };
        if self.custom {
            let known: Vec<_> = keywords::of_custom().collect();
            self.forms(keywords, &known, |keyword| format!("a schema has no keyword `{keyword}`"));
            self.structural(keywords);
        }
        let mut schema = Schema::from(self.shape(keywords));
        schema.nullable = keywords.get("nullable") == Some(&Value::Bool(true));
        schema.choices = texts(keywords, "enum");
        schema.default = keywords.get("default").filter(|default| !default.is_null()).cloned();
        schema.strategy = match text(keywords, "x-kubernetes-patch-strategy") {
            Some("replace") => Strategy::Replace,
            Some("retainKeys") => Strategy::RetainKeys,
            _ => Strategy::Merge,
        };
        if is_true(keywords, "x-kubernetes-embedded-resource") {
            schema.embed_object();
            schema.require_type();
        }
        if self.custom {
            self.int_or_string = is_true(keywords, "x-kubernetes-int-or-string");
            schema.rule = Some(self.rule(keywords)).filter(|rule| !rule.is_empty()).map(Box::new);
            if let Some(default) = keywords.get("default") {
                self.check_default(&schema, default);
            }
        }
        schema
    }

    /// A default is what the API server writes where nothing stands: it has to fit like anything else.
    fn check_default(&mut self, schema: &Schema, default: &Value) {
        let mut found = Vec::new();
        let mut report = |at: &At<Value>, fault: Fault<Value>| found.push((path(at), fault.message, fault.help));
        let root = At::root(default);
        let at = At { parent: Some(&root), step: Step::Key("default", None), value: default };
        Walk { minor: Minor::NEWEST, partial: false, report: &mut report }.value(schema, "", &at);
        let here = self.path.len();
        for (below, message, help) in found {
            self.path.extend(below);
            self.problem(message, help);
            self.path.truncate(here);
        }
    }

    fn shape(&mut self, keywords: &Map<String, Value>) -> Shape {
        if let Some(name) = text(keywords, "$ref") {
            return Shape::Reference(Reference::new(name));
        }
        let format = text(keywords, "format");
        if is_true(keywords, "x-kubernetes-int-or-string") || format == Some("int-or-string") {
            return Shape::IntOrString;
        }
        if format == Some("quantity") && (!self.custom || keywords.contains_key("type")) {
            return Shape::Quantity;
        }
        let implied = if keywords.contains_key("items") {
            Some("array")
        } else if keywords.contains_key("properties") || keywords.contains_key("additionalProperties") {
            Some("object")
        } else {
            None
        };
        match text(keywords, "type").or(implied.filter(|_| !self.custom)) {
            Some("object") => self.object(keywords),
            Some("array") => self.list(keywords),
            Some("string") => Shape::Text(match format {
                Some("byte") => Format::Bytes,
                Some("date-time") => Format::DateTime,
                Some("date") => Format::Date,
                Some("ipv4") => Format::Ipv4,
                Some("ipv6") => Format::Ipv6,
                Some("cidr") => Format::Cidr,
                Some("uuid") => Format::Uuid,
                Some("hostname") => Format::HostName,
                _ => Format::Plain,
            }),
            Some("integer") => Shape::Int(if format == Some("int32") { 32 } else { 64 }),
            Some("number") => Shape::Number,
            Some("boolean") => Shape::Bool,
            Some(other) => {
                let known = ["object", "array", "string", "integer", "number", "boolean"];
                let help = did_you_mean(other, known);
                self.below("type", |reader| reader.problem(format!("there is no type `{other}`"), help));
                Shape::Any
            }
            None => {
                // Of the table's own, `{}` is anything.
                let stated = is_true(keywords, "x-kubernetes-preserve-unknown-fields") || keywords.contains_key("type");
                if !stated && (self.custom || !keywords.is_empty()) {
                    self.problem(
                        "a schema states its type",
                        Some("Or `x-kubernetes-preserve-unknown-fields: true` for anything.".to_owned()),
                    );
                }
                Shape::Any
            }
        }
    }

    fn object(&mut self, keywords: &Map<String, Value>) -> Shape {
        let mut object = Object::default();
        self.below("properties", |reader| {
            for (name, value) in keywords.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let schema = reader.below(name, |reader| reader.schema(value));
                object.add(name, schema);
            }
        });
        object.required = texts(keywords, "required");
        object.additional = match keywords.get("additionalProperties") {
            Some(Value::Bool(false)) | None => None,
            Some(Value::Bool(true)) => Some(Box::default()),
            Some(value) => Some(Box::new(self.below("additionalProperties", |reader| reader.schema(value)))),
        };
        if object.additional.is_none() && is_true(keywords, "x-kubernetes-preserve-unknown-fields") {
            object.additional = Some(Box::default());
        }
        Shape::Object(object)
    }

    fn list(&mut self, keywords: &Map<String, Value>) -> Shape {
        let items = self.below("items", |reader| {
            let Some(value) = keywords.get("items") else {
                reader.problem("a list's schema states its items", None);
                return Schema::default();
            };
            reader.schema(value)
        });
        let identity = match text(keywords, "x-kubernetes-list-type") {
            None | Some("atomic") => Identity::Atomic,
            Some("set") => Identity::Set,
            Some("map") if keywords.contains_key("x-kubernetes-list-map-keys") => {
                Identity::Keys(texts(keywords, "x-kubernetes-list-map-keys"))
            }
            Some(other) => {
                let help = "It is `atomic`, `set`, or `map` with `x-kubernetes-list-map-keys`.".to_owned();
                self.below("x-kubernetes-list-type", |reader| {
                    reader.problem(format!("there is no list of type `{other}` here"), Some(help));
                });
                Identity::Atomic
            }
        };
        Shape::List(List { items: Box::new(items), identity })
    }

    pub(super) fn below<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(PathSegment::Key(key.to_owned()));
        let result = read(self);
        self.path.pop();
        result
    }

    /// Reads an item of a list.
    pub(super) fn item<T>(&mut self, at: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(PathSegment::Index(at));
        let result = read(self);
        self.path.pop();
        result
    }

    pub(super) fn problem(&mut self, message: impl Into<String>, help: Option<String>) {
        self.problems.push(Problem { path: self.path.clone(), message: message.into(), help, at_key: true });
    }
}

pub(super) fn text<'a>(keywords: &'a Map<String, Value>, keyword: &str) -> Option<&'a str> {
    keywords.get(keyword).and_then(Value::as_str)
}

/// A keyword's list of scalars; empty if it is not there.
pub(super) fn texts(keywords: &Map<String, Value>, keyword: &str) -> Vec<String> {
    let items = keywords.get(keyword).and_then(Value::as_array);
    items.and_then(|items| items.iter().map(scalar_text).collect()).unwrap_or_default()
}

pub(super) fn is_true(keywords: &Map<String, Value>, keyword: &str) -> bool {
    keywords.get(keyword) == Some(&Value::Bool(true))
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

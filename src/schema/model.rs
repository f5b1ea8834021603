//! A schema as the walker and the merge use it.

use std::fmt;
use std::sync::OnceLock;

use regex_lite::Regex;
use serde_json::Value;

use super::minor::Minor;
use super::rule::Rule;
use super::table::{Definition, table};

/// What may stand at a place.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) shape: Shape,
    /// Whether null is a value here.
    pub(super) nullable: bool,
    /// The only values, as text; none if empty.
    pub(super) choices: Vec<String>,
    /// What is meant where nothing stands.
    pub(super) default: Option<Value>,
    /// How a patch's value comes together with what it patches.
    pub(super) strategy: Strategy,
    /// What a custom schema asks beside the type; none of built-in ones.
    pub(super) rule: Option<Box<Rule>>,
}

/// The shape of a value.
#[derive(Debug, Default)]
pub(super) enum Shape {
    /// Anything.
    #[default]
    Any,
    /// A mapping.
    Object(Object),
    /// A list.
    List(List),
    /// Text.
    Text(Format),
    /// A whole number of that many bits.
    Int(u8),
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// A whole number, or text such as `25%` or the name of a port.
    IntOrString,
    /// A quantity such as `250m`, or a number.
    Quantity,
    /// What another definition says.
    Reference(Reference),
}

/// A mapping's properties.
#[derive(Debug, Default)]
pub(super) struct Object {
    /// In order of their names.
    properties: Vec<(String, Schema)>,
    pub(super) required: Vec<String>,
    /// What every other key holds; none: there is no other key.
    pub(super) additional: Option<Box<Schema>>,
}

impl Object {
    pub(super) fn property(&self, name: &str) -> Option<&Schema> {
        let at = self.properties.binary_search_by(|(other, _)| other.as_str().cmp(name)).ok()?;
        Some(&self.properties[at].1)
    }

    /// The schema at a key, a property's or the one of all other keys.
    pub(super) fn at(&self, key: &str) -> Option<&Schema> {
        self.property(key).or(self.additional.as_deref())
    }

    pub(super) fn properties(&self) -> impl Iterator<Item = (&str, &Schema)> {
        self.properties.iter().map(|(name, schema)| (name.as_str(), schema))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.properties.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn add(&mut self, name: &str, schema: Schema) {
        match self.properties.binary_search_by(|(other, _)| other.as_str().cmp(name)) {
            Ok(at) => self.properties[at].1 = schema,
            Err(at) => self.properties.insert(at, (name.to_owned(), schema)),
        }
    }
}

/// A list.
#[derive(Debug)]
pub(super) struct List {
    pub(super) items: Box<Schema>,
    pub(super) identity: Identity,
}

/// What makes two entries of a list the same one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Nothing: the list is one value.
    Atomic,
    /// Being equal.
    Set,
    /// Equal values at these keys.
    Keys(Vec<String>),
}

/// What is special about text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// Nothing.
    #[default]
    Plain,
    /// Base64.
    Bytes,
    /// RFC 3339.
    DateTime,
    /// A day, without a time.
    Date,
    /// An address of IPv4.
    Ipv4,
    /// An address of IPv6.
    Ipv6,
    /// An address range.
    Cidr,
    /// A UUID with its hyphens.
    Uuid,
    /// A host name.
    HostName,
}

/// How a patch's value comes together with what it patches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Strategy {
    /// Mappings and keyed lists merge.
    #[default]
    Merge,
    /// The patch's value alone stays.
    Replace,
    /// One of several forms: only those that the patch names stay.
    RetainKeys,
}

/// A built-in definition by its name, looked up once for each minor.
pub(super) struct Reference {
    name: String,
    found: [OnceLock<Option<&'static Definition>>; Minor::COUNT],
}

impl Reference {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), found: Default::default() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The definition at that minor.
    pub(super) fn at(&self, minor: Minor) -> Option<&'static Definition> {
        *self.found[minor.index()].get_or_init(|| table().definition(minor, &self.name))
    }
}

impl fmt::Debug for Reference {
    /// The name alone: definitions may refer to themselves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reference").field(&self.name).finish()
    }
}

impl From<Shape> for Schema {
    fn from(shape: Shape) -> Self {
        Self { shape, ..Self::default() }
    }
}

impl Schema {
    /// Adds what every object of Kubernetes has: `apiVersion`, `kind` and `metadata`.
    pub(super) fn embed_object(&mut self) {
        if !matches!(self.shape, Shape::Object(_)) {
            self.shape = Shape::Object(Object::default());
        }
        let Shape::Object(object) = &mut self.shape else { return };
        object.add("apiVersion", Shape::Text(Format::Plain).into());
        object.add("kind", Shape::Text(Format::Plain).into());
        object.add("metadata", Shape::Reference(Reference::new("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")).into());
    }

    /// Asks for what tells an object's type, as the API server does of one that is embedded in another; it asks for no metadata there.
    pub(super) fn require_type(&mut self) {
        let Shape::Object(object) = &mut self.shape else { return };
        for (key, pattern) in [("apiVersion", "^[^/]+$|^[^/]*/[^/]*$"), ("kind", "^[A-Za-z]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?$")] {
            let rule = Rule { pattern: Regex::new(pattern).ok(), ..Rule::default() };
            object.add(key, Schema { rule: Some(Box::new(rule)), ..Shape::Text(Format::Plain).into() });
            if !object.required.iter().any(|name| name == key) {
                object.required.push(key.to_owned());
            }
        }
    }

    pub(super) fn property(&self, name: &str) -> Option<&Schema> {
        match &self.shape {
            Shape::Object(object) => object.property(name),
            _ => None,
        }
    }

    /// The schema behind any references.
    pub(super) fn resolve(&self, minor: Minor) -> Option<&Schema> {
        match &self.shape {
            Shape::Reference(reference) => reference.at(minor)?.schema().resolve(minor),
            _ => Some(self),
        }
    }

    #[cfg(test)]
    pub(super) fn references(&self) -> Vec<&str> {
        match &self.shape {
            Shape::Reference(reference) => vec![&reference.name],
            Shape::List(list) => list.items.references(),
            Shape::Object(object) => {
                let properties = object.properties.iter().map(|(_, schema)| schema);
                properties.chain(object.additional.as_deref()).flat_map(Schema::references).collect()
            }
            _ => Vec::new(),
        }
    }
}

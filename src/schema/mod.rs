//! What Kubernetes accepts, checked offline: the built-in kinds of every supported minor, and custom kinds that a blueprint brings along.
//!
//! The same rules walk a rendered object ([`Schemas::check`]) and a user's part of one in the inventory ([`Schemas::check_node`]).
//! They are stricter than an API server that only warns: an unknown field is an error, so is a null, so are two entries of one key in a
//! list. What is beyond them (names, ports, selectors that match) is checked elsewhere or by the API server.

mod check;
mod custom;
mod defaults;
mod explain;
mod format;
mod keywords;
mod merge;
mod minor;
mod model;
mod openapi;
mod plural;
mod quantities;
mod rule;
mod rules;
mod structural;
mod table;
mod view;
mod walk;

use std::collections::BTreeMap;

pub use check::{check_carried, check_name};
use custom::Custom;
pub use explain::explained;
pub use format::is_quantity;
pub use merge::without_nulls;
pub use minor::{Minor, UnknownMinor};
use model::{Schema, Shape};
pub use plural::plural;
use table::table;
pub use view::json;

/// A step to a place in an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathSegment {
    /// A key of a mapping.
    Key(String),
    /// An item of a list, from 0.
    Index(usize),
}

/// Something that Kubernetes would refuse, or drop in silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, from the object's root. Of a missing field: the mapping that lacks it.
    pub path: Vec<PathSegment>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do next, a whole sentence.
    pub help: Option<String>,
    /// The key at the path's end is wrong, or what is below it as a whole; not one value.
    pub at_key: bool,
}

/// What is known of a kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindInfo<'a> {
    /// The name of its definition.
    pub definition: &'a str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// The name of its resource, where a custom kind states it.
    pub plural: Option<&'a str>,
}

/// The kinds that may stand in a tree: the built-in ones and custom ones. Cheap to make; the built-in ones are shared by all.
#[derive(Debug, Default)]
pub struct Schemas {
    /// By the name of the definition: `apiVersion/kind`.
    custom: BTreeMap<String, Custom>,
}

impl Schemas {
    /// The built-in kinds.
    pub fn new() -> Self {
        Self::default()
    }

    /// A kind of object; none if that minor does not have it.
    pub fn kind(&self, minor: Minor, api_version: &str, kind: &str) -> Option<KindInfo<'_>> {
        if let Some(found) = table().kind(minor, api_version, kind) {
            return Some(KindInfo { definition: found.definition, namespaced: found.namespaced, plural: None });
        }
        let (name, custom) = self.custom.get_key_value(&Custom::definition_name(api_version, kind))?;
        Some(KindInfo { definition: name, namespaced: custom.namespaced, plural: custom.plural.as_deref() })
    }

    /// Whether the objects of a resource live in namespaces; none where nothing that is known is served under that name.
    pub fn is_namespaced(&self, minor: Minor, group: &str, resource: &str) -> Option<bool> {
        let mut found = built_in(minor).filter(|kind| kind.group() == group);
        let found = found.find(|kind| plural(kind.kind) == resource).map(|kind| kind.namespaced);
        found.or_else(|| {
            let mut custom = self.custom.values().filter(|custom| table::group(&custom.api_version) == group);
            custom.find(|custom| custom.plural.as_deref() == Some(resource)).map(|custom| custom.namespaced)
        })
    }

    /// The resources of Kubernetes in an API group.
    pub fn resources(&self, minor: Minor, group: &str) -> Vec<String> {
        built_in(minor).filter(|kind| kind.group() == group).map(|kind| plural(kind.kind)).collect()
    }

    /// The API groups of Kubernetes that have a resource, in order.
    pub fn groups(&self, minor: Minor, resource: &str) -> Vec<&str> {
        let mut groups: Vec<&str> = built_in(minor).filter(|kind| plural(kind.kind) == resource).map(table::KindRow::group).collect();
        groups.dedup();
        groups
    }

    /// Every kind of a minor, as pairs of `apiVersion` and `kind` in order.
    pub fn known_kinds(&self, minor: Minor) -> Vec<(&str, &str)> {
        let built_in = table().kinds.iter().filter(|kind| kind.minors.contains(minor)).map(|kind| (kind.api_version, kind.kind));
        let custom = self.custom.values().map(|custom| (custom.api_version.as_str(), custom.kind.as_str()));
        let mut known: Vec<_> = built_in.chain(custom).collect();
        known.sort_unstable();
        known
    }

    /// The name of a kind's definition.
    pub fn definition_of(&self, minor: Minor, api_version: &str, kind: &str) -> Option<&str> {
        self.kind(minor, api_version, kind).map(|kind| kind.definition)
    }

    /// The name of the definition at a path of keys below another, as in `template.spec` below a `DeploymentSpec`; none if nothing, a scalar
    /// or a list stands there.
    pub fn field(&self, minor: Minor, definition: &str, path: &str) -> Option<&str> {
        let mut schema = self.schema(minor, definition)?;
        let mut name = None;
        for key in path.split('.') {
            let Shape::Object(object) = &schema.shape else { return None };
            let Shape::Reference(reference) = &object.at(key)?.shape else { return None };
            name = Some(reference.name());
            schema = reference.at(minor)?.schema();
        }
        name
    }

    /// Whether a definition has a field of that name, whatever stands there.
    pub fn has_field(&self, minor: Minor, definition: &str, key: &str) -> bool {
        self.schema(minor, definition).is_some_and(|schema| matches!(&schema.shape, Shape::Object(object) if object.at(key).is_some()))
    }

    fn schema(&self, minor: Minor, definition: &str) -> Option<&Schema> {
        match self.custom.get(definition) {
            Some(custom) => Some(&custom.schema),
            None => table().definition(minor, definition).map(table::Definition::schema),
        }
    }
}

/// The built-in kinds of a minor.
fn built_in(minor: Minor) -> impl Iterator<Item = &'static table::KindRow> {
    table().kinds.iter().filter(move |kind| kind.minors.contains(minor))
}

/// What the tests of this module share.
#[cfg(test)]
mod testing {
    use crate::diag::Findings;
    use crate::source::Files;
    use crate::yaml::{Node, read};

    /// The one document of a YAML text.
    pub(super) fn node(text: &str) -> (Files, Node) {
        let mut files = Files::default();
        let file = files.add("test.yaml", text);
        let mut findings = Findings::new();
        let node = read::read(text, file, &mut findings).remove(0);
        assert!(findings.is_empty(), "{findings:?}");
        (files, node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_keys_leads_to_the_definition_there() {
        let schemas = Schemas::new();
        let minor = Minor::NEWEST;
        let cron = schemas.definition_of(minor, "batch/v1", "CronJob").unwrap();
        assert_eq!(schemas.field(minor, cron, "spec"), Some("io.k8s.api.batch.v1.CronJobSpec"));
        assert_eq!(schemas.field(minor, "io.k8s.api.batch.v1.CronJobSpec", "jobTemplate.spec"), Some("io.k8s.api.batch.v1.JobSpec"));
        assert_eq!(schemas.field(minor, cron, "spec.jobTemplate.spec.template.spec"), Some("io.k8s.api.core.v1.PodSpec"));
        assert_eq!(schemas.field(minor, cron, "spec.schedule"), None);
        assert_eq!(schemas.field(minor, cron, "spec.jobtemplate"), None);
    }

    #[test]
    fn a_resource_lives_in_namespaces_or_belongs_to_the_cluster() {
        let schemas = Schemas::new();
        let of = |group, resource| schemas.is_namespaced(Minor::NEWEST, group, resource);
        assert_eq!(of("", "nodes"), Some(false));
        assert_eq!(of("", "configmaps"), Some(true));
        assert_eq!(of("storage.k8s.io", "storageclasses"), Some(false));
        assert_eq!(of("networking.k8s.io", "networkpolicies"), Some(true));
        assert_eq!(of("apps", "nodes"), None);
        assert_eq!(of("acme.example", "widgets"), None);
    }

    #[test]
    fn kinds_are_those_of_the_minor() {
        let schemas = Schemas::new();
        let policy = |minor| schemas.kind(minor, "admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy");
        assert_eq!(policy(Minor::OLDEST), None);
        assert!(policy(Minor::NEWEST).is_some_and(|kind| !kind.namespaced));
        assert!(schemas.known_kinds(Minor::OLDEST).len() < schemas.known_kinds(Minor::NEWEST).len());
    }
}

//! The built-in kinds: an index over the text that the example `kubernetes-schemas` makes. Nothing is read before the first question, and
//! a definition is parsed when it is first used.

use std::sync::OnceLock;

use super::minor::{Minor, Minors};
use super::model::Schema;

static TEXT: &str = include_str!("kubernetes.txt");

/// A kind of object.
pub(super) struct KindRow {
    pub(super) minors: Minors,
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) namespaced: bool,
    pub(super) definition: &'static str,
}

impl KindRow {
    /// Its API group; empty for the core one.
    pub(super) fn group(&self) -> &'static str {
        group(self.api_version)
    }
}

/// The API group of an `apiVersion`; empty for the core one.
pub(super) fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// A definition as some minors have it.
pub(super) struct Definition {
    minors: Minors,
    pub(super) name: &'static str,
    json: &'static str,
    schema: OnceLock<Schema>,
}

impl Definition {
    /// What it says; parsed once.
    pub(super) fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| Schema::from_table(self.json))
    }
}

/// The whole table, both lists in order of their names.
pub(super) struct Table {
    pub(super) kinds: Vec<KindRow>,
    definitions: Vec<Definition>,
}

/// The table, indexed when first asked for.
pub(super) fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::index(TEXT))
}

impl Table {
    /// Lines that do not have the table's form would be left out; a test counts them.
    fn index(text: &'static str) -> Self {
        let mut table = Self { kinds: Vec::with_capacity(128), definitions: Vec::with_capacity(1024) };
        for line in text.lines() {
            let mut columns = line.splitn(3, '\t');
            let (Some(minors), Some(name), Some(rest)) = (columns.next().and_then(Minors::parse), columns.next(), columns.next()) else {
                continue;
            };
            if name == "kind" {
                let mut columns = rest.split('\t');
                if let (Some(api_version), Some(kind), Some(scope), Some(definition)) =
                    (columns.next(), columns.next(), columns.next(), columns.next())
                {
                    table.kinds.push(KindRow { minors, api_version, kind, namespaced: scope == "namespaced", definition });
                }
            } else {
                table.definitions.push(Definition { minors, name, json: rest, schema: OnceLock::new() });
            }
        }
        table
    }

    /// The kind at that minor.
    pub(super) fn kind(&self, minor: Minor, api_version: &str, kind: &str) -> Option<&KindRow> {
        let start = self.kinds.partition_point(|entry| (entry.api_version, entry.kind) < (api_version, kind));
        let same = self.kinds[start..].iter().take_while(|entry| (entry.api_version, entry.kind) == (api_version, kind));
        same.into_iter().find(|entry| entry.minors.contains(minor))
    }

    /// The definition of that name at that minor.
    pub(super) fn definition(&self, minor: Minor, name: &str) -> Option<&Definition> {
        self.variants(name).find(|definition| definition.minors.contains(minor))
    }

    /// Which minors have a definition of that name with a property of that name.
    pub(super) fn minors_with(&self, name: &str, property: &str) -> Minors {
        let having = self.variants(name).filter(|definition| definition.schema().property(property).is_some());
        having.map(|definition| definition.minors).fold(Minors::NONE, Minors::or)
    }

    fn variants(&self, name: &str) -> impl Iterator<Item = &Definition> {
        let start = self.definitions.partition_point(|definition| definition.name < name);
        self.definitions[start..].iter().take_while(move |definition| definition.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood_and_in_order() {
        let table = table();
        assert_eq!(table.kinds.len() + table.definitions.len(), TEXT.lines().count() - 1, "all but the comment");
        assert!(table.kinds.is_sorted_by_key(|kind| (kind.api_version, kind.kind)));
        assert!(table.definitions.is_sorted_by_key(|definition| definition.name));
    }

    #[test]
    fn every_definition_parses_and_refers_to_definitions_of_its_minors() {
        for definition in &table().definitions {
            for name in definition.schema().references() {
                for minor in definition.minors.iter() {
                    assert!(table().definition(minor, name).is_some(), "{minor}: {} refers to {name}", definition.name);
                }
            }
        }
    }

    #[test]
    fn a_minor_has_one_variant_of_a_definition() {
        for (before, after) in table().definitions.iter().zip(&table().definitions[1..]) {
            for minor in Minor::ALL {
                let both = before.minors.contains(minor) && after.minors.contains(minor);
                assert!(before.name != after.name || !both, "{minor} has {} twice", before.name);
            }
        }
    }

    #[test]
    fn well_known_kinds_are_in_every_minor() {
        for (api_version, kind, namespaced) in [
            ("v1", "Namespace", false),
            ("v1", "Service", true),
            ("v1", "PersistentVolumeClaim", true),
            ("apps/v1", "Deployment", true),
            ("batch/v1", "CronJob", true),
            ("policy/v1", "PodDisruptionBudget", true),
            ("autoscaling/v2", "HorizontalPodAutoscaler", true),
            ("networking.k8s.io/v1", "Ingress", true),
            ("networking.k8s.io/v1", "NetworkPolicy", true),
            ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", false),
            ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", false),
            ("scheduling.k8s.io/v1", "PriorityClass", false),
            ("rbac.authorization.k8s.io/v1", "Role", true),
            ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", false),
            ("storage.k8s.io/v1", "StorageClass", false),
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition", false),
        ] {
            for minor in Minor::ALL {
                let found = table().kind(minor, api_version, kind).unwrap_or_else(|| panic!("{minor} has no {api_version} {kind}"));
                assert_eq!(found.namespaced, namespaced, "{minor}: {api_version} {kind}");
                assert!(table().definition(minor, found.definition).is_some(), "{minor}: {}", found.definition);
            }
        }
    }
}

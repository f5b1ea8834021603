//! What kustomize 5.8.1 knows of Kubernetes' kinds: its built-in OpenAPI document is that of 1.21.2, whatever the cluster runs. From it follow
//! which lists of a strategic merge have keys, and which kinds it takes for cluster-scoped.
//!
//! `schema.txt` is what is left of that document: a line for each cluster-scoped kind, each kind with a keyed list in it, each field that leads
//! to one, and each such list with its keys (`=`: its scalars are the keys) and the definition of its items.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

/// What a field leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A mapping, or a list that is one value but whose items are of a known definition.
    Known(&'static str),
    /// A list whose items have keys; a list of scalars has none.
    Keyed { keys: &'static [&'static str], items: Option<&'static str> },
}

struct Table {
    cluster_scoped: HashSet<(&'static str, &'static str)>,
    kinds: HashMap<(&'static str, &'static str), &'static str>,
    fields: HashMap<(&'static str, &'static str), Field>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Table { cluster_scoped: HashSet::new(), kinds: HashMap::new(), fields: HashMap::new() };
        for line in include_str!("schema.txt").lines() {
            let words: Vec<&'static str> = line.split(' ').collect();
            match words[..] {
                ["cluster", api, kind] => {
                    table.cluster_scoped.insert((api, kind));
                }
                ["kind", api, kind, definition] => {
                    table.kinds.insert((api, kind), definition);
                }
                ["field", definition, name, leads_to] => {
                    table.fields.insert((definition, name), Field::Known(leads_to));
                }
                ["list", definition, name, keys, items] => {
                    let keys: Vec<&'static str> = keys.split(',').filter(|key| *key != "=").collect();
                    let items = Some(items).filter(|items| *items != "-");
                    table.fields.insert((definition, name), Field::Keyed { keys: keys.leak(), items });
                }
                // Items of a list that is one value are never merged.
                _ => {}
            }
        }
        table
    })
}

/// Whether kustomize is certain that a kind is cluster-scoped.
pub fn is_cluster_scoped(api_version: &str, kind: &str) -> bool {
    table().cluster_scoped.contains(&(api_version, kind))
}

/// The definition of a kind that has a keyed list somewhere.
pub fn definition(api_version: &str, kind: &str) -> Option<&'static str> {
    table().kinds.get(&(api_version, kind)).copied()
}

/// What a field of a definition leads to.
pub fn field(definition: &str, name: &str) -> Option<Field> {
    table().fields.get(&(definition, name)).copied()
}

//! The keys of the inventory by their paths, as a blueprint names them: `workloads`, `clusters.cni`, `workloads.ports.scrape`.

use std::collections::BTreeSet;

use serde_json::Value;

/// The format's keys.
pub struct Keys(Value);

impl Keys {
    /// Those of this program's format.
    pub fn new() -> Self {
        Self(super::json_schema())
    }

    /// What is wrong with a path: its first part that is no key, and the keys there are in its place. A key that stands at several places, as
    /// `monitoring` does in the fleet and in a cluster, may be named alone.
    pub fn check(&self, path: &str) -> Result<(), (String, BTreeSet<String>)> {
        let mut here = vec![&self.0];
        for (at, part) in path.split('.').enumerate() {
            let records = self.records(&here);
            let below: Vec<&Value> = records.iter().filter_map(|record| record["properties"].get(part)).collect();
            if below.is_empty() {
                let keys = keys(&records);
                let alone = at == 0 && !path.contains('.');
                let anywhere = || keys.iter().any(|key| self.check(&format!("{key}.{part}")).is_ok());
                return if alone && anywhere() { Ok(()) } else { Err((part.to_owned(), keys)) };
            }
            here = below;
        }
        Ok(())
    }

    /// The records that schemas stand for: themselves, their items, what they refer to, one of several.
    fn records<'a>(&'a self, schemas: &[&'a Value]) -> Vec<&'a Value> {
        let mut records = Vec::new();
        let mut todo = schemas.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(schema) = todo.pop() {
            if schema["properties"].is_object() {
                records.push(schema);
            }
            if let Some(name) =
                schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")).filter(|name| seen.insert(*name))
            {
                todo.push(&self.0["$defs"][name]);
            }
            todo.extend(["items", "additionalProperties"].iter().filter_map(|keyword| schema.get(keyword)));
            todo.extend(["anyOf", "oneOf", "allOf"].iter().filter_map(|keyword| schema[*keyword].as_array()).flatten());
        }
        records
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self::new()
    }
}

fn keys(records: &[&Value]) -> BTreeSet<String> {
    records.iter().filter_map(|record| record["properties"].as_object()).flat_map(|keys| keys.keys().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::Keys;
    use crate::catalog;
    use crate::source::Files;

    #[test]
    fn a_path_of_keys_is_told_from_one_that_is_none() {
        let keys = Keys::new();
        for good in ["workloads", "clusters.cni", "clusters.nodePools", "workloads.ports.scrape", "monitoring", "tiers.breakGlass"] {
            assert_eq!(keys.check(good), Ok(()), "{good}");
        }
        for (bad, part) in [("foo.bar", "foo"), ("clusters.cnj", "cnj"), ("workload", "workload"), ("workloads.ports.scrap", "scrap")] {
            assert_eq!(keys.check(bad).map_err(|(part, _)| part), Err(part.to_owned()), "{bad}");
        }
    }

    #[test]
    fn every_embedded_kind_needs_keys_that_there_are() {
        let (mut files, keys) = (Files::default(), Keys::new());
        let catalog = catalog::load(&mut files, &[], &mut crate::decode::Findings::new());
        for need in catalog.kinds.iter().flat_map(|kind| &kind.needs) {
            assert_eq!(keys.check(need), Ok(()), "{}", files.path(need.span.file));
        }
    }
}

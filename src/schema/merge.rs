//! Kubernetes' strategic merge: a part of an object into what we make.

use serde_json::{Map, Value};

use super::model::{Identity, Object, Schema, Shape, Strategy};
use super::view::View;
use super::walk::identity;
use super::{Minor, Schemas};

impl Schemas {
    /// Merges a part of an object into a whole one, both of one definition and both checked: mappings merge, entries of keyed lists
    /// merge with the entry of their key (the base's order stays, new ones follow), sets unite, other lists and scalars are replaced,
    /// and a null removes. Where several forms exclude one another (a volume's sources, a Deployment's strategy) the forms that the patch
    /// does not name go, as with `kubectl apply`.
    ///
    /// Below a definition that is not known, mappings merge and everything else is replaced.
    #[must_use]
    pub fn merge(&self, minor: Minor, definition: &str, base: Value, patch: Value) -> Value {
        merge(minor, self.schema(minor, definition), base, patch)
    }
}

fn merge(minor: Minor, schema: Option<&Schema>, base: Value, patch: Value) -> Value {
    let strategy = schema.map_or(Strategy::Merge, |schema| schema.strategy);
    if strategy == Strategy::Replace {
        return without_nulls(patch);
    }
    let schema = schema.and_then(|schema| schema.resolve(minor));
    match (base, patch) {
        (Value::Object(base), Value::Object(patch)) => {
            let object = match schema.map(|schema| &schema.shape) {
                Some(Shape::Object(object)) => Some(object),
                _ => None,
            };
            Value::Object(merge_maps(minor, object, strategy == Strategy::RetainKeys, base, patch))
        }
        (Value::Array(base), Value::Array(patch)) => match schema.map(|schema| &schema.shape) {
            Some(Shape::List(list)) => match &list.identity {
                Identity::Atomic => without_nulls(Value::Array(patch)),
                Identity::Set => Value::Array(unite(base, patch)),
                Identity::Keys(keys) => {
                    let retain = strategy == Strategy::RetainKeys;
                    Value::Array(merge_keyed(minor, &list.items, keys, retain, base, patch))
                }
            },
            _ => without_nulls(Value::Array(patch)),
        },
        (_, patch) => without_nulls(patch),
    }
}

fn merge_maps(
    minor: Minor,
    object: Option<&Object>,
    retain: bool,
    mut base: Map<String, Value>,
    patch: Map<String, Value>,
) -> Map<String, Value> {
    if retain {
        // The forms are what holds fields of its own; a scalar beside them (`name`, `type`) belongs to all of them.
        base.retain(|key, value| patch.contains_key(key) || !value.is_object());
    }
    for (key, value) in patch {
        if value.is_null() {
            base.remove(&key);
            continue;
        }
        let schema = object.and_then(|object| object.at(&key));
        let merged = match base.remove(&key) {
            Some(under) => merge(minor, schema, under, value),
            None => without_nulls(value),
        };
        base.insert(key, merged);
    }
    base
}

fn merge_keyed(minor: Minor, items: &Schema, keys: &[String], retain: bool, mut base: Vec<Value>, patch: Vec<Value>) -> Vec<Value> {
    let items = items.resolve(minor);
    let object = match items.map(|schema| &schema.shape) {
        Some(Shape::Object(object)) => Some(object),
        _ => None,
    };
    for entry in patch {
        let wanted = identity(keys, items, &entry);
        let same = base.iter_mut().find(|other| wanted.is_some() && identity(keys, items, *other) == wanted);
        match (same, entry) {
            (Some(Value::Object(under)), Value::Object(entry)) => {
                *under = merge_maps(minor, object, retain, std::mem::take(under), entry);
            }
            (_, entry) => base.push(without_nulls(entry)),
        }
    }
    base
}

fn unite(mut base: Vec<Value>, patch: Vec<Value>) -> Vec<Value> {
    for value in patch {
        if base.iter().all(|other| other.scalar() != value.scalar()) {
            base.push(value);
        }
    }
    base
}

/// Without nulls in mappings: what one would remove is not there, and the API server takes it for nothing.
pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entries = entries.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key, without_nulls(value)));
            Value::Object(entries.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(base: Value, patch: Value) -> Value {
        Schemas::new().merge(Minor::NEWEST, "io.k8s.api.core.v1.PodSpec", base, patch)
    }

    #[test]
    fn containers_merge_by_name_and_new_ones_follow() {
        let base = json!({"containers": [
            {"name": "main", "image": "a", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"name": "proxy", "image": "p"},
        ]});
        let patch = json!({"containers": [
            {"name": "log", "image": "l"},
            {"name": "main", "env": [{"name": "C", "value": "3"}, {"name": "A", "value": "9"}], "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}},
        ]});
        let expected = json!({"containers": [
            {"name": "main", "image": "a", "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                "env": [{"name": "A", "value": "9"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}]},
            {"name": "proxy", "image": "p"},
            {"name": "log", "image": "l"},
        ]});
        assert_eq!(pod(base, patch), expected);
    }

    #[test]
    fn lists_without_keys_are_one_value() {
        let base = json!({"tolerations": [{"key": "a"}, {"key": "b"}], "containers": [{"name": "x", "args": ["1", "2"]}]});
        let patch = json!({"tolerations": [{"key": "c"}], "containers": [{"name": "x", "args": ["3"]}]});
        assert_eq!(pod(base, patch), json!({"tolerations": [{"key": "c"}], "containers": [{"name": "x", "args": ["3"]}]}));
    }

    #[test]
    fn a_list_with_two_keys_counts_the_default() {
        let base = json!({"containers": [{"name": "x", "ports": [{"containerPort": 53, "name": "dns"}]}]});
        let patch = json!({"containers": [{"name": "x", "ports": [
            {"containerPort": 53, "protocol": "TCP", "name": "dns-tcp"}, {"containerPort": 53, "protocol": "UDP", "name": "dns"},
        ]}]});
        let merged = pod(base, patch);
        assert_eq!(
            merged["containers"][0]["ports"],
            json!([{"containerPort": 53, "protocol": "TCP", "name": "dns-tcp"}, {"containerPort": 53, "protocol": "UDP", "name": "dns"}])
        );
    }

    #[test]
    fn null_removes_wherever_it_stands() {
        let base = json!({"dnsPolicy": "None", "securityContext": {"fsGroup": 1, "runAsUser": 2}});
        let patch = json!({"dnsPolicy": null, "securityContext": {"fsGroup": null}, "affinity": {"nodeAffinity": null}});
        assert_eq!(pod(base, patch), json!({"securityContext": {"runAsUser": 2}, "affinity": {}}));
    }

    #[test]
    fn another_form_takes_the_place_of_the_first() {
        let base = json!({"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "conf", "configMap": {"name": "m"}}]});
        let patch = json!({"volumes": [{"name": "data", "emptyDir": {}}, {"name": "conf", "configMap": {"optional": true}}]});
        let expected =
            json!({"volumes": [{"name": "data", "emptyDir": {}}, {"name": "conf", "configMap": {"name": "m", "optional": true}}]});
        assert_eq!(pod(base, patch), expected);

        let merge = |patch| {
            let base = json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0}}});
            Schemas::new().merge(Minor::NEWEST, "io.k8s.api.apps.v1.DeploymentSpec", base, patch)
        };
        assert_eq!(merge(json!({"strategy": {"type": "Recreate"}})), json!({"strategy": {"type": "Recreate"}}));
        assert_eq!(
            merge(json!({"strategy": {"rollingUpdate": {"maxSurge": 1}}})),
            json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}})
        );
    }

    #[test]
    fn sets_unite_and_replaced_mappings_do_not_merge() {
        let schemas = Schemas::new();
        let meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
        let merged = schemas.merge(Minor::NEWEST, meta, json!({"finalizers": ["a", "b"]}), json!({"finalizers": ["c", "a"]}));
        assert_eq!(merged, json!({"finalizers": ["a", "b", "c"]}));
        let budget = "io.k8s.api.policy.v1.PodDisruptionBudgetSpec";
        let merged = schemas.merge(
            Minor::NEWEST,
            budget,
            json!({"selector": {"matchLabels": {"a": "b"}}}),
            json!({"selector": {"matchLabels": {"c": "d"}}}),
        );
        assert_eq!(merged, json!({"selector": {"matchLabels": {"c": "d"}}}));
    }
}

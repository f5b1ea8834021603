//! Changes of living objects that Kubernetes refuses, found before a delivery is stuck on them.

use std::path::Path;

use serde_json::Value;

use super::objects::{self, Id, text};
use crate::formats::Quantity;
use crate::schema::{Minor, Schemas};
use crate::tree::{Delta, Error, Tree};

/// A field that cannot change while the object lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImmutableChange {
    /// The planned file that holds the object.
    pub file: String,
    /// The object's kind.
    pub kind: String,
    /// Its namespace, where it has one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The field, as in `spec.volumeClaimTemplates`.
    pub field: &'static str,
}

/// A field and what Kubernetes makes of one that is left out, as JSON.
type Field = (&'static str, &'static str);

/// API group, kind, and the fields that are compared as they stand, quantities by their value.
const FROZEN: &[(&str, &str, &[Field])] = &[
    (
        "apps",
        "StatefulSet",
        &[
            ("spec.podManagementPolicy", r#""OrderedReady""#),
            ("spec.selector", "null"),
            ("spec.serviceName", "null"),
            ("spec.volumeClaimTemplates", "null"),
        ],
    ),
    ("apps", "Deployment", &[("spec.selector", "null")]),
    ("apps", "DaemonSet", &[("spec.selector", "null")]),
    ("apps", "ReplicaSet", &[("spec.selector", "null")]),
    ("batch", "Job", &[("spec.completionMode", r#""NonIndexed""#), ("spec.selector", "null"), ("spec.template", "null")]),
    ("scheduling.k8s.io", "PriorityClass", &[("preemptionPolicy", r#""PreemptLowerPriority""#), ("value", "0")]),
    (
        "storage.k8s.io",
        "StorageClass",
        &[("parameters", "null"), ("provisioner", "null"), ("reclaimPolicy", r#""Delete""#), ("volumeBindingMode", r#""Immediate""#)],
    ),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", &[("roleRef", "null")]),
    ("rbac.authorization.k8s.io", "RoleBinding", &[("roleRef", "null")]),
    (
        "",
        "PersistentVolumeClaim",
        &[
            ("spec.accessModes", "null"),
            ("spec.dataSource", "null"),
            ("spec.dataSourceRef", "null"),
            ("spec.selector", "null"),
            ("spec.storageClassName", "null"),
            ("spec.volumeMode", r#""Filesystem""#),
            ("spec.volumeName", "null"),
        ],
    ),
    ("", "Service", &[]),
];

/// Compares the objects of files that change or go with what becomes of them, in whichever file of the same cluster.
///
/// Fails where such a file cannot be read. One that was edited until it is no YAML is passed over here: [`deletions`](super::deletions()) lists it.
pub fn immutable_changes(tree: &Tree, delta: &Delta, root: &Path) -> Result<Vec<ImmutableChange>, Error> {
    let kinds: Vec<_> = FROZEN.iter().map(|(group, kind, _)| (*group, *kind)).collect();
    let old = objects::old(tree, delta, root, &kinds)?;
    let mut new = objects::new(tree, &old.objects);
    let schemas = Schemas::new();
    let mut changes = Vec::new();
    for mut old in old.objects {
        let Some(new) = new.get_mut(&(objects::cluster(&old.file).to_owned(), old.id.clone())) else { continue };
        schemas.unify_quantities(Minor::NEWEST, &mut old.value);
        schemas.unify_quantities(Minor::NEWEST, &mut new.value);
        let frozen = fields(&old.id).unwrap_or_default().iter().filter(|field| differs(**field, &old.value, &new.value));
        changes.extend(frozen.map(|(field, _)| *field).chain(special(&old.id, &old.value, &new.value)).map(|field| {
            let Id { kind, namespace, name, .. } = new.id.clone();
            ImmutableChange { file: new.file.clone(), kind, namespace, name, field }
        }));
    }
    changes.sort();
    changes.dedup();
    Ok(changes)
}

fn fields(id: &Id) -> Option<&'static [Field]> {
    FROZEN.iter().find(|(group, kind, _)| *group == id.group && *kind == id.kind).map(|(.., fields)| *fields)
}

fn differs((field, default): Field, old: &Value, new: &Value) -> bool {
    let pointer = format!("/{}", field.replace('.', "/"));
    let default: Value = serde_json::from_str(default).unwrap_or_default();
    let get = |object: &Value| object.pointer(&pointer).filter(|value| !is_empty(value)).unwrap_or(&default).clone();
    get(old) != get(new)
}

/// Empty and left out are one.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

/// Fields whose rule is more than "never".
fn special(id: &Id, old: &Value, new: &Value) -> Option<&'static str> {
    match id.kind.as_str() {
        "Job" if completions(old) != completions(new) && !is_elastic(new) => Some("spec.completions"),
        "PersistentVolumeClaim" if storage(new) < storage(old) => Some("spec.resources.requests.storage"),
        // A Service without an address of the cluster, or with one it asks for, keeps it; `ExternalName` has none and may become either.
        "Service" if ![old, new].iter().any(|service| text(service, "/spec/type") == "ExternalName") => {
            let (old, new) = (text(old, "/spec/clusterIP"), text(new, "/spec/clusterIP"));
            let given = !old.is_empty() && !new.is_empty();
            (old != new && (given || old == "None" || new == "None")).then_some("spec.clusterIP")
        }
        _ => None,
    }
}

/// How often a Job is to succeed: once where neither that nor the number of pods at a time is said.
fn completions(job: &Value) -> Option<u64> {
    let number = |pointer| job.pointer(pointer).and_then(Value::as_u64);
    number("/spec/completions").or_else(|| number("/spec/parallelism").is_none().then_some(1))
}

/// An indexed Job may grow and shrink as long as all its pods run at once.
fn is_elastic(job: &Value) -> bool {
    text(job, "/spec/completionMode") == "Indexed" && job.pointer("/spec/completions") == job.pointer("/spec/parallelism")
}

/// The size that a claim asks for, in bytes; none where there is none or it does not parse.
fn storage(claim: &Value) -> Option<f64> {
    let size = claim.pointer("/spec/resources/requests/storage")?;
    let size = size.as_str().map_or_else(|| size.to_string(), str::to_owned);
    Quantity::new(&size).ok().map(|size| size.amount())
}

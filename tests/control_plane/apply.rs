//! Applies a cluster's tree, in the order of its layers, as the tools of delivery do: server-side, each object on its own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::client::Patch;
use crate::plane::Plane;
use crate::resources::describe;

/// Who the server is told applies.
const MANAGER: &str = "ringfence-tests";

/// A cluster's objects by layer, as kustomize builds them.
pub type Layers = BTreeMap<String, Vec<Value>>;

/// The layers of one cluster among what was built of a tree's `output/`.
pub fn layers(built: &BTreeMap<String, Vec<Value>>, cluster: &str) -> Layers {
    let prefix = format!("clusters/{cluster}/");
    let layers = built.iter().filter_map(|(folder, objects)| Some((folder.strip_prefix(&prefix)?, objects)));
    layers.filter(|(layer, _)| !layer.contains('/')).map(|(layer, objects)| (layer.to_owned(), objects.clone())).collect()
}

/// The API groups of objects.
pub fn groups<'o>(objects: impl Iterator<Item = &'o Value>) -> BTreeSet<&'o str> {
    objects.filter_map(|object| Some(object["apiVersion"].as_str()?.split_once('/')?.0)).collect()
}

/// What came of applying.
#[derive(Debug, Default)]
pub struct Applied {
    /// Each object as the server has it, by its path.
    pub objects: BTreeMap<String, Value>,
    /// What was refused or warned about.
    pub complaints: Vec<String>,
}

/// Applies every layer, and lets admission policies of one come into force before the next.
pub fn apply(plane: &Plane<'_>, layers: &Layers) -> Applied {
    let mut applied = Applied { complaints: namespaces_of_others(plane, layers.values().flatten()), ..Applied::default() };
    for objects in layers.values() {
        for object in objects {
            match apply_object(plane, object) {
                Ok((path, object)) => drop(applied.objects.insert(path, object)),
                Err(complaint) => applied.complaints.push(complaint),
            }
        }
        if objects.iter().any(is_policy) {
            crate::guardrails::settle(plane);
        }
    }
    applied
}

/// Makes the namespaces that objects are in and that no object is: those of the platform, which is installed before any tree is applied. What
/// was refused.
pub fn namespaces_of_others<'o>(plane: &Plane<'_>, objects: impl Iterator<Item = &'o Value> + Clone) -> Vec<String> {
    let made: BTreeSet<&str> =
        objects.clone().filter(|object| object["kind"] == "Namespace").filter_map(|object| object["metadata"]["name"].as_str()).collect();
    let used: BTreeSet<&str> = objects.filter_map(|object| object["metadata"]["namespace"].as_str()).collect();
    let missing = used.difference(&made).filter(|name| plane.masters.get(&format!("/api/v1/namespaces/{name}")).status == 404);
    let namespaces = missing.map(|name| serde_json::json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } }));
    namespaces.filter_map(|namespace| apply_object(plane, &namespace).err()).collect()
}

/// Applies one object: its path and what the server has of it, or why it was refused or warned about.
pub fn apply_object(plane: &Plane<'_>, object: &Value) -> Result<(String, Value), String> {
    let path = plane.resources.path(object)?;
    let request = format!("{path}?fieldManager={MANAGER}&fieldValidation=Strict&force=true");
    let answer = plane.masters.patch(&request, Patch::Apply, object);
    let warnings = answer.warnings.join("; ");
    let applied = answer.ok().map_err(|why| format!("{}: {why}", describe(object)))?;
    if !warnings.is_empty() {
        return Err(format!("{}: warning: {warnings}", describe(object)));
    }
    Ok((path, applied))
}

fn is_policy(object: &Value) -> bool {
    object["apiVersion"].as_str().is_some_and(|version| version.starts_with("admissionregistration.k8s.io/"))
}

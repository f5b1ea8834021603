//! The sample's trees as objects.

use std::sync::OnceLock;

use serde::Deserialize as _;
use serde_json::Value;

use crate::program::{Files, Project, repository};

/// An object and the file that holds it.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Below the output's root.
    pub path: String,
    /// The object.
    pub object: Value,
}

/// Every object of the sample, the kustomizations of folders left out.
pub fn objects() -> &'static [Placed] {
    static OBJECTS: OnceLock<Vec<Placed>> = OnceLock::new();
    OBJECTS.get_or_init(|| {
        let project = Project::of(&repository().join("inventory"));
        objects_of(project.generate())
    })
}

/// Every object of a tree, the kustomizations of folders left out.
pub fn objects_of(tree: Files) -> Vec<Placed> {
    let manifest = |path: &str| !path.starts_with("bootstrap/") && path.contains('/') && !path.ends_with("/kustomization.yaml");
    let manifests = tree.into_iter().filter(|(path, _)| manifest(path));
    manifests.flat_map(|(path, text)| documents(&path, &String::from_utf8(text).unwrap())).collect()
}

fn documents(path: &str, text: &str) -> Vec<Placed> {
    let documents = serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap());
    documents.filter(|object| !object.is_null()).map(|object| Placed { path: path.to_owned(), object }).collect()
}

/// The objects of one kind below a folder.
pub fn of_kind<'a>(folder: &'a str, kind: &'a str) -> impl Iterator<Item = &'static Placed> + 'a {
    objects().iter().filter(move |placed| placed.path.starts_with(folder) && placed.object["kind"] == kind)
}

/// A text within an object.
pub fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list within an object; none where there is none.
pub fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

//! What `attempt.yaml` of an attack or an honest use may say.
//!
//! ```text
//! tests/attacks/NAME/attempt.yaml    somebody tries what a control must stop; admitted once that control is taken away
//! tests/uses/NAME/attempt.yaml       somebody does what they may; it must go through with every control in place
//! ```
//!
//! `controls.yaml` beside the attacks says how each control is taken away.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::User;

/// An attack or an honest use.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Attempt {
    /// The folder's name.
    #[serde(skip)]
    pub name: String,
    /// What is tried, as a sentence.
    pub title: String,
    /// The cluster of the sample fleet.
    pub cluster: String,
    /// Pods and templates that are created obey the rules of this tier where they say nothing; a field that is null is left out.
    pub tier: Option<String>,
    /// Who tries it; where missing, an administrator: `cluster-admin`, but not in `system:masters`.
    #[serde(default = "administrator")]
    pub by: User,
    /// What is done before is older than this control, one of `controls.yaml`: only of honest uses.
    pub older_than: Option<String>,
    /// What the administrator does before, or whoever is named there, which must go through.
    #[serde(default)]
    pub before: Vec<Request>,
    /// What is tried.
    pub request: Request,
    /// What stops it: only of attacks.
    pub stopped: Option<Stopped>,
    /// Where the pod then is: only of honest uses that make one.
    pub pod: Option<PodRef>,
}

/// One request; exactly one of the verbs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Request {
    /// Reads what is at a path.
    pub read: Option<String>,
    /// Creates an object.
    pub create: Option<Value>,
    /// Changes an object by a merge patch that names it.
    pub merge: Option<Value>,
    /// Replaces an object.
    pub replace: Option<Value>,
    /// Deletes an object.
    pub delete: Option<Value>,
    /// Another path than the object's own: that of a subresource, say.
    pub at: Option<String>,
    /// Who does it, where something is done before and not by the administrator.
    pub by: Option<User>,
}

/// How a control stops an attack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Stopped {
    /// The control, one of `controls.yaml`.
    pub by: String,
    /// The request is refused, and this is in what is said.
    pub refused: Option<String>,
    /// The object is admitted, but its controller is refused the pods, and this is in what is said.
    pub without_pods: Option<String>,
    /// The pods are admitted, but none of them is ever on a node of this tier.
    pub never_on: Option<String>,
    /// Whose pods; where missing, the pod that was created.
    pub pods: Option<PodRef>,
}

/// A pod by name, or the pods with a label.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PodRef {
    /// The namespace.
    pub namespace: String,
    /// The pod's name.
    pub name: Option<String>,
    /// Or a label of the pods, `key=value`.
    pub label: Option<String>,
    /// The tier whose node it is on, or `system` for a node of no tier: only of honest uses.
    pub on: Option<String>,
}

/// How to take a control away; more than one of them only where several controls stop the same.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Without {
    /// Labels whose keys begin so, on every Namespace of the tree.
    pub namespace_labels: Option<String>,
    /// The taints of every node.
    #[serde(default)]
    pub taints: bool,
    /// Objects of the tree of this kind, and where given of this name.
    pub objects: Option<Vec<Which>>,
    /// An admission plugin of the server.
    pub plugin: Option<String>,
    /// The limits of whoever tries it: they are given `cluster-admin`.
    #[serde(default)]
    pub limits: bool,
}

/// Objects of the tree.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Their kind.
    pub kind: String,
    /// Their name.
    pub name: Option<String>,
}

/// The administrator of the attacks.
pub fn administrator() -> User {
    User { user: "administrator".to_owned(), groups: vec!["administrators".to_owned()] }
}

/// The attempts in a folder, by name.
pub fn all(folder: &Path) -> Vec<Attempt> {
    folders(folder).iter().map(|path| Attempt { name: name(path), ..read(&path.join("attempt.yaml")) }).collect()
}

/// The folders in a folder, by name.
pub fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// A folder's own name.
pub fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_str().unwrap().to_owned()
}

/// How each control is taken away.
pub fn controls(folder: &Path) -> BTreeMap<String, Without> {
    read(&folder.join("controls.yaml"))
}

/// A file of the cases.
pub fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

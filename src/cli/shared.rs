//! `--cluster` and the files that several clusters share: what one of them holds for a cluster that is not meant must stay as it is.
//!
//! The folder of an Argo CD instance has the Applications of all its clusters. It is written whole, so that a run for some clusters would also
//! write what the inventory now says of the others, whose own folders it leaves alone: an Application of a folder that is not there, or none any
//! more for objects that are. Such a run is refused, with the names of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Failure;
use super::scope::Scope;
use crate::catalog::Layer;
use crate::diag::{Code, Diag};
use crate::source::Span;
use crate::tree::{Class, Delta, Tree};
use crate::yaml;

/// What a run would change for clusters that are not meant.
#[derive(Debug, Default)]
pub struct Others {
    /// Their names.
    pub clusters: BTreeSet<String>,
    /// The files that hold it.
    pub files: BTreeSet<String>,
}

impl Others {
    /// Those of a difference between a tree and what is on disk.
    pub fn of(scope: &Scope, output: &Path, tree: &Tree, delta: &Delta) -> Result<Self, Failure> {
        let mut others = Self::default();
        let touched = |class: &Class| !matches!(class, Class::Unchanged | Class::Adopt);
        let shared =
            delta.classes.iter().filter(|(path, class)| scope.is_partial() && touched(class) && path.starts_with("delivery/argocd/"));
        for (path, _) in shared {
            let on_disk = output.join(path);
            let before = match fs::read(&on_disk) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::IsADirectory) => String::new(),
                Err(error) => return Err(Failure::io("read", &on_disk)(error)),
            };
            let after = tree.get(path).map_or("", |file| file.text.as_str());
            let (before, after) = (parts(&before), parts(after));
            let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            let changed = all.into_iter().filter(|cluster| !scope.means(cluster) && before.get(*cluster) != after.get(*cluster));
            for cluster in changed {
                others.clusters.insert(cluster.clone());
                others.files.insert(path.clone());
            }
        }
        Ok(others)
    }

    /// The finding about them, at the first of the files.
    pub fn finding(&self, scope: &Scope, place: Span) -> Diag {
        let names: Vec<String> = self.clusters.iter().map(|name| format!("`{name}`")).collect();
        let (what, are) = if names.len() == 1 { ("the cluster", "is") } else { ("the clusters", "are") };
        let message = format!("this file would change for {what} {}, which {are} not named", names.join(", "));
        let all: BTreeSet<&str> = scope.names().chain(self.clusters.iter().map(String::as_str)).collect();
        let options: Vec<String> = all.into_iter().map(|name| format!("--cluster {name}")).collect();
        let command = format!("ringfence generate {}", options.join(" "));
        let help = format!("Run `{command}`, or leave `--cluster` out: what belongs together is written together.");
        Diag::new(Code::SharedWithOthers, place, message).help(help)
    }
}

/// The Applications of each cluster, and the items of lists that become some. A text that is no YAML any more has none: it was edited by
/// hand, which is another finding.
fn parts(text: &str) -> BTreeMap<String, Vec<Value>> {
    let mut parts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut add = |path: Option<&Value>, part: &Value| {
        if let Some(cluster) = path.and_then(Value::as_str).and_then(cluster_of) {
            parts.entry(cluster.to_owned()).or_default().push(part.clone());
        }
    };
    for object in yaml::manifest::read(text).unwrap_or_default() {
        add(object.pointer("/spec/source/path"), &object);
        for generator in object.pointer("/spec/generators").and_then(Value::as_array).into_iter().flatten() {
            for element in generator.pointer("/list/elements").and_then(Value::as_array).into_iter().flatten() {
                add(element.get("path"), element);
            }
        }
    }
    parts
}

/// The cluster whose folder a path of the repository leads to: `trees/clusters/CLUSTER/LAYER`.
fn cluster_of(path: &str) -> Option<&str> {
    let parts: Vec<&str> = path.split('/').collect();
    let found = parts.windows(3).rev().find(|parts| parts[0] == "clusters" && Layer::from_word(parts[2]).is_some());
    found.map(|parts| parts[1])
}

#[cfg(test)]
mod tests {
    use super::{cluster_of, parts};

    #[test]
    fn a_folder_s_cluster_is_that_before_its_layer() {
        assert_eq!(cluster_of("clusters/one/10-guardrails"), Some("one"));
        assert_eq!(cluster_of("clusters/trees/clusters/one/40-workloads/shop-low"), Some("one"));
        assert_eq!(cluster_of("delivery/flux/one"), None);
        assert_eq!(cluster_of("clusters/one"), None);
    }

    #[test]
    fn applications_and_elements_are_their_cluster_s() {
        let text = "kind: Application\nspec: {source: {path: a/clusters/one/10-guardrails}}\n---\nkind: ApplicationSet\nspec:\n  generators:\n  - list:\n      elements:\n      - {path: a/clusters/two/40-workloads/x}\n      - {path: a/clusters/one/40-workloads/x}\n---\nkind: AppProject\n";
        let found = parts(text);
        assert_eq!(found.iter().map(|(cluster, parts)| (cluster.as_str(), parts.len())).collect::<Vec<_>>(), [("one", 2), ("two", 1)]);
        assert!(parts("a: [").is_empty());
    }
}

//! The Kubernetes objects of files that change or go, and of what replaces them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;

use crate::diag::Findings;
use crate::source::Files;
use crate::tree::{Class, Delta, Error, Tree};
use crate::yaml;

/// What makes two objects the same one, whatever the version of their API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

/// An object and the file it is in.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) file: String,
    pub(super) id: Id,
    pub(super) value: Value,
}

/// Objects on disk that the run changes, moves or deletes.
#[derive(Debug, Default)]
pub(super) struct Old {
    pub(super) objects: Vec<Object>,
    /// Files that speak of such kinds but were edited until they are no YAML, so that nobody knows what they held.
    pub(super) unreadable: Vec<String>,
}

/// An API group and a kind in it.
pub(super) type Kind = (&'static str, &'static str);

/// Reads objects of these kinds from the files that change or go; those that are to the letter the same in the planned file are left out.
pub(super) fn old(tree: &Tree, delta: &Delta, root: &Path, kinds: &[Kind]) -> Result<Old, Error> {
    let touched: Vec<_> = delta
        .classes
        .iter()
        .filter(|(path, class)| {
            matches!(class, Class::Changed { .. } | Class::HandEdited { .. } | Class::Stale { .. }) && holds_manifests(path)
        })
        .map(|(path, _)| path)
        .collect();
    let read: Vec<_> = touched
        .into_par_iter()
        .map(|path| {
            let on_disk = root.join(path);
            let bytes = fs::read(&on_disk).map_err(Error::io("read", &on_disk))?;
            let text = String::from_utf8_lossy(&bytes);
            let same: BTreeSet<_> = tree.get(path).into_iter().flat_map(|content| documents(&content.text)).collect();
            // Reading YAML is what costs time here: a document without the word holds no object of the kind.
            let may_hold = |document: &&str| !same.contains(document) && kinds.iter().any(|(_, kind)| document.contains(kind));
            Ok((path, objects(path, documents(&text).filter(may_hold))))
        })
        .collect::<Result<_, Error>>()?;
    let mut old = Old::default();
    for (path, objects) in read {
        match objects {
            Some(objects) => old.objects.extend(objects.into_iter().filter(|object| kinds.contains(&(&object.id.group, &object.id.kind)))),
            None => old.unreadable.push(path.clone()),
        }
    }
    Ok(old)
}

/// Where each of these objects is in the planned tree: in any file of the same cluster.
pub(super) fn new(tree: &Tree, wanted: &[Object]) -> BTreeMap<(String, Id), Object> {
    let kinds: BTreeSet<_> = wanted.iter().map(|object| (cluster(&object.file), object.id.kind.as_str())).collect();
    let ids: BTreeSet<_> = wanted.iter().map(|object| (cluster(&object.file), &object.id)).collect();
    let files: Vec<_> = tree.files().iter().filter(|(path, _)| holds_manifests(path.as_str())).collect();
    let found: Vec<Vec<Object>> = files
        .into_par_iter()
        .map(|(path, content)| {
            let cluster = cluster(path.as_str());
            let may_hold = |document: &&str| kinds.iter().any(|(at, kind)| *at == cluster && document.contains(kind));
            let objects = objects(path.as_str(), documents(&content.text).filter(may_hold)).unwrap_or_default();
            objects.into_iter().filter(|object| ids.contains(&(cluster, &object.id))).collect()
        })
        .collect();
    found.into_iter().flatten().map(|object| ((cluster(&object.file).to_owned(), object.id.clone()), object)).collect()
}

/// The part of the tree that one cluster is given: its folder below `clusters`, `bootstrap` and the like.
pub(super) fn cluster(path: &str) -> &str {
    let end = path.match_indices('/').nth(1).map_or(path.len(), |(at, _)| at);
    &path[..end]
}

fn holds_manifests(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending))
}

/// A file's documents, cut at the lines that begin with `---`: nothing within a YAML document may begin so.
fn documents(text: &str) -> impl Iterator<Item = &str> {
    let starts = std::iter::once(0).chain(text.match_indices("\n---").map(|(at, _)| at + 1)).collect::<Vec<_>>();
    let ends = starts.iter().skip(1).copied().chain([text.len()]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).map(|(start, end)| text[start..end].trim())
}

/// The objects of some documents; those of a list one by one. None where a document is no YAML.
fn objects<'a>(file: &str, documents: impl Iterator<Item = &'a str>) -> Option<Vec<Object>> {
    let mut objects = Vec::new();
    for document in documents {
        for value in values(document)? {
            match value.get("items") {
                Some(Value::Array(items)) if text(&value, "/kind").ends_with("List") => {
                    objects.extend(items.iter().filter_map(|item| object(file, item.clone())));
                }
                _ => objects.extend(object(file, value)),
            }
        }
    }
    Some(objects)
}

fn object(file: &str, value: Value) -> Option<Object> {
    let group = text(&value, "/apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
    let namespace = text(&value, "/metadata/namespace");
    let id = Id {
        group: group.to_owned(),
        kind: text(&value, "/kind").to_owned(),
        namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
        name: text(&value, "/metadata/name").to_owned(),
    };
    (!id.kind.is_empty() && !id.name.is_empty()).then(|| Object { file: file.to_owned(), id, value })
}

/// The text at a place in an object; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Reads manifests; none where the text is no YAML.
fn values(text: &str) -> Option<Vec<Value>> {
    let file = Files::default().add("", "");
    let mut findings = Findings::new();
    let nodes = yaml::read::read(text, file, &mut findings);
    findings.is_empty().then(|| nodes.iter().map(crate::schema::json).collect())
}

#[cfg(test)]
mod tests {
    use super::{cluster, documents, objects};

    #[test]
    fn a_cluster_is_the_folder_below_the_first() {
        assert_eq!(cluster("clusters/osaka/20-namespaces/shop/namespace.yaml"), "clusters/osaka");
        assert_eq!(cluster("clusters/osaka"), "clusters/osaka");
        assert_eq!(cluster("a.yaml"), "a.yaml");
    }

    #[test]
    fn documents_are_cut_at_their_marks_only() {
        let text = "# head\na: |\n  ---\n  x\n---\nb: 1\n---\n";
        assert_eq!(documents(text).collect::<Vec<_>>(), ["# head\na: |\n  ---\n  x", "---\nb: 1", "---"]);
    }

    #[test]
    fn the_items_of_a_list_are_objects() {
        let text = "kind: List\napiVersion: v1\nitems:\n- {apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: n}}\n";
        let objects = objects("a.yaml", documents(text)).unwrap();
        assert_eq!(objects.len(), 1);
        assert_eq!((objects[0].id.group.as_str(), objects[0].id.name.as_str()), ("apps", "a"));
        assert_eq!(super::objects("a.yaml", documents("a: [")).map(|objects| objects.len()), None);
    }
}

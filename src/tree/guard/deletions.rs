//! Deletions that are rather a mistake: too many at once, or of an object whose loss cannot be undone.

use std::path::Path;

use super::objects::{self, Id, Kind, Object};
use crate::tree::{Class, Delta, Error, Recorded, Tree};

/// Fewer deletions than this are never too many, unless they leave nothing: in a small tree one workload is a large share.
const ALWAYS_ALLOWED: usize = 5;

/// API group and kind of objects that take data, or everything in them, with them.
const PROTECTED: &[Kind] = &[
    ("", "Namespace"),
    ("", "PersistentVolumeClaim"),
    ("", "PersistentVolume"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("cluster.x-k8s.io", "Cluster"),
    ("apps", "StatefulSet"),
];

/// The kinds whose deletion asks for a second thought.
pub fn protected_kinds() -> impl Iterator<Item = &'static str> {
    PROTECTED.iter().map(|(_, kind)| *kind)
}

/// What a run would delete that asks for a second thought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletions {
    /// More files than allowed.
    pub too_many: Option<TooMany>,
    /// Protected objects that are nowhere in what the cluster is given any more, by file.
    pub protected: Vec<ProtectedObject>,
    /// Files edited by hand, to be changed or deleted by force, that speak of protected kinds but are no YAML: what they held is not known.
    pub unreadable: Vec<String>,
}

/// A share of files that is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// Files that would be deleted.
    pub deleted: usize,
    /// Files that are ours.
    pub of: usize,
    /// The share in percent, rounded up.
    pub percent: usize,
    /// The share that is allowed.
    pub allowed: u8,
}

/// An object whose loss cannot be undone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProtectedObject {
    /// The file that holds it now.
    pub file: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace, where it has one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// Looks for deletions to think about. An object that moves to another file of the same cluster is not deleted.
///
/// Fails where a file that changes or goes cannot be read.
pub fn deletions(tree: &Tree, recorded: &Recorded, delta: &Delta, root: &Path, allowed: u8) -> Result<Deletions, Error> {
    let old = objects::old(tree, delta, root, PROTECTED)?;
    let mut objects = old.objects;
    objects.retain(is_protected);
    let kept = objects::new(tree, &objects);
    let lost = objects.into_iter().filter(|old| !kept.contains_key(&(objects::cluster(&old.file).to_owned(), old.id.clone())));
    let mut protected: Vec<_> =
        lost.map(|Object { file, id: Id { kind, namespace, name, .. }, .. }| ProtectedObject { file, kind, namespace, name }).collect();
    protected.sort();
    Ok(Deletions { too_many: too_many(recorded.lock.len(), delta, allowed), protected, unreadable: old.unreadable })
}

fn too_many(of: usize, delta: &Delta, allowed: u8) -> Option<TooMany> {
    let deleted = delta.count(|class| matches!(class, Class::Stale { .. }));
    let nothing_left = deleted > 0 && delta.lock.is_empty();
    // What an interrupted run made is not in the lock, but may be deleted.
    let of = of.max(deleted);
    let over = deleted * 100 > usize::from(allowed) * of;
    (over && (deleted >= ALWAYS_ALLOWED || nothing_left)).then(|| TooMany { deleted, of, percent: (deleted * 100).div_ceil(of), allowed })
}

/// A `StatefulSet` leaves its claims behind unless it says otherwise.
fn is_protected(object: &Object) -> bool {
    object.id.kind != "StatefulSet" || objects::text(&object.value, "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted") == "Delete"
}

//! An object, what it was called before, and what is still to be done with its name.

use super::edit::{self, at};
use super::schema::is_cluster_scoped;
use super::{Step, invalid};
use crate::source::Span;
use crate::yaml::{Node, Value};

/// What identifies an object for kustomize.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    pub group: String,
    pub version: String,
    pub kind: String,
    /// The namespace that counts: `default` where none is stated, and a word that is none for what is cluster-scoped.
    pub namespace: String,
    pub name: String,
}

/// The namespace of what has none.
pub const CLUSTER: &str = "_non_namespaceable_";

/// What happens where a generator finds an object of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behavior {
    Create,
    Merge,
    Replace,
}

/// An object on its way through a build.
#[derive(Clone, Debug)]
pub struct Resource {
    pub node: Node,
    /// Kind, namespace and name that it had, the oldest first.
    previous: Vec<(String, String, String)>,
    pub prefixes: Vec<String>,
    pub suffixes: Vec<String>,
    /// Whether its name gets a hash of its content.
    pub hashed: bool,
    pub behavior: Behavior,
}

impl Resource {
    /// Takes an object; it needs `kind` and `metadata.name`.
    pub fn new(node: Node) -> Step<Self> {
        let name = at(&node, &["metadata", "name"]).and_then(Node::text);
        for (key, found) in [("kind", node.get("kind").and_then(Node::text)), ("metadata.name", name)] {
            if found.is_none_or(str::is_empty) {
                let diag = invalid(crate::decode::head(&node), format!("an object needs `{key}`"));
                return Err(Box::new(diag.help("Kustomize tells objects apart by kind and name.")));
            }
        }
        Ok(Self { node, previous: Vec::new(), prefixes: Vec::new(), suffixes: Vec::new(), hashed: false, behavior: Behavior::Create })
    }

    pub fn api_version(&self) -> &str {
        self.node.get("apiVersion").and_then(Node::text).unwrap_or_default()
    }

    pub fn kind(&self) -> &str {
        self.node.get("kind").and_then(Node::text).unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        at(&self.node, &["metadata", "name"]).and_then(Node::text).unwrap_or_default()
    }

    /// The stated namespace; empty where there is none.
    pub fn namespace(&self) -> &str {
        at(&self.node, &["metadata", "namespace"]).and_then(Node::text).unwrap_or_default()
    }

    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    pub fn version(&self) -> &str {
        let api = self.api_version();
        api.split_once('/').map_or(api, |(_, version)| version)
    }

    /// Where it begins.
    pub fn span(&self) -> Span {
        at(&self.node, &["metadata", "name"]).map_or_else(|| crate::decode::head(&self.node), |name| name.span)
    }

    pub fn is_cluster_scoped(&self) -> bool {
        is_cluster_scoped(self.api_version(), self.kind())
    }

    fn id_of(&self, kind: &str, namespace: &str, name: &str) -> Id {
        let namespace = if is_cluster_scoped(self.api_version(), kind) {
            CLUSTER
        } else if namespace.is_empty() {
            "default"
        } else {
            namespace
        };
        Id {
            group: self.group().to_owned(),
            version: self.version().to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// What it is now.
    pub fn id(&self) -> Id {
        self.id_of(self.kind(), self.namespace(), self.name())
    }

    /// What it was, the oldest first.
    pub fn previous_ids(&self) -> Vec<Id> {
        self.previous.iter().map(|(kind, namespace, name)| self.id_of(kind, namespace, name)).collect()
    }

    /// What it was at first.
    pub fn original_id(&self) -> Id {
        self.previous_ids().into_iter().next().unwrap_or_else(|| self.id())
    }

    /// Whether it is, or ever was, what is wanted.
    pub fn ever(&self, wanted: impl Fn(&Id) -> bool) -> bool {
        wanted(&self.id()) || self.previous_ids().iter().any(wanted)
    }

    /// Remembers what it is, before that changes.
    pub fn remember(&mut self) {
        let id = self.id();
        self.previous.push((id.kind, id.namespace, id.name));
    }

    /// Puts a text into `metadata`; an empty one takes the key out.
    pub fn set_meta(&mut self, key: &str, value: &str) {
        let span = self.span();
        let Some(metadata) = edit::map_at(&mut self.node, "metadata", span) else { return };
        if value.is_empty() {
            edit::remove(metadata, key);
        } else if metadata.get(key).and_then(Node::text) != Some(value) {
            let span = metadata.get(key).map_or(span, |node| node.span);
            edit::set(metadata, key, edit::text(value, span));
        }
    }

    /// Labels or annotations as kustomize rewrites them: every value a text, nothing where there is none.
    pub fn texts_only(&mut self, key: &str) {
        let Some(metadata) = edit::get_mut(&mut self.node, "metadata") else { return };
        let Some(map) = edit::get_mut(metadata, key) else { return };
        if let Value::Map(entries) = &mut map.value {
            for (_, value) in entries.iter_mut() {
                let text = value.text().unwrap_or_default().to_owned();
                value.value = Value::Scalar { text, quoted: true };
            }
            if !entries.is_empty() {
                return;
            }
        }
        edit::remove(metadata, key);
    }

    /// Takes over what a generator does not state of the object that it changes.
    pub fn inherit(&mut self, old: &Self) {
        for key in ["labels", "annotations"] {
            let span = self.span();
            let Some(theirs) = at(&old.node, &["metadata", key]).cloned() else { continue };
            let Some(metadata) = edit::map_at(&mut self.node, "metadata", span) else { continue };
            let Some(ours) = edit::map_at(metadata, key, span) else { continue };
            for (name, value) in edit::entries(&theirs) {
                if let Some(name) = name.text().filter(|name| ours.get(name).is_none()) {
                    edit::set(ours, name, value.clone());
                }
            }
            self.texts_only(key);
        }
        self.previous.clone_from(&old.previous);
        self.prefixes.clone_from(&old.prefixes);
        self.suffixes.clone_from(&old.suffixes);
        self.hashed &= old.hashed;
        self.behavior = old.behavior;
        let (name, namespace) = (old.name().to_owned(), old.namespace().to_owned());
        self.set_meta("name", &name);
        self.set_meta("namespace", &namespace);
    }
}

/// The objects of a build so far.
pub type Resources = Vec<Resource>;

/// Adds an object; two of one identity are a finding.
pub fn append(resources: &mut Resources, resource: Resource) -> Step<()> {
    if resources.len() >= super::folder::MAX_OBJECTS {
        return Err(super::folder::too_large(resource.span(), format!("the build has more than {} objects", super::folder::MAX_OBJECTS)));
    }
    let id = resource.id();
    if let Some(first) = resources.iter().find(|other| other.id() == id) {
        let message = format!("the {} `{}` is there twice", id.kind, id.name);
        let diag = invalid(resource.span(), message);
        let diag = if first.span() == resource.span() { *diag } else { diag.related(first.span(), "the first one") };
        return Err(Box::new(diag.help("Remove one of them, or change it with a patch.")));
    }
    resources.push(resource);
    Ok(())
}

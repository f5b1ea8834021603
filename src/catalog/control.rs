//! A control: what an exemption may name, and what a report lists.

use crate::decode::{Decode, Findings};
use crate::source::FileId;
use crate::yaml::Node;

crate::words! {
    /// What an exemption from a control may be limited to.
    pub enum Exemptible {
        /// One workload.
        Workload = "workload",
        /// One namespace.
        Namespace = "namespace",
        /// One cluster.
        Cluster = "cluster",
        /// One tier.
        Tier = "tier",
    }
}

crate::record! {
    "a control"
    /// `control.yaml` as it is written.
    pub struct ControlFile {
        /// What it asks for, in a few words.
        pub title: String,
        /// Why.
        pub why: String,
        /// What an exemption from it may be limited to; nothing may be exempted if left out.
        pub exemptible: Vec<Exemptible>,
    }
}

/// A control.
#[derive(Clone, Debug)]
pub struct Control {
    /// The folder's name, which exemptions use.
    pub id: String,
    /// What it asks for, in a few words.
    pub title: String,
    /// Why.
    pub why: String,
    /// What an exemption from it may be limited to.
    pub exemptible: Vec<Exemptible>,
    /// Its `control.yaml`.
    pub file: FileId,
}

impl Control {
    /// Whether there is a scope in which an exemption may waive it.
    pub fn is_waivable(&self) -> bool {
        !self.exemptible.is_empty()
    }

    /// The scopes of exemptions from it: `workload, namespace`.
    pub fn scopes(&self) -> String {
        let scopes: Vec<&str> = self.exemptible.iter().map(|scope| scope.as_str()).collect();
        scopes.join(", ")
    }

    /// Reads `control.yaml`.
    pub(super) fn decode(id: &str, node: &Node, findings: &mut Findings) -> Option<Self> {
        let ControlFile { title, why, exemptible } = ControlFile::decode(node, findings)?;
        Some(Self { id: id.to_owned(), title, why, exemptible, file: node.span.file })
    }
}

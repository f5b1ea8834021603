//! `schema.yaml` of a kind: the schema of an object that Kubernetes itself does not know.

use crate::decode::{Decode, Findings};
use crate::source::Spanned;
use crate::yaml::Node;

crate::record! {
    "a custom schema"
    /// `schema.yaml` as it is written; one document for each type.
    pub struct SchemaFile {
        /// Group and version: `monitoring.coreos.com/v1`.
        pub api_version: Spanned<String>,
        /// The object's kind: `ServiceMonitor`.
        pub kind: Spanned<String>,
        /// Its resource's name, where that is not the usual plural: `endpoints`.
        pub plural: Option<String>,
        /// Whether its objects live in a namespace.
        pub namespaced: bool,
        /// Its `OpenAPI` v3 schema, as in the custom resource definition.
        pub schema: Node,
    }
}

/// The schema of a custom type.
#[derive(Clone, Debug)]
pub struct CustomSchema {
    /// The kind of object whose folder holds it.
    pub owner: String,
    /// Group and version.
    pub api_version: Spanned<String>,
    /// The object's kind.
    pub kind: Spanned<String>,
    /// Its resource's name, where that is not the usual plural.
    pub plural: Option<String>,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// Its `OpenAPI` v3 schema.
    pub schema: Node,
}

impl CustomSchema {
    /// Reads one document of `schema.yaml`.
    pub(super) fn decode(owner: &str, node: &Node, findings: &mut Findings) -> Option<Self> {
        let SchemaFile { api_version, kind, plural, namespaced, schema } = SchemaFile::decode(node, findings)?;
        Some(Self { owner: owner.to_owned(), api_version, kind, plural, namespaced, schema })
    }
}

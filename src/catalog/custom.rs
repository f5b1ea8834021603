//! The schema of an object that Kubernetes itself does not know: `schema.yaml` of a kind, and `schemas/NAME.yaml` for one that adopted workloads
//! bring along.

use crate::decode::{Decode, Findings, head};
use crate::diag::{Code, Diag};
use crate::formats::DnsLabel;
use crate::source::Spanned;
use crate::yaml::Node;

crate::record! {
    "a custom schema"
    /// Such a file as it is written; one document for each type.
    pub struct SchemaFile {
        /// Group and version: `monitoring.coreos.com/v1`.
        pub api_version: Spanned<String>,
        /// The object's kind: `ServiceMonitor`.
        pub kind: Spanned<String>,
        /// Its resource's name: `servicemonitors`. A kind of one's own may leave the usual plural out.
        pub plural: Option<DnsLabel>,
        /// Whether its objects live in a namespace.
        pub namespaced: bool,
        /// Its `OpenAPI` v3 schema, as in the custom resource definition. What an adopted workload brings along may go without: its fields are not looked at.
        pub schema: Option<Node>,
    }
}

/// The schema of a custom type.
#[derive(Clone, Debug)]
pub struct CustomSchema {
    /// The kind of object whose folder holds it; none of what only adopted workloads bring along.
    pub owner: Option<String>,
    /// Group and version.
    pub api_version: Spanned<String>,
    /// The object's kind.
    pub kind: Spanned<String>,
    /// Its resource's name, where that is stated.
    pub plural: Option<String>,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// Its `OpenAPI` v3 schema; none where its fields are not looked at.
    pub schema: Option<Node>,
}

impl CustomSchema {
    /// Reads one document: of the `schema.yaml` of a kind, or of a file of `schemas/`.
    pub(super) fn decode(owner: Option<&str>, node: &Node, findings: &mut Findings) -> Option<Self> {
        let SchemaFile { api_version, kind, plural, namespaced, schema } = SchemaFile::decode(node, findings)?;
        let (missing, why) = match owner {
            Some(_) => (schema.is_none().then_some("schema"), "What a template makes is checked against it."),
            None => (
                plural.is_none().then_some("plural"),
                "Roles name a resource by it: `spec.names.plural` of the custom resource definition.",
            ),
        };
        if let Some(key) = missing {
            findings.push(Diag::new(Code::MissingKey, head(node), format!("a custom schema needs the key `{key}` here")).help(why));
            return None;
        }
        let plural = plural.map(|plural| plural.as_str().to_owned());
        Some(Self { owner: owner.map(str::to_owned), api_version, kind, plural, namespaced, schema })
    }
}

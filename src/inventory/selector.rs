//! Which clusters are meant: a list of names, or properties that they match.

use crate::decode::{Decode, Findings};
use crate::record;
use crate::source::Spanned;
use crate::yaml::read::{Node, Value};

/// Clusters, by name or by what they are.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterSelector {
    /// These, by name.
    Names(Vec<Spanned<String>>),
    /// All that match.
    Matching(ClusterMatch),
}

record! {
    "a selection of clusters"
    /// All clusters that have every stated property.
    pub struct ClusterMatch {
        /// The cluster's environment.
        pub environment: Option<Spanned<String>>,
        /// The cluster's region.
        pub region: Option<Spanned<String>>,
        /// The cluster's name.
        pub cluster: Option<Spanned<String>>,
    }
}

impl Decode for ClusterSelector {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        match node.value {
            Value::Map(_) => Decode::decode(node, findings).map(Self::Matching),
            _ => Decode::decode(node, findings).map(Self::Names),
        }
    }
}

impl schemars::JsonSchema for ClusterSelector {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ClusterSelector".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        super::shape::either::<Vec<String>, ClusterMatch>(generator)
    }
}

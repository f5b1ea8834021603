//! The inventory as it was written: raw records that mirror the YAML, every leaf with its span.
//!
//! Loading is the only reader of input. It knows the format and nothing else: what a name refers to is the model's business.

pub mod cluster;
mod discover;
mod examples;
pub mod fleet;
pub mod flow;
pub mod gateway;
mod keys;
mod load;
pub mod machines;
mod misspelt;
pub mod pod;
pub mod provider;
pub mod selector;
pub mod shape;
pub mod team;
pub mod tier;
mod unread;
pub mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};

pub use keys::Keys;
pub use load::{load, of_text};
pub use misspelt::Misspelt;
use schemars::transform::RecursiveTransform;
pub use unread::{PLACEMENT, Unread};

use crate::decode::{Entries, MOST};
use crate::kustomize::Build;
use crate::record;
use crate::source::Spanned;

/// The one format that this program reads.
pub const API_VERSION: &str = "ringfence/v1";

record! {
    "an inventory file"
    /// One file of a Ringfence inventory. Any file may hold any of these keys; all files form one inventory.
    #[derive(Default)]
    pub struct InventoryFile {
        /// The fleet; in exactly one file.
        pub fleet: Option<Spanned<fleet::Fleet>>,
        /// Levels of sensitivity.
        pub tiers: Vec<Spanned<tier::Tier>>,
        /// The least tier that may hold each kind of data.
        pub data_classes: Entries<Spanned<String>>,
        /// Where tiers run.
        pub clusters: Vec<Spanned<cluster::Cluster>>,
        /// Who owns workloads.
        pub teams: Vec<Spanned<team::Team>>,
        /// What runs, and how sensitive it is.
        pub workloads: Vec<Spanned<workload::Workload>>,
        /// ConfigMaps that several workloads share.
        pub configs: Vec<Spanned<gateway::SharedConfig>>,
        /// The only way a flow may cross tiers or clusters.
        pub gateways: Vec<Spanned<gateway::Gateway>>,
        /// Access tokens that a provider's console hands out.
        pub tokens: Vec<Spanned<gateway::Token>>,
        /// Waivers, each with an end.
        pub exemptions: Vec<Spanned<gateway::Exemption>>,
    }
}

/// All files of an inventory, merged in the order of their paths.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// What they state together.
    pub stated: InventoryFile,
    /// Names of definitions that could not be read: what refers to them is not reported as dangling on top of that.
    pub lost: BTreeSet<String>,
    /// Records with keys that the format does not have.
    pub misspelt: Misspelt,
    /// Lists of which a part could not be read.
    pub unread: Unread,
    /// What can be said of clusters, gateways and exemptions that could not be read.
    pub broken: Broken,
    /// What the folders of adopted workloads build to, by the path that the inventory states; not those that could not be built.
    pub sources: BTreeMap<String, Build>,
}

/// Clusters, gateways and exemptions with a mistake somewhere else than in what they are or allow: what follows from it is not reported on top of that.
#[derive(Clone, Debug, Default)]
pub struct Broken {
    /// The callers and the target of gateways; none where it could not be read which.
    pub gateways: Vec<(Option<Vec<String>>, Option<String>)>,
    /// Whether a cluster is among them: which environments and regions there are is then not known.
    pub clusters: bool,
    /// The control and the scope of exemptions.
    pub exemptions: Vec<(String, gateway::ExemptionScope)>,
}

impl Deref for Inventory {
    type Target = InventoryFile;

    fn deref(&self) -> &InventoryFile {
        &self.stated
    }
}

impl DerefMut for Inventory {
    fn deref_mut(&mut self) -> &mut InventoryFile {
        &mut self.stated
    }
}

/// The JSON Schema of an inventory file, for editors.
pub fn json_schema() -> serde_json::Value {
    let mut settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.transforms.push(Box::new(RecursiveTransform(leave_out_lists)));
    settings.transforms.push(Box::new(RecursiveTransform(leave_out_null)));
    settings.transforms.push(Box::new(RecursiveTransform(bound_counts)));
    let mut schema = settings.into_generator().into_root_schema_for::<InventoryFile>().to_value();
    examples::put(&mut schema);
    schema
}

/// A count has Kubernetes' bound, as [`crate::decode`] has it, and not that of its type here.
fn bound_counts(schema: &mut schemars::Schema) {
    if schema.get("format").is_some_and(|format| format == "uint32") {
        schema.remove("format");
        schema.insert("maximum".to_owned(), MOST.into());
    }
}

/// A list or mapping that may be empty may be left out, as [`crate::decode`] has it; schemars asks for every field that is no `Option`.
fn leave_out_lists(schema: &mut schemars::Schema) {
    let Some(properties) = schema.get("properties").cloned() else { return };
    let may_be_empty = |property: &serde_json::Value| {
        let list = property["type"] == "array" && property["minItems"].is_null();
        let mapping = property["type"] == "object" && property["properties"].is_null() && !property["additionalProperties"].is_null();
        list || mapping
    };
    if let Some(required) = schema.get_mut("required").and_then(serde_json::Value::as_array_mut) {
        required.retain(|key| !key.as_str().is_some_and(|key| may_be_empty(&properties[key])));
    }
}

/// A key may be left out, but not written without a value, as [`crate::decode`] has it; schemars takes null for an `Option` that is left out.
fn leave_out_null(schema: &mut schemars::Schema) {
    let Some(keywords) = schema.as_object_mut() else { return };
    if let Some(types) = keywords.get_mut("type").and_then(serde_json::Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            keywords.insert("type".to_owned(), one);
        }
    }
    if let Some(choices) = keywords.get_mut("anyOf").and_then(serde_json::Value::as_array_mut) {
        choices.retain(|choice| choice["type"] != "null");
        if let [serde_json::Value::Object(one)] = choices.as_slice() {
            let one = one.clone();
            keywords.remove("anyOf");
            for (key, value) in one {
                keywords.entry(key).or_insert(value);
            }
        }
    }
}

//! A `kustomization.yaml` for every layer and every folder below it: files listed one by one, sorted, folders as folders; and the site's own
//! component, where there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::{Content, File, Plan};
use crate::catalog::Layer;
use crate::model::Model;

/// Names that kustomize takes for a kustomization.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Adds the kustomizations of every layer that has objects, or a component of the site's own below `custom`.
pub fn add(plan: &mut Plan, model: &Model<'_>, custom: &Path) {
    let mut folders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in plan.files.keys() {
        // clusters/<cluster>/<layer>/...: the layer is the third part, and what is above it is no unit of delivery.
        let parts: Vec<&str> = path.split('/').collect();
        if parts.len() < 4 || parts[0] != "clusters" {
            continue;
        }
        for depth in 3..parts.len() {
            folders.entry(parts[..depth].join("/")).or_default().insert(parts[depth].to_owned());
        }
    }
    for host in &model.clusters.all {
        let cluster = host.raw.name.as_str();
        let mut components: BTreeMap<String, String> = BTreeMap::new();
        for layer in Layer::WORDS {
            if NAMES.iter().any(|name| custom.join(cluster).join(layer).join(name).is_file()) {
                let folder = format!("clusters/{cluster}/{layer}");
                folders.entry(folder.clone()).or_default();
                components.insert(folder, format!("../../../../custom/{cluster}/{layer}"));
            }
        }
        let prefix = format!("clusters/{cluster}/");
        let of_cluster = folders.range(prefix.clone()..).take_while(|(folder, _)| folder.starts_with(&prefix));
        for (folder, names) in of_cluster {
            let file = File {
                owner: format!("cluster {cluster}"),
                origin: host.raw.name.span,
                content: Content::Kustomization(kustomization(names, components.get(folder))),
            };
            plan.files.insert(format!("{folder}/kustomization.yaml"), file);
        }
    }
}

fn kustomization(names: &BTreeSet<String>, component: Option<&String>) -> Value {
    let mut value = json!({ "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization" });
    if !names.is_empty() {
        value["resources"] = names.iter().map(String::as_str).collect();
    }
    if let Some(component) = component {
        value["components"] = json!([component]);
    }
    value
}

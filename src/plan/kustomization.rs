//! A `kustomization.yaml` for every layer and every folder below it: files listed one by one, sorted, folders as folders; and the site's own
//! component, where there is one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::custom::Components;
use super::{Content, File, Plan};
use crate::model::Model;
use crate::source::Span;

/// Adds the kustomizations of every layer that has objects, or a component of the site's own.
pub fn add(plan: &mut Plan, model: &Model<'_>, components: &Components) {
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
    for folder in components.keys() {
        folders.entry(folder.clone()).or_default();
    }
    for host in &model.clusters.all {
        let cluster = host.raw.name.as_str();
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

/// Adds a kustomization to every folder of objects that apply the layers: `delivery/<tool>/<cluster or instance>`.
pub fn add_delivery(plan: &mut Plan) {
    let mut folders: BTreeMap<String, (BTreeSet<String>, String, Span)> = BTreeMap::new();
    for (path, file) in &plan.files {
        let parts: Vec<&str> = path.split('/').collect();
        if parts.len() < 4 || parts[0] != "delivery" {
            continue;
        }
        let folder = folders.entry(parts[..3].join("/")).or_insert_with(|| (BTreeSet::new(), file.owner.clone(), file.origin));
        folder.0.insert(parts[3..].join("/"));
    }
    for (folder, (names, owner, origin)) in folders {
        plan.files.insert(
            format!("{folder}/kustomization.yaml"),
            File { owner, origin, content: Content::Kustomization(kustomization(&names, None)) },
        );
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

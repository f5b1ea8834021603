//! A `kustomization.yaml` for every layer and every folder below it: files listed one by one, sorted, folders as folders; and the site's own
//! component, where there is one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::{Content, File, Plan};
use crate::catalog::{Catalog, Layer};
use crate::decode::Findings;
use crate::diag::{Code, Diag, did_you_mean};
use crate::kustomize::KUSTOMIZATIONS;
use crate::model::Model;
use crate::source::Span;

/// Adds the kustomizations of every layer that has objects, or a component of the site's own below `custom`.
/// A folder there that names no cluster or layer, or holds no kustomization, is a finding: what a site adds must not be left out in silence.
pub fn add(plan: &mut Plan, model: &Model<'_>, custom: &Path, findings: &mut Findings) {
    check_custom(model, custom, findings);
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
    for (at, host) in model.clusters.all.iter().enumerate() {
        let cluster = host.raw.name.as_str();
        let mut components: BTreeMap<String, String> = BTreeMap::new();
        for layer in Layer::WORDS {
            if has_kustomization(&custom.join(cluster).join(layer)) {
                let folder = format!("clusters/{cluster}/{layer}");
                folders.entry(folder.clone()).or_default();
                components.insert(folder, format!("../../../../custom/{cluster}/{layer}"));
            }
        }
        for namespace in own_components(model, at, custom) {
            let layer = Layer::Workloads.as_str();
            let component = format!("../../../../../custom/{cluster}/{layer}/{namespace}");
            components.insert(format!("clusters/{cluster}/{layer}/{namespace}"), component);
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

/// Adds a kustomization to every folder of objects that apply the layers: `delivery/<tool>/<cluster or instance>`.
pub fn add_delivery(plan: &mut Plan, catalog: &Catalog) {
    let mut folders: BTreeMap<String, (BTreeSet<String>, String, Span)> = BTreeMap::new();
    for (path, file) in &plan.files {
        let Content::Rendered(objects) = &file.content else { continue };
        let parts: Vec<&str> = path.split('/').collect();
        if parts.len() < 4 || parts[0] != "delivery" || !objects.iter().all(|object| catalog.kinds[object.kind].is_manifest()) {
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

/// The namespaces of workloads on a cluster for which the site has a component.
fn own_components(model: &Model<'_>, at: usize, custom: &Path) -> Vec<String> {
    let folder = custom.join(model.clusters.name(at)).join(Layer::Workloads.as_str());
    let spaces = model.namespaces_on(at).map(|space| space.name.clone());
    spaces.filter(|space| has_kustomization(&folder.join(space))).collect()
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

fn has_kustomization(folder: &Path) -> bool {
    KUSTOMIZATIONS.iter().any(|name| folder.join(name).is_file())
}

fn check_custom(model: &Model<'_>, custom: &Path, findings: &mut Findings) {
    let clusters: Vec<&str> = model.clusters.all.iter().map(|host| host.raw.name.as_str()).collect();
    let unknown = |path: String, what: &str, name: &str, known: &[&str]| {
        let diag =
            Diag::new(Code::UnknownReference, model.fleet.name.span, format!("`custom/{path}` is used by nothing: `{name}` is no {what}"));
        let all = format!("There are: {}.", known.join(", "));
        diag.help(did_you_mean(name, known.iter().copied()).unwrap_or(all))
    };
    for cluster in folders(custom) {
        if !clusters.contains(&cluster.as_str()) {
            findings.push(unknown(cluster.clone(), "cluster", &cluster, &clusters));
            continue;
        }
        for layer in folders(&custom.join(&cluster)) {
            if !Layer::WORDS.contains(&layer.as_str()) {
                findings.push(unknown(format!("{cluster}/{layer}"), "layer", &layer, Layer::WORDS));
            } else if layer == Layer::Workloads.as_str() && !has_kustomization(&custom.join(&cluster).join(&layer)) {
                check_own(model, custom, &cluster, &layer, findings);
            } else if !has_kustomization(&custom.join(&cluster).join(&layer)) {
                let message = format!("`custom/{cluster}/{layer}` has no `kustomization.yaml`");
                let diag = Diag::new(Code::UnknownReference, model.fleet.name.span, message);
                findings.push(diag.help("Write a Kustomize component there (`kind: Component`), or remove the folder."));
            }
        }
    }
}

/// Components of single namespaces.
fn check_own(model: &Model<'_>, custom: &Path, cluster: &str, layer: &str, findings: &mut Findings) {
    let Some(at) = model.clusters.index.get(cluster) else { return };
    let used = own_components(model, at, custom);
    let spaces: Vec<&str> = model.namespaces_on(at).map(|space| space.name.as_str()).collect();
    let all = folders(&custom.join(cluster).join(layer));
    for namespace in all.iter().filter(|namespace| !used.contains(namespace)) {
        let message = format!("`custom/{cluster}/{layer}/{namespace}` is used by nothing");
        let diag = Diag::new(Code::UnknownReference, model.fleet.name.span, message);
        findings.push(if spaces.contains(&namespace.as_str()) {
            diag.help("Write a Kustomize component there (`kind: Component`), or remove the folder.")
        } else {
            let known = format!("`{cluster}` has the namespaces: {}.", spaces.join(", "));
            diag.help(did_you_mean(namespace, spaces.iter().copied()).unwrap_or(known))
        });
    }
    if all.is_empty() {
        let message = format!("`custom/{cluster}/{layer}` has no `kustomization.yaml`");
        let diag = Diag::new(Code::UnknownReference, model.fleet.name.span, message);
        findings.push(diag.help("Write a Kustomize component there (`kind: Component`), or remove the folder."));
    }
}

/// The folders in a folder, sorted; none where there is no such folder, or it cannot be read.
fn folders(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

//! What is applied as one: a `Kustomization` of Flux, an `Application` of Argo CD.
//!
//! A layer is a unit, and later ones wait for earlier ones. The workloads of each namespace are a unit of their own, under an identity that
//! can write nowhere else; nothing waits for them. So is each namespace's part of the access layer: while one namespace is being deleted,
//! nothing new can be made in it, and the grants of the others must not wait for that. Where the access layer holds more than folders of
//! namespaces, such as a site's own component, it is one unit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Confined, Content, Plan, view};
use crate::catalog::Layer;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::model::delivery::Delivery;
use crate::model::{Model, monitoring, names};

/// A part of a cluster's tree that is applied as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its name: the layer's, or the layer's with a namespace's.
    pub name: String,
    /// The layer.
    pub layer: Layer,
    /// Its folder below the output's root.
    pub folder: String,
    /// The namespace, where it is of one alone.
    pub namespace: Option<String>,
    /// The units that it waits for.
    pub after: Vec<String>,
}

/// The units of a cluster, in their order.
pub fn of_cluster(plan: &Plan, model: &Model<'_>, cluster: usize) -> Vec<Unit> {
    let name = model.clusters.name(cluster);
    // The platform's namespaces are parts of the access layer, too: some may not be there yet, and their grants alone wait for them.
    let platform = platform_parts(model, cluster);
    let own = model.namespaces_on(cluster).map(|space| space.name.as_str());
    let spaces: BTreeSet<&str> = own.chain(platform.iter().map(String::as_str)).collect();
    let folder = |layer: Layer| format!("clusters/{name}/{}", layer.as_str());
    let whole = |layer: Layer, after: &[String]| Unit {
        name: layer.as_str().to_owned(),
        layer,
        folder: folder(layer),
        namespace: None,
        after: after.to_vec(),
    };
    let part = |layer: Layer, namespace: &str, after: &[String]| Unit {
        name: names::unit(layer.as_str(), namespace),
        layer,
        folder: format!("{}/{namespace}", folder(layer)),
        namespace: Some(namespace.to_owned()),
        after: after.to_vec(),
    };
    let exists = |layer: Layer| plan.files.contains_key(&format!("{}/kustomization.yaml", folder(layer)));
    let has = |layer: Layer, namespace: &str| plan.files.contains_key(&format!("{}/{namespace}/kustomization.yaml", folder(layer)));
    let mut units: Vec<Unit> = Vec::new();
    // The last layer that there is: what comes next waits for it.
    let mut last: Vec<String> = Vec::new();
    for layer in [Layer::Guardrails, Layer::Namespaces].into_iter().filter(|layer| exists(*layer)) {
        let unit = whole(layer, &last);
        last = vec![unit.name.clone()];
        units.push(unit);
    }
    let access = exists(Layer::Access);
    let split = access && beside(plan, &folder(Layer::Access), &spaces).is_none() && !has_component(plan, &folder(Layer::Access));
    let before = last.clone();
    if access && !split {
        let unit = whole(Layer::Access, &last);
        last = vec![unit.name.clone()];
        units.push(unit);
    }
    for namespace in &spaces {
        let mut after = last.clone();
        if split && has(Layer::Access, namespace) {
            let unit = part(Layer::Access, namespace, &last);
            after = vec![unit.name.clone()];
            units.push(unit);
        }
        if has(Layer::Workloads, namespace) {
            units.push(part(Layer::Workloads, namespace, &after));
        }
    }
    if exists(Layer::Monitoring) {
        units.push(whole(Layer::Monitoring, &before));
    }
    units
}

/// The platform's namespaces that the access layer has something in: what people hold there, and what Prometheus does.
pub fn platform_parts(model: &Model<'_>, cluster: usize) -> BTreeSet<String> {
    let scraped = monitoring::platform_namespaces(model.inventory, &model.clusters.all[cluster], &model.deliveries, cluster);
    view::access::platform_namespaces(model, cluster).into_iter().chain(scraped).collect()
}

impl Unit {
    /// What a template sees of it: `name`, `layer`, `path` within the repository, `namespace`, `after`.
    pub fn view(&self, delivery: &Delivery) -> Value {
        json!({
            "name": self.name,
            "layer": self.layer.as_str(),
            "path": format!("{}{}", delivery.path, self.folder),
            "namespace": self.namespace,
            "after": self.after,
        })
    }
}

/// The clusters that something delivers, with that.
fn delivered<'m>(model: &'m Model<'_>) -> impl Iterator<Item = (usize, &'m Delivery)> {
    let delivered = |at| model.deliveries.of(at).filter(|delivery| delivery.flux.is_some() || delivery.argocd.is_some());
    (0..model.clusters.all.len()).filter_map(move |at| Some((at, delivered(at)?)))
}

/// The folders of workloads: each is applied under an identity that can write into its namespace alone.
pub fn confined(model: &Model<'_>) -> BTreeMap<String, Confined> {
    let folders = delivered(model).flat_map(|(at, delivery)| {
        model.namespaces_on(at).map(move |space| {
            let folder = format!("clusters/{}/{}/{}", model.clusters.name(at), Layer::Workloads.as_str(), space.name);
            (folder, Confined { namespace: space.name.clone(), delivery: delivery.origin })
        })
    });
    folders.collect()
}

/// A finding for each thing in a layer of workloads that is no namespace's: no unit has it.
pub fn check(plan: &Plan, model: &Model<'_>, findings: &mut Findings) {
    for (at, delivery) in delivered(model) {
        let cluster = model.clusters.name(at);
        let layer = Layer::Workloads.as_str();
        let folder = format!("clusters/{cluster}/{layer}");
        let spaces: BTreeSet<&str> = model.namespaces_on(at).map(|space| space.name.as_str()).collect();
        if let Some((path, origin)) = beside(plan, &folder, &spaces) {
            let message = format!("nothing would apply `{path}`: it is in no namespace's folder");
            let diag = Diag::new(Code::NotDelivered, origin, message).label("made for this");
            let diag = diag.related(delivery.origin, "delivers each namespace on its own");
            findings.push(diag.help("Let the kind's `path` begin with the folder of a namespace of workloads, or choose another layer."));
        }
        if has_component(plan, &folder) {
            let message = format!("nothing would apply `custom/{cluster}/{layer}`: each namespace is delivered on its own");
            let diag = Diag::new(Code::NotDelivered, delivery.origin, message);
            findings.push(diag.help(format!("Move the component to `custom/{cluster}/{layer}/NAMESPACE`.")));
        }
    }
}

/// A file of a layer that is in no folder of a namespace, and the inventory's line that led to it.
fn beside<'p>(plan: &'p Plan, folder: &str, spaces: &BTreeSet<&str>) -> Option<(&'p str, crate::source::Span)> {
    let prefix = format!("{folder}/");
    let files = plan.files.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
    let mut beside = files.filter(|(path, file)| {
        let below = &path[prefix.len()..];
        let placed = below.split_once('/').is_some_and(|(namespace, _)| spaces.contains(namespace));
        !placed && matches!(file.content, Content::Rendered(_))
    });
    beside.next().map(|(path, file)| (path.as_str(), file.origin))
}

fn has_component(plan: &Plan, folder: &str) -> bool {
    let file = plan.files.get(&format!("{folder}/kustomization.yaml"));
    file.is_some_and(|file| matches!(&file.content, Content::Kustomization(value) if value.get("components").is_some()))
}

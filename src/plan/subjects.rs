//! What kinds repeat over: the fleet, each tier, cluster, node pool, namespace, workload and gateway, with what a template sees of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::delivery::Known;
use super::units::{self, Unit};
use super::{Plan, delivery, view};
use crate::catalog::{Layer, Scope};
use crate::model::Model;
use crate::model::flows::full_name;
use crate::render::{View, ViewValue};
use crate::schema::Minor;
use crate::source::Span;

/// One thing that kinds of a scope are planned for.
#[derive(Debug)]
pub struct Subject {
    /// Its scope.
    pub scope: Scope,
    /// Who files are for.
    pub owner: String,
    /// The cluster's name, within one.
    pub cluster: Option<String>,
    /// The cluster's minor, within one.
    pub minor: Option<Minor>,
    /// Where the inventory states it.
    pub origin: Span,
    /// The folder of its workloads, of a namespace.
    pub workloads: Option<String>,
    /// What templates see.
    pub view: View,
}

/// Every subject of a model, in a fixed order.
pub fn all(model: &Model<'_>) -> Vec<Subject> {
    let value = ViewValue::new;
    let fleet = View::default().with("fleet", value(view::fleet(model)));
    let mut subjects = vec![Subject {
        scope: Scope::Fleet,
        owner: format!("fleet {}", model.fleet.name.value),
        cluster: None,
        minor: None,
        origin: model.fleet.name.span,
        workloads: None,
        view: fleet.clone(),
    }];
    let tiers: Vec<Arc<ViewValue>> = (0..model.tiers.all.len()).map(|at| value(view::tier(model, at))).collect();
    for (tier, shared) in model.tiers.all.iter().zip(&tiers) {
        subjects.push(Subject {
            scope: Scope::Tier,
            owner: format!("tier {}", tier.name.value),
            cluster: None,
            minor: None,
            origin: tier.name.span,
            workloads: None,
            view: fleet.clone().with("tier", Arc::clone(shared)),
        });
    }
    let clusters: Vec<Vec<Subject>> = (0..model.clusters.all.len()).into_par_iter().map(|at| within(model, at, &fleet, &tiers)).collect();
    subjects.extend(clusters.into_iter().flatten());
    subjects
}

/// Lets what delivers the layers be planned: clusters see their `units` and what their `appliers` may do, and every instance of Argo CD is a
/// subject.
pub fn deliver(subjects: &mut Vec<Subject>, model: &Model<'_>, plan: &Plan, known: &Known, mut appliers: BTreeMap<usize, Value>) {
    let mut all: BTreeMap<usize, Vec<Unit>> = BTreeMap::new();
    for at in (0..model.clusters.all.len()).filter(|at| model.deliveries.of(*at).is_some()) {
        all.insert(at, units::of_cluster(plan, model, at));
    }
    for subject in subjects.iter_mut().filter(|subject| subject.scope == Scope::Cluster) {
        let Some(at) = subject.cluster.as_ref().and_then(|name| model.clusters.index.get(name)) else { continue };
        let Some(delivery) = model.deliveries.of(at) else { continue };
        let units = all.get(&at).into_iter().flatten().map(|unit| unit.view(delivery)).collect();
        subject.view = std::mem::take(&mut subject.view).with("units", ViewValue::new(units));
        let appliers = ViewValue::new(appliers.remove(&at).unwrap_or_default());
        subject.view = std::mem::take(&mut subject.view).with("appliers", appliers);
    }
    let Some(fleet) = subjects.first().map(|fleet| fleet.view.clone()) else { return };
    for (name, clusters) in model.deliveries.instances() {
        let origin = clusters.first().and_then(|at| model.deliveries.of(*at)).map_or(model.fleet.name.span, |delivery| delivery.origin);
        subjects.push(Subject {
            scope: Scope::ArgocdInstance,
            owner: format!("argocd-instance {name}"),
            cluster: None,
            minor: None,
            origin,
            workloads: None,
            view: fleet.clone().with("argocd", ViewValue::new(delivery::instance(model, name, &clusters, &all, known))),
        });
    }
}

fn within(model: &Model<'_>, at: usize, fleet: &View, tiers: &[Arc<ViewValue>]) -> Vec<Subject> {
    let mut subjects = Vec::new();
    let instances = model.instances_on(at);
    let host = &model.clusters.all[at];
    let cluster = host.raw.name.as_str();
    let value = ViewValue::new;
    let shared = fleet.clone().with("cluster", value(view::cluster(model, at, instances)));
    let subject = |scope, owner: String, origin, view| Subject {
        scope,
        owner: format!("{owner} @{cluster}"),
        cluster: Some(cluster.to_owned()),
        minor: Some(host.minor),
        origin,
        workloads: None,
        view,
    };
    let bootstrap = shared.clone().with("bootstrap", value(view::bootstrap::bootstrap(model, at)));
    subjects.push(Subject {
        owner: format!("cluster {cluster}"),
        ..subject(Scope::Cluster, String::new(), host.raw.name.span, bootstrap.clone())
    });
    for pool in host.raw.node_pools.iter() {
        let mut view = bootstrap.clone().with("pool", value(view::pool(model, pool)));
        if let Some(tier) = pool.tier.as_ref().and_then(|tier| model.tiers.index.get(tier)) {
            view = view.with("tier", Arc::clone(&tiers[tier]));
        }
        subjects.push(subject(Scope::NodePool, format!("node-pool {}", pool.name.value), pool.name.span, view));
    }
    let touched = |gateway: &crate::inventory::gateway::Gateway| {
        instances.iter().any(|instance| {
            let name = full_name(instance);
            gateway.to.value == name || gateway.from.0.iter().any(|from| from.value == name)
        })
    };
    for gateway in model.inventory.gateways.iter().filter(|gateway| touched(gateway)) {
        let view = shared.clone().with("gateway", value(view::gateway(gateway)));
        subjects.push(subject(Scope::Gateway, format!("gateway {}", gateway.name.value), gateway.name.span, view));
    }
    let mut views: BTreeMap<&str, View> = BTreeMap::new();
    for namespace in model.namespaces_on(at) {
        let view = shared
            .clone()
            .with("tier", Arc::clone(&tiers[namespace.tier]))
            .with("namespace", value(view::namespace(model, namespace, instances)));
        views.insert(&namespace.name, view.clone());
        let folder = format!("clusters/{cluster}/{}/{}", Layer::Workloads.as_str(), namespace.name);
        let subject = subject(Scope::Namespace, format!("namespace {}", namespace.name), namespace.origin, view);
        subjects.push(Subject { workloads: Some(folder), ..subject });
    }
    for (position, instance) in model.positions_on(at).zip(instances) {
        let identity = &instance.workload.identity;
        let Some(view) = views.get(instance.namespace.as_str()) else { continue };
        let view = view.clone().with("workload", value(view::workload(model, position, instance)));
        subjects.push(subject(
            Scope::Workload,
            match &instance.adopted {
                // The digest goes into the lock: a changed source is seen even where its objects are the same.
                Some(adopted) => format!("workload {}/{} of {}", identity.team.value, identity.name.value, adopted.source),
                None => format!("workload {}/{}", identity.team.value, identity.name.value),
            },
            identity.name.span,
            view,
        ));
    }
    subjects
}

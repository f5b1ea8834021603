//! What templates see of the delivery: `cluster.flux`, and `argocd` for each instance of Argo CD.

mod reach;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::contents::{self, Contents, ObjectType};
use super::units::{Unit, platform_parts};
use crate::catalog::Layer;
use crate::inventory::team::{TeamGrant, TeamRole};
use crate::model::delivery::Delivery;
use crate::model::{Model, Namespace, platform, selects};
use reach::Owners;

/// The name by which every Argo CD knows the cluster that it runs in.
const IN_CLUSTER: &str = "in-cluster";
/// The namespace of what states none in a unit of no namespace, such as an object of a site's own component: nothing of a tier is there.
const NO_NAMESPACE: &str = "default";

/// `cluster.flux`: namespace, source, written, url, secret, reference. Null where Flux does not deliver the cluster.
pub fn flux(delivery: Option<&Delivery>) -> Value {
    let Some((delivery, flux)) = delivery.and_then(|delivery| Some((delivery, delivery.flux.as_ref()?))) else { return Value::Null };
    let how = if delivery.revision.starts_with("refs/") { "name" } else { "branch" };
    json!({
        "namespace": flux.namespace,
        "source": flux.source,
        "written": flux.written,
        "url": delivery.url,
        "secret": delivery.secret.as_ref().filter(|_| flux.written),
        "reference": { (how): delivery.revision },
        "path": delivery.path,
    })
}

/// `cluster.argocd`: instance, namespace, destination, path, byHand (namespaces that are not removed by themselves), applier (as whom it acts in the cluster). Null where Argo CD does not
/// deliver the cluster.
pub fn argocd(model: &Model<'_>, cluster: usize) -> Value {
    let delivery = model.deliveries.of(cluster);
    let argocd = delivery.and_then(|delivery| Some((delivery, delivery.argocd.as_ref()?)));
    argocd.map_or(Value::Null, |(delivery, argocd)| {
        let owners = Owners::of(model);
        let shared = model.clusters.all[cluster].tiers.iter().map(|tier| owners.on_cluster(model, *tier, cluster).1);
        json!({
            "instance": argocd.instance,
            "namespace": argocd.namespace,
            "destination": destination(argocd.in_cluster, model.clusters.name(cluster)),
            "path": delivery.path,
            "byHand": shared.flatten().collect::<BTreeSet<_>>(),
            "applier": argocd.applier,
        })
    })
}

fn destination(in_cluster: bool, cluster: &str) -> &str {
    if in_cluster { IN_CLUSTER } else { cluster }
}

/// Which kinds of object there are, and may be.
#[derive(Debug)]
pub struct Known {
    /// What the plan holds.
    pub contents: Contents,
    /// What the catalog can make among the workloads.
    pub workloads: BTreeSet<ObjectType>,
    /// What it can make in the other layers.
    pub platform: BTreeSet<ObjectType>,
}

/// A cluster that an instance serves.
struct Served<'a> {
    at: usize,
    delivery: &'a Delivery,
    units: &'a [Unit],
    /// The name by which the instance knows it.
    destination: String,
}

/// `argocd`: name, namespace, platform (project, repositories, destinations, clusterKinds, namespaceKinds, applications) and tiers
/// (name, project, repositories, destinations, kinds, elements, roles).
pub fn instance(model: &Model<'_>, name: &str, clusters: &[usize], units: &BTreeMap<usize, Vec<Unit>>, known: &Known) -> Value {
    let served: Vec<Served<'_>> = clusters
        .iter()
        .filter_map(|at| {
            let delivery = model.deliveries.of(*at)?;
            let destination = destination(delivery.argocd.as_ref()?.in_cluster, model.clusters.name(*at)).to_owned();
            Some(Served { at: *at, delivery, units: units.get(at).map_or(&[], Vec::as_slice), destination })
        })
        .collect();
    let namespace = served.first().and_then(|served| served.delivery.argocd.as_ref()).map(|argocd| argocd.namespace.as_str());
    // Of each tier that they host, whether it has workloads there now or not: what leaves is removed under the tier's project.
    let tiers = (0..model.tiers.all.len()).filter(|tier| hosting(model, &served, *tier).next().is_some());
    let owners = Owners::of(model);
    json!({
        "name": name,
        "namespace": namespace,
        "platform": platform(model, &served, known),
        "tiers": tiers.map(|at| tier(model, at, &served, &owners, known)).collect::<Vec<_>>(),
    })
}

fn platform(model: &Model<'_>, served: &[Served<'_>], known: &Known) -> Value {
    let units = || served.iter().flat_map(|served| platform_units(served.units));
    let types = || units().flat_map(|unit| known.contents.of_folder(&unit.folder)).chain(&known.platform);
    let mut destinations = BTreeSet::new();
    let mut applications = Vec::new();
    for cluster in served {
        let host = &model.clusters.all[cluster.at];
        let own = model.namespaces_on(cluster.at).map(|space| space.name.clone());
        // The platform's, but neither Kubernetes' own nor the one that rules over all of this.
        let own_namespace = cluster.delivery.argocd.as_ref().map(|argocd| argocd.namespace.as_str());
        let platform = platform::namespaces(model.inventory, host, Some(cluster.delivery)).into_iter().map(|namespace| namespace.name);
        let others = platform.filter(|name| !name.starts_with("kube-") && Some(name.as_str()) != own_namespace);
        // Those of Kubernetes' own as far as the tree has something in them.
        let held = platform_parts(model, cluster.at);
        destinations.extend(own.chain(others).chain(held).map(|namespace| (cluster.destination.clone(), namespace)));
        applications.extend(platform_units(cluster.units).map(|unit| {
            json!({
                "name": application(model, cluster.at, unit),
                "layer": unit.layer.as_str(),
                "destination": cluster.destination,
                "namespace": unit.namespace.as_deref().unwrap_or(NO_NAMESPACE),
                "repository": cluster.delivery.url,
                "revision": cluster.delivery.revision,
                "path": format!("{}{}", cluster.delivery.path, unit.folder),
            })
        }));
    }
    json!({
        "project": format!("{}-platform", model.fleet.name.value),
        "repositories": repositories(served.iter()),
        "destinations": destinations.into_iter().map(|(name, namespace)| json!({ "name": name, "namespace": namespace })).collect::<Vec<_>>(),
        "clusterKinds": contents::kinds(types().filter(|found| !found.namespaced)),
        "namespaceKinds": contents::kinds(types().filter(|found| found.namespaced)),
        "applications": applications,
    })
}

fn tier(model: &Model<'_>, at: usize, served: &[Served<'_>], owners: &Owners, known: &Known) -> Value {
    let project = format!("{}-tier-{}", model.fleet.name.value, model.tiers.name(at));
    let of_tier: Vec<_> = of_tier(model, served, at).collect();
    let types = || of_tier.iter().flat_map(|(_, _, unit)| known.contents.of_folder(&unit.folder));
    let element = |(cluster, space, unit): &(&Served<'_>, &Namespace, &Unit)| {
        json!({
            "name": application(model, cluster.at, unit),
            "cluster": cluster.destination,
            "namespace": space.name,
            "repository": cluster.delivery.url,
            "revision": cluster.delivery.revision,
            "path": format!("{}{}", cluster.delivery.path, unit.folder),
        })
    };
    let mut destinations: BTreeSet<(&str, String)> =
        of_tier.iter().map(|(cluster, space, _)| (cluster.destination.as_str(), space.name.clone())).collect();
    for cluster in hosting(model, served, at) {
        let (permitted, _) = owners.on_cluster(model, at, cluster.at);
        destinations.extend(permitted.into_iter().map(|name| (cluster.destination.as_str(), name)));
    }
    let destinations = destinations.into_iter().map(|(name, namespace)| json!({ "name": name, "namespace": namespace }));
    json!({
        "name": model.tiers.name(at),
        "roles": roles(model, at, &project, &of_tier, &types().collect::<BTreeSet<_>>()),
        "project": project,
        "repositories": repositories(hosting(model, served, at)),
        "destinations": destinations.collect::<Vec<_>>(),
        "kinds": contents::kinds(types().chain(&known.workloads).filter(|found| found.namespaced)),
        "elements": of_tier.iter().map(element).collect::<Vec<_>>(),
    })
}

/// The clusters that host a tier.
fn hosting<'a>(model: &'a Model<'_>, served: &'a [Served<'a>], tier: usize) -> impl Iterator<Item = &'a Served<'a>> {
    served.iter().filter(move |cluster| model.clusters.all[cluster.at].tiers.contains(&tier))
}

/// The units of a tier's workloads.
fn of_tier<'a>(
    model: &'a Model<'_>,
    served: &'a [Served<'a>],
    tier: usize,
) -> impl Iterator<Item = (&'a Served<'a>, &'a Namespace, &'a Unit)> {
    let workloads = served.iter().flat_map(|cluster| cluster.units.iter().map(move |unit| (cluster, unit)));
    workloads.filter(|(_, unit)| unit.layer == Layer::Workloads).filter_map(move |(cluster, unit)| {
        let space = model.namespaces.get(&(cluster.at, unit.namespace.clone()?))?;
        (space.tier == tier).then_some((cluster, space, unit))
    })
}

fn platform_units(units: &[Unit]) -> impl Iterator<Item = &Unit> {
    units.iter().filter(|unit| unit.layer != Layer::Workloads)
}

/// The name of an Application: an instance may serve several fleets.
fn application(model: &Model<'_>, cluster: usize, unit: &Unit) -> String {
    format!("{}.{}.{}", model.fleet.name.value, model.clusters.name(cluster), unit.name)
}

fn repositories<'a>(served: impl Iterator<Item = &'a Served<'a>>) -> Vec<&'a str> {
    served.map(|served| served.delivery.url.as_str()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// What people of teams may do with their own Applications of a tier, by name: each grant is a role of the project.
fn roles(
    model: &Model<'_>,
    tier: usize,
    project: &str,
    of_tier: &[(&Served<'_>, &Namespace, &Unit)],
    types: &BTreeSet<&ObjectType>,
) -> Vec<Value> {
    let mut roles = Vec::new();
    for team in &model.inventory.teams {
        let mut numbers: BTreeMap<TeamRole, usize> = BTreeMap::new();
        for grant in team.grants.iter().filter(|grant| holds_on(grant, model.tiers.name(tier))) {
            let holds = |cluster: usize| grant.clusters.as_ref().is_none_or(|selector| selects(selector, model.clusters.all[cluster].raw));
            let own = of_tier.iter().filter(|(cluster, space, _)| space.team == team.name.as_str() && holds(cluster.at));
            let applications: Vec<String> = own.map(|(cluster, _, unit)| application(model, cluster.at, unit)).collect();
            if applications.is_empty() {
                continue;
            }
            let number = numbers.entry(grant.role.value).or_default();
            *number += 1;
            let name = format!("{}-{}", team.name.value, grant.role.value.as_str());
            let name = if *number == 1 { name } else { format!("{name}-{number}") };
            let actions = actions(grant.role.value, types);
            let policy = |(resource, action): &(&str, String), application: &String| {
                format!("p, proj:{project}:{name}, {resource}, {action}, {project}/{application}, allow")
            };
            let policies: Vec<String> =
                applications.iter().flat_map(|application| actions.iter().map(move |action| policy(action, application))).collect();
            let mut role = Map::new();
            role.insert("name".to_owned(), name.clone().into());
            role.insert("groups".to_owned(), json!([grant.group.as_str()]));
            role.insert("policies".to_owned(), policies.into());
            roles.push(Value::Object(role));
        }
    }
    roles
}

fn holds_on(grant: &TeamGrant, tier: &str) -> bool {
    grant.tiers.as_ref().is_none_or(|tiers| tiers.iter().any(|named| named.value == tier))
}

/// The actions of a role: a viewer sees, an operator also synchronises and restarts, who is on call also reads logs.
fn actions(role: TeamRole, types: &BTreeSet<&ObjectType>) -> Vec<(&'static str, String)> {
    let mut actions = vec![("applications", "get".to_owned())];
    match role {
        TeamRole::Viewer => {}
        TeamRole::Operator => {
            actions.push(("applications", "sync".to_owned()));
            let restartable = types.iter().filter(|found| matches!(found.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet"));
            actions.extend(restartable.map(|found| ("applications", format!("action/{}/{}/restart", found.group, found.kind))));
        }
        TeamRole::OnCall => actions.push(("logs", "get".to_owned())),
    }
    actions
}

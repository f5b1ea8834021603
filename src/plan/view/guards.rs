//! What the guards of a cluster see: who may say what a node is, and what of a tier may open a way into or out of its namespaces.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{flows, isolation, ways};
use crate::inventory::pod::ExposeType;
use crate::model::{Instance, Model, Namespace, node_keepers};

/// Services of a type that leads out of the cluster, or to a name.
const SERVICES: &str = "service-exposure";
/// Endpoints that nobody's pods are behind.
const ENDPOINTS: &str = "endpoints";
/// Ingresses, and routes of the Gateway API.
const INGRESS: &str = "ingress-exposure";

/// How much text one expression of a policy may be: the API server takes 100,000 code points.
const EXPRESSION: usize = 60_000;

/// `cluster.guards`: nodeKeepers (users, groups, and limited groups with their tiers), and for each tier with namespaces, of which those that are
/// exempt are left out: services, endpoints, ingresses; and what holds `outside` of all tiers. Where all are exempt, all are there and `actions` but tells of them, since a policy that left
/// the tree would go on refusing in the cluster.
pub fn of_cluster(model: &Model<'_>, cluster: usize) -> Value {
    let keepers = node_keepers::of_cluster(model.inventory, &model.tiers, &model.clusters, cluster);
    let each = |control: &str, more: &dyn Fn(&str, &BTreeSet<&str>) -> Value| -> Vec<Value> {
        let view = |tier: &usize| {
            let (held, all) = guarded(model, cluster, *tier, control);
            let (namespaces, waived) = if held.is_empty() { (all, true) } else { (held, false) };
            let mut view = (!namespaces.is_empty()).then(|| more(model.tiers.name(*tier), &namespaces))?;
            view["actions"] = isolation::actions(model, cluster, waived).into();
            Some(view)
        };
        model.clusters.all[cluster].tiers.iter().filter_map(view).collect()
    };
    json!({
        "nodeKeepers": { "users": keepers.users, "groups": keepers.groups, "limited": keepers.limited },
        "services": each(SERVICES, &|tier, namespaces| json!({
            "tier": tier,
            "namespaces": namespaces,
            "loadBalancers": chunks(load_balancers(model, cluster, namespaces)),
            "externalNames": chunks(external_names(model, cluster, namespaces)),
            "annotations": chunks(ways::on_services(model, cluster, namespaces)),
        })),
        "endpoints": each(ENDPOINTS, &|tier, namespaces| json!({
            "tier": tier,
            "namespaces": namespaces,
            "slices": chunks(slices(model, cluster, namespaces)),
        })),
        "ingresses": each(INGRESS, &|tier, namespaces| json!({
            "tier": tier,
            "namespaces": namespaces,
            "ingresses": chunks(ingresses(model, cluster, namespaces)),
            "ingressAnnotations": chunks(ways::on_ingresses(model, cluster, namespaces)),
            "routes": chunks(routes(model, cluster, namespaces)),
            "adoptedRoutes": adopted_routes(model, cluster, namespaces),
            "routeAnnotations": chunks(ways::on_routes(model, cluster, namespaces)),
        })),
        "outside": ways::outside(model, cluster),
    })
}

/// The namespaces of a tier on a cluster: those in which a control holds, and all.
fn guarded<'m>(model: &'m Model<'_>, cluster: usize, tier: usize, control: &str) -> (BTreeSet<&'m str>, BTreeSet<&'m str>) {
    let of_tier = || model.namespaces_on(cluster).filter(|namespace| namespace.tier == tier);
    let names = |namespaces: &mut dyn Iterator<Item = &'m Namespace>| namespaces.map(|namespace| namespace.name.as_str()).collect();
    (names(&mut of_tier().filter(|namespace| !model.is_waived_in(control, namespace))), names(&mut of_tier()))
}

/// The workloads in these namespaces of a cluster.
pub(super) fn instances<'m, 'i>(
    model: &'m Model<'i>,
    cluster: usize,
    namespaces: &'m BTreeSet<&'m str>,
) -> impl Iterator<Item = (usize, &'m Instance<'i>)> {
    let here = model.positions_on(cluster).zip(model.instances_on(cluster));
    here.filter(|(_, instance)| namespaces.contains(instance.namespace.as_str()))
}

/// A namespaced name, as the policies write it.
pub(super) fn full(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// Services of the type LoadBalancer, each with the addresses that it lets in; all, where the list is empty.
fn load_balancers(model: &Model<'_>, cluster: usize, namespaces: &BTreeSet<&str>) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (at, instance) in instances(model, cluster, namespaces) {
        if super::exposed(&instance.cascade.settings, ExposeType::LoadBalancer) {
            all.insert(full(&instance.namespace, instance.workload.identity.name.as_str()), json!([]));
        }
        for listener in model.flows.listeners.get(&at).into_iter().flatten() {
            let ranges = listener.source_ranges.iter().map(ToString::to_string).collect::<Vec<_>>();
            all.insert(full(&instance.namespace, &listener.name), ranges.into());
        }
    }
    all
}

/// Services of the type ExternalName, each with the name that it leads to.
fn external_names(model: &Model<'_>, cluster: usize, namespaces: &BTreeSet<&str>) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for namespace in namespaces.iter().filter_map(|name| model.namespaces.get(&(cluster, (*name).to_owned()))) {
        for alias in flows::aliases(model, namespace) {
            all.insert(full(&namespace.name, text(&alias["name"])), alias["externalName"].clone());
        }
    }
    all
}

/// Endpoint slices, each with the only address that may be in it.
fn slices(model: &Model<'_>, cluster: usize, namespaces: &BTreeSet<&str>) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for namespace in namespaces.iter().filter_map(|name| model.namespaces.get(&(cluster, (*name).to_owned()))) {
        for slice in flows::endpoints(model, namespace) {
            all.insert(full(&namespace.name, text(&slice["name"])), slice["address"].clone());
        }
    }
    all
}

/// Ingresses, each with the hosts that it may ask for and the Services that it may lead to; no host is the empty text.
fn ingresses(model: &Model<'_>, cluster: usize, namespaces: &BTreeSet<&str>) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (_, instance) in instances(model, cluster, namespaces) {
        let name = instance.workload.identity.name.as_str();
        let ingress = super::ingress(model, instance);
        if !ingress.is_null() {
            let host = ingress["host"].as_str().unwrap_or_default();
            all.insert(full(&instance.namespace, name), json!({ "hosts": [host], "services": [name] }));
        }
        for object in adopted(instance).filter(|object| object["kind"] == "Ingress") {
            let rules = || object["spec"]["rules"].as_array().into_iter().flatten();
            let default = &object["spec"]["defaultBackend"];
            let certified = object["spec"]["tls"].as_array().into_iter().flatten();
            let certified = certified.flat_map(|tls| tls["hosts"].as_array().into_iter().flatten()).map(text);
            let mut hosts: BTreeSet<&str> = rules().map(|rule| text(&rule["host"])).chain(certified).collect();
            if !default.is_null() {
                hosts.insert("");
            }
            let paths = rules().flat_map(|rule| rule["http"]["paths"].as_array().into_iter().flatten()).map(|path| &path["backend"]);
            let services: BTreeSet<&str> = paths.chain([default]).filter_map(|backend| backend["service"]["name"].as_str()).collect();
            all.insert(full(&instance.namespace, text(&object["metadata"]["name"])), json!({ "hosts": hosts, "services": services }));
        }
    }
    all
}

/// HTTP routes, each with the gateways that it may be attached to, the hosts that it may ask for and the Services that it may lead to.
fn routes(model: &Model<'_>, cluster: usize, namespaces: &BTreeSet<&str>) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (_, instance) in instances(model, cluster, namespaces) {
        let name = instance.workload.identity.name.as_str();
        let route = super::route(model, instance);
        if !route.is_null() {
            let parent = &route["parent"];
            let parent = full(parent["namespace"].as_str().unwrap_or(&instance.namespace), text(&parent["name"]));
            let host = route["host"].as_str().unwrap_or_default();
            all.insert(full(&instance.namespace, name), json!({ "parents": [parent], "hosts": [host], "services": [name] }));
        }
    }
    all
}

/// Objects of the Gateway API that a source brought along, as `<kind>/<namespace>/<name>`.
fn adopted_routes(model: &Model<'_>, cluster: usize, namespaces: &BTreeSet<&str>) -> BTreeSet<String> {
    let of = |instance: &Instance<'_>| -> Vec<String> {
        let routes = adopted(instance).filter(|object| is_route(object));
        routes.map(|object| format!("{}/{}", text(&object["kind"]), full(&instance.namespace, text(&object["metadata"]["name"])))).collect()
    };
    instances(model, cluster, namespaces).flat_map(|(_, instance)| of(instance)).collect()
}

/// The groups of the Gateway API.
const GATEWAY_API: [&str; 2] = ["gateway.networking.k8s.io", "gateway.networking.x-k8s.io"];

/// Whether an object is of the Gateway API.
pub(super) fn is_route(object: &Value) -> bool {
    text(&object["apiVersion"]).split_once('/').is_some_and(|(group, _)| GATEWAY_API.contains(&group))
}

/// The objects that a workload's source brought along.
pub(super) fn adopted<'a>(instance: &'a Instance<'_>) -> impl Iterator<Item = &'a Value> {
    instance.adopted.iter().flat_map(|adopted| &adopted.objects)
}

/// A text, or the empty one.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Maps that an expression each has room for; one at least.
fn chunks(all: BTreeMap<String, Value>) -> Vec<BTreeMap<String, Value>> {
    let mut chunks = vec![BTreeMap::new()];
    let mut room = EXPRESSION;
    for (key, value) in all {
        // Quotes and separators beside the key; a space after each separator in the value.
        let text = value.to_string();
        let needed = key.len() + text.len() + text.matches([',', ':']).count() + 6;
        if room < needed {
            chunks.push(BTreeMap::new());
            room = EXPRESSION;
        }
        room = room.saturating_sub(needed);
        if let Some(last) = chunks.last_mut() {
            last.insert(key, value);
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::{EXPRESSION, chunks};

    #[test]
    fn no_expression_is_longer_than_the_server_takes_and_none_is_lost() {
        let alias = |number| (format!("namespace/alias-{number}"), json!(format!("alias-{number}.namespace.svc.cluster.local")));
        let all: BTreeMap<_, _> = (0..3000).map(alias).collect();
        let parts = chunks(all.clone());
        assert!(parts.len() > 1);
        assert!(parts.iter().all(|part| serde_json::to_string(part).is_ok_and(|text| text.len() <= EXPRESSION)));
        assert_eq!(parts.into_iter().flatten().collect::<BTreeMap<_, _>>(), all);
        assert_eq!(chunks(BTreeMap::new()), [BTreeMap::new()]);
    }
}

//! What the guards of ways in and out see beyond names: the annotations that the tree writes on them, since a controller may open as much for an
//! annotation as for a field, and the hosts that nobody outside the tiers may ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::admission;
use super::guards::{adopted, full, instances, is_route, text};
use crate::inventory::pod::ExposeType;
use crate::model::Model;

/// How many hosts one expression of a policy holds: a host has 253 characters at most, and an expression 100,000.
const HOSTS: usize = 300;

/// Annotations that the tree writes on Services, by `namespace/name`; those without any are left out.
pub(super) fn on_services(model: &Model<'_>, cluster: usize, namespaces: &BTreeSet<&str>) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (at, instance) in instances(model, cluster, namespaces) {
        let settings = &instance.cascade.settings;
        let name = instance.workload.identity.name.as_str();
        let exposed = super::exposed(settings, ExposeType::LoadBalancer).then_some(settings);
        let headless = instance.governing_service.iter().filter(|service| *service != name);
        let headless = headless.map(|service| (service.clone(), instance.annotations.clone()));
        let own = headless.chain([(name.to_owned(), super::annotations(instance, exposed))]);
        let listeners = model.flows.listeners.get(&at).into_iter().flatten().map(|listener| {
            let stated = listener.annotations.iter().map(|(key, value)| (key.clone(), value.as_str().into()));
            (listener.name.clone(), Value::Object(stated.collect()))
        });
        let brought = adopted(instance).filter(|object| object["kind"] == "Service").map(of);
        all.extend(own.into_iter().chain(listeners).chain(brought).map(|(name, stated)| (full(&instance.namespace, &name), stated)));
    }
    stated(all)
}

/// Annotations that the tree writes on Ingresses, by `namespace/name`.
pub(super) fn on_ingresses(model: &Model<'_>, cluster: usize, namespaces: &BTreeSet<&str>) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (_, instance) in instances(model, cluster, namespaces) {
        let own = super::ingress(model, instance);
        let own = (!own.is_null()).then(|| (instance.workload.identity.name.as_str().to_owned(), own["annotations"].clone()));
        let brought = adopted(instance).filter(|object| object["kind"] == "Ingress").map(of);
        all.extend(own.into_iter().chain(brought).map(|(name, stated)| (full(&instance.namespace, &name), stated)));
    }
    stated(all)
}

/// Annotations that the tree writes on objects of the Gateway API, by `<kind>/<namespace>/<name>`.
pub(super) fn on_routes(model: &Model<'_>, cluster: usize, namespaces: &BTreeSet<&str>) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (_, instance) in instances(model, cluster, namespaces) {
        let path = |kind: &str, name: &str| format!("{kind}/{}", full(&instance.namespace, name));
        let own = super::route(model, instance);
        if !own.is_null() {
            all.insert(path("HTTPRoute", instance.workload.identity.name.as_str()), own["annotations"].clone());
        }
        for object in adopted(instance).filter(|object| is_route(object)) {
            let (name, stated) = of(object);
            all.insert(path(text(&object["kind"]), &name), stated);
        }
    }
    stated(all)
}

/// An object's name and annotations.
fn of(object: &Value) -> (String, Value) {
    (text(&object["metadata"]["name"]).to_owned(), object["metadata"]["annotations"].clone())
}

fn stated(all: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    all.into_iter().filter(|(_, stated)| stated.as_object().is_some_and(|stated| !stated.is_empty())).collect()
}

/// `cluster.guards.outside`: what holds in every namespace that is no tier's, once: `tiers` (the tiers' namespaces), `listed` (those and the
/// platform's), `hosts` (which the inventory declares on this cluster, in lower case, as lists that an expression each has room for) and `below`
/// (what a host ends with where one of them is a wildcard). Empty where no tier has a namespace.
pub(super) fn outside(model: &Model<'_>, cluster: usize) -> Vec<Value> {
    let tiers: BTreeSet<&str> = model.namespaces_on(cluster).map(|namespace| namespace.name.as_str()).collect();
    if tiers.is_empty() {
        return Vec::new();
    }
    let hosts: Vec<String> = hosts(model, cluster, &tiers).into_iter().collect();
    let below: Vec<&str> = hosts.iter().filter_map(|host| host.strip_prefix('*')).collect();
    let mut parts: Vec<&[String]> = hosts.chunks(HOSTS).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    vec![json!({ "tiers": tiers, "listed": admission::listed(model, cluster), "hosts": parts, "below": below })]
}

/// The hosts of the tiers' Ingresses, routes and listeners on a cluster.
fn hosts(model: &Model<'_>, cluster: usize, namespaces: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut add = |host: &str| {
        if !host.is_empty() {
            all.insert(host.to_ascii_lowercase());
        }
    };
    for (at, instance) in instances(model, cluster, namespaces) {
        add(text(&super::ingress(model, instance)["host"]));
        add(text(&super::route(model, instance)["host"]));
        model.flows.listeners.get(&at).into_iter().flatten().flat_map(|listener| &listener.hosts).for_each(|host| add(host));
        let each = |value: &Value, see: &mut dyn FnMut(&Value)| value.as_array().into_iter().flatten().for_each(see);
        for spec in adopted(instance).filter(|object| object["kind"] == "Ingress" || is_route(object)).map(|object| &object["spec"]) {
            each(&spec["hostnames"], &mut |host| add(text(host)));
            each(&spec["rules"], &mut |rule| add(text(&rule["host"])));
            each(&spec["tls"], &mut |tls| each(&tls["hosts"], &mut |host| add(text(host))));
        }
    }
    all
}

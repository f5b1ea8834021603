//! What templates see of flows: the aliases of a namespace, the listeners of a workload and of a cluster.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::flows::{Alias, Destination, ListenerService, between, family};
use crate::model::{Model, Namespace};

/// `namespace.aliases`: name, labels, annotations, externalName, ports (name, port, protocol).
pub fn aliases(model: &Model<'_>, namespace: &Namespace) -> Vec<Value> {
    let view = |(name, alias): (&String, &Alias)| {
        let leads_to = match &alias.destination {
            Destination::Name(name) => name.clone(),
            Destination::Address(address) => {
                format!("{}.{}.svc.{}", between(name, address), namespace.name, model.clusters.all[namespace.cluster].domain())
            }
        };
        json!({
            "name": name,
            "labels": { "app.kubernetes.io/managed-by": "ringfence" },
            "annotations": annotations(model, alias),
            "externalName": leads_to,
            "ports": ports(alias),
        })
    };
    of(model, namespace).map(view).collect()
}

/// `namespace.endpoints`: name, alias, labels, sliceLabels, annotations, address, family, families (where the cluster has both), ports.
pub fn endpoints(model: &Model<'_>, namespace: &Namespace) -> Vec<Value> {
    let dual_stack = model.clusters.all[namespace.cluster].is_dual_stack();
    let view = |(alias_name, alias): (&String, &Alias)| {
        let Destination::Address(address) = &alias.destination else { return None };
        let name = between(alias_name, address);
        Some(json!({
            "name": name,
            "alias": alias_name,
            "labels": { "app.kubernetes.io/managed-by": "ringfence" },
            "sliceLabels": {
                "app.kubernetes.io/managed-by": "ringfence",
                "endpointslice.kubernetes.io/managed-by": "ringfence",
                "kubernetes.io/service-name": name,
            },
            "annotations": annotations(model, alias),
            "address": address.to_string(),
            "family": family(address),
            "families": if dual_stack { json!([family(address)]) } else { json!([]) },
            "ports": ports(alias),
        }))
    };
    of(model, namespace).filter_map(view).collect()
}

fn of<'m>(model: &'m Model<'_>, namespace: &Namespace) -> impl Iterator<Item = (&'m String, &'m Alias)> {
    model.flows.aliases.get(&(namespace.cluster, namespace.name.clone())).into_iter().flatten()
}

fn annotations(model: &Model<'_>, alias: &Alias) -> Value {
    json!({ format!("{}/alias-of", model.fleet.label_domain.value): alias.target })
}

/// The ports of an alias; one name for two numbers tells them apart by these.
fn ports(alias: &Alias) -> Vec<Value> {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for name in alias.ports.values() {
        *uses.entry(name).or_default() += 1;
    }
    let named = |(&(number, protocol), name): (&(u16, &str), &String)| {
        let name = if uses[name.as_str()] > 1 { format!("{name}-{number}") } else { name.clone() };
        json!({ "name": name, "port": number, "protocol": protocol })
    };
    alias.ports.iter().map(named).collect()
}

/// `workload.listeners`: name, address, families, annotations, ports (name, port, protocol, targetPort), sourceRanges; `loadBalancerIP` is null
/// where an annotation asks for the address.
pub fn listeners(model: &Model<'_>, at: usize) -> Vec<Value> {
    model.flows.listeners.get(&at).into_iter().flatten().map(|listener| view(model, listener)).collect()
}

fn view(model: &Model<'_>, listener: &ListenerService) -> Value {
    let address = listener.address.to_string();
    let gateways: Vec<&str> = listener.gateways.iter().map(String::as_str).collect();
    let own = [(format!("{}/gateways", model.fleet.label_domain.value), gateways.join(", ").into())];
    let stated = listener.annotations.iter().map(|(key, value)| (key.clone(), value.as_str().into()));
    let mut port = json!({
        "name": listener.port.name.as_str(),
        "port": listener.number,
        "protocol": listener.port.protocol.map_or("TCP", |protocol| protocol.as_str()),
        "targetPort": listener.port.name.as_str(),
    });
    if let Some(spoken) = &listener.port.app_protocol {
        port["appProtocol"] = spoken.as_str().into();
    }
    json!({
        "name": listener.name,
        "loadBalancerIP": (!listener.asks_by_annotation()).then_some(address),
        "families": if listener.dual_stack { json!([family(&listener.address)]) } else { json!([]) },
        "annotations": stated.chain(own).collect::<Map<_, _>>(),
        "ports": [port],
        "sourceRanges": listener.source_ranges.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// `cluster.listeners`: namespace, name, address, port, hosts, gateways; by namespace and name.
pub fn listeners_of(model: &Model<'_>, cluster: usize) -> Vec<Value> {
    let all = model.flows.listeners.iter().flat_map(|(at, listeners)| listeners.iter().map(|listener| (&model.instances[*at], listener)));
    let mut here: Vec<_> = all.filter(|(instance, _)| instance.cluster == cluster).collect();
    here.sort_by_key(|(instance, listener)| (&instance.namespace, &listener.name));
    let value = |(instance, listener): (&crate::model::Instance<'_>, &ListenerService)| {
        json!({
            "namespace": instance.namespace,
            "name": listener.name,
            "address": listener.address.to_string(),
            "port": listener.number,
            "hosts": listener.hosts,
            "gateways": listener.gateways,
        })
    };
    here.into_iter().map(value).collect()
}

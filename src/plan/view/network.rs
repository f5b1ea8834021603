//! What templates see of what may flow: the policies of a namespace in both dialects, the guards of tiers, and what the people of the
//! network have to know.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::model::monitoring::Watch;
use crate::model::network::cni::{Capabilities, Encryption, Guard, capabilities};
use crate::model::network::{Direction, NAME_SERVERS, NAMESPACE_NAME, Peer, Policy, metrics_ports, of_address};
use crate::model::{Host, Model, Namespace, platform};

mod guards;

/// The label by which Cilium knows a pod's namespace.
pub(super) const CILIUM_NAMESPACE: &str = "k8s:io.kubernetes.pod.namespace";

/// The most rules, peers and ranges that one `ClusterNetworkPolicy` takes in each list.
pub(super) const MOST: usize = 25;

/// What of a namespace is of the network: `policies` and `ciliumPolicies`, each with name, file, labels, annotations and `spec`.
pub fn namespace(model: &Model<'_>, namespace: &Namespace) -> Value {
    let all = model.network.policies.get(&(namespace.cluster, namespace.name.clone()));
    let (cilium, plain): (Vec<&Policy>, Vec<&Policy>) =
        all.into_iter().flatten().partition(|policy| policy.peers.iter().any(Peer::is_cilium_s));
    let view = |policy: &Policy, spec: Value| {
        let file =
            policy.workload.as_ref().map_or_else(|| "network-policies".to_owned(), |workload| format!("network-policies.{workload}"));
        json!({
            "name": policy.name,
            "file": file,
            "labels": labels(model, Some(model.tiers.name(namespace.tier))),
            "annotations": annotations(model, policy),
            "spec": spec,
        })
    };
    json!({
        "policies": plain.into_iter().map(|policy| view(policy, spec(model, policy))).collect::<Vec<_>>(),
        "ciliumPolicies": cilium.into_iter().map(|policy| view(policy, cilium_spec(model, &model.clusters.all[namespace.cluster], policy))).collect::<Vec<_>>(),
    })
}

/// What of a cluster is of the network: `closed` (namespaces of the platform in which nothing may run), `ciliumGuards` and `clusterGuards`
/// (name, labels and specs), `plugin` (title, version, encryptionSecret, encryption, guarded, facts, residual, and `metrics` with what reaches them), `open` (namespaces that are not closed),
/// `callers` and `called` (what has to be open between clusters).
pub fn cluster(model: &Model<'_>, at: usize) -> Value {
    let host = &model.clusters.all[at];
    let can = capabilities(&host.raw.cni);
    let closed = closed(model, at);
    let here = platform::namespaces(model.inventory, host, model.deliveries.of(at)).into_iter();
    let open = here.filter(|namespace| namespace.present && !closed.contains(&namespace.name)).map(|namespace| namespace.name);
    let guards = model.network.guards.get(&at).map_or(&[][..], Vec::as_slice);
    json!({
        "closed": closed,
        "open": open.collect::<Vec<_>>(),
        "ciliumGuards": if can.guard == Some(Guard::Cilium) { guards::cilium(model, guards) } else { Vec::new() },
        "clusterGuards": if can.guard == Some(Guard::Kubernetes) { guards::kubernetes(model, guards) } else { Vec::new() },
        "plugin": plugin(model, host, &can),
        "pods": host.raw.network.pods.iter().map(|range| range.to_string()).collect::<Vec<_>>(),
        "callers": called(model, at),
        "called": callers(model, at),
    })
}

/// Namespaces of Kubernetes' own in which nothing may run, unless the inventory says that the platform uses them.
fn closed(model: &Model<'_>, at: usize) -> Vec<String> {
    let host = &model.clusters.all[at];
    let all = platform::namespaces(model.inventory, host, model.deliveries.of(at));
    let unused = |namespace: &platform::PlatformNamespace| namespace.builtin && namespace.origin == host.raw.name.span;
    all.into_iter().filter(|namespace| namespace.name == "default" && unused(namespace)).map(|namespace| namespace.name).collect()
}

fn plugin(model: &Model<'_>, host: &Host<'_>, can: &Capabilities) -> Value {
    let cni = &host.raw.cni;
    let scraper = Watch::of(model.inventory, host).map(|watch| watch.namespace);
    let word = |yes: bool| if yes { "yes" } else { "no" };
    json!({
        "name": cni.name.as_str(),
        "title": can.title,
        "version": cni.version.as_ref().map(|version| version.value.as_str()),
        "encryptionSecret": cni.encryption_secret.as_ref().map(|secret| secret.as_str()),
        "encryption": match can.encryption {
            Encryption::Password => "password",
            Encryption::Keys => "keys",
            Encryption::OwnKeys => "own-keys",
        },
        "secretNamespace": NAME_SERVERS,
        "guarded": can.guard.is_some(),
        "nodeCache": host.raw.network.dns.as_ref().and_then(|dns| dns.node_local.as_ref()).map(|address| address.as_str()),
        "facts": [
            { "what": "keeps a pod from the addresses of its own node", "answer": word(can.closes_own_node) },
            { "what": "a range of addresses also means pods of the cluster", "answer": word(can.ranges_hold_pods) },
            { "what": "a range of addresses also means nodes of the cluster", "answer": word(can.ranges_hold_nodes) },
            { "what": "flows to names", "answer": word(can.names) },
            { "what": "ports by name; the tree uses numbers alone", "answer": word(can.named_ports) },
            { "what": "ranges of ports; the tree has none", "answer": word(can.port_ranges) },
            { "what": "rules above those of namespaces", "answer": match can.guard {
                Some(Guard::Cilium) => "yes, CiliumClusterwideNetworkPolicy",
                Some(Guard::Kubernetes) => "yes, ClusterNetworkPolicy",
                None => "no",
            } },
            { "what": "IPv6", "answer": word(can.ipv6) },
            { "what": "its metrics count what policies deny", "answer": word(can.counts_denied) },
        ],
        "residual": can.residual,
        "metrics": metrics_ports::of(cni.name.value).iter().map(metrics_port).collect::<Vec<_>>(),
        "metricsReachedBy": metrics_ports::reached_by(cni.name.value, scraper),
    })
}

fn metrics_port(port: &metrics_ports::MetricsPort) -> Value {
    json!({ "of": port.of, "port": port.port, "on": port.on, "turnedOnBy": port.turned_on_by, "boundBy": port.bound_by })
}

/// Labels of an object of the network.
fn labels(model: &Model<'_>, tier: Option<&str>) -> Value {
    let own = [("app.kubernetes.io/managed-by".to_owned(), "ringfence".into())];
    let tier = tier.map(|tier| (format!("{}/tier", model.fleet.label_domain.value), tier.into()));
    own.into_iter().chain(tier).collect::<Map<String, Value>>().into()
}

fn annotations(model: &Model<'_>, policy: &Policy) -> Value {
    let domain = &model.fleet.label_domain.value;
    let gateways = policy.gateways.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let mut annotations = json!({ format!("{domain}/purpose"): policy.purpose });
    if !gateways.is_empty() {
        annotations[format!("{domain}/gateways")] = gateways.into();
    }
    annotations
}

/// The label by which policies know a workload's pods.
fn workload_label(model: &Model<'_>) -> String {
    format!("{}/workload", model.fleet.label_domain.value)
}

fn selector(labels: impl IntoIterator<Item = (String, String)>) -> Value {
    let labels: Map<String, Value> = labels.into_iter().map(|(key, value)| (key, value.into())).collect();
    if labels.is_empty() { json!({}) } else { json!({ "matchLabels": labels }) }
}

/// The spec of a `NetworkPolicy`.
fn spec(model: &Model<'_>, policy: &Policy) -> Value {
    let own = policy.workload.iter().map(|workload| (workload_label(model), workload.clone()));
    let peers: Vec<Value> = policy.peers.iter().map(|peer| self::peer(model, peer)).collect();
    let (direction, key, ends) = match policy.direction {
        Direction::Ingress => ("Ingress", "ingress", "from"),
        Direction::Egress => ("Egress", "egress", "to"),
    };
    let mut rule = json!({ ends: peers });
    if !policy.ports.is_empty() {
        rule["ports"] = policy.ports.iter().map(|(port, protocol)| json!({ "port": port, "protocol": protocol })).collect();
    }
    json!({ "podSelector": selector(own), "policyTypes": [direction], key: [rule] })
}

/// One element of `from` or `to`: namespace and pods in one, so that both have to be right.
fn peer(model: &Model<'_>, peer: &Peer) -> Value {
    let pods = |namespace: &str, pods: Value| json!({ "namespaceSelector": { "matchLabels": { NAMESPACE_NAME: namespace } }, "podSelector": pods });
    match peer {
        Peer::Workload { namespace, workload } => pods(namespace, selector([(workload_label(model), workload.clone())])),
        Peer::Pods { namespace, labels } => pods(namespace, selector(labels.clone())),
        Peer::Namespaces(names) => {
            json!({ "namespaceSelector": { "matchExpressions": [{ "key": NAMESPACE_NAME, "operator": "In", "values": names }] } })
        }
        Peer::Range { range, except } if except.is_empty() => json!({ "ipBlock": { "cidr": range.to_string() } }),
        Peer::Range { range, except } => {
            json!({ "ipBlock": { "cidr": range.to_string(), "except": except.iter().map(ToString::to_string).collect::<Vec<_>>() } })
        }
        // Such a policy is not written in this dialect.
        Peer::Name(_) | Peer::Entity(_) => Value::Null,
    }
}

/// The spec of a `CiliumNetworkPolicy`.
fn cilium_spec(model: &Model<'_>, host: &Host<'_>, policy: &Policy) -> Value {
    let own = policy.workload.iter().map(|workload| (format!("k8s:{}", workload_label(model)), workload.clone()));
    let ports = |numbers: &BTreeSet<(u16, &str)>| -> Vec<Value> {
        numbers.iter().map(|(port, protocol)| json!({ "port": port.to_string(), "protocol": protocol })).collect()
    };
    let entities: Vec<&str> =
        policy.peers.iter().filter_map(|peer| if let Peer::Entity(name) = peer { Some(*name) } else { None }).collect();
    let names = policy.peers.iter().filter_map(|peer| if let Peer::Name(name) = peer { Some(name) } else { None });
    let names: Vec<Value> =
        names.map(|name| if name.starts_with("*.") { json!({ "matchPattern": name }) } else { json!({ "matchName": name }) }).collect();
    let (key, ends) = match policy.direction {
        Direction::Ingress => ("ingress", "fromEntities"),
        Direction::Egress => ("egress", "toEntities"),
    };
    let mut rules = Vec::new();
    if !entities.is_empty() {
        rules.push(json!({ ends: entities, "toPorts": [{ "ports": ports(&policy.ports) }] }));
    }
    if !names.is_empty() {
        // Cilium opens the addresses that it saw a name server answer, so the answers have to pass its own eyes.
        let server = |app: &str| json!({ "matchLabels": { CILIUM_NAMESPACE: NAME_SERVERS, "k8s:k8s-app": app } });
        let seen = json!({ "ports": ports(&BTreeSet::from([(53, "TCP"), (53, "UDP")])), "rules": { "dns": [{ "matchPattern": "*" }] } });
        let cached = host.raw.network.dns.as_ref().is_some_and(|dns| dns.node_local.is_some());
        let servers: Vec<Value> = [Some("kube-dns"), cached.then_some("node-local-dns")].into_iter().flatten().map(server).collect();
        rules.push(json!({ "toEndpoints": servers, "toPorts": [seen] }));
        rules.push(json!({ "toFQDNs": names, "toPorts": [{ "ports": ports(&policy.ports) }] }));
    }
    json!({ "endpointSelector": selector(own), key: rules })
}

/// Where this cluster's workloads call other clusters: cluster, sources, address, port, protocol, gateways.
fn called(model: &Model<'_>, at: usize) -> Vec<Value> {
    between(model, |caller, _| caller == at, |_, target| target)
}

/// Who of other clusters calls this one.
fn callers(model: &Model<'_>, at: usize) -> Vec<Value> {
    between(model, |_, target| target == at, |caller, _| caller)
}

/// What has to be open between clusters, one line for each pair and listener; `other` is the end that the reader does not run.
fn between(model: &Model<'_>, ours: impl Fn(usize, usize) -> bool, other: impl Fn(usize, usize) -> usize) -> Vec<Value> {
    let mut lines: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for flow in &model.flows.all {
        let (Some(listener), Some(gateway)) = (flow.listener, flow.gateway) else { continue };
        let (caller, target) = (model.instances[flow.caller].cluster, model.instances[flow.target].cluster);
        if !ours(caller, target) {
            continue;
        }
        let network = &model.clusters.all[caller].raw.network;
        let address = listener.address.ip();
        let same_family = |range: &&ipnet::IpNet| range.addr().is_ipv4() == address.is_ipv4();
        let sources: Vec<ipnet::IpNet> = network.egress.as_ref().unwrap_or(&network.nodes).iter().map(|range| range.net()).collect();
        let sources: Vec<String> = sources.iter().filter(same_family).map(ToString::to_string).collect();
        let protocol = flow.port.protocol.map_or("TCP", |protocol| protocol.as_str());
        let line = (model.clusters.name(other(caller, target)), sources, of_address(address).to_string(), listener.port.value, protocol);
        lines.entry(line).or_default().insert(gateway.name.as_str());
    }
    let value = |((cluster, sources, address, port, protocol), gateways): (_, BTreeSet<&str>)| {
        let (cluster, sources, address, port, protocol): (&str, Vec<String>, String, u16, &str) =
            (cluster, sources, address, port, protocol);
        json!({ "cluster": cluster, "sources": sources, "address": address, "port": port, "protocol": protocol, "gateways": gateways })
    };
    lines.into_iter().map(value).collect()
}

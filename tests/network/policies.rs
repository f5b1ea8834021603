//! Policies as the API and the network plugins read them: a pod is open until a policy selects it, then open to what any policy lets through;
//! what is denied for the whole cluster comes first. Whatever a policy says that is not understood here fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use crate::endpoints::Endpoint;

/// Which way traffic goes, as the pod sees it whose policies are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To it.
    Ingress,
    /// From it.
    Egress,
}

/// A port and its protocol.
pub type Port = (u16, &'static str);

/// What a rule says of ports.
enum Ports {
    All,
    One(u16, String),
}

impl Ports {
    fn holds(&self, port: Port) -> bool {
        match self {
            Self::All => true,
            Self::One(number, protocol) => (*number, protocol.as_str()) == port,
        }
    }
}

/// The policies of a cluster.
#[derive(Clone, Debug)]
pub struct Policies {
    /// How the plugin reads ranges: whether they hold pods and nodes of the cluster.
    ranges_hold_cluster: bool,
    /// Those of namespaces.
    pub of_namespaces: BTreeMap<String, Vec<Value>>,
    /// Those of the whole cluster.
    pub of_cluster: Vec<Value>,
}

impl Policies {
    /// The policies among a cluster's objects.
    pub fn of<'o>(plugin: &str, objects: impl Iterator<Item = &'o Value>) -> Self {
        let mut policies = Self { ranges_hold_cluster: plugin != "cilium", of_namespaces: BTreeMap::new(), of_cluster: Vec::new() };
        for object in objects {
            match text(&object["kind"]) {
                "NetworkPolicy" | "CiliumNetworkPolicy" => {
                    let namespace = text(&object["metadata"]["namespace"]).to_owned();
                    policies.of_namespaces.entry(namespace).or_default().push(object.clone());
                }
                // What is of nodes is of no pod.
                "CiliumClusterwideNetworkPolicy" if object["spec"]["nodeSelector"].is_object() => {}
                "CiliumClusterwideNetworkPolicy" | "ClusterNetworkPolicy" => policies.of_cluster.push(object.clone()),
                _ => {}
            }
        }
        policies.of_cluster.sort_by_key(|policy| policy["spec"]["priority"].as_u64());
        policies
    }

    /// Those of some ports at which a pod's own policies let traffic through.
    pub fn open(&self, direction: Direction, pod: &Endpoint, other: &Endpoint, ports: &BTreeSet<Port>) -> BTreeSet<Port> {
        let Some(namespace) = &pod.namespace else { return ports.clone() };
        let mut isolated = false;
        let mut open = BTreeSet::new();
        for policy in self.of_namespaces.get(namespace).into_iter().flatten() {
            let rules = if policy["kind"] == "NetworkPolicy" {
                self.network_policy(&policy["spec"], direction, namespace, pod, other)
            } else {
                cilium_policy(&policy["spec"], direction, namespace, pod, other)
            };
            isolated |= rules.is_some();
            for rule in rules.into_iter().flatten() {
                open.extend(ports.iter().filter(|port| rule.iter().any(|allowed| allowed.holds(**port))).copied());
            }
        }
        let specs = || self.of_cluster.iter().flat_map(|policy| list(&policy["specs"]));
        isolated |= direction == Direction::Egress && specs().any(|spec| cilium_selects(&spec["endpointSelector"], pod, None));
        let mut open = if isolated { open } else { ports.clone() };
        if !open.is_empty() && direction == Direction::Egress {
            open.retain(|port| !specs().any(|spec| is_denied(spec, pod, other)) && !self.is_refused(pod, other, *port));
        }
        open
    }

    /// What a `NetworkPolicy` lets through by each rule that fits the other end; nothing where it is not of this pod and direction.
    fn network_policy(
        &self,
        spec: &Value,
        direction: Direction,
        namespace: &str,
        pod: &Endpoint,
        other: &Endpoint,
    ) -> Option<Vec<Vec<Ports>>> {
        known(spec, &["podSelector", "policyTypes", "ingress", "egress"]);
        let (name, rules, ends) = match direction {
            Direction::Ingress => ("Ingress", &spec["ingress"], "from"),
            Direction::Egress => ("Egress", &spec["egress"], "to"),
        };
        if !list(&spec["policyTypes"]).iter().any(|kind| kind == name) || !selects(&spec["podSelector"], &pod.labels) {
            return None;
        }
        let fits = |rule: &&Value| {
            known(rule, &[ends, "ports"]);
            rule[ends].is_null() || list(&rule[ends]).iter().any(|peer| self.peer(peer, namespace, other))
        };
        Some(list(rules).iter().filter(fits).map(ports_of).collect())
    }

    /// Whether a `ClusterNetworkPolicy` refuses, before what is passed on.
    fn is_refused(&self, pod: &Endpoint, other: &Endpoint, port: Port) -> bool {
        for policy in self.of_cluster.iter().filter(|policy| policy["kind"] == "ClusterNetworkPolicy") {
            match self.cluster_policy(&policy["spec"], pod, other, port) {
                Some("Deny") => return true,
                Some("Pass") => return false,
                None => {}
                Some(action) => panic!("{action} would open what no namespace opens"),
            }
        }
        false
    }

    fn peer(&self, peer: &Value, namespace: &str, other: &Endpoint) -> bool {
        known(peer, &["ipBlock", "namespaceSelector", "podSelector"]);
        if !peer["ipBlock"].is_null() {
            known(&peer["ipBlock"], &["cidr", "except"]);
            return (self.ranges_hold_cluster || other.is_outside())
                && holds(&peer["ipBlock"]["cidr"], other.address)
                && !list(&peer["ipBlock"]["except"]).iter().any(|except| holds(except, other.address));
        }
        let Some(of) = &other.namespace else { return false };
        let namespace_fits =
            if peer["namespaceSelector"].is_null() { of == namespace } else { selects(&peer["namespaceSelector"], &named(of)) };
        namespace_fits && (peer["podSelector"].is_null() || selects(&peer["podSelector"], &other.labels))
    }

    /// The action of a `ClusterNetworkPolicy` of the tier `Admin`.
    fn cluster_policy<'p>(&self, spec: &'p Value, pod: &Endpoint, other: &Endpoint, port: Port) -> Option<&'p str> {
        known(spec, &["tier", "priority", "subject", "egress"]);
        assert_eq!(spec["tier"], "Admin");
        let is = |peer: &Value, end: &Endpoint| {
            known(peer, &["namespaces", "pods", "networks"]);
            let pods = &peer["pods"];
            let of = end.namespace.as_ref().map(|namespace| named(namespace));
            of.as_ref().is_some_and(|of| !peer["namespaces"].is_null() && selects(&peer["namespaces"], of))
                || of.is_some_and(|of| {
                    !pods.is_null() && selects(&pods["namespaceSelector"], &of) && selects(&pods["podSelector"], &end.labels)
                })
                || list(&peer["networks"]).iter().any(|range| holds(range, end.address))
        };
        assert!(self.ranges_hold_cluster, "Cilium has policies of its own for that");
        if !is(&spec["subject"], pod) {
            return None;
        }
        let fits = |rule: &&Value| {
            known(rule, &["name", "action", "to", "protocols"]);
            let spoken = |protocol: &Value| protocol[port.1.to_lowercase()]["destinationPort"]["number"] == port.0;
            list(&rule["to"]).iter().any(|peer| is(peer, other))
                && (rule["protocols"].is_null() || list(&rule["protocols"]).iter().any(spoken))
        };
        list(&spec["egress"]).iter().find(fits).map(|rule| text(&rule["action"]))
    }
}

/// What a `CiliumNetworkPolicy` lets through by each rule that fits the other end; nothing where it is not of this pod and direction.
fn cilium_policy(spec: &Value, direction: Direction, namespace: &str, pod: &Endpoint, other: &Endpoint) -> Option<Vec<Vec<Ports>>> {
    known(spec, &["endpointSelector", "ingress", "egress"]);
    let (rules, ends) = match direction {
        Direction::Ingress => (&spec["ingress"], "from"),
        Direction::Egress => (&spec["egress"], "to"),
    };
    if rules.is_null() || !cilium_selects(&spec["endpointSelector"], pod, Some(namespace)) {
        return None;
    }
    let fitting = list(rules).iter().filter(|rule| cilium_peer(rule, ends, Some(namespace), other));
    Some(fitting.map(cilium_ports).collect())
}

/// Whether one of Cilium's denials is of a pod, and fits the other end.
fn is_denied(spec: &Value, pod: &Endpoint, other: &Endpoint) -> bool {
    known(spec, &["endpointSelector", "egressDeny"]);
    let fits = |rule: &Value| {
        assert!(rule["toPorts"].is_null(), "a denial of some ports is not expected");
        cilium_peer(rule, "to", None, other)
    };
    cilium_selects(&spec["endpointSelector"], pod, None) && list(&spec["egressDeny"]).iter().any(fits)
}

fn cilium_peer(rule: &Value, ends: &str, namespace: Option<&str>, other: &Endpoint) -> bool {
    let [endpoints, entities, ranges, names] = ["Endpoints", "Entities", "CIDR", "FQDNs"].map(|what| format!("{ends}{what}"));
    known(rule, &[&endpoints, &entities, &ranges, &names, "toPorts"]);
    let named = |name: &Value| {
        known(name, &["matchName", "matchPattern"]);
        let pattern = name["matchPattern"].as_str().and_then(|pattern| pattern.strip_prefix('*'));
        other.names.iter().any(|found| name["matchName"] == found.as_str() || pattern.is_some_and(|end| found.ends_with(end)))
    };
    list(&rule[&endpoints]).iter().any(|selector| cilium_selects(selector, other, namespace))
        || list(&rule[&entities]).iter().any(|entity| entity == "all" || other.entities.contains(text(entity)))
        || list(&rule[&ranges]).iter().any(|range| other.is_outside() && holds(range, other.address))
        || list(&rule[&names]).iter().any(named)
}

fn cilium_ports(rule: &Value) -> Vec<Ports> {
    if rule["toPorts"].is_null() {
        return vec![Ports::All];
    }
    let ports = list(&rule["toPorts"]).iter().flat_map(|allowed| {
        known(allowed, &["ports", "rules"]);
        list(&allowed["ports"])
    });
    ports
        .map(|port| {
            known(port, &["port", "protocol"]);
            Ports::One(text(&port["port"]).parse().unwrap(), text(&port["protocol"]).to_owned())
        })
        .collect()
}

/// Cilium's selectors see a pod's namespace as one of its labels; those of a namespace's policy mean its own where they say no other.
fn cilium_selects(selector: &Value, end: &Endpoint, within: Option<&str>) -> bool {
    const NAMESPACE: &str = "k8s:io.kubernetes.pod.namespace";
    let Some(namespace) = &end.namespace else { return false };
    let mut labels: BTreeMap<String, String> = end.labels.iter().map(|(key, value)| (format!("k8s:{key}"), value.clone())).collect();
    labels.insert(NAMESPACE.to_owned(), namespace.clone());
    let says = !selector["matchLabels"][NAMESPACE].is_null()
        || list(&selector["matchExpressions"]).iter().any(|expression| expression["key"] == NAMESPACE);
    (says || within.is_none_or(|own| own == namespace)) && selects(selector, &labels)
}

/// Kubernetes' label selectors.
fn selects(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    known(selector, &["matchLabels", "matchExpressions"]);
    let equal = selector["matchLabels"]
        .as_object()
        .is_none_or(|wanted| wanted.iter().all(|(key, value)| labels.get(key).map(String::as_str) == value.as_str()));
    let fits = |expression: &Value| {
        let value = labels.get(text(&expression["key"]));
        let among = value.is_some_and(|value| list(&expression["values"]).iter().any(|wanted| wanted == value.as_str()));
        match text(&expression["operator"]) {
            "In" => among,
            "NotIn" => !among,
            other => panic!("the operator {other} is not expected"),
        }
    };
    equal && list(&selector["matchExpressions"]).iter().all(fits)
}

fn ports_of(rule: &Value) -> Vec<Ports> {
    if rule["ports"].is_null() {
        return vec![Ports::All];
    }
    let one = |allowed: &Value| {
        known(allowed, &["port", "protocol"]);
        // A name would make Weave Net reject the whole policy.
        let number = allowed["port"].as_u64().unwrap_or_else(|| panic!("{allowed}: a port is a number"));
        Ports::One(u16::try_from(number).unwrap(), text(&allowed["protocol"]).to_owned())
    };
    list(&rule["ports"]).iter().map(one).collect()
}

fn holds(range: &Value, address: IpAddr) -> bool {
    text(range).parse::<IpNet>().unwrap().contains(&address)
}

/// The labels of a Namespace that Kubernetes itself keeps.
fn named(namespace: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), namespace.to_owned())])
}

fn known(value: &Value, keys: &[&str]) {
    let found: BTreeSet<&str> = value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    let unknown: Vec<_> = found.into_iter().filter(|key| !keys.contains(key)).collect();
    assert!(unknown.is_empty(), "{unknown:?} of {value} is not understood here");
}

/// A list; empty where there is none.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text; empty where there is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

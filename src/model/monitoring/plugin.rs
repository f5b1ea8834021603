//! Where a network plugin answers about itself: what it dropped, and whether it still enforces anything.
//!
//! A plugin's pods share their node's network and may declare no ports, so that each port is reached at the node's address by its number.

use crate::inventory::cluster::CniName;
use crate::model::Host;

/// A port at which a container of a network plugin answers.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// What the job and the endpoint are called.
    pub name: &'static str,
    /// Labels that its pods have.
    pub pods: &'static [(&'static str, &'static str)],
    /// The container. Others of the pod, such as one that prepares the node, answer nothing.
    pub container: &'static str,
    /// The port.
    pub port: u16,
    /// Where its metrics are.
    pub path: &'static str,
    /// Whether the pods are at their node's address.
    pub at_node: bool,
    /// The metrics that are kept, as an expression; all if none is stated.
    pub kept: Option<&'static str>,
}

/// Weave Net's router, and its controller of network policies: no port of either is declared in the DaemonSet.
const WEAVE: [Endpoint; 2] = [weave("weave", 6782), weave("weave-npc", 6781)];

const fn weave(container: &'static str, port: u16) -> Endpoint {
    at_node(container, &[("name", "weave-net")], container, port)
}

const CILIUM_AGENT: &[(&str, &str)] = &[("k8s-app", "cilium")];

/// Cilium's chart: agent, operator and proxy of each node. Of Hubble just what tells of drops and verdicts is kept: what else it may be asked for (flows by
/// address, by name, by path) has a series for each of these.
const CILIUM: [Endpoint; 4] = [
    at_node("cilium", CILIUM_AGENT, "cilium-agent", 9962),
    at_node("cilium-envoy", &[("k8s-app", "cilium-envoy")], "cilium-envoy", 9964),
    at_node("cilium-operator", &[("io.cilium/app", "operator"), ("name", "cilium-operator")], "cilium-operator", 9963),
    Endpoint { kept: Some("hubble_(drop|lost_events|policy_verdicts)_total"), ..at_node("hubble", CILIUM_AGENT, "cilium-agent", 9965) },
];

/// Calico, by its manifest or by its operator. Typha's 9093 is the convention where it shares nodes with Felix; its controllers have an address of their own.
const CALICO: [Endpoint; 3] = [
    at_node("calico-felix", &[("k8s-app", "calico-node")], "calico-node", 9091),
    at_node("calico-typha", &[("k8s-app", "calico-typha")], "calico-typha", 9093),
    Endpoint {
        at_node: false,
        ..at_node("calico-kube-controllers", &[("k8s-app", "calico-kube-controllers")], "calico-kube-controllers", 9094)
    },
];

const fn at_node(name: &'static str, pods: &'static [(&'static str, &'static str)], container: &'static str, port: u16) -> Endpoint {
    Endpoint { name, pods, container, port, path: "/metrics", at_node: true, kept: None }
}

/// What a cluster's network plugin answers.
pub fn endpoints(host: &Host<'_>) -> &'static [Endpoint] {
    match host.raw.cni.name.value {
        CniName::Weave => &WEAVE,
        CniName::Cilium => &CILIUM,
        CniName::Calico => &CALICO,
    }
}

/// The namespaces of a network plugin's pods: Kubernetes' own, and that of Calico's operator where the platform has it.
pub fn namespaces(platform: &[String]) -> Vec<&str> {
    ["calico-system", "kube-system"]
        .into_iter()
        .filter(|name| *name == "kube-system" || platform.iter().any(|space| space == name))
        .collect()
}

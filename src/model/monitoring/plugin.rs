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
    /// The namespace of its pods.
    pub namespace: &'static str,
    /// A label that they have.
    pub pods: (&'static str, &'static str),
    /// The container. Others of the pod, such as one that prepares the node, answer nothing.
    pub container: &'static str,
    /// The port.
    pub port: u16,
    /// Where its metrics are.
    pub path: &'static str,
    /// Whether the pods are at their node's address.
    pub at_node: bool,
}

/// Weave Net's router, and its controller of network policies: no port of either is declared in the DaemonSet.
const WEAVE: [Endpoint; 2] = [weave("weave", 6782), weave("weave-npc", 6781)];

const fn weave(container: &'static str, port: u16) -> Endpoint {
    Endpoint { name: container, namespace: "kube-system", pods: ("name", "weave-net"), container, port, path: "/metrics", at_node: true }
}

/// What a cluster's network plugin answers.
pub fn endpoints(host: &Host<'_>) -> Vec<Endpoint> {
    match host.raw.cni.name.value {
        CniName::Weave => WEAVE.to_vec(),
        CniName::Cilium | CniName::Calico => Vec::new(),
    }
}

//! What each network plugin can enforce, as data: the rules of flows and the notes for people are read off it (CIS 5.3.1).
//!
//! Sources: weave-npc of Weave Net 2.8.1 and its continuation 2.9.0 (`npc/analyser.go`, `npc/controller.go`); Cilium 1.20 (`Documentation/security/policy`,
//! `Documentation/network/kubernetes/policy.rst`); Calico 3.32; and `NetworkPolicy` itself (`k8s.io/api/networking/v1`).

use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::cluster::{Cni, CniName};
use crate::model::Host;
use crate::source::Span;

/// The first minor of Calico that enforces `ClusterNetworkPolicy`.
const CALICO_WITH_GUARDS: (u32, u32) = (3, 32);

/// What a network plugin can enforce.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Capabilities {
    /// Its name, as people write it.
    pub title: &'static str,
    /// Whether it has pods with IPv6 addresses.
    pub ipv6: bool,
    /// Whether a flow may go to a name, whatever addresses it has.
    pub names: bool,
    /// Whether `ipBlock` also matches addresses of the cluster's own pods.
    pub ranges_hold_pods: bool,
    /// Whether `ipBlock` also matches addresses of the cluster's own nodes.
    pub ranges_hold_nodes: bool,
    /// Whether a policy may name a port.
    pub named_ports: bool,
    /// Whether `endPort` is honoured.
    pub port_ranges: bool,
    /// Whether a policy can keep a pod from the addresses of the node that it is on.
    pub closes_own_node: bool,
    /// What it has for rules that no policy of a namespace can undo.
    pub guard: Option<Guard>,
    /// How it encrypts traffic between nodes.
    pub encryption: Encryption,
    /// Whether its metrics count what policies deny.
    pub counts_denied: bool,
    /// What stays open whatever the policies say.
    pub residual: &'static [&'static str],
}

/// Rules for the whole cluster, which stand above those of namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// `CiliumClusterwideNetworkPolicy`, whose denials no other policy undoes.
    Cilium,
    /// `ClusterNetworkPolicy` of `policy.networking.k8s.io` in its tier `Admin`.
    Kubernetes,
}

/// How traffic between nodes is encrypted, and what that needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// A password in a Secret, in a variable of the plugin's pods.
    Password,
    /// Keys in a Secret for `IPsec`; none for `WireGuard`.
    Keys,
    /// Keys that each node makes for itself.
    OwnKeys,
}

const WEAVE: Capabilities = Capabilities {
    title: "Weave Net",
    ipv6: false,
    names: false,
    ranges_hold_pods: true,
    ranges_hold_nodes: true,
    named_ports: false,
    port_ranges: false,
    closes_own_node: false,
    guard: None,
    encryption: Encryption::Password,
    counts_denied: true,
    residual: &[
        "A pod always reaches the addresses of the node that it is on, whatever its policies say: the kubelet (10250), NodePorts and the metrics of \
         Weave Net (6781, 6782). What listens there has to ask who calls: the kubelet authenticates, NodePorts are not used.",
        "There is nothing above the policies of a namespace: who may write NetworkPolicies in one opens it. No role of a team may.",
        "The node that a pod is on always reaches it: probes of the kubelet come from there.",
        "Multicast between pods is let through unless weave-npc runs with --allow-mcast=false.",
        "Policies are not enforced where weave-npc does not run (EXPECT_NPC=0), and ranges match nothing where kube-proxy runs with \
         --masquerade-all. Egress is not enforced on a node until the first policy with an egress section arrived there: that of every namespace has one.",
    ],
};

const CILIUM: Capabilities = Capabilities {
    title: "Cilium",
    ipv6: true,
    names: true,
    ranges_hold_pods: false,
    ranges_hold_nodes: false,
    named_ports: true,
    port_ranges: true,
    closes_own_node: true,
    guard: Some(Guard::Cilium),
    encryption: Encryption::Keys,
    counts_denied: true,
    residual: &[
        "The node that a pod is on always reaches it: probes of the kubelet come from there.",
        "A flow to a name (external.dns) is as trustworthy as who answers for it: the addresses that its DNS gives are opened. The metadata service stays \
         closed even then.",
        "Where Cilium runs with the policy-cidr-match-mode nodes, ranges match nodes as well; the tree is written for its default.",
    ],
};

const CALICO: Capabilities = Capabilities {
    title: "Calico",
    ipv6: true,
    names: false,
    ranges_hold_pods: true,
    ranges_hold_nodes: true,
    named_ports: true,
    port_ranges: true,
    closes_own_node: true,
    guard: None,
    encryption: Encryption::OwnKeys,
    counts_denied: false,
    residual: &[
        "The node that a pod is on always reaches it: probes of the kubelet come from there.",
        "The tree writes no policy for nodes: what reaches them is the business of their own firewall.",
        "What policies deny is counted nowhere: the open-source Calico has no metric of it, so that no alert tells of an undeclared flow that was tried. A \
         GlobalNetworkPolicy of Calico's own kind whose rules have the action Log writes such packets into the log of the node's kernel, and Whisker, from 3.30 \
         on, shows flows with what became of them.",
    ],
};

/// What the network plugin of a cluster can enforce.
pub fn capabilities(cni: &Cni) -> Capabilities {
    match cni.name.value {
        CniName::Weave => WEAVE,
        CniName::Cilium => CILIUM,
        CniName::Calico => {
            let guards = cni.version.as_ref().and_then(|version| minor(version)).is_some_and(|minor| minor >= CALICO_WITH_GUARDS);
            Capabilities { guard: guards.then_some(Guard::Kubernetes), ..CALICO }
        }
    }
}

/// A minor such as `3.32`; what comes after a second dot is not looked at.
pub fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    let mut number = || parts.next().filter(|part| part.bytes().all(|digit| digit.is_ascii_digit()))?.parse().ok();
    Some((number()?, number()?))
}

/// What an inventory asks of a cluster's network plugin that it cannot do.
pub(super) fn check(host: &Host<'_>, findings: &mut Findings) {
    let (cni, can) = (&host.raw.cni, capabilities(&host.raw.cni));
    let mut cannot = |place: Span, what: String, help: &str| {
        let diag = Diag::new(Code::CniUnsupported, place, format!("{what}, and `{}` runs {}", host.raw.name.value, can.title));
        findings.push(diag.related(cni.name.span, "the network plugin").help(help));
    };
    let network = &host.raw.network;
    for range in network.pods.iter().chain(network.services.iter()).filter(|range| !can.ipv6 && range.net().addr().is_ipv6()) {
        cannot(range.span, format!("`{}` is a range of IPv6", range.value), "Use ranges of IPv4, or a plugin that has IPv6.");
    }
    if let Some(secret) = cni.encryption_secret.as_ref().filter(|_| can.encryption == Encryption::OwnKeys) {
        cannot(
            secret.span,
            format!("`encryptionSecret` names the Secret `{}`", secret.value),
            "Remove it: each node makes its own WireGuard key. `bootstrap/<cluster>/network.md` says how that is turned on.",
        );
    }
    if let Some(version) = &cni.version {
        if cni.name.value != CniName::Calico {
            cannot(version.span, "`version` decides only what Calico can do".to_owned(), "Remove it.");
        } else if minor(version).is_none() {
            let diag = Diag::new(Code::InvalidValue, version.span, format!("`{}` is no version of Calico", version.value));
            findings.push(diag.help("Write a minor in quotes, such as \"3.32\"."));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::minor;

    #[test]
    fn versions_are_compared_by_number() {
        assert_eq!(minor("3.32"), Some((3, 32)));
        assert_eq!(minor("v3.9.1"), Some((3, 9)));
        assert!(minor("3.9") < minor("3.32"));
        for bad in ["3", "three", "3.x", "", "3.+2"] {
            assert_eq!(minor(bad), None, "{bad}");
        }
    }
}

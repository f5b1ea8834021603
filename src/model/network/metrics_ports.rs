//! The ports on which network plugins tell what they do, as data: who reaches them, and what binds them. None asks who calls.
//!
//! Sources: `launch.sh` and `npc/main.go` of Weave Net 2.9.0; the chart of Cilium 1.20 (`install/kubernetes/cilium`); the reference of Calico 3.32
//! (`felix/configuration`, `typha/configuration`, `resources/kubecontrollersconfig`).

use crate::inventory::cluster::CniName;

/// A port with metrics.
#[derive(Clone, Copy, Debug)]
pub struct MetricsPort {
    /// What answers there.
    pub of: &'static str,
    /// Its number.
    pub port: u16,
    /// Where it listens.
    pub on: &'static str,
    /// What turns it on; nothing where it answers by default.
    pub turned_on_by: Option<&'static str>,
    /// What changes where it listens.
    pub bound_by: &'static str,
}

const NODE: &str = "every address of each node";
/// What Cilium's chart says of addresses.
const CHART: &str = "nothing: the chart has no key for it";
const ITS_NODES: &str = "every address of the nodes that it runs on";

const WEAVE: &[MetricsPort] = &[
    MetricsPort { of: "router", port: 6782, on: NODE, turned_on_by: None, bound_by: "WEAVE_METRICS_ADDR" },
    MetricsPort {
        of: "controller of policies",
        port: 6781,
        on: NODE,
        turned_on_by: None,
        bound_by: "EXTRA_ARGS=--metrics-addr=ADDRESS:6781",
    },
];

const CILIUM: &[MetricsPort] = &[
    MetricsPort { of: "agent", port: 9962, on: NODE, turned_on_by: Some("prometheus.enabled"), bound_by: CHART },
    MetricsPort { of: "operator", port: 9963, on: ITS_NODES, turned_on_by: None, bound_by: CHART },
    MetricsPort { of: "proxy", port: 9964, on: NODE, turned_on_by: None, bound_by: "nothing; envoy.prometheus.enabled turns it off" },
    MetricsPort { of: "Hubble", port: 9965, on: NODE, turned_on_by: Some("hubble.metrics.enabled"), bound_by: CHART },
];

const CALICO: &[MetricsPort] = &[
    MetricsPort {
        of: "Felix",
        port: 9091,
        on: NODE,
        turned_on_by: Some("prometheusMetricsEnabled"),
        bound_by: "FELIX_PROMETHEUSMETRICSHOST",
    },
    MetricsPort {
        of: "Typha",
        port: 9093,
        on: ITS_NODES,
        turned_on_by: Some("TYPHA_PROMETHEUSMETRICSENABLED, typhaMetricsPort"),
        bound_by: "TYPHA_PROMETHEUSMETRICSHOST",
    },
    MetricsPort {
        of: "controllers",
        port: 9094,
        on: "every address of its pod",
        turned_on_by: None,
        bound_by: "nothing; prometheusMetricsPort 0 turns it off",
    },
];

/// The ports of a network plugin.
pub fn of(plugin: CniName) -> &'static [MetricsPort] {
    match plugin {
        CniName::Weave => WEAVE,
        CniName::Cilium => CILIUM,
        CniName::Calico => CALICO,
    }
}

/// Who reaches them. `guarded_for` is the namespace that the tree leaves them to, where it says so (`CiliumClusterwideNetworkPolicy`).
pub fn reached_by(plugin: CniName, guarded_for: Option<&str>) -> Vec<String> {
    let others = "Pods of the platform's namespaces and whatever else reaches the network of the nodes reach all of them";
    let tiers = "Pods of tiers reach none of them: their policies lead to no address of a node";
    let lines: &[&str] = match (plugin, guarded_for) {
        (CniName::Weave, _) => &[
            "A pod reaches those of the node that it is on, whatever its policies say. Pods of tiers reach those of no other node: their policies lead to \
             no address of one.",
            &format!(
                "{others}. The tree cannot close them: the nodes' own firewall admits the ranges of pods and nodes alone. Where a variable binds them \
                 to the node's address (status.hostIP), they answer at no other, but pods of that node still reach them."
            ),
        ],
        (CniName::Cilium, Some(namespace)) => &[
            &format!("{tiers}, and a range means none."),
            &format!(
                "With Cilium's firewall of hosts (hostFirewall.enabled) the tree leaves them to pods of {namespace} and to nodes (ringfence-metrics, in \
                 10-guardrails). Without it that policy does nothing: {}{}, and the nodes' own firewall has to keep them out.",
                others[..1].to_lowercase(),
                &others[1..]
            ),
        ],
        (CniName::Cilium, None) => &[
            &format!("{tiers}, and a range means none."),
            &format!("{others}. The tree closes them to nobody: the nodes' own firewall has to."),
        ],
        (CniName::Calico, _) => &[
            &format!("{tiers}. Nor do they reach the controllers, unless the inventory opens a flow to them."),
            &format!(
                "{others}, and pods of the platform the controllers. The tree writes no policy for nodes: the nodes' own firewall admits the ranges of pods and \
                 nodes alone, or a GlobalNetworkPolicy does so where Calico has host endpoints (hostEndpoint.autoCreate). A variable binds Felix and \
                 Typha to the node's address (status.hostIP) where a manifest installs them."
            ),
        ],
    };
    lines.iter().map(|line| (*line).to_owned()).collect()
}

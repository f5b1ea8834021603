//! Guards of tiers: what keeps a tier's pods from the other tiers of their cluster, and from the metadata service, whatever the policies of
//! their namespaces say. A namespace that is opened by mistake is then still within its tier.

use std::collections::{BTreeMap, BTreeSet};

use super::cni::Guard;
use super::{Ground, reaches_metadata};
use crate::decode::Findings;
use crate::model::names::check_composed_subdomain;
use crate::model::namespaces_on;

/// A workload: its namespace and its name.
type Workload = (String, String);

/// What keeps one tier of a cluster within itself.
#[derive(Clone, Debug)]
pub struct TierGuard {
    /// The tier's name.
    pub tier: String,
    /// Its namespaces on the cluster.
    pub namespaces: BTreeSet<String>,
    /// Those of the other tiers there.
    pub others: BTreeSet<String>,
    /// Where a gateway leads out of the tier, by caller.
    pub crossings: BTreeMap<Workload, Vec<Crossing>>,
    /// Workloads that may reach the metadata service.
    pub exempt: BTreeSet<Workload>,
}

/// A workload of another tier that a gateway leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crossing {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub workload: String,
    /// The port of its pods.
    pub port: u16,
    /// The port's protocol.
    pub protocol: &'static str,
}

/// The name of a tier's guard.
pub fn name(tier: &str, domain: &str) -> String {
    format!("network.{tier}.{domain}")
}

/// The name of what lets a workload out of its tier, by number, where that is an object of its own.
pub fn pass_name(tier: &str, namespace: &str, workload: &str, number: usize, domain: &str) -> String {
    let number = if number == 1 { String::new() } else { format!(".{number}") };
    format!("network.{tier}.{namespace}.{workload}{number}.{domain}")
}

/// Checks the names of a cluster's guards.
pub(super) fn check_names(ground: Ground<'_, '_>, guards: &[TierGuard], kind: Guard, findings: &mut Findings) {
    let Some(fleet) = &ground.inventory.fleet else { return };
    let (domain, origin) = (&fleet.label_domain, fleet.label_domain.span);
    for guard in guards {
        let ways_out = guard.crossings.keys().chain(&guard.exempt);
        for (namespace, workload) in ways_out.filter(|_| kind == Guard::Kubernetes) {
            // Two digits are enough for what one workload calls.
            let longest = pass_name(&guard.tier, namespace, workload, 99, domain.as_str());
            check_composed_subdomain("gateways' network policy", &longest, origin, findings);
        }
    }
}

/// The guards of the tiers that have namespaces on a cluster.
pub(super) fn of_cluster(ground: Ground<'_, '_>, cluster: usize) -> Vec<TierGuard> {
    let names = |in_tier: bool, tier: usize| -> BTreeSet<String> {
        namespaces_on(ground.namespaces, cluster)
            .filter(|namespace| (namespace.tier == tier) == in_tier)
            .map(|namespace| namespace.name.clone())
            .collect()
    };
    let guard = |tier: &usize| {
        let namespaces = names(true, *tier);
        let mut crossings: BTreeMap<Workload, BTreeSet<Crossing>> = BTreeMap::new();
        for flow in &ground.flows.all {
            let (caller, target) = (&ground.instances[flow.caller], &ground.instances[flow.target]);
            if caller.cluster != cluster || target.cluster != cluster || caller.tier != *tier || target.tier == *tier {
                continue;
            }
            let crossing = Crossing {
                namespace: target.namespace.clone(),
                workload: target.workload.identity.name.to_string(),
                port: flow.port.port.value,
                protocol: flow.port.protocol.map_or("TCP", |protocol| protocol.as_str()),
            };
            let caller = (caller.namespace.clone(), caller.workload.identity.name.to_string());
            crossings.entry(caller).or_default().insert(crossing);
        }
        let exempt = ground.instances.iter().filter(|instance| instance.cluster == cluster && instance.tier == *tier);
        let exempt = exempt.filter(|instance| reaches_metadata(ground, instance));
        TierGuard {
            tier: ground.tiers.name(*tier).to_owned(),
            others: names(false, *tier),
            crossings: crossings.into_iter().map(|(caller, targets)| (caller, targets.into_iter().collect())).collect(),
            exempt: exempt.map(|instance| (instance.namespace.clone(), instance.workload.identity.name.to_string())).collect(),
            namespaces,
        }
    };
    ground.host(cluster).tiers.iter().map(guard).filter(|guard| !guard.namespaces.is_empty()).collect()
}

//! Keys that are read and checked but of which no object is made yet: one note names them, so that nobody believes in an object that is
//! not there. A line goes when its objects come.

use super::instance::Instance;
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;

/// The note, where the inventory uses any such key.
pub fn note(inventory: &Inventory, instances: &[Instance<'_>]) -> Option<Diag> {
    let fleet = inventory.fleet.as_ref()?;
    let clusters = &inventory.clusters;
    let settings = || instances.iter().map(|instance| &instance.cascade.settings);
    let connects = || settings().flat_map(|settings| settings.connects.iter().flatten());
    let ports = || settings().flat_map(|settings| settings.ports.iter().flatten());
    let used: Vec<&str> = [
        ("identity", fleet.identity.is_some() || clusters.iter().any(|cluster| cluster.identity.is_some())),
        ("monitoring, ports.scrape", fleet.monitoring.is_some() || ports().any(|port| port.scrape.is_some())),
        (
            "grants",
            !fleet.grants.is_empty()
                || inventory.tiers.iter().any(|tier| !tier.grants.is_empty())
                || inventory.teams.iter().any(|team| !team.grants.is_empty())
                || clusters.iter().any(|cluster| !cluster.grants.is_empty()),
        ),
        ("teams.quota", inventory.teams.iter().any(|team| !team.quota.is_empty())),
        ("clusters.cni, network", !clusters.is_empty()),
        ("clusters.provider, nodePools", !clusters.is_empty()),
        ("clusters.trust", clusters.iter().any(|cluster| cluster.trust.is_some())),
        ("clusters.platform", clusters.iter().any(|cluster| cluster.platform.is_some())),
        ("workloads.connects, gateways (their network policies)", connects().next().is_some() || !inventory.gateways.is_empty()),
        ("tokens", !inventory.tokens.is_empty()),
    ]
    .into_iter()
    .filter_map(|(key, used)| used.then_some(key))
    .collect();
    if used.is_empty() {
        return None;
    }
    let message = format!("these keys are checked, but no object is made of them yet: {}", used.join("; "));
    let diag = Diag::new(Code::NotGenerated, fleet.name.span, message);
    Some(diag.help(
        "The tree keeps the tiers apart by namespaces, Pod Security, placement and admission policies alone until these objects come.",
    ))
}

//! Who may say which tier a node belongs to: whoever sets the tier's label and taints decides where its pods run (SP 800-190 4.3.5).

use std::collections::{BTreeMap, BTreeSet};

use super::clusters::{Clusters, Host};
use super::identity::groups_prefix;
use super::settings::selects;
use super::tiers::Tiers;
use crate::inventory::Inventory;
use crate::inventory::fleet::{PlatformGrant, PlatformRole};
use crate::inventory::provider::{Autoscaler, Distribution, Provisioner};
use crate::source::Spanned;

/// Those who may set and take a tier's label and taints on the nodes of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeKeepers {
    /// Users, as the API server knows them: what makes the nodes.
    pub users: BTreeSet<String>,
    /// Groups, with the identity's prefix: node admins of the whole cluster.
    pub groups: BTreeSet<String>,
    /// Groups of node admins that are limited to tiers, with these.
    pub limited: BTreeMap<String, BTreeSet<String>>,
}

/// Those of a cluster. `system:masters` is not among them: the guard leaves it alone, and with it Cluster API, whose manager uses a
/// kubeconfig of that group.
pub fn of_cluster(inventory: &Inventory, tiers: &Tiers<'_>, clusters: &Clusters<'_>, cluster: usize) -> NodeKeepers {
    let host = &clusters.all[cluster];
    let mut keepers = NodeKeepers { users: users(host), ..NodeKeepers::default() };
    let hosted: BTreeSet<&str> = host.tiers.iter().map(|tier| tiers.name(*tier)).collect();
    let prefix = groups_prefix(inventory, host.raw);
    let of_fleet = inventory.fleet.iter().flat_map(|fleet| &fleet.grants).chain(&host.raw.grants).map(|grant| (grant, None));
    let of_tiers = host.tiers.iter().flat_map(|at| tiers.all[*at].grants.iter().map(|grant| (grant, Some(tiers.name(*at)))));
    for (grant, owner) in of_fleet.chain(of_tiers).filter(|(grant, _)| is_node_admin(grant, host)) {
        let group = format!("{prefix}{}", grant.group.value);
        let meant = |tier: &&str| {
            owner.is_none_or(|owner| owner == *tier)
                && grant.tiers.as_ref().is_none_or(|stated| stated.iter().any(|stated| stated.value == **tier))
        };
        if owner.is_none() && grant.tiers.is_none() {
            keepers.groups.insert(group);
        } else {
            let here = hosted.iter().copied().filter(meant).map(str::to_owned);
            keepers.limited.entry(group).or_default().extend(here);
        }
    }
    // Who may do so for a tier that is elsewhere may do nothing here.
    keepers.limited.retain(|_, tiers| !tiers.is_empty());
    keepers
}

fn is_node_admin(grant: &Spanned<PlatformGrant>, host: &Host<'_>) -> bool {
    grant.role.value == PlatformRole::NodeAdmin && grant.clusters.as_ref().is_none_or(|selector| selects(selector, host.raw))
}

/// What makes nodes, as the inventory states it; else as it is named where its installation changes nothing.
fn users(host: &Host<'_>) -> BTreeSet<String> {
    if let Some(stated) = host.raw.platform.as_ref().and_then(|platform| platform.node_identities.as_ref()) {
        return stated.iter().map(|identity| identity.value.clone()).collect();
    }
    let provider = &host.raw.provider;
    let by_provisioner = match provider.provisioner {
        Provisioner::Rancher => Some("system:serviceaccount:cattle-system:cattle"),
        Provisioner::Karpenter => Some(KARPENTER),
        Provisioner::Managed | Provisioner::Eksctl if provider.distribution == Distribution::Eks => Some("eks:node-manager"),
        // Cluster API's manager is a member of `system:masters`; a static node is a person's; of the other managed ones no name is known.
        Provisioner::ClusterApi | Provisioner::Static | Provisioner::Managed | Provisioner::Eksctl => None,
    };
    let by_autoscaler = (provider.autoscaler == Autoscaler::Karpenter).then_some(KARPENTER);
    by_provisioner.into_iter().chain(by_autoscaler).map(str::to_owned).collect()
}

/// Karpenter's account where its chart is installed as it is documented.
const KARPENTER: &str = "system:serviceaccount:kube-system:karpenter";

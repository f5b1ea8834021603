//! What may flow: nothing, and then each declared flow with a policy at either end (SP 800-190 4.3.3, CIS 5.3.2).
//!
//! Ports are numbers, those of the pods that answer: egress to a Service is judged after the Service's address was replaced, and Weave Net
//! rejects a policy that names a port, with everything in it. Peers are workloads by the name of their namespace, which Kubernetes keeps,
//! and a label that no workload can state.

pub mod cni;
pub mod guards;
pub mod metrics_ports;
mod policies;
mod ranges;
pub mod unmaintained;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

pub use ranges::{METADATA, of_address};

use super::delivery::Deliveries;
use super::exemptions::{Exemptions, Place, control};
use super::flows::Flows;
use super::{Clusters, Host, Instance, Namespace, Tiers};
use crate::decode::Findings;
use crate::inventory::Inventory;
use crate::inventory::provider::Distribution;
use crate::source::Span;
use guards::TierGuard;
use ranges::Ranges;

/// The label that Kubernetes itself gives every Namespace, and lets nobody change.
pub const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The namespace that name servers run in.
pub const NAME_SERVERS: &str = "kube-system";

/// Which way traffic goes, as seen by the pods that a policy is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To them.
    Ingress,
    /// From them.
    Egress,
}

/// The other end of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Pods of a workload of the fleet on this cluster.
    Workload {
        /// Its namespace.
        namespace: String,
        /// Its name.
        workload: String,
    },
    /// Pods of a namespace by their labels: what the platform runs.
    Pods {
        /// The namespace.
        namespace: String,
        /// Labels that they have; all pods where there are none.
        labels: BTreeMap<String, String>,
    },
    /// All pods of some namespaces.
    Namespaces(BTreeSet<String>),
    /// A range of addresses, less some.
    Range {
        /// The range.
        range: IpNet,
        /// What is left out of it.
        except: Vec<IpNet>,
    },
    /// Whatever addresses a name has; a wildcard where it begins with `*.`. Cilium alone.
    Name(String),
    /// What Cilium knows by what it is. Cilium alone: no range matches it there.
    Entity(&'static str),
}

impl Peer {
    /// Whether only Cilium's own policies can say it.
    pub fn is_cilium_s(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Entity(_))
    }
}

/// One end of one flow.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The workload whose pods it is of; all pods of the namespace where there is none.
    pub workload: Option<String>,
    /// Which way it opens.
    pub direction: Direction,
    /// To or from whom.
    pub peers: BTreeSet<Peer>,
    /// Ports of the pods that answer, with their protocols; every port where there is none.
    pub ports: BTreeSet<(u16, &'static str)>,
    /// What it is for, for people.
    pub purpose: String,
    /// The gateways that allow it.
    pub gateways: BTreeSet<String>,
    /// Where it is declared.
    pub origin: Span,
}

/// What may flow on every cluster.
#[derive(Debug, Default)]
pub struct Network {
    /// The policies of each namespace, by its cluster and name, sorted by name.
    pub policies: BTreeMap<(usize, String), Vec<Policy>>,
    /// What keeps each tier from the others whatever its namespaces' policies say, by cluster.
    pub guards: BTreeMap<usize, Vec<TierGuard>>,
}

/// What policies are made from.
#[derive(Clone, Copy)]
struct Ground<'a, 'i> {
    inventory: &'i Inventory,
    tiers: &'a Tiers<'i>,
    clusters: &'a Clusters<'i>,
    deliveries: &'a Deliveries,
    namespaces: &'a BTreeMap<(usize, String), Namespace>,
    instances: &'a [Instance<'i>],
    flows: &'a Flows<'i>,
    exemptions: &'a Exemptions<'i>,
    ranges: &'a Ranges,
}

impl<'i> Ground<'_, 'i> {
    fn host(&self, cluster: usize) -> &Host<'i> {
        &self.clusters.all[cluster]
    }

    /// Whether a workload is exempt from a control.
    fn is_exempt(&self, control: &str, instance: &Instance<'i>) -> bool {
        let name = super::flows::full_name(instance);
        let (cluster, tier) = (self.clusters.name(instance.cluster), self.tiers.name(instance.tier));
        self.exemptions.excuse(control, Place { workload: &name, namespace: &instance.namespace, cluster, tier })
    }
}

/// Decides every policy of every namespace, with every finding about what a cluster's network plugin cannot enforce.
#[expect(clippy::too_many_arguments, reason = "all of the model that there is by then")]
pub fn resolve<'i>(
    inventory: &'i Inventory,
    tiers: &Tiers<'i>,
    clusters: &Clusters<'i>,
    deliveries: &Deliveries,
    namespaces: &BTreeMap<(usize, String), Namespace>,
    instances: &[Instance<'i>],
    flows: &Flows<'i>,
    exemptions: &Exemptions<'i>,
    findings: &mut Findings,
) -> Network {
    let ranges = Ranges::of(inventory, clusters);
    let ground = Ground { inventory, tiers, clusters, deliveries, namespaces, instances, flows, exemptions, ranges: &ranges };
    for host in &clusters.all {
        cni::check(host, findings);
    }
    let policies = policies::all(ground, findings);
    let mut guards: BTreeMap<usize, Vec<TierGuard>> = BTreeMap::new();
    for (at, host) in clusters.all.iter().enumerate() {
        let Some(kind) = cni::capabilities(&host.raw.cni).guard else { continue };
        let of_cluster = guards::of_cluster(ground, at);
        guards::check_names(ground, &of_cluster, kind, findings);
        guards.insert(at, of_cluster);
    }
    Network { policies, guards }
}

/// The port at which the API server answers, after a Service's address was replaced, where the inventory does not say it.
fn api_port(host: &Host<'_>) -> u16 {
    let stated = host.raw.network.api_server.as_ref().and_then(|server| server.port.as_ref());
    stated.map_or(if is_managed(host) { 443 } else { 6443 }, |port| port.value)
}

/// Whether somebody else runs the API server, so that it is on none of the cluster's nodes.
fn is_managed(host: &Host<'_>) -> bool {
    matches!(host.raw.provider.distribution, Distribution::Eks | Distribution::Gke)
}

/// Whether a workload may reach the metadata service.
fn reaches_metadata<'i>(ground: Ground<'_, 'i>, instance: &Instance<'i>) -> bool {
    ground.is_exempt(control::METADATA_SERVICE, instance)
}

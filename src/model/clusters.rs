//! Clusters: what each hosts, on which pools, and that no two share what must be their own.

use std::collections::BTreeMap;

use super::index::Index;
use super::machines;
use super::tiers::Tiers;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::Cidr;
use crate::inventory::cluster::{Cluster, Enforcement, NodePool};
use crate::inventory::tier::Isolation;
use crate::inventory::{Inventory, Misspelt};
use crate::schema::Minor;
use crate::source::{Span, Spanned};

/// The domain of a cluster's names, where it states none: Kubernetes' own default.
const CLUSTER_DOMAIN: &str = "cluster.local";

/// A cluster and what was found out about it.
#[derive(Debug)]
pub struct Host<'i> {
    /// As it was written.
    pub raw: &'i Spanned<Cluster>,
    /// Its Kubernetes minor.
    pub minor: Minor,
    /// The tiers that it hosts, in their order in the inventory.
    pub tiers: Vec<usize>,
}

/// The clusters of a fleet.
#[derive(Debug)]
pub struct Clusters<'i> {
    /// In the order they were written.
    pub all: Vec<Host<'i>>,
    /// By name.
    pub index: Index<'i>,
    /// Records with keys that the format does not have.
    pub misspelt: &'i Misspelt,
    /// Whether there are others, which could not be read.
    pub are_more: bool,
}

impl<'i> Clusters<'i> {
    /// Resolves what every cluster states and checks it against the others.
    pub fn new(inventory: &'i Inventory, tiers: &Tiers<'i>, findings: &mut Findings) -> Self {
        let names = inventory.clusters.iter().map(|cluster| cluster.name.clone().map(|name| name.as_str().to_owned()));
        let index = Index::new("cluster", names, &inventory.lost, findings);
        let all: Vec<Host<'i>> = inventory.clusters.iter().map(|raw| host(raw, inventory, tiers, findings)).collect();
        for (at, tier) in tiers.all.iter().enumerate().filter(|(at, tier)| tiers.index.get(tier.name.as_str()) == Some(*at)) {
            if !all.iter().any(|host| host.tiers.contains(&at) || host.may_host(at, tiers)) && inventory.lost.is_empty() {
                let diag = Diag::new(Code::TierWithoutCluster, tier.name.span, format!("no cluster hosts the tier `{}`", tier.name.value));
                let diag = diag.rests_on(&["clusters"]);
                findings.push(diag.help("Name it under `tiers` of a cluster, with a node pool for it, or remove it."));
            }
        }
        for host in &all {
            machines::check(host, findings);
        }
        Self { all, index, misspelt: &inventory.misspelt, are_more: inventory.broken.clusters || inventory.unread.may_hold("clusters") }
    }

    /// A cluster's name.
    pub fn name(&self, cluster: usize) -> &'i str {
        self.all[cluster].raw.name.as_str()
    }

    /// Every cluster that hosts a tier; one that is defined twice counts once.
    pub fn hosting(&self, tier: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.all.len()).filter(move |at| self.index.get(self.name(*at)) == Some(*at) && self.all[*at].tiers.contains(&tier))
    }
}

impl<'i> Host<'i> {
    /// Whether one of the tiers that it names is not there, and may be meant for this one.
    pub fn may_host(&self, tier: usize, tiers: &Tiers<'_>) -> bool {
        may_host(self.raw, tier, tiers)
    }

    /// The domain of the names of its Services.
    pub fn domain(&self) -> &'i str {
        self.raw.network.dns.as_ref().and_then(|dns| dns.domain.as_ref()).map_or(CLUSTER_DOMAIN, |domain| domain.as_str())
    }

    /// Whether what breaks a rule is refused, or let in, with a warning and a line in the audit log.
    pub fn enforcement(&self) -> Enforcement {
        self.raw.enforcement.map_or(Enforcement::Deny, |stated| stated.value)
    }

    /// Whether it has Services of both address families, so that one of a single address has to say which it is of.
    pub fn is_dual_stack(&self) -> bool {
        let has = |wanted: bool| self.raw.network.services.iter().any(|range| range.net().addr().is_ipv4() == wanted);
        has(true) && has(false)
    }

    /// The pools of one tier.
    pub fn pools<'a>(&'a self, tier: &'a str) -> impl Iterator<Item = &'i Spanned<NodePool>> + 'a {
        self.raw.node_pools.iter().filter(move |pool| pool.tier.as_ref().is_some_and(|name| name.value == tier))
    }
}

fn may_host(raw: &Cluster, tier: usize, tiers: &Tiers<'_>) -> bool {
    raw.tiers.iter().any(|name| tiers.index.may_mean(name, tiers.name(tier)))
}

fn host<'i>(raw: &'i Spanned<Cluster>, inventory: &'i Inventory, tiers: &Tiers<'i>, findings: &mut Findings) -> Host<'i> {
    let fleet = inventory.fleet.as_ref();
    let mut hosted = Vec::new();
    for name in raw.tiers.iter() {
        match tiers.index.resolve(name, name.span, findings) {
            Some(tier) if hosted.contains(&tier) => {
                let diag = Diag::new(Code::DuplicateEntry, name.span, format!("the tier `{}` is named twice", name.value));
                findings.push(diag.help("Keep one of them."));
            }
            Some(tier) => hosted.push(tier),
            None => {}
        }
    }
    if let Some(known) = fleet.and_then(|fleet| fleet.environments.as_ref())
        && known.get(raw.environment.as_str()).is_none()
    {
        let diag = Diag::new(Code::UnknownReference, raw.environment.span, format!("there is no environment `{}`", raw.environment.value));
        let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
        let hint = crate::diag::did_you_mean(raw.environment.as_str(), names.iter().copied());
        findings.push(diag.help(hint.unwrap_or_else(|| format!("`fleet.environments` has: {}.", names.join(", ")))));
    }
    shared_cluster(raw, &hosted, tiers, findings);
    pools(raw, &hosted, tiers, &inventory.misspelt, findings);
    networks(raw, findings);
    if let Some(enforcement) = raw.enforcement.filter(|enforcement| enforcement.value == Enforcement::Audit) {
        let message = format!("admission policies and Pod Security on `{}` warn and log, and refuse nothing", raw.name.value);
        findings.push(Diag::new(Code::EnforcementAudit, enforcement.span, message).help(
            "Roles, quotas, network policies and plugins of the API server hold as ever. Remove the line once the audit log is quiet.",
        ));
    }
    let version = raw.kubernetes.as_ref().or_else(|| fleet.and_then(|fleet| fleet.kubernetes.as_ref()));
    mutation(raw, version, findings);
    Host { raw, minor: version.map_or(Minor::NEWEST, |version| minor(version, findings)), tiers: hosted }
}

/// Policies that change objects are stable from Kubernetes 1.36.
fn mutation(raw: &Cluster, version: Option<&Spanned<String>>, findings: &mut Findings) {
    let Some(asked) = raw.placement_mutation.filter(|asked| asked.value) else { return };
    let older = version.and_then(|version| Some((version, version.parse::<Minor>().ok()?))).filter(|(_, minor)| minor.number() < 36);
    if let Some((version, minor)) = older {
        let message = format!("Kubernetes {minor} of `{}` has no MutatingAdmissionPolicy", raw.name.value);
        let diag = Diag::new(Code::NeedsNewerKubernetes, asked.span, message).related(version.span, "the minor");
        findings.push(diag.help("Remove `placementMutation`: the trees state every pod's placement themselves; or run 1.36 or later."));
    }
}

fn minor(version: &Spanned<String>, findings: &mut Findings) -> Minor {
    version.parse().unwrap_or_else(|_| {
        let diag = Diag::new(Code::KubernetesVersion, version.span, format!("there is no schema of Kubernetes `{}`", version.value));
        findings.push(diag.help(format!("Write a minor from \"{}\" to \"{}\".", Minor::OLDEST, Minor::NEWEST)));
        Minor::NEWEST
    })
}

fn shared_cluster(raw: &Cluster, hosted: &[usize], tiers: &Tiers<'_>, findings: &mut Findings) {
    let [first, second, ..] = hosted else { return };
    if let Some(alone) = hosted.iter().find(|tier| tiers.isolation(**tier) == Isolation::Cluster) {
        let other = if alone == first { second } else { first };
        let tier = &tiers.all[*alone];
        let place = raw.tiers.iter().find(|name| name.value == tiers.name(*alone)).map_or(raw.name.span, |name| name.span);
        let message =
            format!("the tier `{}` has clusters of its own, but `{}` hosts `{}` too", tier.name.value, raw.name.value, tiers.name(*other));
        let why = tier.isolation.map_or((tier.level.span, "in the higher half of the tiers: `isolation: cluster` by default"), |stated| {
            (stated.span, "a cluster of its own")
        });
        findings.push(Diag::new(Code::TierSharesCluster, place, message).related(why.0, why.1).help("Give it a cluster of its own."));
    }
}

fn pools(raw: &Cluster, hosted: &[usize], tiers: &Tiers<'_>, misspelt: &Misspelt, findings: &mut Findings) {
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    let mut nodes: BTreeMap<&str, Span> = BTreeMap::new();
    for pool in raw.node_pools.iter() {
        if let Some(first) = names.insert(pool.name.as_str(), pool.name.span) {
            let diag = Diag::new(Code::DuplicateEntry, pool.name.span, format!("two node pools are named `{}`", pool.name.value));
            findings.push(
                diag.related(first, "the first one").help("Give one of them another name, or write the nodes of both into one pool."),
            );
        }
        for node in &pool.nodes {
            if let Some(first) = nodes.insert(node.as_str(), node.span) {
                let diag = Diag::new(Code::DuplicateEntry, node.span, format!("the node `{}` is in two pools", node.value));
                findings.push(diag.related(first, "first named here").help("A node has the taint and label of one pool."));
            }
        }
        match (&pool.role, &pool.tier) {
            (None, None) if misspelt.has(pool.span) => {}
            (None, None) => {
                let diag = Diag::new(
                    Code::MissingKey,
                    pool.name.span,
                    format!("the node pool `{}` needs a `tier` or `role: system`", pool.name.value),
                );
                findings.push(diag.help("A pool without either would have no taint, and any pod could land on it."));
            }
            (Some(role), Some(tier)) => {
                let diag = Diag::new(Code::SetTwice, tier.span, "a system pool is of no tier").related(role.span, "the role");
                findings.push(diag.help("Remove one of the two."));
            }
            (None, Some(tier)) => {
                if let Some(at) = tiers.index.resolve(tier, tier.span, findings)
                    && !hosted.contains(&at)
                    && !may_host(raw, at, tiers)
                {
                    let diag = Diag::new(
                        Code::ClusterWithoutTier,
                        tier.span,
                        format!("`{}` does not host the tier `{}`", raw.name.value, tier.value),
                    );
                    let list = raw.tiers.first().map_or(raw.name.span, |first| first.span);
                    findings.push(diag.related(list, "what it hosts").help("Add the tier to the cluster, or remove the pool."));
                }
            }
            (Some(_), None) => {}
        }
    }
    nodes_of(raw, findings);
    // A pool that does not say what it is for, or names a tier that is not there, was reported: it may be the one that lacks.
    let is_open = |pool: &Spanned<NodePool>| pool.role.is_none() && pool.tier.is_none();
    let mut open = raw.node_pools.iter().filter(|pool| is_open(pool));
    if !raw.node_pools.iter().any(|pool| pool.role.is_some()) && !open.any(|pool| !misspelt.may_mean(pool.span, "tier")) {
        let diag = Diag::new(Code::NoSystemPool, raw.name.span, format!("`{}` has no pool with `role: system`", raw.name.value));
        findings.push(diag.help("Add one: `- {name: system, role: system}`. What runs the cluster tolerates no tier's taint."));
    }
    for tier in hosted {
        let name = tiers.name(*tier);
        let may_be_its = |pool: &Spanned<NodePool>| match &pool.tier {
            Some(stated) => stated.value == name || tiers.index.may_mean(stated, name),
            None => is_open(pool) && !misspelt.may_mean(pool.span, "role"),
        };
        if !raw.node_pools.iter().any(may_be_its) {
            let place = raw.tiers.iter().find(|tier| tier.value == name).map_or(raw.name.span, |tier| tier.span);
            let diag = Diag::new(Code::TierWithoutNodePool, place, format!("`{}` has no node pool for the tier `{name}`", raw.name.value));
            findings.push(diag.help(format!("Add one under `nodePools`: `- {{name: {name}, tier: {name}, nodes: [...]}}`.")));
        }
    }
}

/// People name the nodes that they bring; of machines that are made they say how many. What makes them is stated once, and so is what all pools have
/// against it.
fn nodes_of(raw: &Cluster, findings: &mut Findings) {
    if !raw.provider.is_possible() {
        return;
    }
    let provisioner = raw.provider.provisioner.as_str();
    let made = raw.provider.makes_machines();
    let wrong: Vec<(&str, Span)> = raw
        .node_pools
        .iter()
        .filter_map(|pool| {
            let replicas = || pool.replicas.map(|replicas| replicas.span);
            let span = if made { pool.nodes.first().map(|node| node.span) } else { replicas() };
            Some((pool.name.as_str(), span?))
        })
        .collect();
    let Some((_, first)) = wrong.first() else { return };
    let pools = wrong.iter().map(|(pool, _)| format!("`{pool}`")).collect::<Vec<_>>().join(", ");
    let (message, help) = if made {
        let message = format!("the nodes of {pools} are made (`{provisioner}`), and named by what makes them");
        (message, "Write how many there are to be: `replicas: 3`.")
    } else {
        let message = format!("nothing makes nodes of {pools}: people bring them");
        (message, "Name them: `nodes: [node-1, node-2]`. The list is what a node is held against.")
    };
    let diag = Diag::new(Code::KeyNotForKind, *first, message).related(raw.provider.span, "what makes the nodes");
    let diag = wrong[1..].iter().fold(diag, |diag, (pool, span)| diag.related(*span, format!("of `{pool}`")));
    findings.push(diag.help(help));
}

fn networks(raw: &Cluster, findings: &mut Findings) {
    let network = &raw.network;
    let named = [("pods", &network.pods), ("services", &network.services), ("nodes", &network.nodes)];
    let ranges: Vec<(&str, &Spanned<Cidr>)> = named.iter().flat_map(|(name, list)| list.iter().map(move |range| (*name, range))).collect();
    for (at, (name, range)) in ranges.iter().enumerate() {
        for (other_name, other) in &ranges[..at] {
            if range.overlaps(other) {
                let message = format!("the range of {name} `{}` overlaps that of {other_name} `{}`", range.value, other.value);
                let diag = Diag::new(Code::NetworkOverlap, range.span, message).related(other.span, format!("the range of {other_name}"));
                findings.push(
                    diag.help("Write the ranges that the cluster was made with: an address belongs to pods, to Services or to nodes."),
                );
            }
        }
    }
    if let Some(port) = network.api_server.as_ref().and_then(|server| server.port).filter(|port| port.value == 0) {
        findings.push(super::check::no_port(port.span));
    }
}

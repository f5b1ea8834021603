//! Who may do what: the grants of the fleet, its tiers, clusters and teams, resolved to groups on clusters and in namespaces (SP 800-190 4.3.1).
//!
//! A grant holds on the tiers and clusters that it names, else on all that its owner has. What it gives is a role of our own, bound where it
//! holds and nowhere else; emergency access is bound while the tier's `breakGlass` is on.

use std::collections::{BTreeMap, BTreeSet};

use super::clusters::Clusters;
use super::identity::groups_prefix;
use super::tiers::Tiers;
use super::{Namespace, namespaces_on, placement, selects};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::cluster::Cluster;
use crate::inventory::fleet::{PlatformGrant, PlatformRole};
use crate::inventory::provider::Provisioner;
use crate::inventory::selector::ClusterSelector;
use crate::inventory::team::{Team, TeamGrant, TeamRole};
use crate::inventory::tier::BreakGlass;
use crate::inventory::{Inventory, PLACEMENT};
use crate::source::{Span, Spanned};

/// Groups, as the API server sees them: with the identity provider's prefix.
pub type Groups = BTreeSet<String>;

/// Who may do what on every cluster and in every namespace of workloads.
#[derive(Debug, Default)]
pub struct Access {
    clusters: Vec<OnCluster>,
    namespaces: BTreeMap<(usize, String), InNamespace>,
}

/// What groups hold on a whole cluster, and in the platform's namespaces of it.
#[derive(Debug, Default)]
pub struct OnCluster {
    /// See everything but Secrets, ConfigMaps and logs; those two they see in the namespaces of tiers.
    pub viewers: Groups,
    /// Label, taint, cordon, drain and remove nodes.
    pub node_admins: Groups,
    /// Change how many nodes there are.
    pub node_scalers: Groups,
    /// See the platform's namespaces: whoever holds something in a namespace of workloads.
    pub platform_viewers: Groups,
    /// Operate the platform's namespaces: those that the inventory names.
    pub platform_operators: Groups,
}

/// What groups hold in a namespace of workloads.
#[derive(Debug, Default)]
pub struct InNamespace {
    /// See it.
    pub viewers: Groups,
    /// Restart and scale.
    pub operators: Groups,
    /// Look into pods.
    pub on_call: Groups,
    /// Set what guards it.
    pub security: Groups,
    /// Everything but RBAC, in an emergency.
    pub break_glass: Groups,
}

impl Access {
    /// Resolves every grant.
    pub fn new(
        inventory: &Inventory,
        tiers: &Tiers<'_>,
        clusters: &Clusters<'_>,
        namespaces: &BTreeMap<(usize, String), Namespace>,
        unjudged: &BTreeSet<String>,
        findings: &mut Findings,
    ) -> Self {
        let access = Self { clusters: clusters.all.iter().map(|_| OnCluster::default()).collect(), namespaces: BTreeMap::new() };
        let mut resolver = Resolver { inventory, tiers, clusters, namespaces, unjudged, access, told: BTreeSet::new(), findings };
        resolver.emergencies();
        resolver.platform();
        inventory.teams.iter().for_each(|team| resolver.team(team));
        resolver.access
    }

    /// What groups hold on a cluster.
    pub fn on(&self, cluster: usize) -> &OnCluster {
        &self.clusters[cluster]
    }

    /// What groups hold in a namespace; none where nobody holds anything.
    pub fn within(&self, cluster: usize, namespace: &str) -> Option<&InNamespace> {
        self.namespaces.get(&(cluster, namespace.to_owned()))
    }
}

/// The emergency that is on for a tier on a cluster.
pub fn emergency<'i>(tiers: &Tiers<'i>, tier: usize, cluster: &Cluster) -> Option<&'i Spanned<BreakGlass>> {
    let stated = tiers.all[tier].break_glass.as_ref()?;
    stated.clusters.as_ref().is_none_or(|selector| selects(selector, cluster)).then_some(stated)
}

struct Resolver<'a, 'i> {
    inventory: &'i Inventory,
    tiers: &'a Tiers<'i>,
    clusters: &'a Clusters<'i>,
    namespaces: &'a BTreeMap<(usize, String), Namespace>,
    /// Workloads that came to nothing, `<team>/<workload>`: which namespaces a team has is then not known.
    unjudged: &'a BTreeSet<String>,
    access: Access,
    /// Groups about which something was said.
    told: BTreeSet<Span>,
    findings: &'a mut Findings,
}

impl Resolver<'_, '_> {
    /// Emergencies that are on are never silent.
    fn emergencies(&mut self) {
        for (at, tier) in self.tiers.all.iter().enumerate() {
            if let Some(stated) = tier.exec.as_ref().filter(|stated| stated.value && self.tiers.is_top(at)) {
                let message = format!("`{}` is the top tier: programs are run in its pods through break-glass alone", tier.name.value);
                let diag = Diag::new(Code::InvalidValue, stated.span, message);
                self.findings.push(diag.help("Remove `exec`; grant `on-call`, and write `breakGlass` at the tier while it is needed."));
            }
            let Some(stated) = &tier.break_glass else { continue };
            stated.clusters.iter().for_each(|selector| placement::check_selector(selector, self.clusters, self.findings));
            let hosts = self.clusters.all.iter().filter(|host| host.tiers.contains(&at));
            let open: Vec<&str> =
                hosts.filter(|host| emergency(self.tiers, at, host.raw).is_some()).map(|host| host.raw.name.as_str()).collect();
            let is_clear = || !stated.clusters.as_ref().is_some_and(|selector| placement::is_doubtful(selector, self.clusters));
            let is_hosted = || self.clusters.hosting(at).next().is_some();
            if open.is_empty() && !(self.inventory.lost.is_empty() && is_clear() && is_hosted()) {
                continue;
            }
            if open.is_empty() {
                let message = format!("no cluster that hosts `{}` is among those of its `breakGlass`", tier.name.value);
                self.findings.push(
                    Diag::new(Code::GrantUnused, stated.span, message).help("Name one that does, or remove it.").rests_on(&["clusters"]),
                );
                continue;
            }
            let message = format!("emergency access to the tier `{}` is on, on: {}", tier.name.value, open.join(", "));
            let diag = Diag::new(Code::BreakGlassOpen, stated.expires.span, message).label("its last day");
            self.findings.push(diag.help("Remove `breakGlass` as soon as the emergency is over: access ends when the tree is applied."));
        }
    }

    fn platform(&mut self) {
        let inventory = self.inventory;
        let of_fleet = inventory.fleet.iter().flat_map(|fleet| &fleet.grants).map(|grant| (grant, None, None));
        let of_tiers =
            inventory.tiers.iter().enumerate().flat_map(|(at, tier)| tier.grants.iter().map(move |grant| (grant, Some(at), None)));
        let of_clusters =
            inventory.clusters.iter().enumerate().flat_map(|(at, one)| one.grants.iter().map(move |grant| (grant, None, Some(at))));
        for (grant, tier, cluster) in of_fleet.chain(of_tiers).chain(of_clusters) {
            self.platform_grant(grant, tier, cluster);
        }
        for (at, host) in self.clusters.all.iter().enumerate() {
            for group in host.raw.platform.iter().flat_map(|platform| &platform.operators) {
                let group = self.group(at, group);
                self.access.clusters[at].platform_operators.extend(group);
            }
        }
    }

    fn platform_grant(&mut self, grant: &Spanned<PlatformGrant>, owner_tier: Option<usize>, owner_cluster: Option<usize>) {
        let named = |tier: usize| grant.tiers.as_ref().is_none_or(|tiers| tiers.iter().any(|name| name.value == self.tiers.name(tier)));
        let (mut held, mut in_part, mut without) = (false, Vec::new(), Vec::new());
        for (at, host) in self.clusters.all.iter().enumerate() {
            let meant =
                owner_cluster.is_none_or(|owner| owner == at) && grant.clusters.as_ref().is_none_or(|selector| selects(selector, host.raw));
            let covered = host.tiers.iter().copied().filter(|tier| meant && named(*tier) && owner_tier.is_none_or(|owner| owner == *tier));
            let covered: Vec<usize> = covered.collect();
            if covered.is_empty() {
                continue;
            }
            held = true;
            let whole = covered.len() == host.tiers.len();
            let Some(group) = self.group(at, &grant.group) else { continue };
            let access = &mut self.access.clusters[at];
            match grant.role.value {
                PlatformRole::ClusterViewer if whole => {
                    access.viewers.insert(group.clone());
                    self.in_tiers(at, &covered, |within| &mut within.viewers, &group);
                }
                // Of some of the cluster's tiers: what a team's viewer has, in their namespaces.
                PlatformRole::ClusterViewer => {
                    access.platform_viewers.insert(group.clone());
                    self.in_tiers(at, &covered, |within| &mut within.viewers, &group);
                }
                PlatformRole::NamespaceSecurity => self.in_tiers(at, &covered, |within| &mut within.security, &group),
                PlatformRole::BreakGlass => {
                    let open: Vec<usize> = covered.into_iter().filter(|tier| emergency(self.tiers, *tier, host.raw).is_some()).collect();
                    self.in_tiers(at, &open, |within| &mut within.break_glass, &group);
                }
                PlatformRole::NodeAdmin | PlatformRole::NodeScaler if !whole => in_part.push(host.raw.name.as_str()),
                PlatformRole::NodeAdmin => drop(access.node_admins.insert(group)),
                PlatformRole::NodeScaler if host.raw.provider.provisioner == Provisioner::ClusterApi => {
                    access.node_scalers.insert(group);
                }
                PlatformRole::NodeScaler => without.push(host.raw.name.as_str()),
            }
        }
        self.report_platform(grant, held, &in_part, &without);
    }

    fn report_platform(&mut self, grant: &Spanned<PlatformGrant>, held: bool, in_part: &[&str], without: &[&str]) {
        let role = grant.role.value.as_str();
        if !held && !self.is_doubtful(grant.tiers.as_deref(), grant.clusters.as_ref()) {
            self.unused(&grant.group, role);
        }
        if !in_part.is_empty() {
            let message = format!("`{role}` cannot be limited to some of the tiers of: {}", in_part.join(", "));
            let diag = Diag::new(Code::GrantImpossible, grant.role.span, message);
            self.findings.push(
                diag.help("Nodes are no tier's own to RBAC. Grant it on the whole cluster, or on clusters that host these tiers alone."),
            );
        }
        if !without.is_empty() {
            let message = format!("no API within the cluster says how many nodes there are, on: {}", without.join(", "));
            let diag = Diag::new(Code::GrantImpossible, grant.role.span, message);
            self.findings.push(diag.help(
                "Name under `clusters` those with `provisioner: cluster-api`. Elsewhere the number is changed where the machines are made: \
                 in the provider's own IAM, in Rancher, in the inventory.",
            ));
        }
    }

    fn team(&mut self, team: &Team) {
        for grant in &team.grants {
            let (mut held, mut waits) = (false, Vec::new());
            let namespaces = self.namespaces;
            for space in namespaces.values().filter(|space| space.team == team.name.as_str()) {
                if !self.holds(grant, space) {
                    continue;
                }
                held = true;
                let Some(group) = self.group(space.cluster, &grant.group) else { continue };
                let host = self.clusters.all[space.cluster].raw;
                let shut = self.tiers.is_top(space.tier) && emergency(self.tiers, space.tier, host).is_none();
                if grant.role.value == TeamRole::OnCall && shut {
                    waits.push(format!("{}/{}", host.name.value, space.name));
                    continue;
                }
                let within = self.access.namespaces.entry((space.cluster, space.name.clone())).or_default();
                let groups = match grant.role.value {
                    TeamRole::Viewer => &mut within.viewers,
                    TeamRole::Operator => &mut within.operators,
                    TeamRole::OnCall => &mut within.on_call,
                };
                groups.insert(group.clone());
                self.access.clusters[space.cluster].platform_viewers.insert(group);
            }
            let waits_for = format!("{}/", team.name.value);
            let is_unjudged = || self.unjudged.iter().any(|workload| workload.starts_with(&waits_for));
            if !held && !is_unjudged() && !self.is_doubtful(grant.tiers.as_deref(), grant.clusters.as_ref()) {
                self.unused(&grant.group, grant.role.value.as_str());
            }
            if !waits.is_empty() {
                let message = format!("`on-call` waits for break-glass in the top tier: {}", waits.join(", "));
                let diag = Diag::new(Code::GrantWaits, grant.role.span, message);
                self.findings
                    .push(diag.help("In an emergency write `breakGlass` at the tier, with a reason and an end, and apply the tree."));
            }
        }
    }

    fn holds(&self, grant: &TeamGrant, space: &Namespace) -> bool {
        let tier = self.tiers.name(space.tier);
        grant.tiers.as_ref().is_none_or(|tiers| tiers.iter().any(|named| named.value == tier))
            && grant.clusters.as_ref().is_none_or(|selector| selects(selector, self.clusters.all[space.cluster].raw))
    }

    /// Adds a group to what is held in every namespace of some tiers.
    fn in_tiers(&mut self, cluster: usize, tiers: &[usize], of: impl Fn(&mut InNamespace) -> &mut Groups, group: &str) {
        for space in namespaces_on(self.namespaces, cluster).filter(|space| tiers.contains(&space.tier)) {
            of(self.access.namespaces.entry((cluster, space.name.clone())).or_default()).insert(group.to_owned());
        }
    }

    /// A group as the API server of a cluster sees it. Kubernetes' own groups are nobody's to grant anything to.
    fn group(&mut self, cluster: usize, name: &Spanned<String>) -> Option<String> {
        let prefix = groups_prefix(self.inventory, self.clusters.all[cluster].raw);
        let group = format!("{prefix}{}", name.value);
        let problem = if name.trim().is_empty() || name.trim() != name.as_str() || name.chars().any(char::is_control) {
            "a group has a name, without blanks around it".to_owned()
        } else if group.starts_with("system:") {
            format!("`{group}` is a group of Kubernetes' own")
        } else {
            return Some(group);
        };
        if self.told.insert(name.span) {
            let diag = Diag::new(Code::InvalidValue, name.span, problem);
            self.findings.push(diag.help("Write a group of your identity provider, and its prefix as `identity.groupsPrefix`."));
        }
        None
    }

    /// Whether a grant names a tier or a cluster that is not there: that was said where it stands.
    fn is_doubtful(&self, tiers: Option<&[Spanned<String>]>, selector: Option<&Spanned<ClusterSelector>>) -> bool {
        tiers.into_iter().flatten().any(|tier| self.tiers.index.get(tier).is_none())
            || selector.is_some_and(|selector| placement::is_doubtful(selector, self.clusters))
    }

    fn unused(&mut self, group: &Spanned<String>, role: &str) {
        // A finding about what was lost has said enough.
        if self.inventory.lost.is_empty() {
            let diag = Diag::new(Code::GrantUnused, group.span, format!("`{role}` of `{}` holds nowhere", group.value));
            self.findings.push(diag.help("Name tiers and clusters that its owner has, or remove the grant.").rests_on(PLACEMENT));
        }
    }
}

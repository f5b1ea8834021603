//! The model: every reference resolved, every default laid down, every refusal spoken. What comes after cannot fail on the inventory.

pub mod access;
mod adopted;
pub mod bootstrap;
pub mod budget;
mod check;
mod clusters;
mod composed;
pub mod delivery;
mod duplicates;
pub mod exemptions;
pub mod flows;
mod honesty;
mod hosts;
pub mod identity;
mod images;
mod index;
mod instance;
mod machines;
pub mod monitoring;
pub mod names;
pub mod network;
pub mod node_keepers;
mod owned;
mod placement;
pub mod platform;
pub mod pod;
mod pod_security;
mod powers;
pub mod priority_class;
mod refusals;
mod scratch;
mod secrets;
mod settings;
pub mod signatures;
mod statements;
pub mod storage;
mod tiers;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::civil;
use rayon::prelude::*;

pub use access::Access;
pub use adopted::{Adopted, BESIDE_A_SOURCE, may_be_adopted};
pub use clusters::{Clusters, Host};
pub use delivery::Deliveries;
pub use flows::Flows;
pub use instance::Instance;
pub use network::Network;
pub use settings::{MERGED_BY_KEY, changes_type, fits, selects};
pub use tiers::Tiers;

use crate::catalog::Catalog;
use crate::decode::Findings;
use crate::diag::{Code, Diag, Severity};
use crate::formats;
use crate::inventory::fleet::Fleet;
use crate::inventory::tier::PodSecurity;
use crate::inventory::workload::Identity;
use crate::inventory::{Inventory, PLACEMENT};
use crate::schema::Schemas;
use crate::source::{Span, Spanned};
pub use exemptions::Exemptions;
use exemptions::{Place, check_ends};
use index::Index;
use instance::Ground;

/// What the day is, and what may be past its end.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The day by which ends are judged.
    pub as_of: civil::Date,
    /// Whether what is past its end is a warning.
    pub allow_expired: bool,
}

/// A namespace of workloads on one cluster.
#[derive(Debug)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// The cluster.
    pub cluster: usize,
    /// Its team.
    pub team: String,
    /// Its tier.
    pub tier: usize,
    /// Its Pod Security level: its tier's, unless an exemption loosened it.
    pub level: PodSecurity,
    /// Shared ConfigMaps that its workloads refer to, by name.
    pub configs: BTreeSet<String>,
    /// The first workload that asked for it.
    pub origin: Span,
}

/// A resolved fleet. Only [`resolve`] makes one, and only of an inventory without errors.
#[derive(Debug)]
pub struct Model<'i> {
    /// What was read.
    pub inventory: &'i Inventory,
    /// The fleet.
    pub fleet: &'i Spanned<Fleet>,
    /// The tiers.
    pub tiers: Tiers<'i>,
    /// The clusters.
    pub clusters: Clusters<'i>,
    /// Who applies each cluster's tree.
    pub deliveries: Deliveries,
    /// Namespaces by cluster and name.
    pub namespaces: BTreeMap<(usize, String), Namespace>,
    /// Workloads on clusters, sorted by cluster, namespace and name.
    pub instances: Vec<Instance<'i>>,
    /// Flows between them, by position, and what these need.
    pub flows: Flows<'i>,
    /// What may flow, and nothing else.
    pub network: Network,
    /// Who may do what, where.
    pub access: Access,
    /// What is waived, where.
    pub exemptions: Exemptions<'i>,
}

impl<'i> Model<'i> {
    /// The namespaces of workloads on a cluster, by name.
    pub fn namespaces_on(&self, cluster: usize) -> impl Iterator<Item = &Namespace> {
        namespaces_on(&self.namespaces, cluster)
    }

    /// Whether a control is waived in all of a namespace: for it, its tier or its cluster.
    pub fn is_waived_in(&self, control: &str, namespace: &Namespace) -> bool {
        let (cluster, tier) = (self.clusters.name(namespace.cluster), self.tiers.name(namespace.tier));
        self.exemptions.is_waived(control, Place { namespace: &namespace.name, cluster, tier, ..Place::default() })
    }

    /// Where the workloads of a cluster are among all.
    pub fn positions_on(&self, cluster: usize) -> Range<usize> {
        let before = |end: usize| self.instances.partition_point(|instance| instance.cluster < end);
        before(cluster)..before(cluster + 1)
    }

    /// The workloads on a cluster, by namespace and name.
    pub fn instances_on(&self, cluster: usize) -> &[Instance<'i>] {
        &self.instances[self.positions_on(cluster)]
    }
}

/// The namespaces on a cluster, by name.
fn namespaces_on(all: &BTreeMap<(usize, String), Namespace>, cluster: usize) -> impl Iterator<Item = &Namespace> {
    all.range((cluster, String::new())..(cluster + 1, String::new())).map(|(_, namespace)| namespace)
}

/// Resolves an inventory: `None` where there is no fleet to speak of. Every finding of every rule is reported in one run, so the model of an
/// inventory with errors is returned too; nothing may be rendered from it.
pub fn resolve<'i>(
    inventory: &'i Inventory,
    catalog: &Catalog,
    schemas: &Schemas,
    options: Options,
    findings: &mut Findings,
) -> Option<Model<'i>> {
    let fleet = inventory.fleet.as_ref()?;
    findings.hold_back(inventory.unread.keys());
    let tiers = Tiers::new(inventory, findings);
    let clusters = Clusters::new(inventory, &tiers, findings);
    let deliveries = Deliveries::new(inventory, &tiers, &clusters, findings);
    let exemptions = Exemptions::new(inventory, catalog, findings);
    check_ends(inventory, options.as_of, options.allow_expired, findings);
    identity::check(inventory, findings);
    trust::check(inventory, findings);
    check_names(inventory, findings);
    check_references(inventory, &tiers, &clusters, findings);
    check_shared_configs(inventory, &exemptions, findings);
    storage::check_classes(inventory, &exemptions, findings);
    budget::check_quotas(inventory, findings);
    signatures::check(inventory, findings);
    statements::check(inventory, findings);
    platform::check_identities(inventory, findings);
    duplicates::check(inventory, findings);
    check_label_domain(fleet, findings);
    monitoring::check(inventory, &tiers, &clusters, findings);

    let teams =
        Index::new("team", inventory.teams.iter().map(|team| team.name.clone().map(|name| name.to_string())), &inventory.lost, findings);
    let identities = || inventory.workloads.iter().map(|workload| &workload.identity);
    let full_names = identities().map(|identity| Spanned::new(identity.full_name(), identity.name.span));
    let mut workloads = Index::new("workload", full_names, &inventory.lost, findings);
    workloads.leave_out(identities().filter(|identity| teams.get(&identity.team).is_none()).map(Identity::full_name));
    let ground = Ground { inventory, tiers: &tiers, exemptions: &exemptions, schemas };
    let resolved: Vec<(Vec<Instance<'i>>, Findings)> =
        inventory.workloads.par_iter().map(|workload| resolve_workload(ground, workload, fleet, &teams, &clusters)).collect();
    let mut instances = Vec::new();
    for (built, more) in resolved {
        instances.extend(built);
        findings.extend(more);
    }
    let key = |instance: &Instance<'_>| (instance.cluster, instance.namespace.clone(), instance.workload.identity.name.value.clone());
    instances.sort_by_cached_key(key);
    let namespaces = namespaces(&instances);
    check_scopes(inventory, &workloads, &namespaces, findings);
    hosts::check(&instances, findings);
    duplicates::check_exemptions(inventory, &tiers, &clusters, &instances, findings);
    let unjudged = unjudged(inventory, &instances);
    let access = Access::new(inventory, &tiers, &clusters, &namespaces, &unjudged, findings);
    let flows = flows::resolve(inventory, &tiers, &clusters, &deliveries, &workloads, &instances, findings);
    let network = network::resolve(inventory, &tiers, &clusters, &deliveries, &namespaces, &instances, &flows, &exemptions, findings);
    if inventory.lost.is_empty() {
        exemptions.report_unused(&unjudged, findings);
    }
    findings.extend(network::unmaintained::note(inventory));
    // What a mistake keeps from being made is not what the note is about.
    if inventory.lost.is_empty() && !findings.iter().any(|diag| diag.severity == Severity::Error) {
        findings.extend(honesty::note(inventory, &clusters, &deliveries, &instances));
    }
    let model = Model { inventory, fleet, tiers, clusters, deliveries, namespaces, instances, flows, network, access, exemptions };
    scratch::check(&model, findings);
    composed::check(&model, findings);
    Some(model)
}

fn resolve_workload<'i>(
    ground: Ground<'_, 'i>,
    workload: &'i Spanned<crate::inventory::workload::Workload>,
    fleet: &Fleet,
    teams: &Index<'_>,
    clusters: &Clusters<'i>,
) -> (Vec<Instance<'i>>, Findings) {
    let mut findings = Findings::new();
    let identity = &workload.identity;
    let tier = ground.tiers.of_workload(workload, &mut findings);
    let team = teams.resolve(&identity.team, identity.team.span, &mut findings).map(|at| &ground.inventory.teams[at]);
    check::own_keys(ground.inventory, workload, &mut findings);
    let (Some(tier), Some(team)) = (tier, team) else { return (Vec::new(), findings) };
    let chosen = placement::clusters_of(workload, tier, team, fleet, ground.tiers, clusters, &mut findings);
    for change in &identity.overrides {
        let before = findings.len();
        placement::check_match(&change.r#match, clusters, &mut findings);
        let is_misspelt = ground.inventory.misspelt.has(change.r#match.span);
        let matched = is_misspelt || chosen.iter().any(|at| settings::fits(&change.r#match, clusters.all[*at].raw));
        if findings.len() == before && !matched && !chosen.is_empty() {
            let names: Vec<&str> = chosen.iter().map(|at| clusters.name(*at)).collect();
            let diag = Diag::new(
                Code::OverrideUnused,
                change.r#match.span,
                format!("the override matches no cluster of `{}`", identity.name.value),
            );
            let diag = diag.rests_on(&["clusters"]);
            findings.push(diag.help(format!("It runs on: {}.", index::abridged(&names))));
        }
    }
    if let Some(source) = &identity.source {
        adopted::check_keys(workload, &mut findings);
        // A source that could not be built was reported when it was read.
        let Some(built) = ground.inventory.sources.get(&source.kustomize.value) else { return (Vec::new(), findings) };
        let build = |at| adopted::build(ground, workload, team, (tier, at), &clusters.all[at], built, &mut findings);
        return (chosen.into_iter().map(build).collect(), findings);
    }
    let instances =
        chosen.into_iter().map(|at| instance::build(ground, workload, team, tier, at, &clusters.all[at], &mut findings)).collect();
    (instances, findings)
}

/// Workloads that came to nothing, of which there is a finding: what they would need or give a place to is not known.
fn unjudged(inventory: &Inventory, instances: &[Instance<'_>]) -> BTreeSet<String> {
    let judged: BTreeSet<String> = instances.iter().map(flows::full_name).collect();
    let all = inventory.workloads.iter().map(|workload| workload.identity.full_name());
    all.filter(|name| !judged.contains(name)).collect()
}

fn namespaces(instances: &[Instance<'_>]) -> BTreeMap<(usize, String), Namespace> {
    let mut namespaces: BTreeMap<(usize, String), Namespace> = BTreeMap::new();
    for instance in instances {
        let namespace = namespaces.entry((instance.cluster, instance.namespace.clone())).or_insert_with(|| Namespace {
            name: instance.namespace.clone(),
            cluster: instance.cluster,
            team: instance.team.name.to_string(),
            tier: instance.tier,
            level: instance.level,
            configs: BTreeSet::new(),
            origin: instance.workload.identity.name.span,
        });
        namespace.level = namespace.level.min(instance.level);
        namespace.configs.extend(instance.configs.iter().cloned());
    }
    namespaces
}

/// The domain of our labels is nobody else's.
fn check_label_domain(fleet: &Fleet, findings: &mut Findings) {
    let domain = &fleet.label_domain;
    let Err(problem) = formats::check_label_domain(domain.as_str()) else { return };
    let diag = Diag::new(Code::InvalidName, domain.span, problem);
    findings.push(diag.help("Write a DNS name that is yours alone, such as `tier.acme.example`; it cannot be changed later."));
}

/// Names that must be unique within their kind but that nothing looks up.
fn check_names(inventory: &Inventory, findings: &mut Findings) {
    let nothing = BTreeSet::new();
    Index::new("gateway", inventory.gateways.iter().map(|gateway| gateway.name.clone().map(|name| name.to_string())), &nothing, findings);
    Index::new("token", inventory.tokens.iter().map(|token| token.name.clone().map(|name| name.to_string())), &nothing, findings);
    Index::new(
        "shared ConfigMap",
        inventory.configs.iter().map(|config| config.name.clone().map(|name| name.to_string())),
        &nothing,
        findings,
    );
}

/// References of what no later rule looks at: selectors, grants, tokens, scopes of exemptions.
fn check_references(inventory: &Inventory, tiers: &Tiers<'_>, clusters: &Clusters<'_>, findings: &mut Findings) {
    let fleet = inventory.fleet.iter().flat_map(|fleet| &fleet.clusters);
    let teams = inventory.teams.iter().flat_map(|team| &team.clusters);
    let of_tiers = inventory.tiers.iter().flat_map(|tier| &tier.clusters);
    let platform = inventory.fleet.iter().flat_map(|fleet| &fleet.grants);
    let platform: Vec<_> = platform
        .chain(inventory.tiers.iter().flat_map(|tier| &tier.grants))
        .chain(inventory.clusters.iter().flat_map(|cluster| &cluster.grants))
        .collect();
    let of_team: Vec<_> = inventory.teams.iter().flat_map(|team| &team.grants).collect();
    let grants = platform.iter().flat_map(|grant| &grant.clusters).chain(of_team.iter().flat_map(|grant| &grant.clusters));
    let workloads = inventory.workloads.iter().flat_map(|workload| &workload.identity.clusters);
    for selector in fleet.chain(teams).chain(of_tiers).chain(grants) {
        placement::check_selector(selector, clusters, findings);
    }
    for selector in workloads.filter(|selector| matches!(selector.value, crate::inventory::selector::ClusterSelector::Matching(_))) {
        placement::check_selector(selector, clusters, findings);
    }
    let granted = platform.iter().filter_map(|grant| grant.tiers.as_ref()).chain(of_team.iter().filter_map(|grant| grant.tiers.as_ref()));
    for tier in granted.flatten() {
        tiers.index.resolve(tier, tier.span, findings);
    }
    for token in &inventory.tokens {
        clusters.index.resolve(&token.cluster, token.cluster.span, findings);
    }
    for exemption in &inventory.exemptions {
        if let Some(cluster) = &exemption.scope.cluster {
            clusters.index.resolve(cluster, cluster.span, findings);
        }
        if let Some(tier) = &exemption.scope.tier {
            tiers.index.resolve(tier, tier.span, findings);
        }
    }
}

/// References of exemptions to workloads and to namespaces, which are known only now.
fn check_scopes(inventory: &Inventory, workloads: &Index<'_>, namespaces: &BTreeMap<(usize, String), Namespace>, findings: &mut Findings) {
    let known: BTreeSet<&str> = namespaces.values().map(|namespace| namespace.name.as_str()).collect();
    for exemption in &inventory.exemptions {
        if let Some(workload) = &exemption.scope.workload {
            workloads.resolve(workload, workload.span, findings);
        }
        let unknown = |namespace: &&Spanned<String>| inventory.lost.is_empty() && !known.contains(namespace.as_str());
        if let Some(namespace) = exemption.scope.namespace.as_ref().filter(unknown) {
            let message = format!("no workload is in a namespace `{}`", namespace.value);
            let all: Vec<&str> = known.iter().copied().collect();
            let hint = crate::diag::did_you_mean(namespace, known.iter().copied());
            let diag = Diag::new(Code::UnknownReference, namespace.span, message).rests_on(PLACEMENT);
            findings.push(diag.help(hint.unwrap_or_else(|| format!("There are: {}.", index::abridged(&all)))));
        }
    }
}

fn check_shared_configs(inventory: &Inventory, exemptions: &Exemptions<'_>, findings: &mut Findings) {
    let nowhere = Place::default();
    for config in &inventory.configs {
        check::config_data(exemptions, nowhere, &config.data, findings);
    }
}

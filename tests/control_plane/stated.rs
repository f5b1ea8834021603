//! What an inventory states, as the suite holds it against what the real programs do with the trees.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ringfence::catalog;
use ringfence::formats::RegistryPrefix;
use ringfence::inventory::workload::WorkloadKind;
use ringfence::inventory::{self, cluster::Enforcement};
use ringfence::model::{self, Model, Options};
use ringfence::schema::{Minor, Schemas};
use ringfence::source::Files;
use serde_json::Value;

/// A cluster as its inventory states it.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// The prefix of the fleet's labels and taints.
    pub label_domain: String,
    /// Its Kubernetes minor.
    pub minor: Minor,
    /// Whether what breaks a rule is refused, not only logged.
    pub enforced: bool,
    /// Its network plugin.
    pub cni: &'static str,
    /// Its node pools.
    pub pools: Vec<Pool>,
    /// Its namespaces of workloads, with their tiers.
    pub namespaces: BTreeMap<String, String>,
    /// What each of its tiers asks of pods.
    pub rules: BTreeMap<String, Rules>,
    /// Its workloads.
    pub workloads: Vec<Workload>,
    /// Every group that a grant of the fleet or of a team names, as the server sees it.
    pub groups: BTreeSet<String>,
    /// What they hold here.
    pub grants: Vec<Grant>,
    /// The platform's namespaces that the tree has something in.
    pub looked_at: Vec<String>,
    /// Who scrapes here.
    pub scrapers: Vec<Scraper>,
}

/// A Prometheus.
#[derive(Clone, Debug)]
pub struct Scraper {
    /// The tier whose own it is.
    pub tier: Option<String>,
    /// Its namespace.
    pub namespace: String,
    /// Its ServiceAccount.
    pub account: String,
    /// The namespaces of workloads in which it finds pods.
    pub tiers: Vec<String>,
    /// Those of the platform; none where it is a tier's own.
    pub platform: Vec<String>,
    /// Whether it has no operator.
    pub plain: bool,
}

/// A role that a group holds.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The group, as the server sees it.
    pub group: String,
    /// The role's word in the inventory, or `platform-viewer` and `platform-operator`.
    pub role: String,
    /// The namespaces in which it holds; none where it holds on the whole cluster.
    pub namespaces: Option<Vec<String>>,
    /// The tiers whose operators run programs in pods.
    pub exec: Vec<String>,
}

/// A pool of nodes.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its tier; none for the system pool.
    pub tier: Option<String>,
    /// Its nodes.
    pub nodes: Vec<String>,
}

/// What a tier asks of pods, beside its placement.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Their PriorityClass.
    pub priority_class: String,
    /// An image that it admits.
    pub image: String,
    /// The registries of its images; any, if none are stated.
    pub registries: Option<Vec<RegistryPrefix>>,
    /// Whether its images have a digest.
    pub digest: bool,
}

/// A workload on the cluster.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// Its team.
    pub team: String,
    /// Its namespace.
    pub namespace: String,
    /// Its tier.
    pub tier: String,
    /// What runs it.
    pub kind: WorkloadKind,
    /// The one pool that it asks for.
    pub pool: Option<String>,
    /// What it may ask the API server for.
    pub api_access: Vec<Rule>,
    /// Its ports that are scraped, each with the path.
    pub scraped: Vec<(u16, String)>,
}

/// Verbs on resources.
#[derive(Clone, Debug)]
pub struct Rule {
    /// API groups.
    pub groups: Vec<String>,
    /// Resources.
    pub resources: Vec<String>,
    /// Verbs.
    pub verbs: Vec<String>,
    /// The only objects meant, if any.
    pub names: Option<Vec<String>>,
}

impl Cluster {
    /// The clusters of the inventory in `inventory/` below a project's root.
    pub fn all(root: &Path) -> Vec<Self> {
        let (mut files, mut findings, schemas) = (Files::default(), ringfence::diag::Findings::new(), Schemas::new());
        let inventory = inventory::load(root, &root.join("inventory"), &root.join("output"), &mut files, &mut findings);
        let catalog = catalog::load(&mut files, &[], &mut findings);
        // What has an end is the business of other tests.
        let options = Options { as_of: jiff::civil::Date::MIN, allow_expired: true };
        let model = model::resolve(&inventory, &catalog, &schemas, options, &mut findings).unwrap();
        (0..model.clusters.all.len()).map(|at| Self::of(&model, at)).collect()
    }

    /// The tier of the pool that a node is in; none where it is in the system pool or in no pool.
    pub fn tier_of_node(&self, node: &str) -> Option<&str> {
        self.pool_of_node(node)?.tier.as_deref()
    }

    /// The pool that a node is in.
    pub fn pool_of_node(&self, node: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.nodes.iter().any(|name| name == node))
    }

    fn of(model: &Model<'_>, at: usize) -> Self {
        let host = &model.clusters.all[at];
        let pools = host.raw.node_pools.iter().map(|pool| Pool {
            name: pool.name.to_string(),
            tier: pool.tier.as_ref().map(|tier| tier.value.clone()),
            nodes: match pool.nodes.as_slice() {
                [] => {
                    (0..pool.replicas.map_or(1, |replicas| replicas.value)).map(|number| format!("{}-{number}", pool.name.value)).collect()
                }
                stated => stated.iter().map(|node| node.to_string()).collect(),
            },
        });
        let namespaces = model.namespaces.values().filter(|namespace| namespace.cluster == at);
        let namespaces = namespaces.map(|namespace| (namespace.name.clone(), model.tiers.name(namespace.tier).to_owned()));
        let workloads = model.instances.iter().filter(|instance| instance.cluster == at).map(|instance| Workload {
            name: instance.workload.identity.name.to_string(),
            team: instance.team.name.to_string(),
            namespace: instance.namespace.clone(),
            tier: model.tiers.name(instance.tier).to_owned(),
            kind: instance.workload.identity.kind.value,
            pool: instance.cascade.settings.placement.as_ref().and_then(|placement| placement.pool.as_ref()).map(|pool| pool.to_string()),
            api_access: instance.cascade.settings.api_access.iter().flatten().map(|rule| Rule::of(rule)).collect(),
            scraped: scraped(instance),
        });
        Self {
            name: host.raw.name.to_string(),
            label_domain: model.fleet.label_domain.to_string(),
            minor: host.minor,
            enforced: host.raw.enforcement.is_none_or(|stated| stated.value == Enforcement::Deny),
            cni: host.raw.cni.name.value.as_str(),
            pools: pools.collect(),
            namespaces: namespaces.collect(),
            rules: host.tiers.iter().map(|tier| (model.tiers.name(*tier).to_owned(), Rules::of(model, *tier))).collect(),
            workloads: workloads.collect(),
            groups: groups(model),
            grants: grants(model, at),
            looked_at: looked_at(model, at),
            scrapers: scrapers(model, at),
        }
    }
}

impl Rules {
    fn of(model: &Model<'_>, tier: usize) -> Self {
        let tier = &model.tiers.all[tier];
        let registry = tier.registries.as_ref().and_then(|all| all.first()).map_or("registry.example/", |first| first.as_str());
        let image = format!("{}/nothing:1@sha256:{}", registry.trim_end_matches('/'), "0f".repeat(32));
        Self {
            priority_class: model::priority_class::name(tier),
            image,
            registries: tier.registries.as_ref().map(|all| all.iter().map(|registry| registry.value.clone()).collect()),
            digest: tier.require_digest.is_some_and(|required| required.value),
        }
    }
}

impl Workload {
    /// Its namespace and its name.
    pub fn key(&self) -> (String, String) {
        (self.namespace.clone(), self.name.clone())
    }
}

impl Rule {
    fn of(rule: &inventory::pod::ApiRule) -> Self {
        let texts = |list: &[ringfence::source::Spanned<String>]| list.iter().map(|text| text.value.clone()).collect::<Vec<_>>();
        Self {
            groups: texts(&rule.api_groups),
            resources: texts(&rule.resources),
            verbs: texts(&rule.verbs),
            names: rule.resource_names.as_deref().map(texts),
        }
    }

    /// The rules of a line such as `get,list apps/deployments`; nothing before the slash is the core group.
    pub fn parse(line: &str) -> Self {
        let (verbs, what) = line.split_once(' ').unwrap();
        let (group, resources) = what.split_once('/').unwrap();
        let words = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        Self { groups: vec![group.to_owned()], resources: words(resources), verbs: words(verbs), names: None }
    }

    /// Whether it covers a question of the authorizer: `verb`, `group`, `resource`, `subresource` and `name`.
    pub fn covers(&self, question: &Value) -> bool {
        let text = |key: &str| question[key].as_str().unwrap_or_default();
        let resource = match text("subresource") {
            "" => text("resource").to_owned(),
            sub => format!("{}/{sub}", text("resource")),
        };
        let names = |names: &Vec<String>| names.iter().any(|name| name == text("name"));
        self.groups.iter().any(|group| group == text("group"))
            && self.resources.contains(&resource)
            && self.verbs.iter().any(|verb| verb == text("verb"))
            && self.names.as_ref().is_none_or(names)
    }
}

/// What the inventory grants on a cluster, read from it a second time: every grant on every namespace, one by one.
fn grants(model: &Model<'_>, at: usize) -> Vec<Grant> {
    let inventory = model.inventory;
    let host = &model.clusters.all[at];
    let prefix = prefix(model);
    let named = |tiers: &Option<Vec<ringfence::source::Spanned<String>>>, tier: usize| {
        tiers.as_ref().is_none_or(|tiers| tiers.iter().any(|name| name.as_str() == model.tiers.name(tier)))
    };
    let here =
        |clusters: &Option<_>| clusters.as_ref().is_none_or(|selector: &ringfence::source::Spanned<_>| model::selects(selector, host.raw));
    let open = |tier: usize| model.tiers.all[tier].break_glass.as_ref().is_some_and(|stated| here(&stated.clusters));
    let highest = model.tiers.all.iter().map(|tier| tier.level.value).max().unwrap();
    let lowest = model.tiers.all.iter().map(|tier| tier.level.value).min().unwrap();
    let top = |tier: usize| model.tiers.all[tier].level.value == highest && highest > lowest;
    let exec: Vec<String> = (0..model.tiers.all.len())
        .filter(|tier| {
            let usual = model.tiers.isolation(*tier) == inventory::tier::Isolation::Pool;
            !top(*tier) && model.tiers.all[*tier].exec.as_ref().map_or(usual, |stated| stated.value)
        })
        .map(|tier| model.tiers.name(tier).to_owned())
        .collect();
    let namespaces = || model.namespaces.values().filter(|space| space.cluster == at);
    let mut grants = Vec::new();
    let mut add = |group: &str, role: &str, namespaces: Option<Vec<String>>| {
        grants.push(Grant { group: format!("{prefix}{group}"), role: role.to_owned(), namespaces, exec: exec.clone() });
    };
    let looked_at = looked_at(model, at);
    let of_fleet = model.fleet.grants.iter().map(|grant| (grant, None));
    let of_tiers = inventory.tiers.iter().enumerate().flat_map(|(tier, one)| one.grants.iter().map(move |grant| (grant, Some(tier))));
    let of_cluster = host.raw.grants.iter().map(|grant| (grant, None));
    for (grant, owner) in of_fleet.chain(of_tiers).chain(of_cluster).filter(|(grant, _)| here(&grant.clusters)) {
        let meant = |tier: usize| named(&grant.tiers, tier) && owner.is_none_or(|owner| owner == tier);
        let whole = host.tiers.iter().all(|tier| meant(*tier));
        let role = grant.role.value.as_str();
        let in_tiers = |more: &dyn Fn(usize) -> bool| -> Vec<String> {
            namespaces().filter(|space| meant(space.tier) && more(space.tier)).map(|space| space.name.clone()).collect()
        };
        match role {
            "cluster-viewer" if whole => {
                add(&grant.group, role, None);
                add(&grant.group, "viewer", Some(in_tiers(&|_| true)));
            }
            "node-admin" | "node-scaler" if whole => add(&grant.group, role, None),
            "cluster-viewer" if host.tiers.iter().any(|tier| meant(*tier)) => {
                add(&grant.group, "viewer", Some(in_tiers(&|_| true)));
                add(&grant.group, "platform-viewer", Some(looked_at.clone()));
            }
            "break-glass" => add(&grant.group, role, Some(in_tiers(&open))),
            _ => add(&grant.group, role, Some(in_tiers(&|_| true))),
        }
    }
    for team in &inventory.teams {
        for grant in team.grants.iter().filter(|grant| here(&grant.clusters)) {
            let role = grant.role.value.as_str();
            let holds = |space: &&model::Namespace| {
                space.team == team.name.as_str()
                    && named(&grant.tiers, space.tier)
                    && (role != "on-call" || !top(space.tier) || open(space.tier))
            };
            let own: Vec<String> = namespaces().filter(holds).map(|space| space.name.clone()).collect();
            if !own.is_empty() {
                add(&grant.group, role, Some(own));
                add(&grant.group, "platform-viewer", Some(looked_at.clone()));
            }
        }
    }
    for group in host.raw.platform.iter().flat_map(|platform| &platform.operators) {
        add(group, "platform-operator", Some(looked_at.clone()));
    }
    grants
}

/// Where something of the platform runs: the namespaces that the cluster's inventory leads to, but an Argo CD's own.
fn looked_at(model: &Model<'_>, at: usize) -> Vec<String> {
    let delivery = model.deliveries.of(at);
    let argocd = delivery.and_then(|delivery| delivery.argocd.as_ref()).map(|argocd| argocd.namespace.as_str());
    let all = model::platform::namespaces(model.inventory, &model.clusters.all[at], delivery);
    let empty = ["default", "kube-public", "kube-node-lease"];
    all.into_iter().map(|space| space.name).filter(|name| !empty.contains(&name.as_str()) && argocd != Some(name)).collect()
}

fn scraped(instance: &model::Instance<'_>) -> Vec<(u16, String)> {
    let ports = instance.cascade.settings.ports.iter().flatten();
    ports.filter_map(|port| Some((port.port.value, port.scrape.as_ref()?.value.clone()))).collect()
}

/// Who scrapes, read from the inventory a second time: each key as the cluster states it, else as the fleet does.
fn scrapers(model: &Model<'_>, at: usize) -> Vec<Scraper> {
    let host = &model.clusters.all[at];
    let stated: Vec<_> = host.raw.monitoring.iter().chain(model.fleet.monitoring.iter()).map(|monitoring| &monitoring.value).collect();
    if stated.is_empty() {
        return Vec::new();
    }
    let namespace = stated.iter().find_map(|one| one.namespace.as_ref()).map_or("monitoring", |name| name.as_str());
    let plain = stated.iter().find_map(|one| one.flavor).is_some_and(|flavor| flavor.value == inventory::fleet::MonitoringFlavor::Plain);
    let own: Vec<_> = stated.iter().find_map(|one| one.tiers.as_ref()).into_iter().flatten().collect();
    let has_own = |tier: usize| own.iter().any(|one| one.tier.as_str() == model.tiers.name(tier));
    let scraped = |of: &dyn Fn(usize) -> bool| -> Vec<String> {
        let here = model.instances.iter().filter(|instance| instance.cluster == at && of(instance.tier));
        here.filter(|instance| !self::scraped(instance).is_empty())
            .map(|instance| instance.namespace.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    };
    let instance = stated.iter().find_map(|one| one.instance.as_ref()).map_or("k8s", |name| name.as_str());
    let account = stated.iter().find_map(|one| one.service_account.as_ref());
    let mut platform = looked_at(model, at);
    platform.push("default".to_owned());
    let of_cluster = Scraper {
        tier: None,
        namespace: namespace.to_owned(),
        account: account.map_or_else(|| format!("prometheus-{instance}"), |name| name.to_string()),
        tiers: scraped(&|tier| !has_own(tier)),
        platform,
        plain,
    };
    let of_tiers = own.iter().filter(|one| host.tiers.iter().any(|tier| model.tiers.name(*tier) == one.tier.as_str())).map(|one| Scraper {
        tier: Some(one.tier.value.clone()),
        namespace: namespace.to_owned(),
        account: one.service_account.as_ref().map_or_else(|| format!("prometheus-{}", one.instance.value), |name| name.to_string()),
        tiers: scraped(&|tier| model.tiers.name(tier) == one.tier.as_str()),
        platform: Vec::new(),
        plain,
    });
    std::iter::once(of_cluster).chain(of_tiers).collect()
}

fn prefix<'m>(model: &Model<'m>) -> &'m str {
    let identity = model.fleet.value.identity.as_ref();
    identity.and_then(|identity| identity.groups_prefix.as_ref()).map_or("", |prefix| prefix.as_str())
}

fn groups(model: &Model<'_>) -> BTreeSet<String> {
    let prefix = prefix(model);
    let of_fleet = model.fleet.grants.iter().map(|grant| grant.group.as_str());
    let of_tiers = model.inventory.tiers.iter().flat_map(|tier| &tier.grants).map(|grant| grant.group.as_str());
    let of_clusters = model.inventory.clusters.iter().flat_map(|cluster| &cluster.grants).map(|grant| grant.group.as_str());
    let of_teams = model.inventory.teams.iter().flat_map(|team| &team.grants).map(|grant| grant.group.as_str());
    let operators = model.inventory.clusters.iter().flat_map(|cluster| &cluster.platform).flat_map(|platform| &platform.operators);
    let operators = operators.map(|group| group.as_str());
    of_fleet.chain(of_tiers).chain(of_clusters).chain(of_teams).chain(operators).map(|group| format!("{prefix}{group}")).collect()
}

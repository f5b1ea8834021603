//! What an inventory states, as the suite holds it against what the real programs do with the trees.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ringfence::catalog;
use ringfence::formats::RegistryPrefix;
use ringfence::inventory;
use ringfence::inventory::workload::WorkloadKind;
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
        let (mut files, mut findings, schemas) = (Files::default(), Vec::new(), Schemas::new());
        let inventory = inventory::load(root, &root.join("inventory"), &mut files, &mut findings);
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
        });
        Self {
            name: host.raw.name.to_string(),
            label_domain: model.fleet.label_domain.to_string(),
            minor: host.minor,
            pools: pools.collect(),
            namespaces: namespaces.collect(),
            rules: host.tiers.iter().map(|tier| (model.tiers.name(*tier).to_owned(), Rules::of(model, *tier))).collect(),
            workloads: workloads.collect(),
            groups: groups(model),
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

fn groups(model: &Model<'_>) -> BTreeSet<String> {
    let prefix = model.fleet.identity.as_ref().and_then(|identity| identity.groups_prefix.as_ref()).map_or("", |prefix| prefix.as_str());
    let of_fleet = model.fleet.grants.iter().map(|grant| grant.group.as_str());
    let of_tiers = model.inventory.tiers.iter().flat_map(|tier| &tier.grants).map(|grant| grant.group.as_str());
    let of_clusters = model.inventory.clusters.iter().flat_map(|cluster| &cluster.grants).map(|grant| grant.group.as_str());
    let of_teams = model.inventory.teams.iter().flat_map(|team| &team.grants).map(|grant| grant.group.as_str());
    of_fleet.chain(of_tiers).chain(of_clusters).chain(of_teams).map(|group| format!("{prefix}{group}")).collect()
}

//! What watches the segregation of a cluster sees: `cluster.segregation`, with texts that are literals of `PromQL` already.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil;
use serde_json::{Value, json};

use crate::formats::{Date, promql};
use crate::inventory::cluster::{Enforcement, NodePool};
use crate::inventory::gateway::Exemption;
use crate::inventory::provider::Autoscaler;
use crate::inventory::tier::PodSecurity;
use crate::model::exemptions::Place;
use crate::model::flows::full_name;
use crate::model::{Model, platform};
use crate::source::Span;

/// The label that draws a tier's pods to a node.
const NODE_TIER: &str = "node-restriction.kubernetes.io/tier";
/// The label that holds a namespace to a level of Pod Security.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// `cluster.segregation`: `cluster` (its name), `key` (of the tiers' taint) and `taint` (the same as a literal); `labels` (`node` and
/// `namespace` for the tier, `podSecurity`: as kube-state-metrics names them); `allowlist` (what it is to tell of: `nodes`, `namespaces`,
/// and both as its `flag`); `policies` (all of ours), `refused` (how the API server counts what they stop); `tiers`, `named` and
/// `counted` (whether the inventory knows nodes of one of them); `all` (their namespaces; null where there are none); `ends` (kind, name,
/// place, owner, tier, expires, and in seconds since 1970 `soon`, a week before the end, and `over`; texts are literals of Go's
/// templates) and `days` (of each: `legend`, and `expr` for how many are left).
pub fn of_cluster(model: &Model<'_>, cluster: usize) -> Value {
    let domain = model.fleet.label_domain.as_str();
    let key = format!("{domain}/tier");
    let names: Vec<&str> = model.namespaces_on(cluster).map(|namespace| namespace.name.as_str()).collect();
    let (tiers, ends) = (tiers(model, cluster), ends(model, cluster));
    json!({
        "key": key,
        "cluster": promql::text(model.clusters.name(cluster)),
        "taint": promql::text(&key),
        "labels": {
            "node": promql::object_label(NODE_TIER),
            "namespace": promql::object_label(&key),
            "podSecurity": promql::object_label(ENFORCE),
        },
        "allowlist": {
            "nodes": promql::text(&format!("nodes=[{NODE_TIER}]")),
            "namespaces": promql::text(&format!("namespaces=[{key},{ENFORCE}]")),
            "flag": format!("nodes=[{NODE_TIER}],namespaces=[{key},{ENFORCE}]"),
        },
        "policies": promql::ends_in(&format!(".{domain}")),
        "refused": match model.clusters.all[cluster].enforcement() {
            Enforcement::Deny => promql::text("deny"),
            Enforcement::Audit => promql::text("warn"),
        },
        "named": tiers.iter().any(|tier| !tier["nodes"].is_null()),
        "counted": tiers.iter().any(|tier| !tier["count"].is_null()),
        "tiers": tiers,
        "all": (!names.is_empty()).then(|| promql::one_of(names.iter().copied())),
        "days": ends.iter().map(days).collect::<Vec<_>>(),
        "ends": ends.iter().map(End::view).collect::<Vec<_>>(),
    })
}

/// What holds until a day.
struct End<'m> {
    kind: &'static str,
    name: &'m str,
    place: &'m str,
    owner: &'m str,
    tier: &'m str,
    expires: &'m Date,
}

impl End<'_> {
    /// The end of its last day, in seconds since 1970 (UTC).
    fn over(&self) -> i64 {
        i64::from(self.expires.days_after(civil::date(1970, 1, 1)) + 1) * 86_400
    }

    fn view(&self) -> Value {
        json!({
            "kind": self.kind,
            "name": promql::literal(self.name),
            "place": promql::literal(self.place),
            "owner": promql::literal(self.owner),
            "tier": self.tier,
            "expires": self.expires.as_str(),
            "soon": self.over() - i64::from(DAYS) * 86_400,
            "over": self.over(),
        })
    }
}

/// A line of a dashboard.
fn days(end: &End<'_>) -> Value {
    json!({
        "legend": format!("{} {} ({}), until {}", end.kind, end.name, end.owner, end.expires.as_str()),
        "expr": format!("(vector({}) - time()) / 86400", end.over()),
    })
}

/// `tiers`: each with its name, `value`, `namespaces` (null where it has none here), `known` (those and the platform's: no other
/// namespace's pods have a place on its nodes), `platform` (of which the daemons do), `agents` (of those the ones that may be privileged, as
/// what works on nodes is), `groups` (namespaces by the level that they are to
/// be held to: `level`, and as a literal `podSecurity`), `nodes` (by name, where the inventory knows all of them; else null) and `count`
/// (how many, where it knows that alone).
fn tiers(model: &Model<'_>, cluster: usize) -> Vec<Value> {
    let host = &model.clusters.all[cluster];
    let platform = platform::namespaces(model.inventory, host, model.deliveries.of(cluster));
    let platform: Vec<_> = platform.iter().filter(|space| space.present).collect();
    let agents = promql::one_of(platform.iter().filter(|space| space.level == PodSecurity::Privileged).map(|space| space.name.as_str()));
    let platform: Vec<&str> = platform.iter().map(|space| space.name.as_str()).collect();
    let view = |tier: usize| {
        let name = model.tiers.name(tier);
        let spaces: Vec<_> = model.namespaces_on(cluster).filter(|namespace| namespace.tier == tier).collect();
        let names: Vec<&str> = spaces.iter().map(|namespace| namespace.name.as_str()).collect();
        let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for namespace in &spaces {
            let labels = super::pod_security_labels(model, cluster, namespace.level);
            let enforced = labels.into_iter().find_map(|(key, value)| (key == ENFORCE).then_some(value));
            groups.entry(enforced.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()).or_default().push(&namespace.name);
        }
        let pools: Vec<&NodePool> = host.pools(name).map(|pool| &pool.value).collect();
        let named = !pools.is_empty() && pools.iter().all(|pool| !pool.nodes.is_empty());
        let nodes = pools.iter().flat_map(|pool| &pool.nodes).map(|node| node.as_str());
        let counted = !named && host.raw.provider.autoscaler == Autoscaler::None;
        json!({
            "name": name,
            "value": promql::text(name),
            "namespaces": (!names.is_empty()).then(|| promql::one_of(names.iter().copied())),
            "known": promql::one_of(names.iter().chain(&platform).copied()),
            "platform": promql::one_of(platform.iter().copied()),
            "agents": agents,
            "groups": groups.iter().map(|(level, names)| json!({
                "level": level, "namespaces": promql::one_of(names.iter().copied()), "podSecurity": promql::text(level),
            })).collect::<Vec<_>>(),
            "nodes": named.then(|| promql::one_of(nodes)),
            "count": counted.then(|| count(&pools)).flatten(),
        })
    };
    host.tiers.iter().map(|tier| view(*tier)).collect()
}

/// How many nodes these pools have; nothing where one of them does not say.
fn count(pools: &[&NodePool]) -> Option<usize> {
    let of = |pool: &&NodePool| match (&pool.replicas, pool.nodes.len()) {
        (Some(replicas), _) => usize::try_from(replicas.value).ok(),
        (None, 0) => None,
        (None, named) => Some(named),
    };
    let all: usize = pools.iter().map(of).sum::<Option<usize>>()?;
    (all > 0).then_some(all)
}

/// How many days before its end an alert says so; `check` says so earlier, to whoever runs it.
const DAYS: i32 = 7;

/// What holds on a cluster until a day, by kind and name.
fn ends<'m>(model: &'m Model<'_>, cluster: usize) -> Vec<End<'m>> {
    let Some(highest) = model.tiers.highest(model.clusters.all[cluster].tiers.iter().copied()) else { return Vec::new() };
    let tier = |tiers: &BTreeSet<usize>| model.tiers.name(model.tiers.highest(tiers.iter().copied()).unwrap_or(highest));
    let exemptions = exemptions(model, cluster).into_iter().map(|(exemption, tiers)| End {
        kind: "exemption",
        name: exemption.rule.as_str(),
        place: exemption.scope.places().next().map_or("", |place| place.as_str()),
        owner: exemption.owner.as_str(),
        tier: tier(&tiers),
        expires: &exemption.expires.value,
    });
    let gateways = model.inventory.gateways.iter().filter_map(|gateway| {
        let tiers = ends_of(model, cluster, gateway.name.as_str());
        (!tiers.is_empty()).then(|| End {
            kind: "gateway",
            name: gateway.name.as_str(),
            place: gateway.to.as_str(),
            owner: gateway.owner.as_str(),
            tier: tier(&tiers),
            expires: &gateway.expires.value,
        })
    });
    let here = model.inventory.tokens.iter().filter(|token| token.cluster.value == model.clusters.name(cluster));
    let tokens = here.map(|token| End {
        kind: "token",
        name: token.name.as_str(),
        place: token.identity.as_str(),
        owner: token.holder.as_str(),
        tier: model.tiers.name(highest),
        expires: &token.expires.value,
    });
    let mut ends: Vec<End<'m>> = exemptions.chain(gateways).chain(tokens).collect();
    ends.sort_by_key(|end| (end.kind, end.name, end.place, end.expires.as_str()));
    ends
}

/// The tiers of the workloads on a cluster that are at either end of a gateway's flows.
fn ends_of(model: &Model<'_>, cluster: usize, gateway: &str) -> BTreeSet<usize> {
    let flows = model.flows.all.iter().filter(|flow| flow.gateway.is_some_and(|of| of.name.as_str() == gateway));
    let workloads = flows.flat_map(|flow| [flow.caller, flow.target]).map(|at| &model.instances[at]);
    workloads.filter(|instance| instance.cluster == cluster).map(|instance| instance.tier).collect()
}

/// The exemptions that reach something on a cluster, each with the tiers of what it reaches; none of them where that is the cluster.
fn exemptions<'i>(model: &Model<'i>, cluster: usize) -> Vec<(&'i Exemption, BTreeSet<usize>)> {
    let host = &model.clusters.all[cluster];
    let mut reached: BTreeMap<Span, (&'i Exemption, BTreeSet<usize>)> = BTreeMap::new();
    let mut reach = |place: Place<'_>, tier: Option<usize>| {
        for exemption in model.exemptions.at(place) {
            reached.entry(exemption.span).or_insert_with(|| (&exemption.value, BTreeSet::new())).1.extend(tier);
        }
    };
    reach(Place { cluster: host.raw.name.as_str(), ..Place::default() }, None);
    for tier in &host.tiers {
        reach(Place { tier: model.tiers.name(*tier), ..Place::default() }, Some(*tier));
    }
    for namespace in model.namespaces_on(cluster) {
        reach(Place { namespace: &namespace.name, ..Place::default() }, Some(namespace.tier));
    }
    for instance in model.instances_on(cluster) {
        let workload = full_name(instance);
        reach(Place { workload: &workload, ..Place::default() }, Some(instance.tier));
    }
    reached.into_values().collect()
}

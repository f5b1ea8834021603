//! Flows of small fleets: gateways and aliases that are right whatever the tiers and clusters are, and where each has to end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Fleet, TEAMS};

/// A flow that somebody wants, as positions that may be beyond the last workload.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Who calls.
    pub caller: usize,
    /// Who answers.
    pub target: usize,
    /// Whether by a name of the caller's own.
    pub aliased: bool,
}

/// One caller on one cluster, and where its flow has to end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The caller, and the target.
    pub pair: (usize, usize),
    /// The caller's cluster.
    pub from: usize,
    /// The target's cluster.
    pub to: usize,
    /// The caller's namespace, and the target's.
    pub namespaces: (String, String),
    /// The name that the caller dials, if it has one.
    pub alias: Option<String>,
    /// The port that it dials.
    pub port: u16,
}

/// A workload as the flows see it.
struct Place {
    tier: usize,
    clusters: Vec<usize>,
    /// The name of its first port and the number at its Service.
    port: Option<(String, u16)>,
}

/// The environment of a cluster.
pub fn environment(cluster: usize) -> &'static str {
    if cluster.is_multiple_of(2) { "production" } else { "staging" }
}

impl Call {
    /// The address that it goes to, where it goes to one that has no name.
    #[allow(dead_code, reason = "one of the suites that share this follows packets")]
    pub fn address(&self) -> Option<String> {
        let target = self.pair.1;
        (self.from != self.to && !has_name(target)).then(|| address(target, self.to))
    }
}

impl Fleet {
    /// Every call of the fleet.
    pub fn calls(&self) -> BTreeSet<Call> {
        let places: Vec<Place> = (0..self.workloads.len()).map(|index| self.place(index)).collect();
        let mut calls = BTreeMap::new();
        for (caller, target, aliased) in self.pairs() {
            let Some((_, port)) = &places[target].port else { continue };
            for from in &places[caller].clusters {
                let alias = aliased.then(|| format!("to-app-{target}"));
                let to = places[target].serving(*from, target);
                let namespaces = (self.namespace(caller), self.namespace(target));
                calls.insert(((caller, target), *from), Call { pair: (caller, target), from: *from, to, namespaces, alias, port: *port });
            }
        }
        calls.into_values().collect()
    }

    /// The namespace of a workload.
    fn namespace(&self, workload: usize) -> String {
        let keys = self.keys(workload);
        let own = if keys.contains_key("ownNamespace") { format!("-app-{workload}") } else { String::new() };
        format!("{}-tier-{}{own}", TEAMS[self.workloads[workload].team], self.workloads[workload].tier % self.tiers.len())
    }

    /// The gateways that its calls need; `listen` and `via` say no more than they must.
    pub fn gateways(&self) -> Vec<Value> {
        let places: Vec<Place> = (0..self.workloads.len()).map(|index| self.place(index)).collect();
        let mut by_target: BTreeMap<usize, Vec<Call>> = BTreeMap::new();
        for call in self.calls() {
            let (caller, target) = call.pair;
            if call.from != call.to || places[caller].tier != places[target].tier {
                by_target.entry(target).or_default().push(call);
            }
        }
        by_target.into_iter().map(|(target, calls)| self.gateway(target, &calls, &places[target])).collect()
    }

    /// The flows of a workload, as `connects` has them.
    pub fn connects(&self, caller: usize) -> Vec<Value> {
        let flow = |(_, target, aliased): (usize, usize, bool)| {
            let (port, _) = self.place(target).port?;
            let mut flow = json!({ "to": self.full_name(target), "port": port });
            if aliased {
                flow["as"] = format!("to-app-{target}").into();
            }
            Some(flow)
        };
        self.pairs().into_iter().filter(|(from, ..)| *from == caller).filter_map(flow).chain(outside(caller)).collect()
    }

    /// Wishes by position, for targets that have a port: no workload calls itself, or another one twice.
    fn pairs(&self) -> Vec<(usize, usize, bool)> {
        let count = self.workloads.len();
        let targets: Vec<usize> = (0..count).filter(|workload| self.place(*workload).port.is_some()).collect();
        let mut pairs: BTreeMap<(usize, usize), bool> = BTreeMap::new();
        for wish in self.flows.iter().filter(|_| !targets.is_empty()) {
            let (caller, target) = (wish.caller % count, targets[wish.target % targets.len()]);
            if caller != target {
                pairs.entry((caller, target)).or_insert(wish.aliased);
            }
        }
        pairs.into_iter().map(|((caller, target), aliased)| (caller, target, aliased)).collect()
    }

    fn keys(&self, workload: usize) -> Map<String, Value> {
        self.workloads[workload].bundles.iter().flatten().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    fn place(&self, workload: usize) -> Place {
        let tier = self.workloads[workload].tier % self.tiers.len();
        let hosted = self.hosted().into_iter().enumerate();
        let keys = self.keys(workload);
        let first = &keys.get("ports").cloned().unwrap_or_default()[0];
        let number = first["servicePort"].as_u64().or(first["port"].as_u64());
        Place {
            tier,
            clusters: hosted.filter(|(_, tiers)| tiers.contains(&tier)).map(|(cluster, _)| cluster).collect(),
            port: first["name"].as_str().map(str::to_owned).zip(number.and_then(|number| u16::try_from(number).ok())),
        }
    }

    fn full_name(&self, workload: usize) -> String {
        format!("{}/app-{workload}", TEAMS[self.workloads[workload].team])
    }

    fn gateway(&self, target: usize, calls: &[Call], place: &Place) -> Value {
        let from: BTreeSet<String> = calls.iter().map(|call| self.full_name(call.pair.0)).collect();
        let away: BTreeMap<usize, usize> = calls.iter().filter(|call| call.from != call.to).map(|call| (call.from, call.to)).collect();
        let (port, number) = place.port.clone().unwrap();
        let listen: BTreeSet<usize> = away.values().copied().collect();
        let via = away.iter().filter(|(from, to)| {
            let near: Vec<_> = listen.iter().filter(|cluster| environment(**cluster) == environment(**from)).collect();
            near != [*to]
        });
        let mut gateway = json!({
            "name": format!("to-app-{target}"),
            "from": from,
            "to": self.full_name(target),
            "port": port,
            "owner": "sre",
            "reason": "flows",
            "expires": "2099-12-31",
        });
        let via: Map<String, Value> = via.map(|(from, to)| (format!("c{from}"), format!("c{to}").into())).collect();
        let listen: Map<String, Value> =
            listen.into_iter().map(|cluster| (format!("c{cluster}"), listener(target, cluster, number))).collect();
        for (key, entries) in [("via", via), ("listen", listen)] {
            if !entries.is_empty() {
                gateway[key] = entries.into();
            }
        }
        gateway
    }
}

impl Place {
    /// The cluster on which the workload answers callers of another: that one, or one of its environment, or any.
    fn serving(&self, from: usize, target: usize) -> usize {
        if self.clusters.contains(&from) {
            return from;
        }
        let near: Vec<usize> = self.clusters.iter().copied().filter(|to| environment(*to) == environment(from)).collect();
        let all = if near.is_empty() { &self.clusters } else { &near };
        all[(from + target) % all.len()]
    }
}

/// What a workload calls that is none: every address, a range, pods of the platform, or nothing.
fn outside(caller: usize) -> Option<Value> {
    match caller % 4 {
        0 => Some(json!({ "external": { "cidr": "0.0.0.0/0" }, "port": 8443, "reason": "updates" })),
        1 => Some(json!({ "external": { "cidr": "198.51.100.0/24" }, "port": 123, "protocol": "UDP", "reason": "the time" })),
        2 => Some(json!({ "platform": { "namespace": "monitoring", "labels": { "app.kubernetes.io/name": "tempo" } }, "port": 4317 })),
        _ => None,
    }
}

/// Every other workload's listeners have a name.
fn has_name(target: usize) -> bool {
    target.is_multiple_of(2)
}

fn address(target: usize, cluster: usize) -> String {
    format!("192.0.2.{}", target * 16 + cluster + 1)
}

fn listener(target: usize, cluster: usize, port: u16) -> Value {
    let mut listener = json!({ "address": address(target, cluster), "port": port });
    if has_name(target) {
        listener["host"] = format!("app-{target}.c{cluster}.small.example").into();
    }
    listener
}

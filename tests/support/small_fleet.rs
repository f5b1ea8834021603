//! Small valid inventories at random, which shrink to fewer workloads and fewer fields.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::subsequence;
use proptest::strategy::Union;
use serde_json::{Map, Value, json};

#[path = "small_flows.rs"]
pub mod flows;

/// Keys of a workload that go together.
type Bundle = Vec<(&'static str, Value)>;

const TEAMS: [&str; 3] = ["red", "blue", "green"];

/// A tier, and what of it is random.
#[derive(Clone, Debug)]
struct Tier {
    alone: bool,
    clusters: usize,
    pod_security: &'static str,
}

/// A workload, and what of it is random.
#[derive(Clone, Debug)]
struct Workload {
    kind: &'static str,
    team: usize,
    tier: usize,
    bundles: Vec<Bundle>,
}

/// A small fleet.
#[derive(Clone, Debug)]
pub struct Fleet {
    tiers: Vec<Tier>,
    workloads: Vec<Workload>,
    flows: Vec<flows::Wish>,
}

/// Any small fleet of so many tiers at most, and of so many clusters for each tier.
pub fn fleet(tiers: usize, clusters: usize) -> impl Strategy<Value = Fleet> {
    let tier = (any::<bool>(), 1..=clusters, prop_oneof![Just("baseline"), Just("restricted")])
        .prop_map(|(alone, clusters, pod_security)| Tier { alone, clusters, pod_security });
    let tiers = prop::collection::vec(tier, 1..=tiers);
    let workloads = prop::collection::vec(workload(), 0..8);
    let wish = (0..8_usize, 0..8_usize, any::<bool>()).prop_map(|(caller, target, aliased)| flows::Wish { caller, target, aliased });
    let flows = prop::collection::vec(wish, 0..16);
    (tiers, workloads, flows).prop_map(|(tiers, workloads, flows)| Fleet { tiers, workloads, flows })
}

impl Fleet {
    /// Its inventory, as one file: JSON is YAML.
    pub fn inventory(&self) -> BTreeMap<String, String> {
        let hosted = self.hosted();
        let tiers: Vec<Value> = self.tiers.iter().enumerate().map(|(index, tier)| tier.to_json(index)).collect();
        let workloads: Vec<Value> = self
            .workloads
            .iter()
            .enumerate()
            .map(|(index, workload)| {
                let mut json = workload.to_json(index, self.tiers.len(), &hosted);
                json["connects"] = self.connects(index).into();
                json
            })
            .collect();
        let inventory = json!({
            "fleet": {
                "apiVersion": "ringfence/v1",
                "name": "small",
                "labelDomain": "tier.small.example",
                "monitoring": self.monitoring(),
                "defaults": { "security": { "runAsUser": 1000, "fsGroup": 1000 } },
            },
            "tiers": tiers,
            "clusters": hosted.iter().enumerate().map(|(number, tiers)| cluster(number, tiers)).collect::<Vec<_>>(),
            "teams": TEAMS.map(|name| json!({ "name": name })),
            "configs": [{ "name": "common", "data": { "REGION": "tokyo" } }],
            "workloads": workloads,
            "gateways": self.gateways(),
        });
        BTreeMap::from([("fleet.yaml".to_owned(), format!("{inventory:#}\n"))])
    }

    /// How clusters are monitored: every second tier has a Prometheus of its own, but for some fleets of one tier, whose one Prometheus has no name.
    fn monitoring(&self) -> Value {
        let own = (0..self.tiers.len()).step_by(2).map(|tier| {
            let name = format!("own-{tier}");
            json!({ "tier": format!("tier-{tier}"), "instance": name, "selectorLabels": { "prometheus": name } })
        });
        let mut stated = json!({
            "flavor": if self.workloads.len().is_multiple_of(2) { "prometheus-operator" } else { "plain" },
            "selectorLabels": { "prometheus": "all" },
        });
        if self.tiers.len() > 1 || !self.workloads.len().is_multiple_of(3) {
            stated["instance"] = "all".into();
            stated["tiers"] = own.collect();
        }
        stated
    }

    /// The tiers of each cluster: clusters of their own for tiers that are alone, and shared ones for the others.
    fn hosted(&self) -> Vec<Vec<usize>> {
        let mut hosted: Vec<Vec<usize>> = Vec::new();
        for (index, tier) in self.tiers.iter().enumerate().filter(|(_, tier)| tier.alone) {
            hosted.extend((0..tier.clusters).map(|_| vec![index]));
        }
        let together: Vec<usize> = self.tiers.iter().enumerate().filter(|(_, tier)| !tier.alone).map(|(index, _)| index).collect();
        if let Some(first) = together.first() {
            hosted.extend((0..self.tiers[*first].clusters).map(|_| together.clone()));
        }
        hosted
    }
}

fn cluster(number: usize, tiers: &[usize]) -> Value {
    let names: Vec<String> = tiers.iter().map(|tier| format!("tier-{tier}")).collect();
    let mut pools = vec![json!({ "name": "system", "role": "system" })];
    pools.extend(names.iter().map(|name| json!({ "name": name, "tier": name, "nodes": [format!("c{number}-{name}")] })));
    json!({
        "name": format!("c{number}"),
        "tiers": names,
        "environment": flows::environment(number),
        "kubernetes": format!("1.{}", 33 + number % 5),
        "cni": cni(number),
        "provider": "rke2",
        "network": {
            "pods": [format!("10.{number}.0.0/17")],
            "services": [format!("10.{number}.128.0/18")],
            "nodes": [format!("10.{number}.192.0/22")],
        },
        "ingress": { "class": "traefik", "namespace": "traefik" },
        "nodePools": pools,
    })
}

/// Each network plugin, and Calico without and with what stands above namespaces.
fn cni(number: usize) -> Value {
    match number % 4 {
        0 => "weave".into(),
        1 => "cilium".into(),
        2 => json!({ "name": "calico", "version": "3.32" }),
        _ => json!({ "name": "calico" }),
    }
}

impl Tier {
    fn to_json(&self, index: usize) -> Value {
        json!({
            "name": format!("tier-{index}"),
            "level": index * 10,
            "podSecurity": self.pod_security,
            "isolation": if self.alone { "cluster" } else { "pool" },
        })
    }
}

impl Workload {
    /// `hosted` says which tiers each cluster hosts.
    fn to_json(&self, index: usize, tiers: usize, hosted: &[Vec<usize>]) -> Value {
        let tier = self.tier % tiers;
        let clusters = hosted.iter().enumerate().filter(|(_, tiers)| tiers.contains(&tier));
        let clusters: Vec<String> = clusters.map(|(number, _)| format!("c{number}")).collect();
        let mut keys = Map::from_iter([
            ("name".to_owned(), format!("app-{index}").into()),
            ("team".to_owned(), TEAMS[self.team].into()),
            ("tier".to_owned(), format!("tier-{tier}").into()),
            ("kind".to_owned(), self.kind.into()),
            ("image".to_owned(), format!("registry.small.example/app-{index}:1.0").into()),
            ("clusters".to_owned(), clusters.into()),
        ]);
        if self.kind == "CronJob" {
            keys.insert("schedule".to_owned(), "17 3 * * 1-5".into());
        }
        keys.extend(self.bundles.iter().flatten().map(|(key, value)| ((*key).to_owned(), value.clone())));
        // One host of a cluster leads to one workload.
        if let Some(expose) = keys.get_mut("expose") {
            expose["host"] = format!("app-{index}.small.example").into();
        }
        keys.into()
    }
}

fn workload() -> impl Strategy<Value = Workload> {
    let kinds = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"].map(|kind| {
        let bundles = (text(), text()).prop_flat_map(move |(one, other)| {
            let bundles = bundles(kind, &one, &other);
            let most = bundles.len();
            subsequence(bundles, 0..=most)
        });
        (0..3_usize, 0..4_usize, bundles).prop_map(move |(team, tier, bundles)| Workload { kind, team, tier, bundles })
    });
    Union::new(kinds)
}

/// Text that readers of YAML, templates and shells like to misread.
fn text() -> impl Strategy<Value = String> {
    let known = [
        "",
        "yes",
        "1e3",
        "0x1f",
        "1_000",
        "null",
        "- a",
        "a: b",
        "{{ x }}",
        "{% raw %}",
        "#",
        "'\"",
        "a\nb\n",
        " \t",
        "艦隊",
        "$(X)",
        "${X}",
    ];
    prop_oneof![prop::sample::select(known.to_vec()).prop_map(str::to_owned), "[ -~é]{0,10}"]
}

/// What a workload of a kind may have; any of it may be left out.
fn bundles(kind: &str, one: &str, other: &str) -> Vec<Bundle> {
    let serves = matches!(kind, "Deployment" | "StatefulSet");
    let mut bundles = vec![
        vec![(
            "env",
            json!({ "ONE": one, "POD": { "fieldRef": "metadata.name" }, "KEY": { "secret": "keys", "key": "one", "optional": true } }),
        )],
        vec![("envFrom", json!([{ "configMap": "common" }]))],
        vec![("config", json!({ "file.txt": other, "LEVEL": "info" }))],
        vec![("labels", json!({ "cost-center": "4711" })), ("annotations", json!({ "example.org/note": one }))],
        vec![("command", json!(["/bin/app"])), ("args", json!([one, "--flag", other]))],
        vec![("resources", json!({ "cpu": "100m", "memory": "64Mi", "limits": { "memory": "128Mi" } }))],
        vec![(
            "volumes",
            json!([
                { "name": "tmp", "mountPath": "/tmp", "emptyDir": { "medium": "Memory", "sizeLimit": "8Mi" } },
                { "name": "key", "mountPath": "/key", "secret": "keys", "readOnly": true },
            ]),
        )],
        vec![("serviceAccount", json!({ "token": { "audience": "vault", "expirationSeconds": 600 } }))],
        vec![("apiAccess", json!([{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"] }]))],
        vec![("terminationGracePeriodSeconds", json!(5))],
        vec![("ownNamespace", json!(true))],
        vec![(
            "pod",
            json!({
                "dnsPolicy": "ClusterFirst",
                "initContainers": [{ "name": "first", "image": "registry.small.example/first:1", "args": [other] }],
            }),
        )],
    ];
    if kind != "Job" && kind != "CronJob" {
        bundles.push(vec![
            ("ports", json!([{ "name": "http", "port": 8080, "servicePort": 80 }, { "name": "dns", "port": 5353, "protocol": "UDP" }])),
            ("probes", json!({ "readiness": { "httpGet": "/ready" }, "liveness": { "tcpSocket": "http", "periodSeconds": 5 } })),
        ]);
    }
    if serves {
        bundles.push(vec![("replicas", json!(3)), ("disruption", json!({ "maxUnavailable": 1 }))]);
    }
    if kind == "Deployment" {
        bundles.push(vec![
            ("ports", json!([{ "name": "web", "port": 8080 }, { "name": "metrics", "port": 9090, "scrape": "/metrics" }])),
            ("probes", json!({})),
            ("expose", json!({ "type": "Ingress", "class": "traefik" })),
            ("spec", json!({ "strategy": { "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 } } })),
        ]);
    }
    if kind == "StatefulSet" {
        bundles.push(vec![("volumes", json!([{ "name": "data", "mountPath": "/data", "claim": { "size": "1Gi" }, "subPath": "db" }]))]);
    }
    bundles
}

//! What the admission policies on pods see: for each tier of a cluster what its pods must be like, and what is exempt from that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::inventory::cluster::CniName;
use crate::inventory::provider::Provisioner;
use crate::inventory::tier::PodSecurity;
use crate::model::exemptions::control;
use crate::model::{Instance, Model, platform, pod, priority_class, storage};

/// How long the token holds that the API server itself gives to pods that may use it: an hour, and a little for clocks that differ.
const API_TOKEN_SECONDS: i64 = 3607;
/// How long a projected token holds that states nothing.
const TOKEN_SECONDS: i64 = 3600;

/// `cluster.admission`: by policy, its tiers with their `namespaces` and with what is `exempt` by control (`namespaces`, and `workloads` as
/// `namespace/name`): `placement`, `images`, `runtime`, `storage`, `mutation` (empty where the cluster does not ask for it), and what holds `outside` of all
/// tiers. A tier without namespaces here is not among them; one that is exempt as a whole has all of its namespaces in `exempt`, since a policy that left
/// the tree would go on refusing in the cluster.
pub fn admission(model: &Model<'_>, cluster: usize, exempt: &Map<String, Value>) -> Value {
    let tiers = Tiers { model, cluster, exempt };
    let placement = tiers.each(|tiers, tier| Some(tiers.placement(tier)));
    let mutates = model.clusters.all[cluster].raw.placement_mutation.is_some_and(|stated| stated.value);
    json!({
        "images": tiers.each(Tiers::images),
        "mutation": if mutates { placement.clone() } else { Vec::new() },
        "outside": tiers.outside(),
        "placement": placement,
        "runtime": tiers.each(|tiers, tier| Some(tiers.runtime(tier))),
        "storage": tiers.each(Tiers::storage),
    })
}

/// The namespaces of a cluster that are a tier's or the platform's, and those that agents bring along: not what Kubernetes makes for other things.
pub(super) fn listed(model: &Model<'_>, cluster: usize) -> Vec<String> {
    let host = &model.clusters.all[cluster];
    let platform = platform::namespaces(model.inventory, host, model.deliveries.of(cluster)).into_iter();
    let platform = platform.filter(|namespace| namespace.present && !(namespace.builtin && namespace.level == PodSecurity::Restricted));
    let tiers = model.namespaces_on(cluster);
    let agents = agents(host.raw.cni.name.value, host.raw.provider.provisioner).map(str::to_owned);
    let mut all: Vec<String> = platform.map(|namespace| namespace.name).chain(tiers.map(|tier| tier.name.clone())).chain(agents).collect();
    all.sort();
    all.dedup();
    all
}

struct Tiers<'a> {
    model: &'a Model<'a>,
    cluster: usize,
    exempt: &'a Map<String, Value>,
}

impl Tiers<'_> {
    /// What a policy sees of each tier that has namespaces here.
    fn each(&self, of: impl Fn(&Self, usize) -> Option<Value>) -> Vec<Value> {
        let view = |tier: &usize| {
            let namespaces = self.namespaces(*tier);
            let mut view = of(self, *tier).filter(|_| !namespaces.is_empty())?;
            view["tier"] = self.model.tiers.name(*tier).into();
            view["namespaces"] = namespaces.into();
            Some(view)
        };
        self.model.clusters.all[self.cluster].tiers.iter().filter_map(view).collect()
    }

    fn namespaces(&self, tier: usize) -> Vec<&str> {
        let here = self.model.namespaces_on(self.cluster).filter(|namespace| namespace.tier == tier);
        here.map(|namespace| namespace.name.as_str()).collect()
    }

    fn placement(&self, tier: usize) -> Value {
        let raw = &self.model.tiers.all[tier];
        let own = self.model.clusters.all[self.cluster].pools(raw.name.as_str());
        json!({
            "pools": own.map(|pool| pool.name.as_str()).collect::<Vec<_>>(),
            "priorityClass": priority_class::name(raw),
            "priority": priority_class::value(raw),
            "exempt": self.holes(tier, &[control::PLACEMENT]),
        })
    }

    fn images(&self, tier: usize) -> Option<Value> {
        let raw = &self.model.tiers.all[tier];
        let registries = raw.registries.as_ref();
        let digest = raw.require_digest.is_some_and(|required| required.value);
        (registries.is_some() || digest).then(|| {
            json!({
                "registries": registries.map(|all| all.iter().map(|registry| registry.canonical()).collect::<Vec<_>>()),
                "digest": digest,
                "exempt": { "registry": self.holes(tier, &[control::IMAGE_REGISTRY]), "digest": self.holes(tier, &[control::IMAGE_DIGEST]) },
            })
        })
    }

    fn storage(&self, tier: usize) -> Option<Value> {
        let class = self.model.tiers.all[tier].storage_class.as_ref()?.name.as_str();
        let here = self.model.instances_on(self.cluster).iter().filter(|instance| instance.tier == tier);
        let asked = here.flat_map(|instance| storage::asked_for(instance).into_iter().map(|asked| (&instance.namespace, asked)));
        let others: BTreeSet<String> = asked.filter(|(_, asked)| asked != class).map(|(space, asked)| format!("{space} {asked}")).collect();
        Some(json!({ "class": class, "otherClasses": others, "exempt": self.holes(tier, &[control::STORAGE_CLASS]) }))
    }

    fn runtime(&self, tier: usize) -> Value {
        json!({
            "readOnlyRoot": true,
            // The level `restricted` asks for it itself; where everything is allowed, so are all system calls.
            "seccomp": self.model.tiers.all[tier].pod_security.value == PodSecurity::Baseline,
            "tokens": self.tokens(tier),
            "certificates": self.certificates(tier),
            "exempt": {
                "readOnlyRoot": self.holes(tier, &[control::READ_ONLY_ROOT]),
                "seccomp": self.holes(tier, &[control::SECCOMP_PROFILE, control::POD_SECURITY]),
                "token": self.holes(tier, &[control::SERVICE_ACCOUNT_TOKEN]),
            },
        })
    }

    /// The tokens that pods of a tier hold, as `namespace/account audience`, and for how many seconds at most; the audience of the Kubernetes API
    /// is empty.
    fn tokens(&self, tier: usize) -> BTreeMap<String, i64> {
        let mut tokens = BTreeMap::new();
        let here = self.model.instances_on(self.cluster).iter().filter(|instance| instance.tier == tier);
        for instance in here {
            let holder = format!("{}/{}", instance.namespace, instance.workload.identity.name.value);
            if pod::has_api_access(&instance.cascade.settings) {
                tokens.insert(format!("{holder} "), API_TOKEN_SECONDS);
            }
            for token in declared(instance, "serviceAccountToken") {
                let seconds = token["expirationSeconds"].as_i64().unwrap_or(TOKEN_SECONDS);
                let most = tokens.entry(format!("{holder} {}", token["audience"].as_str().unwrap_or_default())).or_insert(seconds);
                *most = seconds.max(*most);
            }
        }
        tokens
    }

    /// The certificates that pods of a tier hold, as `namespace/account signer`.
    fn certificates(&self, tier: usize) -> BTreeSet<String> {
        let here = self.model.instances_on(self.cluster).iter().filter(|instance| instance.tier == tier);
        let of = |instance: &Instance<'_>| {
            let holder = format!("{}/{}", instance.namespace, instance.workload.identity.name.value);
            let signers = declared(instance, "podCertificate").map(|source| source["signerName"].as_str().unwrap_or_default());
            signers.map(|signer| format!("{holder} {signer}")).collect::<Vec<_>>()
        };
        here.flat_map(of).collect()
    }

    /// What holds in namespaces that are neither a tier's nor the platform's: those that Kubernetes makes for other things are not the
    /// platform's to run pods in.
    fn outside(&self) -> Value {
        let host = &self.model.clusters.all[self.cluster];
        let except = listed(self.model, self.cluster);
        let priorities = host.tiers.iter().map(|tier| priority_class::name(&self.model.tiers.all[*tier]));
        json!({ "except": except, "priorityClasses": priorities.collect::<Vec<_>>() })
    }

    fn waived(&self, control: &str) -> &Value {
        self.exempt.get(control).unwrap_or(&Value::Null)
    }

    /// Whether a control is not waived for the whole cluster or the whole tier.
    fn holds(&self, control: &str, tier: usize) -> bool {
        let exempt = self.waived(control);
        let tiers = exempt["tiers"].as_array();
        exempt["cluster"] != true && !tiers.is_some_and(|tiers| tiers.iter().any(|name| name == self.model.tiers.name(tier)))
    }

    /// Namespaces and workloads of a tier that are exempt from any of these controls: all of its namespaces where the tier or the cluster is.
    fn holes(&self, tier: usize, controls: &[&str]) -> Value {
        let own = self.namespaces(tier);
        if controls.iter().any(|control| !self.holds(control, tier)) {
            return json!({ "namespaces": own, "workloads": [] });
        }
        let list = |key: &'static str| controls.iter().flat_map(move |control| self.waived(control)[key].as_array().into_iter().flatten());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let is_own = |namespace: &Value| own.iter().any(|name| namespace == name);
        let workloads = list("workloads").filter(|workload| is_own(&workload["namespace"]));
        let mut workloads: Vec<String> =
            workloads.map(|workload| format!("{}/{}", text(&workload["namespace"]), text(&workload["name"]))).collect();
        let mut namespaces: Vec<String> = list("namespaces").filter(|namespace| is_own(namespace)).map(text).collect();
        for names in [&mut namespaces, &mut workloads] {
            names.sort();
            names.dedup();
        }
        json!({ "namespaces": namespaces, "workloads": workloads })
    }
}

/// Namespaces that installations of the network plugin and of what makes nodes bring along: an agent of every node runs there, and without it no
/// node becomes ready. Those that use `kube-system` need no other.
fn agents(cni: CniName, provisioner: Provisioner) -> impl Iterator<Item = &'static str> {
    let network: &[&str] = if cni == CniName::Calico { &["calico-system", "tigera-operator"] } else { &[] };
    let nodes: &[&str] = if provisioner == Provisioner::Rancher { &["cattle-system"] } else { &[] };
    network.iter().chain(nodes).copied()
}

/// What the final pods of a workload project of one sort: tokens, certificates.
fn declared<'a>(instance: &'a Instance<'_>, sort: &'static str) -> impl Iterator<Item = &'a Value> {
    let volumes = instance.pods().into_iter().flat_map(|pod| pod["volumes"].as_array().into_iter().flatten());
    let sources = volumes.flat_map(|volume| volume["projected"]["sources"].as_array().into_iter().flatten());
    sources.filter_map(move |source| source.get(sort))
}

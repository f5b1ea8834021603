//! What the files that make nodes and a control plane see of a cluster.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::formats::Cidr;
use crate::inventory::cluster::{CniName, NodePool};
use crate::inventory::gateway::Token;
use crate::inventory::provider::Distribution;
use crate::model::Model;
use crate::model::bootstrap::{self, Authentication, Bootstrap, Files, Flag, Rule, component_flags};
use crate::model::identity::{self, Identity};
use crate::source::Spanned;

/// Label keys that a kubelet cannot give itself, and the taint's effects: both, since the scheduler looks at one and the kubelet at the other.
const RESTRICTED: &str = "node-restriction.kubernetes.io";
const EFFECTS: [&str; 2] = ["NoSchedule", "NoExecute"];

/// `bootstrap`, of what is made for a cluster or a node pool: selfManaged, files (rke2, k3s, kubeadm, cluster-api or null), distribution, provisioner, autoscaler, folder,
/// authentication, identity (what it says of names, also where the provider authenticates), encryption, admission, audit, flags (apiServer, controllerManager, scheduler), endpoint, networks, kubelet, controlPlaneFiles, machines, cni,
/// bundledIngress, trust, tokens, missing.
pub fn bootstrap(model: &Model<'_>, cluster: usize) -> Value {
    let host = &model.clusters.all[cluster];
    let provider = &host.raw.provider;
    let made = bootstrap::of(model, cluster);
    let (controllers, scheduler) = component_flags(provider.distribution);
    let network = &host.raw.network;
    let trust = host.raw.trust.as_ref();
    json!({
        "selfManaged": made.self_managed,
        "files": made.files.map(Files::as_str),
        "distribution": provider.distribution.as_str(),
        "provisioner": provider.provisioner.as_str(),
        "autoscaler": provider.autoscaler.as_str(),
        "folder": made.folder,
        "authentication": made.authentication.as_ref().map(authentication),
        "identity": identity::of(model.inventory, host.raw).as_ref().map(names_of),
        "encryption": encryption(&made),
        "admission": {
            "level": made.admission.level.as_str(),
            "version": format!("v{}", host.minor),
            "exempt": made.admission.exempt,
        },
        "audit": { "breakGlass": made.break_glass },
        "flags": { "apiServer": flags(&made.api_server), "controllerManager": flags(&controllers), "scheduler": flags(&scheduler) },
        "endpoint": made.endpoint.as_ref().map(|endpoint| json!({
            "host": endpoint.host, "authority": endpoint.authority, "port": endpoint.port,
        })),
        "networks": { "pods": words(&network.pods), "services": words(&network.services), "domain": host.domain() },
        // Earlier kubelets do not look whether a pod's own secret could pull an image that is on the node already.
        "kubelet": { "verifiesPullSecrets": host.minor.number() >= 35, "files": kubelet_files(&made) },
        "controlPlaneFiles": control_plane_files(&made),
        "machines": machines(model, cluster),
        "cni": {
            "name": host.raw.cni.name.as_str(),
            // RKE2 brings the others along.
            "bundled": provider.distribution == Distribution::Rke2 && host.raw.cni.name.value != CniName::Weave,
            "encryptionSecret": host.raw.cni.encryption_secret.as_ref().map(|secret| secret.as_str()),
        },
        "bundledIngress": host.raw.ingress.as_ref().is_some_and(|ingress| ingress.namespace.as_str() == "kube-system"),
        "trust": {
            "ca": trust.and_then(|trust| trust.ca.as_ref()).map(|ca| ca.value.as_str()),
            "joinToken": trust.and_then(|trust| trust.join_token.as_ref()).map(|token| token.value.as_str()),
        },
        "tokens": tokens(model, cluster),
        "missing": made.missing.iter().map(|missing| json!({ "key": missing.key, "without": missing.without })).collect::<Vec<_>>(),
    })
}

/// Files for kubelets: `folder` and `name` below that of the tool, whether it holds the hardening, whether kubelets ask for certificates
/// (RKE2 and K3s sign them), whether static pods go on. RKE2 runs its kube-proxy as one; with kubeadm the cluster's own configuration hardens.
fn kubelet_files(made: &Bootstrap) -> Vec<Value> {
    let file = |folder: &str, name: &str, hardening: bool, certificates: bool, static_pods: bool| json!({ "folder": folder, "name": name, "hardening": hardening, "certificates": certificates, "staticPods": static_pods });
    let everywhere = || file("kubelet.conf.d", "50-ringfence.conf", true, false, true);
    match made.files {
        Some(Files::Rke2) => vec![everywhere()],
        Some(Files::K3s) => vec![everywhere(), file("agent-kubelet.conf.d", "60-ringfence-agent.conf", false, false, false)],
        Some(Files::Kubeadm) => vec![file("patches", "kubeletconfiguration.yaml", false, false, false)],
        Some(Files::ClusterApi) => {
            vec![file("files", "kubelet-control-plane.yaml", true, true, true), file("files", "kubelet-pools.yaml", true, true, false)]
        }
        None => Vec::new(),
    }
}

/// The files of the control plane by name.
fn control_plane_files(made: &Bootstrap) -> Vec<&'static str> {
    let all = [
        ("admission.yaml", true),
        ("audit-policy.yaml", true),
        ("authentication.yaml", made.authentication.is_some()),
        ("encryption.yaml", made.encryption.is_some()),
    ];
    all.into_iter().filter_map(|(name, written)| written.then_some(name)).collect()
}

fn words(ranges: &[Spanned<Cidr>]) -> Vec<&str> {
    ranges.iter().map(|range| range.as_str()).collect()
}

fn authentication(made: &Authentication) -> Value {
    let rules =
        |rules: &[Rule]| rules.iter().map(|rule| json!({ "expression": rule.expression, "message": rule.message })).collect::<Vec<_>>();
    let identity = &made.identity;
    let names = names_of(identity);
    json!({
        "apiVersion": made.api_version,
        "issuer": identity.issuer,
        "certificateAuthority": identity.certificate_authority,
        "audience": identity.audience,
        "username": names["username"],
        "groups": names["groups"],
        "claimRules": rules(&made.claim_rules),
        "userRules": rules(&made.user_rules),
        "anonymous": made.anonymous,
    })
}

/// Who names people and groups, and how.
fn names_of(identity: &Identity) -> Value {
    json!({
        "issuer": identity.issuer,
        "audience": identity.audience,
        "username": { "claim": identity.username_claim, "prefix": identity.username_prefix },
        "groups": { "claim": identity.groups_claim, "prefix": identity.groups_prefix },
    })
}

fn encryption(made: &Bootstrap) -> Option<Value> {
    let encryption = made.encryption.as_ref()?;
    Some(json!({
        "name": encryption.name,
        "endpoint": encryption.endpoint,
        "folder": encryption.folder,
        "resources": encryption.resources,
    }))
}

fn flags(flags: &[Flag]) -> Vec<Value> {
    flags.iter().map(|flag| json!({ "name": flag.name, "value": flag.value })).collect()
}

fn machines(model: &Model<'_>, cluster: usize) -> Option<Value> {
    let machines = model.clusters.all[cluster].raw.provider.machines.as_ref()?;
    let infrastructure = &machines.infrastructure;
    let group = infrastructure.api_group.as_ref().map_or("infrastructure.cluster.x-k8s.io", |group| group.as_str());
    Some(json!({
        "version": machines.version.value,
        "controlPlaneReplicas": machines.control_plane_replicas.map_or(3, |replicas| replicas.value),
        "infrastructure": { "apiGroup": group, "cluster": infrastructure.cluster.value, "machineTemplate": infrastructure.machine_template.value },
    }))
}

/// `pool.taints`: what a node of the pool registers with; both effects of the tier's taint, none for the system's pool.
pub fn taints(domain: &str, pool: &NodePool) -> Vec<Value> {
    let of = |tier: &str| EFFECTS.map(|effect| json!({ "key": format!("{domain}/tier"), "value": tier, "effect": effect })).to_vec();
    pool.tier.as_ref().map(|tier| of(tier)).unwrap_or_default()
}

/// `pool.labels`: what a node of the pool is labelled with once it has registered, by somebody other than itself.
pub fn labels(pool: &NodePool) -> Vec<Value> {
    let of = |tier: &str| {
        vec![
            json!({ "key": format!("{RESTRICTED}/pool"), "value": pool.name.as_str() }),
            json!({ "key": format!("{RESTRICTED}/tier"), "value": tier }),
        ]
    };
    pool.tier.as_ref().map(|tier| of(tier)).unwrap_or_default()
}

/// `pool.registries`: the hosts that the images of its tier come from.
pub fn registries(model: &Model<'_>, pool: &NodePool) -> BTreeSet<String> {
    let tier = pool.tier.as_ref().and_then(|name| model.tiers.index.get(name));
    let stated = tier.and_then(|tier| model.tiers.all[tier].registries.as_ref()).into_iter().flatten();
    stated.filter_map(|registry| registry.canonical().split('/').next().map(str::to_owned)).collect()
}

/// `bootstrap.tokens`: access tokens that still open the cluster: name, holder, identity, purpose, expires.
fn tokens(model: &Model<'_>, cluster: usize) -> Vec<Value> {
    let name = model.clusters.name(cluster);
    let mut here: Vec<&Token> =
        model.inventory.tokens.iter().map(|token| &token.value).filter(|token| token.cluster.value == name).collect();
    here.sort_by_key(|token| token.name.as_str());
    let view = |token: &Token| {
        json!({
            "name": token.name.as_str(),
            "holder": token.holder.value,
            "identity": token.identity.value,
            "purpose": token.purpose.value,
            "expires": token.expires.as_str(),
        })
    };
    here.into_iter().map(view).collect()
}

//! What belongs to the platform: namespaces outside the tiers, and the identities that write what guards the tiers.

use std::collections::{BTreeMap, BTreeSet};

use super::clusters::Host;
use super::delivery::Delivery;
use super::monitoring::Watch;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::{check_label, check_subdomain};
use crate::inventory::Inventory;
use crate::inventory::tier::PodSecurity;
use crate::source::{Span, Spanned};

/// The identity of the Flux platform applier, in the namespace of Flux' controllers.
pub const FLUX_APPLIER: &str = "platform-applier";

/// A namespace that the platform team runs on a cluster: outside the tiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformNamespace {
    /// Its name.
    pub name: String,
    /// Its Pod Security level.
    pub level: PodSecurity,
    /// Whether every cluster has it before anybody writes an object: it is not ours to make.
    pub builtin: bool,
    /// Whether it is on this cluster; else its name alone is the platform's here, as that of an Argo CD that runs elsewhere.
    pub present: bool,
    /// Where the inventory leads to it.
    pub origin: Span,
}

/// The platform's namespaces on a cluster by name: Kubernetes' own, those of delivery, ingress and monitoring, and those that are listed, whose
/// level is then as stated. What is stated without a level has `baseline`, as what the inventory leads to; what every node's agents run in,
/// `privileged`; where nothing may run, `restricted`.
pub fn namespaces(inventory: &Inventory, host: &Host<'_>, delivery: Option<&Delivery>) -> Vec<PlatformNamespace> {
    let raw = host.raw;
    let mut all: BTreeMap<String, PlatformNamespace> = BTreeMap::new();
    let mut insert = |name: &str, level: PodSecurity, builtin: bool, present: bool, origin: Span| {
        let namespace = PlatformNamespace { name: name.to_owned(), level, builtin, present, origin };
        all.entry(name.to_owned()).or_insert(namespace).present |= present;
    };
    let argocd = delivery.and_then(|delivery| Some((delivery, delivery.argocd.as_ref()?)));
    let mut add = |name: &str, level: PodSecurity, builtin: bool, origin: Span| insert(name, level, builtin, true, origin);
    for namespace in raw.platform.iter().flat_map(|platform| &platform.namespaces) {
        let level = namespace.pod_security.map_or(PodSecurity::Baseline, |level| level.value);
        let builtin = BUILTIN.iter().any(|(known, _)| *known == namespace.name.as_str());
        add(namespace.name.as_str(), level, builtin, namespace.name.span);
    }
    for (name, level) in BUILTIN {
        add(name, level, true, raw.name.span);
    }
    if let Some(delivery) = delivery {
        delivery.flux.iter().for_each(|flux| add(&flux.namespace, PodSecurity::Baseline, false, delivery.origin));
    }
    if let Some((delivery, argocd)) = argocd.filter(|(_, argocd)| argocd.in_cluster) {
        add(&argocd.namespace, PodSecurity::Baseline, false, delivery.origin);
    }
    raw.ingress.iter().for_each(|ingress| add(ingress.namespace.as_str(), PodSecurity::Baseline, false, ingress.namespace.span));
    if let Some(watch) = Watch::of(inventory, host) {
        add(watch.namespace, PodSecurity::Baseline, false, watch.origin);
    }
    if let Some((delivery, argocd)) = argocd.filter(|(_, argocd)| !argocd.in_cluster) {
        insert(&argocd.namespace, PodSecurity::Baseline, false, false, delivery.origin);
    }
    all.into_values().collect()
}

/// Those that Kubernetes itself makes.
const BUILTIN: [(&str, PodSecurity); 4] = [
    ("default", PodSecurity::Restricted),
    ("kube-node-lease", PodSecurity::Restricted),
    ("kube-public", PodSecurity::Restricted),
    ("kube-system", PodSecurity::Privileged),
];

/// The identity of Flux' own controller, which applies what delivers the tree, and Flux itself.
const FLUX_CONTROLLER: &str = "kustomize-controller";

/// Users that may write what guards the tiers (Roles, bindings, Namespaces, webhooks) on a cluster: whoever applies its tree or what delivers
/// that, and the identities that the inventory lists, sorted (SP 800-190 4.3.1). Nobody else is to, but for the API server itself and `system:masters`.
pub fn writers(host: &Host<'_>, delivery: Option<&Delivery>) -> BTreeSet<String> {
    let listed = host.raw.platform.iter().flat_map(|platform| &platform.identities).map(|identity| identity.value.clone());
    let flux = delivery.and_then(|delivery| delivery.flux.as_ref());
    let argocd = delivery.and_then(|delivery| delivery.argocd.as_ref());
    let flux = flux
        .into_iter()
        .flat_map(|flux| [FLUX_APPLIER, FLUX_CONTROLLER].map(|name| format!("system:serviceaccount:{}:{name}", flux.namespace)));
    listed.chain(flux).chain(argocd.map(|argocd| argocd.applier.clone())).collect()
}

/// Reports identities of a cluster's platform that are no one user's: what guards the tiers believes each by its name (SP 800-190 4.3.1).
pub fn check_identities(inventory: &Inventory, findings: &mut Findings) {
    for platform in inventory.clusters.iter().filter_map(|cluster| cluster.platform.as_ref()) {
        for identity in platform.identities.iter().chain(platform.node_identities.iter().flatten()) {
            if let Some(why) = no_user(identity) {
                let diag = Diag::new(Code::InvalidValue, identity.span, why);
                findings.push(diag.help("Name one user as the API server knows it, such as `system:serviceaccount:NAMESPACE:NAME`."));
            }
        }
    }
}

/// Groups of Kubernetes' own, which no user is named like, and the user that everybody is who does not say who they are.
const NOBODY: [&str; 7] = [
    "system:masters",
    "system:authenticated",
    "system:unauthenticated",
    "system:anonymous",
    "system:serviceaccounts",
    "system:nodes",
    "system:bootstrappers",
];

/// Why a text names no one user.
fn no_user(identity: &Spanned<String>) -> Option<String> {
    let name = identity.as_str();
    if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("a user has a name, without blanks".to_owned());
    }
    if name.contains('*') {
        return Some(format!("`{name}` is a pattern, and users are compared whole"));
    }
    if NOBODY.contains(&name) || name.starts_with("system:serviceaccounts:") || name.starts_with("system:bootstrappers:") {
        return Some(format!("`{name}` is not one user: it stands for many"));
    }
    let account = name.strip_prefix("system:serviceaccount:")?;
    let fits = account.split_once(':').is_some_and(|(space, name)| check_label(space).is_ok() && check_subdomain(name).is_ok());
    (!fits).then(|| format!("`{name}` names no ServiceAccount"))
}

//! Names that are composed of several: whether Kubernetes takes each, and whether no two things have one.

use super::names::{self, Names, check_composed, check_composed_subdomain};
use super::{Model, platform, pod};
use crate::decode::Findings;
use crate::inventory::workload::WorkloadKind;
use crate::source::Spanned;

/// Checks every name that is composed, and that no two things compose to one.
pub(super) fn check(model: &Model<'_>, findings: &mut Findings) {
    let Model { inventory, tiers, clusters, deliveries, namespaces, instances, flows, .. } = model;
    let mut names = Names::default();
    let by_flux = |cluster: usize| deliveries.of(cluster).is_some_and(|delivery| delivery.flux.is_some());
    for (at, host) in clusters.all.iter().enumerate() {
        for platform::PlatformNamespace { name, origin, .. } in platform::namespaces(inventory, host, deliveries.of(at)) {
            let owner = Spanned::new(format!("the platform's namespace `{name}`"), origin);
            names.take(clusters.name(at), "Namespace", &name, &owner, findings);
            if by_flux(at) {
                names::check_kustomization(&name, origin, findings);
            }
        }
    }
    for namespace in namespaces.values() {
        check_composed("Namespace", &namespace.name, 63, namespace.origin, findings);
        if by_flux(namespace.cluster) {
            names::check_kustomization(&namespace.name, namespace.origin, findings);
        }
    }
    for (at, instance) in instances.iter().enumerate() {
        let identity = &instance.workload.identity;
        let name = identity.name.as_str();
        let cluster = clusters.name(instance.cluster);
        let tier = tiers.name(instance.tier);
        let own = if identity.own_namespace.is_some_and(|own| own.value) { format!(" for `{name}` alone") } else { String::new() };
        let owner = Spanned::new(format!("team `{}` in the tier `{tier}`{own}", identity.team.value), identity.name.span);
        names.take(cluster, "Namespace", &instance.namespace, &owner, findings);
        let scope = format!("{cluster}/{}", instance.namespace);
        let owner = Spanned::new(format!("workload `{}/{name}`", identity.team.value), identity.name.span);
        let kind = identity.kind.value;
        for listener in flows.listeners.get(&at).into_iter().flatten() {
            let owner = Spanned::new(format!("the listener `{}` of `{name}`", listener.address), listener.origin);
            check_composed("Service", &listener.name, 63, listener.origin, findings);
            names.take(&scope, "Service", &listener.name, &owner, findings);
        }
        if let Some(adopted) = &instance.adopted {
            names.take(&scope, "ServiceAccount", name, &owner, findings);
            for (kind, name) in &adopted.names {
                names.take(&scope, kind, name, &Spanned::new(owner.value.clone(), name.span), findings);
            }
            continue;
        }
        let is_short = check_composed(kind.as_str(), &instance.object_name, longest_name(kind), identity.name.span, findings);
        let settings = &instance.cascade.settings;
        if let Some(service) = &instance.governing_service {
            if is_short && *service == names::headless(name) {
                check_composed("Service", service, 63, identity.name.span, findings);
            }
            names.take(&scope, "Service", service, &owner, findings);
        }
        names.take(&scope, "Service", name, &owner, findings);
        if !settings.config.is_empty() {
            names.take(&scope, "ConfigMap", name, &owner, findings);
        }
        for config in inventory.configs.iter().filter(|config| instance.configs.contains(config.name.as_str())) {
            let owner = Spanned::new(format!("the shared ConfigMap `{}`", config.name.value), config.name.span);
            names.take(&scope, "ConfigMap", config.name.as_str(), &owner, findings);
        }
        for volume in settings.volumes.iter().flatten().filter(|volume| volume.claim.is_some() && kind != WorkloadKind::StatefulSet) {
            let claim = pod::claim_name(name, volume.name.as_str());
            check_composed_subdomain("PersistentVolumeClaim", &claim, volume.name.span, findings);
            names.take(&scope, "PersistentVolumeClaim", &claim, &owner, findings);
        }
    }
}

/// The longest name from which the controller can still make its pods' names and labels.
fn longest_name(kind: WorkloadKind) -> usize {
    match kind {
        // Both put a suffix of up to eleven characters into a label.
        WorkloadKind::StatefulSet | WorkloadKind::CronJob => 52,
        WorkloadKind::Deployment | WorkloadKind::DaemonSet | WorkloadKind::Job => 63,
    }
}

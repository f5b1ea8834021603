//! The cascade: fleet, tier, cluster, team, workload, overrides. Later layers win; maps merge by key, lists are replaced, `pod` and `spec`
//! merge as Kubernetes merges them (later, when the pod is built).

use crate::inventory::cluster::Cluster;
use crate::inventory::gateway::PortRef;
use crate::inventory::pod::{ExposeType, Port, Probes, Resources, Security};
use crate::inventory::selector::ClusterSelector;
use crate::inventory::workload::Settings;
use crate::source::Spanned;
use crate::yaml::Node;

/// All settings of a workload on one cluster.
#[derive(Clone, Debug)]
pub struct Cascade<'i> {
    /// What holds in the end; its `pod` and `spec` are those of the last layer and not to be used.
    pub settings: Settings,
    /// Every layer's `pod`, the first one first.
    pub pods: Vec<&'i Node>,
    /// Every layer's `spec`, the first one first.
    pub specs: Vec<&'i Node>,
}

impl<'i> Cascade<'i> {
    /// Lays settings over one another, the first ones lowest.
    pub fn of(layers: impl IntoIterator<Item = &'i Settings>) -> Self {
        let mut cascade = Self { settings: Settings::default(), pods: Vec::new(), specs: Vec::new() };
        for layer in layers {
            cascade.pods.extend(&layer.pod);
            cascade.specs.extend(&layer.spec);
            cascade.settings = overlaid(&cascade.settings, layer);
        }
        cascade
    }
}

/// Whether a selector means a cluster.
pub fn selects(selector: &ClusterSelector, cluster: &Cluster) -> bool {
    match selector {
        ClusterSelector::Names(names) => names.iter().any(|name| name.value == cluster.name.as_str()),
        ClusterSelector::Matching(wanted) => fits(wanted, cluster),
    }
}

/// Whether a match of clusters fits one; a key that is left out fits all.
pub fn fits(wanted: &crate::inventory::selector::ClusterMatch, cluster: &Cluster) -> bool {
    let is = |wanted: &Option<Spanned<String>>, found: Option<&str>| wanted.as_ref().is_none_or(|wanted| found == Some(wanted.as_str()));
    is(&wanted.cluster, Some(cluster.name.as_str()))
        && is(&wanted.environment, Some(cluster.environment.as_str()))
        && is(&wanted.region, cluster.region.as_ref().map(|region| region.as_str()))
}

fn over<T: Clone>(low: &Option<T>, high: &Option<T>) -> Option<T> {
    high.as_ref().or(low.as_ref()).cloned()
}

/// Merges two spanned records field by field; the upper one's place is kept.
fn merged<T: Clone>(low: &Option<Spanned<T>>, high: &Option<Spanned<T>>, merge: fn(&T, &T) -> T) -> Option<Spanned<T>> {
    match (low, high) {
        (Some(low), Some(high)) => Some(Spanned::new(merge(low, high), high.span)),
        _ => over(low, high),
    }
}

/// The keys below which a layer takes the place of single keys of the one under it, and not of all of them.
pub const MERGED_BY_KEY: [&str; 8] = ["labels", "annotations", "env", "config", "probes", "resources", "resources.limits", "security"];

fn overlaid(low: &Settings, high: &Settings) -> Settings {
    Settings {
        placement: over(&low.placement, &high.placement),
        labels: low.labels.overlaid(&high.labels),
        annotations: low.annotations.overlaid(&high.annotations),
        image: over(&low.image, &high.image),
        command: over(&low.command, &high.command),
        args: over(&low.args, &high.args),
        env: low.env.overlaid(&high.env),
        env_from: over(&low.env_from, &high.env_from),
        config: low.config.overlaid(&high.config),
        ports: over(&low.ports, &high.ports),
        expose: over(&low.expose, &high.expose),
        probes: merged(&low.probes, &high.probes, |low, high| Probes {
            startup: over(&low.startup, &high.startup),
            readiness: over(&low.readiness, &high.readiness),
            liveness: over(&low.liveness, &high.liveness),
        }),
        resources: merged(&low.resources, &high.resources, |low, high| Resources {
            requests: low.requests.overlaid(&high.requests),
            limits: low.limits.overlaid(&high.limits),
        }),
        volumes: over(&low.volumes, &high.volumes),
        security: merged(&low.security, &high.security, security),
        service_account: over(&low.service_account, &high.service_account),
        api_access: over(&low.api_access, &high.api_access),
        // An override that sets one of the two ways to say how many takes the place of the other.
        replicas: if high.scale.is_some() { high.replicas } else { over(&low.replicas, &high.replicas) },
        scale: if high.replicas.is_some() { high.scale.clone() } else { over(&low.scale, &high.scale) },
        disruption: over(&low.disruption, &high.disruption),
        termination_grace_period_seconds: over(&low.termination_grace_period_seconds, &high.termination_grace_period_seconds),
        schedule: over(&low.schedule, &high.schedule),
        time_zone: over(&low.time_zone, &high.time_zone),
        concurrency_policy: over(&low.concurrency_policy, &high.concurrency_policy),
        suspend: over(&low.suspend, &high.suspend),
        connects: over(&low.connects, &high.connects),
        spec: over(&low.spec, &high.spec),
        pod: over(&low.pod, &high.pod),
    }
}

fn security(low: &Security, high: &Security) -> Security {
    Security {
        run_as_user: over(&low.run_as_user, &high.run_as_user),
        run_as_group: over(&low.run_as_group, &high.run_as_group),
        fs_group: over(&low.fs_group, &high.fs_group),
        supplemental_groups: over(&low.supplemental_groups, &high.supplemental_groups),
        run_as_non_root: over(&low.run_as_non_root, &high.run_as_non_root),
        capabilities: over(&low.capabilities, &high.capabilities),
        read_only_root_filesystem: over(&low.read_only_root_filesystem, &high.read_only_root_filesystem),
        allow_privilege_escalation: over(&low.allow_privilege_escalation, &high.allow_privilege_escalation),
        privileged: over(&low.privileged, &high.privileged),
    }
}

impl Settings {
    /// The ports that the Service has.
    pub fn service_ports(&self) -> impl Iterator<Item = &Spanned<Port>> {
        self.ports.iter().flatten().filter(|port| port.service.is_none_or(|service| service.value))
    }

    /// Takes every port out of the Service but the one that a load balancer opens: it opens whatever its Service has.
    pub fn narrow_load_balancer(&mut self) {
        let Some(expose) = self.expose.as_ref().filter(|expose| expose.r#type.value == ExposeType::LoadBalancer) else { return };
        let span = expose.span;
        let Some(opened) = self.exposed_port().map(|port| port.name.clone()) else { return };
        for port in self.ports.iter_mut().flatten().filter(|port| port.name.value != opened.value) {
            port.value.service = Some(Spanned::new(false, span));
        }
    }

    /// The Service's port that is exposed: by name where one is stated, else the first.
    pub fn exposed_port(&self) -> Option<&Spanned<Port>> {
        let wanted = self.expose.as_ref().and_then(|expose| expose.port.as_ref());
        self.service_ports().find(|port| match wanted.map(|wanted| &wanted.value) {
            None => true,
            Some(PortRef::Name(name)) => port.name.as_str() == name,
            Some(PortRef::Number(number)) => port.service_port.as_ref().unwrap_or(&port.port).value == *number,
        })
    }
}

//! The cascade: fleet, tier, cluster, team, workload, overrides. Later layers win; maps merge by key, lists are replaced, `pod` and `spec`
//! merge as Kubernetes merges them (later, when the pod is built).

use crate::inventory::cluster::Cluster;
use crate::inventory::gateway::PortRef;
use crate::inventory::pod::{Expose, ExposeType, Port, Probes, Resources, Security, ServiceAccount};
use crate::inventory::selector::ClusterSelector;
use crate::inventory::workload::{Scale, Settings};
use crate::source::Spanned;
use crate::yaml::Node;

/// All settings of a workload on one cluster.
#[derive(Clone, Debug)]
pub struct Cascade<'i> {
    /// What holds in the end; its `pod` and `spec` are those of the last layer and not to be used.
    pub settings: Settings,
    /// Every layer, the first one first.
    pub layers: Vec<&'i Settings>,
    /// Every layer's `pod`, the first one first.
    pub pods: Vec<&'i Node>,
    /// Every layer's `spec`, the first one first.
    pub specs: Vec<&'i Node>,
}

impl<'i> Cascade<'i> {
    /// Lays settings over one another, the first ones lowest.
    pub fn of(layers: impl IntoIterator<Item = &'i Settings>) -> Self {
        let mut cascade = Self { settings: Settings::default(), layers: Vec::new(), pods: Vec::new(), specs: Vec::new() };
        for layer in layers {
            cascade.layers.push(layer);
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
pub const MERGED_BY_KEY: [&str; 13] = [
    "labels",
    "annotations",
    "env",
    "config",
    "expose",
    "expose.annotations",
    "probes",
    "resources",
    "resources.limits",
    "scale",
    "security",
    "serviceAccount",
    "serviceAccount.annotations",
];

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
        expose: merged(&low.expose, &high.expose, expose),
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
        service_account: merged(&low.service_account, &high.service_account, |low, high| ServiceAccount {
            annotations: low.annotations.overlaid(&high.annotations),
            token: over(&low.token, &high.token),
        }),
        api_access: over(&low.api_access, &high.api_access),
        // An override that sets one of the two ways to say how many takes the place of the other.
        replicas: if high.scale.is_some() { high.replicas } else { over(&low.replicas, &high.replicas) },
        scale: if high.replicas.is_some() { high.scale.clone() } else { merged(&low.scale, &high.scale, scale) },
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

/// What another object has to be told is another thing: a layer that changes the type keeps nothing of the lower one.
fn expose(low: &Expose, high: &Expose) -> Expose {
    if changes_type(low.r#type.map(|stated| stated.value), high.r#type.map(|stated| stated.value)) {
        return high.clone();
    }
    Expose {
        r#type: over(&low.r#type, &high.r#type),
        host: over(&low.host, &high.host),
        path: over(&low.path, &high.path),
        class: over(&low.class, &high.class),
        tls: over(&low.tls, &high.tls),
        port: over(&low.port, &high.port),
        gateway: over(&low.gateway, &high.gateway),
        annotations: low.annotations.overlaid(&high.annotations),
    }
}

/// Whether `expose` of a layer is of another type than what lies below it, and so takes its place as a whole.
pub fn changes_type<T: PartialEq>(low: Option<T>, high: Option<T>) -> bool {
    matches!((low, high), (Some(low), Some(high)) if low != high)
}

fn scale(low: &Scale, high: &Scale) -> Scale {
    Scale {
        min: over(&low.min, &high.min),
        max: over(&low.max, &high.max),
        cpu: over(&low.cpu, &high.cpu),
        memory: over(&low.memory, &high.memory),
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
        let Some(expose) = self.expose.as_ref().filter(|expose| expose.is(ExposeType::LoadBalancer)) else { return };
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

#[cfg(test)]
mod tests {
    use super::Cascade;
    use crate::decode::{Decode, Findings};
    use crate::inventory::pod::ExposeType;
    use crate::inventory::workload::Settings;
    use crate::source::Files;
    use crate::yaml::read::read;

    /// What layers make together, the lowest first.
    fn laid(layers: &[&str]) -> Settings {
        let (mut files, mut findings) = (Files::default(), Findings::new());
        let layers: Vec<Settings> = layers
            .iter()
            .filter_map(|text| {
                let file = files.add("a.yaml", (*text).to_owned());
                Settings::decode(read(files.text(file), file, &mut findings).first()?, &mut findings)
            })
            .collect();
        assert_eq!(findings.len(), 0, "every layer is read");
        Cascade::of(&layers).settings
    }

    #[test]
    fn a_layer_that_changes_one_key_keeps_the_others() {
        let settings = laid(&[
            "expose: {type: Ingress, host: a.example, tls: certificate, annotations: {a: low, b: low}}\nscale: {min: 2, max: 4, memory: 70}\n\
             serviceAccount: {token: {audience: vault}, annotations: {a: low}}",
            "expose: {host: b.example, annotations: {b: high}}\nscale: {max: 9}\nserviceAccount: {annotations: {b: high}}",
        ]);
        let expose = settings.expose.as_ref().map(|expose| &expose.value);
        assert!(expose.is_some_and(|expose| expose.is(ExposeType::Ingress)));
        assert_eq!(expose.and_then(|expose| expose.host.as_ref()).map(|host| host.as_str()), Some("b.example"));
        assert_eq!(expose.and_then(|expose| expose.tls.as_ref()).map(|tls| tls.as_str()), Some("certificate"));
        let annotations: Vec<&str> = expose.iter().flat_map(|expose| &expose.annotations).map(|(_, value)| value.as_str()).collect();
        assert_eq!(annotations, ["low", "high"]);
        assert_eq!(settings.bounds(), (2, 9));
        assert!(settings.scale.as_ref().is_some_and(|scale| scale.memory.is_some()));
        let account = settings.service_account.as_ref();
        assert!(account.is_some_and(|account| account.token.is_some() && account.annotations.iter().count() == 2));
    }

    #[test]
    fn another_type_of_exposure_keeps_nothing_of_the_lower_one() {
        let settings = laid(&["expose: {type: Ingress, host: a.example, tls: certificate}", "expose: {type: LoadBalancer}"]);
        assert!(settings.expose.is_some_and(|expose| expose.is(ExposeType::LoadBalancer) && expose.host.is_none() && expose.tls.is_none()));
    }

    #[test]
    fn replicas_take_the_place_of_an_autoscaler_and_it_of_them() {
        assert!(laid(&["scale: {min: 2, max: 4}", "replicas: 3"]).scale.is_none());
        assert!(laid(&["replicas: 3", "scale: {min: 2, max: 4}"]).replicas.is_none());
    }
}

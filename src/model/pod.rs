//! The final PodSpec of a workload: what isolation decides, then the short forms, then what the user wrote under `pod`, merged by
//! Kubernetes' own list keys. Placement is written in full here, since a list of tolerations is replaced, never appended to.

mod security;

use serde_json::{Map, Value, json};

use super::settings::Cascade;
use crate::inventory::gateway::PortRef;
use crate::inventory::pod::{EnvFrom, EnvSource, EnvValue, Port, Probe, Resources, Volume};
use crate::inventory::workload::{Settings, WorkloadKind};
use crate::schema::{Minor, Schemas};
use crate::source::Spanned;

/// The main container's name: what `pod.containers` refers to it by.
pub const MAIN: &str = "main";

/// The definition of a PodSpec in Kubernetes' OpenAPI document.
pub const POD_SPEC: &str = "io.k8s.api.core.v1.PodSpec";

/// What the pod needs to know beside its settings.
#[derive(Debug)]
pub struct Context<'a> {
    /// The workload's name.
    pub name: &'a str,
    /// Its kind.
    pub kind: WorkloadKind,
    /// The tier's name.
    pub tier: &'a str,
    /// The fleet's label domain.
    pub label_domain: &'a str,
    /// The name of the tier's PriorityClass.
    pub priority_class: &'a str,
    /// Secrets with which the tier pulls images.
    pub pull_secrets: Vec<&'a str>,
    /// Labels that select the pods.
    pub selector: &'a Value,
    /// Whether more than one pod is meant to run.
    pub many: bool,
    /// Whether the own ConfigMap becomes variables.
    pub config_as_env: bool,
    /// The cluster's minor.
    pub minor: Minor,
}

/// Builds the PodSpec.
pub fn build(cascade: &Cascade<'_>, context: &Context<'_>, schemas: &Schemas) -> Value {
    let settings = &cascade.settings;
    let mut pod = Map::new();
    pod.insert("automountServiceAccountToken".into(), has_api_access(settings).into());
    pod.insert("containers".into(), json!([container(settings, context)]));
    pod.insert("enableServiceLinks".into(), false.into());
    pod.insert("nodeSelector".into(), node_selector(settings, context.tier));
    pod.insert("priorityClassName".into(), context.priority_class.into());
    pod.insert("securityContext".into(), security::of_pod(settings.security.as_deref()));
    pod.insert("serviceAccountName".into(), context.name.into());
    pod.insert("tolerations".into(), tolerations(context.label_domain, context.tier));
    if matches!(context.kind, WorkloadKind::Job | WorkloadKind::CronJob) {
        pod.insert("restartPolicy".into(), "Never".into());
    }
    if let Some(seconds) = settings.termination_grace_period_seconds {
        pod.insert("terminationGracePeriodSeconds".into(), seconds.value.into());
    }
    if !context.pull_secrets.is_empty() {
        pod.insert("imagePullSecrets".into(), context.pull_secrets.iter().map(|name| json!({ "name": name })).collect());
    }
    if context.many {
        pod.insert("topologySpreadConstraints".into(), spread(context));
    }
    let volumes = volumes(settings, context);
    if !volumes.is_empty() {
        pod.insert("volumes".into(), volumes.into());
    }
    let mut pod = Value::Object(pod);
    for layer in &cascade.pods {
        pod = schemas.merge(context.minor, POD_SPEC, pod, crate::schema::json(layer));
    }
    security::harden(&mut pod);
    pod
}

/// What the short forms alone say of the pod, without the defaults for what they leave out.
pub fn stated(settings: &Settings, context: &Context<'_>) -> Value {
    let mut container = container(settings, context);
    let security = settings.security.as_deref();
    container["securityContext"] = security::stated(security, security::of_container(security));
    let mut pod = json!({ "containers": [container], "securityContext": security::stated(security, security::of_pod(security)) });
    if let Some(seconds) = settings.termination_grace_period_seconds {
        pod["terminationGracePeriodSeconds"] = seconds.value.into();
    }
    pod["volumes"] = volumes(settings, context).into();
    pod
}

/// The containers of a pod, those that run before the others among them.
pub(super) fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["containers", "initContainers"].into_iter().filter_map(|list| pod[list].as_array()).flatten()
}

/// Whether the workload may use the Kubernetes API.
pub fn has_api_access(settings: &Settings) -> bool {
    settings.api_access.as_ref().is_some_and(|rules| !rules.is_empty())
}

/// Attract: the label that a kubelet cannot give itself (SP 800-190 4.3.4, CIS 1.2.14).
pub(super) fn node_selector(settings: &Settings, tier: &str) -> Value {
    let mut selector = Map::new();
    selector.insert("node-restriction.kubernetes.io/tier".into(), tier.into());
    if let Some(pool) = settings.placement.as_ref().and_then(|placement| placement.pool.as_ref()) {
        selector.insert("node-restriction.kubernetes.io/pool".into(), pool.value.clone().into());
    }
    selector.into()
}

/// The other half of repel: both effects, each by name, so that no other tier's taint is tolerated (SP 800-190 4.3.4).
pub(super) fn tolerations(label_domain: &str, tier: &str) -> Value {
    let key = format!("{label_domain}/tier");
    ["NoSchedule", "NoExecute"]
        .map(|effect| json!({ "key": key, "operator": "Equal", "value": tier, "effect": effect }))
        .into_iter()
        .collect()
}

fn spread(context: &Context<'_>) -> Value {
    ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
        .map(|topology| {
            json!({
                "labelSelector": { "matchLabels": context.selector },
                "maxSkew": 1,
                "nodeTaintsPolicy": "Honor",
                "topologyKey": topology,
                "whenUnsatisfiable": "ScheduleAnyway",
            })
        })
        .into_iter()
        .collect()
}

fn container(settings: &Settings, context: &Context<'_>) -> Value {
    let mut container = Map::new();
    container.insert("name".into(), MAIN.into());
    let strings =
        |list: &Option<Vec<Spanned<String>>>| list.as_ref().map(|list| list.iter().map(|text| text.value.clone()).collect::<Value>());
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|value| value.as_array().is_none_or(|list| !list.is_empty())) {
            container.insert(key.to_owned(), value);
        }
    };
    set("image", settings.image.as_ref().map(|image| image.as_str().into()));
    set("command", strings(&settings.command));
    set("args", strings(&settings.args));
    set("env", Some(settings.env.iter().map(|(name, value)| env(name, value)).collect()));
    set("envFrom", Some(env_from(settings, context)));
    set("ports", settings.ports.as_ref().map(|ports| ports.iter().map(|port| container_port(port)).collect()));
    set("resources", settings.resources.as_deref().map(resources));
    if let Some(probes) = &settings.probes {
        let ports = settings.ports.as_deref().unwrap_or_default();
        set("startupProbe", probes.startup.as_ref().map(|probe_| probe(probe_, ports)));
        set("readinessProbe", probes.readiness.as_ref().map(|probe_| probe(probe_, ports)));
        set("livenessProbe", probes.liveness.as_ref().map(|probe_| probe(probe_, ports)));
    }
    set("securityContext", Some(security::of_container(settings.security.as_deref())));
    set("volumeMounts", Some(mounts(settings)));
    container.into()
}

fn env(name: &str, value: &EnvValue) -> Value {
    match value {
        EnvValue::Text(text) => json!({ "name": name, "value": text.value }),
        EnvValue::From(source) => json!({ "name": name, "valueFrom": env_source(source) }),
    }
}

fn env_source(source: &EnvSource) -> Value {
    let reference = |name: &str| {
        let mut reference = json!({ "name": name });
        if let Some(key) = &source.key {
            reference["key"] = key.as_str().into();
        }
        optional(&mut reference, source.optional);
        reference
    };
    if let Some(path) = &source.field_ref {
        return json!({ "fieldRef": { "fieldPath": path.value } });
    }
    if let Some(resource) = &source.resource_field_ref {
        return json!({ "resourceFieldRef": { "resource": resource.value } });
    }
    match (&source.secret, &source.config_map) {
        (Some(secret), _) => json!({ "secretKeyRef": reference(secret.as_str()) }),
        (None, Some(config)) => json!({ "configMapKeyRef": reference(config.as_str()) }),
        (None, None) => json!({}),
    }
}

fn optional(reference: &mut Value, stated: Option<Spanned<bool>>) {
    if let Some(stated) = stated {
        reference["optional"] = stated.value.into();
    }
}

fn env_from(settings: &Settings, context: &Context<'_>) -> Value {
    let own = context.config_as_env.then(|| json!({ "configMapRef": { "name": context.name } }));
    let stated = settings.env_from.iter().flatten().map(|from| env_from_entry(from));
    own.into_iter().chain(stated).collect()
}

fn env_from_entry(from: &EnvFrom) -> Value {
    let (kind, name) = match (&from.secret, &from.config_map) {
        (Some(secret), _) => ("secretRef", secret.as_str()),
        (None, config) => ("configMapRef", config.as_ref().map_or("", |config| config.as_str())),
    };
    let mut reference = json!({ "name": name });
    optional(&mut reference, from.optional);
    let mut entry = json!({ kind: reference });
    if let Some(prefix) = &from.prefix {
        entry["prefix"] = prefix.value.clone().into();
    }
    entry
}

fn container_port(port: &Port) -> Value {
    let mut value = json!({ "containerPort": port.port.value, "name": port.name.as_str() });
    if let Some(protocol) = port.protocol {
        value["protocol"] = protocol.as_str().into();
    }
    value
}

fn resources(resources: &Resources) -> Value {
    let mut value = Map::new();
    for (key, amounts) in [("requests", &resources.requests), ("limits", &resources.limits)] {
        if !amounts.is_empty() {
            let amounts: Map<String, Value> = amounts.iter().map(|(name, amount)| (name.value.clone(), amount.as_str().into())).collect();
            value.insert(key.to_owned(), amounts.into());
        }
    }
    value.into()
}

fn probe(probe: &Probe, ports: &[Spanned<Port>]) -> Value {
    let port = |stated: Option<&PortRef>| match stated {
        Some(PortRef::Number(number)) => Value::from(*number),
        Some(PortRef::Name(name)) => name.as_str().into(),
        None => ports.first().map_or(Value::Null, |first| first.name.as_str().into()),
    };
    let mut value = Map::new();
    if let Some(path) = &probe.http_get {
        let mut get = json!({ "path": path.value, "port": port(probe.port.as_deref()) });
        if let Some(scheme) = probe.scheme {
            get["scheme"] = scheme.as_str().into();
        }
        if !probe.http_headers.is_empty() {
            get["httpHeaders"] =
                probe.http_headers.iter().map(|(name, value)| json!({ "name": name.value, "value": value.value })).collect();
        }
        value.insert("httpGet".into(), get);
    } else if let Some(target) = &probe.tcp_socket {
        value.insert("tcpSocket".into(), json!({ "port": port(Some(&target.value)) }));
    } else if let Some(target) = &probe.grpc {
        // Kubernetes takes only a number here.
        let number = match &target.value {
            PortRef::Number(number) => Some(*number),
            PortRef::Name(name) => ports.iter().find(|port| port.name.as_str() == name).map(|port| port.port.value),
        };
        let mut grpc = json!({ "port": number });
        if let Some(service) = &probe.service {
            grpc["service"] = service.value.clone().into();
        }
        value.insert("grpc".into(), grpc);
    } else if let Some(command) = &probe.exec {
        value.insert("exec".into(), json!({ "command": command.iter().map(|word| word.value.clone()).collect::<Vec<_>>() }));
    }
    let timings = [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("periodSeconds", probe.period_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
        ("terminationGracePeriodSeconds", probe.termination_grace_period_seconds),
    ];
    value.extend(timings.into_iter().filter_map(|(key, stated)| Some((key.to_owned(), stated?.value.into()))));
    value.into()
}

/// Where a projected token is mounted, and the name of its volume.
const TOKEN_VOLUME: (&str, &str) = ("service-account-token", "/var/run/secrets/tokens");

fn mounts(settings: &Settings) -> Value {
    let declared = settings.volumes.iter().flatten().map(|volume| {
        let mut mount = json!({ "mountPath": volume.mount_path.value, "name": volume.name.as_str() });
        if let Some(path) = &volume.sub_path {
            mount["subPath"] = path.value.clone().into();
        }
        if let Some(read_only) = volume.read_only {
            mount["readOnly"] = read_only.value.into();
        }
        mount
    });
    let token = settings.service_account.as_ref().and_then(|account| account.token.as_ref());
    let token = token.map(|_| json!({ "mountPath": TOKEN_VOLUME.1, "name": TOKEN_VOLUME.0, "readOnly": true }));
    declared.chain(token).collect()
}

fn volumes(settings: &Settings, context: &Context<'_>) -> Vec<Value> {
    let declared = settings.volumes.iter().flatten();
    // A StatefulSet's claims come from its templates, one for each replica.
    let here = declared.filter(|volume| context.kind != WorkloadKind::StatefulSet || volume.claim.is_none());
    let mut volumes: Vec<Value> = here.map(|declared| volume(declared, context.name)).collect();
    if let Some(token) = settings.service_account.as_ref().and_then(|account| account.token.as_ref()) {
        let mut source = json!({ "audience": token.audience.value, "path": token.audience.value });
        if let Some(seconds) = token.expiration_seconds {
            source["expirationSeconds"] = seconds.value.into();
        }
        volumes.push(json!({ "name": TOKEN_VOLUME.0, "projected": { "sources": [{ "serviceAccountToken": source }] } }));
    }
    volumes
}

/// The name of a workload's own claim.
pub fn claim_name(workload: &str, volume: &str) -> String {
    format!("{workload}-{volume}")
}

fn volume(volume: &Volume, workload: &str) -> Value {
    let items = || volume.items.iter().map(|(key, path)| json!({ "key": key.value, "path": path.value })).collect::<Value>();
    let keyed = |name_key: &str, name: &str| {
        let mut source = json!({ name_key: name });
        if !volume.items.is_empty() {
            source["items"] = items();
        }
        optional(&mut source, volume.optional);
        source
    };
    let name = volume.name.as_str();
    if let Some(secret) = &volume.secret {
        return json!({ "name": name, "secret": keyed("secretName", secret.as_str()) });
    }
    if let Some(config) = &volume.config_map {
        return json!({ "name": name, "configMap": keyed("name", config.as_str()) });
    }
    if volume.claim.is_some() {
        return json!({ "name": name, "persistentVolumeClaim": { "claimName": claim_name(workload, name) } });
    }
    let mut scratch = Map::new();
    if let Some(stated) = &volume.empty_dir {
        scratch.extend(stated.medium.map(|medium| ("medium".to_owned(), medium.as_str().into())));
        scratch.extend(stated.size_limit.as_ref().map(|limit| ("sizeLimit".to_owned(), limit.as_str().into())));
    }
    json!({ "name": name, "emptyDir": scratch })
}

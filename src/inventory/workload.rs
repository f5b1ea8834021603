//! Workloads, and the settings that defaults and overrides share with them.

use super::flow::Connect;
use super::pod::{ApiRule, EnvFrom, EnvValue, Expose, Port, Probes, Resources, Security, ServiceAccount, Volume};
use super::selector::{ClusterMatch, ClusterSelector};
use crate::decode::{self, Decode, Entries, Findings, MOST, mapping, unknown_keys_but};
use crate::diag::{Code, Diag};
use crate::formats::{DnsLabel, ImageRef, Schedule, TimeZone};
use crate::schema::{Minor, Schemas};
use crate::source::Spanned;
use crate::yaml::read::Node;
use crate::{record, words};

record! {
    "a workload"
    /// What a workload is, for good: no default or override changes it.
    pub struct Identity {
        /// Its name.
        pub name: Spanned<DnsLabel>,
        /// The team that owns it.
        pub team: Spanned<String>,
        /// Its tier; derived from the data if left out.
        pub tier: Option<Spanned<String>>,
        /// The kinds of data that it holds.
        pub data: Vec<Spanned<String>>,
        /// Its kind.
        pub kind: Spanned<WorkloadKind>,
        /// The clusters that it runs on; those that its team, its tier or the fleet says if left out, else the one that hosts the tier.
        pub clusters: Option<Spanned<ClusterSelector>>,
        /// Whether it has a namespace of its own, `<team>-<tier>-<name>`, chosen for good; not, if left out.
        pub own_namespace: Option<Spanned<bool>>,
        /// Manifests that the team already has.
        pub source: Option<Spanned<Source>>,
        /// Changes on some clusters, in order.
        pub overrides: Vec<Spanned<Override>>,
    }
}

words! {
    /// Kinds of workload.
    pub enum WorkloadKind {
        /// Replicas that are all alike.
        Deployment = "Deployment",
        /// Replicas with names and claims of their own.
        StatefulSet = "StatefulSet",
        /// One on each node of the tier.
        DaemonSet = "DaemonSet",
        /// Runs to its end, once.
        Job = "Job",
        /// Runs to its end, on a schedule.
        CronJob = "CronJob",
    }
}

record! {
    "`source`"
    /// Manifests that the team already has.
    pub struct Source {
        /// A folder with a `kustomization.yaml`, below the project's root.
        pub kustomize: Spanned<String>,
    }
}

record! {
    "an override"
    /// Settings that differ on some clusters.
    pub struct Override {
        /// The clusters.
        pub r#match as "match": Spanned<ClusterMatch>,
        /// What is set there.
        pub set: Spanned<OverrideSettings>,
    }
}

/// Settings in an override: the identity of a workload is refused by name.
#[derive(Clone, Debug, PartialEq)]
pub struct OverrideSettings(pub Settings);

impl Decode for OverrideSettings {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let entries = mapping(node, findings)?;
        let (forbidden, allowed): (Vec<_>, Vec<_>) =
            entries.iter().cloned().partition(|(key, _)| key.text().is_some_and(|key| Identity::keys().iter().any(|known| known == key)));
        for (key, _) in forbidden {
            let name = key.text().unwrap_or_default();
            let diag = Diag::new(Code::ForbiddenOverride, key.span, format!("an override may not set `{name}`"));
            findings.push(diag.help("It decides isolation or identity: write a workload of another name for it."));
        }
        if entries.is_empty() {
            let diag = Diag::new(Code::InvalidValue, node.span, "the override sets nothing");
            findings.push(diag.help("Write what differs on these clusters, such as `set: {replicas: 3}`; or remove the override."));
        }
        let node = Node { span: node.span, value: crate::yaml::Value::Map(allowed) };
        Settings::decode(&node, findings).map(Self)
    }
}

impl schemars::JsonSchema for OverrideSettings {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Settings".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<Settings>()
    }
}

record! {
    "a workload"
    /// What a workload is made of; defaults and overrides may set any of it.
    #[derive(Default)]
    pub struct Settings {
        /// Where it runs within its tier.
        pub placement: Option<Spanned<Placement>>,
        /// Labels on its objects and pods; not on the claims of a StatefulSet, whose template could never be changed.
        pub labels: Entries<Spanned<String>>,
        /// Annotations on its objects and pods; not on the claims of a StatefulSet, whose template could never be changed.
        pub annotations: Entries<Spanned<String>>,
        /// The image of its main container.
        pub image: Option<Spanned<ImageRef>>,
        /// The entry point of its main container.
        pub command: Option<Vec<Spanned<String>>>,
        /// The arguments of its main container.
        pub args: Option<Vec<Spanned<String>>>,
        /// Environment variables, in order.
        pub env: Entries<EnvValue>,
        /// Environment variables from whole ConfigMaps and Secrets.
        pub env_from: Option<Vec<Spanned<EnvFrom>>>,
        /// A ConfigMap of its own; its variables where nothing else refers to it.
        pub config: Entries<Spanned<String>>,
        /// Its ports.
        pub ports: Option<Vec<Spanned<Port>>>,
        /// How traffic from outside the cluster comes in; none does if left out.
        pub expose: Option<Spanned<Expose>>,
        /// Probes of its main container.
        pub probes: Option<Spanned<Probes>>,
        /// Requests, and below `limits` the limits, of its main container.
        pub resources: Option<Spanned<Resources>>,
        /// Volumes, each mounted into its main container.
        pub volumes: Option<Vec<Spanned<Volume>>>,
        /// Its security context, loosened only as far as its tier allows.
        pub security: Option<Spanned<Security>>,
        /// Its ServiceAccount.
        pub service_account: Option<Spanned<ServiceAccount>>,
        /// What it may do at the Kubernetes API, in its own namespace.
        pub api_access: Option<Vec<Spanned<ApiRule>>>,
        /// How many, one if left out; not beside `scale`.
        pub replicas: Option<Spanned<u32>>,
        /// An autoscaler.
        pub scale: Option<Spanned<Scale>>,
        /// How many may be away at a time; one of several replicas if left out.
        pub disruption: Option<Spanned<Disruption>>,
        /// How long a pod may take to end, in seconds; 30 if left out.
        pub termination_grace_period_seconds: Option<Spanned<u32>>,
        /// When a CronJob runs.
        pub schedule: Option<Spanned<Schedule>>,
        /// The time zone of the schedule; that of the cluster's controllers if left out.
        pub time_zone: Option<Spanned<TimeZone>>,
        /// What a CronJob does while its last run goes on; `Forbid` if left out.
        pub concurrency_policy: Option<Spanned<ConcurrencyPolicy>>,
        /// Whether a CronJob or Job waits; not, if left out.
        pub suspend: Option<Spanned<bool>>,
        /// Flows that it begins.
        pub connects: Option<Vec<Spanned<Connect>>>,
        /// The controller's own fields, as Kubernetes spells them.
        pub spec: Option<Node>,
        /// The rest of the pod, as Kubernetes spells it.
        pub pod: Option<Node>,
    }
}

record! {
    "`placement`"
    /// Where a workload runs within its tier.
    pub struct Placement {
        /// One of the tier's pools; any of them if left out.
        pub pool: Option<Spanned<String>>,
    }
}

record! {
    "`scale`"
    /// An autoscaler: the object then carries no replicas.
    pub struct Scale {
        /// At least so many.
        pub min: Option<Spanned<u32>>,
        /// At most so many.
        pub max: Option<Spanned<u32>>,
        /// Average use of the CPU request, in percent.
        pub cpu: Option<Spanned<u32>>,
        /// Average use of the memory request, in percent.
        pub memory: Option<Spanned<u32>>,
    }
}

record! {
    "`disruption`"
    /// A PodDisruptionBudget: exactly one of the two.
    pub struct Disruption {
        /// So many may be away.
        pub max_unavailable: Option<Spanned<CountOrPercent>>,
        /// So many must be there.
        pub min_available: Option<Spanned<CountOrPercent>>,
    }
}

impl Identity {
    /// The name that references and exemptions have for it: `<team>/<workload>`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.team.value, self.name.value)
    }
}

impl Settings {
    /// The least and the greatest number of its pods.
    pub fn bounds(&self) -> (u32, u32) {
        let replicas = self.replicas.map_or(1, |replicas| replicas.value);
        self.scale.as_ref().map_or((replicas, replicas), |scale| {
            let least = scale.min.map_or(1, |min| min.value);
            (least, scale.max.map_or(least, |max| max.value))
        })
    }
}

/// A number, or a share of the replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountOrPercent {
    /// A number.
    Count(u32),
    /// A share, such as `25%`.
    Percent(String),
}

impl Decode for CountOrPercent {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if let Some(percent) = node.text().and_then(|text| text.strip_suffix('%')) {
            if percent
                .parse::<u32>()
                .is_ok_and(|percent| percent <= 100 && percent.to_string().len() == node.text().map_or(0, str::len) - 1)
            {
                return Some(Self::Percent(format!("{percent}%")));
            }
            let diag = Diag::new(Code::InvalidValue, node.span, format!("`{percent}%` is no share from 0% to 100%"));
            findings.push(diag.help("Write a whole number, or a share such as `25%`."));
            return None;
        }
        u32::decode(node, findings).map(Self::Count)
    }
}

impl schemars::JsonSchema for CountOrPercent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CountOrPercent".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": MOST }, { "type": "string", "pattern": "^[0-9]+%$" }] })
    }
}

words! {
    /// What a CronJob does while its last run goes on.
    pub enum ConcurrencyPolicy {
        /// Starts another.
        Allow = "Allow",
        /// Skips.
        Forbid = "Forbid",
        /// Ends the last one.
        Replace = "Replace",
    }
}

impl WorkloadKind {
    /// Whether others may call its pods by a Service.
    pub fn has_service(self) -> bool {
        matches!(self, Self::Deployment | Self::StatefulSet | Self::DaemonSet)
    }

    /// The definition of its spec in Kubernetes' OpenAPI document.
    pub fn spec_definition(self) -> &'static str {
        match self {
            Self::Deployment => "io.k8s.api.apps.v1.DeploymentSpec",
            Self::StatefulSet => "io.k8s.api.apps.v1.StatefulSetSpec",
            Self::DaemonSet => "io.k8s.api.apps.v1.DaemonSetSpec",
            Self::Job => "io.k8s.api.batch.v1.JobSpec",
            Self::CronJob => "io.k8s.api.batch.v1.CronJobSpec",
        }
    }
}

/// Where a key belongs that the format does not have but Kubernetes does: the controller's own fields, those of the pod, those of its container.
fn belongs(name: &str, kind: Option<WorkloadKind>) -> Option<String> {
    let ours = match name {
        "livenessProbe" => "Write `probes: {liveness: {...}}`.",
        "readinessProbe" => "Write `probes: {readiness: {...}}`.",
        "startupProbe" => "Write `probes: {startup: {...}}`.",
        "securityContext" => "Write `security: {...}`, which is for the pod and its container.",
        "serviceAccountName" => {
            "Every workload has an account of its own, named like it; `serviceAccount` holds its annotations and token."
        }
        "volumeMounts" | "volumeClaimTemplates" => {
            "Write it under `volumes`: each says where it is mounted (`mountPath`), and what it is (`claim: {size: 10Gi}`)."
        }
        "nodeSelector" | "tolerations" | "nodeName" | "affinity" => {
            "Where a pod runs follows from its tier; `placement: {pool: NAME}` chooses among the tier's pools."
        }
        _ => "",
    };
    if !ours.is_empty() {
        return Some(ours.to_owned());
    }
    let has = |definition: &str| Schemas::new().has_field(Minor::NEWEST, definition, name);
    if let Some(kind) = kind.filter(|kind| has(kind.spec_definition())) {
        return Some(format!("It is a field of a {}: write it under `spec`, as Kubernetes spells it.", kind.as_str()));
    }
    if has("io.k8s.api.core.v1.PodSpec") {
        return Some("It is a field of the pod: write it under `pod`, as Kubernetes spells it, where isolation leaves it open.".to_owned());
    }
    has("io.k8s.api.core.v1.Container").then(|| {
        "It is a field of the container: write it under `pod`, as `containers: [{name: main, ...}]`, where isolation leaves it open."
            .to_owned()
    })
}

/// A workload: its identity and its settings, in one mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// What it is.
    pub identity: Identity,
    /// What it is made of.
    pub settings: Settings,
}

impl Decode for Workload {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let keys: Vec<&str> = Identity::keys().iter().chain(Settings::keys()).map(String::as_str).collect();
        let entries = decode::record(node, "a workload", &keys, Identity::required_keys, findings)?;
        let kind = entries.iter().find(|(key, _)| key.text() == Some("kind")).and_then(|(_, kind)| WorkloadKind::from_word(kind.text()?));
        if unknown_keys_but(entries, &keys, "a workload", |name| belongs(name, kind), findings) {
            return None;
        }
        let identity = Identity::decode_fields(node, entries, findings);
        let settings = Settings::decode_fields(node, entries, findings);
        Some(Self { identity: identity?, settings: settings? })
    }
}

impl schemars::JsonSchema for Workload {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Workload".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = Identity::json_schema(generator);
        let settings = Settings::json_schema(generator);
        let from = settings.as_value().get("properties").and_then(serde_json::Value::as_object);
        if let (Some(properties), Some(more)) = (schema.get_mut("properties").and_then(serde_json::Value::as_object_mut), from) {
            properties.extend(more.clone());
        }
        schema.insert("description".to_owned(), "A workload and how sensitive it is.".into());
        schema
    }
}

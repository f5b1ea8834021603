//! A workload on one cluster: its settings there, its final pod, and the names of its objects.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::adopted::{self, Adopted};
use super::check::{self, Subject};
use super::clusters::Host;
use super::pod::{self, Context};
use super::pod_security;
use super::settings::{Cascade, fits};
use super::tiers::Tiers;
use super::{names, priority_class, storage};
use crate::decode::Findings;
use crate::inventory::Inventory;
use crate::inventory::pod::EnvValue;
use crate::inventory::team::Team;
use crate::inventory::tier::{PodSecurity, Tier};
use crate::inventory::workload::{Settings, Workload, WorkloadKind};
use crate::model::exemptions::{Exemptions, Place};
use crate::schema::Schemas;
use crate::source::Spanned;
use crate::tree::Digest;

/// A workload on one cluster.
#[derive(Debug)]
pub struct Instance<'i> {
    /// The workload.
    pub workload: &'i Spanned<Workload>,
    /// Its team.
    pub team: &'i Spanned<Team>,
    /// Its tier.
    pub tier: usize,
    /// The cluster.
    pub cluster: usize,
    /// Its namespace.
    pub namespace: String,
    /// Its settings on the cluster.
    pub cascade: Cascade<'i>,
    /// The final PodSpec.
    pub pod: Value,
    /// The controller's own fields beside replicas, selector and template.
    pub controller: Value,
    /// The headless Service that gives the pods of a StatefulSet their names: one of its own, or the workload's Service itself.
    pub governing_service: Option<String>,
    /// Labels that select its pods.
    pub selector: Value,
    /// Labels of its objects and pods.
    pub labels: Value,
    /// Annotations that the user wants on its objects and pods.
    pub annotations: Value,
    /// Annotations of the pods: those, and a digest of every ConfigMap of ours that they read, so that a change rolls them.
    pub pod_annotations: Value,
    /// The controller's name: the workload's own, with a digest of what it runs for a Job, which cannot be changed.
    pub object_name: String,
    /// The Pod Security level that its namespace must have.
    pub level: PodSecurity,
    /// Shared ConfigMaps that it refers to, by name.
    pub configs: BTreeSet<String>,
    /// Secrets and ConfigMaps that are taken to exist: kind and name.
    pub expected: BTreeSet<(&'static str, String)>,
    /// What its source makes, where it has one: its objects are these and not what the settings say.
    pub adopted: Option<Adopted>,
}

impl Instance<'_> {
    /// What its pods are like in the end: its own, or those of the objects that its source has.
    pub fn pods(&self) -> Vec<&Value> {
        self.adopted.as_ref().map_or_else(|| vec![&self.pod], |adopted| adopted.objects.iter().filter_map(adopted::pods::of).collect())
    }
}

/// What an instance is made from.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a, 'i> {
    /// The inventory.
    pub inventory: &'i Inventory,
    /// The tiers.
    pub tiers: &'a Tiers<'i>,
    /// The exemptions.
    pub exemptions: &'a Exemptions<'i>,
    /// Kubernetes' schemas.
    pub schemas: &'a Schemas,
}

impl<'a, 'i> Ground<'a, 'i> {
    /// A workload on a cluster as the checks see it.
    pub fn subject(
        self,
        workload: &'i Spanned<Workload>,
        cascade: &'a Cascade<'i>,
        tier: &'i Spanned<Tier>,
        host: &Host<'i>,
        place: Place<'a>,
    ) -> Subject<'a, 'i> {
        let Self { inventory, exemptions, schemas, .. } = self;
        Subject { inventory, workload, cascade, tier, cluster: host.raw, minor: host.minor, place, exemptions, schemas }
    }
}

/// Builds the instance of a workload on a cluster, with every finding about its settings there.
pub fn build<'i>(
    ground: Ground<'_, 'i>,
    workload: &'i Spanned<Workload>,
    team: &'i Spanned<Team>,
    tier: usize,
    cluster: usize,
    host: &Host<'i>,
    findings: &mut Findings,
) -> Instance<'i> {
    let identity = &workload.identity;
    let name = identity.name.as_str();
    let raw_tier = &ground.tiers.all[tier];
    let tier_name = raw_tier.name.as_str();
    let mut cascade = cascade(ground.inventory, workload, team, raw_tier.defaults.as_deref(), host);
    let own = identity.own_namespace.is_some_and(|own| own.value).then_some(name);
    let namespace = names::namespace(team.name.as_str(), tier_name, own);
    let full_name = identity.full_name();
    let place = Place { workload: &full_name, namespace: &namespace, cluster: host.raw.name.as_str(), tier: tier_name };
    let subject = ground.subject(workload, &cascade, raw_tier, host, place);
    let mut found = Findings::new();
    check::settings(&subject, &mut found);
    let label_domain = ground.inventory.fleet.as_ref().map_or("", |fleet| fleet.label_domain.as_str());
    let selector = json!({ "app.kubernetes.io/name": name });
    let kind = identity.kind.value;
    let context = Context {
        name,
        kind,
        tier: tier_name,
        label_domain,
        priority_class: &priority_class::name(raw_tier),
        pull_secrets: raw_tier.pull_secrets.iter().map(|secret| secret.as_str()).collect(),
        selector: &selector,
        many: is_many(kind, &cascade.settings),
        config_as_env: config_as_env(name, &cascade.settings),
        minor: host.minor,
    };
    let mut spec = pod::build(&cascade, &context, ground.schemas);
    storage::fill_pod(raw_tier, &mut spec);
    let controller = controller(&cascade, name, kind, host, ground.schemas);
    let governing_service = controller["serviceName"].as_str().map(str::to_owned);
    if !cascade.pods.is_empty() || !cascade.specs.is_empty() {
        check::twice(&subject, &pod::stated(&cascade.settings, &context), &mut found);
    }
    check::governing(&subject, &mut found);
    check::pod(&subject, &spec, &mut found);
    let finished = check::finished(&subject, &spec, &controller, &found);
    findings.extend(found);
    findings.extend(finished);
    let level = check::needed_level(&subject, &spec);
    let (configs, expected) = references(ground.inventory, name, &cascade.settings, &spec);
    let labels = labels(workload, team, tier_name, label_domain, &cascade.settings);
    let annotations = map(cascade.settings.annotations.iter().map(|(key, value)| (key.value.clone(), value.value.clone())));
    let pod_annotations = pod_annotations(ground.inventory, label_domain, &annotations, &cascade.settings, &configs);
    let object_name = match kind {
        WorkloadKind::Job => format!("{name}-{}", digest(&[&spec, &without_changeable(&controller), &labels, &pod_annotations], 8)),
        _ => name.to_owned(),
    };
    drop(full_name);
    cascade.settings.narrow_load_balancer();
    Instance {
        workload,
        team,
        tier,
        cluster,
        namespace,
        cascade,
        pod: spec,
        controller,
        governing_service,
        selector,
        labels,
        annotations,
        pod_annotations,
        object_name,
        level,
        configs,
        expected,
        adopted: None,
    }
}

/// Fleet, tier, cluster, team, workload, overrides: the later win.
pub(super) fn cascade<'i>(
    inventory: &'i Inventory,
    workload: &'i Spanned<Workload>,
    team: &'i Spanned<Team>,
    tier: Option<&'i Settings>,
    host: &Host<'i>,
) -> Cascade<'i> {
    let fleet = inventory.fleet.as_ref().and_then(|fleet| fleet.defaults.as_deref());
    let defaults = [fleet, tier, host.raw.defaults.as_deref(), team.defaults.as_deref(), Some(&workload.settings)];
    let overrides = workload.identity.overrides.iter().filter(|change| fits(&change.r#match, host.raw)).map(|change| &change.set.0);
    Cascade::of(defaults.into_iter().flatten().chain(overrides))
}

/// Whether more than one pod is meant to run at a time.
fn is_many(kind: WorkloadKind, settings: &Settings) -> bool {
    matches!(kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet) && settings.bounds().1 > 1
}

/// The own ConfigMap becomes variables where nothing refers to it by name.
fn config_as_env(name: &str, settings: &Settings) -> bool {
    let named = |config: &Option<Spanned<crate::formats::DnsSubdomain>>| config.as_ref().is_some_and(|config| config.as_str() == name);
    let by_env = settings.env.iter().any(|(_, value)| matches!(value, EnvValue::From(source) if named(&source.config_map)));
    let by_env_from = settings.env_from.iter().flatten().any(|from| named(&from.config_map));
    let by_volume = settings.volumes.iter().flatten().any(|volume| named(&volume.config_map));
    !settings.config.is_empty() && !by_env && !by_env_from && !by_volume
}

fn map(entries: impl Iterator<Item = (String, String)>) -> Value {
    entries.map(|(key, value)| (key, Value::String(value))).collect::<Map<_, _>>().into()
}

fn labels(workload: &Workload, team: &Team, tier: &str, label_domain: &str, settings: &Settings) -> Value {
    let own = [
        ("app.kubernetes.io/name".to_owned(), workload.identity.name.value.to_string()),
        ("app.kubernetes.io/managed-by".to_owned(), "ringfence".to_owned()),
        (format!("{label_domain}/team"), team.name.value.to_string()),
        (format!("{label_domain}/tier"), tier.to_owned()),
        // What network policies select pods by: a workload that is adopted may state any other label.
        (format!("{label_domain}/workload"), workload.identity.name.value.to_string()),
    ];
    map(settings.labels.iter().map(|(key, value)| (key.value.clone(), value.value.clone())).chain(own))
}

fn pod_annotations(inventory: &Inventory, label_domain: &str, stated: &Value, settings: &Settings, configs: &BTreeSet<String>) -> Value {
    let own = map(settings.config.iter().map(|(key, value)| (key.value.clone(), value.value.clone())));
    let shared = inventory.configs.iter().filter(|config| configs.contains(config.name.as_str()));
    let shared: Vec<Value> = shared
        .map(|config| json!([config.name.as_str(), map(config.data.iter().map(|(k, v)| (k.value.clone(), v.value.clone())))]))
        .collect();
    let mut annotations = stated.clone();
    if !settings.config.is_empty() || !shared.is_empty() {
        annotations[format!("{label_domain}/config-digest")] = digest(&[&own, &shared.into()], 16).into();
    }
    annotations
}

/// What may be changed of a Job that is there: `k8s.io/kubernetes/pkg/apis/batch/validation`, `ValidateJobSpecUpdate`. It says how a Job is run, not what it
/// does: with another one of these it keeps its name, and does not run again.
const CHANGEABLE: [&str; 5] = ["activeDeadlineSeconds", "backoffLimit", "parallelism", "suspend", "ttlSecondsAfterFinished"];

/// A Job's spec without what may be changed.
pub(super) fn without_changeable(spec: &Value) -> Value {
    let mut kept = spec.clone();
    if let Some(fields) = kept.as_object_mut() {
        fields.retain(|key, _| !CHANGEABLE.contains(&key.as_str()));
    }
    kept
}

/// The first hex digits of a SHA-256 over the compact JSON of the parts, each after its length.
pub(super) fn digest(parts: &[&Value], digits: usize) -> String {
    let parts = parts.iter().map(ToString::to_string).map(|text| format!("{}:{text}", text.len()));
    let mut hex = Digest::of(parts.collect::<String>()).to_string();
    hex.truncate(digits);
    hex
}

/// The controller's own fields: what its kind needs, then what the user wrote under `spec`.
fn controller(cascade: &Cascade<'_>, name: &str, kind: WorkloadKind, host: &Host<'_>, schemas: &Schemas) -> Value {
    let settings = &cascade.settings;
    let mut base = match kind {
        // The new pod would wait for the claim that the old one holds, and the old one for the new; but whoever says how to roll wants to roll.
        WorkloadKind::Deployment
            if !says_how_to_roll(cascade) && settings.volumes.iter().flatten().any(|volume| volume.claim.is_some()) =>
        {
            json!({ "strategy": { "type": "Recreate" } })
        }
        WorkloadKind::StatefulSet => json!({
            "persistentVolumeClaimRetentionPolicy": { "whenDeleted": "Retain", "whenScaled": "Retain" },
            "podManagementPolicy": "OrderedReady",
            "serviceName": names::headless(name),
        }),
        _ => json!({}),
    };
    if let WorkloadKind::CronJob = kind {
        let policy = settings.concurrency_policy.map_or("Forbid", |policy| policy.as_str());
        base["concurrencyPolicy"] = policy.into();
        base["schedule"] = settings.schedule.as_ref().map_or("", |schedule| schedule.as_str()).into();
        if let Some(zone) = &settings.time_zone {
            base["timeZone"] = zone.as_str().into();
        }
    }
    if let (WorkloadKind::CronJob | WorkloadKind::Job, Some(suspend)) = (kind, settings.suspend) {
        base["suspend"] = suspend.value.into();
    }
    let definition = check::spec_definition(kind);
    cascade.specs.iter().fold(base, |base, layer| schemas.merge(host.minor, definition, base, crate::schema::json(layer)))
}

fn says_how_to_roll(cascade: &Cascade<'_>) -> bool {
    cascade.specs.iter().any(|spec| spec.get("strategy").is_some())
}

/// The shared ConfigMaps that a pod refers to, and what it refers to that the inventory does not make.
pub(super) fn references(
    inventory: &Inventory,
    name: &str,
    settings: &Settings,
    pod: &Value,
) -> (BTreeSet<String>, BTreeSet<(&'static str, String)>) {
    let (mut configs, mut expected) = (BTreeSet::new(), BTreeSet::new());
    let mut refer = |kind: &'static str, target: Option<&str>| {
        let Some(target) = target else { return };
        if kind == "ConfigMap" && target == name && !settings.config.is_empty() {
            return;
        }
        if kind == "ConfigMap" && inventory.configs.iter().any(|config| config.name.as_str() == target) {
            configs.insert(target.to_owned());
        } else {
            expected.insert((kind, target.to_owned()));
        }
    };
    for container in pod_security::containers(pod) {
        for variable in container["env"].as_array().into_iter().flatten() {
            refer("Secret", variable["valueFrom"]["secretKeyRef"]["name"].as_str());
            refer("ConfigMap", variable["valueFrom"]["configMapKeyRef"]["name"].as_str());
        }
        for from in container["envFrom"].as_array().into_iter().flatten() {
            refer("Secret", from["secretRef"]["name"].as_str());
            refer("ConfigMap", from["configMapRef"]["name"].as_str());
        }
    }
    for volume in pod["volumes"].as_array().into_iter().flatten() {
        refer("Secret", volume["secret"]["secretName"].as_str());
        refer("ConfigMap", volume["configMap"]["name"].as_str());
        for source in volume["projected"]["sources"].as_array().into_iter().flatten() {
            refer("Secret", source["secret"]["name"].as_str());
            refer("ConfigMap", source["configMap"]["name"].as_str());
        }
    }
    for secret in pod["imagePullSecrets"].as_array().into_iter().flatten() {
        refer("Secret", secret["name"].as_str());
    }
    refer("Secret", settings.expose.as_ref().and_then(|expose| expose.tls.as_ref()).map(|tls| tls.as_str()));
    (configs, expected)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{digest, without_changeable};

    #[test]
    fn a_job_that_is_run_otherwise_is_the_same_job() {
        let name = |spec: serde_json::Value| digest(&[&without_changeable(&spec)], 8);
        let plain = name(json!({ "completions": 2 }));
        let otherwise = json!({
            "completions": 2, "suspend": true, "parallelism": 3, "backoffLimit": 1, "activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 5
        });
        assert_eq!(name(otherwise), plain);
        assert_ne!(name(json!({ "completions": 3 })), plain);
        assert_ne!(name(json!({ "completions": 2, "completionMode": "Indexed" })), plain);
    }
}

//! Adopted workloads: the objects of a source under the same rules as written ones, with findings on the lines of the source, and with exactly
//! what isolation needs put on them.
//!
//! What is changed, and nothing else: the namespace; our labels on objects and pods, and the labels and annotations that the inventory states,
//! where the source does not state them; in pods the tier's selector, tolerations, PriorityClass and pull Secrets, the workload's own
//! ServiceAccount and whether its token is mounted, and of the security context what the tier demands and the source leaves out; for claims the
//! tier's StorageClass where none is stated, and that neither Argo CD nor Flux prunes them; a digest at the end of a Job's name, since a Job
//! cannot be changed. A null and a `status`, which the API server would drop, are left out. Selectors are never touched.

mod kinds;
pub(super) mod pods;
mod ports;

pub use kinds::may_be_adopted;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::check::{self, Subject};
use super::clusters::Host;
use super::exemptions::{Place, control};
use super::instance::{self, Ground, Instance};
use super::settings::Cascade;
use super::{names, secrets, storage};
use crate::decode::{Findings, head};
use crate::diag::{Code, Diag, a};
use crate::formats::{is_below, is_of_network, is_steering};
use crate::inventory::team::Team;
use crate::inventory::tier::PodSecurity;
use crate::inventory::workload::{Settings, Workload};
use crate::kustomize::Build;
use crate::schema::{PathSegment, check_carried, without_nulls};
use crate::source::{Span, Spanned};
use crate::yaml::{Node, Value as Yaml};

/// What an adopted workload has beside what every instance has.
#[derive(Clone, Debug)]
pub struct Adopted {
    /// The folder, and the digest of its files.
    pub source: String,
    /// The final objects.
    pub objects: Vec<Value>,
    /// Kind, name and place of each.
    pub names: Vec<(String, Spanned<String>)>,
}

/// What the source says instead of the inventory: a workload that has a source may not state it.
pub fn check_keys(workload: &Workload, findings: &mut Findings) {
    let overrides = workload.identity.overrides.iter().map(|change| &change.set.0);
    for settings in std::iter::once(&workload.settings).chain(overrides) {
        for (key, span) in decided_by_source(settings) {
            let diag = Diag::new(Code::SourceDecides, span, format!("`{key}` beside `source`: the source decides it"));
            findings.push(diag.help("Remove it here, and write it in the source."));
        }
    }
}

/// The keys of a workload that hold beside a source; the source decides the others.
pub const BESIDE_A_SOURCE: [&str; 7] = ["placement", "labels", "annotations", "ports", "connects", "serviceAccount", "apiAccess"];

fn decided_by_source(settings: &Settings) -> Vec<(&'static str, Span)> {
    let first = |entries: &crate::decode::Entries<Spanned<String>>| entries.iter().next().map(|(key, _)| key.span);
    let keys = [
        ("image", settings.image.as_ref().map(|value| value.span)),
        ("command", settings.command.as_ref().and_then(|list| list.first()).map(|value| value.span)),
        ("args", settings.args.as_ref().and_then(|list| list.first()).map(|value| value.span)),
        ("env", settings.env.iter().next().map(|(key, _)| key.span)),
        ("envFrom", settings.env_from.as_ref().and_then(|list| list.first()).map(|value| value.span)),
        ("config", first(&settings.config)),
        ("expose", settings.expose.as_ref().map(|value| value.span)),
        ("probes", settings.probes.as_ref().map(|value| value.span)),
        ("resources", settings.resources.as_ref().map(|value| value.span)),
        ("volumes", settings.volumes.as_ref().and_then(|list| list.first()).map(|value| value.span)),
        ("security", settings.security.as_ref().map(|value| value.span)),
        ("serviceAccount.token", settings.service_account.as_ref().and_then(|account| account.token.as_ref()).map(|token| token.span)),
        ("replicas", settings.replicas.map(|value| value.span)),
        ("scale", settings.scale.as_ref().map(|value| value.span)),
        ("disruption", settings.disruption.as_ref().map(|value| value.span)),
        ("terminationGracePeriodSeconds", settings.termination_grace_period_seconds.map(|value| value.span)),
        ("schedule", settings.schedule.as_ref().map(|value| value.span)),
        ("timeZone", settings.time_zone.as_ref().map(|value| value.span)),
        ("concurrencyPolicy", settings.concurrency_policy.map(|value| value.span)),
        ("suspend", settings.suspend.map(|value| value.span)),
        ("spec", settings.spec.as_ref().map(head)),
        ("pod", settings.pod.as_ref().map(head)),
    ];
    keys.into_iter().filter_map(|(key, span)| Some((key, span?))).collect()
}

/// Builds the instance of an adopted workload of a tier on a cluster, with every finding about its source there.
pub fn build<'i>(
    ground: Ground<'_, 'i>,
    workload: &'i Spanned<Workload>,
    team: &'i Spanned<Team>,
    (tier, cluster): (usize, usize),
    host: &Host<'i>,
    source: &Build,
    findings: &mut Findings,
) -> Instance<'i> {
    let identity = &workload.identity;
    let name = identity.name.as_str();
    let raw_tier = &ground.tiers.all[tier];
    let own = identity.own_namespace.is_some_and(|own| own.value).then_some(name);
    let namespace = names::namespace(team.name.as_str(), raw_tier.name.as_str(), own);
    let full_name = identity.full_name();
    let place = Place { workload: &full_name, namespace: &namespace, cluster: host.raw.name.as_str(), tier: raw_tier.name.as_str() };
    let stated = instance::cascade(ground.inventory, workload, team, raw_tier.defaults.as_deref(), host).settings;
    // What the source decides may stand in defaults, which hold for every workload.
    let settings = Settings {
        placement: stated.placement,
        labels: stated.labels,
        annotations: stated.annotations,
        ports: stated.ports,
        service_account: stated
            .service_account
            .map(|account| account.map(|account| crate::inventory::pod::ServiceAccount { token: None, ..account })),
        api_access: stated.api_access,
        connects: stated.connects,
        ..Settings::default()
    };
    let cascade = Cascade { settings, layers: Vec::new(), pods: Vec::new(), specs: Vec::new() };
    let subject = ground.subject(workload, &cascade, raw_tier, host, place);
    check::adopted(&subject, findings);
    let label_domain = ground.inventory.fleet.as_ref().map_or("", |fleet| fleet.label_domain.as_str());
    let selector = json!({ format!("{label_domain}/workload"): name });
    let labels = json!({
        format!("{label_domain}/team"): team.name.as_str(),
        format!("{label_domain}/tier"): raw_tier.name.as_str(),
        format!("{label_domain}/workload"): name,
    });
    let annotations = texts(&cascade.settings.annotations);
    let taking = Taking { subject: &subject, namespace: &namespace, label_domain, labels: &labels, annotations: &annotations };
    let mut adopted = Adopted { source: String::new(), objects: Vec::new(), names: Vec::new() };
    let (mut configs, mut expected) = (BTreeSet::new(), BTreeSet::new());
    let mut level = raw_tier.pod_security.value;
    for object in &source.objects {
        let Some(taken) = taking.object(object, findings) else { continue };
        level = level.min(taken.level);
        for pod in &taken.pods {
            let (more_configs, more_expected) = instance::references(ground.inventory, "", &Settings::default(), pod);
            configs.extend(more_configs);
            expected.extend(more_expected);
        }
        adopted.names.push((kind_of(object).to_owned(), Spanned::new(taken.name.clone(), name_span(object))));
        adopted.objects.push(taken.value);
    }
    let made = |kind: &str, name: &str| adopted.names.iter().any(|(other, named)| other == kind && named.value == name);
    configs.retain(|config| !made("ConfigMap", config));
    expected.retain(|(kind, name)| !made(kind, name));
    check_kind(&subject, &source.objects, findings);
    for object in source.objects.iter().filter(|object| kind_of(object) == "HorizontalPodAutoscaler") {
        kinds::check_scaled(object, &source.objects, findings);
    }
    ports::check(&subject, source, findings);
    if let Some(stated) = &identity.source {
        adopted.source = format!("{} sha256:{}", stated.kustomize.value, source.digest);
    }
    let user_labels = merged(&texts(&cascade.settings.labels), &labels);
    drop(full_name);
    Instance {
        workload,
        team,
        tier,
        cluster,
        namespace,
        cascade,
        pod: json!({}),
        governing_service: None,
        controller: json!({}),
        selector,
        labels: user_labels,
        annotations,
        pod_annotations: json!({}),
        object_name: name.to_owned(),
        level,
        configs,
        expected,
        adopted: Some(adopted),
    }
}

/// The inventory says of which kind the workload is; the source must have such a controller.
fn check_kind(subject: &Subject<'_, '_>, objects: &[Node], findings: &mut Findings) {
    let identity = &subject.workload.identity;
    let kind = identity.kind.value.as_str();
    let found: BTreeSet<&str> = objects.iter().map(kind_of).collect();
    if !found.is_empty() && !found.contains(kind) {
        let diag = Diag::new(Code::InvalidValue, identity.kind.span, format!("the source has no {kind}"));
        let diag = identity.source.iter().fold(diag, |diag, source| diag.related(source.kustomize.span, "the source"));
        let found: Vec<&str> = found.into_iter().collect();
        findings.push(diag.help(format!("It has: {}.", found.join(", "))));
    }
}

/// What is put on every object.
struct Taking<'a, 'i> {
    subject: &'a Subject<'a, 'i>,
    namespace: &'a str,
    label_domain: &'a str,
    labels: &'a Value,
    annotations: &'a Value,
}

/// An object in its final form.
struct Taken {
    value: Value,
    name: String,
    pods: Vec<Value>,
    level: PodSecurity,
}

impl Taking<'_, '_> {
    fn object(&self, object: &Node, findings: &mut Findings) -> Option<Taken> {
        let subject = self.subject;
        kinds::check(subject, object, findings)?;
        self.check_namespace(object, findings);
        kinds::check_name(object, findings);
        self.check_metadata(object.get("metadata"), false, findings);
        kinds::check_content(subject, object, findings);
        let mut value = without_nulls(crate::schema::json(object));
        if let Some(map) = value.as_object_mut() {
            map.remove("status");
        }
        value["metadata"]["namespace"] = self.namespace.into();
        // Before anything is put on it: what follows relies on its shape.
        let problems = subject.schemas.check(subject.minor, &value);
        if !problems.is_empty() {
            findings.extend(problems.into_iter().map(|problem| {
                Diag::new(Code::KubernetesField, locate(object, &problem.path), problem.message)
                    .help(problem.help.unwrap_or_else(|| crate::schema::explained(kind_of(object), &problem.path)))
            }));
            return None;
        }
        if let Some(problem) = check_carried(&value) {
            let diag = Diag::new(Code::SourceInvalid, locate(object, &problem.path), problem.message);
            findings.push(diag.maybe_help(problem.help));
            return None;
        }
        self.label(&mut value["metadata"]);
        let mut level = subject.tier.pod_security.value;
        let mut finals = Vec::new();
        if let Some(path) = pods::path(kind_of(object)) {
            if let Some(metadata) = at(object, &path[..path.len() - 1]).and_then(|template| template.get("metadata")) {
                self.check_metadata(Some(metadata), true, findings);
            }
            if let (Some(written), Some(template)) = (at(object, path), template_mut(&mut value, path)) {
                level = level.min(pods::take(subject, self.label_domain, written, &mut template["spec"], findings));
                finals.push(template["spec"].clone());
                if !template["metadata"].is_object() {
                    template["metadata"] = json!({});
                }
                self.label(&mut template["metadata"]);
                pods::check_refusals(subject, object, written, &value, findings);
            } else {
                let diag = Diag::new(Code::MissingKey, head(object), format!("{} needs `{}`", a(kind_of(object)), path.join(".")));
                findings.push(diag.help("Write the pod."));
            }
        }
        if !finals.is_empty() || kind_of(object) == "PersistentVolumeClaim" {
            storage::check_within(subject, object, findings);
        }
        kinds::keep_claims(subject, kind_of(object), &mut value);
        let mut name = name_of(object).to_owned();
        if kind_of(object) == "Job" {
            let mut runs = value.clone();
            runs["spec"] = instance::without_changeable(&runs["spec"]);
            name = format!("{name}-{}", instance::digest(&[&runs], 8));
            value["metadata"]["name"] = name.clone().into();
        }
        Some(Taken { value, name, pods: finals, level })
    }

    fn label(&self, metadata: &mut Value) {
        let user = texts(&self.subject.cascade.settings.labels);
        metadata["labels"] = merged(&merged(&user, &metadata["labels"]), self.labels);
        let annotations = merged(self.annotations, &metadata["annotations"]);
        if annotations.as_object().is_some_and(|annotations| !annotations.is_empty()) {
            metadata["annotations"] = annotations;
        }
    }

    fn check_namespace(&self, object: &Node, findings: &mut Findings) {
        let Some(stated) = at(object, &["metadata", "namespace"]) else { return };
        if stated.text().is_some_and(|stated| stated != self.namespace && !stated.is_empty()) {
            let message =
                format!("the namespace `{}` is not that of the workload, `{}`", stated.text().unwrap_or_default(), self.namespace);
            let diag = Diag::new(Code::AdoptedNamespace, stated.span, message);
            findings
                .push(diag.related(self.subject.workload.identity.name.span, "the workload").help("Leave `namespace` out of the source."));
        }
    }

    /// Labels that isolation trusts, labels and annotations that steer the delivery, and those of pods that network plugins act upon.
    fn check_metadata(&self, metadata: Option<&Node>, of_pod: bool, findings: &mut Findings) {
        let Some(metadata) = metadata else { return };
        if let Yaml::Map(entries) = &metadata.value {
            let known = |key: &Node| key.text().is_some_and(|key| METADATA.contains(&key));
            for (key, _) in entries.iter().filter(|(key, value)| !known(key) && !value.is_null()) {
                let message = format!("`metadata.{}` is not for a source to state", key.text().unwrap_or_default());
                let diag = Diag::new(Code::IsolationOwned, key.span, message);
                findings.push(diag.help("The API server and controllers write it; what was exported from a cluster has to go without."));
            }
        }
        for map in ["labels", "annotations"] {
            let Some(Yaml::Map(entries)) = metadata.get(map).map(|node| &node.value) else { continue };
            for (key, _) in entries {
                let text = key.text().unwrap_or_default();
                let trusted = TRUSTED.into_iter().any(|domain| is_below(text, domain)) || (of_pod && is_of_network(text));
                // Every chart labels its objects with its name; it is annotations that are hooks.
                let of_a_chart = map == "labels" && is_below(text, "helm.sh");
                if trusted || (is_steering(text, self.label_domain) && !of_a_chart) {
                    let message = format!("`{text}` is not for workloads to set");
                    let diag = Diag::new(Code::ReservedLabel, key.span, message);
                    findings.push(diag.help(
                        "Remove it, or use a domain of your own: isolation, network plugins, the delivery, kustomize and kubectl act upon what stands below this one.",
                    ));
                }
            }
        }
    }
}

/// Domains of labels that Kubernetes itself trusts: the level of Pod Security, and what no kubelet may say of its node.
const TRUSTED: [&str; 2] = ["pod-security.kubernetes.io", "node-restriction.kubernetes.io"];

/// What a source may say of an object beside its content.
const METADATA: [&str; 4] = ["name", "namespace", "labels", "annotations"];

/// Reports a literal that looks like a secret.
fn literal(subject: &Subject<'_, '_>, name: Option<&str>, value: &Node, findings: &mut Findings) {
    let Some(text) = value.text() else { return };
    let Some(why) = secrets::suspicion(name, text) else { return };
    if subject.exemptions.excuse(control::LITERAL_SECRET, subject.place) {
        return;
    }
    let message =
        name.map_or_else(|| "the argument looks like a secret".to_owned(), |name| format!("the value of `{name}` looks like a secret"));
    findings.push(Diag::new(Code::LiteralSecret, value.span, message).label(why).help("Refer to a Secret that is made outside of git."));
}

fn kind_of(object: &Node) -> &str {
    object.get("kind").and_then(Node::text).unwrap_or_default()
}

fn name_of(object: &Node) -> &str {
    at(object, &["metadata", "name"]).and_then(Node::text).unwrap_or_default()
}

/// Where an object's name is written.
fn name_span(object: &Node) -> Span {
    at(object, &["metadata", "name"]).map_or_else(|| head(object), |name| name.span)
}

fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

/// The pod template that a path to its `spec` leads to.
fn template_mut<'v>(value: &'v mut Value, path: &[&str]) -> Option<&'v mut Value> {
    let template = path[..path.len() - 1].iter().try_fold(value, |value, key| value.get_mut(*key))?;
    template.get("spec").is_some_and(Value::is_object).then_some(template)
}

fn texts(entries: &crate::decode::Entries<Spanned<String>>) -> Value {
    entries.iter().map(|(key, value)| (key.value.clone(), Value::String(value.value.clone()))).collect::<Map<_, _>>().into()
}

/// Both mappings; of a key in both, the second's value.
fn merged(low: &Value, high: &Value) -> Value {
    let entries = |value: &Value| value.as_object().cloned().unwrap_or_default();
    entries(low).into_iter().chain(entries(high)).collect::<Map<_, _>>().into()
}

/// Where a path of the final object was written, as far as it was.
fn locate(object: &Node, path: &[PathSegment]) -> Span {
    let (mut node, mut span) = (object, head(object));
    for segment in path {
        let next = match (segment, &node.value) {
            (PathSegment::Key(key), _) => node.entry(key).map(|(key, value)| (value, key.span)),
            (PathSegment::Index(index), Yaml::Seq(items)) => items.get(*index).map(|item| (item, head(item))),
            _ => None,
        };
        let Some((below, place)) = next else { break };
        (node, span) = (below, place);
    }
    span
}

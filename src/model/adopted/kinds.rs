//! Which kinds of object a source may bring along, and what of them the rules look at.

use serde_json::Value;

use super::{at, kind_of, literal, name_of, name_span};
use crate::decode::{Findings, head};
use crate::diag::{Code, Diag, a};
use crate::formats::{check_label, check_subdomain};
use crate::model::check::Subject;
use crate::model::delivery::never_pruned;
use crate::model::exemptions::control;
use crate::model::{powers, storage};
use crate::yaml::{Node, Value as Yaml};

/// What to do about an object that is not a workload's.
const PLATFORM: &str = "Whoever runs the platform writes it; `$patch: delete` in an overlay takes it out of this source.";

/// Kinds of Kubernetes that a source may have.
const TAKEN: &[(&str, &str)] = &[
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("autoscaling/v1", "HorizontalPodAutoscaler"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "Ingress"),
    ("policy/v1", "PodDisruptionBudget"),
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Secret"),
    ("v1", "Service"),
];

/// Kinds that are not for a source, why, and the way that exists.
const REFUSED: &[(&str, &str)] = &[
    ("Role", "Write `apiAccess` at the workload: its Role follows from it."),
    ("RoleBinding", "Write `apiAccess` at the workload: its Role follows from it."),
    ("NetworkPolicy", "Write `connects` at the workload: policies follow from it."),
    ("Namespace", "Namespaces follow from team and tier."),
    ("ResourceQuota", "Write `quota` at the team."),
    ("LimitRange", "What a namespace may use is decided for all of its workloads together."),
    ("ServiceAccount", "Every workload has a ServiceAccount of its own name; annotate it under `serviceAccount`."),
    ("Pod", "A bare pod is not started anew when its node goes: write a Deployment or a Job."),
    ("ReplicaSet", "Write a Deployment."),
    ("ReplicationController", "Write a Deployment."),
    ("PodTemplate", "Write a Deployment."),
    ("Endpoints", "It would lead a Service to any address; write `connects` for what is outside."),
    ("EndpointSlice", "It would lead a Service to any address; write `connects` for what is outside."),
];

/// Whether a source may bring along a custom kind at all.
pub fn may_be_adopted(group: &str, kind: &str) -> bool {
    powers::not_adopted(group, kind).is_none()
}

/// Whether an object may be taken over.
pub fn check(subject: &Subject<'_, '_>, object: &Node, findings: &mut Findings) -> Option<()> {
    let kind = kind_of(object);
    let api_version = object.get("apiVersion").and_then(Node::text).unwrap_or_default();
    let place = object.get("kind").map_or_else(|| head(object), |kind| kind.span);
    if TAKEN.contains(&(api_version, kind)) {
        return Some(());
    }
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let builtin = |group: &str| !group.contains('.') || group.ends_with(".k8s.io");
    let known = subject.schemas.kind(subject.minor, api_version, kind);
    let source = subject.workload.identity.source.as_ref().map(|source| source.kustomize.span);
    let refuse = |message: String, help: Option<String>, findings: &mut Findings| {
        let diag = Diag::new(Code::AdoptedKind, place, message);
        let diag = source.into_iter().fold(diag, |diag, source| diag.related(source, "adopted here"));
        findings.push(diag.maybe_help(help));
    };
    // Gateway API and the like are custom resources below Kubernetes' own domain.
    if let Some(why) = powers::not_adopted(group, kind) {
        refuse(format!("{} of `{group}` is not for a source to bring along", a(kind)), Some(why.to_owned()), findings);
        return None;
    }
    let ours = builtin(group) && !matches!(group, "gateway.networking.k8s.io" | "snapshot.storage.k8s.io" | "metrics.k8s.io");
    if !ours || known.is_some_and(|known| known.definition.contains('/')) {
        // By convention of those who make them; one that is stated says so itself.
        if known.map_or(kind.starts_with("Cluster"), |known| !known.namespaced) {
            refuse(format!("the {kind} `{}` belongs to the whole cluster", name_of(object)), Some(PLATFORM.to_owned()), findings);
            return None;
        }
        if known.is_none_or(|known| known.plural.is_none()) {
            let message = format!("nothing says what the resource of {} of `{api_version}` is called", a(kind));
            let diag = Diag::new(Code::AdoptedKindUnstated, place, message);
            let diag = source.into_iter().fold(diag, |diag, source| diag.related(source, "adopted here"));
            let file = format!("schemas/{}.yaml", kind.to_lowercase());
            findings.push(diag.help(format!(
                "Write `{file}` in a folder of `fleet.blueprints`: `apiVersion: {api_version}`, `kind: {kind}`, `plural:` and `namespaced:` as the \
                 custom resource definition has them; with `schema:` its fields are checked, too.",
            )));
            return None;
        }
        let message =
            format!("what the {kind} `{}` makes is not covered: nothing is known of its pods, images and secrets", name_of(object));
        let diag = Diag::new(Code::AdoptedNotCovered, name_span(object), message);
        findings.push(
            diag.help("It is taken over with the namespace and our labels on it; see to it that what it makes stays on the tier's nodes."),
        );
        return Some(());
    }
    let instead = REFUSED.iter().find(|(refused, _)| *refused == kind).map(|(_, instead)| (*instead).to_owned());
    let message = match known {
        Some(known) if !known.namespaced => format!("{} belongs to the whole cluster, not to a workload", a(kind)),
        Some(_) => format!("{} is not for a source to bring along", a(kind)),
        None => format!("Kubernetes {} has no `{kind}` of `{api_version}` that a source may have", subject.minor),
    };
    let taken = TAKEN.iter().find(|(_, taken)| *taken == kind).map(|(version, _)| format!("`{kind}` is in `{version}`."));
    refuse(message, instead.or(taken).or_else(|| Some(PLATFORM.to_owned())), findings);
    None
}

/// Reports an autoscaler of something that the source does not bring along: in the namespace are other workloads, too.
pub fn check_scaled(object: &Node, all: &[Node], findings: &mut Findings) {
    let Some(target) = at(object, &["spec", "scaleTargetRef"]) else { return };
    let text = |key: &str| target.get(key).and_then(Node::text).unwrap_or_default();
    let (kind, name) = (text("kind"), text("name"));
    if all.iter().any(|other| kind_of(other) == kind && name_of(other) == name) {
        return;
    }
    let place = target.get("name").map_or_else(|| head(target), |name| name.span);
    let message = format!("`{}` scales the {kind} `{name}`, which is not of this source", name_of(object));
    let diag = Diag::new(Code::AdoptedReach, place, message);
    findings.push(diag.help("Let it scale a workload of its own source; `scale` of the other workload makes an autoscaler for that."));
}

/// The longest name from which a Job's and its pods' names and labels are made, with the digest that we add.
const LONGEST_JOB: usize = 63 - 9;

/// Reports a name that Kubernetes refuses, or from which a controller could not make those of its pods.
pub fn check_name(object: &Node, findings: &mut Findings) {
    let (kind, name) = (kind_of(object), name_of(object));
    let most = match kind {
        "CronJob" | "StatefulSet" => 52,
        "Job" => LONGEST_JOB,
        "Deployment" | "DaemonSet" | "Service" => 63,
        _ => 253,
    };
    let rule = if kind == "Service" { check_label(name) } else { check_subdomain(name) };
    let rule =
        rule.err().or_else(|| (name.len() > most).then(|| format!("`{name}` has {} characters; {} may have {most}", name.len(), a(kind))));
    if let Some(rule) = rule {
        let help = "Change it in the source, or with a patch in an overlay.";
        findings.push(Diag::new(Code::InvalidName, name_span(object), rule).help(help));
    }
}

/// What the rules look at beside pods: values, addresses, secrets.
pub fn check_content(subject: &Subject<'_, '_>, object: &Node, findings: &mut Findings) {
    match kind_of(object) {
        "ConfigMap" => {
            if let Some(Yaml::Map(entries)) = object.get("data").map(|data| &data.value) {
                for (key, value) in entries {
                    literal(subject, key.text(), value, findings);
                }
            }
        }
        "Secret" => secret(subject, object, findings),
        "Service" => service(object, findings),
        "PersistentVolumeClaim" => claim(object, findings),
        _ => {}
    }
}

fn secret(subject: &Subject<'_, '_>, object: &Node, findings: &mut Findings) {
    if let Some(token) = object.get("type").filter(|token| token.text() == Some("kubernetes.io/service-account-token")) {
        let diag = Diag::new(Code::AdoptedKind, token.span, "a Secret of this type gets a token that never ends");
        findings.push(diag.help("Write `apiAccess` at the workload: its token is mounted, and renewed."));
    }
    let values = ["data", "stringData"].into_iter().filter_map(|key| object.get(key));
    let holds = |data: &Node| matches!(&data.value, Yaml::Map(entries) if !entries.is_empty());
    if let Some(data) = values.into_iter().find(|data| holds(data))
        && !subject.exemptions.excuse(control::LITERAL_SECRET, subject.place)
    {
        let message = format!("the Secret `{}` holds its value in git", name_of(object));
        let diag = Diag::new(Code::LiteralSecret, head(data), message);
        findings.push(diag.help("Make it outside of git, and refer to it by name; it is listed with what the cluster needs."));
    }
}

fn service(object: &Node, findings: &mut Findings) {
    let spec = |key: &str| at(object, &["spec", key]);
    if let Some(addresses) = spec("externalIPs").filter(|addresses| !addresses.is_null()) {
        let diag = Diag::new(Code::IsolationOwned, addresses.span, "`externalIPs` would take traffic that is meant for others");
        findings.push(diag.help("Use ClusterIP, and an Ingress where it is to be reached from outside."));
    }
    if let Some(kind) = spec("type").filter(|kind| kind.text() == Some("NodePort")) {
        let diag = Diag::new(Code::IsolationOwned, kind.span, "a NodePort is open on the nodes of every tier");
        findings.push(diag.help("Use ClusterIP, and an Ingress where it is to be reached from outside."));
    }
    if let Some(kind) = spec("type").filter(|kind| kind.text() == Some("LoadBalancer")) {
        let diag = Diag::new(Code::IsolationOwned, kind.span, "a LoadBalancer would let in whoever reaches its address");
        findings.push(diag.help("Write a gateway with `listen` for callers of other clusters, an Ingress for the outside."));
    }
    if let Some(name) = spec("externalName").filter(|name| !name.is_null()) {
        let diag = Diag::new(Code::IsolationOwned, name.span, "an `externalName` would be a flow that nobody declared");
        findings.push(diag.help("Write `connects` at the workload, with `as` for the name."));
    }
}

/// A claim that asks for one volume by its name may get another tier's.
fn claim(object: &Node, findings: &mut Findings) {
    if let Some(volume) = at(object, &["spec", "volumeName"]).filter(|volume| !volume.is_null()) {
        let diag = Diag::new(Code::IsolationOwned, volume.span, "`volumeName` asks for one volume, whoever has used it before");
        findings.push(diag.help("Leave it out: the StorageClass makes a volume of the workload's own."));
    }
}

/// Claims are never pruned with their workload, and get the tier's StorageClass where none is stated.
pub fn keep_claims(subject: &Subject<'_, '_>, kind: &str, object: &mut Value) {
    let keep = |claim: &mut Value| {
        storage::fill(subject.tier, claim);
        claim["metadata"]["annotations"] = super::merged(&claim["metadata"]["annotations"], &never_pruned().into());
    };
    match kind {
        "PersistentVolumeClaim" => keep(object),
        "StatefulSet" => {
            if let Some(templates) = object["spec"]["volumeClaimTemplates"].as_array_mut() {
                templates.iter_mut().for_each(keep);
            }
        }
        _ => {}
    }
}

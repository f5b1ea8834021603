//! The pods of a source: what isolation owns is put on them, what contradicts it is a finding where it is written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::literal;
use crate::decode::{Findings, head};
use crate::diag::{Code, Diag, Severity};
use crate::inventory::tier::PodSecurity;
use crate::inventory::workload::WorkloadKind;
use crate::model::check::{Subject, key_of_pod};
use crate::model::exemptions::control;
use crate::model::pod_security::{containers, violations};
use crate::model::{images, owned, pod, priority_class, refusals, storage};
use crate::source::Span;
use crate::yaml::{Node, Value as Yaml};

/// Where the pod of a kind is.
pub fn path(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => Some(&["spec", "template", "spec"]),
        "CronJob" => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => None,
    }
}

/// The pod that an object makes, if it makes any.
pub fn of(object: &Value) -> Option<&Value> {
    path(object["kind"].as_str()?)?.iter().try_fold(object, |value, key| value.get(*key))
}

/// Checks a pod as it was written, and puts on it what isolation needs; the Pod Security level that it then asks for.
pub fn take(subject: &Subject<'_, '_>, label_domain: &str, written: &Node, value: &mut Value, findings: &mut Findings) -> PodSecurity {
    let name = subject.workload.identity.name.as_str();
    check_owned(written, name, findings);
    for image in images::in_pod(written, findings) {
        images::check(&image, image.span, subject.tier, subject.place, subject.exemptions, findings);
    }
    check_literals(subject, written, findings);
    storage::fill_pod(subject.tier, value);
    place(subject, label_domain, value);
    value["serviceAccountName"] = name.into();
    value["automountServiceAccountToken"] = pod::has_api_access(&subject.cascade.settings).into();
    if let Some(map) = value.as_object_mut() {
        map.remove("serviceAccount");
    }
    pull(subject, value);
    harden(subject.tier.pod_security.value, value);
    check_security(subject, written, value, findings);
    violations(subject.tier.pod_security.value, value, subject.minor)
        .iter()
        .map(|violation| violation.allowed_by)
        .min()
        .unwrap_or(subject.tier.pod_security.value)
}

/// Reports what the API server would refuse of a workload as it is in the end, where it was written.
pub fn check_refusals(subject: &Subject<'_, '_>, object: &Node, written: &Node, taken: &Value, findings: &mut Findings) {
    let kind = object.get("kind").and_then(Node::text).and_then(WorkloadKind::from_word);
    let (Some(kind), Some(spec), Some(pod)) = (kind, object.get("spec"), of(taken)) else { return };
    let claim =
        |template: &'_ Node| template.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Node::text).map(str::to_owned);
    let claims: Vec<String> = items(spec, "volumeClaimTemplates").iter().filter_map(claim).collect();
    let claims: Vec<&str> = claims.iter().map(String::as_str).collect();
    let controller = &taken["spec"];
    // What a control forbids is not reported again.
    let wrong: Vec<Span> = findings.iter().filter(|diag| diag.severity == Severity::Error).map(|diag| diag.primary.span).collect();
    let of_pod = refusals::of_pod(pod, kind, &claims, subject.minor)
        .into_iter()
        .filter(|refusal| !wrong.iter().any(|span| refusal.holds(*span, pod, &[written])))
        .map(|refusal| refusal.diag(pod, &[written]).unwrap_or_else(|| refusal.diag_at(head(written))));
    findings.extend(of_pod);
    let of_controller =
        refusals::of_controller(controller, pod, kind, subject.minor).into_iter().chain(refusals::of_whole(controller, kind));
    findings.extend(of_controller.map(|refusal| refusal.diag(controller, &[spec]).unwrap_or_else(|| refusal.diag_at(head(spec)))));
}

/// What a source may write although isolation owns the field, because it says what holds anyway.
fn is_harmless(field: &str, value: &Node, workload: &str) -> bool {
    match field {
        "hostNetwork" | "hostPID" | "hostIPC" | "automountServiceAccountToken" => value.text() == Some("false"),
        "serviceAccountName" | "serviceAccount" => value.text().is_some_and(|name| name == "default" || name == workload),
        "preemptionPolicy" => value.text() == Some("PreemptLowerPriority"),
        "schedulerName" => value.text() == Some("default-scheduler"),
        // Every node of a tier that can run it at all has these; they narrow what the tier's selector leaves.
        "nodeSelector" => match &value.value {
            Yaml::Map(entries) => entries.iter().all(|(key, value)| match key.text() {
                Some("kubernetes.io/os") => value.text() == Some("linux"),
                key => key == Some("kubernetes.io/arch"),
            }),
            _ => false,
        },
        _ => matches!(&value.value, Yaml::Seq(items) if items.is_empty()),
    }
}

fn check_owned(written: &Node, workload: &str, findings: &mut Findings) {
    for (field, instead) in owned::POD {
        let Some((key, value)) = written.entry(field) else { continue };
        if value.is_null() || is_harmless(field, value, workload) {
            continue;
        }
        let diag = Diag::new(Code::IsolationOwned, key.span, format!("`{field}` is not for a source to set"));
        findings.push(diag.help(*instead));
    }
    owned::check_tokens(written, findings);
}

fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    match node.get(key).map(|list| &list.value) {
        Some(Yaml::Seq(items)) => items,
        _ => &[],
    }
}

fn check_literals(subject: &Subject<'_, '_>, written: &Node, findings: &mut Findings) {
    for container in ["initContainers", "containers"].into_iter().flat_map(|list| items(written, list)) {
        for variable in items(container, "env") {
            if let Some(value) = variable.get("value") {
                literal(subject, variable.get("name").and_then(Node::text), value, findings);
            }
        }
        for text in ["command", "args"].into_iter().flat_map(|list| items(container, list)) {
            literal(subject, None, text, findings);
        }
    }
}

/// Attract and repel, as for written workloads (SP 800-190 4.3.4): by the tier alone, whatever the source says (I1).
fn place(subject: &Subject<'_, '_>, label_domain: &str, value: &mut Value) {
    let tier = subject.tier.name.as_str();
    let own = pod::node_selector(&subject.cascade.settings, tier);
    value["nodeSelector"] = super::merged(&value["nodeSelector"], &own);
    value["tolerations"] = pod::tolerations(label_domain, tier);
    value["priorityClassName"] = priority_class::name(subject.tier).into();
}

fn pull(subject: &Subject<'_, '_>, value: &mut Value) {
    for secret in &subject.tier.pull_secrets {
        if !value["imagePullSecrets"].is_array() {
            value["imagePullSecrets"] = json!([]);
        }
        if let Some(list) = value["imagePullSecrets"].as_array_mut()
            && !list.iter().any(|known| known["name"] == secret.as_str())
        {
            list.push(json!({ "name": secret.as_str() }));
        }
    }
}

/// Puts what the level demands, and a read-only root file system, where the source leaves it out.
fn harden(level: PodSecurity, value: &mut Value) {
    let restricted = level == PodSecurity::Restricted;
    let fill = |context: &mut Value, field: &str, wanted: Value| {
        if context[field].is_null() {
            context[field] = wanted;
        }
    };
    if restricted {
        fill(&mut value["securityContext"], "runAsNonRoot", true.into());
    }
    // The level `baseline` forbids `Unconfined` alone, and nothing stated is just that where a kubelet has no default.
    if level != PodSecurity::Privileged {
        fill(&mut value["securityContext"], "seccompProfile", json!({ "type": "RuntimeDefault" }));
    }
    for list in ["initContainers", "containers"] {
        for container in value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().filter(|container| container.is_object()) {
            let context = &mut container["securityContext"];
            fill(context, "readOnlyRootFilesystem", true.into());
            // Kubernetes refuses a privileged container that may not gain privileges.
            if restricted && context["privileged"] != true {
                fill(context, "allowPrivilegeEscalation", false.into());
                if context["capabilities"].is_null() {
                    context["capabilities"] = json!({});
                }
                fill(&mut context["capabilities"], "drop", json!(["ALL"]));
            }
        }
    }
}

fn check_security(subject: &Subject<'_, '_>, written: &Node, value: &Value, findings: &mut Findings) {
    let level = &subject.tier.pod_security;
    let mut found = violations(level.value, value, subject.minor);
    found.retain(|violation| !owned::is_owned(&violation.field));
    if !found.is_empty() && !subject.exemptions.excuse(control::POD_SECURITY, subject.place) {
        let mut seen = BTreeSet::new();
        for violation in found {
            let span = key_of_pod(written, violation.container.as_deref(), &violation.field).unwrap_or_else(|| head(written));
            if !seen.insert((span, violation.field.clone())) {
                continue;
            }
            let what = if violation.what.starts_with("the ") { violation.what } else { format!("the pod {}", violation.what) };
            let message = format!("the level `{}` of the tier `{}` forbids that {what}", level.value.as_str(), subject.tier.name.value);
            let diag = Diag::new(Code::ControlViolated, span, message).related(level.span, "the tier's level");
            findings.push(diag.help("Change it; or ask for an exemption from `pod-security`, with `ownNamespace: true` at the workload."));
        }
    }
    let writable: Vec<&str> = containers(value)
        .filter(|container| container["securityContext"]["readOnlyRootFilesystem"] != true)
        .filter_map(|container| container["name"].as_str())
        .collect();
    if let [first, ..] = writable[..]
        && !subject.exemptions.excuse(control::READ_ONLY_ROOT, subject.place)
    {
        let message = format!("the root file system of `{}` is writable", writable.join("`, `"));
        let span = key_of_pod(written, Some(first), "readOnlyRootFilesystem").unwrap_or_else(|| head(written));
        let help = "Mount an `emptyDir` where it writes; or ask for an exemption from `read-only-root-filesystem`.";
        findings.push(Diag::new(Code::ControlViolated, span, message).help(help));
    }
}

//! The final pod against its tier's Pod Security level and the controls that go beyond it: what is checked is what every layer and the user's own `pod`
//! have made of it, not what was meant (I9).

use std::collections::BTreeSet;

use super::Subject;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::pod::Security;
use crate::inventory::tier::PodSecurity;
use crate::model::exemptions::control;
use crate::model::owned;
use crate::model::pod_security::{Violation, containers, violations};
use crate::source::Span;
use crate::yaml::read::{Node, Value};

pub(super) fn check(subject: &Subject<'_, '_>, pod: &serde_json::Value, findings: &mut Findings) {
    let level = &subject.tier.pod_security;
    // What a pod must not have at all need not be sound.
    let mut pod = std::borrow::Cow::Borrowed(pod);
    if !pod["ephemeralContainers"].is_null()
        && let Some(fields) = pod.to_mut().as_object_mut()
    {
        fields.remove("ephemeralContainers");
    }
    let pod = pod.as_ref();
    let mut found = violations(level.value, pod, subject.minor);
    found.retain(|violation| !owned::is_owned(&violation.field));
    if !found.is_empty() && !subject.exemptions.excuse(control::POD_SECURITY, subject.place) {
        let mut seen = BTreeSet::new();
        let place = |violation: &Violation| written_at(subject, violation.container.as_deref(), &violation.field);
        let root: BTreeSet<Span> = found.iter().filter(|violation| violation.field == "runAsUser").map(place).collect();
        for violation in found {
            let span = place(&violation);
            // What one line says of several containers is one mistake, and so is a user who is root.
            let is_root = violation.field == "runAsNonRoot" && root.contains(&span);
            if is_root || !seen.insert((span, violation.field.clone())) {
                continue;
            }
            let message = format!(
                "the level `{}` of the tier `{}` forbids that {}",
                level.value.as_str(),
                subject.tier.name.value,
                sentence(&violation.what)
            );
            let diag = Diag::new(Code::ControlViolated, span, message).related(level.span, "the tier's level");
            findings.push(diag.help("Change it; or ask for an exemption from `pod-security`, with `ownNamespace: true` at the workload."));
        }
    }
    let writable: Vec<&str> = containers(pod)
        .filter(|container| container["securityContext"]["readOnlyRootFilesystem"] != true)
        .filter_map(|c| c["name"].as_str())
        .collect();
    if let [first, ..] = writable[..]
        && !subject.exemptions.excuse(control::READ_ONLY_ROOT, subject.place)
    {
        let message = format!("the root file system of `{}` is writable", writable.join("`, `"));
        let span = written_at(subject, Some(first), "readOnlyRootFilesystem");
        let help = "Mount an `emptyDir` where it writes; or ask for an exemption from `read-only-root-filesystem`.";
        findings.push(Diag::new(Code::ControlViolated, span, message).help(help));
    }
}

/// The largest user or group that Kubernetes takes.
const MOST_ID: i64 = 2_147_483_647;

/// Checks the numbers of users and groups, and that what adds groups names some.
pub(super) fn numbers(subject: &Subject<'_, '_>, findings: &mut Findings) {
    let Some(security) = &subject.cascade.settings.security else { return };
    let stated = [security.run_as_user, security.run_as_group, security.fs_group];
    let more = security.supplemental_groups.iter().flatten().copied();
    for id in stated.into_iter().flatten().chain(more).filter(|id| !(0..=MOST_ID).contains(&id.value)) {
        let diag =
            Diag::new(Code::InvalidValue, id.span, format!("{} is no user or group: they are numbered from 0 to {MOST_ID}", id.value));
        findings.push(diag.help("Write the number that the image's user has, such as 1000."));
    }
}

/// The level that a pod needs: its tier's, or where an exemption lets it do more, the strictest one that still allows that.
pub fn needed_level(subject: &Subject<'_, '_>, pod: &serde_json::Value) -> PodSecurity {
    let level = subject.tier.pod_security.value;
    violations(level, pod, subject.minor).iter().map(|violation| violation.allowed_by).min().unwrap_or(level)
}

fn sentence(what: &str) -> String {
    if what.starts_with("the ") || what.starts_with("a ") { what.to_owned() } else { format!("the pod {what}") }
}

/// Where a field was written: at the container under `pod` that it is of, else in `security`, else in the last layer of `pod` that has it anywhere, else
/// where it may follow from.
fn written_at(subject: &Subject<'_, '_>, container: Option<&str>, field: &str) -> Span {
    let settings = &subject.cascade.settings;
    let layers = || subject.cascade.pods.iter().rev();
    let there = layers().find_map(|layer| key_of(container_of(layer, container?)?, field));
    let security = settings.security.as_ref();
    let stated = security.and_then(|security| stated(security, field));
    let under_pod = || layers().find_map(|layer| key_of_pod(layer, container, field));
    let pod = || subject.cascade.pods.last().map(|pod| crate::decode::head(pod));
    there
        .or(stated)
        .or_else(under_pod)
        .or_else(|| security.map(|security| security.span))
        .or_else(pod)
        .unwrap_or(subject.workload.identity.name.span)
}

/// The place in `security` that decides a field of the security context.
fn stated(security: &Security, field: &str) -> Option<Span> {
    let user = security.run_as_user.map(|value| value.span);
    match field {
        "runAsUser" => user,
        "runAsNonRoot" => security.run_as_non_root.map(|value| value.span).or(user),
        "privileged" => security.privileged.map(|value| value.span),
        "allowPrivilegeEscalation" => security.allow_privilege_escalation.or(security.privileged).map(|value| value.span),
        "capabilities" => security.capabilities.as_ref().and_then(|added| added.first()).map(|first| first.span),
        "readOnlyRootFilesystem" => security.read_only_root_filesystem.map(|value| value.span),
        _ => None,
    }
}

/// The key of that name in a pod: at the container that it is of, or in the pod's own security context; else the first one anywhere. Kinds of volumes,
/// of which one is named as a container's `image` is, are below `volumes`.
pub fn key_of_pod(pod: &Node, container: Option<&str>, name: &str) -> Option<Span> {
    let own = match container {
        Some(container) => container_of(pod, container),
        None => pod.get("securityContext"),
    };
    let in_volumes = || key_of(pod.get("volumes")?, name);
    own.and_then(|own| key_of(own, name)).or_else(in_volumes).or_else(|| key_of(pod, name))
}

/// The container of that name in a pod.
fn container_of<'p>(pod: &'p Node, name: &str) -> Option<&'p Node> {
    let lists = ["initContainers", "containers", "ephemeralContainers"].into_iter().filter_map(|list| pod.get(list));
    let mut all = lists.flat_map(|list| if let Value::Seq(items) = &list.value { items.as_slice() } else { &[] });
    all.find(|container| container.get("name").and_then(Node::text) == Some(name))
}

/// The first key of that name in a tree.
fn key_of(node: &Node, name: &str) -> Option<Span> {
    match &node.value {
        Value::Map(entries) => {
            let here = entries.iter().find(|(key, _)| key.text() == Some(name)).map(|(key, _)| key.span);
            here.or_else(|| entries.iter().find_map(|(_, value)| key_of(value, name)))
        }
        Value::Seq(items) => items.iter().find_map(|item| key_of(item, name)),
        Value::Scalar { .. } => None,
    }
}

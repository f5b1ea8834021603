//! The final pod against its tier's Pod Security level and the controls that go beyond it.

use serde_json::Value;

use super::Subject;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::tier::PodSecurity;
use crate::model::exemptions::control;
use crate::model::pod_security::{containers, violations};
use crate::source::Span;

pub(super) fn check(subject: &Subject<'_, '_>, pod: &Value, findings: &mut Findings) {
    let level = &subject.tier.pod_security;
    let found = violations(level.value, pod, subject.minor);
    if !found.is_empty() && !subject.exemptions.excuse(control::POD_SECURITY, subject.place) {
        for violation in found {
            let message = format!(
                "the level `{}` of the tier `{}` forbids that {}",
                level.value.as_str(),
                subject.tier.name.value,
                sentence(&violation.what)
            );
            let diag = Diag::new(Code::ControlViolated, written_at(subject), message).related(level.span, "the tier's level");
            findings.push(diag.help("Change it; or ask for an exemption from `pod-security`, with `ownNamespace: true` at the workload."));
        }
    }
    let writable: Vec<&str> = containers(pod)
        .filter(|container| container["securityContext"]["readOnlyRootFilesystem"] != true)
        .filter_map(|c| c["name"].as_str())
        .collect();
    if !writable.is_empty() && !subject.exemptions.excuse(control::READ_ONLY_ROOT, subject.place) {
        let message = format!("the root file system of `{}` is writable", writable.join("`, `"));
        let stated = subject.cascade.settings.security.as_ref().and_then(|security| security.read_only_root_filesystem);
        let span = stated.map_or_else(|| written_at(subject), |stated| stated.span);
        let help = "Mount an `emptyDir` where it writes; or ask for an exemption from `read-only-root-filesystem`.";
        findings.push(Diag::new(Code::ControlViolated, span, message).help(help));
    }
}

/// The level that a pod needs: its tier's, or where an exemption lets it do more, the strictest one that still allows that.
pub fn needed_level(subject: &Subject<'_, '_>, pod: &Value) -> PodSecurity {
    let level = subject.tier.pod_security.value;
    violations(level, pod, subject.minor).iter().map(|violation| violation.allowed_by).min().unwrap_or(level)
}

fn sentence(what: &str) -> String {
    if what.starts_with("the ") || what.starts_with("a ") { what.to_owned() } else { format!("the pod {what}") }
}

/// Where a loosening was most likely written: the security context, else what stands under `pod`, else the workload.
fn written_at(subject: &Subject<'_, '_>) -> Span {
    let settings = &subject.cascade.settings;
    let security = settings.security.as_ref().map(|security| security.span);
    let pod = subject.cascade.pods.last().map(|pod| crate::decode::head(pod));
    security.or(pod).unwrap_or(subject.workload.identity.name.span)
}

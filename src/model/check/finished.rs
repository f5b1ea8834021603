//! The final pod and controller against Kubernetes' schema and the rules of its API server: what only shows once everything is merged.

use serde_json::{Value, json};

use super::{Subject, spec_definition};
use crate::decode::Findings;
use crate::diag::{Code, Diag, Severity};
use crate::inventory::workload::WorkloadKind;
use crate::model::pod;
use crate::model::refusals::{self, Refusal, place};
use crate::yaml::Node;

/// Checks what a workload becomes on a cluster. Of `found`, what was found before about it, an error says that the short forms are wrong
/// themselves: then only what stands under `pod` and `spec` is reported.
pub fn finished(subject: &Subject<'_, '_>, pod: &Value, controller: &Value, found: &[Diag]) -> Findings {
    let kind = subject.workload.identity.kind.value;
    let is_clean = !found.iter().any(|diag| diag.severity == Severity::Error);
    let cascade = subject.cascade;
    let claims: Vec<&str> = match kind {
        WorkloadKind::StatefulSet => {
            cascade.settings.volumes.iter().flatten().filter(|volume| volume.claim.is_some()).map(|volume| volume.name.as_str()).collect()
        }
        _ => Vec::new(),
    };
    let mut findings = Findings::new();
    let mut report = |refusals: Vec<Refusal>, whole: &Value, layers: &[&Node]| {
        for refusal in refusals {
            let written = refusal.diag(whole, layers);
            let diag = written.or_else(|| is_clean.then(|| refusal.diag_at(subject.workload.identity.name.span)));
            if let Some(diag) = diag.filter(|diag| !findings.contains(diag)) {
                findings.push(diag);
            }
        }
    };
    report(refusals::of_pod(pod, kind, &claims), pod, &cascade.pods);
    report(refusals::of_controller(controller, pod, kind), controller, &cascade.specs);
    if is_clean {
        schema(subject, pod::POD_SPEC, pod, &cascade.pods, &mut findings);
        schema(subject, spec_definition(kind), &whole(controller, kind), &cascade.specs, &mut findings);
    }
    findings
}

/// What lacks a field that Kubernetes asks for, once all layers are merged.
fn schema(subject: &Subject<'_, '_>, definition: &str, whole: &Value, layers: &[&Node], findings: &mut Findings) {
    for problem in subject.schemas.check_part(subject.minor, definition, whole) {
        let span = place::find(&problem.path, whole, layers).unwrap_or(subject.workload.identity.name.span);
        findings.push(Diag::new(Code::KubernetesField, span, problem.message).maybe_help(problem.help));
    }
}

/// A controller's own fields with those that follow from the workload.
fn whole(controller: &Value, kind: WorkloadKind) -> Value {
    let mut whole = controller.clone();
    if kind == WorkloadKind::CronJob {
        whole["jobTemplate"]["spec"]["template"] = json!({});
        return whole;
    }
    whole["template"] = json!({});
    if kind != WorkloadKind::Job {
        whole["selector"] = json!({});
    }
    whole
}

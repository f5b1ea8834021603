//! The final pod and controller against Kubernetes' schema and the rules of its API server: what only shows once everything is merged.

use serde_json::{Value, json};

use super::{Subject, spec_definition};
use crate::decode::Findings;
use crate::diag::{Code, Diag, Severity};
use crate::inventory::workload::WorkloadKind;
use crate::model::pod;
use crate::model::refusals::{self, Refusal, place};
use crate::schema::{PathSegment, explained};
use crate::source::Span;
use crate::yaml::Node;

/// Checks what a workload becomes on a cluster. Where its settings were not sound themselves, only what stands under `pod` and `spec` is
/// reported, and not where they were `found` wrong already.
pub fn finished(subject: &Subject<'_, '_>, pod: &Value, controller: &Value, found: &Findings) -> Findings {
    let wrong: Vec<Span> = found.iter().filter(|diag| diag.severity == Severity::Error).map(|diag| diag.primary.span).collect();
    let is_sound = wrong.is_empty();
    let kind = subject.workload.identity.kind.value;
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
            if wrong.iter().any(|span| refusal.holds(*span, whole, layers)) {
                continue;
            }
            let elsewhere = || {
                let keys = refusal.keys(whole);
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                // The short forms are of the workload's own container.
                let own = keys.first() != Some(&"containers") || keys.get(1) == Some(&pod::MAIN);
                let short = own.then(|| super::twice::short(&cascade.settings, &keys)).flatten();
                refusal.diag_at(short.unwrap_or(subject.workload.identity.name.span))
            };
            let diag = refusal.diag(whole, layers).or_else(|| is_sound.then(elsewhere));
            if let Some(diag) = diag.filter(|diag| findings.iter().all(|known| known != diag)) {
                findings.push(diag);
            }
        }
    };
    report(refusals::of_pod(pod, kind, &claims, subject.minor), pod, &cascade.pods);
    report(refusals::of_controller(controller, pod, kind, subject.minor), controller, &cascade.specs);
    if is_sound {
        schema(subject, ("Pod", pod::POD_SPEC), pod, &cascade.pods, &mut findings);
        schema(subject, (kind.as_str(), spec_definition(kind)), &whole(controller, kind), &cascade.specs, &mut findings);
    }
    findings
}

/// What lacks a field that Kubernetes asks for, once all layers are merged, where one of them has a part of it: in the spec of a kind, which has a
/// definition.
fn schema(subject: &Subject<'_, '_>, (kind, definition): (&str, &str), whole: &Value, layers: &[&Node], findings: &mut Findings) {
    if layers.is_empty() {
        return;
    }
    for problem in subject.schemas.check_part(subject.minor, definition, whole) {
        let Some(span) = place::find(&problem.path, whole, layers) else { continue };
        let path: Vec<PathSegment> = std::iter::once(PathSegment::Key("spec".to_owned())).chain(problem.path).collect();
        let help = problem.help.unwrap_or_else(|| explained(kind, &path));
        findings.push(Diag::new(Code::KubernetesField, span, problem.message).help(help));
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

//! What whoever writes a whole controller can break, and the inventory's own forms cannot: its selector, its number of pods, when it runs.

use serde_json::Value;

use super::{Report, items, place, text};
use crate::diag::Code;
use crate::formats::{Schedule, TimeZone};
use crate::inventory::workload::WorkloadKind;

pub(super) fn check(spec: &Value, kind: WorkloadKind, report: &mut Report) {
    report.natural(spec, &["replicas"]);
    match kind {
        WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => selector(spec, report),
        WorkloadKind::Job if spec["manualSelector"] == true => selector(spec, report),
        WorkloadKind::Job => no_selector(spec, report),
        WorkloadKind::CronJob => {
            timing(spec, report);
            report.key(spec, "jobTemplate", |template, report| report.key(template, "spec", no_selector));
        }
    }
}

fn timing(spec: &Value, report: &mut Report) {
    if let Some(Err(rule)) = spec["schedule"].as_str().map(Schedule::new) {
        report.refuse_key("schedule", Code::InvalidSchedule, rule, "An example: `15 3 * * 1-5`.");
    }
    if let Some(Err(rule)) = spec["timeZone"].as_str().map(TimeZone::new) {
        report.refuse_key("timeZone", Code::InvalidSchedule, rule, "An example: `Asia/Tokyo`.");
    }
}

/// Kubernetes makes a Job's selector: one that is stated beside it is refused when the Job is made.
fn no_selector(spec: &Value, report: &mut Report) {
    for key in ["selector", "manualSelector"] {
        if !matches!(&spec[key], Value::Null | Value::Bool(false)) {
            let message = format!("a Job has no `{key}` of its own: Kubernetes makes the selector");
            report.refuse_key(key, Code::KubernetesRefuses, message, "Remove it.");
            return;
        }
    }
}

/// A selector that does not fit the labels of the pods that it is for.
fn selector(spec: &Value, report: &mut Report) {
    let labels = &spec["template"]["metadata"]["labels"];
    let help = "Write the same label under `template.metadata.labels`: what is there already keeps its selector for good.";
    report.key(spec, "selector", |selector, report| {
        let stated = selector["matchLabels"].as_object().is_some_and(|labels| !labels.is_empty());
        if !stated && items(selector, "matchExpressions").next().is_none() {
            report.refuse(Code::KubernetesRefuses, "the selector is empty", "Write `matchLabels` with a label of the pods.");
        }
        report.key(selector, "matchLabels", |wanted, report| {
            for (name, value) in wanted.as_object().into_iter().flatten() {
                if labels[name] != *value {
                    let message = format!("the selector asks for `{name}: {}`, which the pods do not have", place::text(value));
                    report.refuse_key(name, Code::KubernetesRefuses, message, help);
                }
            }
        });
        report.each(selector, "matchExpressions", |expression, report| {
            let label = &labels[text(expression, "key")];
            let listed = items(expression, "values").any(|value| value == label);
            let fits = match text(expression, "operator") {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => !label.is_null(),
                "DoesNotExist" => label.is_null(),
                _ => true,
            };
            if !fits {
                let message = format!("the selector's expression about `{}` does not hold for the pods", text(expression, "key"));
                report.refuse(Code::KubernetesRefuses, message, help);
            }
        });
    });
}

//! Affinity and spreading: selectors that say something.

use serde_json::Value;

use super::{Report, items, text};
use crate::diag::Code;

const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

pub(super) fn check(pod: &Value, report: &mut Report) {
    report.key(pod, "affinity", |affinity, report| {
        report.key(affinity, "nodeAffinity", |nodes, report| {
            report.key(nodes, REQUIRED, |required, report| {
                if items(required, "nodeSelectorTerms").next().is_none() {
                    report.refuse(Code::KubernetesRefuses, "no `nodeSelectorTerms`: nothing would fit", "Write at least one term.");
                }
                report.each(required, "nodeSelectorTerms", node_term);
            });
            report.each(nodes, PREFERRED, |term, report| {
                report.range(term, "weight", 1, 100);
                report.key(term, "preference", node_term);
            });
        });
        for pods in ["podAffinity", "podAntiAffinity"] {
            report.key(affinity, pods, |pods, report| {
                report.each(pods, REQUIRED, pod_term);
                report.each(pods, PREFERRED, |term, report| {
                    report.range(term, "weight", 1, 100);
                    report.key(term, "podAffinityTerm", pod_term);
                });
            });
        }
    });
    let mut seen: Vec<(String, String)> = Vec::new();
    report.each(pod, "topologySpreadConstraints", |constraint, report| {
        report.range(constraint, "maxSkew", 1, i64::MAX);
        report.range(constraint, "minDomains", 1, i64::MAX);
        topology(constraint, report);
        let key = (text(constraint, "topologyKey").to_owned(), text(constraint, "whenUnsatisfiable").to_owned());
        if !constraint["minDomains"].is_null() && key.1 != "DoNotSchedule" {
            let message = "`minDomains` means nothing where pods are placed anyway";
            report.refuse_key("minDomains", Code::KubernetesRefuses, message, "Write `whenUnsatisfiable: DoNotSchedule`, or remove it.");
        }
        if seen.contains(&key) {
            let message = format!("two constraints spread over `{}` in the same way", key.0);
            report.refuse_key("topologyKey", Code::DuplicateEntry, message, "Remove one of them.");
        }
        seen.push(key);
        report.key(constraint, "labelSelector", selector);
    });
}

fn pod_term(term: &Value, report: &mut Report) {
    topology(term, report);
    report.key(term, "labelSelector", selector);
}

fn topology(term: &Value, report: &mut Report) {
    // That it is there at all is the schema's to say.
    if term["topologyKey"] == "" {
        let help = "Write the label of nodes that tells them apart: `kubernetes.io/hostname`, `topology.kubernetes.io/zone`.";
        report.refuse(Code::KubernetesRefuses, "no `topologyKey`", help);
    }
}

fn node_term(term: &Value, report: &mut Report) {
    for list in ["matchExpressions", "matchFields"] {
        report.each(term, list, |expression, report| {
            let values = items(expression, "values").count();
            match text(expression, "operator") {
                "In" | "NotIn" | "Exists" | "DoesNotExist" => expression_values(expression, report),
                "Gt" | "Lt"
                    if values != 1
                        || items(expression, "values").any(|value| value.as_str().is_none_or(|text| text.parse::<i64>().is_err())) =>
                {
                    report.refuse(Code::KubernetesRefuses, "`Gt` and `Lt` compare with one whole number", "Write `values: [\"NUMBER\"]`.");
                }
                _ => {}
            }
        });
    }
}

fn selector(selector: &Value, report: &mut Report) {
    report.each(selector, "matchExpressions", expression_values);
}

fn expression_values(expression: &Value, report: &mut Report) {
    let values = items(expression, "values").count();
    match text(expression, "operator") {
        "In" | "NotIn" if values == 0 => {
            report.refuse(Code::KubernetesRefuses, "`In` and `NotIn` need `values`", "Write at least one value.");
        }
        "Exists" | "DoesNotExist" if values > 0 => {
            report.refuse(Code::KubernetesRefuses, "`Exists` and `DoesNotExist` take no `values`", "Remove them, or write `In`.");
        }
        _ => {}
    }
}

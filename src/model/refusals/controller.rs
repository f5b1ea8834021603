//! The controllers' own fields.

use serde_json::Value;

use super::{Report, gates, items};
use crate::diag::Code;
use crate::inventory::workload::WorkloadKind;
use crate::schema::Minor;

/// How long a Job stays when it has ended. The Jobs of a CronJob are made by Kubernetes, and nobody misses them.
const TTL: &str = "ttlSecondsAfterFinished";

pub(super) fn check(spec: &Value, pod: &Value, kind: WorkloadKind, minor: Minor, report: &mut Report) {
    report.natural(spec, &["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"]);
    match kind {
        WorkloadKind::Deployment => deployment(spec, report),
        WorkloadKind::StatefulSet => stateful_set(spec, minor, report),
        WorkloadKind::DaemonSet => daemon_set(spec, report),
        WorkloadKind::Job => {
            job(spec, pod, report);
            if !spec[TTL].is_null() {
                let message = "the Job is deleted when it has ended, and the delivery makes it anew: it would run again and again";
                let help = "Leave it out: a Job that has ended uses nothing, and runs again when what it runs changes. What is to run again is a CronJob.";
                report.refuse_key(TTL, Code::JobRunsAgain, message, help);
            }
        }
        WorkloadKind::CronJob => {
            report.natural(spec, &["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"]);
            report.key(spec, "jobTemplate", |template, report| {
                report.key(template, "spec", |spec, report| job(spec, pod, report));
            });
        }
    }
}

/// How much of something: a number, or a percentage; `None` where it is neither.
fn amount(value: &Value, default: f64) -> Option<f64> {
    match value {
        Value::Null => Some(default),
        Value::Number(number) => number.as_f64().filter(|number| *number >= 0.0),
        Value::String(text) => text.strip_suffix('%').and_then(|digits| digits.parse::<u32>().ok()).map(f64::from),
        _ => None,
    }
}

/// Checks `maxSurge` and `maxUnavailable`, and gives them where both are amounts.
fn rolling(update: &Value, defaults: (f64, f64), report: &mut Report) -> Option<(f64, f64)> {
    let mut read = |key: &str, default: f64, most: u32| {
        let found = amount(&update[key], default);
        let percent = update[key].as_str().is_some_and(|text| text.ends_with('%'));
        if found.is_none() || (percent && found.is_some_and(|amount| amount > f64::from(most))) {
            report.refuse_key(
                key,
                Code::KubernetesRefuses,
                format!("`{key}` is no amount"),
                "Write a number of pods, or a percentage such as `25%`.",
            );
            return None;
        }
        found
    };
    let surge = read("maxSurge", defaults.0, u32::MAX);
    let unavailable = read("maxUnavailable", defaults.1, 100);
    Some((surge?, unavailable?))
}

fn deployment(spec: &Value, report: &mut Report) {
    let ready = spec["minReadySeconds"].as_i64().unwrap_or(0);
    if spec["progressDeadlineSeconds"].as_i64().unwrap_or(600) <= ready {
        let message = "`progressDeadlineSeconds` is not above `minReadySeconds`: no roll-out could ever be in time";
        let key = if spec["progressDeadlineSeconds"].is_null() { "minReadySeconds" } else { "progressDeadlineSeconds" };
        report.refuse_key(key, Code::KubernetesRefuses, message, "Raise the deadline (600 where it is left out), or lower the other.");
    }
    report.key(spec, "strategy", |strategy, report| {
        if strategy["type"] == "Recreate" && !strategy["rollingUpdate"].is_null() {
            report.refuse_key("rollingUpdate", Code::KubernetesRefuses, "`rollingUpdate` beside `type: Recreate`", "Leave one of them.");
        }
        report.key(strategy, "rollingUpdate", |update, report| {
            if rolling(update, (25.0, 25.0), report) == Some((0.0, 0.0)) {
                let message = "`maxSurge` and `maxUnavailable` are both 0: nothing could ever be replaced";
                report.refuse(Code::KubernetesRefuses, message, "Raise one of them.");
            }
        });
    });
}

fn stateful_set(spec: &Value, minor: Minor, report: &mut Report) {
    report.key(spec, "updateStrategy", |strategy, report| {
        if strategy["type"] == "OnDelete" && !strategy["rollingUpdate"].is_null() {
            report.refuse_key("rollingUpdate", Code::KubernetesRefuses, "`rollingUpdate` beside `type: OnDelete`", "Leave one of them.");
        }
        report.key(strategy, "rollingUpdate", |update, report| {
            gates::rolling_update(update, minor, report);
            report.natural(update, &["partition"]);
            if !update["maxUnavailable"].is_null()
                && amount(&update["maxUnavailable"], 1.0).is_none_or(|amount| amount == 0.0 || amount > 100.0)
            {
                report.refuse_key(
                    "maxUnavailable",
                    Code::KubernetesRefuses,
                    "`maxUnavailable` is no amount above 0",
                    "Write a number of pods, or a percentage such as `25%`.",
                );
            }
        });
    });
    report.key(spec, "ordinals", |ordinals, report| report.natural(ordinals, &["start"]));
}

fn daemon_set(spec: &Value, report: &mut Report) {
    report.key(spec, "updateStrategy", |strategy, report| {
        report.key(strategy, "rollingUpdate", |update, report| {
            let Some((surge, unavailable)) = rolling(update, (0.0, 1.0), report) else { return };
            if (surge == 0.0) == (unavailable == 0.0) {
                let message = "of `maxSurge` (0 where it is left out) and `maxUnavailable` (1) exactly one may be above 0";
                report.refuse(Code::KubernetesRefuses, message, "Write `maxSurge: 1` with `maxUnavailable: 0`, or the other way round.");
            }
        });
    });
}

fn job(spec: &Value, pod: &Value, report: &mut Report) {
    report.natural(
        spec,
        &["completions", "parallelism", "activeDeadlineSeconds", "backoffLimit", "backoffLimitPerIndex", "maxFailedIndexes", TTL],
    );
    let indexed = spec["completionMode"] == "Indexed";
    // With neither, both are one.
    if indexed && spec["completions"].is_null() && !spec["parallelism"].is_null() {
        let message = "an `Indexed` Job with `parallelism` and without `completions`";
        report.refuse_key("parallelism", Code::KubernetesRefuses, message, "Write how many indexes there are as `completions`.");
    }
    for key in ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] {
        if !indexed && !spec[key].is_null() {
            report.refuse_key(
                key,
                Code::KubernetesRefuses,
                format!("`{key}` is for `Indexed` Jobs"),
                "Write `completionMode: Indexed` and `completions`.",
            );
        }
    }
    if !spec["maxFailedIndexes"].is_null() && spec["backoffLimitPerIndex"].is_null() {
        report.refuse_key("maxFailedIndexes", Code::KubernetesRefuses, "`maxFailedIndexes` without `backoffLimitPerIndex`", "Write both.");
    }
    report.key(spec, "podFailurePolicy", |policy, report| {
        if pod["restartPolicy"] != "Never" {
            report.refuse(
                Code::KubernetesRefuses,
                "`podFailurePolicy` is for pods that are not started again",
                "Write `restartPolicy: Never` under `pod`.",
            );
        }
        report.each(policy, "rules", |rule, report| {
            let conditions = usize::from(items(rule, "onPodConditions").next().is_some());
            if conditions + usize::from(!rule["onExitCodes"].is_null()) != 1 {
                report.refuse(
                    Code::KubernetesRefuses,
                    "the rule says not when it holds",
                    "Write exactly one of `onExitCodes` and `onPodConditions`.",
                );
            }
            if rule["action"] == "FailIndex" && spec["backoffLimitPerIndex"].is_null() {
                report.refuse_key("action", Code::KubernetesRefuses, "`FailIndex` without `backoffLimitPerIndex`", "Write both.");
            }
            report.key(rule, "onExitCodes", |codes, report| {
                if items(codes, "values").next().is_none() || (codes["operator"] == "In" && items(codes, "values").any(|code| *code == 0)) {
                    report.refuse(Code::KubernetesRefuses, "exit codes of a failure are some, and not 0", "Write `values` without 0.");
                }
            });
        });
        if spec["podReplacementPolicy"] == "TerminatingOrFailed" {
            let message = "`TerminatingOrFailed` does not go with a `podFailurePolicy`";
            report.refuse(Code::KubernetesRefuses, message, "Write `podReplacementPolicy: Failed`, or leave it out.");
        }
    });
}

//! Keys that fit the workload's kind. Defaults may hold keys for every kind; what a workload itself or its overrides state must fit.

use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;
use crate::inventory::workload::{Settings, Workload, WorkloadKind};
use crate::source::{Span, Spanned};

/// Reports keys of the workload and its overrides that mean nothing for its kind.
pub fn own_keys(inventory: &Inventory, workload: &Spanned<Workload>, findings: &mut Findings) {
    let kind = workload.identity.kind.value;
    let overrides = workload.identity.overrides.iter().map(|change| &change.set.0);
    for settings in std::iter::once(&workload.settings).chain(overrides) {
        unfit(settings, kind, findings);
        if let (Some(replicas), Some(scale)) = (settings.replicas, &settings.scale) {
            let diag = Diag::new(Code::SetTwice, replicas.span, "`replicas` beside `scale` would undo the autoscaler at each sync");
            findings.push(diag.related(scale.span, "the autoscaler").help("Remove `replicas`; `scale.min` is the least."));
        }
    }
    let unscheduled = workload.settings.schedule.is_none() && !inventory.misspelt.may_mean(workload.span, "schedule");
    if kind == WorkloadKind::CronJob && unscheduled && workload.identity.source.is_none() {
        let name = &workload.identity.name;
        let diag = Diag::new(Code::MissingKey, name.span, format!("the CronJob `{}` has no `schedule`", name.value));
        findings.push(diag.help("Write when it runs, as cron does: `schedule: \"0 3 * * *\"` is daily at three."));
    }
}

fn unfit(settings: &Settings, kind: WorkloadKind, findings: &mut Findings) {
    use WorkloadKind::{CronJob, DaemonSet, Deployment, Job, StatefulSet};
    let keys: [(&str, Option<Span>, &[WorkloadKind]); 8] = [
        ("replicas", settings.replicas.map(|value| value.span), &[Deployment, StatefulSet]),
        ("scale", settings.scale.as_ref().map(|value| value.span), &[Deployment, StatefulSet]),
        ("disruption", settings.disruption.as_ref().map(|value| value.span), &[Deployment, StatefulSet]),
        ("expose", settings.expose.as_ref().map(|value| value.span), &[Deployment, StatefulSet, DaemonSet]),
        ("schedule", settings.schedule.as_ref().map(|value| value.span), &[CronJob]),
        ("timeZone", settings.time_zone.as_ref().map(|value| value.span), &[CronJob]),
        ("concurrencyPolicy", settings.concurrency_policy.map(|value| value.span), &[CronJob]),
        ("suspend", settings.suspend.map(|value| value.span), &[CronJob, Job]),
    ];
    for (key, span, kinds) in keys {
        if let Some(span) = span.filter(|_| !kinds.contains(&kind)) {
            let fitting: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
            let diag = Diag::new(Code::KeyNotForKind, span, format!("a {} has no `{key}`", kind.as_str()));
            findings.push(diag.help(format!("It fits: {}.", fitting.join(", "))));
        }
    }
}

//! Replicas, the autoscaler, the disruption budget, resources, the pool.

use super::Subject;
use crate::decode::Findings;
use crate::diag::{Code, Diag, did_you_mean};
use crate::inventory::pod::Resources;
use crate::inventory::workload::{CountOrPercent, Disruption, Settings, WorkloadKind};
use crate::model::refusals::{WHOLE_BYTES, fraction};

pub(super) fn check(subject: &Subject<'_, '_>, findings: &mut Findings) {
    let settings = &subject.cascade.settings;
    let kind = subject.workload.identity.kind.value;
    if let Some(scale) = &settings.scale {
        if let (Some(min), Some(max)) = (scale.min, scale.max)
            && (min.value == 0 || min.value > max.value)
        {
            let diag = Diag::new(Code::InvalidValue, min.span, format!("{} is not 1 to the maximum of {}", min.value, max.value));
            findings.push(
                diag.related(max.span, "the maximum")
                    .help("Write `min` from 1 to `max`; where the number stays the same, write `replicas` instead."),
            );
        }
        let is_misspelt = subject.is_misspelt(|layer| &layer.scale);
        if may_be_many(kind) && !is_misspelt {
            for (key, _) in [("min", scale.min), ("max", scale.max)].into_iter().filter(|(_, stated)| stated.is_none()) {
                findings.push(subject.incomplete(scale.span, "scale", key));
            }
        }
        for percent in [scale.cpu, scale.memory].into_iter().flatten().filter(|percent| percent.value == 0) {
            let diag = Diag::new(Code::InvalidValue, percent.span, "a share of 0 % would scale for ever");
            findings.push(diag.help("Write the use of the request that is aimed at, such as 70."));
        }
        let requests = settings.resources.as_ref().map(|resources| &resources.requests);
        let wanted = [("memory", scale.memory.is_some()), ("cpu", scale.cpu.is_some() || scale.memory.is_none())];
        // A kind that has no autoscaler measures nothing.
        let lacks = may_be_many(kind) && !subject.is_misspelt(|layer| &layer.resources);
        for (resource, _) in wanted.into_iter().filter(|(_, measured)| *measured && lacks) {
            if requests.is_none_or(|requests| requests.get(resource).is_none()) {
                let message = format!(
                    "the autoscaler measures a share of the {resource} request, and the workload states none: it would be the namespace's default"
                );
                findings.push(Diag::new(Code::MissingKey, scale.span, message).help(format!("Write `resources: {{{resource}: ...}}`.")));
            }
        }
    }
    if let Some(disruption) = &settings.disruption {
        let both = disruption.max_unavailable.is_some() && disruption.min_available.is_some();
        let neither = disruption.max_unavailable.is_none() && disruption.min_available.is_none();
        if both || neither && !subject.inventory.misspelt.has(disruption.span) {
            let message = "`disruption` takes exactly one of `maxUnavailable` and `minAvailable`";
            let diag = Diag::new(Code::InvalidValue, disruption.span, message);
            findings.push(diag.help("`maxUnavailable: 1` lets nodes be drained whatever the number of replicas."));
        }
        // Which of two is meant is not known.
        if !both {
            check_budget(kind, settings, disruption, findings);
        }
        if let Some(none) = disruption.max_unavailable.as_ref().filter(|most| is_none(&most.value)) {
            let diag = Diag::new(Code::InvalidValue, none.span, "with 0 no node could ever be drained");
            findings.push(diag.help(
                "Write at least 1. Nodes are kept up to date by being drained (SP 800-190 4.5.3), and the API server refuses every eviction under such a budget; one replica that must not be moved by chance still has to move then.",
            ));
        }
    }
    if let Some(resources) = &settings.resources {
        for (name, limit) in &resources.limits {
            if let Some(request) = resources.requests.get(name).filter(|request| request.amount() > limit.amount()) {
                let message = format!("the request of {} {} is above its limit of {}", request.value, name.value, limit.value);
                let diag = Diag::new(Code::InvalidValue, request.span, message).related(limit.span, "the limit");
                findings.push(diag.help("Lower the request, or raise the limit: Kubernetes refuses such a container."));
            }
        }
        check_whole(resources, findings);
    }
    if let Some(pool) = settings.placement.as_ref().and_then(|placement| placement.pool.as_ref()) {
        let tier = subject.tier.name.as_str();
        let pools = subject.cluster.node_pools.iter();
        let known: Vec<&str> =
            pools.filter(|pool| pool.tier.as_ref().is_some_and(|name| name.value == tier)).map(|pool| pool.name.as_str()).collect();
        if !known.contains(&pool.as_str()) {
            let message = format!("`{}` has no pool `{}` for the tier `{tier}`", subject.cluster.name.value, pool.value);
            let diag = Diag::new(Code::UnknownReference, pool.span, message).related(subject.cluster.name.span, "the cluster");
            let all = format!("Its pools are: {}.", known.join(", "));
            findings.push(diag.help(did_you_mean(pool, known.iter().copied()).unwrap_or(all)));
        }
    }
}

/// Whether there may be several of a kind's pods, as a person says.
fn may_be_many(kind: WorkloadKind) -> bool {
    matches!(kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet)
}

fn is_none(amount: &CountOrPercent) -> bool {
    match amount {
        CountOrPercent::Count(count) => *count == 0,
        CountOrPercent::Percent(percent) => percent == "0%",
    }
}

/// A budget that asks for as many pods as there can ever be lets none of them go.
fn check_budget(kind: WorkloadKind, settings: &Settings, disruption: &Disruption, findings: &mut Findings) {
    let Some(least) = disruption.min_available.as_ref().filter(|_| may_be_many(kind)) else {
        return;
    };
    let most = settings.scale.as_ref().map_or(settings.replicas, |scale| scale.max);
    let replicas = most.map_or(1, |most| u64::from(most.value));
    // Kubernetes rounds a share up.
    let kept = match &least.value {
        CountOrPercent::Count(count) => u64::from(*count),
        CountOrPercent::Percent(percent) => {
            percent.trim_end_matches('%').parse::<u64>().map_or(0, |share| (share * replicas).div_ceil(100))
        }
    };
    if replicas > 0 && kept >= replicas {
        let message = format!("with {replicas} replica{} at most no node could ever be drained", if replicas == 1 { "" } else { "s" });
        let diag = Diag::new(Code::InvalidValue, least.span, message);
        let diag = most.iter().fold(diag, |diag, most| diag.related(most.span, "so many"));
        findings.push(diag.help("Write less, `maxUnavailable: 1`, or more replicas."));
    }
}

/// Bytes are whole. Devices and huge pages are handed out whole, and never to more than there are: a request without an equal limit is refused.
fn check_whole(resources: &Resources, findings: &mut Findings) {
    for (name, amount) in resources.requests.iter().chain(resources.limits.iter()) {
        if let Some(broken) = fraction(name, amount.as_str()) {
            findings.push(Diag::new(Code::InvalidQuantity, amount.span, broken).help(WHOLE_BYTES));
        }
    }
    let whole = |name: &str| name.contains('/') || name.starts_with("hugepages-");
    for (name, amount) in resources.requests.iter().chain(resources.limits.iter()).filter(|(name, _)| whole(name)) {
        if amount.amount().fract() != 0.0 {
            let diag = Diag::new(Code::InvalidQuantity, amount.span, format!("`{}` is no whole number of {}", amount.value, name.value));
            findings.push(diag.help("Write a whole number: these are handed out one by one."));
        }
    }
    for (name, request) in resources.requests.iter().filter(|(name, _)| whole(name)) {
        let limit = resources.limits.get(name);
        if limit.is_none_or(|limit| limit.amount() > request.amount()) {
            let diag = Diag::new(
                Code::InvalidValue,
                request.span,
                format!("Kubernetes hands out no more of {} than there is: its limit is its request", name.value),
            );
            let diag = limit.iter().fold(diag, |diag, limit| diag.related(limit.span, "the limit"));
            findings.push(diag.help(format!("Write the same under `limits`: `{{limits: {{{}: {}}}}}`.", name.value, request.value)));
        }
    }
}

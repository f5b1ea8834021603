//! The guards of tiers in the words of Cilium and of Kubernetes' `ClusterNetworkPolicy`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{CILIUM_NAMESPACE, MOST, labels, selector, workload_label};
use crate::model::Model;
use crate::model::network::guards::{self, Crossing, TierGuard};
use crate::model::network::{METADATA, NAMESPACE_NAME};

/// Before the refusals of a tier: what a gateway leads through.
const PASSES: u32 = 400;
/// After it. The subjects of no two refusals overlap, so that their order means nothing.
const REFUSALS: u32 = 500;

/// `CiliumClusterwideNetworkPolicies`: name, labels and `specs`. What Cilium denies nothing can allow again, so each rule selects just those
/// pods that have no way out, or denies just what is not behind one.
pub fn cilium(model: &Model<'_>, guards: &[TierGuard]) -> Vec<Value> {
    let label = format!("k8s:{}", workload_label(model));
    let view = |guard: &TierGuard| {
        let denied: Vec<String> = METADATA.iter().map(ToString::to_string).collect();
        let mut specs: Vec<Value> = all_but(&guard.namespaces, &guard.exempt, &label)
            .into_iter()
            .map(|subject| json!({ "endpointSelector": subject, "egressDeny": [{ "toCIDR": denied }] }))
            .collect();
        if !guard.others.is_empty() {
            let callers: BTreeSet<(String, String)> = guard.crossings.keys().cloned().collect();
            let others = json!([matching([expression(CILIUM_NAMESPACE, "In", &guard.others)])]);
            let rule = |subject| json!({ "endpointSelector": subject, "egressDeny": [{ "toEndpoints": others }] });
            specs.extend(all_but(&guard.namespaces, &callers, &label).into_iter().map(rule));
            for ((namespace, workload), crossings) in &guard.crossings {
                let targets = crossings.iter().map(|crossing| (crossing.namespace.clone(), crossing.workload.clone())).collect();
                let subject = selector([(CILIUM_NAMESPACE.to_owned(), namespace.clone()), (label.clone(), workload.clone())]);
                let denied = all_but(&guard.others, &targets, &label);
                specs.push(json!({ "endpointSelector": subject, "egressDeny": [{ "toEndpoints": denied }] }));
            }
        }
        json!({ "name": name(model, guard), "labels": labels(model, Some(&guard.tier)), "specs": specs })
    };
    guards.iter().map(view).collect()
}

/// `ClusterNetworkPolicies`: name, labels and `spec`. Those of gateways come before those of tiers, and pass on what they lead through to the
/// policies of namespaces.
pub fn kubernetes(model: &Model<'_>, guards: &[TierGuard]) -> Vec<Value> {
    guards.iter().flat_map(|guard| passes(model, guard).into_iter().chain([refusal(model, guard)])).collect()
}

fn refusal(model: &Model<'_>, guard: &TierGuard) -> Value {
    let mut egress = vec![json!({
        "name": "metadata-service",
        "action": "Deny",
        "to": [{ "networks": METADATA.iter().map(ToString::to_string).collect::<Vec<_>>() }],
    })];
    if !guard.others.is_empty() {
        let others = matching([expression(NAMESPACE_NAME, "In", &guard.others)]);
        egress.push(json!({ "name": "other-tiers", "action": "Deny", "to": [{ "namespaces": others }] }));
    }
    json!({
        "name": name(model, guard),
        "labels": labels(model, Some(&guard.tier)),
        "spec": {
            "tier": "Admin",
            "priority": REFUSALS,
            "subject": { "namespaces": matching([expression(NAMESPACE_NAME, "In", &guard.namespaces)]) },
            "egress": egress,
        },
    })
}

/// What each workload may do that its tier may not: at most so many rules a policy.
fn passes(model: &Model<'_>, guard: &TierGuard) -> Vec<Value> {
    let mut rules: BTreeMap<&(String, String), Vec<Value>> = BTreeMap::new();
    for (caller, crossings) in &guard.crossings {
        rules.entry(caller).or_default().extend(crossings.iter().map(|crossing| through(model, crossing)));
    }
    for workload in &guard.exempt {
        let networks: Vec<String> = METADATA.iter().map(ToString::to_string).collect();
        rules.entry(workload).or_default().push(json!({ "name": "metadata-service", "action": "Pass", "to": [{ "networks": networks }] }));
    }
    let mut all = Vec::new();
    for ((namespace, workload), rules) in rules {
        for (number, chunk) in rules.chunks(MOST).enumerate() {
            let subject = pods(model, namespace, workload);
            all.push(json!({
                "name": guards::pass_name(&guard.tier, namespace, workload, number + 1, model.fleet.label_domain.as_str()),
                "labels": labels(model, Some(&guard.tier)),
                "spec": { "tier": "Admin", "priority": PASSES, "subject": { "pods": subject }, "egress": chunk },
            }));
        }
    }
    all
}

fn through(model: &Model<'_>, crossing: &Crossing) -> Value {
    let protocol = crossing.protocol.to_ascii_lowercase();
    json!({
        "name": "gateway",
        "action": "Pass",
        "to": [{ "pods": pods(model, &crossing.namespace, &crossing.workload) }],
        "protocols": [{ protocol: { "destinationPort": { "number": crossing.port } } }],
    })
}

fn pods(model: &Model<'_>, namespace: &str, workload: &str) -> Value {
    json!({
        "namespaceSelector": selector([(NAMESPACE_NAME.to_owned(), namespace.to_owned())]),
        "podSelector": selector([(workload_label(model), workload.to_owned())]),
    })
}

fn name(model: &Model<'_>, guard: &TierGuard) -> String {
    guards::name(&guard.tier, model.fleet.label_domain.as_str())
}

/// Selectors that together mean every pod of some namespaces but those of some workloads: one for the namespaces that have none of these, and
/// one for each that has.
fn all_but(namespaces: &BTreeSet<String>, but: &BTreeSet<(String, String)>, label: &str) -> Vec<Value> {
    let mut by_namespace: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (namespace, workload) in but {
        by_namespace.entry(namespace).or_default().insert(workload.clone());
    }
    let whole: BTreeSet<String> = namespaces.iter().filter(|name| !by_namespace.contains_key(name.as_str())).cloned().collect();
    let whole = (!whole.is_empty()).then(|| matching([expression(CILIUM_NAMESPACE, "In", &whole)]));
    let parts = by_namespace.into_iter().map(|(namespace, workloads)| {
        let namespace = BTreeSet::from([namespace.to_owned()]);
        matching([expression(CILIUM_NAMESPACE, "In", &namespace), expression(label, "NotIn", &workloads)])
    });
    whole.into_iter().chain(parts).collect()
}

fn expression(key: &str, operator: &str, values: &BTreeSet<String>) -> Value {
    json!({ "key": key, "operator": operator, "values": values })
}

fn matching(expressions: impl Into<Vec<Value>>) -> Value {
    json!({ "matchExpressions": expressions.into() })
}

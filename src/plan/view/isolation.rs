//! What the objects that keep tiers apart see of a cluster: its tiers with their namespaces, the platform, what is waived.

use serde_json::{Map, Value, json};

use super::strings;
use crate::inventory::cluster::Enforcement;
use crate::model::flows::full_name;
use crate::model::{Instance, Model, Namespace, budget, platform, priority_class, signatures};

/// `cluster.tiers`: those that the cluster hosts, each as `tier` is, and with the names of its `namespaces` here, and `signatures` (namespaces,
/// attestor, exempt workloads; null where its images need none).
pub fn tiers(model: &Model<'_>, cluster: usize) -> Vec<Value> {
    let view = |tier: usize| {
        let mut view = super::tier(model, tier);
        let namespaces = model.namespaces_on(cluster).filter(|namespace| namespace.tier == tier);
        view["namespaces"] = namespaces.map(|namespace| namespace.name.as_str()).collect();
        view["signatures"] = signatures(model, cluster, tier, &view["namespaces"]);
        view
    };
    model.clusters.all[cluster].tiers.iter().map(|tier| view(*tier)).collect()
}

/// Whose signatures a tier's images need here: namespaces, attestor (Kyverno's), exempt (workloads as name and namespace), actions,
/// failurePolicy.
fn signatures(model: &Model<'_>, cluster: usize, tier: usize, namespaces: &Value) -> Value {
    let Some(stated) = &model.tiers.all[tier].image_signatures else { return Value::Null };
    let exempt = exempt_of(model, cluster, "image-signature");
    let names = |value: &Value| value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    let (open, tiers) = (names(&exempt["namespaces"]), names(&exempt["tiers"]));
    let all = names(namespaces);
    let held: Vec<String> = all.iter().filter(|name| !open.contains(name)).cloned().collect();
    let waived = exempt["cluster"] == true || tiers.iter().any(|name| name == model.tiers.name(tier)) || held.is_empty();
    let namespaces = if waived { all } else { held };
    if namespaces.is_empty() {
        return Value::Null;
    }
    let mut cosign = match (&stated.key, &stated.keyless) {
        (Some(key), _) if signatures::is_reference(key.trim()) => json!({ "key": { "kms": key.trim() } }),
        (Some(key), _) => json!({ "key": { "data": key.value } }),
        (None, keyless) => json!({ "keyless": { "identities": keyless.iter().map(|keyless| {
            json!({ "issuer": keyless.issuer.as_str(), "subject": keyless.subject.value })
        }).collect::<Vec<_>>() } }),
    };
    if stated.transparency_log.is_some_and(|logged| !logged.value) {
        cosign["ctlog"] = json!({ "insecureIgnoreSCT": true, "insecureIgnoreTlog": true });
    }
    let actions = actions(model, cluster, waived);
    // A verifier that does not answer refuses nothing where its policy refuses nothing.
    let failure_policy = if actions.contains(&"Deny") { "Fail" } else { "Ignore" };
    let here = |workload: &&Value| namespaces.iter().any(|name| workload["namespace"] == *name);
    let workloads: Vec<&Value> = exempt["workloads"].as_array().into_iter().flatten().filter(here).collect();
    json!({ "namespaces": namespaces, "attestor": cosign, "exempt": workloads, "actions": actions, "failurePolicy": failure_policy })
}

/// `cluster.platform`: namespaces that are there (name, podSecurity, builtin, labels) and writers (users that may write what guards the tiers).
pub fn platform(model: &Model<'_>, cluster: usize) -> Value {
    let host = &model.clusters.all[cluster];
    let delivery = model.deliveries.of(cluster);
    let namespaces =
        platform::namespaces(model.inventory, host, delivery).into_iter().filter(|namespace| namespace.present).map(|namespace| {
            let labels = super::pod_security_labels(model, cluster, namespace.level);
            json!({
                "name": namespace.name,
                "podSecurity": namespace.level.as_str(),
                "builtin": namespace.builtin,
                "labels": labels.chain([("app.kubernetes.io/managed-by".to_owned(), "ringfence".into())]).collect::<Map<_, _>>(),
            })
        });
    json!({ "namespaces": namespaces.collect::<Vec<_>>(), "writers": platform::writers(host, delivery) })
}

/// `cluster.validationActions`: what a policy's binding does with what it would refuse. `Warn` and `Deny` cannot be combined.
pub fn validation_actions(model: &Model<'_>, cluster: usize) -> [&'static str; 2] {
    match model.clusters.all[cluster].enforcement() {
        Enforcement::Deny => ["Deny", "Audit"],
        Enforcement::Audit => ["Warn", "Audit"],
    }
}

/// What a policy's binding does where its control is waived as a whole: it tells of what it would refuse. The policy itself stays, since one that
/// left the tree would go on refusing in the cluster.
pub fn actions(model: &Model<'_>, cluster: usize, waived: bool) -> Vec<&'static str> {
    if waived { vec!["Audit"] } else { validation_actions(model, cluster).to_vec() }
}

/// `cluster.actions`: by control, what its policy's binding does on this cluster.
pub fn actions_by_control(model: &Model<'_>, cluster: usize, exempt: &Map<String, Value>) -> Map<String, Value> {
    exempt.iter().map(|(control, exempt)| (control.clone(), actions(model, cluster, exempt["cluster"] == true).into())).collect()
}

/// `cluster.exempt`: by control, what is exempt from it on this cluster: `cluster` (all of it), `tiers` and `namespaces` by name, `workloads`
/// as name and namespace. Every control is there, so that a template may ask for any.
pub fn exempt(model: &Model<'_>, cluster: usize) -> Map<String, Value> {
    model.exemptions.controls().map(|control| (control.to_owned(), exempt_of(model, cluster, control))).collect()
}

fn exempt_of(model: &Model<'_>, cluster: usize, control: &str) -> Value {
    let host = &model.clusters.all[cluster];
    let scopes: Vec<_> = model.exemptions.scopes(control).collect();
    if scopes.is_empty() {
        return json!({ "cluster": false, "tiers": [], "namespaces": [], "workloads": [] });
    }
    let of_tier = |name: &str| scopes.iter().any(|scope| scope.tier.as_ref().is_some_and(|tier| tier.value == name));
    let of_namespace = |name: &str| scopes.iter().any(|scope| scope.namespace.as_ref().is_some_and(|namespace| namespace.value == name));
    let of_workload = |name: &str| scopes.iter().any(|scope| scope.workload.as_ref().is_some_and(|workload| workload.value == name));
    let tiers = host.tiers.iter().map(|tier| model.tiers.name(*tier)).filter(|name| of_tier(name));
    let namespaces = model.namespaces_on(cluster).filter(|namespace| of_namespace(&namespace.name));
    let workloads = model.instances_on(cluster).iter().filter(|instance| of_workload(&full_name(instance)));
    json!({
        "cluster": scopes.iter().any(|scope| scope.cluster.as_ref().is_some_and(|name| name.value == host.raw.name.as_str())),
        "tiers": tiers.collect::<Vec<_>>(),
        "namespaces": namespaces.map(|namespace| namespace.name.as_str()).collect::<Vec<_>>(),
        "workloads": workloads.map(|instance| json!({
            "name": instance.workload.identity.name.as_str(), "namespace": instance.namespace,
        })).collect::<Vec<_>>(),
    })
}

/// `namespace.budget`: quota (the team's; empty where it states none), defaults (`requests` and `limits` of a container without its own) and
/// foreignPriorityClasses (the system's and those of the cluster's other tiers). Null is what is exempt.
pub fn budget(model: &Model<'_>, namespace: &Namespace, instances: &[Instance<'_>]) -> Value {
    let exempt = |control: &str| model.is_waived_in(control, namespace);
    let team = model.inventory.teams.iter().find(|team| team.name.as_str() == namespace.team);
    let held = model.clusters.all[namespace.cluster].enforcement() == Enforcement::Deny;
    let defaults = budget::defaults(namespace, team.map(|team| &**team), instances);
    let tiers = model.clusters.all[namespace.cluster].tiers.iter().filter(|tier| **tier != namespace.tier);
    let system = ["system-cluster-critical", "system-node-critical"].map(str::to_owned);
    let foreign = system.into_iter().chain(tiers.map(|tier| priority_class::name(&model.tiers.all[*tier])));
    json!({
        "quota": strings(team.iter().flat_map(|team| team.quota.iter()).map(|(name, amount)| (name.as_str(), amount.as_str()))),
        "defaults": (!exempt("default-limits")).then(|| json!({ "requests": defaults.requests, "limits": defaults.limits })),
        // A quota knows no other answer than to refuse.
        "foreignPriorityClasses": (held && !exempt("foreign-priority")).then(|| foreign.collect::<Vec<_>>()),
    })
}

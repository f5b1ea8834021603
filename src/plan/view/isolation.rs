//! What the objects that keep tiers apart see of a cluster: its tiers with their namespaces, the platform, what is waived.

use serde_json::{Map, Value, json};

use crate::inventory::cluster::Enforcement;
use crate::model::{Model, platform};

/// `cluster.tiers`: those that the cluster hosts, each as `tier` is, and with the names of its `namespaces` here.
pub fn tiers(model: &Model<'_>, cluster: usize) -> Vec<Value> {
    let view = |tier: usize| {
        let mut view = super::tier(model, tier);
        let here = model.namespaces.range((cluster, String::new())..(cluster + 1, String::new())).map(|(_, namespace)| namespace);
        let namespaces = here.filter(|namespace| namespace.tier == tier);
        view["namespaces"] = namespaces.map(|namespace| namespace.name.as_str()).collect();
        view
    };
    model.clusters.all[cluster].tiers.iter().map(|tier| view(*tier)).collect()
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

/// `cluster.enforcement`: whether policies refuse, or warn and log.
pub fn enforcement(model: &Model<'_>, cluster: usize) -> Enforcement {
    model.clusters.all[cluster].raw.enforcement.map_or(Enforcement::Deny, |stated| stated.value)
}

/// `cluster.validationActions`: what a policy's binding does with what it would refuse. `Warn` and `Deny` cannot be combined.
pub fn validation_actions(model: &Model<'_>, cluster: usize) -> [&'static str; 2] {
    match enforcement(model, cluster) {
        Enforcement::Deny => ["Deny", "Audit"],
        Enforcement::Audit => ["Warn", "Audit"],
    }
}

/// `cluster.exempt`: by control, what is exempt from it on this cluster: `cluster` (all of it), `tiers` and `namespaces` by name, `workloads`
/// as name and namespace. Every control is there, so that a template may ask for any.
pub fn exempt(model: &Model<'_>, cluster: usize) -> Map<String, Value> {
    let host = &model.clusters.all[cluster];
    let of = |control: &str| {
        let scopes: Vec<_> = model.exemptions.scopes(control).collect();
        if scopes.is_empty() {
            return json!({ "cluster": false, "tiers": [], "namespaces": [], "workloads": [] });
        }
        let of_tier = |name: &str| scopes.iter().any(|scope| scope.tier.as_ref().is_some_and(|tier| tier.value == name));
        let of_namespace =
            |name: &str| scopes.iter().any(|scope| scope.namespace.as_ref().is_some_and(|namespace| namespace.value == name));
        let of_workload = |name: &str| scopes.iter().any(|scope| scope.workload.as_ref().is_some_and(|workload| workload.value == name));
        let tiers = host.tiers.iter().map(|tier| model.tiers.name(*tier)).filter(|name| of_tier(name));
        let namespaces = model.namespaces.values().filter(|namespace| namespace.cluster == cluster && of_namespace(&namespace.name));
        let workloads = model.instances.iter().filter(|instance| {
            let identity = &instance.workload.identity;
            instance.cluster == cluster && of_workload(&format!("{}/{}", identity.team.value, identity.name.value))
        });
        json!({
            "cluster": scopes.iter().any(|scope| scope.cluster.as_ref().is_some_and(|name| name.value == host.raw.name.as_str())),
            "tiers": tiers.collect::<Vec<_>>(),
            "namespaces": namespaces.map(|namespace| namespace.name.as_str()).collect::<Vec<_>>(),
            "workloads": workloads.map(|instance| json!({
                "name": instance.workload.identity.name.as_str(), "namespace": instance.namespace,
            })).collect::<Vec<_>>(),
        })
    };
    model.exemptions.controls().map(|control| (control.to_owned(), of(control))).collect()
}

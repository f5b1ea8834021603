//! What the objects that grant access see: groups by what they hold, on the cluster and in the namespace.

use serde_json::{Value, json};

use crate::model::access::{self, Groups};
use crate::model::{Model, Namespace, platform};

/// `cluster.access`: the groups of each role (viewers, nodeAdmins, nodeScalers); `platform`: the platform's namespaces that people look at
/// (namespace, viewers, operators).
pub fn of_cluster(model: &Model<'_>, cluster: usize) -> Value {
    let access = model.access.on(cluster);
    let platform = platform_namespaces(model, cluster);
    json!({
        "viewers": list(&access.viewers),
        "nodeAdmins": list(&access.node_admins),
        "nodeScalers": list(&access.node_scalers),
        "platform": platform.into_iter().map(|namespace| json!({
            "namespace": namespace,
            "viewers": list(&access.platform_viewers),
            "operators": list(&access.platform_operators),
        })).collect::<Vec<_>>(),
    })
}

/// The platform's namespaces in which somebody holds something: neither those of Kubernetes' own in which nothing runs, nor that of an Argo CD
/// that serves this cluster, which has rules of its own for who sees what.
pub fn platform_namespaces(model: &Model<'_>, cluster: usize) -> Vec<String> {
    let access = model.access.on(cluster);
    if access.platform_viewers.is_empty() && access.platform_operators.is_empty() {
        return Vec::new();
    }
    let delivery = model.deliveries.of(cluster);
    let argocd = delivery.and_then(|delivery| delivery.argocd.as_ref()).map(|argocd| argocd.namespace.as_str());
    let all = platform::namespaces(model.inventory, &model.clusters.all[cluster], delivery).into_iter();
    let lived_in = all.filter(|space| space.present && (!space.builtin || space.name == "kube-system") && argocd != Some(&space.name));
    lived_in.map(|space| space.name).collect()
}

/// `namespace.access`: the groups of each role (viewers, operators, onCall, security, breakGlass), `exec` (whether operators run programs in
/// pods), `emergency` (reason, approvedBy, ticket, expires; null where none is on) and `onCallInEmergency` (whether being on call is one).
pub fn of_namespace(model: &Model<'_>, namespace: &Namespace) -> Value {
    let host = model.clusters.all[namespace.cluster].raw;
    let nothing = access::InNamespace::default();
    let held = model.access.within(namespace.cluster, &namespace.name).unwrap_or(&nothing);
    let emergency = access::emergency(&model.tiers, namespace.tier, host);
    json!({
        "viewers": list(&held.viewers),
        "operators": list(&held.operators),
        "onCall": list(&held.on_call),
        "security": list(&held.security),
        "breakGlass": list(&held.break_glass),
        "exec": model.tiers.operators_exec(namespace.tier),
        "onCallInEmergency": model.tiers.is_top(namespace.tier),
        "emergency": emergency.map(|stated| json!({
            "reason": stated.reason.as_str(),
            "approvedBy": stated.approved_by.as_str(),
            "ticket": stated.ticket.as_ref().map(|ticket| ticket.as_str()),
            "expires": stated.expires.as_str(),
        })),
    })
}

fn list(groups: &Groups) -> Vec<&str> {
    groups.iter().map(String::as_str).collect()
}

//! What the API server says of the expressions in the policies of a tree.

use serde_json::{Value, json};

use crate::plane::Plane;
use crate::resources::describe;
use crate::runner::Verdict;
use crate::scheduling::plain_pod;
use crate::session::none;
use crate::stated::Cluster;
use crate::waiting::until;

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
/// Every policy has been looked at and is without warnings, and has a binding; every binding has its policy. The server is silent about
/// either of the last two.
pub fn verdict(plane: &Plane<'_>) -> Verdict {
    none("policies have expressions with warnings", &warnings(plane))?;
    let policies = plane.masters.list(POLICIES);
    let bindings = plane.masters.list(BINDINGS);
    let bound = |policy: &Value| bindings.iter().any(|binding| binding["spec"]["policyName"] == policy["metadata"]["name"]);
    let unbound = policies.iter().filter(|policy| !bound(policy)).map(|policy| policy["metadata"]["name"].to_string());
    none("policies have no binding", &unbound.collect::<Vec<_>>())?;
    let there = |binding: &Value| policies.iter().any(|policy| binding["spec"]["policyName"] == policy["metadata"]["name"]);
    let dangling = bindings.iter().filter(|binding| !there(binding)).map(|binding| binding["metadata"]["name"].to_string());
    none("bindings name no policy", &dangling.collect::<Vec<_>>())
}

/// What the server says of the types in policies, once it has looked at each.
pub fn warnings(plane: &Plane<'_>) -> Vec<String> {
    let checked = |policy: &Value| policy["status"]["observedGeneration"] == policy["metadata"]["generation"];
    let policies = until("the types of all policies are checked", || {
        let policies = plane.masters.list(POLICIES);
        policies.iter().all(checked).then_some(policies)
    });
    let warned = policies.iter().filter(|policy| policy["status"]["typeChecking"]["expressionWarnings"].is_array());
    warned.map(|policy| format!("{}: {}", policy["metadata"]["name"], policy["status"]["typeChecking"]["expressionWarnings"])).collect()
}

/// How much of everything a large object has.
const MUCH: usize = 100;

/// No expression costs more than the server lets it on objects that are as large as they get: they are admitted, or refused for what they are.
pub fn costs(plane: &Plane<'_>, cluster: &Cluster) -> Verdict {
    let tier_namespace = cluster.namespaces.keys().next().ok_or("the cluster has no namespace")?;
    let elsewhere = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "large-objects" } });
    plane.masters.post("/api/v1/namespaces", &elsewhere).ok()?;
    let account = "/api/v1/namespaces/large-objects/serviceaccounts/default";
    until("the new namespace has its ServiceAccount", || plane.masters.get(account).is_ok().then_some(()));
    let mut said = Vec::new();
    for namespace in [tier_namespace.as_str(), "large-objects", "kube-system"] {
        for object in large(namespace) {
            let path = plane.resources.collection(&object)?;
            let answer = plane.masters.post(&format!("{path}?dryRun=All"), &object);
            let message = answer.message();
            let is_verdict = answer.is_ok() || message.contains(" denied request: ") || message.contains("violates PodSecurity");
            if !is_verdict || message.contains("budget") || message.contains("cost") {
                said.push(format!("{}: {message}", describe(&object)));
            }
        }
    }
    plane.masters.delete("/api/v1/namespaces/large-objects").ok()?;
    none("large objects are refused for their size", &said)
}

/// Objects of the kinds that policies look at, each with much of everything.
fn large(namespace: &str) -> Vec<Value> {
    let names = |prefix: &str| (0..MUCH).map(|number| format!("{prefix}-{number}")).collect::<Vec<_>>();
    let mut pod = plain_pod("large", namespace);
    let container = pod["spec"]["containers"][0].clone();
    let env: Value = names("VARIABLE").iter().map(|name| json!({ "name": name, "value": "of a length that is not unusual" })).collect();
    let containers = names("container").into_iter().map(|name| {
        let mut container = container.clone();
        container["name"] = name.into();
        container["env"] = env.clone();
        container
    });
    pod["spec"]["containers"] = containers.collect();
    pod["spec"]["tolerations"] = names("key").iter().map(|key| json!({ "key": key, "operator": "Exists" })).collect();
    let labels = json!({ "large": "yes" });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "large", "namespace": namespace },
        "spec": { "selector": { "matchLabels": labels }, "template": { "metadata": { "labels": labels }, "spec": pod["spec"] } },
    });
    let ports: Value = (0..MUCH).map(|number| json!({ "name": format!("port-{number}"), "port": 8000 + number })).collect();
    let paths: Value = names("path")
        .iter()
        .map(|path| json!({ "path": format!("/{path}"), "pathType": "Prefix", "backend": { "service": { "name": "large", "port": { "number": 80 } } } }))
        .collect();
    let rules: Value = names("host").iter().map(|host| json!({ "host": format!("{host}.example"), "http": { "paths": paths } })).collect();
    let endpoints: Value =
        (0..1000).map(|number| json!({ "addresses": [format!("10.200.{}.{}", number / 250, number % 250 + 1)] })).collect();
    vec![
        pod,
        deployment,
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "large", "namespace": namespace }, "spec": { "ports": ports } }),
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": "large", "namespace": namespace },
            "spec": { "rules": rules },
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": { "name": "large", "namespace": namespace },
            "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
        }),
    ]
}

//! The policies on roles and bindings, as the server judges them: none has an expression that does not fit its types, and none grows too costly for
//! roles and bindings far larger than anybody writes.

use serde_json::{Value, json};

use crate::apply::{self, Layers};
use crate::attempt::administrator;
use crate::attempts::{BINDINGS, appoint_administrator};
use crate::etcd::Etcd;
use crate::expressions;
use crate::judges::Judges;
use crate::plane::Plane;
use crate::runner::Verdict;
use crate::session::none;

/// The name of the test.
pub const NAME: &str = "access/policies";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// On a cluster whose guardrails are applied.
pub fn verdict(judges: &Judges, etcd: &Etcd, layers: &Layers) -> Verdict {
    let plane = Plane::start(judges, etcd, "policies", &apply::groups(layers.values().flatten()));
    plane.start_components();
    none("objects are not accepted", &apply::apply(&plane, layers).complaints)?;
    none("expressions do not fit their types", &expressions::warnings(&plane))?;
    appoint_administrator(&plane)?;
    let client = plane.client(&administrator());
    let large = |last: &str| {
        let words = |what: &str, count: usize| (0..count).map(|number| format!("{what}{number}")).collect::<Vec<_>>();
        let rule = json!({ "apiGroups": words("group", 5), "resources": words("resource", 60), "verbs": words("verb", 10) });
        let mut rules = vec![rule; 500];
        rules.push(json!({ "apiGroups": [last], "resources": ["pods"], "verbs": ["get"] }));
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": "large" }, "rules": rules })
    };
    let answer = client.post(&format!("{RBAC}/clusterroles"), &large("*"));
    if answer.is_ok() || !answer.message().contains("no wildcards") {
        return Err(format!("a wildcard at the end of a large role: {}", answer.message()));
    }
    client.post(&format!("{RBAC}/clusterroles"), &large("apps")).ok()?;
    client.put(&format!("{RBAC}/clusterroles/large"), &large("batch")).ok()?;
    let binding = |count: usize, last: &str| {
        let subject = |name: String| json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name });
        let subjects: Vec<Value> = (0..count).map(|number| format!("group-{number}")).chain([last.to_owned()]).map(subject).collect();
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": { "name": "large" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "large" },
            "subjects": subjects,
        })
    };
    let answer = client.post(BINDINGS, &binding(500, "system:authenticated"));
    if answer.is_ok() || !answer.message().contains("bound to everybody") {
        return Err(format!("everybody at the end of a large binding: {}", answer.message()));
    }
    client.post(BINDINGS, &binding(500, "last")).ok()?;
    client.put(&format!("{BINDINGS}/large"), &binding(501, "another")).ok()?;
    // Neither rules nor subjects: what is empty is no error of a policy.
    let empty =
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": "empty" }, "rules": null });
    client.post(&format!("{RBAC}/clusterroles"), &empty).ok()?;
    let mut nobody = binding(0, "nobody");
    nobody["metadata"]["name"] = "empty".into();
    nobody.as_object_mut().unwrap().remove("subjects");
    client.post(BINDINGS, &nobody).ok()?;
    client.put(&format!("{BINDINGS}/empty"), &nobody).ok().map(drop)
}

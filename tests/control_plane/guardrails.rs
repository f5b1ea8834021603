//! When admission policies are in force: a policy acts some time after it was written, and stops some time after it was deleted.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::plane::Plane;
use crate::waiting::until;

/// Writes a policy that refuses a ConfigMap of a name that nobody has, and waits until that is refused. The server takes policies up in the
/// order in which they were written, so whatever was written or deleted before is then in force, or no longer.
pub fn settle(plane: &Plane<'_>) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("probe-{}.tests.ringfence.example", NEXT.fetch_add(1, Ordering::Relaxed));
    let group = "/apis/admissionregistration.k8s.io/v1";
    let (policies, bindings) = (format!("{group}/validatingadmissionpolicies"), format!("{group}/validatingadmissionpolicybindings"));
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": { "name": name },
        "spec": {
            "matchConstraints": { "resourceRules": [
                { "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"] },
            ]},
            "validations": [{ "expression": format!("object.metadata.name != '{name}'"), "message": name }],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": { "name": name },
        "spec": { "policyName": name, "validationActions": ["Deny"] },
    });
    plane.masters.post(&policies, &policy).ok().unwrap();
    plane.masters.post(&bindings, &binding).ok().unwrap();
    let probe = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "default" } });
    until("policies are in force", || {
        let answer = plane.masters.post("/api/v1/namespaces/default/configmaps?dryRun=All", &probe);
        (!answer.is_ok() && answer.message().contains(&name)).then_some(())
    });
    plane.masters.delete(&format!("{bindings}/{name}")).ok().unwrap();
    plane.masters.delete(&format!("{policies}/{name}")).ok().unwrap();
}

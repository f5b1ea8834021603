//! Pods that obey their tier in all that they do not say, so that an attempt states what it is about and nothing else.

use serde_json::{Value, json};

use crate::stated::Rules;

/// Puts on the pod of an object what the tier asks for, where it says nothing; what is null is left out.
pub fn complete(object: &mut Value, label_domain: &str, tier: &str, rules: &Rules) {
    let Some(pod) = pod_of(object) else { return };
    let toleration = |effect| json!({ "key": format!("{label_domain}/tier"), "operator": "Equal", "value": tier, "effect": effect });
    fill(pod, "nodeSelector", json!({ "node-restriction.kubernetes.io/tier": tier }));
    fill(pod, "tolerations", ["NoSchedule", "NoExecute"].map(toleration).into_iter().collect());
    fill(pod, "priorityClassName", rules.priority_class.as_str().into());
    fill(pod, "automountServiceAccountToken", false.into());
    fill(pod, "securityContext", json!({ "runAsNonRoot": true, "runAsUser": 65532 }));
    fill(&mut pod["securityContext"], "seccompProfile", json!({ "type": "RuntimeDefault" }));
    for list in ["initContainers", "containers"] {
        for container in pod.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            fill(container, "image", rules.image.as_str().into());
            fill(container, "securityContext", json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } }));
            fill(&mut container["securityContext"], "readOnlyRootFilesystem", true.into());
        }
    }
    strip(pod);
}

/// The PodSpec of a pod or of a template.
pub fn pod_of(object: &mut Value) -> Option<&mut Value> {
    let path = match object["kind"].as_str()? {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        "DaemonSet" | "Deployment" | "Job" | "ReplicaSet" | "ReplicationController" | "StatefulSet" => "/spec/template/spec",
        _ => return None,
    };
    object.pointer_mut(path)
}

fn fill(object: &mut Value, field: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.entry(field).or_insert(value);
    }
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

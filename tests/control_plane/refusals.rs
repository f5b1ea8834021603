//! What we say that Kubernetes refuses of pods and controllers, and what it takes: the API server is asked about each workload of two cases.

use std::fs;
use std::path::Path;

use ringfence::schema::{Minor, Schemas};
use serde_json::{Value, json};

use crate::etcd::Etcd;
use crate::judges::Judges;
use crate::plane::Plane;
use crate::program::repository;
use crate::runner::Verdict;
use crate::session::none;

/// The test.
pub const NAME: &str = "refusals";

/// What the server takes and we do not, and why.
const OURS: [(&str, &str); 10] = [
    ("affinity-above-a-word", "the scheduler would find no node for it"),
    ("fraction-of-a-byte", "the server takes it with a warning, and nobody means it"),
    ("hook-that-sleeps-for-no-time-stated", "the published schema asks for the seconds, and the server takes none for zero"),
    ("impossible-pull-secret", "there can be no such Secret"),
    ("os-of-windows", "what we put on every pod is Linux's own, and is refused beside it"),
    ("probe-of-a-port-that-is-not-there", "the probe would fail for ever"),
    ("root-that-must-not-be-root", "the kubelet would never start it"),
    ("signal-to-stop-with", "its feature gate is off, and the server drops it without a word"),
    ("volume-of-an-impossible-secret", "there can be no such Secret"),
    ("volume-without-a-source", "the server makes it an `emptyDir`, and what was meant is lost"),
];

/// Every workload that our case calls refused is refused, but for those above; every one that our case calls taken is taken.
pub fn verdict(judges: &Judges, etcd: &Etcd) -> Verdict {
    let plane = Plane::start_empty(judges, etcd, NAME);
    let cases = repository().join("tests/cases/check");
    let mut wrong = Vec::new();
    let (refused, taken) = (workloads(&cases.join("what-kubernetes-refuses")), workloads(&cases.join("what-kubernetes-takes")));
    for (workload, admitted) in refused.iter().map(|workload| (workload, false)).chain(taken.iter().map(|workload| (workload, true))) {
        let name = workload["name"].as_str().unwrap();
        let object = object(workload);
        let path = plane.resources.path(&object).unwrap();
        let path = path.rsplit_once('/').unwrap().0;
        let answer = plane.masters.post(&format!("{path}?dryRun=All&fieldValidation=Strict"), &object);
        let admitted = admitted || OURS.iter().any(|(ours, _)| *ours == name);
        if answer.is_ok() != admitted {
            let what = if admitted { "should be taken" } else { "should be refused" };
            wrong.push(format!("{name} {what}: {} {}", answer.status, answer.message()));
        }
    }
    if let Some((unknown, _)) = OURS.iter().find(|(name, _)| refused.iter().all(|workload| workload["name"] != *name)) {
        wrong.push(format!("{unknown} is no workload of the case"));
    }
    none("workloads on which the server and we disagree", &wrong)
}

/// The workloads of a case's inventory.
fn workloads(case: &Path) -> Vec<Value> {
    let text = fs::read_to_string(case.join("inventory/fleet.yaml")).unwrap();
    let inventory: Value = serde_yaml::from_str(&text).unwrap();
    inventory["workloads"].as_array().unwrap().clone()
}

/// The object that a workload's `pod` and `spec` make, with no more beside them than Kubernetes asks for.
fn object(workload: &Value) -> Value {
    let schemas = Schemas::new();
    let kind = workload["kind"].as_str().unwrap();
    let mut pod = json!({ "containers": [{ "name": "main", "image": "registry.acme.example/app:1" }] });
    if matches!(kind, "Job" | "CronJob") {
        pod["restartPolicy"] = "Never".into();
    }
    if let Some(stated) = workload.get("pod") {
        pod = schemas.merge(Minor::NEWEST, "io.k8s.api.core.v1.PodSpec", pod, stated.clone());
    }
    let labels = json!({ "app": "a" });
    let template = json!({ "metadata": { "labels": labels }, "spec": pod });
    let mut spec = workload.get("spec").cloned().unwrap_or_else(|| json!({}));
    match kind {
        "CronJob" => {
            spec["schedule"] = "@daily".into();
            spec["jobTemplate"]["spec"]["template"] = template;
        }
        "Job" => spec["template"] = template,
        _ => {
            spec["selector"] = json!({ "matchLabels": labels });
            spec["template"] = template;
        }
    }
    let group = if matches!(kind, "Job" | "CronJob") { "batch/v1" } else { "apps/v1" };
    json!({ "apiVersion": group, "kind": kind, "metadata": { "name": workload["name"], "namespace": "default" }, "spec": spec })
}

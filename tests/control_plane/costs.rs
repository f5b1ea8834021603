//! What policies cost: the server finds nothing wrong with their expressions, and looks through the largest objects within its limits.

use serde_json::{Value, json};

use crate::plane::Plane;
use crate::runner::Verdict;
use crate::session::none;
use crate::stated::Cluster;
use crate::{expressions, obedience};

/// As many containers, and volumes, as no pod has.
const CONTAINERS: usize = 100;
const TOLERATIONS: usize = 50;

/// No expression is warned about; objects with all that they can have are admitted where they obey, and refused for what is wrong in them alone.
pub fn verdict(plane: &Plane<'_>, cluster: &Cluster) -> Verdict {
    none("expressions are warned about", &expressions::warnings(plane))?;
    let mut complaints = Vec::new();
    for (namespace, tier) in &cluster.namespaces {
        for kind in ["Pod", "Deployment", "CronJob"] {
            let large = |wrong: bool| {
                let mut object = of_kind(kind, namespace, &large_pod(&cluster.label_domain, tier, wrong));
                obedience::complete(&mut object, &cluster.label_domain, tier, &cluster.rules[tier]);
                let path = format!("{}?dryRun=All", plane.resources.collection(&object).unwrap());
                plane.masters.post(&path, &object).ok()
            };
            if let Err(why) = large(false) {
                complaints.push(format!("a large {kind} in {namespace}: {why}"));
            }
            match large(true) {
                Ok(_) => complaints.push(format!("a large {kind} in {namespace} whose last container is wrong was admitted")),
                Err(why) if why.contains("file systems of the tier") => {}
                Err(why) => complaints.push(format!("a large {kind} in {namespace} was refused, but not for what is wrong in it: {why}")),
            }
        }
    }
    none("large objects are not judged", &complaints)
}

fn of_kind(kind: &str, namespace: &str, pod: &Value) -> Value {
    let metadata = json!({ "name": "large", "namespace": namespace });
    let labels = json!({ "app.kubernetes.io/name": "large" });
    let template = |restart: &str| {
        let mut pod = pod.clone();
        pod["restartPolicy"] = restart.into();
        json!({ "metadata": { "labels": labels }, "spec": pod })
    };
    match kind {
        "Pod" => {
            json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": "large", "namespace": namespace, "labels": labels }, "spec": pod })
        }
        "Deployment" => json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {
            "selector": { "matchLabels": labels }, "template": template("Always"),
        }}),
        _ => json!({ "apiVersion": "batch/v1", "kind": kind, "metadata": metadata, "spec": {
            "schedule": "@yearly", "jobTemplate": { "spec": { "template": template("Never") } },
        }}),
    }
}

fn large_pod(label_domain: &str, tier: &str, wrong: bool) -> Value {
    let env: Vec<Value> = (0..20).map(|number| json!({ "name": format!("VARIABLE_{number}"), "value": "x".repeat(100) })).collect();
    let container = |number: usize| {
        let mut container = json!({ "name": format!("container-{number}"), "env": env });
        if wrong && number + 1 == CONTAINERS {
            let context =
                json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] }, "readOnlyRootFilesystem": false });
            container["securityContext"] = context;
        }
        container
    };
    let containers: Vec<Value> = (0..CONTAINERS).map(container).collect();
    let source = |number: usize| json!({ "configMap": { "name": format!("config-{number}"), "optional": true } });
    let sources: Vec<Value> = (0..10).map(source).collect();
    let volumes = (0..CONTAINERS).map(|number| json!({ "name": format!("volume-{number}"), "projected": { "sources": sources } }));
    let key = format!("{label_domain}/tier");
    let toleration =
        |seconds: usize| json!({ "key": key, "operator": "Equal", "value": tier, "effect": "NoExecute", "tolerationSeconds": seconds });
    json!({
        "containers": containers,
        "initContainers": (0..CONTAINERS).map(|number| json!({ "name": format!("init-{number}") })).collect::<Vec<_>>(),
        "volumes": volumes.collect::<Vec<_>>(),
        "tolerations": (0..TOLERATIONS).map(toleration).collect::<Vec<_>>(),
    })
}

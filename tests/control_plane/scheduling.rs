//! Where the real scheduler puts pods.

use std::collections::BTreeMap;

use ringfence::inventory::workload::WorkloadKind;
use serde_json::{Value, json};

use crate::plane::Plane;
use crate::stated::{Cluster, Workload};
use crate::waiting::{eventually, until};

/// A namespace of no tier and not of the platform.
const OUTSIDE: &str = "strays";
/// The scheduler's own word for the node that a claim's volume is to be on.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// What became of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was bound to a node.
    On(String),
    /// No node takes it; the scheduler's reason.
    Unschedulable(String),
}

/// The verdict on a pod, if there is one yet.
pub fn verdict(pod: &Value) -> Option<Verdict> {
    if let Some(node) = pod["spec"]["nodeName"].as_str() {
        return Some(Verdict::On(node.to_owned()));
    }
    let conditions = pod["status"]["conditions"].as_array()?;
    let refused = conditions.iter().find(|condition| condition["type"] == "PodScheduled" && condition["reason"] == "Unschedulable")?;
    Some(Verdict::Unschedulable(refused["message"].as_str().unwrap_or_default().to_owned()))
}

/// Waits for the verdict on one pod.
pub fn wait_for(plane: &Plane<'_>, namespace: &str, name: &str) -> Verdict {
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    until(&format!("the scheduler's verdict on {namespace}/{name}"), || verdict(&plane.masters.get(&path).body))
}

/// Waits until every workload has its pods and each of them a node, and says which of them is where it must not be, or nowhere.
pub fn misplaced(plane: &Plane<'_>, cluster: &Cluster) -> Vec<String> {
    for workload in cluster.workloads.iter().filter(|workload| workload.kind == WorkloadKind::CronJob) {
        run_now(plane, workload);
    }
    let mut pods = BTreeMap::new();
    eventually(|| {
        provision_volumes(plane);
        pods = pods_of(plane, cluster);
        let complete = |workload: &Workload| {
            let pods = pods.get(&workload.key()).map_or(&[][..], Vec::as_slice);
            let least = if workload.kind == WorkloadKind::DaemonSet { home(cluster, workload).count() } else { 1 };
            pods.len() >= least && pods.iter().all(|pod| matches!(verdict(pod), Some(Verdict::On(_))))
        };
        cluster.workloads.iter().all(complete).then_some(())
    });
    let mut misplaced = Vec::new();
    for workload in &cluster.workloads {
        let pods = pods.remove(&workload.key()).unwrap_or_default();
        if pods.is_empty() {
            misplaced.push(format!("{}/{} has no pods", workload.namespace, workload.name));
        }
        for pod in pods {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            match verdict(&pod) {
                Some(Verdict::On(node)) if home(cluster, workload).any(|at_home| at_home == node) => {}
                other => misplaced.push(format!("{}/{name} of the tier {}: {other:?}", workload.namespace, workload.tier)),
            }
        }
    }
    misplaced
}

/// Creates pods that say nothing of where they may run: those in the namespaces of tiers must be refused by a policy, and one in a namespace of no
/// tier must get on no tier's node. Says what is otherwise.
pub fn strays(plane: &Plane<'_>, cluster: &Cluster) -> Vec<String> {
    let mut strays = Vec::new();
    for namespace in cluster.namespaces.keys() {
        match plane.masters.post(&format!("/api/v1/namespaces/{namespace}/pods"), &plain_pod("stray", namespace)).ok() {
            Ok(_) => strays.push(format!("{namespace}: the pod was admitted")),
            Err(why) if why.contains("ValidatingAdmissionPolicy") => {}
            Err(why) => strays.push(format!("{namespace}: no policy refused the pod, but: {why}")),
        }
    }
    let name = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": OUTSIDE } });
    plane.masters.post("/api/v1/namespaces", &name).ok().unwrap();
    let pods = format!("/api/v1/namespaces/{OUTSIDE}/pods");
    // A pod needs the account that the controller makes.
    until("the stray is created", || plane.masters.post(&pods, &plain_pod("stray", OUTSIDE)).ok().ok());
    if let Verdict::On(node) = wait_for(plane, OUTSIDE, "stray")
        && let Some(tier) = cluster.tier_of_node(&node)
    {
        strays.push(format!("a pod of no tier is on {node}, a node of the tier {tier}"));
    }
    plane.masters.delete(&format!("{pods}/stray")).ok().unwrap();
    strays
}

/// A pod that any level of Pod Security admits, and that says nothing of where it may run.
pub fn plain_pod(name: &str, namespace: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "namespace": namespace },
        "spec": {
            "securityContext": { "runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": { "type": "RuntimeDefault" } },
            "containers": [{
                "name": "main",
                "image": "registry.example/nothing:1",
                "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
            }],
        },
    })
}

/// The nodes that a workload may be on.
fn home<'a>(cluster: &'a Cluster, workload: &'a Workload) -> impl Iterator<Item = &'a str> {
    let pools = cluster.pools.iter().filter(|pool| pool.tier.as_ref() == Some(&workload.tier));
    let pools = pools.filter(|pool| workload.pool.as_ref().is_none_or(|name| *name == pool.name));
    pools.flat_map(|pool| pool.nodes.iter().map(String::as_str))
}

/// The pods of a cluster's workloads, by namespace and workload.
fn pods_of(plane: &Plane<'_>, cluster: &Cluster) -> BTreeMap<(String, String), Vec<Value>> {
    let mut pods: BTreeMap<(String, String), Vec<Value>> = BTreeMap::new();
    for namespace in cluster.namespaces.keys() {
        for pod in plane.masters.list(&format!("/api/v1/namespaces/{namespace}/pods")) {
            // Pods of an adopted workload are named by their source; the label below the fleet's domain says whose they are.
            let labels = &pod["metadata"]["labels"];
            let adopted = &labels[format!("{}/workload", cluster.label_domain)];
            let workload = adopted.as_str().or_else(|| labels["app.kubernetes.io/name"].as_str()).unwrap_or_default().to_owned();
            pods.entry((namespace.clone(), workload)).or_default().push(pod);
        }
    }
    pods
}

/// Runs a CronJob now, as `kubectl create job --from` does.
fn run_now(plane: &Plane<'_>, workload: &Workload) {
    let group = format!("/apis/batch/v1/namespaces/{}", workload.namespace);
    let cron_job = plane.masters.get(&format!("{group}/cronjobs/{}", workload.name)).ok().unwrap();
    let template = &cron_job["spec"]["jobTemplate"];
    let job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": format!("{}-now", workload.name),
            "namespace": workload.namespace,
            "labels": template["metadata"]["labels"],
            "ownerReferences": [{
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "name": workload.name,
                "uid": cron_job["metadata"]["uid"],
                "controller": true,
            }],
        },
        "spec": template["spec"],
    });
    plane.masters.post(&format!("{group}/jobs"), &job).ok().unwrap();
}

/// Stands in for the provisioners of storage classes: makes the volume that each claim waits for.
fn provision_volumes(plane: &Plane<'_>) {
    let classes = plane.masters.list("/apis/storage.k8s.io/v1/storageclasses");
    let late: Vec<&Value> = classes
        .iter()
        .filter(|class| class["volumeBindingMode"] == "WaitForFirstConsumer")
        .map(|class| &class["metadata"]["name"])
        .collect();
    for claim in plane.masters.list("/api/v1/persistentvolumeclaims") {
        let (metadata, spec) = (&claim["metadata"], &claim["spec"]);
        let waits = late.contains(&&spec["storageClassName"]) && metadata["annotations"][SELECTED_NODE].is_null();
        if claim["status"]["phase"] != "Pending" || waits {
            continue;
        }
        let name = format!("volume-{}", metadata["uid"].as_str().unwrap());
        let volume = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": { "name": name },
            "spec": {
                "capacity": spec["resources"]["requests"],
                "accessModes": spec["accessModes"],
                "storageClassName": spec["storageClassName"],
                "csi": { "driver": "tests.ringfence.example", "volumeHandle": name },
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "name": metadata["name"],
                    "namespace": metadata["namespace"],
                    "uid": metadata["uid"],
                },
            },
        });
        let made = plane.masters.post("/api/v1/persistentvolumes", &volume);
        // Made in an earlier look, and not bound yet.
        assert!(made.is_ok() || made.status == 409, "{}", made.message());
    }
}

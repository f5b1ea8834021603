//! Nodes that nothing runs on: the scheduler looks at their labels, taints and room, and so takes them for real.

use serde_json::{Value, json};

use crate::client::Patch;
use crate::plane::Plane;
use crate::stated::{Cluster, Pool};

/// The label below the prefix that no kubelet may give itself (NodeRestriction).
const TIER_LABEL: &str = "node-restriction.kubernetes.io/tier";
const POOL_LABEL: &str = "node-restriction.kubernetes.io/pool";

/// A node of no pool: one that has just joined, and that nobody has tainted or labelled yet. It is empty and large, so the
/// scheduler likes it best.
const NEWCOMER: &str = "newcomer";

/// Adds every node of every pool, each ready and with the labels and taints of its pool, and one of none.
pub fn add(plane: &Plane<'_>, cluster: &Cluster) {
    add_node(plane, cluster, &Pool { name: NEWCOMER.to_owned(), tier: None, nodes: Vec::new() }, NEWCOMER);
    for pool in &cluster.pools {
        for name in &pool.nodes {
            add_node(plane, cluster, pool, name);
        }
    }
}

/// The taints of a pool's nodes.
pub fn taints(cluster: &Cluster, pool: &Pool) -> Value {
    let key = format!("{}/tier", cluster.label_domain);
    let taints = pool.tier.iter().flat_map(|tier| ["NoSchedule", "NoExecute"].map(|effect| (tier, effect)));
    taints.map(|(tier, effect)| json!({ "key": key, "value": tier, "effect": effect })).collect()
}

/// Gives a node exactly these taints.
pub fn set_taints(plane: &Plane<'_>, node: &str, taints: &Value) {
    let change = json!({ "spec": { "taints": taints } });
    plane.masters.patch(&format!("/api/v1/nodes/{node}"), Patch::Merge, &change).ok().unwrap();
}

fn add_node(plane: &Plane<'_>, cluster: &Cluster, pool: &Pool, name: &str) {
    let mut labels = json!({ "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" });
    if let Some(tier) = &pool.tier {
        labels[TIER_LABEL] = tier.as_str().into();
        labels[POOL_LABEL] = pool.name.as_str().into();
    }
    let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": name, "labels": labels } });
    plane.masters.post("/api/v1/nodes", &node).ok().unwrap();
    let (cpu, memory) = if name == NEWCOMER { ("1000000", "1000000Gi") } else { ("8", "16Gi") };
    let room = json!({ "cpu": cpu, "memory": memory, "ephemeral-storage": "10000Gi", "pods": "1000" });
    let condition = |kind: &str, status: &str| json!({ "type": kind, "status": status, "reason": "Tests", "message": "no kubelet" });
    let status = json!({ "status": {
        "capacity": room,
        "allocatable": room,
        "conditions": [condition("Ready", "True"), condition("MemoryPressure", "False"), condition("DiskPressure", "False")],
    }});
    plane.masters.patch(&format!("/api/v1/nodes/{name}/status"), Patch::Merge, &status).ok().unwrap();
    // Among them goes the one that the server gave it for not being ready at its birth.
    set_taints(plane, name, &taints(cluster, pool));
}

//! A workload that moves away leaves its name behind: the real API server turns its Service into the alias, and back when it returns.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::apply;
use crate::etcd::Etcd;
use crate::judges::Judges;
use crate::plane::Plane;
use crate::program::{Project, repository};
use crate::resources::describe;
use crate::runner::Verdict;
use crate::session::{accepted, none};
use crate::stated::Cluster;

/// The inventory with every kind of alias and of listener.
const INVENTORY: &str = "tests/cases/gateways/two-ends-and-aliases/inventory";

/// Every cluster of the inventory takes its tree as it is, over the Services that were there before the workloads moved.
pub fn verdict(judges: &Judges, etcd: &Etcd) -> Verdict {
    let project = Project::of(&repository().join(INVENTORY));
    project.generate();
    let built = judges.build(&project.output())?;
    let mut moved = 0;
    for cluster in Cluster::all(&project.root) {
        let layers = apply::layers(&built, &cluster.name);
        let plane = Plane::start(judges, etcd, &format!("moved-{}", cluster.name), &apply::groups(layers.values().flatten()));
        let mut complaints = Vec::new();
        apply_all(&plane, &layers["20-namespaces"], &mut complaints);
        let before: Vec<Value> = layers.values().flatten().filter_map(as_it_was).collect();
        moved += before.len();
        apply_all(&plane, &before, &mut complaints);
        accepted(&plane, &layers)?;
        for service in layers.values().flatten().filter(|object| object["spec"]["type"] == "ExternalName") {
            let path = plane.resources.path(service)?;
            let now = plane.masters.get(&path).ok()?;
            if !now["spec"]["clusterIP"].is_null() || !now["spec"]["selector"].is_null() {
                complaints.push(format!("{}: something is left of the Service that it was: {}", describe(service), now["spec"]));
            }
        }
        apply_all(&plane, &before, &mut complaints);
        none("objects are not accepted when workloads move", &complaints)?;
    }
    if moved < 10 { Err(format!("{moved} aliases are too few")) } else { Ok(()) }
}

fn apply_all(plane: &Plane<'_>, objects: &[Value], complaints: &mut Vec<String>) {
    complaints.extend(objects.iter().filter_map(|object| apply::apply_object(plane, object).err()));
}

/// The Service of that name while its workload was in this namespace still; nothing where an object is no alias.
fn as_it_was(object: &Value) -> Option<Value> {
    if object["kind"] != "Service" || object["spec"]["type"] != "ExternalName" {
        return None;
    }
    let ports: Vec<Value> = object["spec"]["ports"].as_array()?.clone();
    let metadata: BTreeMap<&str, &Value> = ["name", "namespace"].into_iter().map(|key| (key, &object["metadata"][key])).collect();
    let name = &object["metadata"]["name"];
    Some(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": { "type": "ClusterIP", "selector": { "app.kubernetes.io/name": name }, "ports": ports },
    }))
}

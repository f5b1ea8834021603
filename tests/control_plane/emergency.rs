//! An emergency: a change of one line in the inventory binds what waits for it, and its removal takes that away.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::apply::{self, Layers};
use crate::etcd::Etcd;
use crate::judges::Judges;
use crate::permissions;
use crate::plane::Plane;
use crate::program::{self, Project};
use crate::resources::describe;
use crate::runner::Verdict;
use crate::session::{accepted, none};
use crate::stated::Cluster;

/// The name of the test.
pub const NAME: &str = "access/emergency";
const CLUSTER: &str = "restricted-tokyo";
/// A line of the top tier in the sample, and what turns the emergency on beside it.
const LINE: &str = "    requireDigest: true";
const SWITCH: &str = "    breakGlass: {reason: card payments fail, approvedBy: security-board, ticket: INC-7, expires: 2039-01-31, clusters: [restricted-tokyo]}\n";

/// While it is on, the authorizer answers as the inventory then says, and each binding of it says so; afterwards as before.
pub fn verdict(judges: &Judges, etcd: &Etcd, project: &Project, steady: &Layers) -> Verdict {
    let during = Project::empty();
    program::copy(&project.root, &during.root);
    let path = during.root.join("inventory/fleet.yaml");
    let text = fs::read_to_string(&path).unwrap();
    if !text.contains(LINE) {
        return Err(format!("the sample's top tier has no line `{LINE}`"));
    }
    fs::write(&path, text.replacen(LINE, &format!("{SWITCH}{LINE}"), 1)).unwrap();
    during.run(["generate"]).expect(0);
    let layers = apply::layers(&judges.build(&during.output())?, CLUSTER);
    let of = |root| Cluster::all(root).into_iter().find(|cluster| cluster.name == CLUSTER).unwrap();
    let plane = Plane::start(judges, etcd, "emergency", &apply::groups(layers.values().flatten()));
    accepted(&plane, &layers)?;
    permissions::verdict(&plane, &of(&during.root)).map_err(|why| format!("during the emergency: {why}"))?;
    let path = |object: &Value| plane.resources.path(object);
    let before: BTreeSet<String> = steady.values().flatten().map(path).collect::<Result<_, _>>()?;
    let new: Vec<&Value> = layers.values().flatten().filter(|object| !before.contains(&path(object).unwrap())).collect();
    let bindings = new.iter().filter(|object| object["kind"] == "RoleBinding");
    let silent = bindings.clone().filter(|object| {
        let metadata = &object["metadata"];
        metadata["labels"]["tier.boutique.example/break-glass"] != "true"
            || metadata["annotations"]["tier.boutique.example/expires"] != "2039-01-31"
            || metadata["annotations"]["tier.boutique.example/ticket"] != "INC-7"
    });
    none("bindings of an emergency do not say so", &silent.map(|object| describe(object)).collect::<Vec<_>>())?;
    if bindings.count() < 2 {
        return Err(format!("an emergency binds nothing: {new:?}"));
    }
    if steady.values().flatten().any(|object| object["metadata"]["labels"]["tier.boutique.example/break-glass"] == "true") {
        return Err("what is there without an emergency has its label".to_owned());
    }
    for object in new {
        plane.masters.delete(&path(object)?).ok()?;
    }
    accepted(&plane, steady)?;
    permissions::verdict(&plane, &of(&project.root)).map_err(|why| format!("after the emergency: {why}"))
}

//! Custom resource definitions of others: installed once, and there on every control plane whose tree has objects of their groups.

use crate::apply::apply_object;
use crate::etcd::Etcd;
use crate::judges::Judges;
use crate::plane::Plane;
use crate::waiting::until;

/// The control plane that has all definitions.
pub const BASE: &str = "base";

/// Starts an API server, gives it all definitions, and leaves what it then has in etcd.
pub fn install(judges: &Judges, etcd: &Etcd) {
    let plane = Plane::start_empty(judges, etcd, BASE);
    for definition in judges.definitions() {
        // Definitions are those of others: that the server does not check a format which they name is no fault of a tree.
        match apply_object(&plane, &definition) {
            Ok(_) => {}
            Err(why) => assert!(why.contains("unrecognized format"), "{why}"),
        }
    }
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    until("the definitions are served", || {
        let established = |definition: &serde_json::Value| {
            let conditions = definition["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
        };
        plane.masters.list(path).iter().all(established).then_some(())
    });
}

/// The API group of the definition that a key of etcd holds, if it holds one.
pub fn group(key: &str) -> Option<&str> {
    let (_, name) = key.split_once("/customresourcedefinitions/")?;
    name.split_once('.').map(|(_, group)| group)
}

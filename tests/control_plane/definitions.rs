//! Custom resource definitions of others, which every control plane has.

use std::time::Duration;

use crate::apply::apply_object;
use crate::etcd::Etcd;
use crate::judges::Judges;
use crate::plane::Plane;
use crate::waiting::until;

/// The control plane whose objects every other begins with.
pub const BASE: &str = "base";

/// Starts an API server, gives it all definitions, and leaves what it then has in etcd.
pub fn install(judges: &Judges, etcd: &Etcd) {
    let plane = Plane::start(judges, etcd, BASE);
    for definition in judges.definitions() {
        apply_object(&plane, &definition).unwrap();
    }
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    until("the definitions are served", Duration::from_secs(60), || {
        let established = |definition: &serde_json::Value| {
            let conditions = definition["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
        };
        plane.masters.list(path).iter().all(established).then_some(())
    });
}

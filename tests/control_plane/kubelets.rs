//! Stands in for kubelets: says of pods that were bound to a node that they run there, at an address of their own.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::Patch;
use crate::plane::Plane;

/// Those of a control plane's nodes.
pub struct Kubelets<'a> {
    plane: &'a Plane<'a>,
    /// By node, by `namespace/name` of a pod: so many addresses have been given, that nobody gets one twice.
    addresses: RefCell<BTreeMap<String, String>>,
}

impl<'a> Kubelets<'a> {
    /// Of every node that there is, and that will be.
    pub fn new(plane: &'a Plane<'a>) -> Self {
        Self { plane, addresses: RefCell::default() }
    }

    /// Has every pod run that is bound to a node, and gives all that do.
    pub fn run(&self) -> Vec<Value> {
        let bound = |pod: &Value| pod["spec"]["nodeName"].is_string() && pod["metadata"]["deletionTimestamp"].is_null();
        self.plane.masters.list("/api/v1/pods").into_iter().filter(bound).map(|pod| self.started(pod)).collect()
    }

    /// The address of a node.
    pub fn of_node(&self, node: &str) -> String {
        self.address(node, "10.20.0")
    }

    fn address(&self, of: &str, range: &str) -> String {
        let mut addresses = self.addresses.borrow_mut();
        let next = addresses.len() + 1;
        addresses.entry(of.to_owned()).or_insert_with(|| format!("{range}.{next}")).clone()
    }

    fn started(&self, pod: Value) -> Value {
        if pod["status"]["phase"] == "Running" {
            return pod;
        }
        let (namespace, name) = (pod["metadata"]["namespace"].as_str().unwrap(), pod["metadata"]["name"].as_str().unwrap());
        let node = self.of_node(pod["spec"]["nodeName"].as_str().unwrap());
        let own = || self.address(&format!("{namespace}/{name}"), "10.42.1");
        let address = if pod["spec"]["hostNetwork"] == true { node.clone() } else { own() };
        let ready = json!({ "type": "Ready", "status": "True" });
        let status = json!({ "status": {
            "phase": "Running", "hostIP": node, "hostIPs": [{ "ip": node }], "podIP": address, "podIPs": [{ "ip": address }], "conditions": [ready],
        }});
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
        self.plane.masters.patch(&format!("{path}/status"), Patch::Merge, &status).ok().unwrap()
    }
}

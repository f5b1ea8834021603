//! Where the objects of each kind live, as the server tells.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::client::Client;

/// What the server has said of its kinds so far.
pub struct Resources {
    client: Client,
    known: RefCell<BTreeMap<(String, String), Resource>>,
}

/// A kind's resource.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its name in paths.
    pub plural: String,
    /// Whether its objects lie in namespaces.
    pub namespaced: bool,
}

impl Resources {
    /// Knows nothing yet.
    pub fn new(client: Client) -> Self {
        Self { client, known: RefCell::default() }
    }

    /// The path of the collection that an object belongs to.
    pub fn collection(&self, object: &Value) -> Result<String, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let resource = self.resource(&version, &kind)?;
        let namespace = match object["metadata"]["namespace"].as_str() {
            Some(namespace) if resource.namespaced => format!("/namespaces/{namespace}"),
            None if resource.namespaced => return Err(format!("{} has no namespace", describe(object))),
            _ => String::new(),
        };
        Ok(format!("{}{namespace}/{}", group(&version), resource.plural))
    }

    /// An object's own path.
    pub fn path(&self, object: &Value) -> Result<String, String> {
        let name = object["metadata"]["name"].as_str().ok_or_else(|| format!("{} has no name", describe(object)))?;
        Ok(format!("{}/{name}", self.collection(object)?))
    }

    fn resource(&self, version: &str, kind: &str) -> Result<Resource, String> {
        let key = (version.to_owned(), kind.to_owned());
        if let Some(resource) = self.known.borrow().get(&key) {
            return Ok(resource.clone());
        }
        let said = self.client.get(&group(version)).ok().map_err(|why| format!("{version} {kind}: {why}"))?;
        for entry in said["resources"].as_array().into_iter().flatten() {
            let (plural, kind) = (entry["name"].as_str().unwrap(), entry["kind"].as_str().unwrap());
            if !plural.contains('/') {
                let resource = Resource { plural: plural.to_owned(), namespaced: entry["namespaced"] == true };
                self.known.borrow_mut().insert((version.to_owned(), kind.to_owned()), resource);
            }
        }
        self.known.borrow().get(&key).cloned().ok_or_else(|| format!("the server has no kind {kind} in {version}"))
    }
}

/// What an object is called in messages.
pub fn describe(object: &Value) -> String {
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().or(metadata["generateName"].as_str()).unwrap_or("nameless");
    let kind = object["kind"].as_str().unwrap_or("object of no kind");
    match metadata["namespace"].as_str() {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

fn group(version: &str) -> String {
    if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") }
}

//! What delivers the sample's trees: the real server takes every object with Flux' and Argo CD's own definitions, and each deployer can apply and
//! remove exactly what its `Kustomization` names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::apply::{self, Layers};
use crate::client::{Client, Patch, User};
use crate::etcd::Etcd;
use crate::judges::Judges;
use crate::plane::Plane;
use crate::runner::Verdict;
use crate::session::{accepted, guarded, none};

/// The cluster whose deployers are tried: two tiers share it.
const CLUSTER: &str = "shared-tokyo";
const ACCEPTED: &str = "delivery/accepted";
const DEPLOYERS: &str = "delivery/deployers";

/// The names of its tests.
pub const NAMES: [&str; 2] = [ACCEPTED, DEPLOYERS];

/// Runs those that are wanted on what was built of the sample's `output/`.
pub fn run(judges: &Judges, etcd: &Etcd, built: &BTreeMap<String, Vec<Value>>, wanted: &dyn Fn(&str) -> bool, say: &dyn Fn(&str, Verdict)) {
    let folders: BTreeMap<&String, &Vec<Value>> = built.iter().filter(|(folder, _)| folder.starts_with("delivery/")).collect();
    let layers = apply::layers(built, CLUSTER);
    let groups = apply::groups(layers.values().flatten().chain(folders.values().copied().flatten()));
    let plane = guarded(|| Ok(Plane::start(judges, etcd, "delivery", &groups)));
    let on_plane = |look: &dyn Fn(&Plane<'_>) -> Verdict| plane.as_ref().map_err(Clone::clone).and_then(|plane| guarded(|| look(plane)));
    if wanted(ACCEPTED) {
        say(ACCEPTED, on_plane(&|plane| every_folder_is_accepted(plane, &folders)));
    }
    if wanted(DEPLOYERS) {
        say(DEPLOYERS, on_plane(&|plane| deployers(plane, built, &layers)));
    }
}

fn every_folder_is_accepted(plane: &Plane<'_>, folders: &BTreeMap<&String, &Vec<Value>>) -> Verdict {
    let tools: BTreeSet<&str> = folders.keys().filter_map(|folder| folder.split('/').nth(1)).collect();
    if tools != BTreeSet::from(["argocd", "flux"]) {
        return Err(format!("the sample is delivered by {tools:?}"));
    }
    for (folder, objects) in folders {
        namespaces(plane, objects);
        let one = Layers::from([((*folder).clone(), (*objects).clone())]);
        accepted(plane, &one).map_err(|why| format!("{folder}: {why}"))?;
    }
    Ok(())
}

/// Makes the namespaces of the tools themselves: their own installation has.
fn namespaces(plane: &Plane<'_>, objects: &[Value]) {
    for name in objects.iter().filter_map(|object| object["metadata"]["namespace"].as_str()).collect::<BTreeSet<_>>() {
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
        apply::apply_object(plane, &namespace).unwrap();
    }
}

fn deployers(plane: &Plane<'_>, built: &BTreeMap<String, Vec<Value>>, layers: &Layers) -> Verdict {
    let before: Layers =
        layers.iter().filter(|(layer, _)| layer.as_str() < "40").map(|(layer, all)| (layer.clone(), all.clone())).collect();
    let applied = apply::apply(plane, &before);
    none("objects are not accepted", &applied.complaints)?;
    let kustomizations = built[&format!("delivery/flux/{CLUSTER}")].iter().filter(|object| object["kind"] == "Kustomization");
    let units: Vec<(String, &Vec<Value>)> = kustomizations
        .filter(|object| object["metadata"]["name"].as_str().unwrap().starts_with("40-workloads."))
        .map(|object| {
            let account = object["spec"]["serviceAccountName"].as_str().unwrap();
            let namespace = object["metadata"]["namespace"].as_str().unwrap();
            let folder = object["spec"]["path"].as_str().unwrap().strip_prefix("./output/").unwrap();
            (format!("system:serviceaccount:{namespace}:{account}"), &built[folder])
        })
        .collect();
    if units.len() < 2 {
        return Err(format!("{CLUSTER} has {} units of workloads: nothing is shown", units.len()));
    }
    let mut wrong = Vec::new();
    for (user, _) in &units {
        let groups = vec!["system:serviceaccounts".to_owned(), "system:serviceaccounts:flux-system".to_owned()];
        let client = plane.client(&User { user: user.clone(), groups });
        for (other, objects) in &units {
            for object in *objects {
                let answer = put(plane, &client, object);
                match (other == user, answer.is_ok()) {
                    (true, false) => wrong.push(format!("{user} cannot apply its own {}", answer.unwrap_err())),
                    (false, true) => wrong.push(format!("{user} applied another's {object}")),
                    _ => {}
                }
            }
        }
        wrong.extend(beyond(plane, &client, &units, user));
    }
    for (user, objects) in &units {
        let client = plane.client(&User { user: user.clone(), groups: Vec::new() });
        for object in *objects {
            let path = plane.resources.path(object)?;
            if let Err(why) = client.delete(&path).ok() {
                wrong.push(format!("{user} cannot remove its own {path}: {why}"));
            }
        }
    }
    none("deployers may do other than what they are for", &wrong)
}

/// What a deployer can make though it is no workload.
fn beyond(plane: &Plane<'_>, client: &Client, units: &[(String, &Vec<Value>)], user: &str) -> Vec<String> {
    let own = units.iter().find(|(name, _)| name == user).and_then(|(_, objects)| objects[0]["metadata"]["namespace"].as_str()).unwrap();
    let rule = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["get"] }]);
    let of = |version: &str, kind: &str, namespace: Option<&str>, more: Value| {
        let mut object = json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "beyond" } });
        if let Some(namespace) = namespace {
            object["metadata"]["namespace"] = namespace.into();
        }
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let rbac = "rbac.authorization.k8s.io/v1";
    let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin" });
    let subjects = json!([{ "kind": "ServiceAccount", "name": "default", "namespace": own }]);
    let all = [
        of(rbac, "ClusterRole", None, json!({ "rules": rule })),
        of(rbac, "ClusterRoleBinding", None, json!({ "roleRef": role, "subjects": subjects })),
        of(rbac, "Role", Some(own), json!({ "rules": rule })),
        of(rbac, "RoleBinding", Some(own), json!({ "roleRef": role, "subjects": subjects })),
        of("v1", "Secret", Some(own), json!({})),
        of("v1", "Namespace", None, json!({})),
        of("v1", "ResourceQuota", Some(own), json!({ "spec": { "hard": { "pods": "1" } } })),
        of("networking.k8s.io/v1", "NetworkPolicy", Some(own), json!({ "spec": { "podSelector": {} } })),
        of("v1", "ConfigMap", Some("kube-system"), json!({})),
        of("v1", "ServiceAccount", Some("flux-system"), json!({})),
    ];
    all.iter().filter(|object| put(plane, client, object).is_ok()).map(|object| format!("{user} applied {object}")).collect()
}

/// Applies an object as Flux does, as somebody.
fn put(plane: &Plane<'_>, client: &Client, object: &Value) -> Result<Value, String> {
    let path = plane.resources.path(object)?;
    let answer = client.patch(&format!("{path}?fieldManager=kustomize-controller&fieldValidation=Strict&force=true"), Patch::Apply, object);
    answer.ok().map_err(|why| format!("{path}: {why}"))
}

//! What the identities that apply a cluster's tree may do: exactly the kinds of object that the tree holds, and of roles and bindings exactly
//! those, by name (I8, CIS 5.1.8).
//!
//! Names of roles are known only once they are rendered, so these few objects are rendered here too. `bind`, `escalate` and `create` that are
//! limited to names hold for server-side apply, whose path has the name; a POST has none.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::{Value, json};

use super::contents::ObjectType;
use super::delivery::Known;
use super::{Content, Plan, Planned};
use crate::catalog::{Catalog, Layer};
use crate::model::Model;
use crate::render::Engine;
use crate::yaml::manifest;

/// The API group of roles and bindings.
const RBAC: &str = "rbac.authorization.k8s.io";
/// Their kinds, each with its resource and whether it is a role: one that is bound, and that may hold more than whoever writes it.
const KINDS: [(&str, &str, bool); 4] = [
    ("ClusterRole", "clusterroles", true),
    ("ClusterRoleBinding", "clusterrolebindings", false),
    ("Role", "roles", true),
    ("RoleBinding", "rolebindings", false),
];

/// Of the core group, written by name in the platform's layers: other programs take their configuration from objects of this kind, in any
/// namespace, and EKS even who is an administrator.
const CONFIG_MAPS: (&str, &str) = ("ConfigMap", "configmaps");

/// Names by resource.
type Names = BTreeMap<&'static str, BTreeSet<String>>;

/// `appliers` of every cluster that something delivers: the rules of `platform` (who applies the platform's layers) and of `everything` (who
/// applies all layers and watches them), each as `{groups, resources, names, verbs}`.
pub fn all(plan: &Plan, model: &Model<'_>, catalog: &Catalog, engine: &Engine, known: &Known) -> BTreeMap<usize, Value> {
    let delivered = (0..model.clusters.all.len()).filter(|at| model.deliveries.of(*at).is_some());
    let delivered: Vec<usize> = delivered.collect();
    let of = |at: usize| {
        let cluster = model.clusters.name(at);
        let layers = |wanted: &dyn Fn(Layer) -> bool| -> Vec<String> {
            let layers = Layer::WORDS.iter().filter(|word| Layer::from_word(word).is_some_and(wanted));
            layers.map(|layer| format!("clusters/{cluster}/{layer}")).collect()
        };
        let names = names(plan, catalog, engine, cluster);
        let present = |folders: &[String]| folders.iter().flat_map(|folder| known.contents.of_folder(folder)).cloned().collect();
        let platform: BTreeSet<ObjectType> = present(&layers(&|layer| layer != Layer::Workloads));
        let everything: BTreeSet<ObjectType> = present(&layers(&|_| true));
        let possible = known.platform.union(&known.workloads).cloned().collect();
        // Who applies workloads, too, writes ConfigMaps of any name.
        let roles: Names =
            names.iter().filter(|(resource, _)| **resource != CONFIG_MAPS.1).map(|(at, names)| (*at, names.clone())).collect();
        json!({
            "platform": rules(&platform, &known.platform, &names, false),
            "everything": rules(&everything, &possible, &roles, true),
        })
    };
    delivered.par_iter().map(|at| (*at, of(*at))).collect()
}

/// What is present is written; of what is gone the last object may still have to be removed.
fn rules(present: &BTreeSet<ObjectType>, possible: &BTreeSet<ObjectType>, names: &Names, watches: bool) -> Vec<Value> {
    let mut rules = Vec::new();
    let reads: &[&str] = if watches { &["get", "list", "watch"] } else { &["get"] };
    let verbs = |written: &[&'static str]| -> Vec<String> {
        let all: BTreeSet<&str> = written.iter().chain(reads).copied().collect();
        all.into_iter().map(str::to_owned).collect()
    };
    let mut add = |types: BTreeSet<&ObjectType>, verbs: Vec<String>| {
        let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for found in types.into_iter().filter(|found| found.group != RBAC) {
            groups.entry(&found.group).or_default().insert(&found.resource);
        }
        let rule = |(group, resources)| json!({ "groups": [group], "resources": resources, "names": null, "verbs": verbs });
        rules.extend(groups.into_iter().map(rule));
    };
    let named = names.get(CONFIG_MAPS.1);
    let by_name = |found: &&ObjectType| named.is_some() && found.group.is_empty() && found.resource == CONFIG_MAPS.1;
    add(present.iter().filter(|found| !by_name(found)).collect(), verbs(&["create", "delete", "patch"]));
    add(possible.difference(present).chain(present.iter().filter(by_name)).collect(), verbs(&["delete"]));
    if let Some(names) = named {
        rules.push(json!({ "groups": [""], "resources": [CONFIG_MAPS.1], "names": names, "verbs": verbs(&["create", "patch"]) }));
    }
    for (_, resource, is_role) in KINDS {
        let Some(names) = names.get(resource) else { continue };
        let verbs: &[&str] = if is_role { &["bind", "create", "escalate", "patch"] } else { &["create", "patch"] };
        rules.push(json!({ "groups": [RBAC], "resources": [resource], "names": names, "verbs": verbs }));
    }
    // What is revoked must go, whatever it was called.
    let resources: Vec<&str> = KINDS.iter().map(|(_, resource, _)| *resource).collect();
    rules.push(json!({ "groups": [RBAC], "resources": resources, "names": null, "verbs": verbs(&["delete"]) }));
    rules
}

/// The names of all roles and bindings of a cluster's tree, and of the ConfigMaps in its platform's layers. What cannot be rendered is reported when all is rendered.
fn names(plan: &Plan, catalog: &Catalog, engine: &Engine, cluster: &str) -> Names {
    let prefix = format!("clusters/{cluster}/");
    let workloads = format!("{prefix}{}/", Layer::Workloads.as_str());
    let files = plan.files.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
    let objects = files.flat_map(|(path, file)| match &file.content {
        Content::Rendered(objects) => objects.iter().map(|planned| (path.starts_with(&workloads), planned)).collect(),
        Content::Kustomization(_) => Vec::new(),
    });
    let mut names = Names::new();
    for (is_workloads, planned) in objects {
        let stated = catalog.kinds[planned.kind].templates[planned.template].object_type();
        let Some((version, kind)) = stated else { continue };
        let known = KINDS.iter().find(|(name, ..)| *name == kind).filter(|_| version.starts_with(RBAC)).map(|(_, resource, _)| *resource);
        let config = (version == "v1" && kind == CONFIG_MAPS.0 && !is_workloads).then_some(CONFIG_MAPS.1);
        if let Some(resource) = known.or(config)
            && let Some(name) = name(planned, catalog, engine)
        {
            names.entry(resource).or_default().insert(name);
        }
    }
    names
}

fn name(planned: &Planned, catalog: &Catalog, engine: &Engine) -> Option<String> {
    let text = engine.render(&catalog.kinds[planned.kind], planned.template, &planned.view).ok()?;
    let object = manifest::read(&text).ok()?.pop()?;
    Some(object["metadata"]["name"].as_str()?.to_owned())
}

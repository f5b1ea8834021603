//! Which kinds of object each part of the tree holds: who applies it may write those, and no others (I8).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Content, Plan, Planned};
use crate::catalog::{Catalog, CustomSchema, Layer, Template};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::model::Model;
use crate::schema::{Minor, Schemas};

/// A kind of object as roles and projects name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectType {
    /// Its API group; empty for the core one.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The resource: the kind's plural in lower case.
    pub resource: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

/// The kinds of object in each layer, and in each folder of a layer, by path.
#[derive(Debug, Default)]
pub struct Contents {
    folders: BTreeMap<String, BTreeSet<ObjectType>>,
}

impl Contents {
    /// What a plan holds so far, of clusters that something delivers. A template that hides what it makes is a finding: its objects would be
    /// refused to whoever applies them.
    pub fn of(plan: &Plan, model: &Model<'_>, catalog: &Catalog, schemas: &Schemas, findings: &mut Findings) -> Self {
        let mut contents = Self::default();
        let mut hidden = BTreeSet::new();
        for (path, file) in &plan.files {
            let parts: Vec<&str> = path.split('/').collect();
            let ["clusters", cluster, _, rest @ ..] = &parts[..] else { continue };
            if model.clusters.index.get(cluster).and_then(|at| model.deliveries.of(at)).is_none() {
                continue;
            }
            let objects = match &file.content {
                Content::Rendered(objects) => objects,
                Content::Kustomization(_) => continue,
            };
            for planned in objects {
                let template = &catalog.kinds[planned.kind].templates[planned.template];
                let stated = template.object_type().or_else(|| whole_item(planned));
                let Some((version, kind)) = stated else {
                    if hidden.insert(template.file) {
                        let message = "what delivers the tree must know which kind of object this makes";
                        let diag = Diag::new(Code::BlueprintInvalid, template.start(), message).related(planned.origin, "made for this");
                        findings.push(diag.help("Write `apiVersion` and `kind` once each, in plain text at the beginning of a line."));
                    }
                    continue;
                };
                let found = object_type(planned.minor.unwrap_or(Minor::NEWEST), version, kind, schemas);
                if rest.len() > 1 {
                    contents.folders.entry(parts[..4].join("/")).or_default().insert(found.clone());
                }
                contents.folders.entry(parts[..3].join("/")).or_default().insert(found);
            }
        }
        contents
    }

    /// Every kind of object that the catalog can make in some layers, whether a tree has one now or not: who applies them must still be able to
    /// remove the last object of a kind. Among the workloads these are also the custom kinds that adopted ones may bring along.
    pub fn possible(catalog: &Catalog, schemas: &Schemas, layers: impl Fn(Layer) -> bool) -> BTreeSet<ObjectType> {
        let kinds = catalog.kinds.iter().filter(|kind| kind.layer.is_some_and(&layers));
        let made = kinds.flat_map(|kind| &kind.templates).filter_map(Template::object_type);
        let brought = catalog.custom_schemas.iter().filter(|custom| layers(Layer::Workloads) && may_be_brought(custom));
        let brought = brought.map(|custom| (custom.api_version.as_str(), custom.kind.as_str()));
        made.chain(brought).map(|(version, kind)| object_type(Minor::NEWEST, version, kind, schemas)).collect()
    }

    /// The kinds of object in a layer's folder, or in a folder of it.
    pub fn of_folder(&self, folder: &str) -> impl Iterator<Item = &ObjectType> {
        self.folders.get(folder).into_iter().flatten()
    }
}

/// The API version and kind of an object that a template takes as it is: `item` itself is one, as those of adopted workloads are.
fn whole_item(planned: &Planned) -> Option<(&str, &str)> {
    let item = planned.view.get("item")?.json();
    Some((item["apiVersion"].as_str()?, item["kind"].as_str()?))
}

/// Whether an adopted workload may bring a custom kind along: its resource's name is stated, and no rule refuses it.
fn may_be_brought(custom: &CustomSchema) -> bool {
    let group = custom.api_version.split_once('/').map_or("", |(group, _)| group);
    custom.plural.is_some() && custom.namespaced && crate::model::may_be_adopted(group, &custom.kind)
}

fn object_type(minor: Minor, version: &str, kind: &str, schemas: &Schemas) -> ObjectType {
    let known = schemas.kind(minor, version, kind);
    ObjectType {
        group: version.split_once('/').map_or("", |(group, _)| group).to_owned(),
        kind: kind.to_owned(),
        resource: known.and_then(|known| known.plural).map_or_else(|| crate::schema::plural(kind), str::to_owned),
        namespaced: known.is_none_or(|known| known.namespaced),
    }
}

/// What the role of a namespace's deployer holds, as `{group, resources, present}`: the kinds that are there, then those that may have been.
pub fn rules(present: &BTreeSet<&ObjectType>, possible: &BTreeSet<ObjectType>) -> Value {
    if present.is_empty() {
        return json!([]);
    }
    let gone: BTreeSet<&ObjectType> = possible.iter().filter(|found| found.namespaced && !present.contains(found)).collect();
    let by_group = |types: &BTreeSet<&ObjectType>, present: bool| {
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for found in types {
            groups.entry(found.group.clone()).or_default().insert(found.resource.clone());
        }
        groups.into_iter().map(move |(group, resources)| json!({ "group": group, "resources": resources, "present": present }))
    };
    by_group(present, true).chain(by_group(&gone, false)).collect()
}

/// The kinds as an `AppProject` lists them.
pub fn kinds<'a>(types: impl Iterator<Item = &'a ObjectType>) -> Value {
    let pairs: BTreeSet<(&str, &str)> = types.map(|found| (found.group.as_str(), found.kind.as_str())).collect();
    pairs.into_iter().map(|(group, kind)| json!({ "group": group, "kind": kind })).collect()
}

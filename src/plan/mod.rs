//! The plan: every object's scope, layer, path, template, values and origin, decided before anything is rendered.

mod appliers;
mod contents;
mod custom;
mod delivery;
mod kustomization;
mod paths;
mod print;
mod subjects;
mod units;
pub mod view;

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;

use crate::catalog::{After, Catalog, Kind, Layer, Output, Scope};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::model::Model;
use crate::render::{Engine, Failure, View, ViewValue};
use crate::schema::{Minor, Schemas};
use crate::source::Span;
use crate::tree::TreePath;
use contents::Contents;
use delivery::Known;
use subjects::Subject;

pub use print::to_json;

/// One object, or one document, that a template will make.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The kind's position in the catalog.
    pub kind: usize,
    /// The template's position within the kind.
    pub template: usize,
    /// What the template sees.
    pub view: View,
    /// The inventory's line that led here.
    pub origin: Span,
    /// The cluster's minor; none for what belongs to no cluster.
    pub minor: Option<Minor>,
}

/// What a file holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Objects in the order in which they are written, or one document.
    Rendered(Vec<Planned>),
    /// A `kustomization.yaml`.
    Kustomization(Value),
}

/// One file of the tree.
#[derive(Clone, Debug)]
pub struct File {
    /// Who it is for: `workload payments/card-vault @restricted-tokyo`.
    pub owner: String,
    /// The inventory's line that led to it first.
    pub origin: Span,
    /// What it holds.
    pub content: Content,
}

/// Every file of the tree by its path below the output's root: written once, and no path is a folder of another.
#[derive(Debug, Default)]
pub struct Plan {
    /// The files.
    pub files: BTreeMap<String, File>,
    /// The folders of whose objects whoever applies them can write into one namespace alone, and where the inventory says that something does.
    pub confined: BTreeMap<String, Confined>,
}

/// The reach of whoever applies a folder.
#[derive(Clone, Debug)]
pub struct Confined {
    /// The one namespace.
    pub namespace: String,
    /// The delivery.
    pub delivery: Span,
}

impl Plan {
    /// The reach of whoever applies a file, where that is one namespace.
    pub fn confined_to(&self, path: &str) -> Option<&Confined> {
        let mut folders = path.match_indices('/').rev().map(|(end, _)| &path[..end]);
        folders.find_map(|folder| self.confined.get(folder))
    }
}

/// An object, its path and who it is for.
type Placed = (String, String, Planned);

/// Plans the whole tree of a model. `custom` is where a site keeps its own Kustomize components.
///
/// What delivers the tree comes last: it may write the kinds of object that the tree has and no others, so these must be known before.
///
/// Fails on a defective blueprint alone: an expression that cannot be evaluated, a path that is none, two owners of one path; and on what
/// nothing would apply.
pub fn plan(model: &Model<'_>, catalog: &Catalog, engine: &Engine, schemas: &Schemas, custom: &Path, findings: &mut Findings) -> Plan {
    let mut subjects = subjects::all(model);
    let mut planner = Planner { catalog, engine, plan: Plan::default(), defects: Findings::new() };
    planner.add(&subjects, None, findings);
    let contents = Contents::of(&planner.plan, model, catalog, schemas, findings);
    let possible = Contents::possible(catalog, schemas, |layer| layer == Layer::Workloads);
    for subject in subjects.iter_mut().filter(|subject| subject.scope == Scope::Namespace) {
        let folder = subject.workloads.clone().unwrap_or_default();
        let rules = contents::rules(&contents.of_folder(&folder).collect(), &possible);
        subject.view = std::mem::take(&mut subject.view).with("contents", ViewValue::new(rules));
    }
    planner.add(&subjects, Some(After::Workloads), findings);
    planner.sort();
    kustomization::add(&mut planner.plan, model, &custom::components(model, custom, findings));
    planner.plan.confined = units::confined(model);
    units::check(&planner.plan, model, findings);
    let known = Known {
        contents: Contents::of(&planner.plan, model, catalog, schemas, &mut Findings::new()),
        workloads: possible,
        platform: Contents::possible(catalog, schemas, |layer| layer != Layer::Workloads),
    };
    let appliers = appliers::all(&planner.plan, model, catalog, engine, &known);
    subjects::deliver(&mut subjects, model, &planner.plan, &known, appliers);
    planner.add(&subjects, Some(After::Layers), findings);
    planner.sort();
    findings.extend(crate::render::once(planner.defects));
    let mut plan = planner.plan;
    paths::prefix_free(&plan, catalog, findings);
    paths::differ_in_more_than_case(&plan, catalog, findings);
    kustomization::add_delivery(&mut plan);
    plan
}

/// Plans kinds one group after another.
struct Planner<'a> {
    catalog: &'a Catalog,
    engine: &'a Engine,
    plan: Plan,
    defects: Findings,
}

impl Planner<'_> {
    /// Plans the kinds that come after the same things, for every subject of their scope.
    fn add(&mut self, subjects: &[Subject], after: Option<After>, findings: &mut Findings) {
        let catalog = self.catalog;
        let planned: Vec<(Vec<Placed>, Findings)> = subjects
            .par_iter()
            .map(|subject| {
                let mut findings = Findings::new();
                let mut objects = Vec::new();
                let kinds = catalog.kinds.iter().enumerate();
                for (at, kind) in kinds.filter(|(_, kind)| kind.scope == subject.scope && kind.after == after) {
                    match plan_kind(subject, at, kind, self.engine) {
                        Ok(more) => objects.extend(more),
                        Err(failure) => findings.push(failed(failure, subject)),
                    }
                }
                (objects, findings)
            })
            .collect();
        for (objects, more) in planned {
            self.defects.extend(more);
            for (path, owner, object) in objects {
                insert(&mut self.plan, path, owner, object, catalog, findings);
            }
        }
    }

    /// Brings the objects of each file into their order.
    fn sort(&mut self) {
        let order = |planned: &Planned| (self.catalog.kinds[planned.kind].order, planned.kind, planned.template);
        for file in self.plan.files.values_mut() {
            if let Content::Rendered(objects) = &mut file.content {
                // Stable: items of one `forEach` keep their order.
                objects.sort_by_key(order);
            }
        }
    }
}

/// The finding that a blueprint failed for a subject: at the template's line and at the inventory's.
pub fn failed(failure: Failure, subject: &Subject) -> Diag {
    failure.into_diag().related(subject.origin, "for this")
}

fn plan_kind(subject: &Subject, at: usize, kind: &Kind, engine: &Engine) -> Result<Vec<Placed>, Failure> {
    if !engine.condition(kind, &subject.view)? {
        return Ok(Vec::new());
    }
    let views = if kind.for_each.is_some() {
        let items = engine.items(kind, &subject.view)?.into_iter().enumerate();
        items.map(|(index, item)| subject.view.clone().with("item", item).with("index", ViewValue::new(index.into()))).collect()
    } else {
        vec![subject.view.clone()]
    };
    let mut objects = Vec::new();
    for view in views {
        let path = engine.path(kind, &view)?;
        let invalid = |problem: String| Failure {
            code: Code::PathInvalid,
            span: kind.path.span,
            message: format!("`{path}` is no path of the tree: {problem}"),
            help: Some("Change `path` in `kind.yaml`, or the name in the inventory that it is made of.".to_owned()),
            related: None,
        };
        paths::check(&path).map_err(|rule| invalid(rule.to_owned()))?;
        if let Some(failure) = mismatch(kind, &path).or_else(|| misplaced(kind, &path)) {
            return Err(failure);
        }
        let whole = match (kind.layer, &subject.cluster) {
            (Some(layer), Some(cluster)) => format!("clusters/{cluster}/{}/{path}", layer.as_str()),
            (Some(_), None) => {
                let message = format!("the scope `{}` belongs to no cluster, and only clusters have layers", kind.scope.as_str());
                let help = Some("Leave `layer` out of `kind.yaml`, or choose a scope within a cluster.".to_owned());
                return Err(Failure { code: Code::BlueprintInvalid, span: kind.layer_span, message, help, related: None });
            }
            (None, _) => path.clone(),
        };
        TreePath::parse(whole.as_str()).map_err(|error| invalid(format!("it {}", error.problem)))?;
        for template in 0..kind.templates.len() {
            let planned = Planned { kind: at, template, view: view.clone(), origin: subject.origin, minor: subject.minor };
            objects.push((whole.clone(), subject.owner.clone(), planned));
        }
    }
    Ok(objects)
}

/// Whether a file is JSON, which holds one document and no comment.
pub fn is_json(path: &str) -> bool {
    has_ending(path, "json")
}

fn has_ending(path: &str, ending: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

/// Values are escaped for what a template's name says; what the file's name says has to be the same.
fn mismatch(kind: &Kind, path: &str) -> Option<Failure> {
    let output = Output::of(path);
    // A document may have an ending that says nothing, as a `.conf` that holds YAML has.
    let unknown = output == Output::Text && !has_ending(path, "txt") && kind.layer.is_none();
    let template = kind.templates.iter().find(|template| template.output != output && !unknown)?;
    let message = format!("`{path}` is {}, and the template that it is written by is for {}", output.as_str(), template.output.as_str());
    let rename = if kind.layer.is_some() { String::new() } else { format!(", or name the template `NAME{}.j2`", output.ending()) };
    let help = format!("Values are escaped for what the template's name says: let `path` end in `{}`{rename}.", template.output.ending());
    let related = Some((template.start(), "this template".to_owned()));
    Some(Failure { code: Code::BlueprintInvalid, span: kind.path.span, message, help: Some(help), related })
}

/// What is applied stands where a kustomization lists it, and nothing else stands there.
fn misplaced(kind: &Kind, path: &str) -> Option<Failure> {
    let parts: Vec<&str> = path.split('/').collect();
    let first_is = |name: &str| parts[0].eq_ignore_ascii_case(name);
    let (rule, help) = match kind.after {
        _ if kind.layer.is_some() => return None,
        _ if first_is("clusters") => (
            "what is there belongs to a layer, and the kind states none",
            "Write `layer` in `kind.yaml`, and a `path` below its folder; a document has its place in `bootstrap/CLUSTER/`.",
        ),
        _ if !first_is("delivery") => return None,
        Some(After::Layers) if parts.len() >= 4 => return None,
        Some(After::Layers) => (
            "what applies the layers is in a folder of a tool and a cluster",
            "Let `path` begin with `delivery/TOOL/CLUSTER/` or `delivery/TOOL/INSTANCE/`.",
        ),
        _ => (
            "what is there applies the layers, and the kind does not say that it does",
            "Write `after: layers` in `kind.yaml`; a document has its place in `bootstrap/CLUSTER/`.",
        ),
    };
    let message = format!("`{path}` is no place for this kind: {rule}");
    Some(Failure { code: Code::PathInvalid, span: kind.path.span, message, help: Some(help.to_owned()), related: None })
}

fn insert(plan: &mut Plan, path: String, owner: String, object: Planned, catalog: &Catalog, findings: &mut Findings) {
    let kind = &catalog.kinds[object.kind];
    let Some(file) = plan.files.get_mut(&path) else {
        plan.files.insert(path, File { owner, origin: object.origin, content: Content::Rendered(vec![object]) });
        return;
    };
    let Content::Rendered(objects) = &mut file.content else { return };
    let is_document = |object: &Planned| catalog.kinds[object.kind].templates[object.template].output != Output::Data;
    let documents = is_json(&path) || is_document(&object) || objects.iter().any(is_document);
    if file.owner == owner && !documents {
        objects.push(object);
        return;
    }
    let message = if file.owner == owner {
        format!("`{path}` is planned twice for {owner}, and a document is alone in its file")
    } else {
        format!("`{path}` is planned by {owner} and by {}", file.owner)
    };
    let mut diag = Diag::new(Code::PathClash, object.origin, message);
    if file.origin != object.origin {
        diag = diag.related(file.origin, "the other owner");
    }
    findings.push(
        diag.related(kind.path.span, "by this pattern").help("Rename one of them, or let the pattern hold more of what tells them apart."),
    );
}

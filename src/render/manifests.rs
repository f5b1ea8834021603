//! From a plan to the text of every file: render, read back, check against the cluster's Kubernetes, write canonically.
//!
//! Pure and parallel: the same plan gives the same bytes on any number of threads. The one thing that can be wrong is a blueprint, and then
//! the finding shows its line and the inventory's line that it was rendered for (I3).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use rayon::prelude::*;
use serde_json::Value;

use super::Engine;
use crate::catalog::{Catalog, Kind, Output, Template};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::plan::{Confined, Content, File, Plan, Planned, is_json};
use crate::schema::{Minor, PathSegment, Problem, Schemas, check_carried, check_name, explained};
use crate::source::{Files, Span};
use crate::tree::{FileContent, Tree, TreePath};
use crate::yaml::{emit, manifest};

/// What identifies an object within a cluster: API group, kind, namespace, name.
type Identity = (String, String, String, String);

/// An object's identity, its template and the inventory's line.
type Made = (Identity, Span, Span);

/// A file's text, where it has one, the objects in it, and what is wrong with their templates.
type Rendered = (Option<String>, Vec<Made>, Findings);

/// Renders every file of a plan. The plan is used up: what a file was made from is given back as soon as it is made, so that a large fleet
/// is never held twice.
pub fn manifests(plan: Plan, catalog: &Catalog, engine: &Engine, schemas: &Schemas, sources: &Files, findings: &mut Findings) -> Tree {
    let renderer = Renderer { catalog, engine, schemas, sources };
    let files: Vec<(String, File, Option<Confined>)> = {
        let reach: Vec<Option<Confined>> = plan.files.keys().map(|path| plan.confined_to(path).cloned()).collect();
        plan.files.into_iter().zip(reach).map(|((path, file), reach)| (path, file, reach)).collect()
    };
    let rendered: Vec<(String, String, Span, Rendered)> = files
        .into_par_iter()
        .map(|(path, file, reach)| {
            let rendered = renderer.file(&path, &file, reach.as_ref());
            (path, file.owner, file.origin, rendered)
        })
        .collect();
    let mut tree = Tree::new();
    let mut seen: BTreeMap<(String, Identity), (Span, Span)> = BTreeMap::new();
    let mut defects = Findings::new();
    for (path, owner, origin, (text, made, more)) in rendered {
        defects.extend(more);
        let scope = place(&path);
        for (identity, template, made_for) in made {
            match seen.entry((scope.clone(), identity)) {
                Entry::Vacant(place) => {
                    place.insert((template, made_for));
                }
                Entry::Occupied(first) => {
                    let ((_, (_, kind, namespace, name)), (other, first)) = (first.key(), first.get());
                    let message = format!("the {kind} `{name}`{} is made twice", within(namespace));
                    let diag = Diag::new(Code::DuplicateObject, made_for, message).related(template, "by this template");
                    let diag = diag.related(*other, "and by this one");
                    let diag = if *first == made_for { diag } else { diag.related(*first, "for this") };
                    findings.push(diag.help("Give one of them another name."));
                }
            }
        }
        match (TreePath::parse(path), text) {
            (Ok(path), Some(text)) => tree.insert(path, FileContent { text, owner, origin }),
            (Err(error), _) => findings.push(Diag::new(Code::PathInvalid, origin, error.to_string())),
            (Ok(_), None) => {}
        }
    }
    findings.extend(once(defects));
    tree
}

/// The findings with each defect of a template named once, for the first that it was rendered for, however many came after it.
pub(crate) fn once(defects: Findings) -> Findings {
    let mut first: BTreeMap<(Code, Span, String), (Diag, usize)> = BTreeMap::new();
    for diag in defects {
        let key = (diag.code, diag.primary.span, diag.message.clone());
        first.entry(key).and_modify(|(_, more)| *more += 1).or_insert((diag, 0));
    }
    let counted = first.into_values().map(|(diag, more)| if more == 0 { diag } else { diag.help(format!("The same for {more} more.")) });
    counted.collect()
}

/// Where a path's objects must differ from one another: the cluster, the folder of a tool's own objects, what a cluster begins with.
fn place(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["clusters", cluster, ..] => cluster.to_owned(),
        ["delivery", tool, of, ..] => format!("delivery/{tool}/{of}"),
        ["bootstrap", cluster, ..] => format!("bootstrap/{cluster}"),
        _ => String::new(),
    }
}

fn within(namespace: &str) -> String {
    if namespace.is_empty() { String::new() } else { format!(" in `{namespace}`") }
}

struct Renderer<'a> {
    catalog: &'a Catalog,
    engine: &'a Engine,
    schemas: &'a Schemas,
    sources: &'a Files,
}

impl Renderer<'_> {
    fn file(&self, path: &str, file: &File, reach: Option<&Confined>) -> Rendered {
        let mut findings = Findings::new();
        let header = format!(
            "Generated by ringfence from {}. Do not edit: change the inventory and generate again.",
            self.sources.project_path(file.origin.file)
        );
        let objects = match &file.content {
            Content::Kustomization(value) => return (Some(emit::file(&[&header], std::slice::from_ref(value))), Vec::new(), findings),
            Content::Rendered(objects) => objects,
        };
        let (mut values, mut made) = (Vec::new(), Vec::new());
        let mut document = None;
        for planned in objects {
            let kind = &self.catalog.kinds[planned.kind];
            let template = &kind.templates[planned.template];
            let text = match self.engine.render(kind, planned.template, &planned.view) {
                Ok(text) => text,
                Err(failure) => {
                    findings.push(failure.into_diag().related(planned.origin, "rendered for this"));
                    continue;
                }
            };
            if template.output != Output::Data {
                document = Some(with_header(&header, template.output, &text));
                continue;
            }
            if let Some(value) = self.object(kind, template, planned, &text, &mut findings) {
                if kind.is_manifest() {
                    let written = |path: &[PathSegment]| self.written(kind, template, planned, &text, path);
                    let beyond = reach.and_then(|reach| out_of_reach(&value, reach, written));
                    findings.extend(beyond.map(|diag| diag.related(planned.origin, "rendered for this")));
                    made.push((identity(&value), self.sources.start(template.file), planned.origin));
                }
                values.push(value);
            }
        }
        if !findings.is_empty() {
            return (None, made, findings);
        }
        let data = || match &values[..] {
            [value] if is_json(path) => format!("{value:#}\n"),
            _ => emit::file(&[&header], &values),
        };
        (Some(document.unwrap_or_else(data)), made, findings)
    }

    /// The template's line that wrote what stands at a path of the object.
    fn written(&self, kind: &Kind, template: &Template, planned: &Planned, text: &str, path: &[PathSegment]) -> Span {
        let range = manifest::locate(text, 0, path);
        range.map_or_else(|| template.start(), |range| self.engine.locate(kind, planned.template, &planned.view, &range))
    }

    /// Whether nothing is known of an object's kind.
    fn is_unknown(&self, minor: Minor, value: &Value) -> bool {
        let text = |key: &str| value[key].as_str().unwrap_or_default();
        self.schemas.kind(minor, text("apiVersion"), text("kind")).is_none()
    }

    /// Reads the one object that a template made, and checks it.
    fn object(&self, kind: &Kind, template: &Template, planned: &Planned, text: &str, findings: &mut Findings) -> Option<Value> {
        let at = |range: &Range<usize>| self.engine.locate(kind, planned.template, &planned.view, range);
        let mut documents = match manifest::read(text) {
            Ok(documents) => documents,
            Err(problem) => {
                let rendered = rendered_line(text, problem.span.start);
                let diag = Diag::new(Code::ManifestInvalid, at(&problem.span), problem.message).label(rendered);
                findings.push(diag.related(planned.origin, "rendered for this").maybe_help(problem.help));
                return None;
            }
        };
        if documents.len() != 1 {
            let message = format!("a template makes one object, and this one made {}", documents.len());
            let diag = Diag::new(Code::ManifestInvalid, template.start(), message).related(planned.origin, "rendered for this");
            findings.push(diag.help("Use `when` in `kind.yaml` for none, `forEach` or another template file for several."));
            return None;
        }
        let mut value = documents.pop()?;
        let minor = planned.minor.unwrap_or(Minor::NEWEST);
        if !kind.is_manifest() && self.is_unknown(minor, &value) {
            return Some(value);
        }
        if let Some((version, name)) =
            template.object_type().filter(|(version, name)| value["apiVersion"] != *version || value["kind"] != *name)
        {
            let message = format!("the template states `{version}` `{name}`, and made another kind of object");
            let diag = Diag::new(Code::ManifestInvalid, template.start(), message).related(planned.origin, "rendered for this");
            findings.push(
                diag.help("Write `apiVersion` and `kind` once, at the beginning of a line: who may apply the object follows from them."),
            );
            return None;
        }
        let mut problems = self.schemas.check(minor, &value);
        problems.extend(check_name(&value));
        problems.extend(check_carried(&value));
        for problem in &problems {
            let span = self.written(kind, template, planned, text, &problem.path);
            let diag = Diag::new(Code::ManifestSchema, span, format!("{}: {}", dotted(problem), problem.message));
            let made = value["kind"].as_str().unwrap_or_default();
            let help = problem.help.clone().unwrap_or_else(|| explained(made, &problem.path));
            findings.push(diag.related(planned.origin, "rendered for this").help(help));
        }
        if !problems.is_empty() {
            return None;
        }
        if kind.is_manifest() {
            emit::protect(&mut value);
        }
        Some(value)
    }
}

/// The finding that whoever applies an object cannot write it: it is for another namespace than theirs, or for none. A kind that lives in namespaces has
/// one by now, and no other has.
fn out_of_reach(value: &Value, reach: &Confined, written: impl Fn(&[PathSegment]) -> Span) -> Option<Diag> {
    let kind = value["kind"].as_str().unwrap_or_default();
    let key = |key: &str| PathSegment::Key(key.to_owned());
    let (path, message, help) = match value["metadata"]["namespace"].as_str() {
        Some(namespace) if namespace == reach.namespace => return None,
        Some(namespace) => (
            vec![key("metadata"), key("namespace")],
            format!("nothing would apply this {kind}: it is for the namespace `{namespace}`, and lies in the folder of another"),
            "Let `path` begin with that namespace's folder if it is one of workloads, or choose another `layer`: `30-access` for what a namespace needs.",
        ),
        None => (
            vec![key("kind")],
            format!("nothing would apply this {kind}: it lives in no namespace"),
            "Choose another `layer`: `10-guardrails` for what belongs to a whole cluster.",
        ),
    };
    let diag = Diag::new(Code::NotDelivered, written(&path), message);
    Some(diag.related(reach.delivery, "who delivers a namespace can write there alone").help(help))
}

/// `spec.template.spec.containers[0].image`, or `the object` for its root.
fn dotted(problem: &Problem) -> String {
    let mut path = String::new();
    for segment in &problem.path {
        match segment {
            PathSegment::Key(key) if path.is_empty() => path.push_str(key),
            PathSegment::Key(key) => {
                path.push('.');
                path.push_str(key);
            }
            PathSegment::Index(index) => path.push_str(&["[", &index.to_string(), "]"].concat()),
        }
    }
    if path.is_empty() { "the object".to_owned() } else { path }
}

fn identity(value: &Value) -> Identity {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let group = value["apiVersion"].as_str().and_then(|version| version.split_once('/')).map_or("", |(group, _)| group);
    (group.to_owned(), text(&value["kind"]), text(&value["metadata"]["namespace"]), text(&value["metadata"]["name"]))
}

/// A document for people, with the header as a comment where its format has comments. The header holds the name of a file, which ends no comment.
fn with_header(header: &str, output: Output, text: &str) -> String {
    let header = emit::comment(header);
    let comment = match output {
        // HTML forbids the one within a comment, and so two of the other.
        Output::Markdown | Output::Html => format!("<!-- {} -->", header.replace('>', " ").replace("--", "- ")),
        Output::Shell => format!("# {header}"),
        Output::Data | Output::Text => return text.to_owned(),
    };
    // What is looked for at the very beginning stays there.
    let first = match output {
        Output::Html if text.starts_with("<?xml ") => text.find("?>").map(|at| at + "?>".len()),
        Output::Shell if text.starts_with("#!") => text.find('\n'),
        _ => None,
    };
    let Some((first, rest)) = first.map(|end| text.split_at(end)) else { return format!("{comment}\n{text}") };
    format!("{first}\n{comment}\n{}", rest.strip_prefix('\n').unwrap_or(rest))
}

fn rendered_line(text: &str, byte: usize) -> String {
    let start = text[..byte.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
    let line: String = text[start..].lines().next().unwrap_or_default().trim().chars().take(80).collect();
    format!("rendered as: {line}")
}

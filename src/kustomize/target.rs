//! One folder: its resources, what it generates, its components, then the transformers, in kustomize's own order.

use super::edit::{self, settle_scalars};
use super::folder::{Folder, Reader};
use super::kustomization::{self, Kustomization, StatedPatch};
use super::resource::{Resource, Resources, append};
use super::{Step, generate, invalid, json_patch, merge, references, select, transform, unsupported};
use crate::decode::Findings;
use crate::source::{FileId, Files, Span, Spanned};
use crate::yaml::{Node, Value, read};

/// Builds the folder that the inventory names.
pub fn build(reader: &mut Reader<'_>, folder: &Folder, stated: Span) -> Step<Resources> {
    let file = reader.kustomization(folder, stated)?;
    let kustomization = kustomization::read(reader.files, file)?;
    if let Some(kind) = kustomization.kind.as_ref().filter(|_| kustomization.is_component()) {
        return Err(Box::new(
            invalid(kind.span, "a component builds nothing by itself").help("Name a folder with a Kustomization that uses it."),
        ));
    }
    let mut resources = accumulate(reader, folder, &kustomization, Resources::new())?;
    for resource in &mut resources {
        if resource.hashed {
            resource.remember();
            let name = format!("{}-{}", resource.name(), generate::hash(resource));
            resource.set_meta("name", &name);
        }
    }
    references::fix(&mut resources)?;
    resources.retain(|resource| !transform::is_local(resource));
    for resource in &mut resources {
        resource.texts_only("annotations");
    }
    Ok(resources)
}

/// What a kustomization makes of the objects before it: none, or its user's where it is a component.
fn accumulate(reader: &mut Reader<'_>, folder: &Folder, stated: &Kustomization, mut resources: Resources) -> Step<Resources> {
    for path in stated.resources.iter().chain(&stated.bases) {
        if !reader.is_folder(folder, path, path.span)? {
            for object in objects_of(reader, folder, path)? {
                append(&mut resources, Resource::new(object)?)?;
            }
            continue;
        }
        let (below, kustomization) = enter(reader, folder, path, false)?;
        for resource in accumulate(reader, &below, &kustomization, Resources::new())? {
            append(&mut resources, resource)?;
        }
    }
    let shared = stated.generator_options.as_deref();
    for (kind, generators) in [("ConfigMap", &stated.config_map_generator), ("Secret", &stated.secret_generator)] {
        for generator in generators {
            let made = generate::generate(reader, folder, kind, generator, shared)?;
            generate::absorb(&mut resources, made)?;
        }
    }
    for path in &stated.components {
        let (below, kustomization) = enter(reader, folder, path, true)?;
        resources = accumulate(reader, &below, &kustomization, resources)?;
    }
    transform(reader, folder, stated, &mut resources)?;
    Ok(resources)
}

fn enter(reader: &mut Reader<'_>, from: &Folder, path: &Spanned<String>, component: bool) -> Step<(Folder, Kustomization)> {
    if !reader.is_folder(from, path, path.span)? {
        return Err(invalid(path.span, format!("there is no folder `{}`", path.value)));
    }
    let below = reader.folder(from, path, path.span)?;
    let file = reader.kustomization(&below, path.span)?;
    let kustomization = kustomization::read(reader.files, file)?;
    if kustomization.is_component() != component {
        let (is, belongs) = if component { ("a Kustomization", "resources") } else { ("a Component", "components") };
        return Err(Box::new(invalid(path.span, format!("`{}` is {is}", path.value)).help(format!("Name it under `{belongs}`."))));
    }
    Ok((below, kustomization))
}

/// The objects of a file, with those of lists in the place of the lists.
fn objects_of(reader: &mut Reader<'_>, folder: &Folder, path: &Spanned<String>) -> Step<Vec<Node>> {
    let file = reader.text(folder, path, path.span)?;
    let documents = documents(reader.files.text(file), file)?;
    let mut objects = Vec::new();
    let mut waiting: std::collections::VecDeque<Node> = documents.into();
    while let Some(mut document) = waiting.pop_front() {
        settle_scalars(&mut document)?;
        if edit::is_empty_map(&document) {
            continue;
        }
        if !matches!(document.value, Value::Map(_)) {
            return Err(invalid(document.span, "an object of Kubernetes is a mapping"));
        }
        let is_list = document.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List"));
        match document.get("items").filter(|_| is_list) {
            None => objects.push(document),
            Some(Node { value: Value::Seq(items), .. }) => waiting.extend(items.clone()),
            Some(nothing) if nothing.is_null() => {}
            Some(other) => return Err(invalid(other.span, "the items of a list are a list")),
        }
    }
    Ok(objects)
}

/// Every document of a text; the first thing wrong with it ends the build.
fn documents(text: &str, file: FileId) -> Step<Vec<Node>> {
    let mut findings = Findings::new();
    let documents = read::read(text, file, &mut findings);
    findings.into_iter().next().map_or(Ok(documents), |diag| Err(Box::new(diag)))
}

fn transform(reader: &mut Reader<'_>, folder: &Folder, stated: &Kustomization, resources: &mut Resources) -> Step<()> {
    for entry in &stated.patches_strategic_merge {
        let inline = entry.text().is_some_and(|text| text.contains('\n') || text.contains(": "));
        let parsed = if inline { inline_documents(reader.files, entry)? } else { file_documents(reader, folder, &as_path(entry)?)? };
        for patch in flat(parsed, entry.span)? {
            strategic(resources, patch, None, entry.span)?;
        }
    }
    for patch in &stated.patches {
        apply_patch(reader, folder, patch, resources)?;
    }
    if let Some(namespace) = &stated.namespace {
        transform::namespace(resources, namespace)?;
    }
    if let Some(prefix) = &stated.name_prefix {
        transform::rename(resources, prefix, true);
    }
    if let Some(suffix) = &stated.name_suffix {
        transform::rename(resources, suffix, false);
    }
    for label in &stated.labels {
        if let Some(fields) = &label.fields {
            return Err(unsupported(fields.span, "`fields` of `labels` is not taken over"));
        }
        transform::labels(resources, label)?;
    }
    transform::add_labels(resources, &stated.common_labels, true, true)?;
    transform::annotations(resources, &stated.common_annotations)?;
    for patch in &stated.patches_json6902 {
        let Some(target) = patch.target.as_ref().filter(|target| target.name.as_ref().is_some_and(|name| !name.is_empty())) else {
            return Err(invalid(patch.span, "an entry of `patchesJson6902` needs a `target` with a `name`"));
        };
        let operations = one_list(patch_documents(reader, folder, patch)?, patch.span)?;
        for at in select::select(resources, target)? {
            json_patch::apply(&mut resources[at].node, &operations)?;
            resources[at].texts_only("annotations");
        }
    }
    for replica in &stated.replicas {
        transform::replicas(resources, replica)?;
    }
    for image in &stated.images {
        transform::images(resources, image)?;
    }
    Ok(())
}

fn as_path(entry: &Node) -> Step<Spanned<String>> {
    let path = entry.text().ok_or_else(|| invalid(entry.span, "a path or a patch is expected here"))?;
    Ok(Spanned::new(path.to_owned(), entry.span))
}

fn file_documents(reader: &mut Reader<'_>, folder: &Folder, path: &Spanned<String>) -> Step<Vec<Node>> {
    let file = reader.text(folder, path, path.span)?;
    let mut documents = documents(reader.files.text(file), file)?;
    documents.iter_mut().try_for_each(settle_scalars)?;
    Ok(documents)
}

fn patch_documents(reader: &mut Reader<'_>, folder: &Folder, patch: &Spanned<StatedPatch>) -> Step<Vec<Node>> {
    match (&patch.path, &patch.patch) {
        (Some(path), None) => file_documents(reader, folder, path),
        (None, Some(inline)) => inline_documents(reader.files, inline),
        _ => Err(invalid(patch.span, "a patch takes exactly one of `path` and `patch`")),
    }
}

/// The documents of a patch that is written within a kustomization, each value at its place there.
fn inline_documents(files: &Files, inline: &Node) -> Step<Vec<Node>> {
    let Some(text) = inline.text() else { return Err(invalid(inline.span, "a patch is a text: begin it with `|-`")) };
    let place = Place::of(files, inline, text);
    let mut documents = documents(text, inline.span.file).map_err(|mut diag| {
        diag.primary.span = place.of_span(diag.primary.span);
        diag.related.iter_mut().for_each(|label| label.span = place.of_span(label.span));
        diag
    })?;
    for document in &mut documents {
        place.shift(document);
    }
    documents.iter_mut().try_for_each(settle_scalars)?;
    Ok(documents)
}

/// Where the lines of a text within a file are; nowhere where its lines are not the file's.
struct Place {
    whole: Span,
    /// For each line of the text: where it begins in the text, and where in the file.
    lines: Option<Vec<(u32, u32)>>,
}

impl Place {
    fn of(files: &Files, inline: &Node, text: &str) -> Self {
        let file = files.text(inline.span.file);
        let mut lines = Vec::new();
        let mut at = file[..inline.span.start as usize].rfind('\n').map_or(0, |at| at + 1);
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let wanted = line.trim_end_matches(['\n', '\r']);
            let found = loop {
                let Some(rest) = file.get(at..).filter(|rest| !rest.is_empty()) else { break None };
                let here = rest.split_inclusive('\n').next().unwrap_or_default();
                let begin = at;
                let bare = here.trim_end_matches(['\n', '\r']);
                at += here.len();
                let indent = bare.len().checked_sub(wanted.len()).filter(|indent| bare[..*indent].bytes().all(|b| b == b' '));
                match indent.filter(|indent| bare.is_char_boundary(*indent) && bare[*indent..] == *wanted) {
                    Some(indent) => break Some(begin + indent),
                    None if wanted.is_empty() && bare.trim().is_empty() => break Some(begin),
                    None if begin > inline.span.end as usize => break None,
                    None => {}
                }
            };
            let Some(found) = found.and_then(|found| u32::try_from(found).ok()) else { return Self { whole: inline.span, lines: None } };
            lines.push((start, found));
            start += u32::try_from(line.len()).unwrap_or_default();
        }
        Self { whole: inline.span, lines: Some(lines) }
    }

    fn of_span(&self, span: Span) -> Span {
        let Some(lines) = &self.lines else { return self.whole };
        let map = |byte: u32| {
            let line = lines.iter().rev().find(|(start, _)| *start <= byte)?;
            Some(line.1 + (byte - line.0))
        };
        match (map(span.start), map(span.end)) {
            (Some(start), Some(end)) if start <= end && end <= self.whole.end.max(start) => Span { start, end, ..self.whole },
            _ => self.whole,
        }
    }

    fn shift(&self, node: &mut Node) {
        node.span = self.of_span(node.span);
        match &mut node.value {
            Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
                self.shift(key);
                self.shift(value);
            }),
            Value::Seq(items) => items.iter_mut().for_each(|item| self.shift(item)),
            Value::Scalar { .. } => {}
        }
    }
}

/// The objects of a strategic merge patch.
fn flat(documents: Vec<Node>, span: Span) -> Step<Vec<Resource>> {
    if documents.is_empty() {
        return Err(invalid(span, "the patch is empty"));
    }
    documents.into_iter().map(Resource::new).collect()
}

fn one_list(mut documents: Vec<Node>, span: Span) -> Step<Node> {
    match (documents.len(), documents.pop()) {
        (1, Some(list)) if !edit::items(&list).is_empty() => Ok(list),
        _ => Err(invalid(span, "a JSON patch is one list of operations")),
    }
}

fn apply_patch(reader: &mut Reader<'_>, folder: &Folder, patch: &Spanned<StatedPatch>, resources: &mut Resources) -> Step<()> {
    let documents = patch_documents(reader, folder, patch)?;
    let is_json = documents.iter().any(|document| matches!(document.value, Value::Seq(_)));
    if is_json {
        let Some(target) = &patch.target else { return Err(invalid(patch.span, "a JSON patch needs a `target`")) };
        let operations = one_list(documents, patch.span)?;
        for at in select::select(resources, target)? {
            resources[at].remember();
            json_patch::apply(&mut resources[at].node, &operations)?;
            resources[at].texts_only("annotations");
        }
        return Ok(());
    }
    let patches = flat(documents, patch.span)?;
    if let Some(target) = patch.target.as_ref().filter(|_| patches.len() > 1) {
        return Err(invalid(target.span, "a `target` goes with one patch, and this holds several"));
    }
    for merged in patches {
        strategic(resources, merged, Some(patch), patch.span)?;
    }
    Ok(())
}

/// Applies one strategic merge patch to whom its target means, or to the one object that it names.
fn strategic(resources: &mut Resources, mut patch: Resource, stated: Option<&Spanned<StatedPatch>>, span: Span) -> Step<()> {
    let target = stated.and_then(|stated| stated.target.as_ref());
    let allowed = |allowed: fn(&super::kustomization::PatchOptions) -> Option<bool>| {
        stated.and_then(|stated| stated.options.as_ref()).and_then(allowed) == Some(true)
    };
    let name_change = allowed(|options| options.allow_name_change);
    let kind_change = allowed(|options| options.allow_kind_change);
    // Of these two kinds kustomize makes the labels and annotations texts first: a null there becomes the word.
    let rewritten = target.is_some() || stated.is_none();
    if rewritten {
        patch.texts_only("labels");
        patch.texts_only("annotations");
    }
    let chosen = match target {
        Some(target) => select::select(resources, target)?,
        None => {
            let id = patch.id();
            let found: Vec<usize> =
                resources.iter().enumerate().filter(|(_, resource)| resource.ever(|other| *other == id)).map(|(at, _)| at).collect();
            if found.len() != 1 {
                let what = if found.is_empty() { "no object is called" } else { "several objects were called" };
                let place = if id.namespace == "default" { String::new() } else { format!(" in `{}`", id.namespace) };
                let diag = invalid(patch.span(), format!("{what} {} `{}`{place}, which this patch means", id.kind, id.name));
                let diag = if patch.span().file == span.file { *diag } else { diag.related(span, "applied here") };
                return Err(Box::new(diag.help("Name what is there, with its API version and namespace; or write a `target`.")));
            }
            found
        }
    };
    let mut deleted = Vec::new();
    for at in chosen {
        let resource = &mut resources[at];
        let (name, namespace, kind) = (resource.name().to_owned(), resource.namespace().to_owned(), resource.kind().to_owned());
        if name_change || kind_change {
            resource.remember();
        }
        let mut over = patch.node.clone();
        if rewritten {
            let api_version = resource.node.get("apiVersion").cloned();
            if let Some(api_version) = api_version {
                edit::set(&mut over, "apiVersion", api_version);
            }
        }
        let under = std::mem::replace(&mut resource.node, edit::empty_map(span));
        let kept = (under.get("kind").cloned(), edit::at(&under, &["metadata", "name"]).cloned());
        let Some(merged) = merge::merge(under, over)? else {
            deleted.push(at);
            continue;
        };
        resource.node = merged;
        if let (false, Some(node)) = (kind_change, kept.0) {
            debug_assert_eq!(node.text(), Some(kind.as_str()));
            edit::set(&mut resource.node, "kind", node);
        }
        if let (false, Some(node), Some(metadata)) = (name_change, kept.1, edit::get_mut(&mut resource.node, "metadata")) {
            debug_assert_eq!(node.text(), Some(name.as_str()));
            edit::set(metadata, "name", node);
        }
        resource.set_meta("namespace", &namespace);
    }
    let mut at = 0;
    resources.retain(|_| {
        at += 1;
        !deleted.contains(&(at - 1))
    });
    if name_change || kind_change || target.is_some() {
        for (at, resource) in resources.iter().enumerate() {
            let id = resource.id();
            if let Some(other) = resources[..at].iter().find(|other| other.id() == id) {
                let diag = invalid(span, format!("after this patch two objects are called {} `{}`", id.kind, id.name));
                return Err(Box::new(diag.related(resource.span(), "this one").related(other.span(), "and this one")));
            }
        }
    }
    Ok(())
}

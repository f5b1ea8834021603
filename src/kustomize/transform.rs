//! Transformers that set fields: labels, annotations, namespace, prefix and suffix, images, replicas.

use regex_lite::Regex;

use super::edit::{self, entries, get_mut};
use super::kustomization::{Image, Label, Replica};
use super::resource::Resource;
use super::{Step, invalid};
use crate::decode::Entries;
use crate::source::{Span, Spanned};
use crate::yaml::{Node, Value};

/// A field of some kinds: group, version and kind, each empty where any will do, the path, and whether it is made.
pub type FieldSpec = (&'static str, &'static str, &'static str, &'static str, bool);

/// What a path that is made ends at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Make {
    Nothing,
    Map,
    Text,
}

/// Whether a field belongs to an object.
fn fits(resource: &Resource, (group, version, kind, ..): &FieldSpec) -> bool {
    let fits = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
    fits(kind, resource.kind()) && fits(group, resource.group()) && fits(version, resource.version())
}

/// Goes to a field, over lists as over their items, and does something to what stands there.
pub fn visit(node: &mut Node, path: &[&str], make: Make, span: Span, act: &mut dyn FnMut(&mut Node) -> Step<()>) -> Step<()> {
    let Some((first, rest)) = path.split_first() else { return act(node) };
    if node.is_null() {
        return Ok(());
    }
    match &mut node.value {
        Value::Seq(items) => items.iter_mut().try_for_each(|item| visit(item, path, make, span, act)),
        Value::Map(_) => {
            let name = first.strip_suffix("[]").unwrap_or(first);
            let making = make != Make::Nothing && name == *first;
            let wanted = if rest.is_empty() && make == Make::Text { edit::text("", span) } else { edit::empty_map(span) };
            match get_mut(node, name) {
                None if making => edit::set(node, name, wanted),
                None => return Ok(()),
                Some(found) if found.is_null() && making => *found = wanted,
                Some(_) => {}
            }
            get_mut(node, name).map_or(Ok(()), |found| visit(found, rest, make, span, act))
        }
        Value::Scalar { .. } => {
            let diag =
                invalid(node.span, format!("a mapping or a list is expected here, since `{}` is looked for below it", path.join(".")));
            Err(Box::new(diag.related(span, "for this")))
        }
    }
}

fn visit_field(resource: &mut Resource, spec: &FieldSpec, made: Make, span: Span, act: &mut dyn FnMut(&mut Node) -> Step<()>) -> Step<()> {
    if !fits(resource, spec) {
        return Ok(());
    }
    let path: Vec<&str> = spec.3.split('/').collect();
    visit(&mut resource.node, &path, if spec.4 { made } else { Make::Nothing }, span, act)
}

const METADATA_LABELS: &[FieldSpec] = &[
    ("", "", "", "metadata/labels", true),
    ("", "v1", "ReplicationController", "spec/template/metadata/labels", true),
    ("", "", "Deployment", "spec/template/metadata/labels", true),
    ("", "", "ReplicaSet", "spec/template/metadata/labels", true),
    ("", "", "DaemonSet", "spec/template/metadata/labels", true),
    ("apps", "", "StatefulSet", "spec/template/metadata/labels", true),
    ("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true),
    ("batch", "", "Job", "spec/template/metadata/labels", true),
    ("batch", "", "CronJob", "spec/jobTemplate/metadata/labels", true),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels", true),
];

const SELECTORS: &[FieldSpec] = &[
    ("", "v1", "Service", "spec/selector", true),
    ("", "v1", "ReplicationController", "spec/selector", true),
    ("", "", "Deployment", "spec/selector/matchLabels", true),
    ("", "", "ReplicaSet", "spec/selector/matchLabels", true),
    ("", "", "DaemonSet", "spec/selector/matchLabels", true),
    ("apps", "", "StatefulSet", "spec/selector/matchLabels", true),
    ("batch", "", "Job", "spec/selector/matchLabels", false),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
    ("policy", "", "PodDisruptionBudget", "spec/selector/matchLabels", false),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/podSelector/matchLabels", false),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false),
    ("networking.k8s.io", "", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false),
];

/// Label selectors within the pods of Deployments and StatefulSets.
const POD_SELECTORS: &[&str] = &[
    "spec/template/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "spec/template/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels",
];

/// Adds the labels of one entry of `labels`.
pub fn labels(resources: &mut [Resource], label: &Label) -> Step<()> {
    let selectors = label.include_selectors == Some(true);
    let templates = selectors || label.include_templates == Some(true);
    add_labels(resources, &label.pairs, templates, selectors)
}

/// Adds labels to objects, to pods too, and to what selects them.
pub fn add_labels(resources: &mut [Resource], pairs: &Entries<Spanned<String>>, templates: bool, selectors: bool) -> Step<()> {
    let within_pods =
        ["Deployment", "StatefulSet"].into_iter().flat_map(|kind| POD_SELECTORS.iter().map(move |path| ("apps", "", kind, *path, false)));
    let mut fields: Vec<FieldSpec> = METADATA_LABELS[..if templates { METADATA_LABELS.len() } else { 1 }].to_vec();
    if selectors {
        fields.extend(SELECTORS.iter().copied().chain(within_pods));
    }
    put(resources, pairs, &fields)
}

const ANNOTATIONS: &[FieldSpec] = &[
    ("", "", "", "metadata/annotations", true),
    ("", "v1", "ReplicationController", "spec/template/metadata/annotations", true),
    ("", "", "Deployment", "spec/template/metadata/annotations", true),
    ("", "", "ReplicaSet", "spec/template/metadata/annotations", true),
    ("", "", "DaemonSet", "spec/template/metadata/annotations", true),
    ("", "", "StatefulSet", "spec/template/metadata/annotations", true),
    ("batch", "", "Job", "spec/template/metadata/annotations", true),
    ("batch", "", "CronJob", "spec/jobTemplate/metadata/annotations", true),
    ("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations", true),
];

/// Adds annotations to objects and pods.
pub fn annotations(resources: &mut [Resource], pairs: &Entries<Spanned<String>>) -> Step<()> {
    put(resources, pairs, ANNOTATIONS)
}

fn put(resources: &mut [Resource], pairs: &Entries<Spanned<String>>, fields: &[FieldSpec]) -> Step<()> {
    for resource in resources {
        for (key, value) in pairs {
            for spec in fields {
                visit_field(resource, spec, Make::Map, key.span, &mut |map| match &map.value {
                    Value::Map(_) => {
                        edit::set(map, key, edit::text(value.value.clone(), value.span));
                        Ok(())
                    }
                    _ => Err(Box::new(invalid(map.span, "labels and annotations are a mapping").related(key.span, "set by this"))),
                })?;
            }
        }
    }
    Ok(())
}

/// Puts every object into a namespace.
pub fn namespace(resources: &mut [Resource], stated: &Spanned<String>) -> Step<()> {
    if stated.is_empty() {
        return Ok(());
    }
    let span = stated.span;
    let named = || edit::text(stated.value.clone(), span);
    for at in 0..resources.len() {
        let resource = &mut resources[at];
        resource.remember();
        if !resource.is_cluster_scoped() {
            resource.set_meta("namespace", "");
            if let Some(metadata) = edit::map_at(&mut resource.node, "metadata", span) {
                edit::set(metadata, "namespace", named());
            }
        }
        if resource.kind() == "Namespace"
            && resource.api_version() == "v1"
            && let Some(metadata) = edit::map_at(&mut resource.node, "metadata", span)
        {
            edit::set(metadata, "name", named());
        }
        let mut write = |node: &mut Node| {
            *node = named();
            Ok(())
        };
        for spec in [
            ("apiregistration.k8s.io", "", "APIService", "spec/service/namespace", true),
            ("apiextensions.k8s.io", "", "CustomResourceDefinition", "spec/conversion/webhook/clientConfig/service/namespace", false),
        ] {
            visit_field(resource, &spec, Make::Text, span, &mut write)?;
        }
        if matches!(resource.kind(), "RoleBinding" | "ClusterRoleBinding")
            && let Some(Node { value: Value::Seq(subjects), .. }) = get_mut(&mut resource.node, "subjects")
        {
            for subject in subjects.iter_mut().filter(|subject| subject.get("name").and_then(Node::text) == Some("default")) {
                edit::set(subject, "namespace", named());
            }
        }
        let id = resources[at].id();
        if let Some(other) = resources.iter().enumerate().find(|(other, resource)| *other != at && resource.id() == id) {
            let diag = invalid(span, format!("two objects are called {} `{}` in this namespace", id.kind, id.name));
            return Err(Box::new(diag.related(resources[at].span(), "this one").related(other.1.span(), "and this one")));
        }
    }
    Ok(())
}

/// Puts something before or after every name.
pub fn rename(resources: &mut [Resource], stated: &Spanned<String>, is_prefix: bool) {
    for resource in resources {
        let at_first = resource.original_id();
        let kept = matches!(at_first.kind.as_str(), "CustomResourceDefinition" | "Namespace")
            || (at_first.kind == "APIService" && at_first.group == "apiregistration.k8s.io");
        if kept || stated.is_empty() {
            continue;
        }
        if is_prefix { &mut resource.prefixes } else { &mut resource.suffixes }.push(stated.value.clone());
        resource.remember();
        let name = if is_prefix { format!("{}{}", stated.value, resource.name()) } else { format!("{}{}", resource.name(), stated.value) };
        resource.set_meta("name", &name);
    }
}

const REPLICAS: &[FieldSpec] = &[
    ("", "", "Deployment", "spec/replicas", true),
    ("", "", "ReplicationController", "spec/replicas", true),
    ("", "", "ReplicaSet", "spec/replicas", true),
    ("", "", "StatefulSet", "spec/replicas", true),
];

/// Sets how many of a controller there are.
pub fn replicas(resources: &mut [Resource], replica: &Replica) -> Step<()> {
    let mut found = false;
    for spec in REPLICAS {
        for resource in resources.iter_mut() {
            if !resource.ever(|id| id.name == replica.name.value && id.kind == spec.2) {
                continue;
            }
            found = true;
            visit_field(resource, spec, Make::Text, replica.count.span, &mut |node| {
                *node = edit::plain(replica.count.value.to_string(), replica.count.span);
                Ok(())
            })?;
        }
    }
    if found {
        return Ok(());
    }
    let message = format!("no Deployment, StatefulSet or ReplicaSet is called `{}`", replica.name.value);
    Err(invalid(replica.name.span, message))
}

const IMAGES: &[FieldSpec] = &[
    ("", "", "", "spec/containers[]/image", true),
    ("", "", "", "spec/initContainers[]/image", true),
    ("", "", "", "spec/volumes[]/image/reference", true),
    ("", "", "", "spec/template/spec/containers[]/image", true),
    ("", "", "", "spec/template/spec/initContainers[]/image", true),
    ("", "", "", "spec/template/spec/volumes[]/image/reference", true),
];

/// Changes an image wherever it stands.
pub fn images(resources: &mut [Resource], image: &Image) -> Step<()> {
    let pattern = format!("^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$", image.name.value);
    let pattern =
        Regex::new(&pattern).map_err(|error| invalid(image.name.span, format!("`{}` is no pattern: {error}", image.name.value)))?;
    let mut change = |node: &mut Node| change_image(node, image, &pattern);
    for resource in resources.iter_mut().filter(|resource| resource.kind() != "CustomResourceDefinition") {
        in_containers(&mut resource.node, &mut change)?;
        for spec in IMAGES {
            visit_field(resource, spec, Make::Nothing, image.name.span, &mut change)?;
        }
    }
    Ok(())
}

/// Every image of every list called `containers` or `initContainers`, wherever it is.
fn in_containers(node: &mut Node, change: &mut dyn FnMut(&mut Node) -> Step<()>) -> Step<()> {
    match &mut node.value {
        Value::Map(entries) => {
            for (key, value) in entries {
                in_containers(value, change)?;
                if let (Some("containers" | "initContainers"), Value::Seq(items)) = (key.text(), &mut value.value) {
                    for image in items.iter_mut().filter_map(|item| get_mut(item, "image")) {
                        change(image)?;
                    }
                }
            }
            Ok(())
        }
        Value::Seq(items) => items.iter_mut().try_for_each(|item| in_containers(item, change)),
        Value::Scalar { .. } => Ok(()),
    }
}

fn change_image(node: &mut Node, image: &Image, pattern: &Regex) -> Step<()> {
    let Some(value) = node.text() else { return Err(invalid(node.span, "an image is a text")) };
    if !pattern.is_match(value) {
        return Ok(());
    }
    let (name, tag, digest) = split(value);
    let stated = |part: &Option<Spanned<String>>| part.as_ref().filter(|part| !part.is_empty()).map(|part| part.value.clone());
    let name = stated(&image.new_name).unwrap_or_else(|| name.to_owned());
    let (tag, digest) = match (stated(&image.new_tag), stated(&image.digest), stated(&image.tag_suffix)) {
        (Some(tag), Some(digest), _) => (tag, digest),
        (Some(tag), None, _) => (tag, String::new()),
        (None, Some(digest), _) => (String::new(), digest),
        (None, None, Some(suffix)) => (format!("{tag}{suffix}"), String::new()),
        (None, None, None) => (tag.to_owned(), digest.to_owned()),
    };
    let mut whole = name;
    for (mark, part) in [(':', tag), ('@', digest)] {
        if !part.is_empty() {
            whole.push(mark);
            whole.push_str(&part);
        }
    }
    if whole != value {
        let place = [&image.digest, &image.new_tag, &image.tag_suffix, &image.new_name].into_iter().flatten().next();
        *node = edit::text(whole, place.map_or(node.span, |place| place.span));
    }
    Ok(())
}

/// Name, tag and digest; a colon before the first slash belongs to a port.
fn split(image: &str) -> (&str, &str, &str) {
    let from = image.find('/').unwrap_or(0);
    let find = |mark: char| image[from..].find(mark).map(|at| at + from);
    match (find(':'), find('@')) {
        (None, None) => (image, "", ""),
        (colon, Some(at)) if colon.is_none_or(|colon| at < colon) => (&image[..at], "", &image[at + 1..]),
        (Some(colon), Some(at)) => (&image[..colon], &image[colon + 1..at], &image[at + 1..]),
        (Some(colon), None) => (&image[..colon], &image[colon + 1..], ""),
        (None, Some(at)) => (&image[..at], "", &image[at + 1..]),
    }
}

/// Whether an object is meant for the build alone.
pub fn is_local(resource: &Resource) -> bool {
    let annotations = edit::at(&resource.node, &["metadata", "annotations"]).map(entries).unwrap_or_default();
    annotations.iter().any(|(key, value)| key.text() == Some("config.kubernetes.io/local-config") && value.text() != Some("false"))
}

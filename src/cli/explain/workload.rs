//! A workload: its tier, where it runs, and where each of its settings comes from.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::project::Input;
use crate::decode::Findings;
use crate::inventory::Inventory;
use crate::inventory::workload::Workload;
use crate::model::flows::full_name;
use crate::model::{BESIDE_A_SOURCE, Instance, MERGED_BY_KEY, Model, changes_type, fits};
use crate::source::{FileId, Files, Span, Spanned};
use crate::yaml::{self, Node, Value};

/// What is merged by Kubernetes' own rules, layer over layer, and so comes from several places.
const MERGED: [&str; 2] = ["pod", "spec"];

/// Where each setting of a workload comes from, cluster by cluster; `None` where there is no such workload.
pub(super) fn explain(name: &str, input: &Input, model: &Model<'_>) -> Option<String> {
    let instances: Vec<&Instance<'_>> = model.instances.iter().filter(|instance| full_name(instance) == name).collect();
    let first = instances.first()?;
    let mut places = Places { files: &input.files, read: BTreeMap::new() };
    let mut text =
        format!("{name} (workload): a {} of the tier `{}`\n\n", first.workload.identity.kind.value.as_str(), model.tiers.name(first.tier));
    if let Some(source) = &first.workload.identity.source {
        let _ = writeln!(text, "Its objects are those of `{}` ({}).", source.kustomize.value, places.of(source.kustomize.span));
    }
    text += &tier(first.workload, &input.inventory, model.tiers.name(first.tier), &places);
    // Clusters on which everything is the same are one paragraph.
    let mut paragraphs: Vec<(Vec<&str>, String)> = Vec::new();
    for instance in &instances {
        let mut settings = Settings::default();
        let beside = |key: &str| instance.adopted.is_none() || BESIDE_A_SOURCE.contains(&key);
        for (who, layer) in layers(instance, model, &mut places) {
            settings.lay(&layer, who, &beside, &places);
        }
        let (cluster, settings) = (model.clusters.name(instance.cluster), settings.lines());
        match paragraphs.iter_mut().find(|(_, lines)| *lines == settings) {
            Some((clusters, _)) => clusters.push(cluster),
            None => paragraphs.push((vec![cluster], settings)),
        }
    }
    for (clusters, settings) in paragraphs {
        let _ = write!(text, "\nOn `{}`, in the namespace `{}`:\n{settings}", clusters.join("`, `"), first.namespace);
    }
    text += if first.adopted.is_some() {
        "\nEverything else is the source's: of the defaults of the fleet, the tier, the cluster and the team none but those listed reaches it.\n"
    } else {
        "\nEverything else has its default; `ringfence explain workloads.KEY` tells it.\n"
    };
    Some(text)
}

/// How the tier is known.
fn tier(workload: &Spanned<Workload>, inventory: &Inventory, name: &str, places: &Places<'_>) -> String {
    let identity = &workload.identity;
    if let Some(stated) = &identity.tier {
        return format!("The tier is stated at {}.\n", places.of(stated.span));
    }
    let demands = identity.data.iter().filter_map(|class| {
        let (key, tier) = inventory.data_classes.iter().find(|(key, _)| key.as_str() == class.as_str())?;
        (tier.as_str() == name)
            .then(|| format!("`{}` ({}), for which it is the least ({})", class.value, places.of(class.span), places.of(key.span)))
    });
    format!("The tier follows from the data: {}.\n", demands.collect::<Vec<_>>().join("; "))
}

/// What says something of the settings, the lowest first.
fn layers(instance: &Instance<'_>, model: &Model<'_>, places: &mut Places<'_>) -> Vec<(&'static str, Node)> {
    let mut defaults = |span: Span| places.node(span)?.get("defaults").cloned();
    let cluster = model.clusters.all[instance.cluster].raw;
    let mut layers: Vec<(&'static str, Option<Node>)> = vec![
        ("the fleet's defaults", defaults(model.fleet.span)),
        ("the tier's defaults", defaults(model.tiers.all[instance.tier].span)),
        ("the cluster's defaults", defaults(cluster.span)),
        ("the team's defaults", defaults(instance.team.span)),
        ("the workload", places.node(instance.workload.span)),
    ];
    let overrides = instance.workload.identity.overrides.iter().filter(|change| fits(&change.r#match, cluster));
    layers.extend(overrides.map(|change| ("an override", places.node(change.set.span))));
    layers.into_iter().filter_map(|(who, node)| Some((who, node?))).collect()
}

/// Settings by their paths.
#[derive(Debug, Default)]
struct Settings(BTreeMap<String, Vec<(String, String, &'static str)>>);

impl Settings {
    fn lay(&mut self, layer: &Node, who: &'static str, holds: &dyn Fn(&str) -> bool, places: &Places<'_>) {
        let Value::Map(entries) = &layer.value else { return };
        for (key, value) in entries {
            let Some(name) = key.text().filter(|name| is_setting(name) && holds(name)) else { continue };
            self.set(name.to_owned(), value, who, places);
        }
    }

    /// What is not merged by key takes the place of all that was there.
    fn set(&mut self, path: String, value: &Node, who: &'static str, places: &Places<'_>) {
        if MERGED.contains(&path.as_str()) {
            let merged = ("...".to_owned(), places.of(value.span), who);
            self.0.entry(path).or_default().push(merged);
            return;
        }
        if !MERGED_BY_KEY.contains(&path.as_str()) {
            self.remove(&path);
        }
        match path.as_str() {
            "scale" => self.remove("replicas"),
            "replicas" => self.remove("scale"),
            _ => {}
        }
        match &value.value {
            Value::Map(entries) => {
                if path == "expose" && changes_type(self.value("expose.type"), value.get("type").and_then(Node::text)) {
                    self.remove(&path);
                }
                for (key, below) in entries {
                    self.set(format!("{path}.{}", key.text().unwrap_or_default()), below, who, places);
                }
            }
            _ => {
                self.0.insert(path, vec![(places.text(value.span), places.of(value.span), who)]);
            }
        }
    }

    /// The text at a path.
    fn value(&self, path: &str) -> Option<&str> {
        self.0.get(path)?.last().map(|(text, ..)| text.as_str())
    }

    /// Forgets a path and all below it.
    fn remove(&mut self, path: &str) {
        let below = format!("{path}.");
        self.0.retain(|known, _| known != path && !known.starts_with(&below));
    }

    fn lines(&self) -> String {
        let width = |column: fn(&(String, String, &'static str)) -> usize| self.0.values().flatten().map(column).max().unwrap_or(0);
        let (values, at) = (width(|line| line.0.chars().count()), width(|line| line.1.len()));
        let paths = self.0.keys().map(String::len).max().unwrap_or(0);
        let line = |(path, found): (&String, &(String, String, &'static str))| {
            let (value, place, who) = found;
            format!("  {path:<paths$}  {value:<values$}  {place:<at$}  {who}\n")
        };
        self.0.iter().flat_map(|(path, found)| found.iter().map(move |found| (path, found))).map(line).collect()
    }
}

/// Whether a key is one that defaults and overrides may set, and not what a workload is.
fn is_setting(name: &str) -> bool {
    crate::inventory::workload::Settings::keys().iter().any(|key| key == name)
}

/// Places of the inventory's text.
struct Places<'f> {
    files: &'f Files,
    /// The files that were read again, each once.
    read: BTreeMap<FileId, Vec<Node>>,
}

impl Places<'_> {
    /// File, line and column.
    fn of(&self, span: Span) -> String {
        let at = self.files.line_col(span);
        format!("{}:{}:{}", self.files.path(span.file), at.line, at.column)
    }

    /// What is written there, on one line.
    fn text(&self, span: Span) -> String {
        const MOST: usize = 60;
        let text = self.files.slice(span).split_whitespace().collect::<Vec<_>>().join(" ");
        match text.char_indices().nth(MOST) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        }
    }

    /// The mapping there.
    fn node(&mut self, span: Span) -> Option<Node> {
        let read = || yaml::read::read(self.files.text(span.file), span.file, &mut Findings::new());
        let documents = self.read.entry(span.file).or_insert_with(read);
        documents.iter().find_map(|document| within(document, span)).cloned()
    }
}

/// The node of exactly that place.
fn within(node: &Node, span: Span) -> Option<&Node> {
    if node.span == span {
        return Some(node);
    }
    match &node.value {
        Value::Map(entries) => entries.iter().find_map(|(_, value)| within(value, span)),
        Value::Seq(items) => items.iter().find_map(|item| within(item, span)),
        Value::Scalar { .. } => None,
    }
}

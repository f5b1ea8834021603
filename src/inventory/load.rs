//! From files to an [`Inventory`]: found by walking, read in parallel, merged in the order of their paths.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use super::discover::{self, Unreadable, display};
use super::gateway::ExemptionScope;
use super::shape::OneOrMany;
use super::{API_VERSION, Inventory, InventoryFile, Misspelt, Unread};
use crate::decode::{Decode, Entries, Findings, unknown_keys, wrong_type};
use crate::diag::{Code, Diag, Severity, nearest};
use crate::formats::{self, NOT_CARRIED};
use crate::source::{FileId, Files, Span, Spanned};
use crate::yaml::budget::Budget;
use crate::yaml::read::{self, Node, Value};

/// Reads every `*.yaml` and `*.yml` below `folder`. Paths of findings are relative to `root`, which must contain the folder.
/// Whatever could be read is returned beside the findings, so that later stages can report theirs in the same run.
pub fn load(root: &Path, folder: &Path, output: &Path, files: &mut Files, findings: &mut Findings) -> Inventory {
    let (mut sources, mut unread) = (Vec::new(), Unread::default());
    for (path, text) in discover::files(root, folder) {
        match text {
            Ok(text) => sources.push(files.add(path, text)),
            Err(Unreadable { code, severity, message, help, valid }) => {
                let at = u32::try_from(valid.len()).unwrap_or(0);
                let file = files.add(path, valid);
                let mut diag = Diag::new(code, Span { file, start: at, end: at }, message).help(help);
                diag.severity = severity;
                if severity == Severity::Error {
                    unread.extend(Unread::all());
                }
                findings.push(diag);
            }
        }
    }
    let mut inventory = read_files(&sources, files, findings);
    inventory.unread.extend(unread);
    if inventory.fleet.is_none() && findings.is_empty() {
        let first = sources.first().copied().unwrap_or_else(|| files.add(display(root, folder), ""));
        let diag = Diag::new(Code::NoFleet, files.start(first), "no file of the inventory states the `fleet`");
        findings.push(diag.help("`ringfence init` writes a first inventory; `--inventory DIR` reads another folder."));
    }
    adopt(root, &[folder, output], &mut inventory, files, findings);
    inventory
}

/// Reads an inventory of one file that is on no disk yet, and adopts nothing.
pub fn of_text(path: &str, text: &str, files: &mut Files, findings: &mut Findings) -> Inventory {
    let file = files.add(path, text);
    read_files(&[file], files, findings)
}

fn read_files(sources: &[FileId], files: &Files, findings: &mut Findings) -> Inventory {
    let read = |file: &FileId, budget: &Budget| {
        let mut findings = Findings::bounded(Findings::KEPT);
        let documents = read::read_within(files.text(*file), *file, budget, &mut findings);
        let mut found = BTreeMap::new();
        for document in &documents {
            not_carried(document, &mut found);
        }
        for (span, rule) in found {
            findings.add(Code::InvalidValue, span, || Diag::new(Code::InvalidValue, span, rule).help(NOT_CARRIED));
        }
        (documents, findings)
    };
    let budget = Budget::default();
    let documents: Vec<(Vec<Node>, Findings)> = sources.par_iter().map(|file| read(file, &budget)).collect();
    if budget.is_exceeded() {
        // Which file came last to the shared bound is a matter of threads: one after the other it is always the same.
        drop(documents);
        let budget = Budget::default();
        for file in sources {
            findings.extend(read(file, &budget).1);
            if budget.is_exceeded() {
                break;
            }
        }
        return Inventory::default();
    }
    if let Some(diag) = documents.iter().flat_map(|(nodes, _)| nodes).find_map(foreign_version) {
        // Guessing what another format means would only bury this under findings about it.
        findings.push(diag);
        return Inventory::default();
    }
    let fragments: Vec<(Inventory, Findings)> = documents
        .into_par_iter()
        .zip(sources)
        .map(|((nodes, mut findings), file)| {
            let text = files.text(*file);
            let mut fragment = Inventory { unread: Unread::of_text(text, &findings), ..Inventory::default() };
            for node in nodes {
                fragment.unread.extend(Unread::of_document(&node, text));
                let decoded = decode_document(&node, &mut findings);
                fragment.misspelt.extend(Misspelt::of(&node, &findings));
                merge(&mut fragment, decoded, &mut findings);
            }
            (fragment, findings)
        })
        .collect();
    let mut inventory = Inventory::default();
    for (fragment, more) in fragments {
        findings.extend(more);
        merge(&mut inventory, fragment, findings);
    }
    inventory
}

/// Builds the folders of adopted workloads; one that several name, once.
fn adopt(root: &Path, apart: &[&Path], inventory: &mut Inventory, files: &mut Files, findings: &mut Findings) {
    let mut tried = std::collections::BTreeSet::new();
    let mut sources = std::collections::BTreeMap::new();
    for path in inventory.workloads.iter().filter_map(|workload| Some(&workload.identity.source.as_ref()?.kustomize)) {
        if !tried.insert(&path.value) {
            continue;
        }
        match crate::kustomize::build(root, apart, path, path.span, files) {
            Ok(build) => {
                sources.insert(path.value.clone(), build);
            }
            Err(diag) if diag.primary.span == path.span => findings.push(*diag),
            Err(diag) => findings.push(diag.related(path.span, "adopted here")),
        }
    }
    inventory.sources = sources;
}

/// Where text is written that no tree can hold, and why: once, however often an alias repeats it.
fn not_carried(node: &Node, found: &mut BTreeMap<Span, String>) {
    let mut check = |node: &Node, checked: Result<(), String>| drop(checked.map_err(|rule| found.insert(node.span, rule)));
    match &node.value {
        Value::Scalar { text, .. } => check(node, formats::check_carried(text)),
        Value::Seq(items) => items.iter().for_each(|item| not_carried(item, found)),
        Value::Map(entries) => {
            for (key, _) in entries {
                let text = key.text().unwrap_or_default();
                check(key, formats::check_carried(text).and_then(|()| formats::check_carried_key(text)));
            }
            for (_, value) in entries {
                not_carried(value, found);
            }
        }
    }
}

/// The finding that a document states another format than ours.
fn foreign_version(node: &Node) -> Option<Diag> {
    let stated = node.get("fleet")?.get("apiVersion")?;
    let text = stated.text()?;
    if text == API_VERSION {
        return None;
    }
    let number = text.strip_prefix("ringfence/v").and_then(|number| number.parse::<u32>().ok());
    let diag = Diag::new(Code::ApiVersion, stated.span, format!("`{text}` is not the format that this program reads"));
    Some(match number {
        Some(2..) => diag.help(format!("It is a newer format: use a newer ringfence, or write `{API_VERSION}`.")),
        _ => diag.help(format!("Write `apiVersion: {API_VERSION}`.")),
    })
}

fn decode_document(node: &Node, findings: &mut Findings) -> Inventory {
    let mut inventory = Inventory::default();
    let Value::Map(entries) = &node.value else {
        let diag = wrong_type(node, "a mapping")
            .help("A file of the inventory has keys such as `teams:` and `workloads:`, each at the beginning of a line.");
        findings.push(diag);
        return inventory;
    };
    let Inventory { stated: fragment, lost, broken, .. } = &mut inventory;
    let keys: Vec<&str> = InventoryFile::keys().iter().map(String::as_str).collect();
    unknown_keys(entries, &keys, "an inventory file", findings);
    for (key, value) in entries {
        match key.text().unwrap_or_default() {
            "fleet" => fragment.fleet = Spanned::decode(value, findings),
            "dataClasses" => fragment.data_classes = Entries::decode(value, findings).unwrap_or_default(),
            "tiers" => fragment.tiers = items(value, lost, |_| {}, findings),
            "clusters" => fragment.clusters = items(value, lost, |_| broken.clusters = true, findings),
            "teams" => fragment.teams = items(value, lost, |_| {}, findings),
            "workloads" => fragment.workloads = items(value, lost, |_| {}, findings),
            "configs" => fragment.configs = items(value, lost, |_| {}, findings),
            "gateways" => fragment.gateways = items(value, lost, |item| broken.gateways.push(broken_gateway(item)), findings),
            "tokens" => fragment.tokens = items(value, lost, |_| {}, findings),
            "exemptions" => fragment.exemptions = items(value, lost, |item| broken.exemptions.extend(broken_exemption(item)), findings),
            _ => {}
        }
    }
    inventory
}

/// Decodes a list item by item, so that one bad item does not hide the others; remembers the names of those that were lost.
fn items<T: Decode>(
    node: &Node,
    lost: &mut std::collections::BTreeSet<String>,
    mut on_lost: impl FnMut(&Node),
    findings: &mut Findings,
) -> Vec<Spanned<T>> {
    let Value::Seq(list) = &node.value else {
        findings.push(wrong_type(node, "a list"));
        return Vec::new();
    };
    let mut decoded = Vec::with_capacity(list.len());
    for item in list {
        match Spanned::decode(item, findings) {
            Some(value) => decoded.push(value),
            None => {
                lost.extend(item.get("name").or_else(|| misspelt_name(item)).and_then(Node::text).map(str::to_owned));
                on_lost(item);
            }
        }
    }
    decoded
}

/// What stands at a key that is near to `name`.
fn misspelt_name(item: &Node) -> Option<&Node> {
    let Value::Map(entries) = &item.value else { return None };
    let is_near = |key: &Node| key.text().is_some_and(|key| nearest(key, ["name"]).is_some());
    entries.iter().find(|(key, _)| is_near(key)).map(|(_, value)| value)
}

/// The callers and the target of a gateway, as far as these can be read.
fn broken_gateway(node: &Node) -> (Option<Vec<String>>, Option<String>) {
    let from = node.get("from").and_then(|from| OneOrMany::<String>::decode(from, &mut Findings::new()));
    (from.map(|from| from.0), node.get("to").and_then(Node::text).map(str::to_owned))
}

/// The control and the scope of an exemption, as far as these can be read.
fn broken_exemption(node: &Node) -> Option<(String, ExemptionScope)> {
    let scope = ExemptionScope::decode(node.get("scope")?, &mut Findings::new())?;
    Some((node.get("rule")?.text()?.to_owned(), scope))
}

fn merge(inventory: &mut Inventory, fragment: Inventory, findings: &mut Findings) {
    let Inventory { stated: fragment, lost, misspelt, unread, broken, .. } = fragment;
    match (&inventory.fleet, fragment.fleet) {
        (Some(first), Some(second)) => {
            let diag = Diag::new(Code::DuplicateDefinition, second.api_version.span, "the fleet is stated twice");
            findings.push(diag.related(first.api_version.span, "first stated here").help("Keep one `fleet` in the whole inventory."));
        }
        (None, Some(fleet)) => inventory.fleet = Some(fleet),
        (_, None) => {}
    }
    for (key, value) in fragment.data_classes.0 {
        if let Some((first, _)) = inventory.data_classes.iter().find(|(known, _)| known.value == key.value) {
            let diag = Diag::new(Code::DuplicateDefinition, key.span, format!("the kind of data `{}` is stated twice", key.value));
            findings.push(diag.related(first.span, "first stated here").help("Keep one of them."));
        } else {
            inventory.data_classes.0.push((key, value));
        }
    }
    append(&mut inventory.tiers, fragment.tiers);
    append(&mut inventory.clusters, fragment.clusters);
    append(&mut inventory.teams, fragment.teams);
    append(&mut inventory.workloads, fragment.workloads);
    append(&mut inventory.configs, fragment.configs);
    append(&mut inventory.gateways, fragment.gateways);
    append(&mut inventory.tokens, fragment.tokens);
    append(&mut inventory.exemptions, fragment.exemptions);
    inventory.lost.extend(lost);
    inventory.misspelt.extend(misspelt);
    inventory.unread.extend(unread);
    inventory.broken.clusters |= broken.clusters;
    inventory.broken.gateways.extend(broken.gateways);
    inventory.broken.exemptions.extend(broken.exemptions);
}

/// Puts a list at the end of another; where that is empty, without a copy of what may be all workloads of a fleet.
fn append<T>(list: &mut Vec<T>, more: Vec<T>) {
    if list.is_empty() {
        *list = more;
    } else {
        list.extend(more);
    }
}

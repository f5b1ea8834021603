//! From files to an [`Inventory`]: found by walking, read in parallel, merged in the order of their paths.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use walkdir::WalkDir;

use super::gateway::ExemptionScope;
use super::shape::OneOrMany;
use super::{API_VERSION, Inventory, InventoryFile};
use crate::decode::{Decode, Entries, Findings, mapping, unknown_keys, wrong_type};
use crate::diag::{Code, Diag};
use crate::source::{Files, Span, Spanned};
use crate::yaml::read::{self, Node, Value};

/// The largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Reads every `*.yaml` and `*.yml` below `folder`. Paths of findings are relative to `root`, which must contain the folder.
/// Whatever could be read is returned beside the findings, so that later stages can report theirs in the same run.
pub fn load(root: &Path, folder: &Path, output: &Path, files: &mut Files, findings: &mut Findings) -> Inventory {
    let mut sources = Vec::new();
    for (path, text) in discover(root, folder) {
        match text {
            Ok(text) => sources.push(files.add(path, text)),
            Err(Unreadable { code, message, help, valid }) => {
                let at = u32::try_from(valid.len()).unwrap_or(0);
                let file = files.add(path, valid);
                findings.push(Diag::new(code, Span { file, start: at, end: at }, message).help(help));
            }
        }
    }
    let shared: &Files = files;
    let documents: Vec<(Vec<Node>, Findings)> = sources
        .par_iter()
        .map(|file| {
            let mut findings = Findings::new();
            (read::read(shared.text(*file), *file, &mut findings), findings)
        })
        .collect();
    if let Some(diag) = documents.iter().flat_map(|(nodes, _)| nodes).find_map(foreign_version) {
        // Guessing what another format means would only bury this under findings about it.
        findings.push(diag);
        return Inventory::default();
    }
    let fragments: Vec<(Vec<Inventory>, Findings)> = documents
        .into_par_iter()
        .map(|(nodes, mut findings)| (nodes.iter().map(|node| decode_document(node, &mut findings)).collect(), findings))
        .collect();
    let mut inventory = Inventory::default();
    for (fragments, more) in fragments {
        findings.extend(more);
        for fragment in fragments {
            merge(&mut inventory, fragment, findings);
        }
    }
    if inventory.fleet.is_none() && findings.is_empty() {
        let first = sources.first().copied().unwrap_or_else(|| files.add(display(root, folder), ""));
        let diag = Diag::new(Code::NoFleet, files.start(first), "no file of the inventory states the `fleet`");
        findings.push(diag.help("`ringfence init` writes a first inventory; `--inventory DIR` reads another folder."));
    }
    adopt(root, &[folder, output], &mut inventory, files, findings);
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

struct Unreadable {
    code: Code,
    message: String,
    help: String,
    /// What could be read before it.
    valid: String,
}

fn unreadable(message: impl Into<String>, help: &str) -> Unreadable {
    Unreadable { code: Code::FileUnreadable, message: message.into(), help: help.to_owned(), valid: String::new() }
}

/// Every file of the inventory, sorted by path, with its text or why there is none.
fn discover(root: &Path, folder: &Path) -> Vec<(String, Result<String, Unreadable>)> {
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(|entry| entry.depth() == 0 || !hidden(entry.file_name()));
    let mut found = Vec::new();
    for entry in walk {
        match entry {
            Ok(entry) if entry.depth() > 0 && is_yaml(entry.path()) => {
                let text = read_entry(root, &entry);
                found.push((display(root, entry.path()), text));
            }
            Ok(_) => {}
            Err(error) => {
                let path = error.path().map_or_else(|| folder.to_path_buf(), PathBuf::from);
                let message = error.io_error().map_or_else(|| error.to_string(), describe);
                found.push((
                    display(root, &path),
                    Err(unreadable(message, "Mend or remove it: nothing is generated from half an inventory.")),
                ));
            }
        }
    }
    found
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

fn read_entry(root: &Path, entry: &walkdir::DirEntry) -> Result<String, Unreadable> {
    if entry.file_type().is_dir() {
        return Err(unreadable("a directory has the name of an inventory file", "Rename it without the ending `.yaml`."));
    }
    if entry.file_type().is_symlink() {
        let outside = |target: &PathBuf| root.canonicalize().is_ok_and(|root| !target.starts_with(root));
        match entry.path().canonicalize() {
            Err(_) => return Err(unreadable("the symbolic link leads nowhere", "Remove the link, or put back what it pointed to.")),
            Ok(target) if outside(&target) => {
                return Err(unreadable(
                    "the symbolic link leads out of the project",
                    "Copy the file into the project: what is reviewed must be what is read.",
                ));
            }
            Ok(_) => {}
        }
    }
    read_text(entry.path())
}

fn read_text(path: &Path) -> Result<String, Unreadable> {
    const HELP: &str = "Mend or remove it: nothing is generated from half an inventory.";
    let metadata = fs::metadata(path).map_err(|error| unreadable(describe(&error), HELP))?;
    if !metadata.is_file() {
        return Err(unreadable("it is no regular file", HELP));
    }
    let too_large = || Unreadable {
        code: Code::FileTooLarge,
        message: format!("the file is larger than {} MiB", MAX_FILE_BYTES >> 20),
        help: "Split the inventory over several files: all files below the folder form one inventory.".to_owned(),
        valid: String::new(),
    };
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    let file = fs::File::open(path).map_err(|error| unreadable(describe(&error), HELP))?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(describe(&error), HELP))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large());
    }
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(valid).copied().unwrap_or_default();
        Unreadable {
            code: Code::NotUtf8,
            message: format!("the byte 0x{byte:02x} is not UTF-8"),
            help: "Save the file as UTF-8.".to_owned(),
            valid: String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned(),
        }
    })
}

fn describe(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read: permission denied".to_owned(),
        _ => format!("it cannot be read: {error}"),
    }
}

/// A path as findings print it: relative to the project's root, with `/`.
fn display(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/").replace("//", "/")
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
    let Some(entries) = mapping(node, findings) else { return inventory };
    let Inventory { stated: fragment, lost, broken, .. } = &mut inventory;
    let keys: Vec<&str> = InventoryFile::keys().iter().map(String::as_str).collect();
    unknown_keys(entries, &keys, "an inventory file", findings);
    for (key, value) in entries {
        match key.text().unwrap_or_default() {
            "fleet" => fragment.fleet = Spanned::decode(value, findings),
            "dataClasses" => fragment.data_classes = Entries::decode(value, findings).unwrap_or_default(),
            "tiers" => fragment.tiers = items(value, lost, |_| {}, findings),
            "clusters" => fragment.clusters = items(value, lost, |_| {}, findings),
            "teams" => fragment.teams = items(value, lost, |_| {}, findings),
            "workloads" => fragment.workloads = items(value, lost, |_| {}, findings),
            "configs" => fragment.configs = items(value, lost, |_| {}, findings),
            "gateways" => fragment.gateways = items(value, lost, |item| broken.gateways.extend(broken_gateway(item)), findings),
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
                lost.extend(item.get("name").and_then(Node::text).map(str::to_owned));
                on_lost(item);
            }
        }
    }
    decoded
}

/// The callers and the target of a gateway, as far as these can be read.
fn broken_gateway(node: &Node) -> Option<(Vec<String>, String)> {
    let from = OneOrMany::<String>::decode(node.get("from")?, &mut Findings::new())?;
    Some((from.0, node.get("to")?.text()?.to_owned()))
}

/// The control and the scope of an exemption, as far as these can be read.
fn broken_exemption(node: &Node) -> Option<(String, ExemptionScope)> {
    let scope = ExemptionScope::decode(node.get("scope")?, &mut Findings::new())?;
    Some((node.get("rule")?.text()?.to_owned(), scope))
}

fn merge(inventory: &mut Inventory, fragment: Inventory, findings: &mut Findings) {
    let Inventory { stated: fragment, lost, broken, .. } = fragment;
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
    inventory.tiers.extend(fragment.tiers);
    inventory.clusters.extend(fragment.clusters);
    inventory.teams.extend(fragment.teams);
    inventory.workloads.extend(fragment.workloads);
    inventory.configs.extend(fragment.configs);
    inventory.gateways.extend(fragment.gateways);
    inventory.tokens.extend(fragment.tokens);
    inventory.exemptions.extend(fragment.exemptions);
    inventory.lost.extend(lost);
    inventory.broken.gateways.extend(broken.gateways);
    inventory.broken.exemptions.extend(broken.exemptions);
}

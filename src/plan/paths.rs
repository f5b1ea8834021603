//! Paths of the tree: portable, within it, none a folder of another, and none another in large letters.

use std::collections::BTreeMap;

use super::{Content, File, Plan};
use crate::catalog::Catalog;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::kustomize::KUSTOMIZATIONS;
use crate::source::Span;

/// Checks a path below its folder; the error says which rule it breaks.
pub fn check(path: &str) -> Result<(), &'static str> {
    let portable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if path.is_empty() {
        return Err("it is empty");
    }
    for part in path.split('/') {
        match part {
            "" => return Err("it begins or ends with `/`, or has two in a row"),
            "." | ".." => return Err("it leads out of its folder"),
            _ if part.starts_with('.') => return Err("a part of it is hidden"),
            _ if !part.chars().all(portable) => return Err("it holds more than letters, digits, `-`, `_` and `.`"),
            _ => {}
        }
    }
    // Where large and small letters are one, `KUSTOMIZATION.yaml` is a kustomization too.
    if path.split('/').any(|part| KUSTOMIZATIONS.iter().any(|name| name.eq_ignore_ascii_case(part))) {
        return Err("kustomize takes it for a kustomization, and those are written by the plan itself");
    }
    Ok(())
}

/// Reports a file that stands where another path has a folder.
pub fn prefix_free(plan: &Plan, catalog: &Catalog, findings: &mut Findings) {
    // A folder's kustomization is there because its files are, which are told of themselves.
    for (path, file) in plan.files.iter().filter(|(_, file)| matches!(file.content, Content::Rendered(_))) {
        let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        for (parent, other) in parents.filter_map(|parent| plan.files.get(parent).map(|other| (parent, other))) {
            let message = format!("{} plans the folder `{parent}`, which {} plans as a file", file.owner, other.owner);
            let patterns = [(file, "the folder comes from this pattern"), (other, "the file comes from this one")];
            let diag = path_clash(message, patterns, catalog);
            findings.push(diag.help("Change the `path` of one of the two kinds, or a name in the inventory that it is made of."));
        }
    }
}

/// Reports paths that are one where large and small letters are: such a file system keeps the last of them.
pub fn differ_in_more_than_case(plan: &Plan, catalog: &Catalog, findings: &mut Findings) {
    let rendered = |file: &File| matches!(file.content, Content::Rendered(_));
    let mut spelt: BTreeMap<String, (&str, &File)> = BTreeMap::new();
    for (path, file) in plan.files.iter().filter(|(path, file)| rendered(file) && path.bytes().any(|byte| byte.is_ascii_uppercase())) {
        let parts = path.match_indices('/').map(|(at, _)| &path[..at]).chain([path.as_str()]);
        let clash = parts.filter(|part| part.bytes().any(|byte| byte.is_ascii_uppercase())).find_map(|part| {
            let lower = part.to_ascii_lowercase();
            let inside = format!("{lower}/");
            let below = plan.files.range(inside.clone()..).next().filter(|(other, _)| other.starts_with(&inside));
            let small = plan.files.get_key_value(&lower).or(below).map(|(other, file)| (&other[..lower.len()], file));
            let first = *spelt.entry(lower).or_insert((part, file));
            small.or(Some(first)).filter(|(other, _)| *other != part).map(|(other, by)| (part, other, by))
        });
        let Some((part, other, by)) = clash else { continue };
        let message = format!(
            "{} plans `{part}`, and {} plans `{other}`, which is the same where large and small letters are one",
            file.owner, by.owner
        );
        let diag = path_clash(message, [(file, "the one comes from this pattern"), (by, "the other from this one")], catalog);
        findings.push(diag.help("Change the `path` of one of the two kinds: macOS and Windows would keep one file for both."));
    }
}

/// The finding about the first of two files, with the owner of the other, and each one's pattern under its label.
fn path_clash(message: String, files: [(&File, &str); 2], catalog: &Catalog) -> Diag {
    let [(file, _), (other, _)] = files;
    let mut diag = Diag::new(Code::PathClash, file.origin, message);
    if other.origin != file.origin {
        diag = diag.related(other.origin, "the other owner");
    }
    for (file, label) in files {
        if let Some(pattern) = pattern(file, catalog) {
            diag = diag.related(pattern, label);
        }
    }
    diag
}

/// Where the `path` of the kind is stated that planned a file first.
fn pattern(file: &File, catalog: &Catalog) -> Option<Span> {
    match &file.content {
        Content::Rendered(objects) => objects.first().map(|object| catalog.kinds[object.kind].path.span),
        Content::Kustomization(_) => None,
    }
}

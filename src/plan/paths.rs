//! Paths of the tree: portable, within it, and none a folder of another.

use super::{Content, File, Plan};
use crate::catalog::Catalog;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
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
    if path.rsplit('/').next() == Some("kustomization.yaml") { Err("`kustomization.yaml` is written by the plan itself") } else { Ok(()) }
}

/// Reports a file that stands where another path has a folder.
pub fn prefix_free(plan: &Plan, catalog: &Catalog, findings: &mut Findings) {
    // A folder's kustomization is there because its files are, which are told of themselves.
    for (path, file) in plan.files.iter().filter(|(_, file)| matches!(file.content, Content::Rendered(_))) {
        let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        for (parent, other) in parents.filter_map(|parent| plan.files.get(parent).map(|other| (parent, other))) {
            let message = format!("{} plans the folder `{parent}`, which {} plans as a file", file.owner, other.owner);
            let mut diag = Diag::new(Code::PathClash, file.origin, message);
            if other.origin != file.origin {
                diag = diag.related(other.origin, "the other owner");
            }
            for (file, label) in [(file, "the folder comes from this pattern"), (other, "the file comes from this one")] {
                if let Some(pattern) = pattern(file, catalog) {
                    diag = diag.related(pattern, label);
                }
            }
            findings.push(diag.help("Change the `path` of one of the two kinds, or a name in the inventory that it is made of."));
        }
    }
}

/// Where the `path` of the kind is stated that planned a file first.
fn pattern(file: &File, catalog: &Catalog) -> Option<Span> {
    match &file.content {
        Content::Rendered(objects) => objects.first().map(|object| catalog.kinds[object.kind].path.span),
        Content::Kustomization(_) => None,
    }
}

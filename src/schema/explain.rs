//! The next step where nothing better is known: what to ask `kubectl`.

use super::PathSegment;

/// Where to read what a field of a kind takes.
pub fn explained(kind: &str, path: &[PathSegment]) -> String {
    if kind.is_empty() {
        return "Begin it with `apiVersion: ...` and `kind: ...`.".to_owned();
    }
    let keys = path.iter().filter_map(|segment| match segment {
        PathSegment::Key(key) => Some(key.as_str()),
        PathSegment::Index(_) => None,
    });
    let kind = kind.to_lowercase();
    let field = std::iter::once(kind.as_str()).chain(keys).collect::<Vec<_>>().join(".");
    format!("`kubectl explain {field}` shows what it takes.")
}

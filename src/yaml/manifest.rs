//! The reader of rendered manifests: what all readers of YAML take alike, as the values of JSON, and nothing else.
//!
//! A blueprint's text is read once and written anew by [`emit`](super::emit); a scalar that Go, Python and YAML 1.2 understand differently
//! would change its meaning on the way, so it is refused, as are keys written twice, tags, anchors and merge keys. Most text is so plain
//! that [`fast`] reads it in a fraction of the time; whatever that does not know is left to [`full`], whose word is final.

mod fast;
mod full;

use std::ops::Range;

use serde_json::{Number, Value};

use super::scalar::{self, Plain};
use super::{Node, read as spanned};
use crate::source::Files;

/// Why a text is no manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do next, a whole sentence.
    pub help: Option<String>,
}

/// A step to a place in an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathSegment {
    /// A key of a mapping.
    Key(String),
    /// An item of a list, from 0.
    Index(usize),
}

/// Reads every document of a text; empty ones are left out.
///
/// # Errors
/// The first thing that is no YAML or on which its readers disagree.
pub fn read(text: &str) -> Result<Vec<Value>, Problem> {
    fast::read(text).map_or_else(|| full::read(text), Ok)
}

/// Where a place stands in a text that [`read`] takes: from its key, or for an item of a list from its value, to the end of its value
/// or of its first line. `document` counts as [`read`] does, without empty ones. For findings: it reads the whole text again.
pub fn locate(text: &str, document: usize, path: &[PathSegment]) -> Option<Range<usize>> {
    let file = Files::default().add("", "");
    let documents = spanned::read(text, file, &mut Vec::new());
    let mut node = documents.get(document)?;
    let mut key: Option<&Node> = None;
    for segment in path {
        (key, node) = match (segment, &node.value) {
            (PathSegment::Key(name), _) => node.entry(name).map(|(key, value)| (Some(key), value))?,
            (PathSegment::Index(index), super::Value::Seq(items)) => (None, items.get(*index)?),
            (PathSegment::Index(_), _) => return None,
        };
    }
    let start = key.unwrap_or(node).span.start as usize;
    let entry = &text[start..node.span.end.max(key.unwrap_or(node).span.end) as usize];
    Some(start..start + entry.lines().next().unwrap_or_default().len())
}

/// What a plain scalar stands for, or why readers disagree on it.
fn plain(text: &str) -> Result<Value, &'static str> {
    match scalar::plain(text) {
        Plain::Null => Ok(Value::Null),
        Plain::Bool(value) => Ok(Value::Bool(value)),
        Plain::Int(value) => Ok(Value::from(value)),
        Plain::Float(value) => Number::from_f64(value).map(Value::Number).ok_or("it is a number that JSON does not have"),
        Plain::Text => Ok(Value::String(text.to_owned())),
        Plain::Ambiguous(reason) => Err(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::PathSegment::{self, Index, Key};
    use super::locate;

    const TEXT: &str =
        "# nothing yet\n---\na: 1\n---\nkind: Pod\nspec:\n  ports:\n  - name: \"é\"\n    port: 80\n  - !!str x\n  text: |\n    a\n    b\n";

    fn located(document: usize, path: &[PathSegment]) -> Option<&'static str> {
        locate(TEXT, document, path).map(|range| &TEXT[range])
    }

    #[test]
    fn a_path_leads_to_the_line_that_says_it() {
        let key = |name: &str| Key(name.to_owned());
        assert_eq!(located(0, &[key("a")]), Some("a: 1"));
        assert_eq!(located(1, &[key("spec")]), Some("spec:"));
        assert_eq!(located(1, &[key("spec"), key("ports"), Index(0), key("name")]), Some("name: \"é\""));
        assert_eq!(located(1, &[key("spec"), key("ports"), Index(0)]), Some("name: \"é\""));
        assert_eq!(located(1, &[key("spec"), key("ports"), Index(1)]), Some("x"));
        assert_eq!(located(1, &[key("spec"), key("text")]), Some("text: |"));
        assert_eq!(located(1, &[]), Some("kind: Pod"));
    }

    #[test]
    fn a_path_to_nothing_has_no_place() {
        assert_eq!(located(2, &[]), None);
        assert_eq!(located(1, &[Key("nope".to_owned())]), None);
        assert_eq!(located(1, &[Index(0)]), None);
        assert_eq!(located(1, &[Key("kind".to_owned()), Key("x".to_owned())]), None);
    }
}

//! The reader of rendered text: YAML that means the same to every reader, as JSON values.
//!
//! Templates are text, so what they make is read back before it is trusted. A scalar on which readers disagree is refused, and so are
//! duplicate keys, tags, and keys that would not be text. Most rendered text is simple; `fast` reads that, and leaves the rest here.

use std::ops::Range;

use serde_json::{Map, Number, Value as Json};

use super::fast;
use super::read::{self, Node, Value};
use super::scalar::{self, Plain};
use crate::schema::PathSegment;
use crate::source::Files;

/// Why a text is no manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// Every document of a text; empty ones are left out.
pub fn read(text: &str) -> Result<Vec<Json>, Problem> {
    match fast::read(text) {
        Some(documents) => Ok(documents),
        None => read_fully(text),
    }
}

/// [`read()`] without the short cut.
pub fn read_fully(text: &str) -> Result<Vec<Json>, Problem> {
    let mut diags = Vec::new();
    let nodes = nodes(text, &mut diags);
    if let Some(diag) = diags.into_iter().next() {
        let span = diag.primary.span.start as usize..diag.primary.span.end as usize;
        return Err(Problem { span, message: diag.message, help: diag.help.into_iter().next() });
    }
    if let Some(at) = alias(text, &nodes) {
        let help = Some("Write the value out, or let the template repeat it.".to_owned());
        return Err(Problem { span: at, message: "anchors and aliases have no place in a manifest".to_owned(), help });
    }
    nodes.iter().map(json).collect()
}

/// Where in a text a path of keys and indexes of one of its documents stands: the key where the path ends at one, else the value.
pub fn locate(text: &str, document: usize, path: &[PathSegment]) -> Option<Range<usize>> {
    let nodes = nodes(text, &mut Vec::new());
    let mut node = nodes.get(document)?;
    let mut place = node;
    for segment in path {
        match segment {
            PathSegment::Key(key) => match node.entry(key) {
                Some((key, value)) => (place, node) = (key, value),
                // What is missing stands nowhere; what lacks it does.
                None => break,
            },
            PathSegment::Index(index) => match &node.value {
                Value::Seq(items) => {
                    node = items.get(*index)?;
                    place = node;
                }
                _ => break,
            },
        }
    }
    Some(place.span.start as usize..place.span.end as usize)
}

fn nodes(text: &str, diags: &mut Vec<crate::diag::Diag>) -> Vec<Node> {
    read::read(text, Files::default().add("", ""), diags)
}

/// The first node that stands where an earlier one does, or before: only an alias repeats a place.
fn alias(text: &str, nodes: &[Node]) -> Option<Range<usize>> {
    fn visit(node: &Node, last: &mut u32) -> Option<Range<usize>> {
        if node.span.start < *last {
            return Some(node.span.start as usize..node.span.end as usize);
        }
        *last = node.span.start;
        match &node.value {
            Value::Scalar { .. } => None,
            Value::Seq(items) => items.iter().find_map(|item| visit(item, last)),
            Value::Map(entries) => entries.iter().find_map(|(key, value)| visit(key, last).or_else(|| visit(value, last))),
        }
    }
    if !text.contains('*') {
        return None;
    }
    let mut last = 0;
    nodes.iter().find_map(|node| visit(node, &mut last))
}

fn json(node: &Node) -> Result<Json, Problem> {
    match &node.value {
        Value::Seq(items) => items.iter().map(json).collect::<Result<_, _>>().map(Json::Array),
        Value::Map(entries) => {
            let pair = |(key, value): &(Node, Node)| Ok((self::key(key)?, json(value)?));
            entries.iter().map(pair).collect::<Result<Map<_, _>, _>>().map(Json::Object)
        }
        Value::Scalar { text, quoted: true } => Ok(Json::String(text.clone())),
        Value::Scalar { text, quoted: false } => match scalar::plain(text) {
            Plain::Null => Ok(Json::Null),
            Plain::Bool(value) => Ok(Json::Bool(value)),
            Plain::Int(value) => Ok(Json::from(value)),
            Plain::Float(value) => Number::from_f64(value).map(Json::Number).ok_or_else(|| ambiguous(node, text, "it is no finite number")),
            Plain::Text => Ok(Json::String(text.clone())),
            Plain::Ambiguous(why) => Err(ambiguous(node, text, why)),
        },
    }
}

/// A key is text, and a plain one must be text for every reader.
fn key(node: &Node) -> Result<String, Problem> {
    match &node.value {
        Value::Scalar { text, quoted } if *quoted || scalar::plain(text) == Plain::Text => Ok(text.clone()),
        Value::Scalar { text, .. } => Err(ambiguous(node, text, "as a key it is no text to every reader")),
        _ => Err(ambiguous(node, "", "a key must be text")),
    }
}

fn ambiguous(node: &Node, text: &str, why: &str) -> Problem {
    Problem {
        span: node.span.start as usize..node.span.end as usize,
        message: format!("`{text}` does not mean the same to every YAML reader: {why}"),
        help: Some(format!("Quote it where text is meant: `\"{text}\"`; else write `true`, `false` or a decimal number.")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{locate, read, read_fully};
    use crate::schema::PathSegment::{Index, Key};

    #[test]
    fn a_rendered_object_is_read() {
        let text = "apiVersion: v1\nkind: \"Service\"\nspec:\n  ports:\n  - name: http\n    port: 80\n  - {\"name\": \"x\", \"port\": 1}\n  none:\n  list: []\n";
        let expected = json!({ "apiVersion": "v1", "kind": "Service", "spec": {
            "ports": [{ "name": "http", "port": 80 }, { "name": "x", "port": 1 }], "none": null, "list": [] } });
        assert_eq!(read(text), Ok(vec![expected.clone()]));
        assert_eq!(read_fully(text), Ok(vec![expected]));
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        for text in [
            "a: on",
            "a: 0777",
            "a: 1e3",
            "no: a",
            "1: a",
            "a: 1\na: 2",
            "a: {\"b\": 1, \"b\": 2}",
            "a: &x 1\nb: *x",
            "a: !!int 1",
            "a: .nan",
            "<<: {a: 1}\nb: *x",
        ] {
            assert!(read(text).is_err(), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn paths_are_located() {
        let text = "spec:\n  ports:\n  - name: http\n    prot: 80\n";
        let path = [Key("spec".into()), Key("ports".into()), Index(0), Key("prot".into())];
        assert_eq!(locate(text, 0, &path).map(|range| &text[range]), Some("prot"));
    }
}

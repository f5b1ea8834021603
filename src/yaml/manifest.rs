//! The reader of rendered text: YAML that means the same to every reader, as JSON values.
//!
//! Templates are text, so what they make is read back before it is trusted. A scalar on which readers disagree is refused, and so are
//! duplicate keys, tags, and keys that would not be text. Most rendered text is simple; `fast` reads that, and leaves the rest here.

use std::ops::Range;

use granit_parser::{Event, Parser};
use serde_json::{Map, Number, Value as Json};

use super::fast;
use super::read::{self, Node, Value};
use super::scalar::{self, Plain};
use crate::diag::Findings;
use crate::schema::PathSegment;
use crate::source::Files;

/// Line breaks of YAML 1.1 that are letters in YAML 1.2, and the byte order mark, which libyaml drops where a line begins with it.
const ODD: [char; 4] = ['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'];

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
    let mut findings = Findings::new();
    let nodes = nodes(text, &mut findings);
    if let Some(diag) = findings.into_iter().next() {
        let span = diag.primary.span.start as usize..diag.primary.span.end as usize;
        return Err(Problem { span, message: diag.message, help: diag.help.into_iter().next() });
    }
    if let Some(span) = anchor(text) {
        let help = "Quote a text that begins with `&`; write out what an alias would repeat, or let the template repeat it.";
        let message = "anchors and aliases have no place in a manifest".to_owned();
        return Err(Problem { span, message, help: Some(help.to_owned()) });
    }
    nodes.iter().map(json).collect()
}

/// Where in a text a path of keys and indexes of one of its documents stands: the key where the path ends at one, else the value.
pub fn locate(text: &str, document: usize, path: &[PathSegment]) -> Option<Range<usize>> {
    let nodes = nodes(text, &mut Findings::new());
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

fn nodes(text: &str, findings: &mut Findings) -> Vec<Node> {
    read::read(text, Files::default().add("", ""), findings)
}

/// The first anchor. An alias needs one before it; and one that nothing refers to is a text without quotes, which would be lost: in
/// `a: &b` the value is null.
fn anchor(text: &str) -> Option<Range<usize>> {
    if !text.contains('&') {
        return None;
    }
    let anchored = Parser::new_from_str(text).map_while(Result::ok).find_map(|(event, span)| match event {
        Event::Scalar(_, _, id, _) | Event::SequenceStart(_, id, _) | Event::MappingStart(_, id, _) if id != 0 => span.byte_range(),
        _ => None,
    })?;
    let before = text.get(..anchored.start)?;
    // The node's place begins after its anchor.
    let start = before.rfind('&')?;
    let end = before[start..].find(char::is_whitespace).map_or(anchored.start, |length| start + length);
    Some(start..end)
}

fn json(node: &Node) -> Result<Json, Problem> {
    match &node.value {
        Value::Seq(items) => items.iter().map(json).collect::<Result<_, _>>().map(Json::Array),
        Value::Map(entries) => {
            let pair = |(key, value): &(Node, Node)| Ok((self::key(key)?, json(value)?));
            entries.iter().map(pair).collect::<Result<Map<_, _>, _>>().map(Json::Object)
        }
        Value::Scalar { text, quoted: true } => Ok(Json::String(text.clone())),
        Value::Scalar { text, quoted: false } if text.contains(ODD) => Err(odd(node)),
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
        Value::Scalar { text, quoted: false } if text.contains(ODD) => Err(odd(node)),
        Value::Scalar { text, quoted } if *quoted || scalar::plain(text) == Plain::Text => Ok(text.clone()),
        Value::Scalar { text, .. } => Err(ambiguous(node, text, "as a key it is no text to every reader")),
        _ => Err(ambiguous(node, "", "a key must be text")),
    }
}

fn odd(node: &Node) -> Problem {
    Problem {
        span: node.span.start as usize..node.span.end as usize,
        message: "a text without quotes holds a character at which some YAML readers end the line, or which they drop".to_owned(),
        help: Some("Quote the text, or remove U+0085, U+2028, U+2029 and U+FEFF from it.".to_owned()),
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
            "a: &x",
            "- &x\n  a: 1",
            "&x a: 1",
            "a: [&x]",
            "a: x\u{85}y",
            "a: x\u{2028}y",
            "x\u{2029}y: a",
            "a: 1\n\u{feff}b: 2",
            "a: 0_x7",
            "a: !!int 1",
            "a: .nan",
            "<<: {a: 1}\nb: *x",
        ] {
            assert!(read(text).is_err(), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn what_is_odd_outside_quotes_is_text_within_them() {
        assert_eq!(read("a: \"&x\u{85}\u{2028}\u{2029}\u{feff}\""), Ok(vec![json!({"a": "&x\u{85}\u{2028}\u{2029}\u{feff}"})]));
        assert_eq!(read("a: |\n  &x *x\nb: x&y # &z"), Ok(vec![json!({"a": "&x *x\n", "b": "x&y"})]));
    }

    #[test]
    fn an_anchor_is_shown_where_it_stands() {
        for (text, anchor) in
            [("a: 1\nb: &amp;c\nd: 2", "&amp;c"), ("a: &x\n  b: 1", "&x"), ("- a\n- &x b", "&x"), ("a: &x [1]\nb: *x", "&x")]
        {
            let problem = read(text).unwrap_err();
            assert_eq!(text.get(problem.span), Some(anchor), "{text}");
        }
    }

    #[test]
    fn paths_are_located() {
        let text = "spec:\n  ports:\n  - name: http\n    prot: 80\n";
        let path = [Key("spec".into()), Key("ports".into()), Index(0), Key("prot".into())];
        assert_eq!(locate(text, 0, &path).map(|range| &text[range]), Some("prot"));
    }
}

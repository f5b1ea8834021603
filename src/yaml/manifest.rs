//! Temporary reader until the fast one lands.
use std::ops::Range;

use serde_json::{Map, Number, Value as Json};

use super::read::{self, Node, Value};
use super::scalar::{self, Plain};
use crate::source::Files;

/// p
#[derive(Clone, Debug)]
pub struct Problem {
    /// s
    pub span: Range<usize>,
    /// m
    pub message: String,
    /// h
    pub help: Option<String>,
}

/// r
pub fn read(text: &str) -> Result<Vec<Json>, Problem> {
    let file = Files::default().add("", "");
    let mut diags = Vec::new();
    let nodes = read::read(text, file, &mut diags);
    if let Some(d) = diags.into_iter().next() {
        return Err(Problem {
            span: d.primary.span.start as usize..d.primary.span.end as usize,
            message: d.message,
            help: d.help.first().cloned(),
        });
    }
    nodes.iter().map(json).collect()
}

fn json(node: &Node) -> Result<Json, Problem> {
    Ok(match &node.value {
        Value::Seq(items) => Json::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Value::Map(entries) => {
            let mut map = Map::new();
            for (k, v) in entries {
                map.insert(k.text().unwrap_or_default().to_owned(), json(v)?);
            }
            Json::Object(map)
        }
        Value::Scalar { text, quoted: true } => Json::String(text.clone()),
        Value::Scalar { text, quoted: false } => match scalar::plain(text) {
            Plain::Null => Json::Null,
            Plain::Bool(b) => Json::Bool(b),
            Plain::Int(i) => Json::from(i),
            Plain::Float(f) => Number::from_f64(f).map_or(Json::Null, Json::Number),
            Plain::Text => Json::String(text.clone()),
            Plain::Ambiguous(why) => {
                return Err(Problem {
                    span: node.span.start as usize..node.span.end as usize,
                    message: format!("`{text}` does not mean the same to every YAML reader: {why}"),
                    help: Some("Quote it.".to_owned()),
                });
            }
        },
    })
}

/// l
pub fn locate(_text: &str, _document: usize, _path: &[crate::schema::PathSegment]) -> Option<Range<usize>> {
    None
}

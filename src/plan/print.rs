//! The plan as JSON, for people and for tools that want to know what would be made, of what, and why.

use serde_json::{Value, json};

use super::{Content, Plan};
use crate::catalog::{Catalog, Layer};
use crate::source::{Files, Span};

/// Every file with its owner, and every object with its kind, template, scope, layer, values and origin.
pub fn to_json(plan: &Plan, catalog: &Catalog, files: &Files) -> Value {
    let place = |span: Span| {
        let at = files.line_col(span);
        format!("{}:{}:{}", files.path(span.file), at.line, at.column)
    };
    let file = |(path, file): (&String, &super::File)| {
        let objects: Vec<Value> = match &file.content {
            Content::Kustomization(value) => vec![json!({ "kustomization": value })],
            Content::Rendered(objects) => objects
                .iter()
                .map(|object| {
                    let kind = &catalog.kinds[object.kind];
                    json!({
                        "kind": kind.id,
                        "template": kind.templates[object.template].name(),
                        "scope": kind.scope.as_str(),
                        "layer": kind.layer.map(Layer::as_str),
                        "kubernetes": object.minor.map(|minor| minor.to_string()),
                        "origin": place(object.origin),
                        "values": object.view.to_json(),
                    })
                })
                .collect(),
        };
        json!({ "path": path, "owner": file.owner, "origin": place(file.origin), "objects": objects })
    };
    json!({ "version": 1, "files": plan.files.iter().map(file).collect::<Vec<_>>() })
}

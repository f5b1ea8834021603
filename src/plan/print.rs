//! The plan as JSON, for people and for tools that want to know what would be made, of what, and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Content, Plan};
use crate::catalog::{Catalog, Layer};
use crate::render::{View, ViewValue};
use crate::source::{Files, Span};

/// Every file with its owner, and every object with its kind, template, scope, layer, values and origin. Most objects see the same few values, so
/// these stand once in `values`, and an object names them by their places there.
pub fn to_json(plan: &Plan, catalog: &Catalog, files: &Files) -> Value {
    let mut values = Values::default();
    let place = |span: Span| {
        let at = files.line_col(span);
        format!("{}:{}:{}", files.path(span.file), at.line, at.column)
    };
    let mut file = |(path, file): (&String, &super::File)| {
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
                        "values": values.places(&object.view),
                    })
                })
                .collect(),
        };
        json!({ "path": path, "owner": file.owner, "origin": place(file.origin), "objects": objects })
    };
    let files: Vec<Value> = plan.files.iter().map(&mut file).collect();
    json!({ "version": 2, "files": files, "values": values.all })
}

/// Values by their places; equal ones have one place.
#[derive(Default)]
struct Values {
    all: Vec<Value>,
    by_identity: BTreeMap<*const ViewValue, usize>,
    by_content: BTreeMap<String, usize>,
}

impl Values {
    /// The places of what a view holds, by its names.
    fn places(&mut self, view: &View) -> Map<String, Value> {
        view.iter().map(|(name, value)| (name.to_owned(), self.place(value).into())).collect()
    }

    fn place(&mut self, value: &Arc<ViewValue>) -> usize {
        let identity = Arc::as_ptr(value);
        if let Some(place) = self.by_identity.get(&identity) {
            return *place;
        }
        let all = &mut self.all;
        let place = *self.by_content.entry(value.json().to_string()).or_insert_with(|| {
            all.push(value.json().clone());
            all.len() - 1
        });
        self.by_identity.insert(identity, place);
        place
    }
}

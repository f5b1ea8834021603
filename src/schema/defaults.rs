//! The defaults of custom kinds: the API server writes them into an object, level by level, before it looks at anything else.
//!
//! A default itself is complete: of what stands in one nothing is filled in before it is checked.

use serde_json::Value;

use super::model::{Schema, Shape};

/// An object as it is once the defaults of its schema stand in it, those of what they bring along too.
pub(super) fn filled(schema: &Schema, mut value: Value) -> Value {
    fill(schema, &mut value);
    value
}

fn fill(schema: &Schema, value: &mut Value) {
    match (&schema.shape, value) {
        (Shape::Object(object), Value::Object(entries)) => {
            for (name, schema) in object.properties() {
                if let Some(default) = schema.default.as_ref().filter(|_| !entries.contains_key(name)) {
                    entries.insert(name.to_owned(), default.clone());
                }
            }
            for (key, value) in entries {
                if let Some(schema) = object.at(key) {
                    fill(schema, value);
                }
            }
        }
        (Shape::List(list), Value::Array(items)) => items.iter_mut().for_each(|item| fill(&list.items, item)),
        _ => {}
    }
}

//! Quantities by their value: `1Gi` and `1024Mi` are one size.

use serde_json::Value;

use super::model::{Schema, Shape};
use super::{Minor, Schemas};
use crate::formats::Quantity;

impl Schemas {
    /// Writes each quantity of an object in the one form that all equal ones have, as the API server compares them (`apiequality.Semantic`). An object of a
    /// kind that is not known stays as it is.
    pub fn unify_quantities(&self, minor: Minor, object: &mut Value) {
        let text = |key: &str| object[key].as_str().unwrap_or_default();
        let definition = self.definition_of(minor, text("apiVersion"), text("kind"));
        if let Some(schema) = definition.and_then(|name| self.schema(minor, name)) {
            unify(minor, schema, object);
        }
    }
}

fn unify(minor: Minor, schema: &Schema, value: &mut Value) {
    let Some(schema) = schema.resolve(minor) else { return };
    match (&schema.shape, value) {
        (Shape::Object(object), Value::Object(entries)) => {
            for (key, value) in entries {
                if let Some(schema) = object.at(key) {
                    unify(minor, schema, value);
                }
            }
        }
        (Shape::List(list), Value::Array(items)) => items.iter_mut().for_each(|item| unify(minor, &list.items, item)),
        (Shape::Quantity, value @ (Value::String(_) | Value::Number(_))) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if let Some(canonical) = Quantity::new(&text).ok().and_then(|quantity| quantity.canonical()) {
                *value = Value::String(canonical);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quantities_alone_are_written_in_one_form() {
        let set = |size: Value, cpu: &str| {
            let mut object = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "1Gi"}, "spec": {
                "volumeClaimTemplates": [{"spec": {"resources": {"requests": {"storage": size}}}}],
                "template": {"spec": {"containers": [{"name": "main", "args": ["1024Mi"], "resources": {"limits": {"cpu": cpu}}}]}},
            }});
            Schemas::new().unify_quantities(Minor::NEWEST, &mut object);
            object
        };
        let unified = set(json!("1Gi"), "0.5");
        assert_eq!(unified, set(json!("1024Mi"), "500m"));
        assert_eq!(unified, set(json!(1_073_741_824), "0.50"));
        assert_ne!(unified, set(json!("1G"), "0.5"));
        assert_eq!(unified["metadata"]["name"], "1Gi");
        assert_eq!(unified["spec"]["template"]["spec"]["containers"][0]["args"][0], "1024Mi");
    }
}

//! Flux replaces `${...}` in what it applies; text that holds it must be marked as not meant.

use serde_json::{Map, Value};

const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Whether any string or key holds `${`, which Flux's post-build substitution would replace or refuse.
pub fn contains_substitution(value: &Value) -> bool {
    let in_text = |text: &str| text.contains("${");
    match value {
        Value::String(text) => in_text(text),
        Value::Array(items) => items.iter().any(contains_substitution),
        Value::Object(map) => map.iter().any(|(key, value)| in_text(key) || contains_substitution(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Adds the annotation that keeps Flux from substituting, to an object that holds `${`. An object that holds none is left as it is.
pub fn protect(value: &mut Value) {
    if !contains_substitution(value) {
        return;
    }
    let mut at = value;
    for key in ["metadata", "annotations"] {
        let Value::Object(map) = at else { return };
        at = map.entry(key).or_insert(Value::Null);
        if at.is_null() {
            *at = Value::Object(Map::new());
        }
    }
    if let Value::Object(annotations) = at {
        annotations.insert(SUBSTITUTE.to_owned(), Value::from("disabled"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::protect;

    #[test]
    fn text_with_a_substitution_is_protected_wherever_it_stands() {
        for mut value in [json!({"data": {"a": ["x ${HOME}"]}}), json!({"metadata": {"annotations": null}, "data": {"${k}": 1}})] {
            protect(&mut value);
            assert_eq!(value["metadata"]["annotations"], json!({"kustomize.toolkit.fluxcd.io/substitute": "disabled"}));
        }
    }

    #[test]
    fn other_annotations_stay_and_objects_without_substitutions_are_untouched() {
        let mut value = json!({"metadata": {"name": "n", "annotations": {"a": "${b}"}}});
        protect(&mut value);
        assert_eq!(value["metadata"]["annotations"]["a"], "${b}");
        let before = json!({"metadata": {"name": "$HOME {{ $labels.x }}"}});
        let mut after = before.clone();
        protect(&mut after);
        assert_eq!(before, after);
    }
}

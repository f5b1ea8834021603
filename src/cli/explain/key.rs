//! A key of the inventory: what it says, what it takes, and what holds where it is left out. All of it is in the JSON Schema, which comes from the types.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::inventory;

/// A key with the way to it.
struct Key<'s> {
    path: String,
    /// What stands there, references followed.
    schema: &'s Value,
    /// The words about it at its record, else about its type.
    description: &'s str,
    required: bool,
    /// What may stand in this key, where its type is too general to say.
    example: Option<&'s str>,
    /// The items of a list, or the entries of a mapping with free names.
    many: Option<&'static str>,
}

/// Keys that no one record must have, and that have to be stated nevertheless.
const STATED_SOMEWHERE: [(&str, &str); 4] = [
    ("fleet", "It has to be stated, in exactly one of the files.\n"),
    ("workloads.expose.type", IN_A_LAYER),
    ("workloads.scale.max", IN_A_LAYER),
    ("workloads.scale.min", IN_A_LAYER),
];

const IN_A_LAYER: &str =
    "Where the key above it is written, it has to be stated in one of the layers: the workload's own, defaults or overrides.\n";

/// What there is to say of a key: its whole path (`tiers.isolation`), or the end of one where that is one key only (`isolation`).
pub(super) fn explain(name: &str) -> Option<String> {
    // Defaults and overrides hold keys of workloads.
    let name = ["defaults.", "overrides.set."].iter().find_map(|above| name.split_once(above)).map_or(name, |(_, below)| below);
    let schema = inventory::json_schema();
    let keys = all(&schema);
    // A whole path means itself, whatever else ends in the same way.
    let (of_workload, ending) = (format!("workloads.{name}"), format!(".{name}"));
    let named = |fits: &dyn Fn(&str) -> bool| keys.iter().filter(|key| fits(&key.path)).collect::<Vec<_>>();
    let ways: [&dyn Fn(&str) -> bool; 3] = [&|path| path == name, &|path| path == of_workload, &|path| path.ends_with(&ending)];
    let found = ways.into_iter().map(named).find(|found| !found.is_empty()).unwrap_or_default();
    match found[..] {
        [] => None,
        [key] => Some(of(key, &schema)),
        _ => {
            let lines: String = found.iter().map(|key| line(&key.path, key.description)).collect();
            Some(format!("`{name}` is a key in several places:\n{lines}"))
        }
    }
}

/// The paths of all keys.
pub(super) fn paths() -> Vec<String> {
    all(&inventory::json_schema()).into_iter().map(|key| key.path).collect()
}

fn all(schema: &Value) -> Vec<Key<'_>> {
    let mut keys = Vec::new();
    collect(schema, schema, "", &mut keys);
    keys
}

fn collect<'s>(root: &'s Value, record: &'s Value, above: &str, keys: &mut Vec<Key<'s>>) {
    let required: BTreeSet<&str> = record["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in record["properties"].as_object().into_iter().flatten() {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        let stated = property["description"].as_str();
        let (schema, many) = item(root, property);
        let description = stated.or_else(|| schema["description"].as_str()).unwrap_or_default();
        let (required, example) = (required.contains(name.as_str()), property["examples"][0].as_str());
        keys.push(Key { path: path.clone(), schema, description, required, example, many });
        if !matches!(name.as_str(), "defaults" | "set") {
            for form in forms(root, schema) {
                collect(root, form, &path, keys);
            }
        }
    }
}

/// What a property holds: of a list or a free mapping, each of its items.
fn item<'s>(root: &'s Value, property: &'s Value) -> (&'s Value, Option<&'static str>) {
    let schema = followed(root, property);
    if schema["items"].is_object() {
        return (followed(root, &schema["items"]), Some("list"));
    }
    if schema["additionalProperties"].is_object() && schema["properties"].is_null() {
        return (followed(root, &schema["additionalProperties"]), Some("mapping"));
    }
    (schema, None)
}

fn followed<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    match schema["$ref"].as_str().and_then(|reference| root.pointer(reference.trim_start_matches('#'))) {
        Some(there) => followed(root, there),
        None => schema,
    }
}

/// The forms that a value may have: short ones and long ones, or one alone.
fn forms<'s>(root: &'s Value, schema: &'s Value) -> impl Iterator<Item = &'s Value> {
    let several = schema["anyOf"].as_array().map(|forms| forms.iter().map(|form| followed(root, form)).collect::<Vec<_>>());
    several.unwrap_or_else(|| vec![schema]).into_iter()
}

fn of(key: &Key<'_>, root: &Value) -> String {
    let what = forms(root, key.schema).map(kind).collect::<Vec<_>>().join(", or ");
    let takes = key.many.map_or_else(|| format!("It takes {what}."), |many| format!("It takes a {many}; each entry is {what}."));
    let mut text = format!("{} (key): {}\n\n{takes}\n", key.path, key.description.replace('\n', " "));
    for form in forms(root, key.schema) {
        for word in form["oneOf"].as_array().into_iter().flatten() {
            if let (Some(name), Some(means)) = (word["const"].as_str(), word["description"].as_str()) {
                text += &line(name, means);
            }
        }
        for (name, property) in form["properties"].as_object().into_iter().flatten() {
            let stated = property["description"].as_str().or_else(|| item(root, property).0["description"].as_str()).unwrap_or_default();
            text += &line(name, stated);
        }
        if let Some(example) = key.example.or_else(|| form["examples"][0].as_str()) {
            text += &["An example: `", example, "`.\n"].concat();
        }
    }
    if let Some((_, where_stated)) = STATED_SOMEWHERE.iter().find(|(path, _)| *path == key.path) {
        return text + where_stated;
    }
    text + if key.required { "It has to be stated.\n" } else { "It may be left out.\n" }
}

/// What a value is, in words.
fn kind(form: &Value) -> String {
    if form["oneOf"].is_array() {
        return "one of these words".to_owned();
    }
    if form["properties"].is_object() {
        return "a mapping of these keys".to_owned();
    }
    if form["items"].is_object() {
        return "a list".to_owned();
    }
    let name = |kind: &str| match kind {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        _ => "a mapping",
    };
    match &form["type"] {
        Value::String(kind) => name(kind).to_owned(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).map(name).collect::<Vec<_>>().join(" or "),
        _ => "what Kubernetes takes there".to_owned(),
    }
}

/// A name and the first sentence about it.
fn line(name: &str, about: &str) -> String {
    format!("  {name:<34} {}\n", first_sentence(about).replace('\n', " "))
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

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

/// Keys that no one record must have, and that have to be stated nevertheless: what stands before one among others, and what is said of it alone.
const STATED_SOMEWHERE: [(&str, &str, &str); 6] = [
    ("fleet", "(required in one of the files) ", "It has to be stated, in exactly one of the files.\n"),
    (
        "workloads.image",
        "(required in one of the layers, without `source`) ",
        "It has to be stated in one of the layers: the workload's own, defaults or overrides; not beside `source`, whose manifests state it.\n",
    ),
    (
        "workloads.schedule",
        "(required of a CronJob in one of the layers) ",
        "Of a CronJob it has to be stated in one of the layers: the workload's own, defaults or overrides.\n",
    ),
    ("workloads.expose.type", BEFORE_WHAT_A_LAYER_STATES, IN_A_LAYER),
    ("workloads.scale.max", BEFORE_WHAT_A_LAYER_STATES, IN_A_LAYER),
    ("workloads.scale.min", BEFORE_WHAT_A_LAYER_STATES, IN_A_LAYER),
];

const BEFORE_WHAT_A_LAYER_STATES: &str = "(required in one of the layers) ";
const IN_A_LAYER: &str =
    "Where the key above it is written, it has to be stated in one of the layers: the workload's own, defaults or overrides.\n";

fn stated_somewhere(path: &str) -> Option<(&'static str, &'static str)> {
    STATED_SOMEWHERE.iter().find(|(key, ..)| *key == path).map(|(_, before, alone)| (*before, *alone))
}

/// What there is to say of a key: its whole path (`tiers.isolation`), a key of a workload, one of the list at the top of a file (`cluster` for
/// `clusters`), or the end of a path where that is one key only (`isolation`).
pub(super) fn explain(name: &str) -> Option<String> {
    // Defaults and overrides hold keys of workloads.
    let name = ["defaults.", "overrides.set."].iter().find_map(|above| name.split_once(above)).map_or(name, |(_, below)| below);
    let schema = inventory::json_schema();
    let keys = all(&schema);
    // A whole path means itself, whatever else ends in the same way.
    let (of_workload, plural, ending) = (format!("workloads.{name}"), format!("{name}s"), format!(".{name}"));
    let named = |fits: &dyn Fn(&str) -> bool| keys.iter().filter(|key| fits(&key.path)).collect::<Vec<_>>();
    let ways: [&dyn Fn(&str) -> bool; 4] =
        [&|path| path == name, &|path| path == of_workload, &|path| path == plural, &|path| path.ends_with(&ending)];
    let found = ways.into_iter().map(named).find(|found| !found.is_empty()).unwrap_or_default();
    match found[..] {
        [] => None,
        [key] => Some(of(key, &schema)),
        _ => {
            let lines: String = found.iter().map(|key| line(&key.path, "", key.description)).collect();
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
    // What is said of the record, beside what is said of the key.
    let of_record = key.schema["description"].as_str().filter(|about| *about != key.description);
    let about = of_record.map_or_else(String::new, |about| format!("{}\n", about.replace('\n', " ")));
    let mut text = format!("{} (key): {}\n\n{about}{takes}\n", key.path, key.description.replace('\n', " "));
    for form in forms(root, key.schema) {
        for word in form["oneOf"].as_array().into_iter().flatten() {
            if let (Some(name), Some(means)) = (word["const"].as_str(), word["description"].as_str()) {
                text += &line(name, "", means);
            }
        }
        let required: BTreeSet<&str> = form["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in form["properties"].as_object().into_iter().flatten() {
            let somewhere = stated_somewhere(&format!("{}.{name}", key.path)).map_or("", |(before, _)| before);
            let mark = if required.contains(name.as_str()) { "(required) " } else { somewhere };
            let stated = property["description"].as_str().or_else(|| item(root, property).0["description"].as_str()).unwrap_or_default();
            text += &line(name, mark, stated);
        }
        if let Some(example) = key.example.or_else(|| form["examples"][0].as_str()) {
            text += &["An example: `", example, "`.\n"].concat();
        }
    }
    let alone = stated_somewhere(&key.path).map(|(_, alone)| alone);
    text + alone.unwrap_or(if key.required { "It has to be stated.\n" } else { "It may be left out.\n" })
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

/// A name and the first sentence about it, behind a mark.
fn line(name: &str, mark: &str, about: &str) -> String {
    format!("  {name:<34} {mark}{}\n", first_sentence(about).replace('\n', " "))
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |end| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::{STATED_SOMEWHERE, all, explain};
    use crate::inventory;

    #[test]
    fn what_is_stated_somewhere_is_a_key_that_no_record_must_have() {
        let schema = inventory::json_schema();
        let keys = all(&schema);
        for (path, ..) in STATED_SOMEWHERE {
            assert!(keys.iter().any(|key| key.path == path && !key.required), "{path}");
        }
    }

    /// Every key that has to be stated is marked where the keys beside it are listed.
    #[test]
    fn required_keys_are_marked_among_the_others() {
        let schema = inventory::json_schema();
        let mut marked = 0;
        for key in all(&schema) {
            let Some((above, name)) = key.path.rsplit_once('.') else { continue };
            let text = explain(above).unwrap_or_default();
            let Some(line) = text.lines().find(|line| line.starts_with(&format!("  {name} "))) else { continue };
            let somewhere = STATED_SOMEWHERE.iter().any(|(path, ..)| *path == key.path);
            assert_eq!(line.contains("(required"), key.required || somewhere, "{}: {line}", key.path);
            marked += usize::from(key.required);
        }
        assert!(marked > 30, "{marked}");
    }

    #[test]
    fn one_of_a_list_at_the_top_stands_for_the_list() {
        for name in ["workload", "cluster", "gateway", "token", "exemption"] {
            let text = explain(name).unwrap_or_default();
            assert!(text.starts_with(&format!("{name}s (key)")), "{name}: {text}");
        }
        // What a workload has comes first.
        assert!(explain("tier").unwrap_or_default().starts_with("workloads.tier (key)"));
    }
}

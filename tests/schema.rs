//! The JSON Schema that editors read is the one that the types make.

#![allow(clippy::unwrap_used, reason = "a test stops where it is wrong")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use ringfence::inventory::workload::{Identity, Settings};
use ringfence::inventory::{InventoryFile, cluster::Cluster, fleet::Fleet, gateway::Gateway, tier::Tier};
use serde_json::Value;

const COMMITTED: &str = "inventory/inventory.schema.json";

fn committed() -> Value {
    serde_json::from_str(&fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(COMMITTED)).unwrap()).unwrap()
}

#[test]
fn the_committed_schema_is_what_the_program_prints() {
    let run = Command::new(env!("CARGO_BIN_EXE_ringfence")).arg("schema").output().unwrap();
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(COMMITTED)).unwrap();
    assert!(run.status.success());
    assert_eq!(String::from_utf8(run.stdout).unwrap(), text, "write it anew: ringfence schema > {COMMITTED}");
}

#[test]
fn the_schema_offers_the_keys_that_are_read_and_no_others() {
    let schema = committed();
    let offered = |place: &Value| place["properties"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let read = |keys: &[&[String]]| keys.iter().flat_map(|keys| keys.iter().cloned()).collect::<BTreeSet<_>>();
    assert_eq!(offered(&schema), read(&[InventoryFile::keys()]));
    for (name, keys) in [
        ("Workload", vec![Identity::keys(), Settings::keys()]),
        ("Fleet", vec![Fleet::keys()]),
        ("Tier", vec![Tier::keys()]),
        ("Cluster", vec![Cluster::keys()]),
        ("Gateway", vec![Gateway::keys()]),
    ] {
        assert_eq!(offered(&schema["$defs"][name]), read(&keys), "{name}");
    }
}

#[test]
fn the_schema_asks_for_what_is_required() {
    let schema = committed();
    let required = |name: &str| {
        schema["$defs"][name]["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let set = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(required("Fleet"), set(&["apiVersion", "name", "labelDomain"]));
    assert_eq!(required("Tier"), set(&["name", "level", "podSecurity"]));
    assert_eq!(required("Workload"), set(&["name", "team", "kind"]));
    assert_eq!(required("Cluster"), set(&["name", "tiers", "environment", "cni", "provider", "network", "nodePools"]));
}

/// What of a file the schema does not allow; every keyword that it uses is understood, or this stops.
fn problems(schema: &Value, root: &Value, value: &Value, at: &str) -> Vec<String> {
    let Some(keywords) = schema.as_object() else {
        return if schema == &Value::Bool(false) { vec![format!("{at}: nothing is allowed here")] } else { Vec::new() };
    };
    let fits = |schema: &Value| problems(schema, root, value, at).is_empty();
    let number = |limit: &Value, holds: fn(f64, f64) -> bool| value.as_f64().is_none_or(|value| holds(value, limit.as_f64().unwrap()));
    let mut found = Vec::new();
    for (keyword, stated) in keywords {
        let holds = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "examples" | "format" => true,
            "$ref" => {
                let target = root.pointer(stated.as_str().unwrap().trim_start_matches('#')).unwrap();
                found.extend(problems(target, root, value, at));
                true
            }
            "type" => match stated {
                Value::Array(types) => types.iter().any(|name| is(value, name)),
                name => is(value, name),
            },
            "const" => value == stated,
            "pattern" => {
                assert_eq!(stated, "^[0-9]+%$", "this test knows that pattern alone");
                let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                value.as_str().is_none_or(|text| text.strip_suffix('%').is_some_and(digits))
            }
            "anyOf" => stated.as_array().unwrap().iter().any(fits),
            "oneOf" => stated.as_array().unwrap().iter().filter(|schema| fits(schema)).count() == 1,
            "minimum" => number(stated, |value, least| value >= least),
            "maximum" => number(stated, |value, most| value <= most),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= stated.as_u64().unwrap()),
            "required" => {
                value.as_object().is_none_or(|map| stated.as_array().unwrap().iter().all(|key| map.contains_key(key.as_str().unwrap())))
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                found.extend(items.flat_map(|(number, item)| problems(stated, root, item, &format!("{at}/{number}"))));
                true
            }
            "properties" | "additionalProperties" => {
                let named = &keywords.get("properties").unwrap_or(&Value::Null);
                for (key, item) in value.as_object().into_iter().flatten() {
                    let schema = if keyword == "properties" { named.get(key) } else { Some(stated).filter(|_| named.get(key).is_none()) };
                    found.extend(schema.into_iter().flat_map(|schema| problems(schema, root, item, &format!("{at}/{key}"))));
                }
                true
            }
            other => panic!("this test does not know the keyword `{other}`"),
        };
        if !holds {
            found.push(format!("{at}: {keyword}: {stated}"));
        }
    }
    found
}

fn is(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("JSON has no type `{other}`"),
    }
}

/// The inventories that people begin with: the sample's files, and the one that `init` writes.
fn inventories() -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["inventory", "src/cli/init"].map(|folder| walkdir::WalkDir::new(root.join(folder)).sort_by_file_name());
    let files = files.into_iter().flatten().map(|entry| entry.unwrap().into_path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.map(|path| (path.display().to_string(), serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap())).collect()
}

#[test]
fn the_schema_accepts_every_file_of_the_sample_and_of_init() {
    let schema = committed();
    let files = inventories();
    assert!(files.len() > 10, "{}", files.len());
    for (path, file) in files {
        assert_eq!(problems(&schema, &schema, &file, ""), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn the_schema_marks_a_misspelt_key_and_a_wrong_value() {
    let schema = committed();
    for (text, place) in [
        ("workload: []", "/workload"),
        ("tiers: [{name: one, level: ten, podSecurity: baseline}]", "/tiers/0/level"),
        ("tiers: [{name: one, level: 10, podSecurity: strict}]", "/tiers/0/podSecurity"),
        ("tiers: [{name: one, level: 10}]", "/tiers/0"),
        ("workloads: [{name: a, team: b, kind: Deployment, replica: 3}]", "/workloads/0/replica"),
        // What has no value is refused, as the program refuses it: a key is left out where its default is meant.
        ("fleet: {apiVersion: ringfence/v1, name: a, labelDomain: b.example, monitoring: null}", "/fleet/monitoring"),
        (
            "fleet: {apiVersion: ringfence/v1, name: a, labelDomain: b.example, monitoring: {namespace: null}}",
            "/fleet/monitoring/namespace",
        ),
        ("fleet: {apiVersion: ringfence/v1, name: a, labelDomain: b.example, clusters: null}", "/fleet/clusters"),
        ("workloads: [{name: a, team: b, kind: Deployment, ports: [{name: http, port: 80, scrape: null}]}]", "/workloads/0/ports/0/scrape"),
    ] {
        let found = problems(&schema, &schema, &serde_yaml::from_str(text).unwrap(), "");
        assert!(found.iter().any(|problem| problem.starts_with(&format!("{place}: "))), "{text}: {found:?}");
    }
}

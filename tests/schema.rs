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

//! What Prometheus reads, held before its own tool.

use std::fs;

use serde_json::{Value, json};

use crate::judges::Judges;
use crate::resources::describe;
use crate::runner::Verdict;
use crate::session::none;

/// `promtool check rules` takes every `PrometheusRule`, and refuses one whose expression is none.
pub fn verdict<'o>(judges: &Judges, objects: impl Iterator<Item = &'o Value>) -> Verdict {
    let broken = json!({ "groups": [{ "name": "broken", "rules": [{ "alert": "Broken", "expr": "sum(" }] }] });
    if check(judges, &broken).is_ok() {
        return Err("promtool takes whatever it is given".to_owned());
    }
    let rules = objects.filter(|object| object["kind"] == "PrometheusRule");
    let refused = rules.filter_map(|rule| check(judges, &rule["spec"]).err().map(|why| format!("{}: {why}", describe(rule))));
    none("files of rules are refused", &refused.collect::<Vec<_>>())
}

/// What promtool says of a file of rules that it refuses.
pub fn check(judges: &Judges, rules: &Value) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.yaml");
    fs::write(&path, rules.to_string()).unwrap();
    let output = judges.promtool().args(["check", "rules", "--lint-fatal"]).arg(&path).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

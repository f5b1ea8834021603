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

/// What is wrong with the selectors of an expression on the platform's metrics: one that takes a workload's series, which always have the label
/// `tier`, lets the workload speak for the platform. What Prometheus tells of alerts has the tiers' names: there no `instance` tells them apart.
pub fn of_workloads(judges: &Judges, expression: &str) -> Option<String> {
    let (label, kept) = if expression.contains("ALERTS{") { ("instance", "instance=\"\"") } else { ("tier", "tier=\"\"") };
    let closed = rewritten(judges, &["label-matchers", "set", "--type==", expression, label, ""]);
    let same = rewritten(judges, &["format", expression]);
    (closed.is_err() || closed != same)
        .then(|| format!("has a selector without {kept}, which a workload's series would match: {expression}"))
}

/// An expression as `promtool promql` rewrites it.
pub fn rewritten(judges: &Judges, arguments: &[&str]) -> Result<String, String> {
    let output = judges.promtool().args(["--experimental", "promql"]).args(arguments).output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A selector that takes a workload's series is seen, wherever it stands.
pub fn self_test(judges: &Judges) -> Result<(), String> {
    let closed = r#"up{job="a",tier=""} unless on (node) (b{tier=""} offset 10m)"#;
    let open = [
        r#"up{job="a"} unless on (node) (b{tier=""} offset 10m)"#,
        r#"up{job="a",tier=""} unless on (node) (b offset 10m)"#,
        r#"up{tier!=""}"#,
    ];
    let wrong = of_workloads(judges, closed).is_some() || open.iter().any(|expression| of_workloads(judges, expression).is_none());
    if wrong { Err("open selectors are not told from closed ones".to_owned()) } else { Ok(()) }
}

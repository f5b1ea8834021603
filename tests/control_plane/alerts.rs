//! Whether each alert fires when it is meant to, and is silent when it is not.
//!
//! ```text
//! tests/alerts/ALERT.yaml    fires: {series: {SERIES: VALUES}, at: TIME, alerts: [{LABEL: VALUE}]}    silent: {series, at}
//! ```
//! Series are written as `promtool test rules` reads them, a sample a minute; the labels are those that the expression gives.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::attempt;
use crate::judges::Judges;
use crate::resources::describe;
use crate::runner::Verdict;
use crate::session::none;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alert {
    fires: Situation,
    silent: Situation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    series: BTreeMap<String, String>,
    at: String,
    #[serde(default)]
    alerts: Vec<BTreeMap<String, String>>,
}

/// Every alert of the tree has its case, fires and is silent as that says, says whom it concerns, and what to do is written down.
pub fn verdict<'o>(judges: &Judges, project: &Path, objects: impl Iterator<Item = &'o Value>) -> Verdict {
    let mut rules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for object in objects.filter(|object| object["kind"] == "PrometheusRule") {
        let groups = object["spec"]["groups"].as_array().into_iter().flatten();
        for rule in groups.flat_map(|group| group["rules"].as_array().into_iter().flatten()).filter(|rule| rule["alert"].is_string()) {
            let name = rule["alert"].as_str().unwrap().to_owned();
            wrong.extend(told(project, rule).err().map(|why| format!("{}: {name} {why}", describe(object))));
            rules.entry(name).or_default().insert(json!({ "expr": rule["expr"], "for": rule["for"].as_str().unwrap_or("0s") }).to_string());
        }
    }
    let folder = project.join("tests/alerts");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let cases: BTreeMap<String, Alert> = files.map(|path| (attempt::name(&path).replace(".yaml", ""), attempt::read(&path))).collect();
    wrong.extend(rules.keys().filter(|name| !cases.contains_key(*name)).map(|name| format!("{name} has no case")));
    wrong.extend(cases.keys().filter(|name| !rules.contains_key(*name)).map(|name| format!("{name} is no alert of the tree")));
    for (name, case) in &cases {
        for rule in rules.get(name).into_iter().flatten() {
            wrong.extend(fires(judges, name, &serde_json::from_str(rule).unwrap(), case).err());
        }
    }
    none("alerts are wrong", &wrong)
}

/// Whom the alert concerns, and where it says what to do.
fn told(project: &Path, rule: &Value) -> Result<(), String> {
    for label in ["severity", "tier", "cluster"] {
        rule["labels"][label].as_str().filter(|text| !text.is_empty()).ok_or(format!("has no label {label}"))?;
    }
    for annotation in ["summary", "description"] {
        rule["annotations"][annotation].as_str().ok_or(format!("has no {annotation}"))?;
    }
    let runbook = rule["annotations"]["runbook"].as_str().unwrap_or_default();
    let (path, anchor) = runbook.split_once('#').ok_or("names no part of a runbook")?;
    let text = fs::read_to_string(project.join("output").join(path)).map_err(|error| format!("names {path}: {error}"))?;
    let there = text.lines().filter_map(|line| line.strip_prefix("## ")).any(|heading| heading.to_lowercase() == anchor);
    there.then_some(()).ok_or(format!("names a part of {path} that is not there"))
}

fn fires(judges: &Judges, name: &str, rule: &Value, case: &Alert) -> Result<(), String> {
    if case.fires.alerts.is_empty() || !case.silent.alerts.is_empty() {
        return Err(format!("{name}: `fires` has alerts, and `silent` has none"));
    }
    let rules = json!({ "groups": [{ "name": "alerts", "rules": [{ "alert": name, "expr": rule["expr"], "for": rule["for"] }] }] });
    let test = |situation: &Situation| {
        json!({
            "interval": "1m",
            "input_series": situation.series.iter().map(|(series, values)| json!({ "series": series, "values": values })).collect::<Vec<_>>(),
            "alert_rule_test": [{
                "eval_time": situation.at,
                "alertname": name,
                "exp_alerts": situation.alerts.iter().map(|labels| json!({ "exp_labels": labels })).collect::<Vec<_>>(),
            }],
        })
    };
    let tests = json!({ "rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test(&case.fires), test(&case.silent)] });
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.yaml"), rules.to_string()).unwrap();
    let path = folder.path().join("tests.yaml");
    fs::write(&path, tests.to_string()).unwrap();
    let output = judges.promtool().args(["test", "rules"]).arg(&path).output().unwrap();
    let said = || [output.stdout.as_slice(), output.stderr.as_slice()].map(String::from_utf8_lossy).join("");
    if output.status.success() { Ok(()) } else { Err(format!("{name}: {}", said())) }
}

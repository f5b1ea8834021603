//! Whether each alert fires when it is meant to, and is silent when it is not.
//!
//! ```text
//! tests/alerts/ALERT.yaml    fires: {series: {SERIES: VALUES}, at: TIME, alerts: [{LABEL: VALUE}]}    silent: {series, at}
//! of: {LABEL: VALUE}         which rules of that name it is about, by the labels that they set; all, if left out
//! begins: INSTANT            when the first sample was taken; 1970, if left out
//! wrong: [EXPR]              expressions that look right: this case does not pass with one of them
//! ```
//! Series are written as `promtool test rules` reads them, a sample a minute; the labels are those that the expression gives.
//!
//! A workload may tell whatever it likes of metrics of the platform's: each case is tried again with the series of its other situation as those
//! of a workload, which always have the label `tier`, and passes no longer without the matcher that leaves them out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::attempt;
use crate::judges::Judges;
use crate::metrics::Known;
use crate::prometheus;
use crate::resources::describe;
use crate::runner::Verdict;
use crate::session::none;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Alert {
    fires: Situation,
    silent: Situation,
    #[serde(default)]
    of: BTreeMap<String, String>,
    begins: Option<String>,
    #[serde(default)]
    wrong: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    series: BTreeMap<String, String>,
    at: String,
    #[serde(default)]
    alerts: Vec<BTreeMap<String, String>>,
}

/// Every alert of the tree has its case, fires and is silent as that says, says whom it concerns, and what to do is written down; it asks for
/// metrics that there are.
pub fn verdict<'o>(judges: &Judges, project: &Path, objects: impl Iterator<Item = &'o Value>) -> Verdict {
    prometheus::self_test(judges)?;
    let known = Known::read(project);
    let mut rules: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    let mut selectors: BTreeMap<&str, Option<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for object in objects.filter(|object| object["kind"] == "PrometheusRule") {
        let groups = object["spec"]["groups"].as_array().into_iter().flatten();
        for rule in groups.flat_map(|group| group["rules"].as_array().into_iter().flatten()).filter(|rule| rule["alert"].is_string()) {
            let name = rule["alert"].as_str().unwrap();
            let expression = rule["expr"].as_str().unwrap();
            let problems = told(project, rule).err().into_iter().chain(known.unknown(expression));
            let problems =
                problems.chain(selectors.entry(expression).or_insert_with(|| prometheus::of_workloads(judges, expression)).clone());
            wrong.extend(problems.map(|why| format!("{}: {name} {why}", describe(object))));
            rules.entry(name).or_default().push(rule);
        }
    }
    let folder = project.join("tests/alerts");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let cases: BTreeMap<String, Alert> = files.map(|path| (attempt::name(&path).replace(".yaml", ""), attempt::read(&path))).collect();
    wrong.extend(rules.keys().filter(|name| !cases.contains_key(**name)).map(|name| format!("{name} has no case")));
    for (name, case) in &cases {
        let concerned = |rule: &&&Value| case.of.iter().all(|(label, value)| rule["labels"][label] == *value);
        let rules = rules.get(name.as_str()).into_iter().flatten().filter(concerned);
        let rules: BTreeSet<(&str, &str)> =
            rules.map(|rule| (rule["expr"].as_str().unwrap(), rule["for"].as_str().unwrap_or("0s"))).collect();
        if rules.is_empty() {
            wrong.push(format!("{name} is no alert of the tree, or not with {:?}", case.of));
        }
        let forged = case.forged();
        for (expression, time) in &rules {
            wrong.extend(fires(judges, name, expression, time, case).err());
            wrong.extend(fires(judges, name, expression, time, &forged).err().map(|why| format!("with a workload's series {why}")));
            let open = without_tier(judges, expression);
            if open != *expression && fires(judges, name, &open, time, &forged).is_ok() {
                wrong.push(format!("{name}: a workload's series make no difference to {open}"));
            }
        }
        let times: BTreeSet<&str> = rules.iter().map(|(_, time)| *time).collect();
        for (expression, time) in case.wrong.iter().flat_map(|expression| times.iter().map(move |time| (expression, time))) {
            if fires(judges, name, expression, time, case).is_ok() {
                wrong.push(format!("{name}: the case passes with {expression}"));
            }
        }
    }
    none("alerts are wrong", &wrong)
}

impl Alert {
    /// The same, while a workload tells what would be there in the other situation.
    fn forged(&self) -> Self {
        let of_workload = |series: &str| match series.strip_suffix('}') {
            Some(rest) => format!("{rest},tier=\"internal\"}}"),
            None => format!("{series}{{tier=\"internal\"}}"),
        };
        let with = |own: &Situation, other: &Situation| {
            let added = other.series.iter().map(|(series, values)| (of_workload(series), values.clone()));
            Situation { series: own.series.clone().into_iter().chain(added).collect(), at: own.at.clone(), alerts: own.alerts.clone() }
        };
        let (fires, silent) = (with(&self.fires, &self.silent), with(&self.silent, &self.fires));
        Self { fires, silent, of: self.of.clone(), begins: self.begins.clone(), wrong: Vec::new() }
    }
}

/// An expression as it would be for whoever forgot that workloads are scraped, too.
fn without_tier(judges: &Judges, expression: &str) -> String {
    if !expression.contains("tier=\"\"") {
        return expression.to_owned();
    }
    prometheus::rewritten(judges, &["label-matchers", "delete", expression, "tier"]).unwrap()
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

fn fires(judges: &Judges, name: &str, expression: &str, time: &str, case: &Alert) -> Result<(), String> {
    if case.fires.alerts.is_empty() || !case.silent.alerts.is_empty() {
        return Err(format!("{name}: `fires` has alerts, and `silent` has none"));
    }
    let rules = json!({ "groups": [{ "name": "alerts", "rules": [{ "alert": name, "expr": expression, "for": time }] }] });
    let test = |situation: &Situation| {
        let mut test = json!({
            "interval": "1m",
            "input_series": situation.series.iter().map(|(series, values)| json!({ "series": series, "values": values })).collect::<Vec<_>>(),
            "alert_rule_test": [{
                "eval_time": situation.at,
                "alertname": name,
                "exp_alerts": situation.alerts.iter().map(|labels| json!({ "exp_labels": labels })).collect::<Vec<_>>(),
            }],
        });
        if let Some(begins) = &case.begins {
            test["start_timestamp"] = begins.as_str().into();
        }
        test
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

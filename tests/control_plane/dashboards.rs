//! Whether Grafana could show each dashboard: its JSON, the places of its panels, and every expression, by Prometheus' own parser.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use crate::judges::Judges;
use crate::metrics::{self, Known};
use crate::prometheus;
use crate::resources::describe;
use crate::runner::Verdict;
use crate::session::none;

/// What Grafana puts in the place of its variables, as Prometheus then reads it.
const VARIABLES: [(&str, &str); 2] = [("$__rate_interval", "5m"), ("$namespace", "shop-internal|shop-public")];
/// What a ConfigMap may hold is a mebibyte; a dashboard that comes near it is none that somebody reviews.
const LARGEST: usize = 128 << 10;
/// How wide Grafana's grid is.
const COLUMNS: u64 = 24;
const KINDS: [&str; 5] = ["bargauge", "row", "stat", "table", "timeseries"];

/// Every dashboard of every cluster, each with an identity of its own.
pub fn verdict<'o>(judges: &Judges, project: &Path, objects: impl Iterator<Item = &'o Value>) -> Verdict {
    metrics::self_test()?;
    prometheus::self_test(judges)?;
    let known = Known::read(project);
    let mut wrong = Vec::new();
    let mut uids: BTreeMap<String, &str> = BTreeMap::new();
    let mut expressions: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = 0;
    let is_dashboard = |object: &&Value| object["kind"] == "ConfigMap" && object["metadata"]["labels"]["grafana_dashboard"] == "1";
    for object in objects.filter(is_dashboard) {
        seen += 1;
        let mut tell = |why: String| wrong.push(format!("{}: {why}", describe(object)));
        if object["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/substitute"] != "disabled" {
            tell("Flux would substitute its variables".to_owned());
        }
        for (name, text) in object["data"].as_object().into_iter().flatten() {
            let text = text.as_str().unwrap_or_default();
            let board: Value = match serde_json::from_str(text) {
                Ok(board) => board,
                Err(error) => {
                    tell(format!("{name} is no JSON: {error}"));
                    continue;
                }
            };
            let uid = board["uid"].as_str().unwrap_or_default();
            // What a folder holds is built with it, and with what lists the folder.
            let is_own = *uids.entry(uid.to_owned()).or_insert(text) == text;
            let is_named = Path::new(name).extension().is_some_and(|end| end == "json") && !uid.is_empty() && uid.len() <= 40 && is_own;
            if !is_named || text.len() > LARGEST || board["schemaVersion"] != 39 || board["title"].as_str().is_none_or(str::is_empty) {
                tell(format!("{name}: name, uid, title, version or size are not as Grafana takes them"));
            }
            panels(&board).into_iter().for_each(&mut tell);
            for expression in asked(&board) {
                known.unknown(&expression).into_iter().for_each(&mut tell);
                if !expressions.contains_key(&expression) {
                    prometheus::of_workloads(judges, &expression).into_iter().for_each(&mut tell);
                }
                expressions.insert(expression, describe(object));
            }
        }
    }
    if seen == 0 {
        return Err("there are no dashboards".to_owned());
    }
    wrong.extend(parsed(judges, &expressions));
    none("dashboards are wrong", &wrong)
}

/// What is wrong with the panels: numbers that are not unique, places that overlap or leave the grid, a source of data that cannot be chosen.
fn panels(board: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    let all = board["panels"].as_array().map_or(&[][..], Vec::as_slice);
    for panel in all {
        let title = panel["title"].as_str().unwrap_or("a panel without a title");
        let place = |key: &str| panel["gridPos"][key].as_u64().ok_or(format!("{title} has no {key}"));
        let (x, y, w, h) = match (place("x"), place("y"), place("w"), place("h")) {
            (Ok(x), Ok(y), Ok(w), Ok(h)) => (x, y, w, h),
            (x, y, w, h) => {
                wrong.extend([x, y, w, h].into_iter().filter_map(Result::err));
                continue;
            }
        };
        if !panel["id"].as_u64().is_some_and(|id| id > 0 && ids.insert(id)) {
            wrong.push(format!("{title} has no number of its own"));
        }
        if w == 0 || h == 0 || x + w > COLUMNS || !(x..x + w).all(|x| (y..y + h).all(|y| taken.insert((x, y)))) {
            wrong.push(format!("{title} overlaps another panel, or leaves the grid"));
        }
        let kind = panel["type"].as_str().unwrap_or_default();
        let targets = panel["targets"].as_array().map_or(&[][..], Vec::as_slice);
        let references: BTreeSet<&str> = targets.iter().filter_map(|target| target["refId"].as_str()).collect();
        let chosen = |value: &Value| value["datasource"] == json!({ "type": "prometheus", "uid": "${datasource}" });
        let is_row = kind == "row" && targets.is_empty();
        let is_shown = !targets.is_empty() && references.len() == targets.len() && chosen(panel) && targets.iter().all(chosen);
        if !KINDS.contains(&kind) || !(is_row || is_shown) {
            wrong.push(format!("{title} shows nothing, or from a source that nobody chose"));
        }
    }
    let variables: Vec<&Value> = board["templating"]["list"].as_array().into_iter().flatten().collect();
    if all.is_empty() || !variables.iter().any(|variable| variable["name"] == "datasource" && variable["type"] == "datasource") {
        wrong.push("it has no panels, or no source of data to choose".to_owned());
    }
    wrong
}

/// Every expression, with Grafana's variables replaced: of targets, and of what variables choose from.
fn asked(board: &Value) -> Vec<String> {
    let targets = board["panels"].as_array().into_iter().flatten().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let targets = targets.map(|target| target["expr"].as_str().unwrap_or_default());
    let variables = board["templating"]["list"].as_array().into_iter().flatten().filter(|variable| variable["type"] == "query");
    let variables = variables.map(|variable| {
        let query = variable["query"]["query"].as_str().unwrap_or_default();
        let inner = query.strip_prefix("label_values(").and_then(|rest| rest.rsplit_once(", ")).map(|(inner, _)| inner);
        inner.unwrap_or("a variable asks for something else than label_values")
    });
    let replaced = |text: &str| VARIABLES.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    targets.chain(variables).map(replaced).collect()
}

/// What Prometheus does not read, or is left of Grafana's variables.
fn parsed(judges: &Judges, expressions: &BTreeMap<String, String>) -> Vec<String> {
    let rule = |expression: &str| json!({ "record": "dashboard:expression", "expr": expression });
    let check = |all: Vec<Value>| {
        let numbered = all.into_iter().enumerate().map(|(at, mut rule)| {
            rule["record"] = format!("dashboard:expression_{at}").into();
            rule
        });
        prometheus::check(judges, &json!({ "groups": [{ "name": "dashboards", "rules": numbered.collect::<Vec<_>>() }] }))
    };
    if check(vec![rule("sum by (node (up)")]).is_ok() {
        return vec!["promtool takes whatever it is given".to_owned()];
    }
    let mut wrong: Vec<String> = expressions
        .iter()
        .filter(|(expression, _)| expression.contains('$'))
        .map(|(expression, of)| format!("{of}: a variable that is not known here: {expression}"))
        .collect();
    if let Err(why) = check(expressions.keys().map(|expression| rule(expression)).collect()) {
        wrong.push(why);
    }
    wrong
}

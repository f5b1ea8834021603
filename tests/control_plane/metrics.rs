//! Which metrics there are: `tests/metrics.yaml` lists them with where they come from. A misspelt one is an expression that never gives anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::plane::Plane;
use crate::program::repository;
use crate::runner::Verdict;
use crate::scheduling::plain_pod;
use crate::session::none;
use crate::stated::Cluster;

/// What an expression may ask for, by where it comes from.
pub struct Known(BTreeMap<String, Vec<String>>);

/// Words of `PromQL` that stand where a metric could.
const WORDS: [&str; 19] = [
    "and",
    "atan2",
    "bool",
    "by",
    "end",
    "group_left",
    "group_right",
    "ignoring",
    "inf",
    "nan",
    "offset",
    "on",
    "or",
    "start",
    "unless",
    "without",
    "smoothed",
    "anchored",
    "e",
];
/// Those after which labels stand in brackets.
const BEFORE_LABELS: [&str; 6] = ["by", "group_left", "group_right", "ignoring", "on", "without"];

impl Known {
    /// Reads the list.
    pub fn read(project: &Path) -> Self {
        let text = fs::read_to_string(project.join("tests/metrics.yaml")).unwrap();
        Self(serde_yaml::from_str(&text).unwrap())
    }

    /// What is wrong with the metrics of an expression.
    pub fn unknown(&self, expression: &str) -> Option<String> {
        let is_known = |name: &str| self.0.values().flatten().any(|known| known == name);
        let unknown: Vec<&str> = metrics(expression).into_iter().filter(|name| !is_known(name)).collect();
        (!unknown.is_empty()).then(|| format!("asks for {}, which tests/metrics.yaml does not know: {expression}", unknown.join(", ")))
    }
}

/// The API server has every metric that is listed as its own, and counts what a policy of ours denies as the alerts ask for it.
pub fn of_api_server(plane: &Plane<'_>, cluster: &Cluster) -> Verdict {
    let (namespace, tier) = cluster.namespaces.iter().next().ok_or("the cluster has no namespace")?;
    let answer = plane.masters.post(&format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), &plain_pod("counted", namespace));
    if answer.is_ok() {
        return Err("a pod without its placement was admitted".to_owned());
    }
    let Value::String(text) = plane.masters.get("/metrics").ok()? else { return Err("the metrics are no text".to_owned()) };
    let policy = format!("policy=\"placement.{tier}.{}\"", cluster.label_domain);
    let counted = |line: &&str| {
        line.starts_with("apiserver_validating_admission_policy_check_total{")
            && [policy.as_str(), "enforcement_action=\"deny\"", "error_type=\"invalid_error\""].iter().all(|label| line.contains(label))
    };
    if !text.lines().any(|line| counted(&line)) {
        let said: Vec<&str> = text.lines().filter(|line| line.starts_with("apiserver_validating_admission_policy_check_total")).collect();
        return Err(format!("the denial is not counted as the alert asks for it:\n{}", said.join("\n")));
    }
    let Known(sources) = Known::read(repository());
    let is_there =
        |name: &&String| text.lines().any(|line| line.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(['{', ' '])));
    let missing: Vec<String> = sources["api-server"].iter().filter(|name| !is_there(name)).cloned().collect();
    none("metrics are not the API server's", &missing)
}

/// The metrics that an expression names.
fn metrics(expression: &str) -> BTreeSet<&str> {
    let bytes = expression.as_bytes();
    let mut found = BTreeSet::new();
    let (mut at, mut before_labels) = (0, false);
    while at < bytes.len() {
        let rest = &expression[at..];
        let skipped = match bytes[at] {
            quote @ (b'"' | b'\'' | b'`') => 1 + quoted(&bytes[at + 1..], quote),
            b'{' => 1 + until(&rest[1..], b'}'),
            b'[' => 1 + until(&rest[1..], b']'),
            b'(' if before_labels => 1 + until(&rest[1..], b')'),
            b'0'..=b'9' => word(rest),
            b if b.is_ascii_alphabetic() || b == b'_' => {
                let name = &rest[..word(rest)];
                let after = rest[name.len()..].trim_start();
                let called = ["(", "by ", "by(", "without ", "without("].iter().any(|next| after.starts_with(next));
                if !called && !WORDS.contains(&name.to_lowercase().as_str()) {
                    found.insert(name);
                }
                before_labels = BEFORE_LABELS.contains(&name);
                at += name.len();
                continue;
            }
            _ => 1,
        };
        before_labels &= bytes[at].is_ascii_whitespace();
        at += skipped;
    }
    found
}

fn word(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len())
}

/// What stands up to a byte and it, texts in quotes left out.
fn until(text: &str, end: u8) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != end {
        at += match bytes[at] {
            quote @ (b'"' | b'\'' | b'`') => 1 + quoted(&bytes[at + 1..], quote),
            _ => 1,
        };
    }
    at + 1
}

fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// The reader of expressions finds what is there, and nothing else.
pub fn self_test() -> Result<(), String> {
    let expression = r#"max by (node) (label_replace(absent(a_b{x=~"}c\"d"}), "e", "f(g)", "", "") or rate(h:i[5m] offset 10m)) > on () group_left (j) 1e3 * k"#;
    let found = metrics(expression);
    if found == BTreeSet::from(["a_b", "h:i", "k"]) { Ok(()) } else { Err(format!("metrics of an expression: {found:?}")) }
}

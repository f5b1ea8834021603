//! What the API server refuses of a final pod or controller although its schema allows it, and what could never work: the rules of Kubernetes'
//! own validation that a person can break under `pod` and `spec`, so that they show on the inventory's line and not when the tree is applied.
//!
//! Each rule is held against a real API server (the cases `check/what-kubernetes-refuses` and `what-kubernetes-takes`), which stays the judge.

mod affinity;
mod container;
mod controller;
mod gates;
mod handler;
pub(super) mod place;
mod pod;
mod volume;
mod whole;

pub(super) use container::{WHOLE_BYTES, fraction};
use serde_json::Value;

use crate::diag::{Code, Diag};
use crate::inventory::workload::WorkloadKind;
use crate::schema::{Minor, PathSegment};
use crate::source::Span;
use crate::yaml::Node;

/// One thing that is wrong with a final object, by its path in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    path: Vec<PathSegment>,
    code: Code,
    message: String,
    help: String,
}

impl Refusal {
    /// As a finding where the last of these layers that has a part of the path was written, as deep as one goes; `None` where none has any.
    pub(super) fn diag(&self, whole: &Value, layers: &[&Node]) -> Option<Diag> {
        place::find(&self.path, whole, layers).map(|span| self.diag_at(span))
    }

    /// The keys of the path, with the names of a list's items for their positions, as a pod's short forms are told apart.
    pub(super) fn keys(&self, whole: &Value) -> Vec<String> {
        place::keys(&self.path, whole)
    }

    /// Whether a place is within what the last layer that has this was written as.
    pub(super) fn holds(&self, span: Span, whole: &Value, layers: &[&Node]) -> bool {
        place::extent(&self.path, whole, layers)
            .is_some_and(|extent| extent.file == span.file && extent.start <= span.start && span.end <= extent.end)
    }

    /// As a finding at a place.
    pub(super) fn diag_at(&self, span: Span) -> Diag {
        Diag::new(self.code, span, self.message.clone()).help(self.help.clone())
    }
}

/// Everything wrong with a final pod. `claims` are volumes that its controller brings: a StatefulSet's claims.
pub(super) fn of_pod(spec: &Value, kind: WorkloadKind, claims: &[&str], minor: Minor) -> Vec<Refusal> {
    let mut report = Report::default();
    gates::pod(spec, minor, &mut report);
    pod::check(spec, kind, claims, &mut report);
    report.refusals
}

/// Everything wrong with a controller's own fields, beside replicas, selector and template.
pub(super) fn of_controller(spec: &Value, pod: &Value, kind: WorkloadKind, minor: Minor) -> Vec<Refusal> {
    let mut report = Report::default();
    controller::check(spec, pod, kind, minor, &mut report);
    report.refusals
}

/// Everything wrong with what only a whole object states, and no `spec` of the inventory: selector, replicas, schedule.
pub(super) fn of_whole(spec: &Value, kind: WorkloadKind) -> Vec<Refusal> {
    let mut report = Report::default();
    whole::check(spec, kind, &mut report);
    report.refusals
}

/// What has been found, and where the look is now.
#[derive(Debug, Default)]
struct Report {
    at: Vec<PathSegment>,
    refusals: Vec<Refusal>,
}

impl Report {
    /// Looks at what a key of a mapping holds, where it is there.
    fn key(&mut self, value: &Value, key: &str, look: impl FnOnce(&Value, &mut Self)) {
        let Some(found) = value.get(key).filter(|found| !found.is_null()) else { return };
        self.at.push(PathSegment::Key(key.to_owned()));
        look(found, self);
        self.at.pop();
    }

    /// Looks at every item of the list that a key holds.
    fn each(&mut self, value: &Value, key: &str, mut look: impl FnMut(&Value, &mut Self)) {
        self.key(value, key, |list, report| {
            for (index, item) in list.as_array().into_iter().flatten().enumerate() {
                report.at.push(PathSegment::Index(index));
                look(item, report);
                report.at.pop();
            }
        });
    }

    /// Reports what stands here.
    fn refuse(&mut self, code: Code, message: impl Into<String>, help: impl Into<String>) {
        self.refusals.push(Refusal { path: self.at.clone(), code, message: message.into(), help: help.into() });
    }

    /// Reports what a key holds, or that it is not there.
    fn refuse_key(&mut self, key: &str, code: Code, message: impl Into<String>, help: impl Into<String>) {
        self.at.push(PathSegment::Key(key.to_owned()));
        self.refuse(code, message, help);
        self.at.pop();
    }

    /// Reports a number that is not within a range.
    fn range(&mut self, value: &Value, key: &str, least: i64, most: i64) {
        let Some(number) = value[key].as_i64().filter(|number| !(least..=most).contains(number)) else { return };
        let range = if most == i64::MAX { format!("{least} or more") } else { format!("{least} to {most}") };
        self.refuse_key(key, Code::KubernetesRefuses, format!("`{key}` is {number}"), format!("Kubernetes takes {range}."));
    }

    /// Reports whole numbers below zero, each by its key.
    fn natural(&mut self, value: &Value, keys: &[&str]) {
        for key in keys {
            self.range(value, key, 0, i64::MAX);
        }
    }

    /// Reports a name that breaks a rule.
    fn name(&mut self, value: &Value, key: &str, rule: impl FnOnce(&str) -> Result<(), String>) {
        if let Some(Err(broken)) = value[key].as_str().map(rule) {
            let help = "Lower-case letters, digits and `-`, beginning and ending with a letter or digit; change it here and where it is referred to.";
            self.refuse_key(key, Code::InvalidName, broken, help);
        }
    }

    /// Reports an item that has the text of an earlier one at a key.
    fn unique<'v>(&mut self, seen: &mut Vec<&'v str>, value: &'v Value, key: &str, what: &str) {
        let Some(text) = value[key].as_str() else { return };
        if seen.contains(&text) {
            self.refuse_key(key, Code::DuplicateEntry, format!("two {what} `{text}`"), "Give one of them another name, or remove it.");
        }
        seen.push(text);
    }

    /// Reports where a mapping holds not exactly one of some keys.
    fn exactly_one(&mut self, value: &Value, keys: &[&str], what: &str) {
        let stated: Vec<&str> = keys.iter().copied().filter(|key| !value[*key].is_null()).collect();
        if stated.len() != 1 {
            let all = keys.join("`, `");
            let found = if stated.is_empty() { format!("has none of `{all}`") } else { format!("has both `{}`", stated.join("` and `")) };
            let help = if stated.is_empty() { "Write one of them." } else { "Leave one of them." };
            self.refuse(Code::KubernetesRefuses, format!("{what} {found}"), help);
        }
    }
}

/// A text at a key; empty where there is none.
fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The items of a list, or none.
fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value[key].as_array().into_iter().flatten()
}

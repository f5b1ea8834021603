//! Keys that the format does not have, by the record that they were found in: what a record seems to lack may be what one of them was meant for.

use std::collections::{BTreeMap, BTreeSet};

use crate::decode::Findings;
use crate::diag::{Code, nearest};
use crate::source::Span;
use crate::yaml::read::{Node, Value};

/// Records with keys that the format does not have. Each key has its finding: that the record lacks something is not reported on top of that, unless it
/// is clear that no such key was meant for it. Whatever else is wrong with the record is reported as ever.
#[derive(Clone, Debug, Default)]
pub struct Misspelt(BTreeMap<Span, Vec<String>>);

impl Misspelt {
    /// Those of a document, of which the unknown keys were found.
    pub(super) fn of(document: &Node, findings: &Findings) -> Self {
        let mut misspelt = Self::default();
        let unknown: BTreeSet<Span> = findings.iter().filter(|diag| diag.code == Code::UnknownKey).map(|diag| diag.primary.span).collect();
        if !unknown.is_empty() {
            misspelt.look(document, &unknown);
        }
        misspelt
    }

    fn look(&mut self, node: &Node, unknown: &BTreeSet<Span>) {
        match &node.value {
            Value::Map(entries) => {
                let keys: Vec<String> = entries
                    .iter()
                    .filter(|(key, _)| unknown.contains(&key.span))
                    .map(|(key, _)| key.text().unwrap_or_default().to_owned())
                    .collect();
                if !keys.is_empty() {
                    self.0.insert(node.span, keys);
                }
                for (_, value) in entries {
                    self.look(value, unknown);
                }
            }
            Value::Seq(items) => {
                for item in items {
                    self.look(item, unknown);
                }
            }
            Value::Scalar { .. } => {}
        }
    }

    /// Takes those of another document.
    pub(super) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// Whether a small record has such a key: any may be meant for what it lacks.
    pub fn has(&self, record: Span) -> bool {
        self.0.contains_key(&record)
    }

    /// Whether a record with many keys has such a one that is near to this one.
    pub fn may_mean(&self, record: Span, key: &str) -> bool {
        self.0.get(&record).is_some_and(|keys| keys.iter().any(|written| nearest(written, [key]).is_some()))
    }
}

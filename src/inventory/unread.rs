//! Lists of the inventory of which a part could not be read: what seems to be missing from them may be there.

use std::collections::BTreeSet;

use super::InventoryFile;
use crate::diag::{Code, Findings, nearest};
use crate::yaml::read::{Node, Value};

/// The lists that decide which workloads there are, and where they run.
pub const PLACEMENT: &[&str] = &["tiers", "dataClasses", "clusters", "teams", "workloads"];

/// The keys of an inventory file of which a part could not be read. That has its finding: what rests on all of such a list having been read
/// ([`crate::diag::Diag::rests_on`]) is not reported on top of that. Whatever else is wrong with what was read is reported as ever.
#[derive(Clone, Debug, Default)]
pub struct Unread(BTreeSet<&'static str>);

impl Unread {
    /// Those of a file of which nothing was read: any.
    pub(super) fn all() -> Self {
        Self(keys().collect())
    }

    /// Those of a file, from what was found while it was read: after a mistake of YAML the rest is not understood, and of a key that is written
    /// twice the second value is left out.
    pub(super) fn of_text(text: &str, found: &Findings) -> Self {
        if found.iter().any(|diag| matches!(diag.code, Code::YamlSyntax | Code::YamlTooComplex)) {
            return Self::named_in(text);
        }
        let twice = found.iter().filter(|diag| diag.code == Code::DuplicateKey).map(|diag| diag.primary.span);
        let twice: Vec<&str> = twice.filter_map(|span| text.get(span.start as usize..span.end as usize)).collect();
        Self(keys().filter(|key| twice.iter().any(|written| written.trim_matches(['"', '\'']) == *key)).collect())
    }

    /// Those whose key begins a line of the text that is indented as its first one, or less.
    pub(super) fn named_in(text: &str) -> Self {
        let line = |line: &'_ str| {
            let rest = line.trim_start_matches(' ');
            (line.len() - rest.len(), !matches!(rest.trim(), "" | "---") && !rest.starts_with(['#', '%']))
        };
        let least = text.lines().map(line).find(|(_, is_content)| *is_content).map_or(0, |(indent, _)| indent);
        let is_outer = |text: &&str| line(text).1 && line(text).0 <= least;
        let outer: Vec<&str> = text.lines().filter(is_outer).collect();
        // A file that is one bracket has its keys anywhere.
        let is_flow = outer.iter().any(|line| line.trim_start().starts_with(['{', '[']));
        let begins = |key: &str| outer.iter().any(|line| line.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(key));
        Self(keys().filter(|key| if is_flow { text.contains(key) } else { begins(key) }).collect())
    }

    /// Those of a document: a list that is none, and what an unknown key may have been meant for.
    pub(super) fn of_document(document: &Node, text: &str) -> Self {
        let Value::Map(entries) = &document.value else { return Self::named_in(text) };
        let mut unread = Self::default();
        for (key, value) in entries {
            let written = key.text().unwrap_or_default();
            let is_mapping = matches!(written, "fleet" | "dataClasses");
            match keys().find(|key| *key == written) {
                Some(key) if matches!(value.value, Value::Map(_)) != is_mapping || matches!(value.value, Value::Scalar { .. }) => {
                    unread.0.insert(key);
                }
                Some(_) => {}
                None => unread.extend(nearest(written, keys()).map_or_else(Self::all, |key| Self(BTreeSet::from([key])))),
            }
        }
        unread
    }

    /// Takes those of another file.
    pub(super) fn extend(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// All of them.
    pub fn keys(&self) -> BTreeSet<&'static str> {
        self.0.clone()
    }

    /// Whether there may be more of a list.
    pub fn may_hold(&self, key: &str) -> bool {
        self.0.contains(key)
    }
}

fn keys() -> impl Iterator<Item = &'static str> {
    InventoryFile::keys().iter().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::Unread;

    fn named(text: &str) -> Vec<&'static str> {
        Unread::named_in(text).0.into_iter().collect()
    }

    #[test]
    fn a_key_begins_a_line_that_is_indented_as_the_first_one() {
        assert_eq!(named("# tiers:\n---\nclusters:\n  - name: a\n    tiers: [low\n"), ["clusters"]);
        assert_eq!(named("  teams: []\n  \"workloads\": [\n    clusters: []\n"), ["teams", "workloads"]);
        assert_eq!(named("fleet: {}\n\ttiers:\n"), ["fleet", "tiers"]);
        assert_eq!(named("{gateways: [], tokens: ["), ["gateways", "tokens"]);
        assert!(named("").is_empty());
    }
}

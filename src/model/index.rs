//! Names to definitions: duplicates are found once, here, and so are references to nothing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::decode::Findings;
use crate::diag::{Code, Diag, did_you_mean, nearest};
use crate::source::{Span, Spanned};

/// Definitions of one kind by name.
#[derive(Debug)]
pub struct Index<'i> {
    /// What is indexed, for findings: `tier`, `cluster`, ...
    what: &'static str,
    places: BTreeMap<String, (usize, Span)>,
    lost: Cow<'i, BTreeSet<String>>,
}

impl<'i> Index<'i> {
    /// Indexes names in the order of the definitions; a name that comes twice is a finding at the second.
    pub fn new(
        what: &'static str,
        names: impl IntoIterator<Item = Spanned<String>>,
        lost: &'i BTreeSet<String>,
        findings: &mut Findings,
    ) -> Self {
        let mut places: BTreeMap<String, (usize, Span)> = BTreeMap::new();
        for (at, name) in names.into_iter().enumerate() {
            if let Some((_, first)) = places.get(&name.value) {
                let diag = Diag::new(Code::DuplicateDefinition, name.span, format!("the {what} `{}` is defined twice", name.value));
                findings.push(diag.label("again here").related(*first, "first defined here").help("Rename or remove one of them."));
            } else {
                places.insert(name.value, (at, name.span));
            }
        }
        Self { what, places, lost: Cow::Borrowed(lost) }
    }

    /// Leaves out definitions of which a part of the name means nothing: what refers to them may mean them, and nothing is called so.
    pub fn leave_out(&mut self, names: impl IntoIterator<Item = String>) {
        for name in names {
            self.places.remove(&name);
            self.lost.to_mut().insert(name.rsplit('/').next().unwrap_or(&name).to_owned());
        }
    }

    /// The position of the definition of that name.
    pub fn get(&self, name: &str) -> Option<usize> {
        self.places.get(name).map(|(at, _)| *at)
    }

    /// The position of what is referred to; a finding where there is none, unless its definition was there and could not be read.
    pub fn resolve(&self, name: &str, span: Span, findings: &mut Findings) -> Option<usize> {
        let found = self.get(name);
        if found.is_none() && !self.lost.contains(name.rsplit('/').next().unwrap_or(name)) {
            findings.push(self.dangling(name, span));
        }
        found
    }

    /// Whether a reference to nothing may mean a definition: the one with the nearest name, or any where none is near.
    pub fn may_mean(&self, dangling: &str, definition: &str) -> bool {
        self.get(dangling).is_none() && nearest(dangling, self.places.keys().map(String::as_str)).is_none_or(|near| near == definition)
    }

    /// The key under which the inventory has them; none of what nothing refers to.
    fn list(&self) -> &'static [&'static str] {
        match self.what {
            "tier" => &["tiers"],
            "cluster" => &["clusters"],
            "team" => &["teams"],
            "workload" => &["workloads"],
            _ => &[],
        }
    }

    fn dangling(&self, name: &str, span: Span) -> Diag {
        let diag = Diag::new(Code::UnknownReference, span, format!("there is no {} `{name}`", self.what)).rests_on(self.list());
        let known: Vec<&str> = self.places.keys().map(String::as_str).collect();
        match did_you_mean(name, known.iter().copied()) {
            Some(hint) => diag.help(hint),
            None if known.is_empty() => diag.help(format!("The inventory defines no {} at all.", self.what)),
            None => diag.help(format!("There are: {}.", abridged(&known))),
        }
    }
}

/// At most twelve names, and how many more there are.
pub fn abridged(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let text = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => text,
        Some(more) => format!("{text} and {more} more"),
    }
}

//! Where findings go while something is read and judged.

use std::collections::{BTreeMap, BTreeSet};

use super::{Code, Diag, Severity};
use crate::source::{FileId, Span};

/// Findings in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    diags: Vec<Diag>,
    /// How many of a code in a file are kept; all, where nothing is said.
    bound: Option<usize>,
    tallies: BTreeMap<(FileId, Code), Tally>,
    left_out: usize,
    /// Lists of the inventory of which a part could not be read.
    unread: BTreeSet<&'static str>,
}

/// What there was of a code in a file.
#[derive(Clone, Debug, Default)]
struct Tally {
    kept: usize,
    /// Those beyond: how many, where the first stood, and how much they matter.
    beyond: Option<(usize, Span, Severity)>,
}

impl Findings {
    /// How many of a code in a file are kept one by one: one that has more of them is rather not the file that was meant.
    pub const KEPT: usize = 10_000;

    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// None yet. Of each code in each file only the first are kept one by one, and one more finding tells how many others there were: a
    /// megabyte of one mistake must not become a gigabyte of findings.
    pub fn bounded(kept: usize) -> Self {
        Self { bound: Some(kept), ..Self::default() }
    }

    /// From now on takes none that rests on all of a list having been read of which a part could not be: what seems to be missing may be there.
    pub fn hold_back(&mut self, unread: BTreeSet<&'static str>) {
        self.unread = unread;
    }

    /// Takes one.
    pub fn push(&mut self, diag: Diag) {
        if diag.rests_on.iter().any(|key| self.unread.contains(key)) {
            return;
        }
        let (code, span, severity) = (diag.code, diag.primary.span, diag.severity);
        if self.keeps(code, span, severity) {
            self.diags.push(diag);
        }
    }

    /// Takes one that is written only where it is kept.
    pub fn add(&mut self, code: Code, span: Span, diag: impl FnOnce() -> Diag) {
        if self.keeps(code, span, code.severity()) {
            self.diags.push(diag());
        }
    }

    fn keeps(&mut self, code: Code, span: Span, severity: Severity) -> bool {
        let Some(bound) = self.bound else { return true };
        let tally = self.tallies.entry((span.file, code)).or_default();
        if tally.kept < bound {
            tally.kept += 1;
            return true;
        }
        tally.beyond.get_or_insert((0, span, severity)).0 += 1;
        self.left_out += 1;
        false
    }

    /// How many there were, kept or not.
    pub fn len(&self) -> usize {
        self.diags.len() + self.left_out
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.diags.is_empty()
    }

    /// Those that were kept.
    pub fn iter(&self) -> std::slice::Iter<'_, Diag> {
        self.diags.iter()
    }
}

impl Extend<Diag> for Findings {
    fn extend<T: IntoIterator<Item = Diag>>(&mut self, diags: T) {
        diags.into_iter().for_each(|diag| self.push(diag));
    }
}

impl FromIterator<Diag> for Findings {
    fn from_iter<T: IntoIterator<Item = Diag>>(diags: T) -> Self {
        Self { diags: diags.into_iter().collect(), ..Self::default() }
    }
}

impl IntoIterator for Findings {
    type Item = Diag;
    type IntoIter = std::vec::IntoIter<Diag>;

    /// Those that were kept, then one for all the others of each code.
    fn into_iter(self) -> Self::IntoIter {
        let mut diags = self.diags;
        for ((_, code), tally) in self.tallies {
            let Some((more, span, severity)) = tally.beyond else { continue };
            let s = if more == 1 { "" } else { "s" };
            let mut diag = Diag::new(code, span, format!("{more} more finding{s} of this kind in this file, from here on"));
            (diag.severity, diag.stands_for) = (severity, more);
            diags.push(diag.help("Mend those that are listed: what is left is listed then."));
        }
        diags.into_iter()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Diag;
    type IntoIter = std::slice::Iter<'a, Diag>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::Findings;
    use crate::diag::{Code, Diag};
    use crate::source::{Files, Span};

    #[test]
    fn beyond_the_bound_findings_are_counted_by_code_and_file() {
        let mut files = Files::default();
        let (one, two) = (files.add("a.yaml", "x".repeat(999)), files.add("b.yaml", "x"));
        let kept = 100;
        let mut findings = Findings::bounded(kept);
        for at in 0..150 {
            findings.push(Diag::new(Code::DuplicateKey, Span { file: one, start: at, end: at + 1 }, "twice"));
        }
        findings.add(Code::UnknownKey, files.start(one), || Diag::new(Code::UnknownKey, files.start(one), "unknown"));
        findings.push(Diag::new(Code::DuplicateKey, files.start(two), "twice"));
        assert_eq!(findings.len(), 152);
        let diags: Vec<Diag> = findings.into_iter().collect();
        assert_eq!(diags.len(), kept + 3);
        let last = &diags[kept + 2];
        assert_eq!((last.code, last.primary.span.start, last.stands_for), (Code::DuplicateKey, 100, 50));
        assert_eq!(last.message, "50 more findings of this kind in this file, from here on");
    }
}

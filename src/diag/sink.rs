//! Where findings gather: sorted once, and the one place that changes a severity.

use super::{Code, Diag, Severity};

/// Findings of a run.
#[derive(Debug, Default)]
pub struct Sink {
    diags: Vec<Diag>,
    deny_warnings: bool,
}

impl Sink {
    /// An empty one; with `deny_warnings` every warning counts as an error.
    pub fn new(deny_warnings: bool) -> Self {
        Self { diags: Vec::new(), deny_warnings }
    }

    /// Takes one finding.
    pub fn push(&mut self, mut diag: Diag) {
        if self.deny_warnings && diag.severity == Severity::Warning {
            diag.severity = Severity::Error;
        }
        self.diags.push(diag);
    }

    /// Takes many.
    pub fn extend(&mut self, diags: impl IntoIterator<Item = Diag>) {
        for diag in diags {
            self.push(diag);
        }
    }

    /// Whether an error was found.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// How many of one severity there are.
    pub fn count(&self, severity: Severity) -> usize {
        self.diags.iter().filter(|diag| diag.severity == severity).count()
    }

    /// All findings by place (file, then position), then code and message: an order that no thread, directory listing or hash decides.
    /// The same finding at the same place is kept once. What has to be mended comes before what is to be planned: beside an error no note tells of
    /// a network plugin's age, nor of what is not made of keys that the mistake may be about.
    pub fn into_sorted(mut self) -> Vec<Diag> {
        if self.has_errors() {
            self.diags.retain(|diag| !matches!(diag.code, Code::LegacyCni | Code::NotGenerated));
        }
        self.diags.sort_by(|a, b| (a.primary.span, a.severity, a.code, &a.message).cmp(&(b.primary.span, b.severity, b.code, &b.message)));
        self.diags.dedup();
        self.diags
    }
}

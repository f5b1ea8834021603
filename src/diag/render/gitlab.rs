//! GitLab's code quality report: an array of findings, each with a fingerprint, because GitLab shows equal ones once.

use serde_json::{Value, json};

use super::fingerprint::Fingerprints;
use super::places::Places;
use super::{json_text, paragraph};
use crate::diag::{Diag, Severity};

pub(super) fn render(diags: &[Diag], places: &Places<'_>) -> String {
    let mut fingerprints = Fingerprints::default();
    let findings: Vec<Value> = diags.iter().map(|diag| finding(diag, places, &mut fingerprints)).collect();
    json_text(&findings)
}

fn finding(diag: &Diag, places: &Places<'_>, fingerprints: &mut Fingerprints) -> Value {
    let span = diag.primary.span;
    json!({
        "check_name": diag.code.name(),
        "description": paragraph(diag),
        "fingerprint": fingerprints.next(diag, places),
        "location": {
            "lines": { "begin": places.start(span).line, "end": places.end(span).line },
            "path": places.path(span.file),
        },
        "severity": match diag.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Note => "info",
        },
    })
}

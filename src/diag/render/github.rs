//! GitHub workflow commands: a line a finding, which the runner turns into an annotation on the change.

use std::fmt::Write as _;

use super::places::Places;
use super::visible::visible;
use super::{Options, count, counted, most_severe_first, paragraph};
use crate::diag::{Diag, Severity};

/// Annotations of one severity that a step may make; GitHub drops the rest without a word.
const CAP: usize = 10;

/// The most severe first. Where there are more of a severity than fit, the last annotation says how many were left out.
pub(super) fn render(diags: &[Diag], places: &Places<'_>, options: &Options) -> String {
    let mut out = String::new();
    let sorted = most_severe_first(diags);
    for (severity, command) in [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "notice")] {
        let all: Vec<&Diag> = sorted.iter().copied().filter(|diag| diag.severity == severity).collect();
        let (shown, rest) = all.split_at(if all.len() > CAP { CAP - 1 } else { all.len() });
        for diag in shown {
            annotation(&mut out, command, diag, places);
        }
        if !rest.is_empty() {
            let rest = counted(count(rest.iter().copied(), severity), severity).replacen(' ', " more ", 1);
            let _ = writeln!(out, "::{command} title=ringfence::+{rest}; `{} --format json` lists them", options.command);
        }
    }
    out
}

fn annotation(out: &mut String, command: &str, diag: &Diag, places: &Places<'_>) {
    let span = diag.primary.span;
    let (start, end) = (places.start(span), places.end(span));
    let file = property(&visible(places.path(span.file)));
    let _ = write!(out, "::{command} file={file},line={},endLine={}", start.line, end.line);
    // GitHub takes columns only of a place that is on one line.
    if start.line == end.line {
        let _ = write!(out, ",col={},endColumn={}", start.column, end.column);
    }
    let title = property(&format!("{}: {}", diag.code.name(), diag.code.title()));
    let _ = writeln!(out, ",title={title}::{}", data(&visible(&paragraph(diag))));
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

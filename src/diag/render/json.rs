//! One JSON document: `version`, which grows when a field changes its meaning, and the findings in their order.

use serde::Serialize;

use super::json_text;
use super::places::Places;
use crate::diag::{Diag, Label};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: &'static str,
    severity: &'static str,
    title: &'static str,
    message: &'a str,
    label: &'a str,
    location: Location<'a>,
    related: Vec<Related<'a>>,
    help: &'a [String],
}

#[derive(Serialize)]
struct Related<'a> {
    label: &'a str,
    location: Location<'a>,
}

/// Lines and columns count from 1, columns in characters; the end is one past the last character.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

pub(super) fn render(diags: &[Diag], places: &Places<'_>) -> String {
    json_text(&Document { version: 1, findings: diags.iter().map(|diag| finding(diag, places)).collect() })
}

fn finding<'a>(diag: &'a Diag, places: &Places<'a>) -> Finding<'a> {
    Finding {
        code: diag.code.name(),
        severity: diag.severity.as_str(),
        title: diag.code.title(),
        message: &diag.message,
        label: &diag.primary.text,
        location: location(&diag.primary, places),
        related: diag.related.iter().map(|label| Related { label: &label.text, location: location(label, places) }).collect(),
        help: &diag.help,
    }
}

fn location<'a>(label: &Label, places: &Places<'a>) -> Location<'a> {
    let (start, end) = (places.start(label.span), places.end(label.span));
    Location { path: places.path(label.span.file), line: start.line, column: start.column, end_line: end.line, end_column: end.column }
}

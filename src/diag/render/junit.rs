//! JUnit XML: a test case a finding, so that whatever shows test results shows findings. Errors fail their case; warnings and notes pass
//! and say so in `system-out`. An inventory without findings is one case that passes.

use std::fmt::Write as _;

use super::paragraph;
use super::places::Places;
use super::visible::visible;
use crate::diag::{Diag, Severity};

pub(super) fn render(diags: &[Diag], places: &Places<'_>) -> String {
    let failures = diags.iter().filter(|diag| diag.severity == Severity::Error).count();
    let attributes = format!(r#"name="ringfence" tests="{}" failures="{failures}" errors="0" skipped="0""#, diags.len().max(1));
    let mut out = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite {attributes}>\n");
    if diags.is_empty() {
        out.push_str("    <testcase classname=\"ringfence\" name=\"no findings\"/>\n");
    }
    for diag in diags {
        case(&mut out, diag, places);
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(out: &mut String, diag: &Diag, places: &Places<'_>) {
    let span = diag.primary.span;
    let (file, at, code) = (xml(places.path(span.file)), places.start(span), diag.code.name());
    let _ = writeln!(
        out,
        r#"    <testcase classname="ringfence.{code}" name="{file}:{}:{}: {code}" file="{file}" line="{}">"#,
        at.line, at.column, at.line
    );
    let severity = diag.severity.as_str();
    let mut body = format!("{file}:{}:{}: {severity}[{code}]: {}", at.line, at.column, xml(&paragraph(diag)));
    for label in &diag.related {
        let at = places.start(label.span);
        let _ = write!(body, "\n{}:{}:{}: {}", xml(places.path(label.span.file)), at.line, at.column, xml(&label.text));
    }
    let _ = match diag.severity {
        Severity::Error => writeln!(out, r#"      <failure type="{code}" message="{}">{body}</failure>"#, xml(&diag.message)),
        Severity::Warning | Severity::Note => writeln!(out, "      <system-out>{body}</system-out>"),
    };
    out.push_str("    </testcase>\n");
}

/// Text for XML, in ASCII. Characters that XML has no way to write, and those that cannot be seen, are escaped visibly.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_ascii() => out.push(c),
            c => {
                let _ = write!(out, "&#x{:x};", u32::from(c));
            }
        }
    }
    out
}

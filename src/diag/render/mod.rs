//! Findings for people and for machines: one file a format.
//!
//! Every renderer takes findings in the order of [`Sink::into_sorted`](super::Sink::into_sorted) and keeps it, unless its format has a
//! cap: then the most severe come first. Rendering cannot fail and prints nothing; equal findings make equal text.

mod fingerprint;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod places;
mod sarif;
mod visible;
mod window;

use super::{Diag, Severity};
use crate::source::Files;
use places::Places;

/// In which form findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: the source line, a caret, what to do.
    #[default]
    Human,
    /// One JSON document with every finding and its places.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// GitHub workflow commands, which become annotations on a change.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit XML, for whatever shows test results.
    Junit,
}

/// How the human format looks; the others have no looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether to colour with ANSI escapes.
    pub color: bool,
    /// The columns of the terminal; source lines that are longer are cut around their place.
    pub width: usize,
    /// The command whose findings they are, which lists them where a format has a cap.
    pub command: &'static str,
}

impl Default for Options {
    /// No colour, 140 columns, `ringfence check`.
    fn default() -> Self {
        Self { color: false, width: 140, command: "ringfence check" }
    }
}

/// Writes findings in a format. `files` are those that the findings' places are in.
///
/// The human format and GitHub's are empty when nothing was found; the other formats are a whole document even then.
pub fn render(format: Format, diags: &[Diag], files: &Files, options: &Options) -> String {
    let places = Places::new(files, diags);
    match format {
        Format::Human => human::render(diags, &places, options),
        Format::Json => json::render(diags, &places),
        Format::Sarif => sarif::render(diags, &places, options),
        Format::Github => github::render(diags, &places, options),
        Format::Gitlab => gitlab::render(diags, &places),
        Format::Junit => junit::render(diags, &places),
    }
}

/// The finding in a paragraph, for formats that have one field for it: what is wrong, what is to be said of the place, what to do.
fn paragraph(diag: &Diag) -> String {
    let mut text = diag.message.clone();
    if !diag.primary.text.is_empty() {
        text.push_str(": ");
        text.push_str(&diag.primary.text);
    }
    if !text.ends_with(['.', '?', '!']) {
        text.push('.');
    }
    for help in &diag.help {
        text.push(' ');
        text.push_str(help);
    }
    text
}

/// The findings with the most severe first, otherwise in their order.
fn most_severe_first(diags: &[Diag]) -> Vec<&Diag> {
    let mut sorted: Vec<&Diag> = diags.iter().collect();
    sorted.sort_by_key(|diag| diag.severity);
    sorted
}

/// How many findings have a severity, those that were not kept one by one among them.
fn count<'a>(diags: impl IntoIterator<Item = &'a Diag>, severity: Severity) -> usize {
    diags.into_iter().filter(|diag| diag.severity == severity).map(|diag| diag.stands_for).sum()
}

/// `1 error`, `2 errors`.
fn counted(count: usize, severity: Severity) -> String {
    format!("{count} {}{}", severity.as_str(), if count == 1 { "" } else { "s" })
}

/// Pretty JSON in ASCII, so that no consumer's idea of an encoding matters.
fn json_text(value: &impl serde::Serialize) -> String {
    use std::fmt::Write as _;

    let text = serde_json::to_string_pretty(value).expect("string keys, and no number that JSON lacks");
    let mut ascii = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        // Whatever is not ASCII stands in a string, where an escape means the same.
        if c.is_ascii() && c != '\u{7f}' {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(ascii, "\\u{unit:04x}").expect("writing to a string");
            }
        }
    }
    ascii.push('\n');
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Code;

    #[test]
    fn a_paragraph_is_made_of_sentences() {
        let mut files = Files::default();
        let id = files.add("a.yaml", "x");
        let diag = Diag::new(Code::UnknownKey, files.start(id), "unknown key `x`").label("not a key of a tier").help("Did you mean `y`?");
        assert_eq!(paragraph(&diag), "unknown key `x`: not a key of a tier. Did you mean `y`?");
    }

    #[test]
    fn json_is_ascii_whatever_was_written() {
        let text = json_text(&"é\u{7f}😀\u{202e}\"\\\n");
        assert_eq!(text, "\"\\u00e9\\u007f\\ud83d\\ude00\\u202e\\\"\\\\\\n\"\n");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), "é\u{7f}😀\u{202e}\"\\\n");
    }
}

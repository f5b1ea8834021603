//! What makes a finding the same finding in the next run, although lines above it came or went.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::places::Places;
use super::window::back;
use crate::diag::Diag;

/// How many bytes of a line count on either side of the place.
const REACH: usize = 1024;

/// Hands out fingerprints: the SHA-256 of the code, the path, the line's text without its indentation, and how many findings before it had
/// the same three. The message is left out, for it may say how many days are left.
#[derive(Default)]
pub(super) struct Fingerprints {
    seen: BTreeMap<[u8; 32], usize>,
}

impl Fingerprints {
    /// The finding's fingerprint in hexadecimal; no two of one run are equal.
    pub(super) fn next(&mut self, diag: &Diag, places: &Places<'_>) -> String {
        let base = digest(&[diag.code.name(), places.path(diag.primary.span.file), line_text(diag, places)]);
        let nth = self.seen.entry(base).or_insert(0);
        *nth += 1;
        let whole = if *nth == 1 { base } else { digest(&[&hex(base), &nth.to_string()]) };
        hex(whole)
    }
}

/// Each part with its length before it, so that no two lists of parts run together to the same bytes.
fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut out, byte| {
        write!(out, "{byte:02x}").expect("writing to a string");
        out
    })
}

fn line_text<'a>(diag: &Diag, places: &Places<'a>) -> &'a str {
    let span = diag.primary.span;
    let text = places.text(span.file);
    let line = places.line(span.file, places.start(span).line);
    let at = span.start as usize;
    let left = back(text, at.saturating_sub(REACH).max(line.start)).min(line.end);
    let right = back(text, (at + REACH).min(line.end));
    text[left..right.max(left)].trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Code;
    use crate::source::{Files, Span};

    fn prints(text: &str, starts: &[usize]) -> Vec<String> {
        let mut files = Files::default();
        let file = files.add("a.yaml", text);
        let diags: Vec<Diag> = starts
            .iter()
            .map(|at| Diag::new(Code::UnknownKey, Span { file, start: *at as u32, end: *at as u32 }, format!("message {at}")))
            .collect();
        let places = Places::new(&files, &diags);
        let mut fingerprints = Fingerprints::default();
        diags.iter().map(|diag| fingerprints.next(diag, &places)).collect()
    }

    #[test]
    fn a_fingerprint_outlives_lines_above_it_and_its_indentation() {
        assert_eq!(prints("key: 1\n", &[0]), prints("# new\n\n  key: 1\r\n", &[9]));
        assert_ne!(prints("key: 1\n", &[0]), prints("key: 2\n", &[0]));
    }

    #[test]
    fn equal_lines_have_fingerprints_of_their_own() {
        let prints = prints("key: 1\nkey: 1\nkey: 1\n", &[0, 7, 14]);
        assert_ne!(prints[0], prints[1]);
        assert_ne!(prints[1], prints[2]);
    }
}

//! Lines and columns of many places at once.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diag::Diag;
use crate::source::{FileId, Files, LineCol, Span};

/// How many bytes lie between two remembered counts of characters.
const STRIDE: usize = 4096;

/// The files of some findings, indexed so that a place costs the same in a small file, in one of 16 MiB and in a line of 16 MiB:
/// thousands of findings in one such file would otherwise take minutes.
pub(super) struct Places<'a> {
    files: &'a Files,
    indexes: BTreeMap<FileId, Index>,
}

struct Index {
    /// Where each line starts.
    lines: Vec<u32>,
    /// Characters before each multiple of [`STRIDE`].
    chars: Vec<u32>,
}

impl<'a> Places<'a> {
    /// Indexes every file that a finding names.
    pub(super) fn new(files: &'a Files, diags: &[Diag]) -> Self {
        let mut indexes = BTreeMap::new();
        for diag in diags {
            for label in std::iter::once(&diag.primary).chain(&diag.related) {
                indexes.entry(label.span.file).or_insert_with(|| Index::new(files.text(label.span.file)));
            }
        }
        Self { files, indexes }
    }

    /// The path that findings print.
    pub(super) fn path(&self, file: FileId) -> &'a str {
        self.files.path(file)
    }

    /// The whole text of a file.
    pub(super) fn text(&self, file: FileId) -> &'a str {
        self.files.text(file)
    }

    /// Where a span begins.
    pub(super) fn start(&self, span: Span) -> LineCol {
        self.position(span.file, span.start)
    }

    /// Where a span ends: one past its last character.
    pub(super) fn end(&self, span: Span) -> LineCol {
        self.position(span.file, span.end)
    }

    /// The bytes of a line, counted from 1, without what ends it.
    pub(super) fn line(&self, file: FileId, line: usize) -> Range<usize> {
        let text = self.text(file);
        let lines = &self.indexes[&file].lines;
        let start = lines[line - 1] as usize;
        let end = lines.get(line).map_or(text.len(), |next| *next as usize - 1);
        let end = if text[start..end].ends_with('\r') { end - 1 } else { end };
        start..end
    }

    fn position(&self, file: FileId, byte: u32) -> LineCol {
        let index = &self.indexes[&file];
        let line = index.lines.partition_point(|start| *start <= byte);
        let text = self.text(file).as_bytes();
        let before = index.chars_before(text, index.lines[line - 1] as usize);
        LineCol { line, column: index.chars_before(text, byte as usize) - before + 1 }
    }
}

impl Index {
    fn new(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1);
        let mut chars = vec![0];
        for chunk in text.as_bytes().chunks_exact(STRIDE) {
            chars.push(chars[chars.len() - 1] + count_chars(chunk));
        }
        Self { lines: std::iter::once(0).chain(breaks).collect(), chars }
    }

    fn chars_before(&self, text: &[u8], byte: usize) -> usize {
        let checkpoint = byte / STRIDE;
        (self.chars[checkpoint] + count_chars(&text[checkpoint * STRIDE..byte])) as usize
    }
}

/// Characters that begin in these bytes.
fn count_chars(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Code;

    #[test]
    fn places_are_those_of_files() {
        let long = "é漢x".repeat(3000);
        let text = format!("\u{feff}a: b\r\n\n{long}\n{long}\r\nlast");
        let mut files = Files::default();
        let id = files.add("a.yaml", text.as_str());
        let places = Places::new(&files, &[Diag::new(Code::UnknownKey, files.start(id), "x")]);
        for (at, _) in text.char_indices().step_by(97).chain([(text.len(), ' ')]) {
            let span = Span { file: id, start: at as u32, end: text.len() as u32 };
            assert_eq!(places.start(span), files.line_col(span), "byte {at}");
            assert_eq!(places.end(span), files.end_line_col(span));
        }
    }

    #[test]
    fn a_line_is_without_its_break() {
        let mut files = Files::default();
        let id = files.add("a.yaml", "one\r\n\ntwo\n");
        let places = Places::new(&files, &[Diag::new(Code::UnknownKey, files.start(id), "x")]);
        let line = |n| &files.text(id)[places.line(id, n)];
        assert_eq!([line(1), line(2), line(3), line(4)], ["one", "", "two", ""]);
    }
}

//! What wrote which part of an output, so that a defect that shows only in the output is shown where the template made it.

use std::ops::Range;

/// A part of an output and what wrote it.
pub(super) struct Written {
    pub(super) output: Range<usize>,
    /// The template.
    pub(super) name: String,
    pub(super) source: Range<usize>,
    /// Byte for byte: a text, not a value.
    pub(super) verbatim: bool,
}

/// The template and the place in it that wrote a range of the output: from what wrote its first byte to what wrote its last, where one
/// template wrote both.
pub(super) fn place(parts: &[Written], range: &Range<usize>) -> Option<(String, Range<usize>)> {
    let first = at(parts, range.start)?;
    let last = at(parts, range.end.saturating_sub(1).max(range.start));
    let end = last.filter(|(name, last)| *name == first.0 && last.end >= first.1.end).map_or(first.1.end, |(_, last)| last.end);
    Some((first.0.to_owned(), first.1.start..end))
}

fn at(parts: &[Written], byte: usize) -> Option<(&str, Range<usize>)> {
    // The last that begins before it: a part may be empty, and the output may end before the range does.
    let part = parts.iter().rev().find(|part| part.output.start <= byte && part.output.start < part.output.end)?;
    let source = if part.verbatim {
        let start = (part.source.start + byte - part.output.start).min(part.source.end.saturating_sub(1));
        start..start + 1
    } else {
        part.source.clone()
    };
    Some((&part.name, source))
}

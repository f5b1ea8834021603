//! The few lines of source that a report shows, cut out of a file of any size.

use std::ops::Range;

use super::places::Places;
use super::visible::visible_source;
use crate::source::Span;

/// Places of one file further apart than this stand in windows of their own.
const MAX_LINES: usize = 100;

/// A piece of source, safe to print.
pub(super) struct Window {
    /// The number of its first line.
    pub(super) line_start: usize,
    /// Its lines, made visible and cut to the reach around their places.
    pub(super) source: String,
    /// Where in `source` each span stands, in the order they were given. A span over several lines ends with its first one, and a long
    /// one after half a screen: its beginning says which it is, and the machine formats say where it ends.
    pub(super) marks: Vec<Range<usize>>,
}

/// The window around places of one file that are [`near`] one another, for a terminal of some columns.
///
/// Of a long line more is kept on either side than the terminal shows, so that annotate-snippets does the last cut, and marks it.
pub(super) fn window(places: &Places<'_>, spans: &[Span], width: usize) -> Window {
    let reach = width * 4;
    let line_of = |span: &Span| places.start(*span).line;
    let first = spans.iter().map(line_of).min().unwrap_or(1);
    let last = spans.iter().map(line_of).max().unwrap_or(1);
    let mut source = String::new();
    let mut marks = vec![0..0; spans.len()];
    for number in first..=last {
        let here: Vec<(usize, &Span)> = spans.iter().enumerate().filter(|(_, span)| line_of(span) == number).collect();
        let Some(file) = spans.first().map(|span| span.file) else { break };
        let text = places.text(file);
        let line = places.line(file, number);
        // A place may be on the line's own break, which is not shown.
        let clip = |span: &Span| {
            let start = (span.start as usize).min(line.end);
            start..back(text, (span.end as usize).clamp(start, line.end).min(start + width / 2))
        };
        let left = here.iter().map(|(_, span)| clip(span).start).min().unwrap_or(line.start);
        let right = here.iter().map(|(_, span)| clip(span).end).max().unwrap_or(line.start);
        let left = back(text, left.saturating_sub(reach).max(line.start));
        let right = back(text, (right + reach).min(line.end));
        let base = source.len();
        for (index, span) in here {
            let clipped = clip(span);
            let offset = |at: usize| base + visible_source(&text[left..at]).len();
            marks[index] = offset(clipped.start)..offset(clipped.end);
        }
        source.push_str(&visible_source(&text[left..right]));
        if number < last {
            source.push('\n');
        } else if source.len() == base {
            // An empty last line would be no line at all.
            source.push(' ');
        }
    }
    Window { line_start: first, source, marks }
}

/// Whether two places belong in one window: in one file, few lines apart, and their columns together on the screen.
pub(super) fn near(places: &Places<'_>, a: Span, b: Span, width: usize) -> bool {
    if a.file != b.file {
        return false;
    }
    let (a, b) = (places.start(a), places.start(b));
    a.line.abs_diff(b.line) <= MAX_LINES && a.column.abs_diff(b.column) <= width / 2
}

/// The character boundary at a byte, or the nearest before it.
pub(super) fn back(text: &str, byte: usize) -> usize {
    (0..=byte).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

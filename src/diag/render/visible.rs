//! Text from outside, made harmless and readable on a terminal and in a log.

use std::fmt::Write as _;

/// The text with every character escaped that would steer a terminal, reorder the line or not be seen at all: `\u{202e}`, `\n`.
///
/// An escape sequence of a terminal, a bidirectional override or a line break in an inventory can therefore not fake a finding.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push(&mut out, text, "\\t");
    out
}

/// As [`visible`], for a line of source: tabs stay, because the renderer lays them out.
pub(super) fn visible_source(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    push(&mut out, line, "\t");
    out
}

fn push(out: &mut String, text: &str, tab: &str) {
    for c in text.chars() {
        match c {
            '\t' => out.push_str(tab),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || is_unseen(c) => write!(out, "\\u{{{:x}}}", u32::from(c)).expect("writing to a string"),
            c => out.push(c),
        }
    }
}

/// Whether a character has no look of its own: format and bidirectional controls, zero-width and filler characters, variation selectors,
/// tags and noncharacters. Combining marks are not among them, for they show.
fn is_unseen(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
        | 0x3164 | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
        | 0xe0000..=0xe0fff)
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_hides_is_escaped() {
        assert_eq!(visible("a\u{1b}[31mb\u{9b}c\u{7f}"), "a\\u{1b}[31mb\\u{9b}c\\u{7f}");
        assert_eq!(visible("x\u{202e}y\u{2069}z\u{200b}\u{feff}\u{ffff}"), "x\\u{202e}y\\u{2069}z\\u{200b}\\u{feff}\\u{ffff}");
        assert_eq!(visible("one\r\n\ttwo"), "one\\r\\n\\ttwo");
        assert_eq!(visible_source("\tkey:\r"), "\tkey:\\r");
    }

    #[test]
    fn what_can_be_seen_stays() {
        let text = "naïve 漢字 e\u{301} 😀 \\u{1b} €";
        assert_eq!(visible(text), text);
    }
}

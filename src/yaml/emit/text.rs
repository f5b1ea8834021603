//! Strings: which of the four styles says a text so that every reader reads that text, and nothing else.

use crate::yaml::scalar::{self, Plain};

const FIRST: u8 = 1;
const ESCAPE: u8 = 1 << 1;
const BREAK: u8 = 1 << 2;
const TAB: u8 = 1 << 3;
const HIGH: u8 = 1 << 4;

/// What each byte means for the choice: may begin a plain scalar, needs an escape, breaks the line, is a tab, is part of a longer character.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b'\n' => BREAK,
            b'\t' => TAB,
            0..=0x1f | 0x7f => ESCAPE,
            0x80..=0xff => HIGH,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'/' | b'.' | b'+' | b'(' | b'^' | b'$' | b';' | b'-' => FIRST,
            _ => 0,
        };
        byte += 1;
    }
    class
};

/// Writes a key: plain, or in quotes.
pub(super) fn key(text: &str, out: &mut String) {
    let class = survey(text);
    if class & (ESCAPE | BREAK | TAB) != 0 {
        double_quoted(text, out);
    } else {
        line(text, out);
    }
}

/// Writes a value and the end of its line. A block's lines stand two columns right of `column`.
pub(super) fn value(text: &str, column: usize, out: &mut String) {
    let class = survey(text);
    if class & (ESCAPE | BREAK | TAB) == 0 {
        line(text, out);
    } else if class & ESCAPE == 0 && fits_block(text) {
        return block(text, column + 2, out);
    } else {
        double_quoted(text, out);
    }
    out.push('\n');
}

/// Appends a text in double quotes. Every reader takes the escapes alike, JSON's readers too unless a character beyond U+FFFF needs one.
pub fn double_quoted(text: &str, out: &mut String) {
    out.push('"');
    let mut written = 0;
    for (at, c) in text.char_indices() {
        let escape = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            ' '..='~' => continue,
            c if is_unprintable(c) => "",
            _ => continue,
        };
        out.push_str(&text[written..at]);
        written = at + c.len_utf8();
        if escape.is_empty() {
            hexadecimal(c, out);
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[written..]);
    out.push('"');
}

/// Whether a character is written as an escape: controls, what readers take for a line break or drop, and what shows nothing or
/// reorders what it stands in, so that no diff shows other text than machines read.
pub(super) fn is_unprintable(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\0'..='\u{a0}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{1680}'
        | '\u{180e}'
        | '\u{2000}'..='\u{200f}'
        | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}'
        | '\u{3000}'
        | '\u{3164}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}'
        | '\u{f0000}'..='\u{10ffff}' => true,
        // The last two of every plane are no characters, nor are the 32 in the middle of the first.
        c => u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}'),
    }
}

/// The classes of a text's bytes together.
fn survey(text: &str) -> u8 {
    let class = text.bytes().fold(0, |class, byte| class | CLASS[usize::from(byte)]);
    if class & HIGH != 0 && text.chars().any(|c| !c.is_ascii() && is_unprintable(c)) { class | ESCAPE } else { class }
}

/// Writes a text of one line that needs no escape. Double quotes where it would mean something else without any, as `kubectl` writes it.
fn line(text: &str, out: &mut String) {
    if !matches!(scalar::plain(text), Plain::Text) {
        double_quoted(text, out);
    } else if is_plain_line(text) {
        out.push_str(text);
    } else {
        out.push('\'');
        for (index, part) in text.split('\'').enumerate() {
            if index > 0 {
                out.push_str("''");
            }
            out.push_str(part);
        }
        out.push('\'');
    }
}

/// Whether a text of one line that needs no escape may stand without quotes; what it then means is [`scalar::plain`]'s to say.
fn is_plain_line(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((&first, &last)) = bytes.first().zip(bytes.last()) else { return false };
    let begins = match first {
        // A dash begins a list item or a divider, dots end a document.
        b'-' => bytes[1..].iter().find(|byte| **byte != b'-').is_some_and(|byte| *byte != b' ') && !text.starts_with("---"),
        b'.' => !text.starts_with("..."),
        first => CLASS[usize::from(first)] & FIRST != 0 || text.chars().next().is_some_and(char::is_alphabetic),
    };
    begins && last != b' ' && last != b':' && !bytes.windows(2).any(|pair| pair == b": " || pair == b" #")
}

/// Whether several lines can stand as they are. A line that ends in a space would look like one that does not, and a tab at the
/// head of a line like indentation; at the head of the first line, Go and libyaml refuse it.
fn fits_block(text: &str) -> bool {
    let bytes = text.as_bytes();
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    bytes.contains(&b'\n')
        && !matches!(bytes[0], b' ' | b'\t' | b'\n')
        && !blank(bytes.last())
        && !bytes.windows(2).any(|pair| (pair[1] == b'\n' && blank(pair.first())) || pair == b"\n\t")
}

fn block(text: &str, column: usize, out: &mut String) {
    out.push_str(match text.strip_suffix('\n') {
        None => "|-\n",
        Some(lines) if lines.ends_with('\n') => "|+\n",
        Some(_) => "|\n",
    });
    for line in text.lines() {
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', column));
            out.push_str(line);
        }
        out.push('\n');
    }
}

fn hexadecimal(c: char, out: &mut String) {
    let code = u32::from(c);
    let (letter, digits) = if code > 0xffff { ('U', 8) } else { ('u', 4) };
    out.push('\\');
    out.push(letter);
    out.extend((0..digits).rev().filter_map(|digit| char::from_digit(code >> (digit * 4) & 0xf, 16)));
}

#[cfg(test)]
mod tests {
    fn written(text: &str) -> String {
        let mut out = String::new();
        super::value(text, 0, &mut out);
        out
    }

    #[test]
    fn everyday_text_needs_no_quotes() {
        for text in ["web", "10.0.0.1", "64Mi", "registry.example/a:1", "--flag=x", "-c", "a#b", "it's", "$(HOST)", "é", "a b"] {
            assert_eq!(written(text), format!("{text}\n"));
        }
    }

    #[test]
    fn what_would_mean_something_else_is_double_quoted() {
        for text in ["", "yes", "No", "on", "y", "~", "null", "true", "1", "1.10", "0777", "1_000", "1:30", "2024-01-01", "=", "<<", ".inf"]
        {
            assert_eq!(written(text), format!("\"{text}\"\n"));
        }
    }

    #[test]
    fn what_is_syntax_is_single_quoted() {
        for text in [
            "a: b", "a #b", "a:", " a", "a ", "- a", "-", "--", "---", "--- a", "...", "? a", "{{ x }}", "%a", "@a", "`a`", "*a", "&a",
            "!a", "#a",
        ] {
            assert_eq!(written(text), format!("'{text}'\n"));
        }
        assert_eq!(written("'a'"), "'''a'''\n");
    }

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        assert_eq!(written("a\tb"), "\"a\\tb\"\n");
        assert_eq!(written("\u{feff}a\u{202e}\u{7f}\u{85}\"\\"), "\"\\ufeffa\\u202e\\u007f\\u0085\\\"\\\\\"\n");
        assert_eq!(written("\u{1fffe}"), "\"\\U0001fffe\"\n");
    }

    #[test]
    fn lines_stand_as_a_block_unless_blanks_would_be_lost() {
        assert_eq!(written("a\n\n  b\tc"), "|-\n  a\n\n    b\tc\n");
        assert_eq!(written("a\n"), "|\n  a\n");
        assert_eq!(written("a\n\n"), "|+\n  a\n\n");
        for text in ["\n", "\na", " a\n", "a \nb", "a\n\tb", "a\n ", "a\r\nb"] {
            assert!(written(text).starts_with('"'), "{text:?}");
        }
    }
}

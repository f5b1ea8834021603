//! A reader of the simple YAML that templates make: block mappings and lists of plain scalars and of JSON values, each on one line, and of
//! literal block scalars.
//!
//! It reads a text to the same values as the full reader, or not at all: whatever is not simple (quotes of other kinds, folded scalars, flow
//! values that are no JSON, anything ambiguous) is left to that one, which also knows what to say about it.

mod flow;

use std::iter::Peekable;

use serde_json::{Map, Value};

use super::scalar::{self, Plain};
use flow::{json_prefix, words};

/// How deep block collections may nest before the full reader takes over.
const MAX_DEPTH: usize = 64;

/// Every document, or `None` where the text is not simple.
pub(super) fn read(text: &str) -> Option<Vec<Value>> {
    if !is_clean(text) {
        return None;
    }
    let mut documents = Vec::new();
    let mut lines = Vec::new();
    let mut rest = text.split('\n').peekable();
    while let Some(line) = rest.next() {
        let content = line.trim_start_matches(' ');
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if content.starts_with(['\t', '%', '\u{feff}']) || content.starts_with("...") {
            return None;
        }
        if line == "---" {
            finish(&mut lines, &mut documents)?;
            continue;
        }
        if line.starts_with("---") {
            return None;
        }
        let (indent, content) = (line.len() - content.len(), content.trim_end_matches(' '));
        let block = match block_header(content) {
            Some((key, clipped)) => Some(block_scalar(indent + key, clipped, &mut rest)?),
            None => None,
        };
        lines.push(Line { indent, content, block });
    }
    finish(&mut lines, &mut documents)?;
    Some(documents)
}

/// Whether a text holds only what every reader takes for an ordinary character, and no line break but one: what looks like the end of a
/// comment to some readers must not be one of its letters here.
fn is_clean(text: &str) -> bool {
    let odd = |c: char| matches!(c, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    text.bytes().all(|byte| byte == b'\n' || (byte >= b' ' && byte != 0x7f)) && (text.is_ascii() || !text.chars().any(odd))
}

fn finish(lines: &mut Vec<Line<'_>>, documents: &mut Vec<Value>) -> Option<()> {
    if lines.is_empty() {
        return Some(());
    }
    let mut reader = Reader { lines: std::mem::take(lines), at: 0, depth: 0 };
    let value = reader.block(reader.lines[0].indent)?;
    if reader.at < reader.lines.len() {
        return None;
    }
    documents.push(value);
    Some(())
}

/// Where the key stands of a line that begins a literal block scalar (`key: |`, `key: |-`), and whether the text ends with a line break.
fn block_header(content: &str) -> Option<(usize, bool)> {
    let (header, clipped) = content.strip_suffix('-').map_or((content, true), |header| (header, false));
    let keys = header.strip_suffix(": |")?;
    let key = keys.trim_start_matches(['-', ' ']);
    let simple = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-'));
    simple.then_some((keys.len() - key.len(), clipped))
}

/// The text of a block scalar whose key is indented by `parent`, and whose lines come next.
fn block_scalar<'a>(parent: usize, clipped: bool, rest: &mut Peekable<impl Iterator<Item = &'a str>>) -> Option<String> {
    let depth = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let inner = rest.peek().map(|first| depth(first)).filter(|inner| *inner > parent)?;
    let (mut text, mut blank) = (String::new(), 0);
    while let Some(line) = rest.next_if(|line| line.is_empty() || depth(line) >= inner) {
        if line.is_empty() {
            blank += 1;
            continue;
        }
        // Of a line of nothing but spaces it depends on their number whether it is text.
        if depth(line) == line.len() {
            return None;
        }
        let breaks = if text.is_empty() { 0 } else { blank + 1 };
        text.extend(std::iter::repeat_n('\n', breaks));
        text.push_str(&line[inner..]);
        blank = 0;
    }
    if clipped {
        text.push('\n');
    }
    Some(text)
}

struct Line<'a> {
    indent: usize,
    content: &'a str,
    /// The text of the block scalar that it begins, which is the value of its last key.
    block: Option<String>,
}

struct Reader<'a> {
    lines: Vec<Line<'a>>,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Indentation and content of the line that comes next.
    fn line(&self) -> Option<(usize, &'a str)> {
        self.lines.get(self.at).map(|line| (line.indent, line.content))
    }

    /// The collection whose lines begin at `indent`.
    fn block(&mut self, indent: usize) -> Option<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let (_, content) = self.line()?;
        let value = if content == "-" || content.starts_with("- ") { self.list(indent)? } else { self.map(indent)? };
        self.depth -= 1;
        Some(value)
    }

    fn list(&mut self, indent: usize) -> Option<Value> {
        let mut items = Vec::new();
        while let Some((_, content)) = self.line().filter(|(at, content)| *at == indent && content.starts_with("- ")) {
            let rest = content[2..].trim_start_matches(' ');
            let inner = indent + content.len() - rest.len();
            if rest.is_empty() || rest.starts_with("- ") || rest.starts_with('#') {
                return None;
            }
            if split_key(rest).is_some() {
                // The item's first key stands on the dash's line, the others below it.
                (self.lines[self.at].indent, self.lines[self.at].content) = (inner, rest);
                items.push(self.block(inner)?);
            } else {
                items.push(scalar(rest)?);
                self.at += 1;
            }
        }
        self.ended(indent)?;
        Some(Value::Array(items))
    }

    fn map(&mut self, indent: usize) -> Option<Value> {
        let mut map = Map::new();
        while let Some((_, content)) = self.line().filter(|(at, _)| *at == indent) {
            if content.starts_with("- ") || content == "-" {
                break;
            }
            let (key, rest) = split_key(content)?;
            let block = self.lines[self.at].block.take();
            self.at += 1;
            let value = if let Some(text) = block {
                text.into()
            } else if rest.is_empty() {
                match self.line() {
                    Some((next, _)) if next > indent => self.block(next)?,
                    Some((next, content)) if next == indent && content.starts_with("- ") => self.list(indent)?,
                    _ => Value::Null,
                }
            } else {
                scalar(rest)?
            };
            if map.insert(key, value).is_some() {
                return None;
            }
        }
        self.ended(indent)?;
        Some(Value::Object(map))
    }

    /// After a collection comes nothing that is indented deeper: that would be the rest of a scalar of several lines.
    fn ended(&self, indent: usize) -> Option<()> {
        self.line().is_none_or(|(next, _)| next <= indent).then_some(())
    }
}

/// A key and what follows its colon; a plain key of simple characters, or a JSON string.
fn split_key(content: &str) -> Option<(String, &str)> {
    if content.starts_with('"') {
        let (key, rest) = json_prefix(content)?;
        let Value::String(key) = key else { return None };
        let rest = rest.strip_prefix(':')?;
        return after_colon(rest).map(|rest| (key, rest));
    }
    let end = content.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-')))?;
    let (key, rest) = content.split_at(end);
    let rest = after_colon(rest.strip_prefix(':')?)?;
    let simple = key.starts_with(|c: char| c.is_ascii_alphanumeric()) && scalar::plain(key) == Plain::Text;
    simple.then(|| (key.to_owned(), rest))
}

fn after_colon(rest: &str) -> Option<&str> {
    (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim_matches(' '))
}

/// A value that ends with its line.
fn scalar(text: &str) -> Option<Value> {
    if let Some(words) = words(text) {
        return Some(words);
    }
    if text.starts_with(['"', '{', '[']) {
        let (value, rest) = json_prefix(text)?;
        return rest.is_empty().then_some(value);
    }
    // Within a plain scalar of a block, all but the beginning of a comment and what ends a key is a letter like any other.
    let simple = |b: u8| b == b' ' || (b.is_ascii_graphic() && !matches!(b, b'#' | b':'));
    let bytes = text.as_bytes();
    let colon = |at: usize| bytes[at] == b':' && bytes.get(at + 1).is_some_and(|next| *next != b' ' && simple(*next));
    if !(bytes[0].is_ascii_alphanumeric() || bytes[0] == b'/') || !(0..bytes.len()).all(|at| simple(bytes[at]) || colon(at)) {
        return None;
    }
    match scalar::plain(text) {
        Plain::Null => Some(Value::Null),
        Plain::Bool(value) => Some(value.into()),
        Plain::Int(value) => Some(value.into()),
        Plain::Text => Some(text.into()),
        Plain::Float(_) | Plain::Ambiguous(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::read;
    use crate::yaml::manifest::read_fully;

    /// Lines of the kinds that templates write, and some that they should not.
    fn line() -> impl Strategy<Value = String> {
        let key =
            prop_oneof!["[a-z]{1,3}", "\"[a-z .:#]{0,4}\"", "[a-z]/[a-z]", Just("no".to_owned()), Just("1".to_owned()), "[-a-z'.*&!]{1,3}"];
        let value = prop_oneof![
            Just(String::new()),
            "[a-z0-9:/@. -]{1,8}",
            "\"[a-z\\\\n:#{}']{0,6}\"",
            Just("{\"a\":1,\"b\":[true,null,\"x\"]}".to_owned()),
            Just("{\"a\":1,\"a\":2}".to_owned()),
            Just("{a: b}".to_owned()),
            Just("[a, b-c/d.e]".to_owned()),
            Just("[a, b, ]".to_owned()),
            Just("[no, x]".to_owned()),
            Just("|-".to_owned()),
            Just("a: |".to_owned()),
            Just("a && (b[0] == 'c' || !d) ? \"e\" : {f}".to_owned()),
            Just("a && *b|-".to_owned()),
            "[a-z][a-z&*|>!%@`'\"?,{}\\[\\] -]{1,8}",
            Just("[1, \"2\"]".to_owned()),
            Just("|".to_owned()),
            Just("1.5".to_owned()),
            Just("'a'".to_owned()),
            Just("a # b".to_owned()),
            Just("a # b\rc: d".to_owned()),
            Just("\"a\u{7f}\u{85}\"".to_owned()),
            Just("true".to_owned()),
            Just("-7".to_owned()),
        ];
        let start = prop_oneof![4 => Just(""), 2 => Just("- "), 1 => Just("-   ")];
        (0usize..4, start, key, value, 0u8..24).prop_map(|(depth, start, key, value, odd)| {
            let indent = " ".repeat(depth * 2);
            match odd {
                0 => format!("{indent}{start}{value}"),
                1 => "---".to_owned(),
                2 => format!("{indent}# {value}"),
                4 => String::new(),
                5 => indent,
                6 | 7 => format!("{indent}{start}{key}: |\n{indent}    {value}\n{indent}     x"),
                8 => format!("{indent}{start}{key}: |-\n{indent}   {value}\n\n{indent}   # y"),
                3 => format!("{indent}{key}: {value} "),
                _ => format!("{indent}{start}{key}: {value}"),
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_the_fast_reader_takes_the_full_one_reads_alike(lines in prop::collection::vec(line(), 1..7)) {
            let text = lines.join("\n");
            if let Some(documents) = read(&text) {
                let documents: Vec<_> = documents.into_iter().filter(|document| !document.is_null()).collect();
                prop_assert_eq!(Ok(documents), read_fully(&text), "{}", text);
            }
        }
    }

    #[test]
    fn what_templates_write_is_simple() {
        for text in [
            "a: b\n",
            "- name: x\n  expression: |-\n    a &&\n      b\n\n    # c\n  w: [In, Out]\n  z: a[0] == 'b' && !c ? \"d\":e\n",
            "\n# x\na:\n- b: \"c\"\n  d: {\"e\": [1, null]}\n- \"x\"\nf:\n  g: 1\n",
            "a: x:1\nb: v1.2.3\n---\nc: true\n",
        ] {
            assert!(read(text).is_some(), "{text}");
        }
    }
}

//! The fast reader: the part of YAML that templates make, line by line.
//!
//! Block mappings and lists, scalars on one line in JSON's quotes or plain, JSON's lists and mappings on one line, comments. It knows when
//! it meets anything else and then says nothing; what it does say, [`full`](super::full) says too, which a test below tries on mutants.

use serde_json::{Map, Value};

use super::plain;
use crate::yaml::emit::text::is_plain;

/// A quarter of the characters within which readers look for the colon of a key.
const LONGEST_KEY: usize = 256;
/// Below what any reader allows.
const DEEPEST: usize = 64;

/// Reads every document, or nothing where the text holds anything beyond the subset.
pub(super) fn read(text: &str) -> Option<Vec<Value>> {
    if !is_clean(text) {
        return None;
    }
    let mut lines = Lines { rest: text, column: 0, line: "", depth: 0 };
    let mut documents = Vec::new();
    lines.advance();
    while !lines.line.is_empty() {
        if lines.is_divider() {
            if lines.line != "---" {
                return None;
            }
            lines.advance();
            continue;
        }
        documents.push(lines.block(lines.column)?);
        if !lines.is_over() {
            return None;
        }
    }
    Some(documents)
}

/// The lines that say something: a cursor on one of them.
struct Lines<'a> {
    /// What follows the current line.
    rest: &'a str,
    /// Where what is left of the current line begins.
    column: usize,
    /// What is left of the current line, without blanks around it; empty at the end of the text.
    line: &'a str,
    depth: usize,
}

impl Lines<'_> {
    /// Goes to the next line that is neither blank nor a comment.
    fn advance(&mut self) {
        while !self.rest.is_empty() {
            let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            self.rest = rest;
            self.line = line.trim_start_matches(' ');
            if !self.line.is_empty() && !self.line.starts_with('#') {
                self.column = line.len() - self.line.len();
                self.line = self.line.trim_end_matches(' ');
                return;
            }
        }
        (self.column, self.line) = (0, "");
    }

    fn is_divider(&self) -> bool {
        self.column == 0 && self.line.starts_with("---")
    }

    /// Whether the document ends here.
    fn is_over(&self) -> bool {
        self.line.is_empty() || self.is_divider()
    }

    /// Reads the collection that begins here, at `column`; afterwards the cursor is behind it, at its column or left of it.
    fn block(&mut self, column: usize) -> Option<Value> {
        if self.depth == DEEPEST {
            return None;
        }
        self.depth += 1;
        let value = if is_item(self.line) { self.list(column) } else { self.map(column) };
        self.depth -= 1;
        // Deeper text behind a value would go on with that value.
        value.filter(|_| self.is_over() || self.column <= column)
    }

    fn list(&mut self, column: usize) -> Option<Value> {
        let mut items = Vec::new();
        while self.column == column && is_item(self.line) {
            let content = self.line[1..].trim_start_matches(' ');
            items.push(if content.is_empty() {
                self.advance();
                if self.is_over() || self.column <= column { Value::Null } else { self.block(self.column)? }
            } else if is_item(content) || entry(content).is_some() {
                self.column += self.line.len() - content.len();
                self.line = content;
                self.block(self.column)?
            } else {
                self.scalar(content)?
            });
            if !self.is_over() && self.column > column {
                return None;
            }
        }
        Some(Value::Array(items))
    }

    fn map(&mut self, column: usize) -> Option<Value> {
        let mut entries = Map::new();
        loop {
            let (key, rest) = entry(self.line)?;
            let key = text(key)?;
            let value = if rest.is_empty() || rest.starts_with('#') {
                self.advance();
                match self.column {
                    _ if self.is_over() => Value::Null,
                    deeper if deeper > column => self.block(deeper)?,
                    same if same == column && is_item(self.line) => self.list(column)?,
                    _ => Value::Null,
                }
            } else {
                self.scalar(rest)?
            };
            if entries.insert(key, value).is_some() {
                return None;
            }
            if self.is_over() || self.column < column {
                return Some(Value::Object(entries));
            }
            if self.column > column {
                return None;
            }
        }
    }

    /// Reads a value that ends with its line, and goes to the next.
    fn scalar(&mut self, content: &str) -> Option<Value> {
        let (value, rest) = match content.as_bytes().first()? {
            b'"' => {
                let (token, rest) = content.split_at(quoted(content)?);
                (Value::String(unquote(token)?), rest)
            }
            b'[' | b'{' => flow(content, 0)?,
            _ => {
                let end = content.find(" #").unwrap_or(content.len());
                let token = content[..end].trim_end_matches(' ');
                if !is_plain(token) {
                    return None;
                }
                (plain(token).ok()?, "")
            }
        };
        let comment = rest.starts_with(' ') && blanks(rest).starts_with('#');
        if rest.is_empty() || comment {
            self.advance();
            return Some(value);
        }
        None
    }
}

/// Whether every character is one that readers take in text and in comments, and no break but `\n` or tab among them.
fn is_clean(text: &str) -> bool {
    let ascii = |byte: u8| (byte >= b' ' && byte != 0x7f) || byte == b'\n';
    text.bytes().all(ascii)
        && (text.is_ascii()
            || !text.chars().any(|c| matches!(c, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')))
}

fn is_item(line: &str) -> bool {
    line == "-" || line.starts_with("- ")
}

/// Splits `key: value` after the key, which is still as it was written.
fn entry(line: &str) -> Option<(&str, &str)> {
    let end = match line.as_bytes().first()? {
        b'"' => quoted(line)?,
        _ => line.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || b"_./-".contains(&byte)))?,
    };
    let (key, rest) = line.split_at(end);
    let rest = rest.strip_prefix(':')?;
    (end <= LONGEST_KEY && (rest.is_empty() || rest.starts_with(' '))).then(|| (key, rest.trim_start_matches(' ')))
}

/// A key, quoted or plain, that is a text.
fn text(key: &str) -> Option<String> {
    if key.starts_with('"') {
        return unquote(key);
    }
    match plain(key) {
        Ok(Value::String(key)) if is_plain(&key) => Some(key),
        _ => None,
    }
}

/// Where a quoted string at the start of `text` ends.
fn quoted(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at + 1),
            b'\\' => _ = bytes.next(),
            _ => {}
        }
    }
    None
}

/// What stands in quotes. JSON's escapes mean the same in YAML, except for the two halves of a character beyond U+FFFF.
fn unquote(token: &str) -> Option<String> {
    let inner = &token[1..token.len() - 1];
    if !inner.contains('\\') {
        return Some(inner.to_owned());
    }
    if inner.contains("\\ud") || inner.contains("\\uD") {
        return None;
    }
    serde_json::from_str(token).ok()
}

/// Reads JSON at the start of `text`; the second half is what follows it.
fn flow(text: &str, depth: usize) -> Option<(Value, &str)> {
    if depth == DEEPEST {
        return None;
    }
    match text.as_bytes().first()? {
        b'"' => {
            let (token, rest) = text.split_at(quoted(text)?);
            Some((Value::String(unquote(token)?), rest))
        }
        b'[' => {
            let mut items = Vec::new();
            let mut rest = blanks(&text[1..]);
            while !rest.starts_with(']') {
                let (item, after) = flow(rest, depth + 1)?;
                items.push(item);
                rest = next(after, ']')?;
            }
            Some((Value::Array(items), &rest[1..]))
        }
        b'{' => {
            let mut entries = Map::new();
            let mut rest = blanks(&text[1..]);
            while !rest.starts_with('}') {
                let end = quoted(rest).filter(|end| rest.starts_with('"') && *end <= LONGEST_KEY)?;
                let key = unquote(&rest[..end])?;
                let (value, after) = flow(blanks(blanks(&rest[end..]).strip_prefix(':')?), depth + 1)?;
                if entries.insert(key, value).is_some() {
                    return None;
                }
                rest = next(after, '}')?;
            }
            Some((Value::Object(entries), &rest[1..]))
        }
        _ => {
            let end = text.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)))?;
            let value = plain(&text[..end]).ok().filter(|value| end > 0 && !value.is_string())?;
            Some((value, &text[end..]))
        }
    }
}

/// What follows an item of a flow collection: the next one behind a comma, or the end.
fn next(text: &str, end: char) -> Option<&str> {
    let text = blanks(text);
    if text.starts_with(end) {
        return Some(text);
    }
    let item = blanks(text.strip_prefix(',')?);
    (!item.starts_with(end)).then_some(item)
}

fn blanks(text: &str) -> &str {
    text.trim_start_matches(' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    use serde_json::json;

    use crate::yaml::manifest::{fast, full};

    const TEMPLATE: &str = r#"# A comment, then a document.
---
apiVersion: apps/v1
kind: Deployment   # its kind
metadata:
  name: "web"
  labels: {"app.kubernetes.io/name":"web","n":1,"f":-1.5, "t": true,"e":{},"l":[null,"x, y"]}
spec:
  replicas: 2

  template:
      spec:
        containers:
        - name: "a: \"b\" # \u00e9 \\"
          args: ["-c", "echo {} [] é"]
          command:
            - sh
            - --flag=10.0.0.1
            - -
          # a comment
          env:
        -   "name": x
            empty:
---
- - a
  - b
-
  c: d
"#;

    #[test]
    fn what_templates_make_is_read() {
        let documents = fast::read(TEMPLATE.replace("            - -\n", "").as_str()).unwrap();
        assert_eq!(documents.len(), 2);
        assert_eq!(documents[0]["metadata"]["labels"]["l"], json!([null, "x, y"]));
        assert_eq!(documents[0]["spec"]["template"]["spec"]["containers"][0]["name"], "a: \"b\" # é \\");
        assert_eq!(documents[0]["spec"]["template"]["spec"]["containers"][1], json!({"name": "x", "empty": null}));
        assert_eq!(documents[1], json!([["a", "b"], {"c": "d"}]));
    }

    #[test]
    fn what_needs_the_full_reader_is_left_to_it() {
        #[rustfmt::skip]
        let texts = [
            "a: |\n  b", "a: 'b'", "a: b\n  c", "a: b: c", "a: no", "a: &x b", "a: !!str b", "a: [b]", "? a\n: b", "a\n", "a: 1\na: 2",
            "a: {\"b\":1,\"b\":2}", "a:\tb", "a: b\r\n", "--- a", "a: 1\n...\n", "%YAML 1.2\n---\na: 1", "a: \"\\ud83d\\ude00\"",
            "\u{feff}a: 1", "a: [1,]", "1: a", "a:\n  b: 1\n c: 2",
        ];
        for text in texts {
            assert_eq!(fast::read(text), None, "{text:?}");
        }
    }

    /// Pieces that change what a line means.
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "", " ", "  ", "\n", "\n  ", ":", ": ", " #", "#", "-", "- ", "---", "--- ", "...", "\"", "'", "\\", "\\u0041", "\\/", "\\x41",
        "\\ud83d\\ude00", "\\u0000", "[", "]", "{", "}", ",", "?", "? ", "|", ">", "&a", "*a", "!", "!!str ", "%", "@", "`", "<<: ", "~",
        "no", "1", "0777", "1e3", "-1", ".5", "null", "true", "\t", "\r", "\u{7f}", "\u{85}", "\u{a0}", "\u{2028}", "\u{feff}", "é", "😀",
        "a: b", "- a", "{\"a\":1}", "[\"a\"]", "\"a\":1", "\"a\": 1", "{}", "[]", "+", "a b", "=",
    ];

    /// Takes a stretch of the template and, at some places, puts pieces in, in front of what was there or instead of it.
    fn mutants() -> impl Strategy<Value = String> {
        let change = (any::<Index>(), 0_usize..4, select(PIECES));
        (any::<Index>(), any::<Index>(), prop::collection::vec(change, 0..4)).prop_map(|(from, to, changes)| {
            let lines: Vec<&str> = TEMPLATE.lines().collect();
            let from = from.index(lines.len());
            let mut text = lines[from..=from + to.index(lines.len() - from)].join("\n");
            for (at, removed, piece) in changes {
                let chars: Vec<(usize, char)> = text.char_indices().collect();
                let at = at.index(chars.len() + 1);
                let byte = |index: usize| chars.get(index).map_or(text.len(), |(byte, _)| *byte);
                text = format!("{}{piece}{}", &text[..byte(at)], &text[byte(at + removed)..]);
            }
            text
        })
    }

    #[test]
    fn both_readers_agree_on_all_that_the_fast_one_takes() {
        let cases = 20_000;
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let taken = std::cell::Cell::new(0_u32);
        runner
            .run(&mutants(), |text| {
                if let Some(documents) = fast::read(&text) {
                    taken.set(taken.get() + 1);
                    prop_assert_eq!(Ok(documents), full::read(&text));
                }
                Ok(())
            })
            .unwrap();
        assert!(taken.get() > cases / 20, "the fast reader took only {} of {cases}", taken.get());
    }
}

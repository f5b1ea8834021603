//! A reader of the simple YAML that templates make: block mappings and lists of plain scalars and of JSON values, each on one line.
//!
//! It reads a text to the same values as the full reader, or not at all: whatever is not simple (quotes of other kinds, block scalars, flow
//! values that are no JSON, anything ambiguous) is left to that one, which also knows what to say about it.

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::scalar::{self, Plain};

/// How deep block collections may nest before the full reader takes over.
const MAX_DEPTH: usize = 64;

/// Every document, or `None` where the text is not simple.
pub(super) fn read(text: &str) -> Option<Vec<Value>> {
    if !is_clean(text) {
        return None;
    }
    let mut documents = Vec::new();
    let mut lines = Vec::new();
    for line in text.split('\n') {
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
        lines.push(Line { indent: line.len() - content.len(), content: content.trim_end_matches(' ') });
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

#[derive(Clone, Copy)]
struct Line<'a> {
    indent: usize,
    content: &'a str,
}

struct Reader<'a> {
    lines: Vec<Line<'a>>,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn line(&self) -> Option<Line<'a>> {
        self.lines.get(self.at).copied()
    }

    /// The collection whose lines begin at `indent`.
    fn block(&mut self, indent: usize) -> Option<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let line = self.line()?;
        let value = if line.content == "-" || line.content.starts_with("- ") { self.list(indent)? } else { self.map(indent)? };
        self.depth -= 1;
        Some(value)
    }

    fn list(&mut self, indent: usize) -> Option<Value> {
        let mut items = Vec::new();
        while let Some(line) = self.line().filter(|line| line.indent == indent && line.content.starts_with("- ")) {
            let rest = line.content[2..].trim_start_matches(' ');
            let inner = indent + line.content.len() - rest.len();
            if rest.is_empty() || rest.starts_with("- ") || rest.starts_with('#') {
                return None;
            }
            if split_key(rest).is_some() {
                // The item's first key stands on the dash's line, the others below it.
                self.lines[self.at] = Line { indent: inner, content: rest };
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
        while let Some(line) = self.line().filter(|line| line.indent == indent) {
            if line.content.starts_with("- ") || line.content == "-" {
                break;
            }
            let (key, rest) = split_key(line.content)?;
            self.at += 1;
            let value = if rest.is_empty() {
                match self.line() {
                    Some(next) if next.indent > indent => self.block(next.indent)?,
                    Some(next) if next.indent == indent && next.content.starts_with("- ") => self.list(indent)?,
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
        self.line().is_none_or(|line| line.indent <= indent).then_some(())
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
    if text.starts_with(['"', '{', '[']) {
        let (value, rest) = json_prefix(text)?;
        return rest.is_empty().then_some(value);
    }
    let simple =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-' | b'@' | b'=' | b'+' | b' ' | b',' | b'(' | b')');
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

/// A JSON value at the head of a text, and what comes after it. Only what YAML reads alike: no fractions, which readers spell differently,
/// and no escaped surrogates.
fn json_prefix(text: &str) -> Option<(Value, &str)> {
    if text.contains("\\u") || text.contains("\\/") {
        return None;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Strict>();
    let Strict(value) = stream.next()?.ok()?;
    let rest = &text[stream.byte_offset()..];
    Some((value, rest))
}

/// A JSON value whose keys differ and whose numbers are whole.
struct Strict(Value);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> DeserializeSeed<'de> for StrictVisitor {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("simple JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::from).map_err(|_| E::custom("too large"))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Err(E::custom("a fraction"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(StrictVisitor)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.insert(key, entries.next_value_seed(StrictVisitor)?).is_some() {
                return Err(A::Error::custom("a key twice"));
            }
        }
        Ok(map.into())
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
        (0usize..4, start, key, value, 0u8..12).prop_map(|(depth, start, key, value, odd)| {
            let indent = " ".repeat(depth * 2);
            match odd {
                0 => format!("{indent}{start}{value}"),
                1 => "---".to_owned(),
                2 => format!("{indent}# {value}"),
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
        for text in ["a: b\n", "\n# x\na:\n- b: \"c\"\n  d: {\"e\": [1, null]}\n- \"x\"\nf:\n  g: 1\n", "a: x:1\nb: v1.2.3\n---\nc: true\n"]
        {
            assert!(read(text).is_some(), "{text}");
        }
    }
}

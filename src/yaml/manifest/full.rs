//! The full reader: all of YAML's notation, without what its readers do not share.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

use super::{Problem, plain};

/// Reads every document that is not empty.
pub(super) fn read(text: &str) -> Result<Vec<Value>, Problem> {
    let options = granit_parser::options! { emit_comments: false, emit_unresolved_aliases: true, disallow_directives: true };
    let mut reader = Reader { open: Vec::new(), documents: Vec::new() };
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|error| syntax(&error, text))?;
        reader.event(event, span.byte_range().unwrap_or_default())?;
    }
    Ok(reader.documents)
}

/// A collection that is not at its end.
enum Open {
    List(Vec<Value>),
    /// Its entries, and the key that waits for its value.
    Map(Map<String, Value>, Option<String>),
}

struct Reader {
    open: Vec<Open>,
    documents: Vec<Value>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                bare(anchor, tag.as_deref(), &span)?;
                self.scalar(&text, style == ScalarStyle::Plain, span)
            }
            Event::SequenceStart(_, anchor, tag) => {
                bare(anchor, tag.as_deref(), &span)?;
                self.collection(Open::List(Vec::new()), span)
            }
            Event::MappingStart(_, anchor, tag) => {
                bare(anchor, tag.as_deref(), &span)?;
                self.collection(Open::Map(Map::new(), None), span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                match self.open.pop() {
                    Some(Open::List(items)) => self.place(Value::Array(items)),
                    Some(Open::Map(entries, _)) => self.place(Value::Object(entries)),
                    None => {}
                }
                Ok(())
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => Err(shared(span)),
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, is_plain: bool, span: Range<usize>) -> Result<(), Problem> {
        let value = if is_plain { plain(text).map_err(|reason| ambiguous(text, reason, &span))? } else { Value::from(text) };
        let Some(Open::Map(entries, key @ None)) = self.open.last_mut() else {
            self.place(value);
            return Ok(());
        };
        let Value::String(name) = value else {
            return Err(problem(span, format!("the key `{text}` is not a text"), "Quote it: keys are texts."));
        };
        if entries.contains_key(&name) {
            return Err(problem(span, format!("the key `{name}` is written twice"), "Keep one of them."));
        }
        *key = Some(name);
        Ok(())
    }

    fn collection(&mut self, open: Open, span: Range<usize>) -> Result<(), Problem> {
        if let Some(Open::Map(_, None)) = self.open.last() {
            return Err(problem(span, "a list or a mapping stands where a key should".to_owned(), "Quote it: keys are texts."));
        }
        self.open.push(open);
        Ok(())
    }

    fn place(&mut self, value: Value) {
        match self.open.last_mut() {
            None if value.is_null() => {}
            None => self.documents.push(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map(entries, key)) => {
                if let Some(key) = key.take() {
                    entries.insert(key, value);
                }
            }
        }
    }
}

/// Refuses anchors and tags.
fn bare(anchor: usize, tag: Option<&Tag>, span: &Range<usize>) -> Result<(), Problem> {
    if anchor != 0 {
        return Err(shared(span.clone()));
    }
    let Some(tag) = tag else { return Ok(()) };
    let help = "Remove the tag; quote the value where a text is meant.";
    Err(problem(span.clone(), format!("the tag `{}` is not used in manifests", tag.original()), help))
}

fn shared(span: Range<usize>) -> Problem {
    problem(span, "an anchor or alias is not used in manifests".to_owned(), "Write the value out at each place.")
}

fn ambiguous(text: &str, reason: &str, span: &Range<usize>) -> Problem {
    let help = format!(
        "Quote it (`\"{text}\"`) where the text is meant, or write the value without doubt: `true`, `false`, `null`, `511`, `0.5`."
    );
    problem(span.clone(), format!("readers of YAML disagree on `{text}`: {reason}"), help)
}

fn syntax(error: &granit_parser::ScanError, text: &str) -> Problem {
    let mut start = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let end = start + text[start..].chars().next().filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8);
    let help = "Look at this line and the one before it: indentation, a missing colon, an unclosed quote or bracket.";
    problem(start..end, error.info().clone(), help)
}

fn problem(span: Range<usize>, message: String, help: impl Into<String>) -> Problem {
    Problem { span, message, help: Some(help.into()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn what_readers_agree_on_is_read() {
        let text = "---\n---\na: 1\nb: [x, 'y', {c: null}]\n? d\n: |\n  t\n  u\n---\n~\n--- text\n...\n---\n- 1.5\n- \"no\"\n";
        let expected = [json!({"a": 1, "b": ["x", "y", {"c": null}], "d": "t\nu\n"}), json!("text"), json!([1.5, "no"])];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn what_they_disagree_on_is_refused_at_its_place() {
        for (text, place, message) in [
            ("a: no", "no", "readers of YAML disagree on `no`: some readers take it for a boolean"),
            ("a: [0777]", "0777", "some readers take it for a number"),
            ("a: 18446744073709551616", "18446744073709551616", "a number too large to keep"),
            ("a: .inf", ".inf", "some readers take it for a number"),
            ("no: 1", "no", "some readers take it for a boolean"),
            ("1: a", "1", "the key `1` is not a text"),
            ("{: a}", "", "the key `~` is not a text"),
            ("a: 1\n\"a\": 2", "\"a\"", "the key `a` is written twice"),
            ("<<: {a: 1}", "<<", "it has a meaning of its own"),
            ("a: !!str no", "no", "the tag `!!str` is not used"),
            ("a: !x {}", "{", "the tag `!x` is not used"),
            ("a: &n 1", "1", "an anchor or alias"),
            ("a: *n", "*n", "an anchor or alias"),
            ("[a]: 1", "[", "where a key should"),
            ("%YAML 1.1\n---\na: 1", "%", "directive"),
            ("a: \"b", "\"", "unclosed quote"),
            ("é: \u{7f}", "\u{7f}", ""),
        ] {
            let problem = read(text).expect_err(text);
            assert!(problem.message.contains(message), "{text:?}: {problem:?}");
            assert_eq!(&text[problem.span.clone()], place, "{text:?}: {problem:?}");
        }
    }
}

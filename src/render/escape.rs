//! How a value is written so that it cannot become structure (I7), by what the output is; one set of rules for both engines.
//!
//! | output | text | number, boolean | null | list, mapping |
//! |---|---|---|---|---|
//! | YAML, JSON | a JSON string | as it is | `null` | JSON on one line, keys sorted |
//! | Markdown | punctuation after a backslash, one line | likewise | nothing | its JSON, as text |
//! | HTML, XML | `&`, `<`, `>`, quotes, backtick and `=` as entities | likewise | nothing | its JSON, as text |
//! | shell, of any kind | one single-quoted word | likewise | an empty word | its JSON, as one word |
//! | anything else | without control characters, one line | likewise | nothing | its JSON, as text |

use std::fmt::{self, Write};

use serde_json::Value;

use crate::catalog::Output;

/// Writes any value.
pub fn value(out: &mut impl Write, output: Output, value: &Value) -> fmt::Result {
    match value {
        Value::String(text) => string(out, output, text),
        _ if output == Output::Data => json(out, value),
        _ => string(out, output, &as_text(value)),
    }
}

/// Writes a text.
pub fn string(out: &mut impl Write, output: Output, text: &str) -> fmt::Result {
    match output {
        Output::Data => json_string(out, text),
        Output::Markdown => markdown(out, text),
        Output::Html => html(out, text),
        Output::Shell => shell(out, text),
        Output::Text => plain(out, text),
    }
}

/// JSON on one line that every YAML reader reads as the same value.
pub fn json(out: &mut impl Write, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Number(number) => json_number(out, &number.to_string()),
        Value::String(text) => json_string(out, text),
        Value::Array(items) => {
            out.write_char('[')?;
            for (at, item) in items.iter().enumerate() {
                out.write_str(if at > 0 { ", " } else { "" })?;
                json(out, item)?;
            }
            out.write_char(']')
        }
        Value::Object(entries) => {
            out.write_char('{')?;
            for (at, (key, item)) in entries.iter().enumerate() {
                out.write_str(if at > 0 { ", " } else { "" })?;
                json_string(out, key)?;
                out.write_str(": ")?;
                json(out, item)?;
            }
            out.write_char('}')
        }
    }
}

/// How long a list or mapping may be to stand on one line of a laid out document, in bytes.
const LINE: usize = 100;

/// JSON over several lines, for people to compare: what holds no list or mapping, and is short, stays on one.
pub fn json_lines(out: &mut impl Write, value: &Value) -> fmt::Result {
    lines(out, value, 0)
}

fn lines(out: &mut impl Write, value: &Value, depth: usize) -> fmt::Result {
    let nests = |item: &Value| matches!(item, Value::Array(_) | Value::Object(_));
    let flat = match value {
        Value::Array(items) => !items.iter().any(nests),
        Value::Object(entries) => !entries.values().any(nests),
        _ => true,
    };
    let mut line = String::new();
    if flat {
        json(&mut line, value)?;
        if line.len() <= LINE || !nests(value) {
            return out.write_str(&line);
        }
    }
    let indent = |out: &mut dyn Write, depth: usize| write!(out, "\n{:1$}", "", depth * 2);
    match value {
        Value::Array(items) => {
            out.write_char('[')?;
            for (at, item) in items.iter().enumerate() {
                out.write_str(if at > 0 { "," } else { "" })?;
                indent(out, depth + 1)?;
                lines(out, item, depth + 1)?;
            }
            indent(out, depth)?;
            out.write_char(']')
        }
        Value::Object(entries) => {
            out.write_char('{')?;
            for (at, (key, item)) in entries.iter().enumerate() {
                out.write_str(if at > 0 { "," } else { "" })?;
                indent(out, depth + 1)?;
                json_string(out, key)?;
                out.write_str(": ")?;
                lines(out, item, depth + 1)?;
            }
            indent(out, depth)?;
            out.write_char('}')
        }
        leaf => json(out, leaf),
    }
}

/// `1e21` is a text for YAML 1.1; `1.0e+21` is the number for everybody.
fn json_number(out: &mut impl Write, number: &str) -> fmt::Result {
    let Some((mantissa, exponent)) = number.split_once(['e', 'E']) else { return out.write_str(number) };
    out.write_str(mantissa)?;
    out.write_str(if mantissa.contains('.') { "e" } else { ".0e" })?;
    out.write_str(if exponent.starts_with(['+', '-']) { "" } else { "+" })?;
    out.write_str(exponent)
}

fn json_string(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    runs(out, text, |c| match c {
        '"' => Some(Cut::Text("\\\"")),
        '\\' => Some(Cut::Text("\\\\")),
        '\n' => Some(Cut::Text("\\n")),
        '\r' => Some(Cut::Text("\\r")),
        '\t' => Some(Cut::Text("\\t")),
        // What YAML calls not printable, and what some readers take for a line break.
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => Some(Cut::Unicode),
        _ => None,
    })?;
    out.write_char('"')
}

/// `CommonMark` lets a backslash stand before any ASCII punctuation. What is left alone opens nothing, not even an autolink. What matters
/// within a tag of HTML is an entity, since a backslash is nothing there.
fn markdown(out: &mut impl Write, text: &str) -> fmt::Result {
    // A line that begins with four spaces would be code, one that ends in two a line break.
    let (first, rest) = match text.chars().next() {
        Some(c) if c.is_whitespace() => ("&#32;", &text[c.len_utf8()..]),
        _ => ("", text),
    };
    out.write_str(first)?;
    runs(out, rest, |c| match c {
        ',' | ';' | '%' | '?' | '/' => None,
        '"' => Some(Cut::Text("&quot;")),
        '\'' => Some(Cut::Text("&#39;")),
        '<' => Some(Cut::Text("&lt;")),
        '>' => Some(Cut::Text("&gt;")),
        '&' => Some(Cut::Text("&amp;")),
        _ if c.is_ascii_punctuation() => Some(Cut::Backslash),
        _ => one_line(c),
    })
}

/// What a value is as text: itself, or its JSON.
pub fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        _ => {
            let mut text = String::new();
            // A String takes whatever is written to it.
            let _ = json(&mut text, value);
            text
        }
    }
}

/// A text for a code span or a code block of Markdown, where a backslash escapes nothing: one line, and no backtick, which would end it.
pub fn code(text: &str) -> Result<String, &'static str> {
    if text.contains('`') {
        return Err("a backtick would end the code that the value stands in");
    }
    let mut line = String::with_capacity(text.len());
    plain(&mut line, text).map_err(|_| "the value cannot be written")?;
    Ok(line)
}

fn html(out: &mut impl Write, text: &str) -> fmt::Result {
    runs(out, text, |c| match c {
        '&' => Some(Cut::Text("&amp;")),
        '<' => Some(Cut::Text("&lt;")),
        '>' => Some(Cut::Text("&gt;")),
        '"' => Some(Cut::Text("&quot;")),
        '\'' => Some(Cut::Text("&#39;")),
        '`' => Some(Cut::Text("&#96;")),
        '=' => Some(Cut::Text("&#61;")),
        '\n' => None,
        _ => one_line(c),
    })
}

fn shell(out: &mut impl Write, text: &str) -> fmt::Result {
    out.write_char('\'')?;
    runs(out, text, |c| match c {
        '\'' => Some(Cut::Text("'\\''")),
        // No shell keeps it in a word.
        '\0' => Some(Cut::Text("")),
        _ => None,
    })?;
    out.write_char('\'')
}

fn plain(out: &mut impl Write, text: &str) -> fmt::Result {
    runs(out, text, one_line)
}

/// A line break is a space; what only steers a terminal, or the direction of writing, is left out.
fn one_line(c: char) -> Option<Cut> {
    match c {
        '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some(Cut::Text(" ")),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => Some(Cut::Text("")),
        _ if c.is_control() => Some(Cut::Text("")),
        _ => None,
    }
}

/// What stands for a character.
enum Cut {
    Text(&'static str),
    Backslash,
    Unicode,
}

/// Writes `text` in runs of what stays as it is.
fn runs(out: &mut impl Write, text: &str, cut: impl Fn(char) -> Option<Cut>) -> fmt::Result {
    let mut from = 0;
    for (at, c) in text.char_indices() {
        let Some(cut) = cut(c) else { continue };
        out.write_str(&text[from..at])?;
        match cut {
            Cut::Text(text) => out.write_str(text)?,
            Cut::Backslash => write!(out, "\\{c}")?,
            Cut::Unicode => write!(out, "\\u{:04x}", c as u32)?,
        }
        from = at + c.len_utf8();
    }
    out.write_str(&text[from..])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::value;
    use crate::catalog::Output;

    fn written(output: Output, of: &Value) -> String {
        let mut out = String::new();
        value(&mut out, output, of).expect("a String takes all");
        out
    }

    #[test]
    fn data_is_json_of_the_same_type() {
        for (of, expected) in [
            (json!("yes"), r#""yes""#),
            (json!("1.10"), r#""1.10""#),
            (json!("a\n  evil: true # \"q\"\\"), r#""a\n  evil: true # \"q\"\\""#),
            (json!("\u{85}\u{2028}\u{feff}\u{7f}\u{0}"), r#""\u0085\u2028\ufeff\u007f\u0000""#),
            (json!("日本\u{1f600}"), "\"日本\u{1f600}\""),
            (json!(true), "true"),
            (json!(null), "null"),
            (json!(18_446_744_073_709_551_615_u64), "18446744073709551615"),
            (json!(-1.5), "-1.5"),
            (json!(1e21), "1.0e+21"),
            (json!(1.5e-9), "1.5e-9"),
            (json!({"b": [1, "x: y"], "a": {}}), r#"{"a": {}, "b": [1, "x: y"]}"#),
        ] {
            assert_eq!(written(Output::Data, &of), expected);
        }
    }

    #[test]
    fn json_for_people_is_the_same_value_over_several_lines() {
        let long = "x".repeat(100);
        let of = json!({"a": {"b": 1, "c": "d\n"}, "e": [[], {}, [1, {"f": null}]], "g": [long, 2], "h": long});
        let mut out = String::new();
        super::json_lines(&mut out, &of).expect("a String takes all");
        assert_eq!(serde_json::from_str::<Value>(&out).expect("it is JSON"), of);
        let expected = [
            "{",
            r#"  "a": {"b": 1, "c": "d\n"},"#,
            r#"  "e": ["#,
            "    [],",
            "    {},",
            "    [",
            "      1,",
            r#"      {"f": null}"#,
            "    ]",
            "  ],",
            r#"  "g": ["#,
        ];
        assert_eq!(out.lines().take(expected.len()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn text_opens_no_structure_in_a_document() {
        assert_eq!(written(Output::Markdown, &json!("a\n# b <i> [x](y) `c` | _d_")), r"a \# b &lt;i&gt; \[x\]\(y\) \`c\` \| \_d\_");
        assert_eq!(written(Output::Markdown, &json!("    code")), "&#32;   code");
        assert_eq!(written(Output::Html, &json!("<a b='c' d=\"e\">&`")), "&lt;a b&#61;&#39;c&#39; d&#61;&quot;e&quot;&gt;&amp;&#96;");
        assert_eq!(written(Output::Text, &json!("a\r\nb\u{1b}[31mc\u{202e}")), "a  b[31mc");
        assert_eq!(written(Output::Html, &json!(null)), "");
        assert_eq!(written(Output::Text, &json!([1, "a"])), r#"[1, "a"]"#);
    }

    #[test]
    fn a_shell_word_is_one_word() {
        assert_eq!(written(Output::Shell, &json!("a b'c $(d) `e`")), r"'a b'\''c $(d) `e`'");
        assert_eq!(written(Output::Shell, &json!(null)), "''");
        assert_eq!(written(Output::Shell, &json!(7)), "'7'");
    }
}

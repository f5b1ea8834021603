//! Scalars: text, booleans and numbers, where every YAML reader takes a plain one for the same.

use super::{Decode, Findings, wrong_type};
use crate::diag::{Code, Diag};
use crate::yaml::read::{Node, Value};
use crate::yaml::scalar::{self, Plain};

impl Decode for String {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        text(node, findings).map(str::to_owned)
    }
}

impl Decode for bool {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let is_one_of = |text: &str, words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        let (text, help) = match plain(node) {
            Some((_, Plain::Bool(value))) => return Some(value),
            Some((text, Plain::Ambiguous(_))) if is_one_of(text, ["yes", "on", "y"]) => (text, "Write `true`."),
            Some((text, Plain::Ambiguous(_))) if is_one_of(text, ["no", "off", "n"]) => (text, "Write `false`."),
            _ => {
                findings.push(wrong_type(node, "`true` or `false`"));
                return None;
            }
        };
        findings.push(ambiguous(node, text, "some readers take it for a boolean").help(help));
        None
    }
}

macro_rules! integers {
    ($($int:ty),+) => {$(
        impl Decode for $int {
            fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
                let int = integer(node, findings)?;
                let converted = <$int>::try_from(int).ok();
                if converted.is_none() {
                    let message = format!("{int} is outside {} to {}", <$int>::MIN, <$int>::MAX);
                    findings.push(Diag::new(Code::InvalidValue, node.span, message).help("Write a whole number within these bounds."));
                }
                converted
            }
        }
    )+};
}

integers!(i32, i64);

/// A count: Kubernetes holds each of them in 32 bits with a sign.
impl Decode for u32 {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let int = integer(node, findings)?;
        let count = Self::try_from(int).ok().filter(|count| *count <= MOST);
        if count.is_none() {
            let message = format!("{int} is outside 0 to {MOST}");
            findings.push(Diag::new(Code::InvalidValue, node.span, message).help("Write a whole number within these bounds."));
        }
        count
    }
}

/// The largest count that Kubernetes holds.
pub const MOST: u32 = i32::MAX.unsigned_abs();

/// Whatever has sixteen bits is a port.
impl Decode for u16 {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let int = integer(node, findings)?;
        let port = Self::try_from(int).ok();
        if port.is_none() {
            let diag = Diag::new(Code::InvalidPort, node.span, format!("{int} is no port: ports are 1 to 65535"));
            findings.push(diag.help("Write the number that is meant."));
        }
        port
    }
}

/// The text of a scalar that every YAML reader takes for text.
pub fn text<'a>(node: &'a Node, findings: &mut Findings) -> Option<&'a str> {
    let Value::Scalar { text, quoted } = &node.value else {
        findings.push(wrong_type(node, "text"));
        return None;
    };
    if *quoted {
        return Some(text);
    }
    let what = match scalar::plain(text) {
        Plain::Text => return Some(text),
        Plain::Null => {
            findings.push(wrong_type(node, "text"));
            return None;
        }
        Plain::Bool(_) => "YAML readers take it for a boolean",
        Plain::Int(_) | Plain::Float(_) => "YAML readers take it for a number",
        Plain::Ambiguous(why) => why,
    };
    findings.push(ambiguous(node, text, what).help(format!("Quote it where the text is meant: `\"{text}\"`.")));
    None
}

/// The text of a scalar that is text or a plain decimal number, as Kubernetes reads quantities: `250m`, `0.5`, `4`.
pub fn text_or_number<'a>(node: &'a Node, findings: &mut Findings) -> Option<&'a str> {
    match plain(node) {
        Some((text, Plain::Int(_) | Plain::Float(_))) => Some(text),
        _ => text(node, findings),
    }
}

fn integer(node: &Node, findings: &mut Findings) -> Option<i64> {
    findings.push(match plain(node) {
        Some((_, Plain::Int(int))) => return Some(int),
        Some((text, Plain::Ambiguous(why))) => {
            ambiguous(node, text, why).help("Write it in decimal digits, without a leading zero or underscores.")
        }
        _ => wrong_type(node, "a whole number"),
    });
    None
}

/// The text of a scalar without quotes, and what it means.
fn plain(node: &Node) -> Option<(&str, Plain)> {
    match &node.value {
        Value::Scalar { text, quoted: false } => Some((text, scalar::plain(text))),
        _ => None,
    }
}

fn ambiguous(node: &Node, text: &str, why: &str) -> Diag {
    Diag::new(Code::AmbiguousScalar, node.span, format!("`{text}` does not mean the same to every YAML reader")).label(why)
}

/// The text of a date: readers disagree whether a plain one is text, and here its meaning is clear.
pub fn plain_date<'a>(node: &'a Node, findings: &mut Findings) -> Option<&'a str> {
    match &node.value {
        Value::Scalar { text, .. } if !node.is_null() => Some(text),
        _ => {
            findings.push(wrong_type(node, "a date"));
            None
        }
    }
}

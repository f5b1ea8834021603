//! Small changes to a YAML tree that keep the places of what stays.

use super::{Step, invalid};
use crate::source::Span;
use crate::yaml::scalar::{self, Plain};
use crate::yaml::{Node, Value};

/// A text.
pub fn text(text: impl Into<String>, span: Span) -> Node {
    Node { span, value: Value::Scalar { text: text.into(), quoted: true } }
}

/// A number or a word that is no text.
pub fn plain(text: impl Into<String>, span: Span) -> Node {
    Node { span, value: Value::Scalar { text: text.into(), quoted: false } }
}

/// A mapping without entries.
pub fn empty_map(span: Span) -> Node {
    Node { span, value: Value::Map(Vec::new()) }
}

/// The value at a key.
pub fn get_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    match &mut node.value {
        Value::Map(entries) => entries.iter_mut().find(|(k, _)| k.text() == Some(key)).map(|(_, value)| value),
        _ => None,
    }
}

/// The value at a path of keys.
pub fn at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| node.get(key))
}

/// Puts a value at a key of a mapping.
pub fn set(node: &mut Node, key: &str, value: Node) {
    if let Some(found) = get_mut(node, key) {
        *found = value;
    } else if let Value::Map(entries) = &mut node.value {
        entries.push((text(key, value.span), value));
    }
}

/// Takes a key out of a mapping.
pub fn remove(node: &mut Node, key: &str) -> Option<Node> {
    let Value::Map(entries) = &mut node.value else { return None };
    let at = entries.iter().position(|(k, _)| k.text() == Some(key))?;
    Some(entries.remove(at).1)
}

/// The mapping at a key, made where there is none.
pub fn map_at<'n>(node: &'n mut Node, key: &str, span: Span) -> Option<&'n mut Node> {
    if node.get(key).is_none_or(Node::is_null) {
        set(node, key, empty_map(span));
    }
    get_mut(node, key)
}

/// The items of a list; none for anything else.
pub fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::Seq(items) => items,
        _ => &[],
    }
}

/// The entries of a mapping; none for anything else.
pub fn entries(node: &Node) -> &[(Node, Node)] {
    match &node.value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

/// Whether it is a mapping without entries.
pub fn is_empty_map(node: &Node) -> bool {
    matches!(&node.value, Value::Map(entries) if entries.is_empty())
}

/// Gives every scalar the meaning that all readers of Kubernetes agree on; one on which they do not is a finding.
pub fn settle_scalars(node: &mut Node) -> Step<()> {
    match &mut node.value {
        Value::Seq(items) => items.iter_mut().try_for_each(settle_scalars),
        Value::Map(entries) => entries.iter_mut().try_for_each(|(key, value)| {
            if matches!(&key.value, Value::Scalar { text, quoted: false } if !matches!(scalar::plain(text), Plain::Text | Plain::Int(_))) {
                return Err(unclear(key, "as a key it is no text to every reader"));
            }
            settle_scalars(value)
        }),
        Value::Scalar { quoted: true, .. } => Ok(()),
        Value::Scalar { text, .. } => match scalar::plain(text) {
            Plain::Ambiguous(why) => match octal(text) {
                Some(number) => {
                    *text = number.to_string();
                    Ok(())
                }
                None => Err(unclear(node, why)),
            },
            _ => Ok(()),
        },
    }
}

/// `0444` as `defaultMode` has it: Go's readers, and so kubectl, kustomize, Argo CD and Flux, all take it for an octal number.
fn octal(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('0').filter(|digits| !digits.is_empty() && digits.bytes().all(|b| (b'0'..=b'7').contains(&b)))?;
    i64::from_str_radix(digits, 8).ok()
}

fn unclear(node: &Node, why: &str) -> Box<crate::diag::Diag> {
    let text = node.text().unwrap_or_default();
    let diag = invalid(node.span, format!("`{text}` does not mean the same to every YAML reader"));
    Box::new(diag.label(why).help(format!("Quote it where text is meant: `\"{text}\"`; else write `true`, `false` or a decimal number.")))
}

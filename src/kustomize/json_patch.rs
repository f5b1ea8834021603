//! JSON patches (RFC 6902), which kustomize applies to the whole object.

use super::edit::{get_mut, remove, set};
use super::folder::too_large;
use super::{Step, invalid, unsupported};
use crate::source::Span;
use crate::yaml::{Node, Value};

/// Applies a list of operations.
pub fn apply(object: &mut Node, operations: &Node) -> Step<()> {
    let Value::Seq(operations) = &operations.value else { return Err(invalid(operations.span, "a JSON patch is a list of operations")) };
    for operation in operations {
        apply_one(object, operation)?;
        // A copy of an object into itself doubles it.
        let mut nodes = 0;
        if !is_within(object, MAX_DEPTH, &mut nodes) {
            let message = format!("after this operation the object has more than {MAX_NODES} values, or {MAX_DEPTH} levels");
            return Err(too_large(crate::decode::head(operation), message));
        }
    }
    Ok(())
}

/// How many values an object may have, and how deep they may be nested.
const MAX_NODES: usize = 100_000;
const MAX_DEPTH: usize = 255;

fn is_within(node: &Node, depth: usize, nodes: &mut usize) -> bool {
    *nodes += 1;
    if depth == 0 || *nodes > MAX_NODES {
        return false;
    }
    match &node.value {
        Value::Map(entries) => entries.iter().all(|(_, value)| is_within(value, depth - 1, nodes)),
        Value::Seq(items) => items.iter().all(|item| is_within(item, depth - 1, nodes)),
        Value::Scalar { .. } => true,
    }
}

fn apply_one(object: &mut Node, operation: &Node) -> Step<()> {
    let text = |key: &str| operation.get(key).and_then(Node::text);
    let here = crate::decode::head(operation);
    let Some(op) = operation.get("op") else { return Err(invalid(here, "an operation needs `op`")) };
    let Some(path) = operation.get("path").filter(|path| path.text().is_some()) else {
        return Err(invalid(here, "an operation needs `path`"));
    };
    let place = Pointer::parse(text("path").unwrap_or_default(), path.span)?;
    let value = || operation.get("value").cloned().ok_or_else(|| invalid(here, "this operation needs a `value`"));
    let from = || match operation.get("from") {
        Some(from) => Pointer::parse(from.text().unwrap_or_default(), from.span),
        None => Err(invalid(here, "this operation needs `from`")),
    };
    match op.text().unwrap_or_default() {
        "add" => place.add(object, value()?),
        "replace" => {
            let value = value()?;
            *place.get(object)? = value;
            Ok(())
        }
        "remove" => place.remove(object).map(|_| ()),
        "move" => {
            let moved = from()?.remove(object)?;
            place.add(object, moved)
        }
        "copy" => {
            let copied = from()?.get(object)?.clone();
            place.add(object, copied)
        }
        "test" => {
            let wanted = crate::schema::json(&value()?);
            if crate::schema::json(place.get(object)?) == wanted { Ok(()) } else { Err(invalid(here, "the test of this patch fails")) }
        }
        other => Err(invalid(op.span, format!("`{other}` is no operation of a JSON patch"))),
    }
}

struct Pointer {
    parts: Vec<String>,
    span: Span,
}

impl Pointer {
    fn parse(text: &str, span: Span) -> Step<Self> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err(unsupported(span, format!("the path `{text}` does not begin with `/`")));
        };
        Ok(Self { parts: rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect(), span })
    }

    fn missing(&self, part: &str) -> Box<crate::diag::Diag> {
        Box::new(
            invalid(self.span, format!("there is no `{part}` at this path"))
                .help("A JSON patch names what is there; `add` makes the last part of a path."),
        )
    }

    /// The place of the last part's container.
    fn container<'n>(&self, object: &'n mut Node) -> Step<(&'n mut Node, &str)> {
        let (last, above) = self.parts.split_last().ok_or_else(|| self.missing(""))?;
        let mut node = object;
        for part in above {
            node = self.step(node, part)?;
        }
        Ok((node, last))
    }

    fn step<'n>(&self, node: &'n mut Node, part: &str) -> Step<&'n mut Node> {
        if let Value::Seq(_) = &node.value {
            let at = self.index(part)?;
            return match &mut node.value {
                Value::Seq(items) => items.get_mut(at).ok_or_else(|| self.missing(part)),
                _ => Err(self.missing(part)),
            };
        }
        get_mut(node, part).ok_or_else(|| self.missing(part))
    }

    fn index(&self, part: &str) -> Step<usize> {
        if part.starts_with('-') && part != "-" {
            return Err(unsupported(self.span, format!("the index `{part}` counts from the end")));
        }
        part.parse().map_err(|_| self.missing(part))
    }

    fn get<'n>(&self, object: &'n mut Node) -> Step<&'n mut Node> {
        let (container, last) = self.container(object)?;
        self.step(container, last)
    }

    fn add(&self, object: &mut Node, value: Node) -> Step<()> {
        let (container, last) = self.container(object)?;
        match &mut container.value {
            Value::Map(_) => set(container, last, value),
            Value::Seq(items) if last == "-" => items.push(value),
            Value::Seq(items) => {
                let at = self.index(last)?;
                if at > items.len() {
                    return Err(self.missing(last));
                }
                items.insert(at, value);
            }
            Value::Scalar { .. } => return Err(self.missing(last)),
        }
        Ok(())
    }

    fn remove(&self, object: &mut Node) -> Step<Node> {
        let (container, last) = self.container(object)?;
        match &mut container.value {
            Value::Seq(items) => {
                let at = self.index(last)?;
                if at < items.len() { Ok(items.remove(at)) } else { Err(self.missing(last)) }
            }
            _ => remove(container, last).ok_or_else(|| self.missing(last)),
        }
    }
}

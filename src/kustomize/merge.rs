//! Strategic merge as kustomize does it: mappings merge, lists with keys merge by them, everything else is replaced, null removes,
//! `$patch: delete` and `$patch: replace` do what they say.
//!
//! In a keyed list the patch's entries come first, in the patch's order, whether they are new or not; where entries are told apart by several
//! keys, only the new ones come first.

use super::edit::{entries, get_mut, is_empty_map, items, remove, set};
use super::schema::{Field, definition, field};
use super::{Step, invalid, unsupported};
use crate::yaml::{Node, Value};

/// Merges a patch into an object; none where it is deleted.
pub fn merge(object: Node, patch: Node) -> Step<Option<Node>> {
    walk(Some(object), Some(patch), None)
}

const DIRECTIVE: &str = "$patch";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

fn directive(word: &Node) -> Step<Directive> {
    match word.text() {
        Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        _ => Err(invalid(word.span, "`$patch` is `merge`, `replace` or `delete`")),
    }
}

fn walk(base: Option<Node>, patch: Option<Node>, known: Option<Field>) -> Step<Option<Node>> {
    let shape = [&base, &patch].into_iter().flatten().find(|node| !node.is_null()).map(|node| std::mem::discriminant(&node.value));
    if let (Some(base), Some(patch), Some(shape)) = (&base, &patch, shape)
        && [base, patch].into_iter().any(|node| !node.is_null() && std::mem::discriminant(&node.value) != shape)
    {
        return Err(Box::new(
            invalid(patch.span, "the patch has another shape here than what it patches").related(base.span, "what it patches"),
        ));
    }
    let Some(first) = [&base, &patch].into_iter().flatten().find(|node| !node.is_null()) else {
        // A null that was written out stays as long as no patch speaks of it; a key with nothing after it goes.
        return Ok(base.filter(|base| patch.is_none() && base.span.start < base.span.end));
    };
    match &first.value {
        Value::Map(_) => {
            let known = match known {
                Some(Field::Known(definition)) => Some(definition),
                _ => embedded(base.as_ref()).or_else(|| embedded(patch.as_ref())),
            };
            walk_map(base, patch, known)
        }
        Value::Seq(_) => match known {
            Some(Field::Keyed { keys, items }) => walk_keyed(base, patch, keys, items),
            _ => Ok(patch.map_or(base, |patch| Some(patch).filter(|patch| !patch.is_null()))),
        },
        Value::Scalar { .. } => Ok(patch.map_or(base, |patch| Some(patch).filter(|patch| !patch.is_null()))),
    }
}

/// The definition of an object, or of one within another of which nothing is known.
fn embedded(node: Option<&Node>) -> Option<&'static str> {
    let node = node?;
    definition(node.get("apiVersion")?.text()?, node.get("kind")?.text()?)
}

fn walk_map(base: Option<Node>, patch: Option<Node>, known: Option<&'static str>) -> Step<Option<Node>> {
    let mut patch = patch;
    let stated = match &mut patch {
        Some(patch) if patch.is_null() => return Ok(None),
        Some(patch) => match remove(patch, DIRECTIVE) {
            Some(word) => directive(&word)?,
            None => Directive::Merge,
        },
        None => Directive::Merge,
    };
    if stated == Directive::Delete {
        return Ok(None);
    }
    let base = base.filter(|base| !base.is_null() && stated == Directive::Merge);
    let (mut merged, patch) = match (base, patch) {
        (Some(base), patch) => (base, patch),
        // What is new is walked as well, so that nulls and directives in it do what they say.
        (None, Some(patch)) => (without_directives(patch.clone()), Some(patch)),
        (None, None) => return Ok(None),
    };
    let mut names: Vec<String> = Vec::new();
    for (key, _) in entries(&merged).iter().chain(patch.iter().flat_map(entries)) {
        let name = key.text().unwrap_or_default();
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    for name in names {
        let under =
            get_mut(&mut merged, &name).map(|value| std::mem::replace(value, Node { span: value.span, value: Value::Seq(Vec::new()) }));
        let over = patch.as_ref().and_then(|patch| patch.get(&name)).cloned();
        match walk(under, over, known.and_then(|known| field(known, &name)))? {
            Some(value) => set(&mut merged, &name, value),
            None => {
                remove(&mut merged, &name);
            }
        }
    }
    Ok(Some(merged))
}

fn without_directives(mut node: Node) -> Node {
    fn strip(node: &mut Node) {
        remove(node, DIRECTIVE);
        match &mut node.value {
            Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| strip(value)),
            Value::Seq(items) => items.iter_mut().for_each(strip),
            Value::Scalar { .. } => {}
        }
    }
    strip(&mut node);
    node
}

fn walk_keyed(base: Option<Node>, patch: Option<Node>, keys: &'static [&'static str], known: Option<&'static str>) -> Step<Option<Node>> {
    if patch.as_ref().is_some_and(Node::is_null) {
        return Ok(None);
    }
    let mut patch = patch;
    let mut replaced = false;
    if let Some(Node { value: Value::Seq(entries), .. }) = &mut patch
        && let Some(at) = entries
            .iter()
            .position(|item| matches!(&item.value, Value::Map(entries) if entries.len() == 1) && item.get(DIRECTIVE).is_some())
    {
        let word = entries.remove(at);
        match word.get(DIRECTIVE).map(directive).transpose()? {
            Some(Directive::Delete) => return Ok(None),
            Some(Directive::Replace) => replaced = true,
            _ => {}
        }
    }
    let base = base.filter(|base| !base.is_null() && !replaced);
    let span = patch.as_ref().or(base.as_ref()).map(|node| node.span);
    let Some(span) = span else { return Ok(None) };
    let under: Vec<Node> = base.as_ref().map(items).unwrap_or_default().to_vec();
    let over: Vec<Node> = patch.as_ref().map(items).unwrap_or_default().to_vec();
    let merged = if keys.is_empty() { unite(under, over) } else { by_keys(&under, &over, keys, known)? };
    Ok(Some(Node { span: base.map_or(span, |base| base.span), value: Value::Seq(merged) }))
}

fn unite(under: Vec<Node>, over: Vec<Node>) -> Vec<Node> {
    let mut merged: Vec<Node> = Vec::new();
    for item in over.into_iter().chain(under) {
        if !merged.iter().any(|other| other.text() == item.text()) {
            merged.push(item);
        }
    }
    merged
}

/// The values of an entry's keys. Kustomize tells entries apart by all keys that any entry states; where some entries leave a second key out
/// and others of the same first key do not, what it does follows no rule, and so that is refused.
fn by_keys(under: &[Node], over: &[Node], keys: &'static [&'static str], known: Option<&'static str>) -> Step<Vec<Node>> {
    let identity = |item: &Node| -> Step<Vec<String>> {
        let values: Vec<String> = keys
            .iter()
            .map(|key| item.get(key).filter(|value| !value.is_null()).and_then(Node::text).unwrap_or_default().to_owned())
            .collect();
        match values.first() {
            Some(first) if !first.is_empty() => Ok(values),
            _ => Err(invalid(crate::decode::head(item), format!("an entry of this list needs `{}`", keys[0]))),
        }
    };
    let mut all: Vec<(Vec<String>, Node)> = Vec::new();
    for item in over.iter().chain(under) {
        let values = identity(item)?;
        let clash = |other: &Vec<String>| other[0] == values[0] && *other != values && (other.iter().chain(&values).any(String::is_empty));
        if let Some((_, other)) = all.iter().find(|(other, _)| clash(other)) {
            let message = format!("one entry states `{}` and another of the same `{}` does not", keys[1..].join("`, `"), keys[0]);
            let diag = unsupported(crate::decode::head(item), message).related(crate::decode::head(other), "the other one");
            return Err(Box::new(diag.help("State it in both: what kustomize makes of them follows no rule.")));
        }
        all.push((values, item.clone()));
    }
    if all.iter().any(|(values, _)| values[1..].iter().any(|value| !value.is_empty())) {
        let in_base: Vec<Vec<String>> = under.iter().map(identity).collect::<Step<_>>()?;
        all.retain(|(values, _)| !in_base.contains(values));
        all.extend(in_base.into_iter().zip(under.iter().cloned()));
    }
    let mut seen: Vec<Vec<String>> = Vec::new();
    let mut merged = Vec::new();
    for (values, _) in &all {
        if seen.contains(values) {
            continue;
        }
        seen.push(values.clone());
        let find = |list: &[Node]| list.iter().find(|item| identity(item).is_ok_and(|other| other == *values)).cloned();
        let item = walk(find(under), find(over), known.map(Field::Known))?;
        merged.extend(item.filter(|item| !is_empty_map(item)));
    }
    Ok(merged)
}

//! Whom a patch means: patterns that must match a whole value, and label selectors.

use regex_lite::Regex;

use super::kustomization::Target;
use super::resource::Resource;
use super::{Step, invalid};
use crate::source::Spanned;
use crate::yaml::Node;

/// The objects that a target means, by their position.
pub fn select(resources: &[Resource], target: &Target) -> Step<Vec<usize>> {
    let group = pattern(target.group.as_ref())?;
    let version = pattern(target.version.as_ref())?;
    let kind = pattern(target.kind.as_ref())?;
    let name = pattern(target.name.as_ref())?;
    let namespace = pattern(target.namespace.as_ref())?;
    let labels = selector(target.label_selector.as_ref())?;
    let annotations = selector(target.annotation_selector.as_ref())?;
    let fits = |pattern: &Option<Regex>, text: &str| pattern.as_ref().is_none_or(|pattern| pattern.is_match(text));
    let chosen = resources.iter().enumerate().filter(|(_, resource)| {
        let (now, at_first) = (resource.id(), resource.original_id());
        (fits(&namespace, &at_first.namespace) || fits(&namespace, &now.namespace))
            && (fits(&name, &at_first.name) || fits(&name, &now.name))
            && fits(&group, resource.group())
            && fits(&version, resource.version())
            && fits(&kind, resource.kind())
            && labels.iter().all(|wanted| wanted.holds(resource, "labels"))
            && annotations.iter().all(|wanted| wanted.holds(resource, "annotations"))
    });
    Ok(chosen.map(|(at, _)| at).collect())
}

fn pattern(stated: Option<&Spanned<String>>) -> Step<Option<Regex>> {
    let Some(stated) = stated.filter(|stated| !stated.is_empty()) else { return Ok(None) };
    let compiled = Regex::new(&format!("^(?:{})$", stated.value));
    compiled.map(Some).map_err(|error| invalid(stated.span, format!("`{}` is no pattern: {error}", stated.value)))
}

enum Requirement {
    Is(String, Vec<String>),
    IsNot(String, Vec<String>),
    There(String),
    NotThere(String),
}

impl Requirement {
    fn holds(&self, resource: &Resource, map: &str) -> bool {
        let value = |key: &str| super::edit::at(&resource.node, &["metadata", map, key]).and_then(Node::text);
        match self {
            Self::Is(key, values) => value(key).is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            Self::IsNot(key, values) => value(key).is_none_or(|value| values.iter().all(|other| other != value)),
            Self::There(key) => value(key).is_some(),
            Self::NotThere(key) => value(key).is_none(),
        }
    }
}

/// `a=b, c!=d, e in (f, g), h notin (i), j, !k`.
fn selector(stated: Option<&Spanned<String>>) -> Step<Vec<Requirement>> {
    let Some(stated) = stated else { return Ok(Vec::new()) };
    let mut parts = vec![String::new()];
    let mut within = false;
    for c in stated.chars() {
        match c {
            '(' => within = true,
            ')' => within = false,
            ',' if !within => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    if parts.iter().all(|part| part.trim().is_empty()) {
        return Ok(Vec::new());
    }
    let requirement = |part: &String| {
        parse(part.trim()).ok_or_else(|| invalid(stated.span, format!("`{}` is no label selector at `{}`", stated.value, part.trim())))
    };
    parts.iter().map(requirement).collect()
}

fn parse(part: &str) -> Option<Requirement> {
    let key = |text: &str| {
        let text = text.trim();
        let fits = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        fits.then(|| text.to_owned())
    };
    let value = |text: &str| {
        let text = text.trim();
        text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)).then(|| text.to_owned())
    };
    let set = |text: &str| {
        let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
        inner.split(',').map(value).collect::<Option<Vec<_>>>()
    };
    if let Some(rest) = part.strip_prefix('!') {
        return Some(Requirement::NotThere(key(rest)?));
    }
    if let Some((left, right)) = part.split_once("!=") {
        return Some(Requirement::IsNot(key(left)?, vec![value(right)?]));
    }
    if let Some((left, right)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(Requirement::Is(key(left)?, vec![value(right)?]));
    }
    if let Some((left, right)) = part.split_once(" notin ") {
        return Some(Requirement::IsNot(key(left)?, set(right)?));
    }
    if let Some((left, right)) = part.split_once(" in ") {
        return Some(Requirement::Is(key(left)?, set(right)?));
    }
    Some(Requirement::There(key(part)?))
}

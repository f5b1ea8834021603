//! A template that failed: what is wrong, and where in which file of a blueprint.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;

use crate::catalog::{Rule, Template};
use crate::diag::{Code, Diag, did_you_mean};
use crate::source::Span;

use super::limits;
use super::view::View;

/// Why a template failed for one view, or at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// [`Code::TemplateError`] or [`Code::TemplateLimit`].
    pub code: Code,
    /// Where in the template, or in the template that it includes.
    pub span: Span,
    /// What is wrong. Names of the view may stand in it, never its values.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// A second place that it contradicts.
    pub related: Option<(Span, String)>,
}

impl Failure {
    /// The finding; the caller adds the place of the inventory that led there.
    pub fn into_diag(self) -> Diag {
        let diag = Diag::new(self.code, self.span, self.message).maybe_help(self.help);
        match self.related {
            Some((span, text)) => diag.related(span, text),
            None => diag,
        }
    }
}

/// The help where an included template does not exist.
pub(super) const NO_INCLUDE: &str =
    "A template includes what is beside it in its folder, `_part.yaml.j2`, or what all share, `shared/_part.yaml.j2`; of its own language.";

/// The help where a function does not exist.
pub(super) const NO_FUNCTION: &str =
    "A template sees its view and nothing else: no files, no clock, no environment, no network, no chance.";

/// What an engine says: the range is in the text that it knows under that name.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) limit: bool,
    /// It is a limit of the clock: another try would take as long.
    pub(super) late: bool,
    pub(super) name: String,
    pub(super) range: Option<Range<usize>>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Fault {
    /// What is wrong with a text as a whole.
    pub(super) fn new(name: &str, message: &str) -> Self {
        Self { limit: false, late: false, name: name.to_owned(), range: None, message: message.to_owned(), help: None }
    }

    /// The template did not end in time.
    pub(super) fn endless(name: &str) -> Self {
        let message = format!("the template did not end within {} s", limits::TIME.as_secs());
        Self { late: true, ..Self::limit(name, &message) }
    }

    /// The engine panicked.
    pub(super) fn broken(name: &str) -> Self {
        let help = "Something in it is more than the engine can bear, as `loop.cycle()` without values is: leave tags out until it passes, and write \
                    the one that did it in another way.";
        Self { help: Some(help.to_owned()), ..Self::new(name, "the engine failed while it worked on this template") }
    }

    /// A limit that a text as a whole is beyond.
    pub(super) fn limit(name: &str, message: &str) -> Self {
        Self { limit: true, help: Some(limits::HELP.to_owned()), ..Self::new(name, message) }
    }

    /// The output is larger than one may be.
    pub(super) fn too_much() -> Self {
        let message = format!("the template writes more than {} MiB", limits::OUTPUT_BYTES >> 20);
        Self::limit("", &message)
    }
}

/// Where the text of one name of an engine stands.
struct Place {
    /// All of it.
    whole: Span,
    /// Where in the file the engine's first byte stands; none where the two differ by more than that.
    base: Option<i64>,
}

/// Where the texts of an engine stand, by the names that it knows them under.
#[derive(Default)]
pub(super) struct Places(HashMap<String, Place>);

impl Places {
    pub(super) fn add_template(&mut self, template: &Template) {
        let end = u32::try_from(template.text.len()).unwrap_or(u32::MAX);
        let whole = Span { file: template.file, start: 0, end };
        self.0.insert(template.path.clone(), Place { whole, base: Some(0) });
    }

    /// `before` is how many bytes the engine's text has before the rule's own.
    pub(super) fn add_rule(&mut self, rule: &Rule, before: usize) {
        let base = rule.offset.map(|at| i64::from(at) - i64::try_from(before).unwrap_or(0));
        self.0.insert(rule.name.clone(), Place { whole: rule.span, base });
    }

    /// The span of a range of bytes in a text; the first name known wins.
    pub(super) fn span(&self, name: &str, range: Option<Range<usize>>) -> Option<Span> {
        let place = self.0.get(name)?;
        let (Some(base), Some(range)) = (place.base, range) else { return Some(shortened(place.whole)) };
        let at = |byte: usize| u32::try_from(base + i64::try_from(byte).unwrap_or(0)).unwrap_or(0);
        let start = at(range.start).clamp(place.whole.start, place.whole.end);
        Some(Span { start, end: at(range.end).clamp(start, place.whole.end), ..place.whole })
    }
}

/// A whole template is no place to point at; its beginning is.
fn shortened(whole: Span) -> Span {
    if whole.start == 0 { Span { end: 0, ..whole } } else { whole }
}

/// What to do about a name that is not there: `workload.nmae`. Nothing can be said of an index, or of a field of a template's own variable.
pub(super) fn undefined_help(path: &str, view: &View) -> Option<String> {
    let mut names = path.split('.');
    let first = names.next().filter(|_| path.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.')))?;
    let Some(value) = view.get(first) else {
        if names.next().is_some() {
            return None;
        }
        let known: Vec<&str> = view.iter().map(|(name, _)| name).collect();
        return did_you_mean(first, known.iter().copied())
            .or_else(|| (!known.is_empty()).then(|| format!("Here are: {}.", known.join(", "))));
    };
    let mut value = value.json();
    let mut so_far = first.to_owned();
    for name in names {
        let Value::Object(entries) = value else { return Some(format!("`{so_far}` is {}.", shape(value))) };
        let Some(next) = entries.get(name) else {
            let known = entries.keys().map(String::as_str);
            return did_you_mean(name, known.clone())
                .or_else(|| Some(format!("`{so_far}` has: {}.", known.collect::<Vec<_>>().join(", "))));
        };
        value = next;
        so_far = format!("{so_far}.{name}");
    }
    None
}

fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

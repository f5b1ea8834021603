//! Findings are data: a stable code, a place, a second place where the contradicting thing stands, and what to do next.
//! Renderers turn them into text for people and machines; nothing here prints.

mod code;
mod findings;
mod quote;
pub mod render;
mod sink;

pub use code::Code;
pub use findings::Findings;
pub use sink::Sink;

use crate::source::Span;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is written until it is mended.
    Error,
    /// Work goes on; `--deny-warnings` makes it count.
    Warning,
    /// For information.
    Note,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A place and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What, without a full stop; may be empty.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Diag {
    /// Which finding it is; `ringfence explain CODE` tells more.
    pub code: Code,
    /// The code's own severity unless changed by a flag.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where it was written.
    pub primary: Label,
    /// Where the contradicting things were written, in any file.
    pub related: Vec<Label>,
    /// What to do next, whole sentences.
    pub help: Vec<String>,
    /// How many findings it is: one, or as many as were not kept one by one.
    pub stands_for: usize,
}

impl Diag {
    /// A finding at a place, with the severity its code has.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        let primary = Label { span, text: String::new() };
        let message = quote::cut(message.into());
        Self { code, severity: code.severity(), message, primary, related: Vec::new(), help: Vec::new(), stands_for: 1 }
    }

    /// What is to be said of the primary place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = quote::cut(text.into());
        self
    }

    /// A second place.
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label { span, text: quote::cut(text.into()) });
        self
    }

    /// A next step.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(quote::cut_help(text.into()));
        self
    }

    /// A next step where there is one.
    pub fn maybe_help(self, text: Option<String>) -> Self {
        match text {
            Some(text) => self.help(text),
            None => self,
        }
    }
}

/// A kind of object with its article: `an Ingress`, `a Service`.
pub fn a(kind: &str) -> String {
    let vowel = kind.starts_with(['A', 'E', 'I', 'O']) || kind.starts_with("HTTP");
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

/// "Did you mean `x`?" where one of the known words is near.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|near| format!("Did you mean `{near}`?"))
}

/// The nearest of the known words, where one is near enough to be meant; the first of equals.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = (length / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    // No edit of so few characters bridges a greater difference in length.
    for candidate in known.into_iter().filter(|candidate| candidate.chars().count().abs_diff(length) <= limit) {
        let distance = if candidate.eq_ignore_ascii_case(word) { 0 } else { strsim::osa_distance(word, candidate) };
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, near)| near)
}

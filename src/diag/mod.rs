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
    /// The keys of an inventory file of which all has to have been read for it to hold.
    pub rests_on: &'static [&'static str],
}

impl Diag {
    /// A finding at a place, with the severity its code has.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        let primary = Label { span, text: String::new() };
        let message = quote::cut(message.into());
        Self { code, severity: code.severity(), message, primary, related: Vec::new(), help: Vec::new(), stands_for: 1, rests_on: &[] }
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

    /// It says that something is not there, or follows from that: it holds only where all of these lists of the inventory could be read. Where a file
    /// or one of its lists could not, that is the finding, and this one is none (see [`Findings::hold_back`]).
    pub fn rests_on(mut self, keys: &'static [&'static str]) -> Self {
        self.rests_on = keys;
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

/// The one of the known words that is meant, where one is near enough. Near is a word of the same letters in another spelling (`readOnlyRoot`,
/// `READ_ONLY_ROOT`), then one that a few edits lead to, the first of equals, then the only one that begins so (`read-only`).
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    letters(word).next()?;
    let length = word.chars().count();
    let limit = (length / 3).clamp(1, 3);
    let mut best: Option<(usize, &str)> = None;
    let mut beginning = Vec::new();
    for candidate in known {
        // No edit of so few characters bridges a greater difference in length.
        let distance = if same_letters(word, candidate) {
            Some(0)
        } else if candidate.chars().count().abs_diff(length) <= limit {
            Some(strsim::osa_distance(word, candidate)).filter(|distance| *distance <= limit)
        } else {
            None
        };
        if let Some(distance) = distance.filter(|distance| best.is_none_or(|(least, _)| distance < &least)) {
            best = Some((distance, candidate));
        }
        if best.is_none() && begins_with(candidate, word) && !beginning.contains(&candidate) {
            beginning.push(candidate);
        }
    }
    let only = if let [only] = beginning[..] { Some(only) } else { None };
    best.map(|(_, near)| near).or(only)
}

/// The letters and digits of a word, whichever case it is in and whatever stands between its parts.
fn letters(word: &str) -> impl Iterator<Item = char> {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

fn same_letters(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

/// Whether a word is more than a few letters, and another one begins with them.
fn begins_with(longer: &str, word: &str) -> bool {
    const FEW: usize = 3;
    let mut longer = letters(longer);
    letters(word).count() > FEW && letters(word).all(|c| longer.next() == Some(c))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const CONTROLS: [&str; 5] = ["image-digest", "image-registry", "pod-security", "pod-security-labels", "read-only-root-filesystem"];

    #[test]
    fn another_spelling_of_the_same_letters_is_meant() {
        for word in ["readOnlyRootFilesystem", "READ_ONLY_ROOT_FILESYSTEM", "read only root filesystem"] {
            assert_eq!(nearest(word, CONTROLS), Some("read-only-root-filesystem"), "{word}");
        }
        assert_eq!(nearest("podSecurity", CONTROLS), Some("pod-security"));
        // Nothing but marks is no word.
        assert_eq!(nearest("--", ["/", "-a-", "..."]), None);
    }

    #[test]
    fn few_edits_are_a_slip() {
        assert_eq!(nearest("image-digets", CONTROLS), Some("image-digest"));
        assert_eq!(nearest("digest", CONTROLS), None);
        // The nearest one, and the first of equals.
        assert_eq!(nearest("labls", ["labels", "lables"]), Some("labels"));
        assert_eq!(nearest("car", ["cat", "bar"]), Some("cat"));
    }

    #[test]
    fn the_beginning_of_one_word_alone_is_meant() {
        assert_eq!(nearest("read-only-root", CONTROLS), Some("read-only-root-filesystem"));
        assert_eq!(nearest("readOnly", CONTROLS), Some("read-only-root-filesystem"));
        // Of several none; of too few letters none; a word that is near comes before one that begins so.
        assert_eq!(nearest("image", CONTROLS), None);
        assert_eq!(nearest("rea", CONTROLS), None);
        assert_eq!(nearest("names", ["namespace", "name"]), Some("name"));
        // The same word twice is one word.
        assert_eq!(nearest("conn", ["connects", "connects"]), Some("connects"));
    }
}

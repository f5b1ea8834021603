//! What is looked for in a template before it ever runs: ways around the escaping, filters that do not exist, and values where their
//! escaping would not hold.

use std::ops::Range;

use crate::catalog::{Language, Output, Template};
use crate::diag::did_you_mean;

use super::failure::Fault;
use super::jinja;
use super::limits;
use super::place;
use super::scan::{Part, Piece, Token, pieces};

pub(super) const NOT_SAFE: &str = "`safe` and `escape` do not exist: every value is escaped for what it stands in";

/// Everything that is wrong with a template by its looks. One that is not closed somewhere is left to its engine.
pub(super) fn check(template: &Template) -> Vec<Fault> {
    let text: &str = &template.text;
    let Some(pieces) = pieces(text, template.language) else { return Vec::new() };
    let mut faults = Vec::new();
    let mut fault = |range: Range<usize>, message: String, help: Option<String>| {
        faults.push(Fault { range: Some(range), help, ..Fault::new(&template.path, &message) });
    };
    for piece in &pieces {
        if piece.part == Part::Tag && piece.word(text, 0) == Some("autoescape") {
            fault(piece.tokens[0].range(), jinja::ESCAPE_HATCH.to_owned(), None);
        }
        for token in &piece.tokens {
            if let Token::Word(range) = token
                && text[range.clone()].starts_with("__")
            {
                let name = &text[range.clone()];
                fault(range.clone(), format!("`{name}`: names that begin with two underscores are the engine's own"), None);
            }
        }
        for range in filters(piece, text) {
            let name = &text[range.clone()];
            if matches!(name, "safe" | "escape" | "e") {
                fault(range, NOT_SAFE.to_owned(), None);
            } else if name == "code" && !(template.output == Output::Markdown && is_last(piece, &range)) {
                let help = "Write it last, in a value within a code span or block: `{{ name | code }}`.".to_owned();
                fault(range, "`code` is for values within code of Markdown".to_owned(), Some(help));
            } else if template.language == Language::Jinja && !jinja::FILTERS.contains(&name) {
                let help = did_you_mean(name, jinja::FILTERS.iter().copied());
                fault(range, format!("unknown filter `{name}`"), help);
            }
        }
    }
    let mut sets = pieces.iter().filter(|piece| piece.part == Part::Tag && piece.word(text, 0).is_some_and(|word| word.starts_with("set")));
    if let Some(piece) = sets.nth(limits::SETS) {
        fault(piece.outer.clone(), format!("a template sets {} variables at most", limits::SETS), None);
    }
    for misplaced in place::misplaced(text, &pieces, template.output) {
        fault(misplaced.range, misplaced.message.to_owned(), Some(misplaced.help.to_owned()));
    }
    faults
}

/// Whether a filter is the last that a printed value goes through.
pub(super) fn is_last(piece: &Piece, filter: &Range<usize>) -> bool {
    piece.part == Part::Value && piece.tokens.last().is_some_and(|token| token.range() == *filter)
}

/// The names of filters in a piece.
fn filters(piece: &Piece, text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for pair in piece.tokens.windows(2) {
        if let (before, Token::Word(range)) = (&pair[0], &pair[1])
            && before.is_sign(b'|')
        {
            found.push(range.clone());
        }
    }
    if piece.part == Part::Tag && piece.word(text, 0) == Some("filter") && piece.word(text, 1).is_some() {
        found.push(piece.tokens[1].range());
    }
    found
}

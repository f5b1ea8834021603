//! What is looked for in a template before it ever runs: ways around the escaping, filters that do not exist, and values where their
//! escaping would not hold.

use std::ops::Range;

use crate::catalog::{Language, Output, Template};
use crate::diag::did_you_mean;

use super::bounds;
use super::failure::Fault;
use super::jinja;
use super::limits;
use super::place;
use super::scan::{Part, Piece, Scanned, Token, scan};

pub(super) const NOT_SAFE: &str = "`safe` and `escape` do not exist: every value is escaped for what it stands in";

/// Everything that is wrong with a template by its looks. One that is not closed somewhere is left to its engine; where a fault is a limit, it
/// may not come before one at all.
pub(super) fn check(template: &Template) -> Vec<Fault> {
    let text: &str = &template.text;
    let Scanned { pieces, closed } = scan(text, template.language);
    if let Some(fault) = bounds::exceeded(&template.path, text, &pieces) {
        return vec![fault];
    }
    if !closed {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let mut fault = |range: Range<usize>, message: String, help: Option<String>| {
        faults.push(Fault { range: Some(range), help, ..Fault::new(&template.path, &message) });
    };
    if template.output == Output::Text && text.starts_with("#!") {
        let help = "End the names of the template and of `path` with `.sh` for a shell: values are then quoted words. A program in another language reads them \
                    from a file of its own, such as `*.json`.";
        fault(
            0..2,
            "values would become part of a program: the name does not say that it is one of a shell".to_owned(),
            Some(help.to_owned()),
        );
    }
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
                fault(range, NOT_SAFE.to_owned(), Some("Leave the filter out.".to_owned()));
            } else if name == "code" && !(template.output == Output::Markdown && is_last(piece, &range)) {
                let help = "Write it last, in a value within a code span or block: `{{ name | code }}`.".to_owned();
                fault(range, "`code` is for values within code of Markdown".to_owned(), Some(help));
            } else if template.language == Language::Jinja && !jinja::FILTERS.contains(&name) {
                let help = did_you_mean(name, jinja::FILTERS.iter().copied()).unwrap_or_else(|| all_filters(jinja::FILTERS));
                fault(range, format!("unknown filter `{name}`"), Some(help));
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

/// What an engine says of a template that it cannot read, with what to look at.
pub(super) fn explain(fault: Fault, text: &str, language: Language) -> Fault {
    if fault.help.is_some() {
        return fault;
    }
    let Scanned { pieces, closed } = scan(text, language);
    if let Some(last) = pieces.last().filter(|_| !closed) {
        return match last.part {
            Part::Comment => not_closed(fault, last, "comment", "#}"),
            Part::Value => not_closed(fault, last, "value", "}}"),
            _ if last.word(text, 0) == Some("raw") && text[last.outer.clone()].ends_with("%}") => open_block(fault, last, "raw", text),
            _ => not_closed(fault, last, "tag", "%}"),
        };
    }
    let at_end = fault.range.as_ref().is_none_or(|range| text[range.start.min(text.len())..].trim().is_empty());
    if let Some((piece, word)) = open_blocks(&pieces, text).pop().filter(|_| at_end || fault.message.contains("end of")) {
        return open_block(fault, piece, word, text);
    }
    let help = match language {
        Language::Jinja => "Templates `*.j2` are written as those of Jinja2: `{{ value }}`, `{% if a %}...{% endif %}`, `{# comment #}`.",
        Language::Tera => "Templates `*.tera` are written in Tera 2: `{{ value }}`, `{% if a %}...{% endif %}`, `{# comment #}`.",
    };
    Fault { help: Some(help.to_owned()), ..fault }
}

fn not_closed(fault: Fault, piece: &Piece, what: &str, close: &str) -> Fault {
    let help = format!("Close it with `{close}`, outside of quotes and brackets.");
    let start = piece.outer.start;
    Fault { range: Some(start..start + 2), message: format!("this {what} is not closed"), help: Some(help), ..fault }
}

fn open_block(fault: Fault, piece: &Piece, word: &str, text: &str) -> Fault {
    let end = piece.outer.start + text[piece.outer.clone()].find("%}").map_or(piece.outer.len(), |end| end + 2);
    let message = format!("this `{word}` is not closed");
    Fault { range: Some(piece.outer.start..end), message, help: Some(format!("Close it with `{{% end{word} %}}`.")), ..fault }
}

/// The tags whose end is missing, the last one innermost.
fn open_blocks<'a>(pieces: &'a [Piece], text: &'a str) -> Vec<(&'a Piece, &'a str)> {
    let mut open: Vec<(&Piece, &str)> = Vec::new();
    for piece in pieces.iter().filter(|piece| piece.part == Part::Tag) {
        let Some(word) = piece.word(text, 0) else { continue };
        if let Some(ended) = word.strip_prefix("end") {
            if open.last().is_some_and(|(_, word)| *word == ended) {
                open.pop();
            }
            continue;
        }
        if opens_block(piece, word) {
            open.push((piece, if word == "set_global" { "set" } else { word }));
        }
    }
    open
}

/// The help that names all filters.
pub(super) fn all_filters(filters: &[&str]) -> String {
    format!("There are: {}.", filters.join(", "))
}

/// Whether a tag of that first word waits for its end.
pub(super) fn opens_block(piece: &Piece, word: &str) -> bool {
    match word {
        "set" | "set_global" => !piece.tokens.iter().any(|token| token.is_sign(b'=')),
        _ => ["if", "for", "macro", "block", "filter", "call", "with", "autoescape", "component"].contains(&word),
    }
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

//! How deep a template takes an engine, by its looks. Both engines read, compile and let go an expression by calling themselves for each part
//! of it, and a branch for each one after it, on a stack that ends; so what is too long is refused before they see it.

use std::ops::Range;

use crate::catalog::{Language, Rule};

use super::failure::Fault;
use super::limits;
use super::lint;
use super::scan::{Part, Piece, Token, expression};

/// The first thing in a template's pieces that is beyond the bounds.
pub(super) fn exceeded(name: &str, text: &str, pieces: &[Piece]) -> Option<Fault> {
    let (mut branches, mut open) = (Vec::new(), 0_usize);
    for piece in pieces {
        if let Some(range) = too_long(&piece.tokens) {
            return Some(long(name, range));
        }
        let word = piece.word(text, 0).filter(|_| piece.part == Part::Tag);
        if piece.part == Part::Tag {
            match opened(piece, text) {
                Some(true) => open += 1,
                Some(false) => open = open.saturating_sub(1),
                None => {}
            }
            if open > limits::NESTING {
                let fault = Fault::limit(name, &format!("a template nests more than {} blocks", limits::NESTING));
                let help = "Put what is within into a macro, or into a template that is included.".to_owned();
                return Some(Fault { range: Some(piece.outer.clone()), help: Some(help), ..fault });
            }
        }
        match word {
            Some("if") => branches.push(0_usize),
            Some("endif") => _ = branches.pop(),
            Some("elif") => {
                if let Some(last) = branches.last_mut() {
                    *last += 1;
                }
                // A chain within a branch of another one begins where that has come to.
                if branches.iter().sum::<usize>() > limits::BRANCHES {
                    let help = "Look up what differs in a mapping: `{% set sizes = {\"S\": 1, \"L\": 5} %}{{ sizes[size] }}`.";
                    let message = format!("`if` has more than {} branches after its first", limits::BRANCHES);
                    let fault = Fault::limit(name, &message);
                    return Some(Fault { range: Some(piece.outer.clone()), help: Some(help.to_owned()), ..fault });
                }
            }
            _ => {}
        }
    }
    None
}

/// The same of a rule that is one expression. Places are counted from its first byte.
pub(super) fn exceeded_by_rule(rule: &Rule) -> Option<Fault> {
    too_long(&expression(&rule.text, Language::Jinja)).map(|_| Fault { range: None, ..long(&rule.name, 0..0) })
}

/// Whether a tag opens a block, or closes one.
fn opened(piece: &Piece, text: &str) -> Option<bool> {
    let Some(word) = piece.word(text, 0) else {
        // A component's: `{% <card> %}`, `{% </card> %}`, `{% <card /> %}`.
        let closes = piece.tokens.get(1)?.is_sign(b'/');
        let single = piece.tokens.len() > 2 && piece.tokens[piece.tokens.len() - 2].is_sign(b'/');
        return (!single).then_some(!closes);
    };
    if word.starts_with("end") {
        return Some(false);
    }
    lint::opens_block(piece, word).then_some(true)
}

fn long(name: &str, range: Range<usize>) -> Fault {
    let message = format!(
        "an expression nests more than {} brackets, or has {} words and signs without a comma",
        limits::NESTING,
        limits::EXPRESSION
    );
    let help = "Break it up with `set`, or put what it takes into a list.".to_owned();
    Fault { range: Some(range), help: Some(help), ..Fault::limit(name, &message) }
}

/// Where an expression becomes too deep: each word and sign may be a step further in, but what stands after a comma begins where its
/// bracket did.
fn too_long(tokens: &[Token]) -> Option<Range<usize>> {
    let (mut outer, mut here, mut sum) = (Vec::new(), 0_usize, 0_usize);
    for token in tokens {
        match token {
            Token::Sign(b',', _) => {
                sum -= here;
                here = 0;
                continue;
            }
            Token::Sign(b')' | b']' | b'}', _) => {
                sum -= here;
                here = outer.pop().unwrap_or(0);
                continue;
            }
            _ => {}
        }
        here += 1;
        sum += 1;
        if sum > limits::EXPRESSION {
            return Some(token.range());
        }
        if matches!(token, Token::Sign(b'(' | b'[' | b'{', _)) {
            outer.push(std::mem::take(&mut here));
            if outer.len() > limits::NESTING {
                return Some(token.range());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{exceeded, too_long};
    use crate::catalog::Language;
    use crate::render::limits;
    use crate::render::scan::{expression, pieces};

    fn fits(text: &str) -> bool {
        too_long(&expression(text, Language::Jinja)).is_none()
    }

    #[test]
    fn a_long_list_is_not_deep() {
        assert!(fits(&format!("[{}]", "a.b[0], ".repeat(5000))));
        assert!(fits(&format!("{{{}}}", "\"a\": {\"b\": [1, 2]}, ".repeat(5000))));
        assert!(fits(&format!("f({}) | join", "g(1, 2), ".repeat(5000))));
    }

    #[test]
    fn what_goes_on_without_a_comma_is_deep() {
        let many = limits::EXPRESSION + 1;
        for part in ["not ", "+1", "|upper", ".a", "[0]", "(1, 2)", "~ \"a\"", "a if b else ", "[1, ", "f("] {
            assert!(!fits(&format!("a{}", part.repeat(many))), "{part}");
        }
    }

    #[test]
    fn branches_within_branches_are_counted_together() {
        let chain = |count: usize, inner: &str| format!("{{% if a %}}{}{inner}{{% endif %}}", "{% elif b %}".repeat(count));
        let found = |text: &str| exceeded("a", text, &pieces(text, Language::Jinja).unwrap()).is_some();
        assert!(!found(&chain(limits::BRANCHES, "").repeat(3)));
        assert!(found(&chain(limits::BRANCHES + 1, "")));
        assert!(found(&chain(limits::BRANCHES / 2, &chain(limits::BRANCHES / 2 + 1, ""))));
    }
}

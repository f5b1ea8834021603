//! Where a template's tags stand: the delimiters, strings and brackets that both languages share. Enough to look at a template and to
//! put marks into it; what it means is the engine's to say.

use std::ops::Range;

use crate::catalog::Language;

/// What a piece of a template is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text that is written as it is, `raw` blocks among it.
    Text,
    /// `{# ... #}`.
    Comment,
    /// `{% ... %}`.
    Tag,
    /// `{{ ... }}`.
    Value,
}

/// A word, string or sign within a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Range<usize>),
    Str(Range<usize>),
    Sign(u8, usize),
}

impl Token {
    pub(super) fn range(&self) -> Range<usize> {
        match self {
            Self::Word(range) | Self::Str(range) => range.clone(),
            Self::Sign(_, at) => *at..*at + 1,
        }
    }

    pub(super) fn is_word(&self, text: &str, word: &str) -> bool {
        matches!(self, Self::Word(range) if &text[range.clone()] == word)
    }

    pub(super) fn is_sign(&self, sign: u8) -> bool {
        matches!(self, Self::Sign(found, _) if *found == sign)
    }
}

/// A piece of a template.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) part: Part,
    /// All of it.
    pub(super) outer: Range<usize>,
    /// What stands between the delimiters and their dashes.
    pub(super) inner: Range<usize>,
    /// What the inner text consists of, for tags and values.
    pub(super) tokens: Vec<Token>,
    /// It ends in a dash, which takes away the white space that follows.
    pub(super) trims: bool,
}

impl Piece {
    fn plain(part: Part, outer: Range<usize>) -> Self {
        Self { part, inner: outer.clone(), outer, tokens: Vec::new(), trims: false }
    }

    /// The word at a place of a tag.
    pub(super) fn word<'a>(&self, text: &'a str, at: usize) -> Option<&'a str> {
        match self.tokens.get(at) {
            Some(Token::Word(range)) => Some(&text[range.clone()]),
            _ => None,
        }
    }
}

/// A template's pieces.
pub(super) struct Scanned {
    /// In their order. The last one goes to the end where it is not closed.
    pub(super) pieces: Vec<Piece>,
    /// Whether the last one is closed.
    pub(super) closed: bool,
}

/// The pieces of a template in their order. `None` where a tag, comment or string is not closed: the engine says so, with its place.
pub(super) fn pieces(text: &str, language: Language) -> Option<Vec<Piece>> {
    let scanned = scan(text, language);
    scanned.closed.then_some(scanned.pieces)
}

/// The pieces of a template, closed or not.
pub(super) fn scan(text: &str, language: Language) -> Scanned {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(start) = find_start(text, at) {
        if start > at {
            pieces.push(Piece::plain(Part::Text, at..start));
        }
        let end = match &text[start..start + 2] {
            "{#" => {
                let end = text[start..].find("#}").map(|end| start + end + 2);
                pieces.push(Piece::plain(Part::Comment, start..end.unwrap_or(text.len())));
                end
            }
            open => {
                let part = if open == "{{" { Part::Value } else { Part::Tag };
                let (piece, closed) = piece(text, start, part, language);
                let end = piece.outer.end;
                if closed && part == Part::Tag && piece.word(text, 0) == Some("raw") && piece.tokens.len() == 1 {
                    let after = raw_end(text, end);
                    pieces.push(if after.is_some() { Piece::plain(Part::Text, start..after.unwrap_or(end)) } else { piece });
                    after
                } else {
                    pieces.push(piece);
                    closed.then_some(end)
                }
            }
        };
        match end {
            Some(end) => at = end,
            None => return Scanned { pieces, closed: false },
        }
    }
    if at < text.len() {
        pieces.push(Piece::plain(Part::Text, at..text.len()));
    }
    Scanned { pieces, closed: true }
}

/// The tokens of a text that is one expression; up to a string that is not closed.
pub(super) fn expression(text: &str, language: Language) -> Vec<Token> {
    let (mut at, mut tokens) = (0, Vec::new());
    while let Some(next) = token(text.as_bytes(), at, language, &mut tokens) {
        at = next;
    }
    tokens
}

fn find_start(text: &str, from: usize) -> Option<usize> {
    let pairs = text.as_bytes()[from..].windows(2);
    pairs.enumerate().find(|(_, pair)| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#')).map(|(at, _)| from + at)
}

/// One past the `endraw` tag that closes a raw block.
fn raw_end(text: &str, mut from: usize) -> Option<usize> {
    loop {
        let start = from + text[from..].find("{%")?;
        let rest = text[start + 2..].trim_start_matches(['-', '+']).trim_start();
        if let Some(rest) = rest.strip_prefix("endraw")
            && let Some(rest) = rest.trim_start().trim_start_matches(['-', '+']).strip_prefix("%}")
        {
            return Some(text.len() - rest.len());
        }
        from = start + 2;
    }
}

/// A tag or a value, and whether it is closed.
fn piece(text: &str, start: usize, part: Part, language: Language) -> (Piece, bool) {
    let bytes = text.as_bytes();
    let close: &[u8] = if part == Part::Value { b"}}" } else { b"%}" };
    let dash = |at: usize| bytes.get(at).is_some_and(|b| *b == b'-' || (*b == b'+' && language == Language::Jinja));
    let inside = start + 2 + usize::from(dash(start + 2));
    let (mut at, mut depth, mut tokens) = (inside, 0_i32, Vec::new());
    loop {
        // Tera ends a value at the first `}}` outside a string; MiniJinja looks for it outside brackets.
        let may_end = language == Language::Tera || depth == 0;
        let ends = |at: usize| may_end && bytes.get(at..at + 2) == Some(close);
        if ends(at) || (dash(at) && ends(at + 1)) {
            let trims = bytes[at] == b'-';
            let end = if ends(at) { at + 2 } else { at + 3 };
            return (Piece { part, outer: start..end, inner: inside..at, tokens, trims }, true);
        }
        let before = tokens.len();
        let Some(next) = token(bytes, at, language, &mut tokens) else {
            let inner = inside.min(text.len())..text.len();
            return (Piece { part, outer: start..text.len(), inner, tokens, trims: false }, false);
        };
        if let Some(Token::Sign(sign, _)) = tokens.get(before) {
            depth += i32::from(matches!(sign, b'(' | b'[' | b'{')) - i32::from(matches!(sign, b')' | b']' | b'}'));
        }
        at = next;
    }
}

/// Takes the token at a place, if one stands there, and says where to go on; `None` at the end, or where a string has none.
fn token(bytes: &[u8], at: usize, language: Language, tokens: &mut Vec<Token>) -> Option<usize> {
    match *bytes.get(at)? {
        b if b.is_ascii_whitespace() => Some(at + 1),
        quote @ (b'"' | b'\'') => string(bytes, at, quote, tokens),
        b'`' if language == Language::Tera => string(bytes, at, b'`', tokens),
        b if b.is_ascii_alphanumeric() || b == b'_' || !b.is_ascii() => {
            let length = bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_' || !b.is_ascii()).count();
            tokens.push(Token::Word(at..at + length));
            Some(at + length)
        }
        sign => {
            tokens.push(Token::Sign(sign, at));
            Some(at + 1)
        }
    }
}

fn string(bytes: &[u8], start: usize, quote: u8, tokens: &mut Vec<Token>) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' => at += 2,
            b if b == quote => {
                tokens.push(Token::Str(start..at + 1));
                return Some(at + 1);
            }
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, pieces};
    use crate::catalog::Language;

    fn parts(text: &str, language: Language) -> Vec<(Part, &str)> {
        let pieces = pieces(text, language).expect("closed");
        assert_eq!(pieces.iter().map(|piece| &text[piece.outer.clone()]).collect::<String>(), text);
        pieces.into_iter().map(|piece| (piece.part, &text[piece.inner])).collect()
    }

    #[test]
    fn strings_comments_and_raw_blocks_hide_delimiters() {
        let text = "a{{- \"}}\" ~ b -}}c{# {{ d }} #}{% raw %}{{ e }}{% endraw %}{% if f %}";
        let expected = [
            (Part::Text, "a"),
            (Part::Value, " \"}}\" ~ b "),
            (Part::Text, "c"),
            (Part::Comment, "{# {{ d }} #}"),
            (Part::Text, "{% raw %}{{ e }}{% endraw %}"),
            (Part::Tag, " if f "),
        ];
        assert_eq!(parts(text, Language::Jinja), expected);
        assert_eq!(parts(text, Language::Tera), expected);
    }

    #[test]
    fn brackets_that_close_together_end_a_value_in_tera_alone() {
        assert_eq!(parts("{{ {'a': {'b': 1}} }}", Language::Jinja), [(Part::Value, " {'a': {'b': 1}} ")]);
        assert_eq!(parts("{{ {'a': {'b': 1}} }}", Language::Tera)[0], (Part::Value, " {'a': {'b': 1"));
    }

    #[test]
    fn what_is_not_closed_is_left_to_the_engine() {
        for text in ["{{ a", "{% if a", "{# a", "{{ 'a }}", "{% raw %}{{ a }}"] {
            assert!(pieces(text, Language::Jinja).is_none(), "{text}");
        }
    }
}

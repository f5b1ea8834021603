//! Puts into a Tera template what the engine has no hook for: the escaping of every value by its type, and the meter at every place that
//! repeats. Places are mapped back, so that findings point into the author's text.

use std::borrow::Cow;
use std::ops::Range;

use crate::catalog::{Language, Output};
use crate::render::scan::{Part, Piece, Token, pieces};

/// The filter that writes a value for an output.
pub(super) fn escape_filter(output: Output) -> &'static str {
    match output {
        Output::Data => "__data",
        Output::Markdown => "__markdown",
        Output::Html => "__html",
        Output::Shell => "__shell",
        Output::Text => "__text",
    }
}

/// The filter that measures what a variable keeps.
pub(super) const HOLD: &str = "__hold";
/// The filter that refuses what is undefined.
pub(super) const KNOWN: &str = "__known";
/// The filter that counts an item of a comprehension.
pub(super) const ITEM: &str = "__item";
/// The function that counts a turn of a loop.
pub(super) const STEP: &str = "__step";
/// The function that tells where a text begins, for [`super::trace`].
pub(super) const AT: &str = "__at";
/// What `code` is called in a Markdown template; elsewhere it does not exist.
pub(super) const CODE: &str = "__code";

/// What a turn of a loop costs beside what stands in it: about as many instructions as `MiniJinja` spends on one.
const TURN: usize = 4;

/// A template as the engine gets it.
pub(super) struct Instrumented {
    /// The author's text.
    pub(super) source: Cow<'static, str>,
    /// The engine's.
    pub(super) text: String,
    /// Where something was put in, in the engine's text, and how long it is.
    inserted: Vec<Range<usize>>,
    /// Where tags and values stand in the author's text, and what of each is pointed at where something put in fails.
    tags: Vec<(Range<usize>, Range<usize>)>,
    /// Where names stand that must be defined.
    names: Vec<Range<usize>>,
    /// Each text that is written as it is, and the value after it.
    pub(super) texts: Vec<(Range<usize>, Range<usize>)>,
}

impl Instrumented {
    /// Instruments a template. One that is not closed somewhere stays as it is: it does not compile. With a number, each text says when
    /// it is written.
    pub(super) fn new(path: &str, source: Cow<'static, str>, number: Option<usize>) -> Self {
        let Some(pieces) = pieces(&source, Language::Tera) else {
            let text = source.clone().into_owned();
            return Self { source, text, inserted: Vec::new(), tags: Vec::new(), names: Vec::new(), texts: Vec::new() };
        };
        let mut marks = Marks::new(&source, Output::of(path));
        let first = pieces.iter().find(|piece| !(piece.part == Part::Text && source[piece.outer.clone()].trim().is_empty()));
        // `extends` must come first, and nothing beside it runs but the blocks that the parent calls.
        let extends = first.and_then(|piece| piece.word(&source, 0)) == Some("extends");
        if !extends {
            marks.insert(0, format!("{{{{ {STEP}(n={}) }}}}", 1 + source.len() / 64));
        }
        let mut texts = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| &pieces[before]);
            // A value that follows a tag at once begins like a text of no length.
            if piece.part == Part::Text || (piece.part == Part::Value && before.is_none_or(|before| before.part != Part::Text)) {
                if let Some(number) = number.filter(|_| !extends) {
                    let call = format!("{AT}(t={number}, n={})", texts.len());
                    let dash = if before.is_some_and(|before| before.trims) { "-" } else { "" };
                    marks.insert(piece.outer.start, format!("{{{{ {call} {dash}}}}}"));
                }
                texts.push(written(&source, &pieces, at));
            }
            match piece.part {
                Part::Text | Part::Comment => {}
                Part::Value => marks.value(piece),
                Part::Tag => marks.tag(piece),
            }
        }
        let tags = pieces.iter().filter(|piece| !piece.tokens.is_empty());
        let tags = tags.map(|piece| (piece.outer.clone(), trimmed(&source, piece.inner.clone()))).collect();
        let (text, inserted, names) = marks.apply();
        Self { source, text, inserted, tags, names, texts }
    }

    /// The place in the author's text; where it is in what was put in, all of the name, tag or value that it belongs to.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        let (start, end) = (self.before(range.start), self.before(range.end));
        if start < end {
            return start..end;
        }
        if let Some(name) = self.names.iter().find(|name| name.end == start) {
            return name.clone();
        }
        let tag = self.tags.iter().find(|(outer, _)| outer.start <= start && start <= outer.end);
        tag.map_or(start..start, |(_, inner)| inner.clone())
    }

    fn before(&self, at: usize) -> usize {
        at - self.inserted.iter().take_while(|range| range.start < at).map(|range| range.end.min(at) - range.start).sum::<usize>()
    }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let inner = &text[range.clone()];
    let start = range.start + (inner.len() - inner.trim_start().len());
    start..start + inner.trim().len()
}

/// What of a text is written, dashes considered, and where the value stands that comes next.
fn written(source: &str, pieces: &[Piece], at: usize) -> (Range<usize>, Range<usize>) {
    let Range { mut start, mut end } = pieces[at].outer;
    if pieces[at].part == Part::Value {
        return (start..start, trimmed(source, pieces[at].inner.clone()));
    }
    if at > 0 && pieces[at - 1].trims {
        start = end - source[start..end].trim_start().len();
    }
    if pieces.get(at + 1).is_some_and(|next| source.as_bytes().get(next.outer.start + 2) == Some(&b'-')) {
        end = start + source[start..end].trim_end().len();
    }
    let value = pieces[at + 1..].iter().find(|piece| piece.part == Part::Value);
    (start..end, value.map_or(end..end, |value| trimmed(source, value.inner.clone())))
}

struct Marks<'a> {
    text: &'a str,
    output: Output,
    inserts: Vec<(usize, String)>,
    names: Vec<Range<usize>>,
    /// The inserts that wait for the end of their loop, which says how much a turn writes.
    loops: Vec<(usize, Range<usize>)>,
    /// The variables whose blocks are open, and the tag that set them.
    captures: Vec<(&'a str, &'a str)>,
}

impl<'a> Marks<'a> {
    fn new(text: &'a str, output: Output) -> Self {
        Self { text, output, inserts: Vec::new(), names: Vec::new(), loops: Vec::new(), captures: Vec::new() }
    }

    fn insert(&mut self, at: usize, text: String) {
        self.inserts.push((at, text));
    }

    /// What stands after a tag and leaves its dash in force.
    fn after(piece: &Piece, call: &str, open: &str, close: &str) -> String {
        format!("{open} {call} {}{close}", if piece.trims { "-" } else { "" })
    }

    fn value(&mut self, piece: &Piece) {
        if self.is_component(piece) {
            return;
        }
        self.insert(piece.inner.start, "(".to_owned());
        self.expression(&piece.tokens);
        self.insert(piece.inner.end, format!(") | {} ", escape_filter(self.output)));
    }

    fn tag(&mut self, piece: &Piece) {
        if self.is_component(piece) {
            return;
        }
        match piece.word(self.text, 0) {
            Some("for") => {
                self.loops.push((self.inserts.len(), piece.outer.clone()));
                self.insert(piece.outer.end, Self::after(piece, &format!("{STEP}(n={TURN})"), "{{", "}}"));
                self.expression(&piece.tokens);
                // What is made here, `[[a, a]]`, is a variable's value within the loop; what is only walked was measured before.
                let made = piece.tokens.iter().any(|token| token.is_sign(b'[') || token.is_sign(b'{'));
                let list = piece.tokens.iter().find(|token| token.is_word(self.text, "in")).filter(|_| made);
                if let Some(word) = list {
                    self.insert(word.range().end, " (".to_owned());
                    self.insert(piece.inner.end, format!(") | {HOLD} "));
                }
            }
            Some("endfor") => {
                if let Some((at, tag)) = self.loops.pop() {
                    // What a turn writes costs too: a loop within a capture would grow without being seen.
                    let steps = TURN + (piece.outer.start - tag.end) / 64;
                    self.inserts[at].1 = self.inserts[at].1.replace(&format!("n={TURN})"), &format!("n={steps})"));
                }
            }
            Some(tag @ ("set" | "set_global")) => match piece.tokens.get(2) {
                Some(sign) if sign.is_sign(b'=') => {
                    self.insert(sign.range().end, "(".to_owned());
                    self.expression(&piece.tokens[3..]);
                    self.insert(piece.inner.end, format!(") | {HOLD} "));
                }
                _ => self.captures.extend(piece.word(self.text, 1).map(|name| (tag, name))),
            },
            Some("endset") => {
                if let Some((tag, name)) = self.captures.pop() {
                    self.insert(piece.outer.end, Self::after(piece, &format!("{tag} {name} = {name} | {HOLD}"), "{%", "%}"));
                }
            }
            Some("component") => self.insert(piece.outer.end, Self::after(piece, &format!("{STEP}(n={TURN})"), "{{", "}}")),
            Some("if" | "elif") => self.expression(&piece.tokens[1..]),
            _ => {}
        }
    }

    /// A component's call writes what the component does; its arguments are variables there.
    fn is_component(&mut self, piece: &Piece) -> bool {
        if !piece.tokens.first().is_some_and(|token| token.is_sign(b'<')) {
            return false;
        }
        // Whether each brace that is open belongs to an argument, `name={...}`; another one is a mapping's.
        let mut braces = Vec::new();
        for (number, token) in piece.tokens.iter().enumerate() {
            match token {
                Token::Sign(b'{', at) => {
                    braces.push(braces.is_empty() && piece.tokens[number - 1].is_sign(b'='));
                    if braces == [true] {
                        self.insert(at + 1, "(".to_owned());
                    }
                }
                Token::Sign(b'}', at) => {
                    if braces == [true] {
                        self.insert(*at, format!(") | {HOLD} "));
                    }
                    braces.pop();
                }
                _ => {}
            }
        }
        if !piece.tokens[1].is_sign(b'/') {
            self.expression(piece.tokens.get(2..).unwrap_or_default());
        }
        true
    }

    /// Comprehensions, `[E for x in L]`, and the one filter whose meaning depends on the output.
    fn expression(&mut self, tokens: &[Token]) {
        self.known(tokens);
        let mut brackets: Vec<(u8, usize)> = Vec::new();
        for (number, token) in tokens.iter().enumerate() {
            match token {
                Token::Sign(open @ (b'(' | b'[' | b'{'), at) => brackets.push((*open, *at)),
                Token::Sign(b')' | b']' | b'}', _) => {
                    brackets.pop();
                }
                Token::Word(range) if &self.text[range.clone()] == "for" => {
                    if let Some((b'[', at)) = brackets.last().copied() {
                        self.insert(at + 1, "(".to_owned());
                        self.insert(range.start, format!(") | {ITEM} "));
                    }
                }
                Token::Word(range) if number > 0 && tokens[number - 1].is_sign(b'|') && self.is_code(token) => {
                    self.insert(range.start, "__".to_owned());
                }
                _ => {}
            }
        }
    }

    fn is_code(&self, token: &Token) -> bool {
        self.output == Output::Markdown && token.is_word(self.text, "code")
    }

    /// Refuses what is undefined wherever a name is read: the engine takes it for false in a condition and for nothing in a joined text,
    /// so that a typo would go unseen. `is defined`, `default` and `?.` ask for it and get it.
    fn known(&mut self, tokens: &[Token]) {
        let word = |at: usize| match tokens.get(at) {
            Some(Token::Word(range)) => Some(&self.text[range.clone()]),
            _ => None,
        };
        let sign = |at: usize, sign: u8| tokens.get(at).is_some_and(|token| token.is_sign(sign));
        let (mut names, mut at) = (Vec::new(), 0);
        while at < tokens.len() {
            let (first, here) = (at, word(at));
            at += 1;
            let Some(name) = here else { continue };
            if name == "for" {
                // What follows are the loop's own names.
                at = (at..tokens.len()).find(|next| word(*next) == Some("in")).unwrap_or(tokens.len());
                continue;
            }
            let after = first.checked_sub(1);
            let named = after.is_some_and(|before| sign(before, b'.') || sign(before, b'|') || word(before) == Some("is"))
                || (after.is_some_and(|before| word(before) == Some("not")) && first >= 2 && word(first - 2) == Some("is"));
            if named || KEYWORDS.contains(&name) || name.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let last = chain_end(tokens, first);
            let argument = sign(last + 1, b'=') && !sign(last + 2, b'=');
            let asked = word(last + 1) == Some("is") || (sign(last + 1, b'|') && word(last + 2) == Some("default"));
            if argument || asked || [b'(', b'?', b':'].iter().any(|next| sign(last + 1, *next)) {
                continue;
            }
            names.push(tokens[first].range().start..tokens[last].range().end);
        }
        // A name alone meets the filter that prints or keeps it.
        if names.len() == 1 && tokens.len() > 1 || names.len() > 1 {
            for name in &names {
                self.inserts.push((name.start, "(".to_owned()));
                self.inserts.push((name.end, format!(" | {KNOWN})")));
            }
        }
        self.names.extend(names);
    }

    fn apply(mut self) -> (String, Vec<Range<usize>>, Vec<Range<usize>>) {
        self.inserts.sort_by_key(|(at, _)| *at);
        let (mut text, mut inserted, mut from) = (String::with_capacity(self.text.len() * 2), Vec::new(), 0);
        for (at, insert) in &self.inserts {
            text.push_str(&self.text[from..*at]);
            inserted.push(text.len()..text.len() + insert.len());
            text.push_str(insert);
            from = *at;
        }
        text.push_str(&self.text[from..]);
        (text, inserted, self.names)
    }
}

/// Words that are no names of values.
const KEYWORDS: &[&str] =
    &["and", "or", "not", "in", "is", "if", "else", "for", "true", "True", "false", "False", "none", "None", "null", "__tera_context"];

/// The last token of `name.field[index].field`.
fn chain_end(tokens: &[Token], first: usize) -> usize {
    let mut last = first;
    loop {
        match (tokens.get(last + 1), tokens.get(last + 2)) {
            (Some(Token::Sign(b'.', _)), Some(Token::Word(_))) => last += 2,
            (Some(Token::Sign(b'[', _)), _) => {
                let mut depth = 0_usize;
                let close = tokens[last + 1..].iter().position(|token| {
                    depth += usize::from(token.is_sign(b'['));
                    depth -= usize::from(token.is_sign(b']') && depth > 0);
                    depth == 0
                });
                let Some(close) = close else { return last };
                last += 1 + close;
            }
            _ => return last,
        }
    }
}

//! Where a value stands in the text around it. Escaping for an output holds at most places of it, not at all: a JSON string within quotes,
//! a quoted word within double quotes, a text within a script would be something else. Such a place is refused before anything runs (I7).

use std::ops::Range;

use crate::catalog::Output;

use super::lint::is_last;
use super::scan::{Part, Piece, Token};

/// A value where its escaping would not hold.
pub(super) struct Misplaced {
    pub(super) range: Range<usize>,
    pub(super) message: &'static str,
    pub(super) help: &'static str,
}

/// Why a place is refused: the message and the help.
type Refusal = (&'static str, &'static str);

const JOINED: Refusal =
    ("a value is a whole scalar: it cannot be joined with the text beside it", "Join within the braces: `{{ \"a-\" ~ name }}`.");
const QUOTED: Refusal =
    ("a value is a whole scalar and brings its own quotes", "Leave the quotes out, or join within them: `{{ \"a-\" ~ name }}`.");
const BLOCK: Refusal = (
    "a value within a block scalar would bring its quotes into the text",
    "Make the whole text one value, `{{ a ~ \"\\n\" ~ b }}`; it is written as a block where it has several lines.",
);
const CODE: Refusal = ("within code a backslash escapes nothing", "Write `{{ name | code }}`, which refuses what would end the code.");
const NO_CODE: Refusal = ("`code` is for values within code of Markdown", "Put backticks around it, or leave `| code` out.");
const SCRIPT: Refusal = ("a value cannot stand within a script, a style or a comment", "Put it into the text, or into a quoted attribute.");
const ATTRIBUTE: Refusal = ("a value within a tag stands in a quoted attribute", "Write `name=\"{{ value }}\"`.");
const ADDRESS: Refusal =
    ("a value cannot choose the scheme of an address, or be code", "Write the beginning of the address in the template.");
const SHELL: Refusal = (
    "a value is a whole word and brings its own quotes; within quotes, a comment or a here-document it would not be one",
    "Put it into a variable first, `name={{ value }}`, and use `\"$name\"`.",
);

/// A reader of the text around values: what it is fed decides whether a value may come next.
trait Context {
    fn feed(&mut self, text: &str);
    /// `next` is the text that follows at once, `None` where a tag or the end does.
    fn value(&mut self, piece: &Piece, text: &str, next: Option<char>) -> Option<Refusal>;
}

/// Every value of a template that stands where it cannot.
pub(super) fn misplaced(text: &str, pieces: &[Piece], output: Output) -> Vec<Misplaced> {
    let mut context: Box<dyn Context> = match output {
        Output::Data => Box::new(Data::default()),
        Output::Markdown => Box::new(Markdown::default()),
        Output::Html => Box::new(Html::default()),
        Output::Shell => Box::new(Shell::default()),
        Output::Text => return Vec::new(),
    };
    let mut found = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        match piece.part {
            Part::Text => context.feed(&text[piece.outer.clone()]),
            Part::Value => {
                let next =
                    pieces.get(at + 1).filter(|next| next.part == Part::Text).and_then(|next| text[next.outer.clone()].chars().next());
                if let Some((message, help)) = context.value(piece, text, next) {
                    found.push(Misplaced { range: piece.outer.clone(), message, help });
                }
            }
            Part::Tag | Part::Comment => {}
        }
    }
    found
}

/// What stands for a value in the text that is read on.
const VALUE: char = '\u{fffc}';

/// YAML and JSON, line by line.
#[derive(Default)]
struct Data {
    line: String,
    /// The quote that is open since an earlier line.
    quote: Option<char>,
    /// The indentation of the line whose block scalar is open.
    block: Option<usize>,
}

impl Data {
    /// The quote that is open at the end of the line so far, and whether a comment is.
    fn state(&self) -> (Option<char>, bool) {
        let (mut quote, mut before, mut chars) = (self.quote, ' ', self.line.chars().peekable());
        while let Some(c) = chars.next() {
            match quote {
                Some('"') if c == '\\' => drop(chars.next()),
                Some('\'') if c == '\'' && chars.peek() == Some(&'\'') => drop(chars.next()),
                Some(open) if c == open => quote = None,
                None if c == '#' && before.is_whitespace() => return (None, true),
                None if matches!(c, '"' | '\'') && (before.is_whitespace() || matches!(before, '[' | '{' | ',' | ':')) => quote = Some(c),
                Some(_) | None => {}
            }
            before = c;
        }
        (quote, false)
    }

    fn in_block(&self) -> bool {
        self.block.is_some_and(|parent| indentation(&self.line) > parent)
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if let Some(parent) = self.block {
            if line.trim().is_empty() || indentation(&line) > parent {
                return;
            }
            self.block = None;
        }
        self.line = line;
        let (quote, comment) = self.state();
        self.quote = quote;
        if quote.is_none() && !comment && opens_block(&self.line) {
            self.block = Some(key_indentation(&self.line));
        }
        self.line.clear();
    }
}

impl Context for Data {
    fn feed(&mut self, text: &str) {
        for c in text.chars() {
            if c == '\n' { self.end_line() } else { self.line.push(c) }
        }
    }

    fn value(&mut self, piece: &Piece, _: &str, next: Option<char>) -> Option<Refusal> {
        let (quote, comment) = self.state();
        let layout = is_layout(piece);
        let before = self.line.chars().next_back();
        let starts = match before {
            None | Some('[' | '{' | ',' | '(') => true,
            Some(':') => self.line.ends_with("\":"),
            Some(c) => c.is_whitespace(),
        };
        let ends = next.is_none_or(|c| c.is_whitespace() || matches!(c, ',' | ']' | '}' | ':'));
        let refusal = if comment {
            None
        } else if self.in_block() {
            Some(BLOCK)
        } else if quote.is_some() {
            Some(QUOTED)
        } else {
            (!(layout || starts && ends)).then_some(JOINED)
        };
        self.line.push(if layout { ' ' } else { VALUE });
        refusal
    }
}

/// Whether what is printed is not a value but what a macro, a component or a block has laid out: text with its own values in it.
fn is_layout(piece: &Piece) -> bool {
    match &piece.tokens[..] {
        [component, ..] if component.is_sign(b'<') => true,
        [Token::Word(_), open, .., close] => open.is_sign(b'(') && close.is_sign(b')'),
        _ => false,
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Where the key of a line begins, after the dashes of the lists whose first key it is: `- key: |` has its text further in than `key`. Without a
/// key, the last dash.
fn key_indentation(line: &str) -> usize {
    let mut at = indentation(line);
    while line[at..].starts_with("- ") {
        let next = at + 1 + indentation(&line[at + 1..]);
        if matches!(line[next..].chars().next(), None | Some('|' | '>')) {
            break;
        }
        at = next;
    }
    at
}

/// Whether a line ends in the sign of a block scalar: `key: |`, `- >-`.
fn opens_block(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or(line).trim_end();
    let sign = line.trim_end_matches(|c: char| matches!(c, '+' | '-') || c.is_ascii_digit());
    let Some(before) = sign.strip_suffix(['|', '>']) else { return false };
    let before = before.trim_end_matches(' ');
    before.is_empty() || before.ends_with(':') || before.ends_with('-')
}

/// Markdown, line by line.
#[derive(Default)]
struct Markdown {
    line: String,
    fenced: bool,
}

impl Context for Markdown {
    fn feed(&mut self, text: &str) {
        for c in text.chars() {
            if c == '\n' {
                let start = self.line.trim_start();
                self.fenced ^= start.starts_with("```") || start.starts_with("~~~");
                self.line.clear();
            } else {
                self.line.push(c);
            }
        }
    }

    fn value(&mut self, piece: &Piece, text: &str, _: Option<char>) -> Option<Refusal> {
        let filtered = piece.tokens.last().is_some_and(|last| match last {
            Token::Word(range) => &text[range.clone()] == "code" && piece.tokens.len() > 1 && is_last(piece, range),
            _ => false,
        });
        let code = self.fenced || self.line.matches('`').count() % 2 == 1;
        self.line.push(VALUE);
        match (code, filtered) {
            (true, false) => Some(CODE),
            (false, true) => Some(NO_CODE),
            _ => None,
        }
    }
}

/// HTML, tag by tag.
#[derive(Default)]
struct Html {
    /// The tag that is open, from its name on.
    tag: Option<String>,
    quote: Option<char>,
    /// Within `script` or `style`.
    raw: bool,
}

impl Context for Html {
    fn feed(&mut self, text: &str) {
        for c in text.chars() {
            let Some(tag) = &mut self.tag else {
                if c == '<' {
                    self.tag = Some(String::new());
                }
                continue;
            };
            match (self.quote, c) {
                (Some(open), _) if c == open => self.quote = None,
                (None, '"' | '\'') => self.quote = Some(c),
                (None, '>') => {
                    let name: String = tag.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '/').collect();
                    match name.to_ascii_lowercase().as_str() {
                        "script" | "style" => self.raw = true,
                        "/script" | "/style" => self.raw = false,
                        _ => {}
                    }
                    self.tag = None;
                    continue;
                }
                _ => {}
            }
            tag.push(c);
        }
    }

    fn value(&mut self, _: &Piece, _: &str, _: Option<char>) -> Option<Refusal> {
        let Some(tag) = &mut self.tag else { return self.raw.then_some(SCRIPT) };
        let refusal = match self.quote {
            _ if self.raw || tag.starts_with("!--") => Some(SCRIPT),
            None => Some(ATTRIBUTE),
            Some(quote) => {
                let (before, inside) = tag.rsplit_once(quote).unwrap_or(("", tag));
                let name = before.trim_end_matches(['=', ' ']).rsplit([' ', '\n', '\t']).next().unwrap_or_default().to_ascii_lowercase();
                let address = ["href", "src", "action", "formaction", "xlink:href"].contains(&name.as_str());
                (name.starts_with("on") || name == "style" || (address && inside.is_empty())).then_some(ADDRESS)
            }
        };
        tag.push(VALUE);
        refusal
    }
}

/// A POSIX shell script.
#[derive(Default)]
struct Shell {
    quote: Option<char>,
    comment: bool,
    escaped: bool,
    before: Option<char>,
    line: String,
    /// The word that ends the here-document.
    here: Option<String>,
}

impl Shell {
    /// The word after `<<` on a line, without its quotes.
    fn here_word(line: &str) -> Option<String> {
        let line = line.replace("<<<", "");
        let (_, rest) = line.split_once("<<")?;
        let word = rest.trim_start_matches('-').trim_start();
        let end = word.find(|c: char| c.is_whitespace() || matches!(c, ';' | '|' | '&' | '>' | '<')).unwrap_or(word.len());
        Some(word[..end].replace(['\'', '"', '\\'], ""))
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        match &self.here {
            Some(word) if line.trim_start_matches('\t') == word => self.here = None,
            None if self.quote.is_none() => self.here = Self::here_word(&line),
            _ => {}
        }
        self.comment = false;
        self.before = None;
    }
}

impl Context for Shell {
    fn feed(&mut self, text: &str) {
        for c in text.chars() {
            if c == '\n' {
                self.end_line();
                self.escaped = false;
                continue;
            }
            if self.here.is_none() && !self.comment && !std::mem::take(&mut self.escaped) {
                match (self.quote, c) {
                    (None | Some('"'), '\\') => self.escaped = true,
                    (Some(open), _) if c == open => self.quote = None,
                    (None, '"' | '\'') => self.quote = Some(c),
                    (None, '#') => {
                        self.comment = self.before.is_none_or(|before| before.is_whitespace() || matches!(before, ';' | '(' | '&' | '|'));
                    }
                    _ => {}
                }
            }
            self.before = Some(c);
            if !self.comment {
                self.line.push(c);
            }
        }
    }

    fn value(&mut self, _: &Piece, _: &str, _: Option<char>) -> Option<Refusal> {
        self.before = Some(VALUE);
        self.line.push(VALUE);
        (self.quote.is_some() || self.comment || self.here.is_some() || self.escaped).then_some(SHELL)
    }
}

#[cfg(test)]
mod tests {
    use super::misplaced;
    use crate::catalog::{Language, Output};
    use crate::render::scan::pieces;

    /// The values that are refused.
    fn refused(output: Output, text: &str) -> Vec<&str> {
        let pieces = pieces(text, Language::Jinja).expect("closed");
        misplaced(text, &pieces, output).into_iter().map(|found| &text[found.range]).collect()
    }

    #[test]
    fn a_value_of_yaml_is_a_whole_scalar() {
        let good = "a: {{ a }}\n{{ b }}: {{ b }}\n- {{ c }}\nd: [{{ d }}, {{ d }}]\ne: {\"f\": {{ f }}}\n# {{ g }}\nh: {% if h %}{{ h }}{% endif %}\n{{ i(1) }}{{ j() }}";
        assert_eq!(refused(Output::Data, good), Vec::<&str>::new());
        let bad = "a: x-{{ a }}\nb: '{{ b }}'\nc: \"x {{ c }}\"\nd: {{ d }}-x\ne: {{ e }}{{ f }}\ng: {% if g %}'{% endif %}{{ g }}\n";
        assert_eq!(refused(Output::Data, bad), ["{{ a }}", "{{ b }}", "{{ c }}", "{{ d }}", "{{ f }}", "{{ g }}"]);
    }

    #[test]
    fn a_value_within_a_block_scalar_or_an_open_quote_is_refused_on_any_line_of_it() {
        let text =
            "a: |\n  x\n\n  {{ a }}\nb: {{ b }}\nc:\n  - >-\n    {{ c }}\n  - {{ d }}\ne: \"x\n  {{ e }}\"\nf: don't {{ f }}\ng: {{ g }}\n";
        assert_eq!(refused(Output::Data, text), ["{{ a }}", "{{ c }}", "{{ e }}"]);
    }

    #[test]
    fn the_text_of_an_items_first_key_is_further_in_than_the_key() {
        let text = "a:\n- b: |-\n    x\n    {{ a }}\n  c: {{ c }}\n- - d: >\n      {{ d }}\n    e: {{ e }}\n- |\n {{ f }}\n- g: {{ g }}\n";
        assert_eq!(refused(Output::Data, text), ["{{ a }}", "{{ d }}", "{{ f }}"]);
    }

    #[test]
    fn within_code_of_markdown_only_code_is_printed() {
        let text = "{{ a }} `{{ b }}` `{{ c | code }}` {{ d | code }}\n```sh\n{{ e }} {{ f | code }}\n```\n{{ g }}\n";
        assert_eq!(refused(Output::Markdown, text), ["{{ b }}", "{{ d | code }}", "{{ e }}"]);
    }

    #[test]
    fn a_value_of_html_is_text_or_a_quoted_attribute() {
        let text = "<p title=\"{{ a }}\" class={{ b }}>{{ c }}</p><a href=\"{{ d }}\"></a><a href=\"#{{ e }}\"></a>\
                    <script>{{ f }}</script><b onclick='x({{ g }})'>{{ h }}</b><!-- {{ i }} -->{{ j }}";
        assert_eq!(refused(Output::Html, text), ["{{ b }}", "{{ d }}", "{{ f }}", "{{ g }}", "{{ i }}"]);
    }

    #[test]
    fn a_value_of_a_script_is_a_word() {
        let text = "a={{ a }}\nb \"{{ b }}\" '{{ c }}' --d={{ d }} # {{ e }}\ncat <<'END' # x\n{{ f }}\nEND\ng {{ g }} x#{{ h }} \\{{ i }}\nit <<< {{ j }}\n";
        assert_eq!(refused(Output::Shell, text), ["{{ b }}", "{{ c }}", "{{ e }}", "{{ f }}", "{{ i }}"]);
    }
}

//! The reader: YAML text to a tree in which every key and value has its place.
//!
//! Spans, several errors in one run and bounds on what aliases expand to are why this is ours; the scanning itself is granit-parser's.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, Tag};

use super::budget::{Budget, MAX_ALIASED_BYTES, MAX_ALIASED_BYTES_TOGETHER, MAX_ALIASED_NODES, MAX_ALIASED_NODES_TOGETHER};
use crate::diag::{Code, Diag, Findings};
use crate::source::{FileId, Span};

/// How many nodes a file may have; ten thousand workloads in one take about 870,000.
const MAX_NODES: usize = 1_000_000;

/// A YAML node and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The node's own text; for a block collection from its first key or dash to the end of its last value.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// The three shapes of YAML.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A scalar, not yet typed.
    Scalar {
        /// Its text, after escapes.
        text: String,
        /// Quoted, a block scalar or tagged `!!str`: text whatever it looks like.
        quoted: bool,
    },
    /// A sequence.
    Seq(Vec<Node>),
    /// A mapping in the order it was written; keys are scalars and differ from one another.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar, whatever its type.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value at a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The key and value at a key of a mapping.
    pub fn entry(&self, key: &str) -> Option<&(Node, Node)> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(k, _)| k.text() == Some(key)),
            _ => None,
        }
    }

    /// Whether it is null: nothing, `~` or `null`, unquoted.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, quoted: false } if matches!(text.as_str(), "" | "~" | "null"))
    }

    fn weight(&self) -> (usize, usize) {
        match &self.value {
            Value::Scalar { text, .. } => (1, text.len()),
            Value::Seq(items) => items.iter().map(Node::weight).fold((1, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
            Value::Map(entries) => entries.iter().flat_map(|(k, v)| [k.weight(), v.weight()]).fold((1, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
        }
    }
}

/// Reads every document of a file; empty ones are left out. What cannot be read is a finding, and then the documents before it are returned.
pub fn read(text: &str, file: FileId, findings: &mut Findings) -> Vec<Node> {
    read_within(text, file, &Budget::default(), findings)
}

/// As [`read`], for one of several files that belong together.
pub fn read_within(text: &str, file: FileId, budget: &Budget, findings: &mut Findings) -> Vec<Node> {
    let mut reader = Reader {
        text,
        file,
        budget,
        findings,
        anchors: HashMap::new(),
        aliased: (0, 0),
        nodes: 0,
        stack: Vec::new(),
        documents: Vec::new(),
    };
    reader.run();
    reader.documents
}

/// A collection that is still open.
struct Open {
    start: Span,
    anchor: usize,
    flow: bool,
    value: Value,
    key: Option<Node>,
    /// Where each key so far stands.
    seen: HashMap<String, Span>,
    /// The key that waits for its value was there before: the value is dropped, after a finding.
    duplicate: bool,
}

struct Reader<'a> {
    text: &'a str,
    file: FileId,
    budget: &'a Budget,
    findings: &'a mut Findings,
    anchors: HashMap<usize, Node>,
    aliased: (usize, usize),
    nodes: usize,
    stack: Vec<Open>,
    documents: Vec<Node>,
}

impl Reader<'_> {
    fn run(&mut self) {
        let options = granit_parser::options! { emit_comments: false };
        for next in Parser::new_from_str_with_options(self.text, options) {
            match next {
                Ok((event, span)) => {
                    let span = self.span(&span);
                    if self.event(event, span).is_none() {
                        return;
                    }
                }
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or(self.text.len());
                    let span = self.around(at);
                    self.findings.push(syntax_error(&error, self.text, span));
                    return;
                }
            }
        }
    }

    fn span(&self, span: &granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        let clamp = |at: usize| u32::try_from(at.min(self.text.len())).unwrap_or(u32::MAX);
        Span { file: self.file, start: clamp(range.start), end: clamp(range.end) }
    }

    /// A one-character span at a byte, moved onto a character boundary and back onto the text where the text ends before it.
    fn around(&self, byte: usize) -> Span {
        let mut start = byte.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let end = start + self.text[start..].chars().next().filter(|c| *c != '\n' && *c != '\r').map_or(0, char::len_utf8);
        Span { file: self.file, start: u32::try_from(start).unwrap_or(0), end: u32::try_from(end).unwrap_or(0) }
    }

    /// Takes one event; `None` stops the reading, after a finding.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let mut quoted = style != ScalarStyle::Plain;
                if let Some(tag) = tag {
                    quoted |= self.scalar_tag(&tag, span)?;
                }
                let node = Node { span, value: Value::Scalar { text: text.into_owned(), quoted } };
                self.anchor(anchor, &node, span)?;
                self.place(node)
            }
            Event::SequenceStart(style, anchor, tag) => self.open(Value::Seq(Vec::new()), style, anchor, tag.as_deref(), span),
            Event::MappingStart(style, anchor, tag) => self.open(Value::Map(Vec::new()), style, anchor, tag.as_deref(), span),
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id).cloned() else {
                    let diag = Diag::new(Code::YamlSyntax, span, "an alias inside the node that it names");
                    self.findings.push(diag.help("It would hold itself without end: write out what is meant, or anchor another node."));
                    return None;
                };
                self.charge(&node, span)?;
                self.place(node)
            }
            _ => Some(()),
        }
    }

    /// Whether a scalar's tag says that it is text; `None` after a finding. The span is the node's, which begins after its tag.
    fn scalar_tag(&mut self, tag: &Tag, span: Span) -> Option<bool> {
        if tag.core_suffix() == Some("str") {
            return Some(true);
        }
        let written = tag.original();
        let before = self.text[..span.start as usize].rfind(&*written).and_then(|at| u32::try_from(at).ok());
        let place = before.map_or(span, |start| Span { start, end: start + u32::try_from(written.len()).unwrap_or(0), ..span });
        let diag = Diag::new(Code::YamlSyntax, place, format!("the tag `{written}` is not used here"));
        self.findings.push(diag.help("Remove the tag: types follow from the key, and a quoted scalar is text."));
        None
    }

    fn open(&mut self, value: Value, style: StructureStyle, anchor: usize, tag: Option<&Tag>, start: Span) -> Option<()> {
        if let Some(tag) = tag
            && !matches!(tag.core_suffix(), Some("map" | "seq"))
        {
            self.scalar_tag(tag, start)?;
        }
        self.stack.push(Open {
            start,
            anchor,
            flow: style == StructureStyle::Flow,
            value,
            key: None,
            seen: HashMap::new(),
            duplicate: false,
        });
        Some(())
    }

    fn close(&mut self, end: Span) -> Option<()> {
        let open = self.stack.pop()?;
        let last = match &open.value {
            Value::Seq(items) => items.last().map(|node| node.span.end),
            Value::Map(entries) => entries.last().map(|(key, value)| value.span.end.max(key.span.end)),
            Value::Scalar { .. } => None,
        };
        // A block collection's end event stands at the start of whatever follows; its last child says where it really ends.
        let end = if open.flow { end.end } else { last.unwrap_or(end.end) };
        let span = Span { end: end.max(open.start.start), ..open.start };
        let mut node = Node { span, value: open.value };
        if let Value::Map(entries) = &mut node.value {
            self.merge(entries)?;
        }
        self.anchor(open.anchor, &node, span)?;
        self.place(node)
    }

    /// Replaces `<<` by the entries of the mappings it names; what is written beside it wins.
    fn merge(&mut self, entries: &mut Vec<(Node, Node)>) -> Option<()> {
        let is_merge = |(key, _): &(Node, Node)| matches!(&key.value, Value::Scalar { text, quoted: false } if text == "<<");
        let Some(at) = entries.iter().position(is_merge) else { return Some(()) };
        let (key, merged) = entries.remove(at);
        let sources = match merged.value {
            Value::Map(_) => vec![merged],
            Value::Seq(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => items,
            _ => {
                let diag = Diag::new(Code::YamlSyntax, key.span, "a merge key (`<<`) takes a mapping or a list of mappings");
                self.findings.push(diag.help("Write it as `<<: *name`, with the anchor `&name` on a mapping."));
                return None;
            }
        };
        for source in sources {
            let Value::Map(source) = source.value else { continue };
            for (key, value) in source {
                if !entries.iter().any(|(existing, _)| existing.text() == key.text()) {
                    entries.push((key, value));
                }
            }
        }
        Some(())
    }

    fn anchor(&mut self, id: usize, node: &Node, span: Span) -> Option<()> {
        if id != 0 {
            self.charge(node, span)?;
            self.anchors.insert(id, node.clone());
        }
        Some(())
    }

    fn charge(&mut self, node: &Node, span: Span) -> Option<()> {
        let (nodes, bytes) = node.weight();
        self.aliased = (self.aliased.0 + nodes, self.aliased.1 + bytes);
        let within = self.aliased.0 <= MAX_ALIASED_NODES && self.aliased.1 <= MAX_ALIASED_BYTES;
        // What a file asks for beyond its own share counts for nothing more: it is not read any further.
        if within && self.budget.take(nodes, bytes) {
            return Some(());
        }
        let (whose, nodes, bytes, help) = if within {
            ("of all files together ", MAX_ALIASED_NODES_TOGETHER, MAX_ALIASED_BYTES_TOGETHER, "Write out what the aliases stand for.")
        } else {
            ("", MAX_ALIASED_NODES, MAX_ALIASED_BYTES, "Write out what the alias stands for, or split the file.")
        };
        let message = format!("anchors and aliases {whose}expand to more than {nodes} nodes or {} MiB", bytes >> 20);
        self.findings.push(Diag::new(Code::YamlTooComplex, span, message).help(help));
        None
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, node: Node) -> Option<()> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let diag = Diag::new(Code::YamlTooComplex, node.span, format!("the file has more than {MAX_NODES} nodes"));
            self.findings.push(diag.help("Split the inventory over several files: all files below the folder form one inventory."));
            return None;
        }
        let Some(open) = self.stack.last_mut() else {
            if !node.is_null() {
                self.documents.push(node);
            }
            self.anchors.clear();
            return Some(());
        };
        match &mut open.value {
            Value::Seq(items) => items.push(node),
            Value::Map(entries) => match open.key.take() {
                None => {
                    let Some(text) = node.text() else {
                        let diag = Diag::new(Code::YamlSyntax, node.span, "a key must be a scalar, not a list or a mapping");
                        let help =
                            "Write a name before the colon; a value that begins with `{` or `[`, as `{{ name }}` does, goes into quotes.";
                        self.findings.push(diag.help(help));
                        return None;
                    };
                    if node.is_null() {
                        let diag = Diag::new(Code::YamlSyntax, node.span, "a key is missing before the colon, or is null");
                        self.findings.push(diag.help("Write the key, or remove the line; where the text is meant, quote it: `\"null\"`."));
                        return None;
                    }
                    if let Some(first) = open.seen.get(text) {
                        let first = *first;
                        self.findings.add(Code::DuplicateKey, node.span, || {
                            let diag = Diag::new(Code::DuplicateKey, node.span, format!("the key `{text}` is written twice"));
                            diag.label("again here").related(first, "first written here").help("Keep one of them.")
                        });
                        open.duplicate = true;
                    } else {
                        open.seen.insert(text.to_owned(), node.span);
                        open.duplicate = false;
                    }
                    open.key = Some(node);
                }
                Some(_) if open.duplicate => {}
                Some(key) => entries.push((key, node)),
            },
            Value::Scalar { .. } => {}
        }
        Some(())
    }
}

fn syntax_error(error: &granit_parser::ScanError, text: &str, span: Span) -> Diag {
    let info = error.info();
    if info.contains("nest") || info.contains("recursion") {
        let diag = Diag::new(Code::YamlSyntax, span, "more than 255 levels of nesting");
        return diag.help("No inventory needs so many: look for an unclosed bracket.");
    }
    if info.contains("unknown anchor") {
        let diag = Diag::new(Code::YamlSyntax, span, "an alias of an anchor that is not there");
        return diag.help("Write `&NAME` before the value that is meant, further up in the same document.");
    }
    // Where a scalar runs on into the next line, the parser stops at its beginning.
    let lines = if info.contains("tab") { 2 } else { 1 };
    if let Some(tab) = tab_in_indentation(text, span.start as usize, lines) {
        let start = u32::try_from(tab).unwrap_or(span.start);
        let diag = Diag::new(Code::YamlSyntax, Span { start, end: start + 1, ..span }, "a tab in the indentation");
        return diag.help("YAML indents with spaces only: replace the tab.");
    }
    let diag = Diag::new(Code::YamlSyntax, span, info.clone());
    diag.help("Look at this line and the one before it: indentation, a missing colon, an unclosed quote or bracket.")
}

/// The first tab in the indentation of the line that holds a byte, or of the lines after it.
fn tab_in_indentation(text: &str, byte: usize, lines: usize) -> Option<usize> {
    let mut start = text[..byte].rfind('\n').map_or(0, |at| at + 1);
    for line in text[start..].split_inclusive('\n').take(lines) {
        let indentation = line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if let Some(tab) = line[..indentation].find('\t') {
            return Some(start + tab);
        }
        start += line.len();
    }
    None
}

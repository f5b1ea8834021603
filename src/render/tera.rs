//! `*.tera`: Tera 2, under the rules of `MiniJinja`: see `instrument` for the escaping and `meter` for what ends a template.

mod filters;
mod instrument;
mod meter;
mod trace;

use std::collections::BTreeMap;
use std::io::{self, Write};

use tera::{Context, Error, ErrorKind, ReportError, Tera};

use crate::catalog::{Kind, Language, Template};
use crate::diag::did_you_mean;

use super::failure::{Fault, NO_FUNCTION, NO_INCLUDE, undefined_help};
use super::view::View;
use super::written::Written;
use super::{limits, lint};
use filters::FILTERS;
use instrument::Instrumented;
use meter::Stop;

/// The templates of one kind and those that all share: components have one name for all of an instance.
pub(super) struct TeraSet {
    tera: Tera,
    /// Where the names of included templates are looked for.
    folder: String,
    texts: BTreeMap<String, Instrumented>,
}

impl TeraSet {
    /// Compiles the templates of a kind; none where it has none in this language.
    pub(super) fn new(kind: &Kind, shared: &[Template], faults: &mut Vec<Fault>) -> Option<Self> {
        let own = || kind.templates.iter().filter(|template| template.language == Language::Tera);
        own().next()?;
        let partials = kind.partials.iter().chain(shared).filter(|template| template.language == Language::Tera);
        let text = |template: &Template| (template.path.clone(), Instrumented::new(&template.path, template.text.clone(), None));
        let folder = format!("kinds/{}/", kind.id);
        let mut this = Self { tera: environment(&folder), folder, texts: own().chain(partials).map(text).collect() };
        faults.extend(this.compile());
        Some(this)
    }

    fn compile(&mut self) -> Vec<Fault> {
        // As the author wrote them and one by one for what is wrong in each alone, then together for what they refer to in one another.
        let alone = self.texts.iter().filter_map(|(name, text)| match Tera::new().add_raw_template(name, &text.source).err()?.kind() {
            ErrorKind::SyntaxError(report) => {
                let fault = Fault { range: Some(report.span().range.clone()), ..Fault::new(name, &lower(report.message())) };
                Some(lint::explain(fault, &text.source, Language::Tera))
            }
            _ => None,
        });
        let faults: Vec<Fault> = alone.collect();
        if !faults.is_empty() {
            return faults;
        }
        match self.tera.add_raw_templates(self.texts.iter().map(|(name, text)| (name, &text.text))) {
            Ok(()) => Vec::new(),
            Err(error) => self.references(&error),
        }
    }

    /// What does not exist is reported by the engine as text only, one report for each: its first lines are
    /// `error: Unknown filter x` and ` --> name:line:column`.
    fn references(&self, error: &Error) -> Vec<Fault> {
        let text = error.to_string();
        let report = |report: &str| {
            let (message, rest) = report.strip_prefix("error: ")?.split_once('\n')?;
            let mut place = rest.lines().next()?.trim().strip_prefix("--> ")?.rsplitn(3, ':');
            let (column, line, name) = (place.next()?.parse::<usize>().ok()?, place.next()?.parse::<usize>().ok()?, place.next()?);
            let text = &self.texts.get(name)?;
            let start: usize = text.text.split_inclusive('\n').take(line - 1).map(str::len).sum();
            let at = start + text.text[start..].chars().take(column - 1).map(char::len_utf8).sum::<usize>();
            let asked = message.split('`').nth(1).unwrap_or_default();
            let help = match message {
                _ if message.contains("filter") => {
                    did_you_mean(asked, FILTERS.iter().copied()).or_else(|| Some(lint::all_filters(FILTERS)))
                }
                _ if message.contains("function") => Some(NO_FUNCTION.to_owned()),
                _ if message.contains("template") => Some(NO_INCLUDE.to_owned()),
                _ => None,
            };
            // An include's name is pointed at with its quotes, a function's at its name.
            let end = at + text.text[at..].find(asked).map_or(1, |before| before + asked.len());
            Some(Fault { range: Some(text.original(at..end)), help, ..Fault::new(name, &lower(message)) })
        };
        let faults: Vec<Fault> = text.split("\n\n").filter_map(report).collect();
        // Two components of one name, and whatever else has no place: the first template stands for all.
        let first = self.texts.keys().next().map_or("", String::as_str);
        if faults.is_empty() { vec![self.fault(error, first, None)] } else { faults }
    }

    /// Renders a template.
    pub(super) fn render(&self, name: &str, view: &View) -> Result<String, Fault> {
        let mut out = Bounded(Vec::new());
        meter::start(view.size());
        self.tera.render_to(name, &context(view), &mut out).map_err(|error| self.fault(&error, name, Some(view)))?;
        String::from_utf8(out.0).map_err(|_| Fault::new(name, "the template writes what is not UTF-8"))
    }

    /// Renders a template once more to see what wrote what; nothing where it fails now.
    pub(super) fn written(&self, name: &str, view: &View) -> Vec<Written> {
        let text = |(number, (name, text)): (usize, (&String, &Instrumented))| {
            (name.clone(), Instrumented::new(name, text.source.clone(), Some(number)))
        };
        let texts: Vec<(String, Instrumented)> = self.texts.iter().enumerate().map(text).collect();
        let mut tera = environment(&self.folder);
        if tera.add_raw_templates(texts.iter().map(|(name, text)| (name, &text.text))).is_err() {
            return Vec::new();
        }
        meter::start(view.size());
        trace::start();
        let rendered = tera.render_to(name, &context(view), trace::Counter);
        let marks = trace::end();
        if rendered.is_err() { Vec::new() } else { trace::written(&marks, &texts) }
    }

    fn fault(&self, error: &Error, name: &str, view: Option<&View>) -> Fault {
        let report: Option<&ReportError> = match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => Some(report),
            _ => None,
        };
        let mut fault = Fault::new(name, "");
        if let Some(report) = report.filter(|report| self.texts.contains_key(report.filename())) {
            report.filename().clone_into(&mut fault.name);
            fault.range = Some(self.texts[report.filename()].original(report.span().range.clone()));
        }
        if let ErrorKind::CircularInclude { tpl: round, include_chain: chain }
        | ErrorKind::CircularExtend { tpl: round, inheritance_chain: chain } = error.kind()
        {
            let name = if self.texts.contains_key(round) { round } else { name };
            return Fault::limit(name, &format!("the template includes itself: `{}`", chain.join("`, `")));
        }
        if let ErrorKind::MissingParent { .. } = error.kind() {
            fault.help = Some(NO_INCLUDE.to_owned());
            "the template that it extends does not exist".clone_into(&mut fault.message);
            return fault;
        }
        let message = report.map_or_else(|| error.to_string(), |report| report.message().to_owned());
        fault.message = lower(&masked(&message, self.texts.get(&fault.name).map_or("", |text| &text.source)));
        if let Some(stop) = view.and_then(|_| meter::stopped()) {
            if stop == Stop::Deadline {
                // How far it came is another place on every machine.
                return Fault::endless(name);
            }
            fault.message = stop.message();
            fault.limit = true;
        } else if matches!(error.kind(), ErrorKind::Io(io::ErrorKind::FileTooLarge)) {
            return Fault { name: fault.name, ..Fault::too_much() };
        } else if matches!(error.kind(), ErrorKind::Io(_)) {
            WHOLE.clone_into(&mut fault.message);
        }
        if fault.message.contains("exceeds the limit") {
            "a range of the template has too many items".clone_into(&mut fault.message);
            fault.limit = true;
        }
        fault.limit |= fault.message.contains("recursion depth");
        fault.help = fault.limit.then(|| limits::HELP.to_owned());
        self.explain(&mut fault, view);
        fault
    }

    /// What the engine says of names that are there goes into the help, with the nearest first.
    fn explain(&self, fault: &mut Fault, view: Option<&View>) {
        let Some(view) = view.filter(|_| !fault.limit) else { return };
        if let Some((message, rest)) = fault.message.split_once(". Available ") {
            let (_, names) = rest.split_once(": ").unwrap_or_default();
            let asked = message.split('`').nth(1).unwrap_or_default();
            let help = did_you_mean(asked, names.split(", ")).unwrap_or_else(|| format!("Here are: {names}."));
            (fault.message, fault.help) = (message.to_owned(), Some(help));
        } else if fault.message == UNDEFINED
            && let (Some(range), Some(text)) = (fault.range.clone(), self.texts.get(&fault.name))
            && let Some(path) = text.source.get(range).filter(|path| path.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.')))
        {
            (fault.message, fault.help) = (format!("`{path}` is undefined"), undefined_help(path, view));
        }
    }
}

fn context(view: &View) -> Context {
    let mut context = Context::new();
    for (name, value) in view.iter() {
        context.insert_value(name, value.tera().clone());
    }
    context
}

/// What the engine calls its types.
const TYPES: &[&str] =
    &["undefined", "none", "bool", "u64", "i64", "f64", "u128", "i128", "usize", "array", "bytes", "string", "map/struct", "+"];

/// The message without values: what it quotes is the author's own text or a type, or is left out.
fn masked(message: &str, source: &str) -> String {
    let quoted = message.split('`').skip(1).step_by(2);
    let (Some(first), Some(last)) = (message.find('`'), message.rfind('`')) else { return message.to_owned() };
    let known = |part: &str| source.contains(part) || TYPES.contains(&part);
    let names = message.split_once(". Available ").map_or("", |(_, names)| names);
    if first == last || quoted.filter(|part| !names.contains(part)).all(known) {
        return message.to_owned();
    }
    format!("{}`...`{}", &message[..first], &message[last + 1..])
}

const UNDEFINED: &str = "the value is undefined";
const WHOLE: &str = "a text that passed through this filter would be escaped as a whole: apply the filter to the values in it";

/// The first letter as in the middle of a sentence.
fn lower(message: &str) -> String {
    let mut chars = message.trim_end_matches('.').chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// A writer that ends a template which writes too much.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > limits::OUTPUT_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An instance without templates.
fn environment(folder: &str) -> Tera {
    let mut tera = Tera::new();
    // Everything is escaped; what no filter of ours has written is refused.
    tera.autoescape_on([""]);
    tera.set_escape_fn(|_, _| Err(io::ErrorKind::InvalidData.into()));
    // Fails on an empty instance for no name that we give it.
    let _ = tera.set_fallback_prefixes(vec![folder.to_owned()]);
    filters::register(&mut tera);
    tera
}

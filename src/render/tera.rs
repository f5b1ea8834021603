//! `*.tera`: Tera 2, under the same rules as [`super::jinja`].
//!
//! Two differences remain, since Tera decides what a value looks like before our escaping sees it: null prints as nothing, and a list or mapping
//! is written with `| json`.
//!
//! Tera has no fuel. What a template writes is counted; one that writes nothing and does not end is given up after [`TIME`], on a thread of its
//! own that the process's end takes along. That is a clock, but one that decides only whether a template is refused, never a byte of output:
//! the documents of the shipped kinds take microseconds.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tera::{Context, Error, ErrorKind, Kwargs, State, Value};

use crate::catalog::{Catalog, Kind, Language, Output, Template};

use super::failure::{Fault, undefined_help};
use super::view::View;
use super::{escape, limits};

/// How long one template may take.
const TIME: Duration = Duration::from_secs(2);

/// The templates of every kind that has some, by kind and by what their output is: the engine knows one way of escaping at a time.
#[derive(Default)]
pub(super) struct Tera {
    engines: BTreeMap<(String, Output), Arc<tera::Tera>>,
    /// Templates that did not end in time: they are not waited for again.
    given_up: Mutex<BTreeSet<String>>,
}

impl Tera {
    /// Takes the templates of a kind.
    pub(super) fn add_kind(&mut self, kind: &Kind, catalog: &Catalog) -> Result<(), Fault> {
        let own: Vec<&Template> =
            kind.templates.iter().chain(&kind.partials).filter(|template| template.language == Language::Tera).collect();
        let shared = catalog.shared.iter().filter(|template| template.language == Language::Tera);
        let all: Vec<(&str, &str)> = own.iter().copied().chain(shared).map(|template| (template.path.as_str(), &*template.text)).collect();
        for template in kind.templates.iter().filter(|template| template.language == Language::Tera) {
            let key = (kind.id.clone(), template.output);
            if let Entry::Vacant(place) = self.engines.entry(key) {
                let mut engine = engine(template.output);
                engine.set_fallback_prefixes([format!("kinds/{}/", kind.id)]).map_err(|error| fault(&error, None))?;
                engine.add_raw_templates(all.iter().copied()).map_err(|error| refused(&error, &all))?;
                place.insert(Arc::new(engine));
            }
        }
        Ok(())
    }

    /// Renders a template of a kind.
    pub(super) fn render(&self, kind: &Kind, template: &Template, view: &View) -> Result<String, Fault> {
        let Some(engine) = self.engines.get(&(kind.id.clone(), template.output)).map(Arc::clone) else {
            let message = "the template did not compile".to_owned();
            return Err(Fault { limit: false, name: template.path.clone(), range: None, message, help: None });
        };
        if self.given_up.lock().unwrap_or_else(PoisonError::into_inner).contains(&template.path) {
            return Err(endless(template));
        }
        let mut context = Context::new();
        for (name, value) in view.iter() {
            context.insert_value(name, value.tera().clone());
        }
        let (sender, receiver) = mpsc::channel();
        let name = template.path.clone();
        std::thread::spawn(move || {
            let mut text = Bounded::default();
            let rendered = engine.render_to(&name, &context, &mut text);
            // Nobody listens any more where the time was up.
            let _ = sender.send((rendered, text));
        });
        match receiver.recv_timeout(TIME) {
            Ok((_, Bounded { full: true, .. })) => Err(Fault { name: template.path.clone(), ..Fault::too_much() }),
            Ok((Err(error), _)) => Err(fault(&error, Some(view))),
            Ok((Ok(()), text)) => String::from_utf8(text.bytes).map_err(|_| Fault::too_much()),
            Err(_) => {
                self.given_up.lock().unwrap_or_else(PoisonError::into_inner).insert(template.path.clone());
                Err(endless(template))
            }
        }
    }
}

fn endless(template: &Template) -> Fault {
    let message = format!("the template did not end within {} s", TIME.as_secs());
    Fault { limit: true, name: template.path.clone(), range: None, message, help: Some(limits::HELP.to_owned()) }
}

/// What a template wrote, up to the limit.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > limits::OUTPUT_BYTES {
            self.full = true;
            return Err(io::Error::other("too much output"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn engine(output: Output) -> tera::Tera {
    let mut engine = tera::Tera::new();
    engine.autoescape_on([".tera"]);
    engine.set_escape_fn(match output {
        Output::Data => |text, out| escaped(Output::Data, text, out),
        Output::Markdown => |text, out| escaped(Output::Markdown, text, out),
        Output::Html => |text, out| escaped(Output::Html, text, out),
        Output::Shell => |text, out| escaped(Output::Shell, text, out),
        Output::Text => |text, out| escaped(Output::Text, text, out),
    });
    for name in ["safe", "escape", "escape_html", "escape_xml", "newlines_to_br"] {
        engine.register_filter(name, move |_: &Value, _: Kwargs, _: &State| -> tera::TeraResult<Value> {
            Err(Error::message(format!("there is no filter `{name}`: every value is escaped for what it stands in")))
        });
    }
    engine.register_filter("json", move |value: &Value, _: Kwargs, _: &State| -> tera::TeraResult<Value> {
        let value = serde_json::to_value(value).map_err(|error| Error::message(error.to_string()))?;
        let mut text = String::new();
        escape::json(&mut text, &value).map_err(|error| Error::message(error.to_string()))?;
        Ok(if output == Output::Data { Value::safe_string(&text) } else { Value::normal_string(&text) })
    });
    if output == Output::Markdown {
        engine.register_filter("code", |text: &str, _: Kwargs, _: &State| -> tera::TeraResult<Value> {
            escape::code(text).map(|text| Value::safe_string(&text)).map_err(Error::message)
        });
    }
    engine
}

fn escaped(output: Output, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut written = String::with_capacity(text.len() + 2);
    escape::string(&mut written, output, text).map_err(io::Error::other)?;
    out.write_all(written.as_bytes())
}

/// Why templates were not taken. What the engine finds after parsing, an unknown filter for one, it reports as one printed text:
/// `error: MESSAGE`, then ` --> NAME:LINE:COLUMN`.
fn refused(error: &Error, templates: &[(&str, &str)]) -> Fault {
    let mut fault = fault(error, None);
    let ErrorKind::Msg(report) = error.kind() else { return fault };
    let mut lines = report.lines();
    if let Some(message) = lines.next() {
        message.strip_prefix("error: ").unwrap_or(message).clone_into(&mut fault.message);
    }
    let place = lines.next().and_then(|line| {
        let mut parts = line.trim().strip_prefix("--> ")?.rsplitn(3, ':');
        let (column, line, name) = (parts.next()?, parts.next()?, parts.next()?);
        let (_, text) = templates.iter().find(|(path, _)| *path == name)?;
        let before: usize = text.split_inclusive('\n').take(line.parse::<usize>().ok()?.checked_sub(1)?).map(str::len).sum();
        let start = before + column.parse::<usize>().ok()?.checked_sub(1)?;
        let word = text.get(start..)?.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        Some((name.to_owned(), start..start + word))
    });
    if let Some((name, range)) = place {
        fault.name = name;
        fault.range = Some(range);
    }
    fault
}

/// The engine's error in our words and with our place.
fn fault(error: &Error, view: Option<&View>) -> Fault {
    let plain = |message: String| Fault { limit: false, name: String::new(), range: None, message, help: None };
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let message = report.message().to_owned();
            let undefined = message.split('`').nth(1).and_then(|path| undefined_help(path, view?));
            let limit = message.contains("recursion") || message.contains("range") && message.contains("too");
            let help = if limit { Some(limits::HELP.to_owned()) } else { undefined };
            Fault { limit, name: report.filename().to_owned(), range: Some(report.span().range.clone()), message, help }
        }
        other => plain(other.to_string()),
    }
}

//! `*.j2`: `MiniJinja`, set up so that nothing undefined, unescaped or endless gets out, and nothing from outside gets in.
//!
//! Fuel is what ends a loop or a bomb: the engine charges instructions and the bytes it makes alike, so that a number of it bounds both
//! time and memory, and the same template fails at the same place on every machine.

use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Enumerator, Kwargs, Object, Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output as Writer, OutputSpan, OutputSpanKind, State, UndefinedBehavior};

use crate::catalog::Output;
use crate::yaml::manifest;

use super::failure::{Fault, NO_FUNCTION, NO_INCLUDE, undefined_help};
use super::view::View;
use super::written::Written;
use super::{escape, limits};

/// The filters that a template may use: those of the engine but the ones that mark text as safe or print values in Python's way, and ours.
pub(super) const FILTERS: &[&str] = &[
    "abs",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "code",
    "count",
    "d",
    "data",
    "default",
    "dictsort",
    "first",
    "float",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "json",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// What stands before an expression, so that it is compiled once and its value can be asked for.
pub(super) const BEFORE_EXPRESSION: &str = "{% set result = (";
const AFTER_EXPRESSION: &str = ") %}";

/// How the refusal of an expression that gives no list begins.
const NO_LIST: &str = "`forEach` takes a list";

/// How the formatter knows the path of an object from the outputs of templates.
const PATH: &str = "path";

/// An environment with every template of a catalog.
pub(super) struct Jinja {
    env: Environment<'static>,
}

impl Jinja {
    pub(super) fn new() -> Self {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_fuel(Some(limits::FUEL));
        env.set_recursion_limit(limits::RECURSION);
        // For the name and the place of what is undefined; the values that it collects beside them are never printed.
        env.set_debug(true);
        env.set_auto_escape_callback(|name| AutoEscape::Custom(escape_name(name).into()));
        env.set_path_join_callback(|name, parent| super::resolve(name, parent).into());
        env.set_formatter(format);
        if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
            env.set_syntax(syntax);
        }
        // `debug` prints the whole view; `namespace` would hide that a view has none.
        env.remove_global("debug");
        env.remove_global("namespace");
        for filter in ["safe", "escape", "e", "tojson", "pprint", "format", "attr"] {
            env.remove_filter(filter);
        }
        env.add_filter("data", data);
        env.add_filter("json", json);
        env.add_filter("code", code);
        Self { env }
    }

    /// Takes a template under its name.
    pub(super) fn add_template(&mut self, name: &str, text: String) -> Result<(), Fault> {
        self.env.add_template_owned(name.to_owned(), text).map_err(|error| fault(&error, None))
    }

    /// Takes an expression under a name; its places are counted with [`BEFORE_EXPRESSION`].
    pub(super) fn add_expression(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        // Alone first: what is no expression by itself must not become one by what stands around it.
        if let Err(error) = self.env.compile_expression_owned(text.to_owned()) {
            let mut fault = fault(&error, None);
            name.clone_into(&mut fault.name);
            fault.range = fault.range.map(|range| range.start + BEFORE_EXPRESSION.len()..range.end + BEFORE_EXPRESSION.len());
            return Err(fault);
        }
        self.add_template(name, format!("{BEFORE_EXPRESSION}{text}{AFTER_EXPRESSION}"))
    }

    /// Renders a template.
    pub(super) fn render(&self, name: &str, view: &View) -> Result<String, Fault> {
        let template = self.env.get_template(name).map_err(|error| fault(&error, Some(view)))?;
        template.render(context(view)).map_err(|error| fault(&error, Some(view)))
    }

    /// Renders a template once more to see what wrote what; nothing where it fails now.
    pub(super) fn written(&self, name: &str, view: &View) -> Vec<Written> {
        let rendered = self.env.get_template(name).and_then(|template| template.render_with_spans(context(view)));
        let spans = rendered.map(|(_, spans)| spans).unwrap_or_default();
        let part = |span: OutputSpan| Written {
            output: span.output_range(),
            name: span.name().to_owned(),
            source: span.source_range(),
            verbatim: span.kind() == OutputSpanKind::Raw,
        };
        spans.into_iter().map(part).collect()
    }

    /// Whether an expression is true.
    pub(super) fn is_true(&self, name: &str, view: &View) -> Result<bool, Fault> {
        self.evaluate(name, view, |_, value| Ok(value.is_true()))
    }

    /// The items of an expression that is a list: as many values, those within them counted, as `most` says.
    pub(super) fn items(&self, name: &str, view: &View, most: usize) -> Result<Vec<serde_json::Value>, Fault> {
        let mut left = most;
        let mut charge = || {
            left = left.checked_sub(1).ok_or_else(|| refused(TOO_MANY))?;
            Ok(())
        };
        self.evaluate(name, view, |_, value| match nested(&mut charge, value, 0)? {
            serde_json::Value::Array(items) => Ok(items),
            _ => Err(refused(format!("{NO_LIST}, not a value of type {}", value.kind()))),
        })
    }

    /// What is made of the value of an expression.
    fn evaluate<T>(&self, name: &str, view: &View, make: impl FnOnce(&State, &Value) -> Result<T, Error>) -> Result<T, Fault> {
        let template = self.env.get_template(name).map_err(|error| fault(&error, Some(view)))?;
        let captured = template.render_captured(context(view)).map_err(|error| fault(&error, Some(view)))?;
        let value = captured.state().lookup("result").unwrap_or(Value::UNDEFINED);
        if value.is_undefined() {
            // A name by itself is not asked for its value, and so is no error to the engine.
            let text = template.source().trim_start_matches(BEFORE_EXPRESSION).trim_end_matches(AFTER_EXPRESSION);
            let fault = Fault::new(name, &format!("`{text}` is undefined"));
            return Err(Fault { help: undefined_help(text, view), ..fault });
        }
        make(captured.state(), &value).map_err(|error| Fault { name: name.to_owned(), range: None, ..fault(&error, Some(view)) })
    }
}

/// A view as the root of a template's names.
#[derive(Debug)]
struct Root(View);

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.get(key).map(|value| value.jinja().clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(name, _)| Value::from(name)).collect())
    }
}

fn context(view: &View) -> Value {
    Value::from_object(Root(view.clone()))
}

fn escape_name(template: &str) -> &'static str {
    match Output::of(template) {
        _ if template.ends_with("#path") => PATH,
        Output::Data => "data",
        Output::Markdown => "markdown",
        Output::Html => "html",
        Output::Shell => "shell",
        Output::Text => "text",
    }
}

fn output(state: &State) -> Option<Output> {
    match state.auto_escape() {
        AutoEscape::Custom(name) => match &**name {
            "data" => Some(Output::Data),
            "markdown" => Some(Output::Markdown),
            "html" => Some(Output::Html),
            "shell" => Some(Output::Shell),
            "text" => Some(Output::Text),
            _ => None,
        },
        _ => None,
    }
}

/// Writes every value that a template prints.
fn format(out: &mut Writer, state: &mut State, value: &Value) -> Result<(), Error> {
    let Some(output) = output(state) else {
        return if matches!(state.auto_escape(), AutoEscape::Custom(_)) { path_part(out, value) } else { Err(refused(ESCAPE_HATCH)) };
    };
    if let Some(text) = value.as_str() {
        let written = if value.is_safe() { out.write_str(text) } else { escape::string(out, output, text) };
        return Ok(written?);
    }
    Ok(escape::value(out, output, &plain(state, value)?)?)
}

pub(super) const ESCAPE_HATCH: &str = "`autoescape` cannot be changed: every value is escaped for what it stands in";

/// A part of an object's path: nothing in it may be a separator, or a step upwards.
fn path_part(out: &mut Writer, value: &Value) -> Result<(), Error> {
    let text = match value.kind() {
        ValueKind::String => value.as_str().unwrap_or_default().to_owned(),
        ValueKind::Number if value.is_integer() => value.to_string(),
        kind => return Err(refused(format!("a path takes texts and whole numbers, not a value of type {kind}"))),
    };
    if text.is_empty() || text == "." || text == ".." || text.chars().any(|c| matches!(c, '/' | '\\') || c.is_control()) {
        return Err(refused("a value in a path may not be empty, `.` or `..`, or hold a separator or a control character"));
    }
    Ok(out.write_str(&text)?)
}

/// `json`: a value's JSON as a text, which is then escaped like any other; a document within an annotation, for instance. `json(lines=true)` lays
/// it out over several lines.
#[allow(clippy::needless_pass_by_value, reason = "the engine's signature")]
fn json(state: &State, value: &Value, options: Kwargs) -> Result<String, Error> {
    let lines = options.get::<Option<bool>>("lines")?.unwrap_or_default();
    options.assert_all_used()?;
    let (mut text, value) = (String::new(), plain(state, value)?);
    if lines {
        escape::json_lines(&mut text, &value)?;
    } else {
        escape::json(&mut text, &value)?;
    }
    Ok(text)
}

/// `data`: the value of what a `set` block captured, so that a list or mapping can be laid out by a loop, or by another template. No other text is
/// taken: what is captured was escaped for data, and so nothing else of the view can become structure by it.
fn data(state: &State, value: &Value) -> Result<Value, Error> {
    let text = value.as_str().filter(|_| value.is_safe() && output(state) == Some(Output::Data));
    let text = text.ok_or_else(|| refused("`data` takes what a `set` block of a template of data captured"))?;
    // Reading takes about as long as writing did.
    state.consume_fuel(text.len() as u64 / 64)?;
    let documents = manifest::read(text).map_err(|problem| {
        let line = text[..problem.span.start.min(text.len())].lines().count().max(1);
        refused(format!("line {line} of what was captured: {}", problem.message))
    })?;
    let [document] = <[serde_json::Value; 1]>::try_from(documents).map_err(|_| refused("`data` takes one document"))?;
    Ok(Value::from(Serde(&document)))
}

/// `code`: a text within a code span or block of Markdown.
fn code(state: &State, value: &Value) -> Result<Value, Error> {
    if output(state) != Some(Output::Markdown) {
        return Err(refused("`code` is for Markdown"));
    }
    escape::code(&escape::as_text(&plain(state, value)?)).map(Value::from_safe_string).map_err(refused)
}

/// The value as JSON; numbers that JSON does not have, and what nests without end, are refused.
fn plain(state: &State, value: &Value) -> Result<serde_json::Value, Error> {
    nested(&mut || state.consume_fuel(1), value, 0)
}

/// `charge` is asked for each value: shared lists can be few in memory and endless when they are walked.
fn nested(charge: &mut dyn FnMut() -> Result<(), Error>, value: &Value, depth: usize) -> Result<serde_json::Value, Error> {
    charge()?;
    if depth > limits::DEPTH {
        return Err(refused(limits::too_deep()));
    }
    let refuse = || refused(format!("a value of type {} cannot be printed", value.kind()));
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.map(|item| nested(charge, &item, depth + 1)).collect(),
        ValueKind::Map => {
            let entry = |key: Value| {
                let item = value.get_item(&key)?;
                Ok((key.as_str().map_or_else(|| key.to_string(), str::to_owned), nested(charge, &item, depth + 1)?))
            };
            value.try_iter()?.map(entry).collect::<Result<_, Error>>().map(serde_json::Value::Object)
        }
        ValueKind::Undefined => Err(refuse()),
        ValueKind::Number if f64::try_from(value.clone()).is_ok_and(|number| !number.is_finite()) => Err(refuse()),
        _ => serde_json::to_value(value).map_err(|_| refuse()),
    }
}

fn refused(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// What is said of a list of `forEach` that is too large.
const TOO_MANY: &str = "the list of `forEach` holds more values than the whole view";

/// The engine's error in our words: the innermost one, which is where an included template failed.
fn fault(error: &Error, view: Option<&View>) -> Fault {
    let mut innermost = error;
    while let Some(source) = std::error::Error::source(innermost).and_then(|source| source.downcast_ref::<Error>()) {
        innermost = source;
    }
    let detail = innermost.detail().unwrap_or_default();
    let limit = innermost.kind() == ErrorKind::OutOfFuel
        || detail.contains("recursion limit")
        || detail == limits::too_deep()
        || detail == TOO_MANY
        || detail.contains("too many elements")
        || detail.contains("sequence is too large");
    let message = match innermost.kind() {
        // Its name may be a value; the place shows how it was asked for.
        ErrorKind::TemplateNotFound | ErrorKind::BadInclude => "the included template does not exist".to_owned(),
        ErrorKind::OutOfFuel => format!("the template did not end within {} steps", limits::FUEL),
        ErrorKind::InvalidOperation | ErrorKind::SyntaxError | ErrorKind::UndefinedError if !detail.is_empty() => detail.to_owned(),
        kind if detail.is_empty() => kind.to_string(),
        kind => format!("{kind}: {detail}"),
    };
    let undefined = || {
        let (_, rest) = detail.split_once('`')?;
        let (path, _) = rest.split_once('`')?;
        undefined_help(path, view?)
    };
    let help = match innermost.kind() {
        _ if limit => Some(limits::HELP.to_owned()),
        ErrorKind::UndefinedError => undefined(),
        _ if detail.starts_with(NO_LIST) => Some("Write an expression that gives a list of the view, such as `workload.ports`.".to_owned()),
        ErrorKind::TemplateNotFound | ErrorKind::BadInclude => Some(NO_INCLUDE.to_owned()),
        ErrorKind::UnknownFunction => Some(NO_FUNCTION.to_owned()),
        _ => None,
    };
    Fault { limit, late: false, name: innermost.name().unwrap_or_default().to_owned(), range: innermost.range(), message, help }
}

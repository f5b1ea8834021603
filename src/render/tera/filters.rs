//! What Tera templates are given to work with in place of, or beside, the engine's own.

#![allow(clippy::needless_pass_by_value, reason = "the engine's signatures")]

use tera::{Context, Error, Kwargs, State, Tera, TeraResult, Value};

use crate::catalog::Output;
use crate::render::lint::NOT_SAFE;
use crate::render::{escape, limits};

use super::meter::{self, Stop};
use super::{UNDEFINED, instrument, trace};

/// The filters that a template may use.
pub(super) const FILTERS: &[&str] = &[
    "abs",
    "capitalize",
    "code",
    "default",
    "first",
    "float",
    "get",
    "group_by",
    "indent",
    "int",
    "join",
    "json",
    "keys",
    "last",
    "length",
    "lower",
    "nth",
    "pairs",
    "pluralize",
    "replace",
    "reverse",
    "round",
    "sort",
    "split",
    "str",
    "title",
    "trim",
    "trim_end",
    "trim_start",
    "truncate",
    "unique",
    "upper",
    "values",
    "wordcount",
];

/// Registers them.
pub(super) fn register(tera: &mut Tera) {
    for (output, write) in WRITERS {
        tera.register_filter(instrument::escape_filter(*output), *write);
    }
    tera.register_filter(instrument::HOLD, hold);
    tera.register_filter(instrument::KNOWN, known);
    tera.register_filter(instrument::ITEM, item);
    tera.register_filter(instrument::CODE, code);
    tera.register_function(instrument::STEP, step);
    tera.register_function(instrument::AT, at);
    tera.register_filter("json", json);
    // In place of the engine's own, which make much of little without being seen, or mark text as safe.
    tera.register_filter("replace", replace);
    tera.register_filter("join", join);
    tera.register_filter("indent", indent);
    tera.register_filter("unique", unique);
    tera.register_filter("safe", not_safe);
    tera.register_filter("escape", not_safe);
}

type Writer = fn(&Value, Kwargs, &State) -> TeraResult<Value>;

const WRITERS: &[(Output, Writer)] = &[
    (Output::Data, |value, _, _| write(Output::Data, value)),
    (Output::Markdown, |value, _, _| write(Output::Markdown, value)),
    (Output::Html, |value, _, _| write(Output::Html, value)),
    (Output::Shell, |value, _, _| write(Output::Shell, value)),
    (Output::Text, |value, _, _| write(Output::Text, value)),
];

fn write(output: Output, value: &Value) -> TeraResult<Value> {
    let mut text = String::new();
    let written = match value.as_str() {
        Some(safe) if value.is_safe() => {
            meter::charge(1, safe.len())?;
            return Ok(value.clone());
        }
        Some(plain) => escape::string(&mut text, output, plain),
        None => escape::value(&mut text, output, &plain(value)?),
    };
    meter::charge(1, text.len())?;
    written.map_err(|_| Error::message("the value cannot be written"))?;
    Ok(Value::safe_string(&text))
}

/// The value as JSON; what is undefined, and numbers that JSON does not have, are refused.
fn plain(value: &Value) -> TeraResult<serde_json::Value> {
    known(value, Kwargs::default(), &State::new(&Context::new()))?;
    measure(value, limits::OUTPUT_BYTES.max(meter::most_held()))?;
    if value.as_f64().is_some_and(|number| !number.is_finite()) {
        return Err(Error::message("a number that is not finite cannot be printed"));
    }
    serde_json::to_value(value).map_err(|_| Error::message(format!("a value of type {} cannot be printed", value.name())))
}

fn known(value: &Value, _: Kwargs, _: &State) -> TeraResult<Value> {
    if value.is_undefined() { Err(Error::message(UNDEFINED)) } else { Ok(value.clone()) }
}

fn hold(value: &Value, kwargs: Kwargs, state: &State) -> TeraResult<Value> {
    meter::charge(1, measure(value, meter::most_held())?)?;
    known(value, kwargs, state)
}

fn item(value: &Value, _: Kwargs, _: &State) -> TeraResult<Value> {
    meter::charge(1, 0)?;
    Ok(value.clone())
}

fn step(kwargs: Kwargs, _: &State) -> TeraResult<Value> {
    meter::charge(kwargs.get::<u64>("n")?.unwrap_or(1), 0)?;
    Ok(Value::none())
}

fn at(kwargs: Kwargs, _: &State) -> TeraResult<Value> {
    trace::mark(kwargs.must_get("t")?, kwargs.must_get("n")?);
    Ok(Value::none())
}

/// How many bytes a value is, each item counted as sixteen: shared lists can be few in memory and endless when they are walked.
fn measure(value: &Value, most: usize) -> TeraResult<usize> {
    let (mut size, mut todo) = (0, vec![(value, 0)]);
    while let Some((value, depth)) = todo.pop() {
        size += 16 + value.as_str().map_or(0, str::len);
        if size > most {
            meter::stop(Stop::Held)?;
        }
        if depth > limits::DEPTH {
            meter::stop(Stop::Deep)?;
        }
        todo.extend(value.as_array().unwrap_or_default().iter().map(|item| (item, depth + 1)));
        todo.extend(value.as_map().into_iter().flat_map(tera::Map::values).map(|item| (item, depth + 1)));
    }
    Ok(size)
}

fn json(value: &Value, _: Kwargs, _: &State) -> TeraResult<Value> {
    let mut text = String::new();
    escape::json(&mut text, &plain(value)?).map_err(|_| Error::message("the value cannot be written"))?;
    meter::charge(1, text.len())?;
    Ok(Value::from(text))
}

fn code(value: &Value, _: Kwargs, _: &State) -> TeraResult<Value> {
    Ok(Value::safe_string(&escape::code(&escape::as_text(&plain(value)?)).map_err(Error::message)?))
}

fn replace(value: &str, kwargs: Kwargs, _: &State) -> TeraResult<Value> {
    let (from, to): (&str, &str) = (kwargs.must_get("from")?, kwargs.must_get("to")?);
    meter::charge(1, value.len() + value.matches(from).count().saturating_mul(to.len()))?;
    Ok(Value::from(value.replace(from, to)))
}

fn join(items: &[Value], kwargs: Kwargs, _: &State) -> TeraResult<Value> {
    let separator = kwargs.get::<&str>("sep")?.unwrap_or_default();
    let texts = items.iter().map(|item| plain(item).map(|item| escape::as_text(&item))).collect::<TeraResult<Vec<_>>>()?;
    meter::charge(1, texts.iter().map(String::len).sum::<usize>() + separator.len().saturating_mul(items.len()))?;
    Ok(Value::from(texts.join(separator)))
}

/// Every line but the first, and blank ones, moved to the right.
fn indent(value: &Value, kwargs: Kwargs, _: &State) -> TeraResult<Value> {
    let Some(text) = value.as_str() else { return Err(Error::message("`indent` takes a text")) };
    let width = kwargs.get::<usize>("width")?.unwrap_or(4);
    meter::charge(1, text.len() + text.lines().count().saturating_mul(width))?;
    let space = " ".repeat(width);
    let lines =
        text.split('\n').enumerate().map(|(at, line)| if at == 0 || line.is_empty() { line.to_owned() } else { format!("{space}{line}") });
    let text = lines.collect::<Vec<_>>().join("\n");
    Ok(if value.is_safe() { Value::safe_string(&text) } else { Value::from(text) })
}

fn unique(items: &[Value], _: Kwargs, _: &State) -> TeraResult<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        meter::charge(1 + kept.len() as u64 / 16, 0)?;
        if !kept.contains(item) {
            kept.push(item.clone());
        }
    }
    Ok(Value::from(kept))
}

fn not_safe(_: &Value, _: Kwargs, _: &State) -> TeraResult<Value> {
    Err(Error::message(NOT_SAFE))
}

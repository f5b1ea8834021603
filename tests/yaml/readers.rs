//! Who reads: our own reader by both of its ways, two other libraries, and where they are there Python and Go.

use std::fs::{self, File};
use std::process::Command;

use ringfence::yaml::manifest::{self, Problem};
use serde_json::Value;

/// What the readers that are part of the test see in a text of one document.
///
/// serde-saphyr reads it twice: with its defaults, in which `no` and `0777` are no text, and strictly as YAML 1.2.
pub fn inside(text: &str) -> [(&'static str, Result<Value, String>); 5] {
    let strict =
        serde_saphyr::options! { strict_booleans: true, leading_zero_numbers_as_strings: true, underscored_numbers_as_strings: true };
    let own = |read: Result<Vec<Value>, Problem>| {
        let documents = read.map_err(|problem| format!("{problem:?}"))?;
        <[Value; 1]>::try_from(documents).map(|[document]| document).map_err(|documents| format!("{} documents", documents.len()))
    };
    [
        ("our reader", own(manifest::read(text))),
        ("our reader without its short cut", own(manifest::read_fully(text))),
        ("serde-saphyr", serde_saphyr::from_str(text).map_err(|error| error.to_string())),
        ("serde-saphyr, strictly YAML 1.2", serde_saphyr::from_str_with_options(text, strict).map_err(|error| error.to_string())),
        ("libyaml", serde_yaml::from_str(text).map_err(|error| error.to_string())),
    ]
}

/// Has Python read a text of many documents, with both of PyYAML's loaders.
pub fn python(text: &str, documents: &[Value]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/yaml/read.py");
    for loader in ["SafeLoader", "CSafeLoader"] {
        outside(&format!("PyYAML's {loader}"), Command::new("python3").arg(script).arg(loader), text, documents);
    }
}

/// Has Go read a text of many documents, with the library of kubectl, Argo CD and Flux.
pub fn go(text: &str, documents: &[Value]) {
    let what = "sigs.k8s.io/yaml";
    match std::env::var_os("RINGFENCE_JUDGE") {
        Some(judge) => outside(what, Command::new(judge).arg("yaml-to-json"), text, documents),
        None => not_run(what, "RINGFENCE_JUDGE names no program (`tests/live/build` builds it and prints where it is)"),
    }
}

/// Gives a text to a program, which has to print its documents as a list of JSON, or to end with status 3 where it cannot read at all.
fn outside(what: &str, command: &mut Command, text: &str, documents: &[Value]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("strings.yaml");
    fs::write(&path, text).unwrap();
    let output = match command.stdin(File::open(&path).unwrap()).output() {
        Ok(output) => output,
        Err(error) => return not_run(what, &error.to_string()),
    };
    let complaint = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(3) {
        return not_run(what, complaint.trim());
    }
    assert!(output.status.success(), "{what}: {complaint}");
    let read: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    for (document, read) in documents.iter().zip(&read) {
        assert!(same(document, read), "{what}: {}", difference(document, Ok(read)));
    }
    assert_eq!(read.len(), documents.len(), "{what} sees another number of documents");
}

/// Says loudly what was not tried; in CI everything has to be.
fn not_run(what: &str, reason: &str) {
    eprintln!("not run: {what} does not read the emitter's strings back: {reason}");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "in CI, {what} has to run: {reason}");
}

/// Whether a reader saw what was written. To some, `1.0` is the number 1.
pub fn same(written: &Value, read: &Value) -> bool {
    match (written, read) {
        (Value::Number(a), Value::Number(b)) => a == b || (a.is_f64() && a.as_f64() == b.as_f64()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b))),
        (a, b) => a == b,
    }
}

/// The first place at which two values differ, for people.
pub fn difference(written: &Value, read: Result<&Value, &String>) -> String {
    let read = match read {
        Ok(read) => read,
        Err(error) => return error.clone(),
    };
    let deeper = match (written, read) {
        (Value::Array(a), Value::Array(b)) => a.iter().zip(b).find(|(a, b)| !same(a, b)),
        (Value::Object(a), Value::Object(b)) => a.iter().find_map(|(key, a)| b.get(key).filter(|b| !same(a, b)).map(|b| (a, b))),
        _ => None,
    };
    deeper.map_or_else(|| format!("{written} was written, {read} was read"), |(written, read)| difference(written, Ok(read)))
}

//! Whatever a string holds, and wherever it stands, what the emitter writes is read back as that same string: by our own reader, by two
//! other libraries, and where they are there by Python and by Go, each in one go over the same file.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test stops where it is wrong, says what it lacks, and asks whether it runs in CI"
)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::process::Command;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use ringfence::yaml::{emit, manifest};
use serde_json::{Map, Value, json};

/// How many different strings every reader has to read.
const STRINGS: usize = 10_000;

/// What some reader takes for more than text; alone, in all cases, and glued to one another.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "", "yes", "no", "on", "off", "y", "n", "true", "false", "null", "~", "=", "<<", "nan", "inf", ".inf", "-.inf", "+.inf", ".nan", "0", "00", "0777", "0o7", "0O7",
    "0x1F", "0b11", "08", "1", "-1", "+1", "1_000", "1_0.5", "1__0", "1_", "_1", "-_7", "+_7", "0x_1", "1.", ".5", "-.5", "._5", "1.10", "1e3", "12e03", "1.5e3",
    "1.5e+3", "1E+3", "1,000", "1:30", "12:30:45", "190:20:30.15", "2024-01-01", "2024-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5", "2024-01-01T00:00:00Z",
    "10.0.0.1", "10.0.0.0/8", "1.2.3", "64Mi", "250m", "9223372036854775808", "18446744073709551616", "1e999", "-0", "-0.0", "0.", "!!binary", "tag:yaml.org,2002:str",
];

/// What is syntax somewhere, is seen by nobody, or breaks lines for some.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    ":", ": ", ":\t", "::", " #", "#", "# ", "-", "- ", "--", "---", "---\n", "\n---\n", "--- ", "...", "\n...\n", "? ", "?", "| ", "|", ">", ">-\n", "&a", "*a", "!t", "!", "%", "%YAML 1.1\n", "@", "`",
    "{", "}", "[", "]", ",", ", ", "{{", "}}", "{{ .Values.x }}", "{% if x %}", "${x}", "$${x}", "$(X)", "'", "''", "\"", "\\", "\\n", "\\u0041", "\\x", " ", "  ", "\t", "\n", "\n\n", "\n  ", "\n\t", " \n",
    "\t\n", "\r", "\r\n", "\u{b}", "\u{c}", "\u{0}", "\u{1}", "\u{7}", "\u{8}", "\u{1b}", "\u{1f}", "\u{7f}", "\u{80}", "\u{85}", "\u{9f}", "\u{a0}", "\u{ad}", "\u{61c}", "\u{200b}", "\u{200d}", "\u{200e}",
    "\u{2028}", "\u{2029}", "\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}", "\u{3000}", "\u{d7ff}", "\u{e000}", "\u{fdd0}", "\u{feff}", "\u{fffd}", "\u{fffe}", "\u{ffff}", "\u{10000}", "\u{1fffe}", "\u{e0001}",
    "\u{10ffff}", "é", "e\u{301}", "語", "😀", "ı", "ß", "a", "Z", "x: y", "- a\n- b\n", "a: 1\nb: 2\n", "key", "<", ">=", "=x", "/", "~/x", "&amp;", "</script>", ".", "..", "+", "_", "^", ";", "(", ")",
];

/// A word alone, or up to six words and pieces in a row, and now and then any character at all.
fn text() -> impl Strategy<Value = String> {
    let glued = prop::collection::vec(prop_oneof![1 => select(WORDS), 3 => select(PIECES)], 1..7).prop_map(|parts| parts.concat());
    let any = prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter);
    let cased = select(WORDS).prop_flat_map(|word| select(vec![word.to_owned(), word.to_uppercase(), word.to_lowercase(), title(word)]));
    prop_oneof![8 => glued, 1 => any, 1 => cased]
}

fn title(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Any value of JSON whose numbers a manifest may hold.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_filter_map("JSON has finite numbers only", |x| serde_json::Number::from_f64(x).map(Value::from)),
        1 => prop_oneof![Just(json!(null)), Just(json!(true)), Just(json!(false)), Just(json!([])), Just(json!({}))],
    ];
    leaf.prop_recursive(6, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 1..5).prop_map(|map| Value::from(Map::from_iter(map))),
        ]
    })
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// The strings: what was picked by hand, long keys, and what the strategy makes until there are enough of them.
fn strings() -> Vec<String> {
    let mut strings: BTreeSet<String> = WORDS.iter().chain(PIECES).map(|text| (*text).to_owned()).collect();
    strings.extend(WORDS.iter().flat_map(|word| [word.to_uppercase(), title(word)]));
    for length in [120, 121, 128, 129, 1_023, 1_024, 1_025, 5_000] {
        strings.extend(["k", " ", "\"", "\\", "\u{1}", "語", "\u{1fffe}", "k: ", "a\n"].map(|piece| piece.repeat(length)));
    }
    let (mut runner, strategy) = (runner(0), text());
    while strings.len() < STRINGS {
        strings.insert(strategy.new_tree(&mut runner).unwrap().current());
    }
    strings.into_iter().collect()
}

/// Every string as a value, a key, an item, and as key and value deep inside; some tens of strings to a document.
fn documents() -> Vec<Value> {
    let strings = strings();
    let document = |strings: &[String]| {
        let keys: Map<String, Value> = strings.iter().map(|text| (text.clone(), json!(1))).collect();
        let lists: Map<String, Value> = strings.iter().map(|text| (text.clone(), json!([text]))).collect();
        let values: Map<String, Value> = strings.iter().enumerate().map(|(at, text)| (format!("k{at}"), json!(text))).collect();
        let nested: Vec<Value> = strings.iter().map(|text| json!([{"name": text}, [text]])).collect();
        json!({"kind": "Strings", "keys": keys, "data": lists, "spec": {"values": values, "items": strings, "nested": [nested]}})
    };
    let mut documents: Vec<Value> = strings.chunks(40).map(document).collect();
    documents.push(json!({"numbers": [0, -1, i64::MAX, i64::MIN, 0.5, -1.5, 1.0, 1e21, 1e-9, 1.797e308, 5e-324, -0.0], "others": [null, true, false, [], {}]}));
    documents
}

/// Whether a reader saw what was written. To some, `1.0` is the number 1.
fn same(written: &Value, read: &Value) -> bool {
    match (written, read) {
        (Value::Number(a), Value::Number(b)) => a == b || (a.is_f64() && a.as_f64() == b.as_f64()),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b))),
        (a, b) => a == b,
    }
}

/// What the readers that are part of the test see in the text of one document.
fn readings(text: &str) -> [(&'static str, Result<Value, String>); 4] {
    let strict =
        serde_saphyr::options! { strict_booleans: true, leading_zero_numbers_as_strings: true, underscored_numbers_as_strings: true };
    let own = manifest::read(text).map(|mut documents| if documents.len() == 1 { documents.remove(0) } else { Value::from(documents) });
    [
        ("our reader", own.map_err(|problem| format!("{problem:?}"))),
        ("serde-saphyr", serde_saphyr::from_str(text).map_err(|error| error.to_string())),
        ("serde-saphyr, strictly YAML 1.2", serde_saphyr::from_str_with_options(text, strict).map_err(|error| error.to_string())),
        ("libyaml", serde_yaml::from_str(text).map_err(|error| error.to_string())),
    ]
}

#[test]
fn any_value_is_read_back_as_it_was() {
    let written = value().prop_filter("an empty document is none", |value| !value.is_null());
    runner(3_000)
        .run(&written, |value| {
            let text = emit::file(&["A header."], std::slice::from_ref(&value));
            for (reader, read) in readings(&text) {
                prop_assert!(read.as_ref().is_ok_and(|read| same(&value, read)), "{reader} reads {read:?} in:\n{text}");
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn ten_thousand_hostile_strings_are_read_back_by_each_library() {
    for document in documents() {
        let text = emit::file(&[], std::slice::from_ref(&document));
        for (reader, read) in readings(&text) {
            assert!(read.as_ref().is_ok_and(|read| same(&document, read)), "{reader}: {}", difference(&document, read.as_ref()));
        }
    }
}

#[test]
fn many_documents_in_one_file_stay_apart() {
    let documents = documents();
    let text = emit::file(&["one", "two"], &documents);
    assert_eq!(manifest::read(&text), Ok(documents));
}

#[test]
fn python_reads_ten_thousand_hostile_strings_back() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/yaml/read.py");
    for loader in ["SafeLoader", "CSafeLoader"] {
        read_outside(&format!("PyYAML's {loader}"), Command::new("python3").arg(script).arg(loader));
    }
}

#[test]
fn go_reads_ten_thousand_hostile_strings_back() {
    let what = "sigs.k8s.io/yaml";
    match std::env::var_os("RINGFENCE_JUDGE") {
        Some(judge) => read_outside(what, Command::new(judge).arg("yaml-to-json")),
        None => not_run(what, "RINGFENCE_JUDGE names no program"),
    }
}

/// Gives all documents as one file to a program, which has to print them as JSON.
fn read_outside(what: &str, command: &mut Command) {
    let documents = documents();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("strings.yaml");
    fs::write(&path, emit::file(&["The strings."], &documents)).unwrap();
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
    assert_eq!(read.len(), documents.len(), "{what} sees another number of documents");
    for (document, read) in documents.iter().zip(&read) {
        assert!(same(document, read), "{what}: {}", difference(document, Ok(read)));
    }
}

/// Says loudly what was not tried; in CI everything has to be.
fn not_run(what: &str, reason: &str) {
    eprintln!("not run: {what} does not read the emitter's strings back: {reason}");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "in CI, {what} has to run: {reason}");
}

/// The first place at which two values differ, for people.
fn difference(written: &Value, read: Result<&Value, &String>) -> String {
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

//! Whatever a string holds, and wherever it stands, what the emitter writes is read back as that same string: by our own reader, by two
//! other libraries, and where they are there by Python and by Go, each in one go over the same file.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test stops where it is wrong, says what it lacks, and asks whether it runs in CI"
)]

#[path = "yaml/readers.rs"]
mod readers;
#[path = "yaml/strings.rs"]
mod strings;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use readers::{difference, same};
use ringfence::yaml::{emit, manifest};
use serde_json::{Map, Number, Value, json};
use strings::{runner, text};

/// Any value of JSON whose numbers a manifest may hold.
fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("JSON has finite numbers only", |x| Number::from_f64(x).map(Value::from)),
    ];
    nested(number)
}

/// Any value of JSON whose leaves that are numbers come from a strategy.
fn nested(number: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => text().prop_map(Value::from),
        2 => number,
        1 => prop_oneof![Just(json!(null)), Just(json!(true)), Just(json!(false)), Just(json!([])), Just(json!({}))],
    ];
    leaf.prop_recursive(6, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 1..5).prop_map(|map| Value::from(Map::from_iter(map))),
        ]
    })
}

/// Every string as a value, a key, an item, and as key and value deep inside; some tens of strings to a document.
fn documents() -> Vec<Value> {
    let document = |strings: &[String]| {
        let keys: Map<String, Value> = strings.iter().map(|text| (text.clone(), json!(1))).collect();
        let lists: Map<String, Value> = strings.iter().map(|text| (text.clone(), json!([text]))).collect();
        let values: Map<String, Value> = strings.iter().enumerate().map(|(at, text)| (format!("k{at}"), json!(text))).collect();
        let nested: Vec<Value> = strings.iter().map(|text| json!([{"name": text}, [text]])).collect();
        json!({"kind": "Strings", "keys": keys, "lists": lists, "spec": {"values": values, "items": strings, "nested": [nested]}})
    };
    // As people would put them into a cluster.
    let config_map = |strings: &[String]| {
        let data: Map<String, Value> = strings.iter().map(|text| (text.clone(), json!(text))).collect();
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": strings[0], "annotations": data}, "data": data})
    };
    let (hostile, short) = (strings::hostile(), strings::short());
    let mut documents: Vec<Value> = hostile.chunks(40).flat_map(|strings| [document(strings), config_map(strings)]).collect();
    // These are many: a key and a value of each are enough.
    let pairs = |strings: &[String]| -> Map<String, Value> { strings.iter().map(|text| (text.clone(), json!(text))).collect() };
    documents.extend(short.chunks(400).map(|strings| json!({"data": pairs(strings)})));
    documents.push(json!({"numbers": [0, -1, i64::MAX, i64::MIN, 0.1, 0.5, -1.5, 1.0, 1e21, 1e300, 1e-9, 1.797e308, 5e-324, -0.0], "others": [null, true, false, [], {}]}));
    documents
}

/// Random values with the whole numbers that every language holds, as one file and one by one.
fn random_documents() -> (String, Vec<Value>) {
    let whole = prop_oneof![4 => any::<i64>(), 1 => Just(i64::MIN), 1 => Just(i64::MAX), 1 => Just(0)].prop_map(Value::from);
    let (mut runner, strategy) = (runner(0), nested(whole));
    let documents: Vec<Value> = (0..2_000).map(|_| json!({"value": strategy.new_tree(&mut runner).unwrap().current()})).collect();
    (emit::file(&["Random values."], &documents), documents)
}

fn assert_read_back(value: &Value) {
    let text = emit::file(&["A header."], std::slice::from_ref(value));
    for (reader, read) in readers::inside(&text) {
        assert!(read.as_ref().is_ok_and(|read| same(value, read)), "{reader}: {}", difference(value, read.as_ref()));
    }
}

#[test]
fn any_value_is_read_back_as_it_was() {
    let written = value().prop_filter("an empty document is none", |value| !value.is_null());
    runner(3_000)
        .run(&written, |value| {
            let text = emit::file(&["A header."], std::slice::from_ref(&value));
            for (reader, read) in readers::inside(&text) {
                prop_assert!(read.as_ref().is_ok_and(|read| same(&value, read)), "{reader} reads {read:?} in:\n{text}");
            }
            let again = manifest::read(&text).unwrap();
            prop_assert_eq!(emit::file(&["A header."], &again), text, "written again, it is another text");
            Ok(())
        })
        .unwrap();
}

#[test]
fn tens_of_thousands_of_hostile_strings_are_read_back_by_each_library() {
    documents().iter().for_each(assert_read_back);
}

#[test]
fn many_documents_in_one_file_stay_apart() {
    let documents = documents();
    let text = emit::file(&["one", "two"], &documents);
    assert_eq!(manifest::read(&text), Ok(documents.clone()));
    assert_eq!(manifest::read_fully(&text), Ok(documents));
}

#[test]
fn python_reads_hostile_strings_and_random_values_back() {
    let documents = documents();
    readers::python(&emit::file(&["The strings."], &documents), &documents);
    let (text, documents) = random_documents();
    readers::python(&text, &documents);
}

#[test]
fn go_reads_hostile_strings_and_random_values_back() {
    let documents = documents();
    readers::go(&emit::file(&["The strings."], &documents), &documents);
    let (text, documents) = random_documents();
    readers::go(&text, &documents);
}

#[test]
fn no_header_becomes_part_of_a_document() {
    let written = json!({"a": 1});
    for header in strings::hostile().chunks(100) {
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let text = emit::file(&header, std::slice::from_ref(&written));
        for (reader, read) in readers::inside(&text) {
            assert_eq!(read.as_ref(), Ok(&written), "{reader}, in:\n{text}");
        }
        assert_eq!(text.lines().count(), header.len() + 2, "a line of a header is one line:\n{text}");
    }
}

#[test]
fn whole_numbers_that_kubernetes_would_round_are_refused_and_never_rounded() {
    for number in [u64::MAX, i64::MAX as u64 + 1] {
        let text = emit::file(&[], &[json!({"a": number})]);
        assert_eq!(text, format!("a: {number}\n"));
        for (reader, read) in readers::inside(&text) {
            let own = reader.starts_with("our reader");
            assert!(if own { read.is_err() } else { read == Ok(json!({"a": number})) }, "{reader} reads {read:?}");
        }
    }
}

#[test]
fn the_sample_trees_are_written_as_they_are_read() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/output");
    let mut files = 0;
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim_start).collect();
        for read in [manifest::read(&text), manifest::read_fully(&text)] {
            assert_eq!(emit::file(&header, &read.unwrap()), text, "{}", path.display());
        }
        files += 1;
    }
    assert!(files > 100, "the sample has {files} files only");
}

/// Texts as a template could make them, by accident or because somebody wants to deceive: what the emitter writes, with pieces of syntax put in
/// or characters taken out.
fn mutants() -> impl Strategy<Value = String> {
    let change = (any::<Index>(), prop::option::weighted(0.7, text()));
    (nested(any::<i64>().prop_map(Value::from)), prop::collection::vec(change, 1..4)).prop_map(|(value, changes)| {
        let mut text = emit::file(&[], &[json!({"a": 1, "b": value, "c": ["d", {"e": "f"}]})]);
        for (place, piece) in changes {
            let (at, c) = text.char_indices().nth(place.index(text.chars().count())).unwrap();
            match piece {
                Some(piece) => text.insert_str(at, &piece),
                None => text.replace_range(at..at + c.len_utf8(), ""),
            }
            if text.is_empty() {
                break;
            }
        }
        text + "\n"
    })
}

/// The mutants that our reader takes for one document, and what it reads.
fn accepted(count: usize) -> Vec<(String, Value)> {
    let (mut runner, strategy) = (runner(0), mutants());
    let texts = (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current());
    texts
        .filter_map(|text| match <[Value; 1]>::try_from(manifest::read(&text).ok()?) {
            Ok([value]) => Some((text, value)),
            Err(_) => None,
        })
        .collect()
}

#[test]
fn what_our_reader_takes_no_other_reads_as_something_else() {
    let accepted = accepted(6_000);
    assert!(accepted.len() > 1_000, "only {} mutants are YAML", accepted.len());
    for (text, value) in accepted {
        // libyaml ends a line at these, within quotes too, where templates put them as JSON does; what we write escapes them.
        let folded = text.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}']);
        for (reader, read) in readers::inside(&text) {
            match read {
                Ok(read) => {
                    assert!(
                        same(&value, &read) || (folded && reader == "libyaml"),
                        "{reader}: {}\n{text:?}",
                        difference(&value, Ok(&read))
                    );
                }
                Err(problem) => assert!(!reader.starts_with("our reader"), "{reader}: {problem}\n{text:?}"),
            }
        }
    }
}

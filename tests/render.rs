//! Every format of findings, compared byte for byte with `tests/render/expected`. `UPDATE=1 cargo test --test render` rewrites.

#![allow(clippy::unwrap_used, reason = "a test gives up where something is not as it says")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ringfence::diag::render::{Format, Options, render};
use ringfence::diag::{Code, Diag, Severity};
use ringfence::source::{FileId, Files, Span};

const FORMATS: [(Format, &str); 6] = [
    (Format::Human, "human.txt"),
    (Format::Json, "json"),
    (Format::Sarif, "sarif"),
    (Format::Github, "github.txt"),
    (Format::Gitlab, "gitlab.json"),
    (Format::Junit, "junit.xml"),
];

#[test]
fn every_format_writes_the_sample_as_expected() {
    let (files, diags) = sample();
    for (format, name) in FORMATS {
        expect(&format!("sample.{name}"), &render(format, &diags, &files, &Options::default()));
    }
}

#[test]
fn every_format_has_something_to_say_of_a_clean_inventory() {
    for (format, name) in FORMATS {
        expect(&format!("clean.{name}"), &render(format, &[], &Files::default(), &Options::default()));
    }
}

#[test]
fn colours_and_a_narrow_terminal() {
    let (files, diags) = sample();
    expect("sample.human-color.txt", &render(Format::Human, &diags, &files, &Options { color: true, ..Options::default() }));
    expect("sample.human-narrow.txt", &render(Format::Human, &diags, &files, &Options { width: 60, ..Options::default() }));
}

#[test]
fn github_gets_no_more_than_its_caps() {
    let (files, diags) = many();
    let text = render(Format::Github, &diags, &files, &Options::default());
    for command in ["::error ", "::warning ", "::notice "] {
        assert_eq!(text.lines().filter(|line| line.starts_with(command)).count(), 10, "{command}");
    }
    expect("many.github.txt", &text);
}

#[test]
fn machine_formats_parse_and_are_ascii() {
    let (files, diags) = sample();
    for format in [Format::Json, Format::Sarif, Format::Gitlab] {
        let text = render(format, &diags, &files, &Options::default());
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        assert!(text.is_ascii());
    }
    assert!(render(Format::Junit, &diags, &files, &Options::default()).is_ascii());
}

#[test]
fn nothing_that_steers_a_terminal_gets_through() {
    let (files, diags) = sample();
    for format in [Format::Human, Format::Github, Format::Junit] {
        let text = render(format, &diags, &files, &Options::default());
        let bad: BTreeSet<char> = text
            .chars()
            .filter(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{200b}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
            .collect();
        assert!(bad.is_empty(), "{format:?}: {bad:?}");
    }
}

#[test]
fn no_place_is_too_odd_to_show() {
    let mut files = Files::default();
    let file = files.add("a.yaml", "\u{feff}é:\t漢\r\n\n \r\u{202e}\u{1b}x\n😀e\u{301}\nlast");
    let text = files.text(file).to_owned();
    let bounds: Vec<u32> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).map(|at| u32::try_from(at).unwrap()).collect();
    for (index, start) in bounds.iter().enumerate() {
        for end in &bounds[index..] {
            let span = Span { file, start: *start, end: *end };
            let diag = Diag::new(Code::UnknownKey, span, "m").label("here").related(Span { start: *end, ..span }, "there");
            let at = files.line_col(span);
            for width in [0, 1, 20, 140] {
                let text = render(Format::Human, std::slice::from_ref(&diag), &files, &Options { width, ..Options::default() });
                assert!(text.contains(&format!("--> a.yaml:{}:{}\n", at.line, at.column)), "{start}..{end} at {width}:\n{text}");
            }
        }
    }
}

#[test]
fn fingerprints_of_a_run_differ() {
    let (files, diags) = many();
    let text = render(Format::Gitlab, &diags, &files, &Options::default());
    let findings: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let prints: BTreeSet<&str> = findings.iter().map(|finding| finding["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), diags.len());
}

#[test]
fn no_expected_file_is_left_over() {
    let mut known: BTreeSet<String> = ["sample.human-color.txt", "sample.human-narrow.txt", "many.github.txt"].map(String::from).into();
    known.extend(FORMATS.iter().flat_map(|(_, name)| [format!("sample.{name}"), format!("clean.{name}")]));
    let there: BTreeSet<String> =
        fs::read_dir(expected()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
}

fn expected() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render/expected")
}

#[allow(clippy::disallowed_methods, reason = "a test may be told to rewrite what it expects")]
fn expect(name: &str, actual: &str) {
    // A release must not change what is expected.
    let actual = actual.replace(&format!("\"semanticVersion\": \"{}\"", env!("CARGO_PKG_VERSION")), "\"semanticVersion\": \"VERSION\"");
    let path = expected().join(name);
    if std::env::var("UPDATE").is_ok_and(|value| value == "1") {
        fs::write(&path, &actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == actual, "{name} differs; UPDATE=1 rewrites it. Now it is:\n{actual}");
}

/// The place of a text in a file: its `nth` occurrence, from 0.
fn at(files: &Files, file: FileId, text: &str, nth: usize) -> Span {
    let start = files.text(file).match_indices(text).nth(nth).map(|(at, _)| at).unwrap();
    Span { file, start: u32::try_from(start).unwrap(), end: u32::try_from(start + text.len()).unwrap() }
}

/// One of everything that is hard to show.
fn sample() -> (Files, Vec<Diag>) {
    let mut files = Files::default();
    let fleet = files.add("inventory/fleet.yaml", FLEET);
    let shop = files.add("inventory/teams/shop.yaml", SHOP);
    let crlf = files.add("inventory/crlf.yaml", "fleet:\r\n  name: shop\r\n  nmae: shop\r\n");
    let tabs = files.add("inventory/tabs.yaml", "tiers:\n\t- name:\tpublic\t# tab\n");
    let spoof = files.add("inventory/spoof.yaml", SPOOF);
    let wide = files.add("inventory/wide.yaml", "team: 漢字 # 😀\nowner: naïve e\u{301}quipe\n");
    let long = files
        .add("inventory/long.yaml", format!("first: 1\nconfig: {{ {}typo: 1, {} }}\n", "a: 1, ".repeat(80_000), "b: 2, ".repeat(80_000)));
    let empty = files.add("inventory/unreadable.yaml", "");
    let odd = files.add("inventory/a b,c:%d\n::error é.yaml", "key: value");
    let span = |file, text, nth| at(&files, file, text, nth);
    let end = |file: FileId| {
        let end = u32::try_from(files.text(file).len()).unwrap();
        Span { file, start: end, end }
    };

    let diags = vec![
        Diag::new(Code::UnknownKey, span(fleet, "isolaton", 0), "unknown key `isolaton`")
            .label("not a key of a tier")
            .help("Did you mean `isolation`?"),
        Diag::new(Code::DuplicateKey, span(fleet, "level", 1), "key `level` is written twice")
            .label("written again")
            .related(span(fleet, "level", 0), "first written here")
            .help("Remove one of the two."),
        Diag::new(
            Code::TierBelowData,
            span(shop, "public", 0),
            "workload `cart` is in tier `public`, below the tier that its data demands",
        )
        .label("level 0")
        .related(span(shop, "[cards]", 0), "because of this data")
        .related(span(fleet, "confidential", 1), "`cards` demands tier `confidential`")
        .help("Move the workload to tier `confidential`.")
        .help("If it holds no `cards`, take them off its `data`."),
        Diag::new(Code::DuplicateDefinition, span(shop, "cart", 1), "two workloads are named `cart`")
            .related(span(shop, "cart", 0), "the first"),
        Diag::new(Code::MissingKey, span(shop, "name: cart\n    tier: public\n    data: [cards]", 0), "key `image` is missing")
            .label("this workload"),
        Diag::new(Code::UnknownKey, span(crlf, "nmae", 0), "unknown key `nmae`").label("not a key of the fleet"),
        Diag::new(
            Code::YamlSyntax,
            Span { end: span(crlf, "nmae: shop", 0).end, start: span(crlf, "nmae: shop", 0).end, file: crlf },
            "not YAML",
        )
        .label("at the line's end"),
        Diag::new(Code::YamlSyntax, span(tabs, "\t", 0), "a tab in the indentation").label("YAML indents with spaces"),
        Diag::new(Code::UnknownReference, span(tabs, "public", 0), "no tier is named `public`"),
        Diag::new(Code::InvalidName, span(spoof, "evil\u{1b}[2J\u{202e}", 0), "`evil\u{1b}[2J\u{202e}` is no name\nerror: all is well")
            .label("\u{1b}]0;title\u{7}")
            .help("Use \u{2067}letters\u{2069}, digits and `-` only: {0}, [a](1)."),
        Diag::new(Code::InvalidValue, span(spoof, "hidden", 0), "an unseen character").label("after this"),
        Diag::new(Code::InvalidName, span(wide, "漢字", 0), "`漢字` is no name")
            .label("two characters")
            .related(span(wide, "e\u{301}quipe", 0), "and this one"),
        Diag::new(Code::UnknownKey, span(long, "typo", 0), "unknown key `typo`")
            .label("in the middle of a long line")
            .related(span(long, "first", 0), "the first key"),
        Diag::new(Code::WrongType, span(long, "{ a: 1, ", 0).to(end(long)), "a mapping where a number is meant"),
        Diag::new(Code::FileUnreadable, files.start(empty), "the file cannot be read")
            .label("a link that leads nowhere")
            .help("Remove the link, or mend it."),
        Diag::new(Code::NoFleet, files.start(fleet), "no file states `fleet`"),
        Diag::new(Code::YamlSyntax, end(fleet), "the file ends within a mapping")
            .label("a value is missing here")
            .related(files.start(empty), "an empty file"),
        Diag::new(Code::UnknownKey, span(odd, "key", 0), "unknown key `key`").help("50% of paths, and more: are odd."),
        Diag::new(Code::YamlSyntax, end(odd), "no line break at the end"),
        Diag::new(Code::ExpiresSoon, span(fleet, "2026-11-20", 0), "exemption `legacy` ends in 12 days").label("its last day"),
        Diag::new(Code::NotGenerated, span(fleet, "labelDomain", 0), "nothing is made of `labelDomain` yet"),
    ];
    (files, diags)
}

/// More of each severity than GitHub takes, all with the same line.
fn many() -> (Files, Vec<Diag>) {
    let mut files = Files::default();
    let file = files.add("inventory/many.yaml", "key: 1\n".repeat(300));
    let severities = [Severity::Note, Severity::Warning, Severity::Error];
    let diags = (0..300_u32)
        .map(|line| {
            let span = Span { file, start: line * 7, end: line * 7 + 3 };
            let mut diag = Diag::new(Code::UnknownKey, span, format!("finding {line}"));
            diag.severity = severities[line as usize % 3];
            diag
        })
        .collect();
    (files, diags)
}

const FLEET: &str = "\
fleet:
  name: shop
  labelDomain: shop.example
tiers:
  - name: public
    level: 0
    isolaton: namespace
  - name: confidential
    level: 2

    # the second time
    level: 3
data:
  cards: confidential
exemptions:
  - name: legacy
    until: 2026-11-20
    why:
";

const SHOP: &str = "\
team: shop
workloads:
  - name: cart
    tier: public
    data: [cards]
    # 1
    # 2
    # 3
    # 4
    # 5
  - name: cart
    tier: confidential
";

const SPOOF: &str = "\u{feff}name: evil\u{1b}[2J\u{202e}\u{2066} # ok\u{2069}\nkey: hidden\u{200b}\u{9b}31m\r \u{e0041}text\n";

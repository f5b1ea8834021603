//! The strings: picked by hand, all short ones over a few characters, and random ones, always the same.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How many different strings there are at least, without those of [`short`].
const ENOUGH: usize = 10_000;

/// What some reader takes for more than text; alone, in all cases, and glued to one another.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "", "yes", "no", "on", "off", "y", "n", "true", "false", "null", "~", "=", "<<", "nan", "inf", ".inf", "-.inf", "+.inf", ".nan", "0", "00", "0777", "0o7", "0O7",
    "0x1F", "0b1", "0b11", "08", "1", "-1", "+1", "1_000", "1_0.5", "1__0", "1_", "_1", "-_7", "+_7", "0x_1", "1.", "5.", ".5", "-.5", "._5", "1.10", "1e3", "12e03",
    "1.5e3", "1.5e+3", "1E+2", "1E+3", "1,000", "1:30", "12:30:45", "190:20:30", "190:20:30.15", "2024-01-01", "2024-1-1", "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43.10 -5", "2024-01-01T00:00:00Z", "10.0.0.1", "10.0.0.0/8", "1.2.3", "64Mi", "250m", "9223372036854775808", "18446744073709551616", "1e999", "-0",
    "-0.0", "0.", "!!binary", "tag:yaml.org,2002:str",
];

/// What is syntax somewhere, is seen by nobody, or breaks lines for some.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    ":", ": ", ":\t", "::", " #", "#", "# ", "-", "- ", "--", "---", "---\n", "\n---\n", "--- ", "...", "\n...\n", "? ", "?", "| ", "|", ">", ">-\n", "&a", "*a", "!t", "!tag", "!", "%", "%TAG",
    "%YAML 1.1\n", "@", "@x", "`", "{", "}", "[", "]", ",", ", ", "{{", "}}", "{{ x }}", "{{ .Values.x }}", "{% if x %}", "${X}", "$${X}", "$(X)", "'", "''", "\"", "\\", "\\n", "\\u0041", "\\x",
    " ", "  ", "\t", "\n", "\n\n", "\n  ", "\n\t", " \n", "\t\n", "\r", "\r\n", "\u{b}", "\u{c}", "\u{0}", "\u{1}", "\u{7}", "\u{8}", "\u{1b}", "\u{1f}", "\u{7f}", "\u{80}", "\u{85}", "\u{9f}",
    "\u{a0}", "\u{ad}", "\u{61c}", "\u{200b}", "\u{200d}", "\u{200e}", "\u{2028}", "\u{2029}", "\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}", "\u{3000}", "\u{d7ff}", "\u{e000}", "\u{fdd0}",
    "\u{feff}", "\u{fffd}", "\u{fffe}", "\u{ffff}", "\u{10000}", "\u{1fffe}", "\u{e0001}", "\u{10ffff}", "é", "e\u{301}", "語", "😀", "ı", "ß", "a", "Z", "x: y", "- a\n- b\n", "a: 1\nb: 2\n",
    "key", "<", ">=", "=x", "/", "~/x", "&amp;", "</script>", ".", "..", "+", "_", "^", ";", "(", ")", "{\"a\": [1, null, \"b\"]}", "[\"a\", {}]", "\"a\"", "{}", "[]",
];

/// A word alone, or up to six words and pieces in a row, and now and then any character at all.
pub fn text() -> impl Strategy<Value = String> {
    let glued = prop::collection::vec(prop_oneof![1 => select(WORDS), 3 => select(PIECES)], 1..7).prop_map(|parts| parts.concat());
    let any = prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter);
    let cased = select(WORDS).prop_flat_map(|word| select(cases(word)));
    prop_oneof![8 => glued, 1 => any, 1 => cased]
}

/// Always the same random choices.
pub fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// What was picked by hand, and what [`text`] makes until there are enough.
pub fn hostile() -> Vec<String> {
    let mut strings: BTreeSet<String> = PIECES.iter().map(|text| (*text).to_owned()).collect();
    strings.extend(WORDS.iter().flat_map(|word| cases(word)));
    for length in [120, 121, 128, 129, 1_023, 1_024, 1_025, 5_000] {
        strings.extend(["k", " ", "\"", "\\", "\u{1}", "語", "\u{1fffe}", "k: ", "a\n"].map(|piece| piece.repeat(length)));
    }
    // Every control character, alone and where it could end a line or a text.
    for control in (0..0xa0).filter_map(char::from_u32).filter(|c| c.is_control()) {
        strings.extend([
            format!("{control}"),
            format!("a{control}b"),
            format!("{control}a"),
            format!("a\nb{control}"),
            format!("a{control}\nb\n"),
        ]);
    }
    // Blank lines before, a first line that is indented or not, one in the middle, and blank lines after: all that a block scalar could lose.
    for before in ["", "\n", "\n\n"] {
        for first in ["a", " a", "  a", "\ta", "- a", "# a", "--- a", "a: ", "a "] {
            for middle in ["", "\nb", "\n\nb", "\n b", "\n\tb", "\n \nb", "\r\nb", "\n---", "\n...", "\n--- b", "\n# b", "\n%b", "\n- b"] {
                strings.extend(["", "\n", "\n\n", "\n\n\n", "\n ", " \n"].map(|after| [before, first, middle, after].concat()));
            }
        }
    }
    let (mut runner, strategy) = (runner(0), text());
    while strings.len() < ENOUGH {
        strings.insert(strategy.new_tree(&mut runner).expect("any choice is one").current());
    }
    strings.into_iter().collect()
}

/// All strings of up to three characters of syntax, and of up to five characters of numbers.
pub fn short() -> Vec<String> {
    let mut strings = BTreeSet::new();
    for (alphabet, longest) in [("a1 \n\t-:#'\"\\.?!&*%|,[{=<~", 3), ("017._-+ex:o,", 4), ("0_x-+.", 5)] {
        let mut layer = vec![String::new()];
        for _ in 0..longest {
            layer = layer.iter().flat_map(|head| alphabet.chars().map(move |c| format!("{head}{c}"))).collect();
            strings.extend(layer.iter().cloned());
        }
    }
    strings.into_iter().collect()
}

/// A word as it is, in capitals, in small letters, and with a capital at its start.
fn cases(word: &str) -> Vec<String> {
    let mut chars = word.chars();
    let title = chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default();
    vec![word.to_owned(), word.to_uppercase(), word.to_lowercase(), title]
}

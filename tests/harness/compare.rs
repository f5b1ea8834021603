//! Saying how what is differs from what should be.

use super::tree::{Entry, Tree};

/// Lines of one difference that are shown.
const MAX_LINES: usize = 60;

/// How two files differ: the lines that are not common to both ends, `-` expected and `+` there. Nothing where they are equal.
pub(super) fn bytes(name: &str, expected: &[u8], actual: &[u8]) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (old, new) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(actual));
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let changed = |lines: &[&str], sign: char| -> Vec<String> {
        lines[head..lines.len() - tail].iter().map(|line| format!("  {sign}{}", shown(line))).collect()
    };
    let mut lines = changed(&old, '-');
    lines.extend(changed(&new, '+'));
    let more = lines.len().saturating_sub(MAX_LINES);
    lines.truncate(MAX_LINES);
    if more > 0 {
        lines.push(format!("  ... and {more} more lines"));
    }
    Some(format!("{name} differs from line {} on (- expected, + there):\n{}", head + 1, lines.join("\n")))
}

/// A line, with the end of it where that is not a plain line break.
fn shown(line: &str) -> String {
    match line.strip_suffix('\n') {
        Some(line) => line.replace('\r', "\\r").replace('\u{1b}', "\\e"),
        None => format!("{line} (no line break at the end)"),
    }
}

/// How two trees differ, in either direction.
pub(super) fn trees(expected: &Tree, actual: &Tree) -> Option<String> {
    let mut problems = Vec::new();
    for (path, entry) in expected {
        match actual.get(path) {
            None => problems.push(format!("output/{path} is missing")),
            Some(there) => problems.extend(entries(&format!("output/{path}"), entry, there)),
        }
    }
    let unexpected = actual.keys().filter(|path| !expected.contains_key(*path));
    problems.extend(unexpected.map(|path| format!("output/{path} is there and not expected")));
    (!problems.is_empty()).then(|| problems.join("\n"))
}

fn entries(name: &str, expected: &Entry, actual: &Entry) -> Option<String> {
    match (expected, actual) {
        (Entry::File(old), Entry::File(new)) => bytes(name, old, new),
        _ if expected == actual => None,
        _ => Some(format!("{name} should be {} and is {}", kind(expected), kind(actual))),
    }
}

fn kind(entry: &Entry) -> String {
    match entry {
        Entry::File(_) => "a file".to_owned(),
        Entry::Symlink(target) => format!("a link to {}", target.display()),
        Entry::EmptyFolder => "an empty folder".to_owned(),
    }
}

//! Tests of the cases themselves.

use std::collections::BTreeSet;
use std::path::Path;

use ringfence::diag::Code;

use super::Verdict;
use super::case::{Case, entries, is_folder};

/// What a test makes of all cases.
pub(super) type Check = fn(&[Case]) -> Verdict;

/// Their names and what they check.
pub(super) const TESTS: [(&str, Check); 4] = [
    ("every_code_has_a_case", every_code_has_a_case),
    ("every_error_and_warning_says_what_to_do", every_error_and_warning_says_what_to_do),
    ("every_folder_of_diagnostics_is_a_code", every_folder_of_diagnostics_is_a_code),
    ("nothing_stands_beside_the_cases", nothing_stands_beside_the_cases),
];

fn every_code_has_a_case(cases: &[Case]) -> Verdict {
    let shown: BTreeSet<&str> = cases.iter().filter_map(|case| case.code.as_deref()).collect();
    let missing = Code::ALL.iter().map(|code| code.name()).filter(|name| !shown.contains(name));
    none(missing.map(|name| format!("tests/diagnostics/{name}")), "no case shows these codes")
}

/// Findings that people are shown, in every case: a report ends where the next one begins.
fn every_error_and_warning_says_what_to_do(cases: &[Case]) -> Verdict {
    let mut silent = BTreeSet::new();
    for case in cases {
        let files = entries(&case.folder).map_err(|error| error.to_string())?;
        for (_, path) in files.iter().filter(|(name, _)| name.starts_with("stderr")) {
            let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
            let reports = text.split("\n\n").filter(|report| report.starts_with("error[") || report.starts_with("warning["));
            let without = reports.filter(|report| !report.lines().any(|line| line.trim_start().starts_with("= help: ")));
            silent.extend(without.filter_map(|report| Some(format!("{}: {}", case.name, report.lines().next()?))));
        }
    }
    none(silent.into_iter(), "these findings have no help")
}

fn every_folder_of_diagnostics_is_a_code(cases: &[Case]) -> Verdict {
    let unknown: BTreeSet<&str> =
        cases.iter().filter_map(|case| case.code.as_deref()).filter(|name| Code::from_name(name).is_none()).collect();
    none(unknown.into_iter().map(|name| format!("tests/diagnostics/{name}")), "no code has this name")
}

/// A file where an area or a case is expected, or an area without a case, would never be looked at.
fn nothing_stands_beside_the_cases(_: &[Case]) -> Verdict {
    let mut strays = Vec::new();
    let read = |folder: &Path| entries(folder).map_err(|error| error.to_string());
    for kind in ["cases", "diagnostics"] {
        for (area, path) in read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(kind))? {
            let below = if is_folder(&path) { read(&path)? } else { Vec::new() };
            if !below.iter().any(|(_, path)| is_folder(path)) {
                strays.push(format!("tests/{kind}/{area}"));
            }
            strays.extend(below.iter().filter(|(_, path)| !is_folder(path)).map(|(name, _)| format!("tests/{kind}/{area}/{name}")));
        }
    }
    none(strays.into_iter(), "these are no cases")
}

fn none(found: impl Iterator<Item = String>, what: &str) -> Verdict {
    let found: Vec<String> = found.collect();
    if found.is_empty() { Ok(()) } else { Err(format!("{what} ({}):\n  {}", found.len(), found.join("\n  "))) }
}

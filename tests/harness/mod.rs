//! A case is a folder:
//!
//! ```text
//! tests/cases/AREA/CASE/         any run of the program
//! tests/diagnostics/CODE/CASE/   the least that provokes a finding; `[CODE]` must be in what is written
//!     case.yaml                  what is run, see [`spec::Spec`]; may be missing below diagnostics
//!     inventory/ output/ ...     every folder but `expected` is copied into a fresh folder, where the program runs
//!     stdout.txt stderr.txt      what it writes, byte for byte; no file means nothing
//!     expected/                  what `output/` then is, paths and bytes, both ways; no such folder means: what it was
//! ```
//!
//! Anything else in a case is left over from something, and fails it.

mod arguments;
mod case;
mod compare;
mod meta;
mod run;
mod spec;
mod tree;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use arguments::Arguments;
use case::Case;

/// How many cases run at a time.
const THREADS: usize = 2;

/// What Rust's own test programs exit with when a test failed.
const FAILED: u8 = 101;

/// Nothing, or why the test failed.
type Verdict = Result<(), String>;

/// What the environment asks for.
struct Settings {
    /// The program under test.
    program: PathBuf,
    /// Whether to rewrite what is expected.
    update: bool,
}

enum Test<'a> {
    Case(&'a Case),
    Meta(meta::Check),
}

/// Runs the tests that the command line asks for, in the manner of Rust's own test programs.
pub(super) fn main() -> ExitCode {
    let arguments = Arguments::parse(std::env::args().skip(1));
    let cases = match case::discover(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")) {
        Ok(cases) => cases,
        Err(error) => {
            say(&format!("the cases cannot be read: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    let meta = meta::TESTS.iter().map(|(name, check)| (format!("meta/{name}"), Test::Meta(*check)));
    let all: Vec<_> = cases.iter().map(|case| (case.name.clone(), Test::Case(case))).chain(meta).collect();
    let total = all.len();
    let tests: Vec<_> = all.into_iter().filter(|(name, _)| arguments.want(name)).collect();
    if arguments.list {
        for (name, _) in &tests {
            say(&format!("{name}: test"));
        }
        return ExitCode::SUCCESS;
    }
    let failures = run_all(&tests, &cases, &settings());
    report(tests.len(), total, &failures)
}

/// Reads the environment: `UPDATE=1` rewrites, `RINGFENCE_BIN` names another program than the one just built.
#[allow(clippy::disallowed_methods, reason = "the environment decides how tests run, and no byte of what they expect")]
fn settings() -> Settings {
    Settings {
        program: std::env::var_os("RINGFENCE_BIN").map_or_else(|| env!("CARGO_BIN_EXE_ringfence").into(), PathBuf::from),
        update: std::env::var("UPDATE").is_ok_and(|value| value == "1"),
    }
}

/// Runs tests on [`THREADS`] threads and says each verdict as it comes; the failures by name.
fn run_all(tests: &[(String, Test<'_>)], cases: &[Case], settings: &Settings) -> Vec<(String, String)> {
    say(&format!("\nrunning {} test{}", tests.len(), if tests.len() == 1 { "" } else { "s" }));
    let next = AtomicUsize::new(0);
    let (sender, verdicts) = mpsc::channel();
    let mut failures = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((name, test)) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = match test {
                        Test::Case(case) => run::run(case, settings),
                        Test::Meta(check) => check(cases),
                    };
                    if sender.send((name, verdict)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (name, verdict) in verdicts {
            say(&format!("test {name} ... {}", if verdict.is_ok() { "ok" } else { "FAILED" }));
            failures.extend(verdict.err().map(|why| (name.clone(), why)));
        }
    });
    failures.sort();
    failures
}

fn report(ran: usize, total: usize, failures: &[(String, String)]) -> ExitCode {
    if !failures.is_empty() {
        say("\nfailures:\n");
        for (name, why) in failures {
            say(&format!("---- {name} ----\n{why}\n"));
        }
        say("failures:");
        for (name, _) in failures {
            say(&format!("    {name}"));
        }
    }
    let (word, code) = if failures.is_empty() { ("ok", ExitCode::SUCCESS) } else { ("FAILED", ExitCode::from(FAILED)) };
    let (passed, failed, filtered) = (ran - failures.len(), failures.len(), total - ran);
    say(&format!("\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {filtered} filtered out\n"));
    code
}

/// Writes a line to stdout; a reader that went away is no failure of a test.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

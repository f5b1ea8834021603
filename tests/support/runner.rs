//! Runs tests whose names are found at run time, in the manner of Rust's own test programs.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// What Rust's own test programs exit with when a test failed.
const FAILED: u8 = 101;

/// Nothing, or why the test failed.
pub type Verdict = Result<(), String>;

/// Runs units of work, so many at a time. Each says the names of its tests and their verdicts as they come.
pub fn run<U: Sync>(
    units: &[U],
    threads: usize,
    total: usize,
    filtered: usize,
    work: impl Fn(&U, &dyn Fn(&str, Verdict)) + Sync,
) -> ExitCode {
    say(&format!("\nrunning {total} test{}", if total == 1 { "" } else { "s" }));
    let next = AtomicUsize::new(0);
    let (sender, verdicts) = mpsc::channel();
    let (mut ran, mut failures) = (0, Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // Nobody listens only where the run is over.
                    work(unit, &|name, verdict| drop(sender.send((name.to_owned(), verdict))));
                }
            });
        }
        drop(sender);
        for (name, verdict) in verdicts {
            ran += 1;
            say(&format!("test {name} ... {}", if verdict.is_ok() { "ok" } else { "FAILED" }));
            failures.extend(verdict.err().map(|why| (name, why)));
        }
    });
    failures.sort();
    report(ran, filtered, &failures)
}

/// Writes the names of tests, as `--list` asks.
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> ExitCode {
    names.into_iter().for_each(|name| say(&format!("{name}: test")));
    ExitCode::SUCCESS
}

/// Fails before any test.
pub fn fail(why: &str) -> ExitCode {
    say(why);
    ExitCode::from(FAILED)
}

fn report(ran: usize, filtered: usize, failures: &[(String, String)]) -> ExitCode {
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
    let (passed, failed) = (ran - failures.len(), failures.len());
    say(&format!("\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {filtered} filtered out\n"));
    code
}

/// Writes a line to stdout; a reader that went away is no failure of a test.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

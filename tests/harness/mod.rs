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

mod case;
mod compare;
mod meta;
mod run;
mod spec;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use case::Case;

use crate::arguments::Arguments;
use crate::runner::{self, Verdict};

/// How many cases run at a time.
const THREADS: usize = 2;

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

/// Runs the tests that the command line asks for.
pub(super) fn main() -> ExitCode {
    let arguments = Arguments::parse(std::env::args().skip(1));
    let cases = match case::discover(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")) {
        Ok(cases) => cases,
        Err(error) => return runner::fail(&format!("the cases cannot be read: {error}")),
    };
    let meta = meta::TESTS.iter().map(|(name, check)| (format!("meta/{name}"), Test::Meta(*check)));
    let all: Vec<_> = cases.iter().map(|case| (case.name.clone(), Test::Case(case))).chain(meta).collect();
    let total = all.len();
    let tests: Vec<_> = all.into_iter().filter(|(name, _)| arguments.want(name)).collect();
    if arguments.list {
        return runner::list(tests.iter().map(|(name, _)| name.as_str()));
    }
    let settings = settings();
    runner::run(&tests, THREADS, tests.len(), total - tests.len(), |(name, test), say| {
        let verdict = match test {
            Test::Case(case) => run::run(case, &settings),
            Test::Meta(check) => check(&cases),
        };
        say(name, verdict);
    })
}

/// Reads the environment: `UPDATE=1` rewrites, `RINGFENCE_BIN` names another program than the one just built.
#[allow(clippy::disallowed_methods, reason = "the environment decides how tests run, and no byte of what they expect")]
fn settings() -> Settings {
    Settings {
        program: std::env::var_os("RINGFENCE_BIN").map_or_else(|| env!("CARGO_BIN_EXE_ringfence").into(), PathBuf::from),
        update: std::env::var("UPDATE").is_ok_and(|value| value == "1"),
    }
}

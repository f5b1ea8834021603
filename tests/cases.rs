//! End-to-end cases: every folder `tests/cases/AREA/CASE` and `tests/diagnostics/CODE/CASE` is a test. [`harness`] says what is in one.
//!
//! `cargo test --test cases FILTER` runs those whose name has the filter in it; `UPDATE=1` rewrites what they expect, for `git diff` to review.

mod harness;

#[path = "support/arguments.rs"]
mod arguments;
#[path = "support/runner.rs"]
mod runner;

fn main() -> std::process::ExitCode {
    harness::main()
}

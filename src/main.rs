//! The `ringfence` program: parse, call, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ringfence::cli::main()
}

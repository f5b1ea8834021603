//! Where output goes: data to stdout, everything else to stderr, colours as the user and the terminal want them.

use std::fmt::Display;
use std::io::Write;
use std::time::{Duration, Instant};

use anstream::AutoStream;

use super::{Color, Failure};
use crate::diag::render::{Format, Options, render};
use crate::diag::{Diag, Severity};
use crate::source::Files;

/// A number and what is counted: `1 file`, `2 files`.
pub(super) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The two streams of the program.
#[derive(Debug)]
pub struct Terminal {
    color: bool,
    quiet: bool,
    verbose: bool,
    started: Instant,
}

impl Terminal {
    pub(super) fn new(color: Color, quiet: bool, verbose: bool) -> Self {
        let choice = match color {
            Color::Auto => AutoStream::choice(&std::io::stderr()),
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        Self { color: choice != anstream::ColorChoice::Never, quiet, verbose, started: Instant::now() }
    }

    /// Data, as it is.
    #[expect(clippy::unused_self, reason = "what is printed goes through the terminal, whichever stream")]
    pub(super) fn data(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        // What has no line's end is only sent when it is asked for, and nobody hears of it when the process ends.
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            // Whoever reads has seen enough, as `head` does.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| Failure::new(format!("cannot write to stdout: {error}"), "Look at where the output is sent.")),
        }
    }

    /// A line for people, unless they asked for quiet.
    pub(super) fn say(&self, line: impl Display) {
        if !self.quiet {
            self.err(&format!("{line}\n"));
        }
    }

    /// How long something took, for those who asked.
    pub(super) fn timing(&self, stage: &str, took: Duration) {
        if self.verbose {
            self.err(&format!("{stage:>10} {:>9.1} ms\n", took.as_secs_f64() * 1000.0));
        }
    }

    /// How long the whole run took so far.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Findings of a command: for people on stderr, for machines on stdout.
    pub(super) fn findings(&self, command: &'static str, format: Format, diags: &[Diag], files: &Files) -> Result<(), Failure> {
        let shown: Vec<Diag> = diags.iter().filter(|diag| !self.quiet || diag.severity != Severity::Note).cloned().collect();
        let options = Options { color: self.color && format == Format::Human, command, ..Options::default() };
        let text = render(format, &shown, files, &options);
        if format == Format::Human {
            self.err(&text);
            return Ok(());
        }
        self.data(&text)
    }

    pub(super) fn failure(&self, failure: &Failure) {
        let (bold, red, reset) = if self.color { ("\u{1b}[1m", "\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "", "") };
        self.err(&format!("{red}error{reset}{bold}: {failure}{reset}\n  = help: {}\n", failure.help));
    }

    #[expect(clippy::unused_self, reason = "as `data`")]
    fn err(&self, text: &str) {
        // Nobody is left to tell where stderr is closed.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}

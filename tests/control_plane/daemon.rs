//! A program of the control plane that runs until the test lets go of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// So much of a log is shown where something went wrong.
const TAIL: usize = 30;

/// A running program. It ends when this is dropped, and also when the test's process is gone for any other reason: the pipe to its stdin
/// then closes, at which it removes the scratch folder and exits.
pub struct Daemon {
    name: String,
    child: Child,
    end: End,
    log: PathBuf,
}

/// How a program is ended.
enum End {
    /// It is killed before its stdin closes, so that the scratch folder stays for the others.
    Kill,
    /// Its stdin closes, so that it can end what it has started.
    Close,
}

impl Daemon {
    /// Starts a program of the judge. `scratch` is the folder of the whole run; the log goes below it.
    pub fn start(name: &str, mut command: Command, scratch: &Path) -> Self {
        command.env("JUDGE_SCRATCH", scratch);
        Self::spawn(name, command, scratch, End::Kill)
    }

    /// Starts the judge's `tied`, which runs another program.
    pub fn start_tied(name: &str, command: Command, scratch: &Path) -> Self {
        Self::spawn(name, command, scratch, End::Close)
    }

    fn spawn(name: &str, mut command: Command, scratch: &Path, end: End) -> Self {
        let log = scratch.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log).unwrap();
        command.stdin(Stdio::piped()).stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { name: name.to_owned(), child, end, log }
    }

    /// Its name in the run.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it said last, if it has ended by itself.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().unwrap()?;
        Some(format!("{} ended with {status}:\n{}", self.name, self.tail()))
    }

    /// The last lines of its log.
    pub fn tail(&self) -> String {
        let text = fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        match self.end {
            End::Kill => drop(self.child.kill()),
            End::Close => drop(self.child.stdin.take()),
        }
        let _ = self.child.wait();
    }
}

//! Running a program and looking at the clock.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a run took, and said.
pub struct Run {
    /// From before it started until it had ended, in milliseconds.
    pub all: f64,
    /// Its stages in order, as `-v` tells them, in milliseconds.
    pub stages: Vec<(String, f64)>,
}

/// Runs the program in a folder; it must succeed.
pub fn ringfence(folder: &Path, args: &[&str]) -> Run {
    let mut command = program(folder, args);
    let started = Instant::now();
    let output = command.output().unwrap();
    let all = milliseconds(started.elapsed());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {stderr}");
    let stages = stderr.lines().filter_map(stage).collect();
    Run { all, stages }
}

/// `      load       2.3 ms`
fn stage(line: &str) -> Option<(String, f64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, number, "ms"] = words[..] else { return None };
    Some((name.to_owned(), number.parse().ok()?))
}

/// The most memory that a run held at once, in MiB; none where the kernel does not say.
pub fn peak(folder: &Path, args: &[&str]) -> Option<f64> {
    let mut child = program(folder, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    while child.try_wait().unwrap().is_none() {
        // Only ever grows; gone once the process has ended.
        let kib = fs::read_to_string(&status).ok().and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.trim().strip_suffix(" kB")?.parse::<u32>().ok()
        });
        peak = kib.map(|kib| f64::from(kib) / 1024.0).or(peak);
        std::thread::sleep(Duration::from_micros(500));
    }
    peak
}

/// How long a program that must succeed takes, in milliseconds.
pub fn time(command: &mut Command) -> f64 {
    let started = Instant::now();
    let output = command.output().unwrap();
    let all = milliseconds(started.elapsed());
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    all
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    command
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

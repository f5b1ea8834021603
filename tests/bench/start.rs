//! How fast the program starts.

use std::path::Path;

use crate::measure::{median, ringfence};

/// So many runs of each.
const RUNS: usize = 20;

/// Prints the median of each.
pub fn print() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR"));
    println!("median of {RUNS} runs, in milliseconds");
    let commands: [&[&str]; 3] = [&["--version"], &["check", "-q"], &["generate", "--check", "-q"]];
    for command in commands {
        let runs = (0..RUNS).map(|_| ringfence(sample, command).all).collect();
        println!("  {:<32} {:>8.1}", format!("{} (sample)", command.join(" ")), median(runs));
    }
}

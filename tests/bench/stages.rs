//! The stages of `generate` on a generated inventory, beside a copy of what it writes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::fleet;
use crate::measure::{Run, median, peak, ringfence, time};

const STAGES: [&str; 6] = ["load", "blueprints", "resolve", "plan", "render", "write"];

/// What is measured of each size.
pub fn print_head() {
    println!();
    println!("generate into an empty folder, in milliseconds; again: nothing changed; next: one workload in seven was replaced");
    print!("{:>9} {:>8} {:>7} {:>7}", "workloads", "clusters", "files", "MiB");
    for stage in STAGES {
        print!(" {stage:>10}");
    }
    println!(" {:>9} {:>9} {:>9} {:>9} {:>9} {:>6} {:>9} {:>6}", "all", "again", "next", "peak MiB", "cp -r", "ratio", "cp, sync", "ratio");
}

/// Measures one size, and prints a line.
pub fn print(workloads: usize, clusters: usize) {
    let runs = if workloads < 10_000 { 5 } else { 3 };
    let scratch = tempfile::tempdir().unwrap();
    let project = scratch.path();
    let output = project.join("output");
    let inventory = |edition| set(&project.join("inventory"), &fleet::inventory(workloads, clusters, edition));
    inventory(0);

    let (mut fresh, mut copies, mut synced): (Vec<Run>, Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new(), Vec::new());
    // In turns, so that whatever else the machine does meanwhile meets both.
    for _ in 0..runs {
        remove(&output);
        settle(project);
        fresh.push(ringfence(project, &["generate", "-v"]));
        let copy = project.join("copy");
        settle(project);
        copies.push(time(Command::new("cp").arg("-r").arg(&output).arg(&copy)));
        remove(&copy);
        settle(project);
        synced.push(time(Command::new("sh").args(["-c", "cp -r output copy && sync -f copy"]).current_dir(project)));
        remove(&copy);
    }
    let again = median((0..runs).map(|_| ringfence(project, &["generate"]).all).collect());
    let (files, bytes) = size(&output);
    let next = median(
        (1..=runs)
            .map(|edition| {
                inventory(edition);
                ringfence(project, &["generate", "--max-deletions", "100%"]).all
            })
            .collect(),
    );
    remove(&output);
    let peak = peak(project, &["generate", "-q"]);

    print!("{workloads:>9} {clusters:>8} {files:>7} {:>7.1}", mebibytes(bytes));
    for stage in STAGES {
        let of = |run: &Run| run.stages.iter().filter(|(name, _)| name == stage).map(|(_, took)| took).sum();
        print!(" {:>10.1}", median(fresh.iter().map(of).collect()));
    }
    let (all, copy, synced) = (median(fresh.iter().map(|run| run.all).collect()), median(copies), median(synced));
    let peak = peak.map_or_else(|| "unknown".to_owned(), |peak| format!("{peak:.0}"));
    println!(" {all:>9.1} {again:>9.1} {next:>9.1} {peak:>9} {copy:>9.1} {:>5.2}x {synced:>9.1} {:>5.2}x", all / copy, all / synced);
}

fn set(folder: &Path, inventory: &fleet::Inventory) {
    remove(folder);
    for (path, text) in inventory {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn remove(folder: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
}

/// Waits for the disk, so that nobody pays for what was written before.
fn settle(folder: &Path) {
    time(Command::new("sync").arg("-f").arg(folder));
}

/// Files below a folder, and their bytes.
fn size(folder: &Path) -> (usize, u64) {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    files.fold((0, 0), |(files, bytes), entry| (files + 1, bytes + entry.metadata().unwrap().len()))
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

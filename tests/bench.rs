//! What `generate` costs, on inventories of 10 to 10,000 workloads, beside `cp -r` of the same trees; and how fast the program starts.
//!
//! `cargo bench --bench generate` measures all sizes, `cargo bench --bench generate -- 1000` one. Everything happens in a scratch folder of the
//! system's temporary one (`TMPDIR` names another disk). Each figure is the median of a few runs, in milliseconds; peak memory is what the
//! kernel says of the process while it lives.
//!
//! `generate` makes its trees durable before it says that they are written, and `cp` does not: the copy is measured as it is, and followed by
//! `sync -f`, which waits for the disk as `generate` does.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops where its setting fails, and prints a table")]

#[path = "bench/measure.rs"]
mod measure;
#[path = "bench/stages.rs"]
mod stages;
#[path = "bench/start.rs"]
mod start;

#[path = "support/fleet.rs"]
mod fleet;

/// Workloads, and the clusters that they run on.
const SIZES: [(usize, usize); 4] = [(10, 2), (100, 5), (1_000, 20), (10_000, 200)];

fn main() {
    let mut wanted: Vec<usize> = Vec::new();
    // Cargo adds `--bench`.
    for argument in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let Some(size) = argument.parse().ok().filter(|size| SIZES.iter().any(|(known, _)| known == size)) else {
            println!("`{argument}` is no size: 10, 100, 1000 and 10000 are");
            std::process::exit(2);
        };
        wanted.push(size);
    }
    start::print();
    stages::print_head();
    for (workloads, clusters) in SIZES {
        if wanted.is_empty() || wanted.contains(&workloads) {
            stages::print(workloads, clusters);
        }
    }
}

//! The build script: a table of every file below `blueprints/` that the program reads, in the order of their paths.
//!
//! A new kind of object is a new folder; it is registered nowhere, and so cannot be forgotten. Cases are for the tests and stay outside.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unnecessary_debug_formatting,
    reason = "a build script talks to cargo so, and writes Rust literals"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("blueprints");
    let mut files = Vec::new();
    walk(&root, &mut files)?;
    files.sort();
    let mut table = String::from("[\n");
    for file in &files {
        let path = file.strip_prefix(&root)?.to_str().ok_or("a blueprint's path is not UTF-8")?.replace('\\', "/");
        writeln!(table, "    ({path:?}, include_str!({file:?})),")?;
    }
    table.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&out).join("blueprints.rs"), table)?;
    Ok(())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    // A folder's time changes when a file comes or goes, a file's when it is edited: cargo needs both.
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if name != "cases" {
                walk(&path, files)?;
            }
        } else if is_read(name) {
            println!("cargo:rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(())
}

/// The files that `catalog::load` reads; a README beside them is for people.
fn is_read(name: &str) -> bool {
    [".yaml", ".j2", ".tera"].iter().any(|ending| name.ends_with(ending)) && !name.starts_with('.')
}

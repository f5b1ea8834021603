//! The program, run as users run it, and projects to run it in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Files below a folder by path with `/`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A project in a scratch folder of its own.
pub struct Project {
    _scratch: TempDir,
    /// Its root.
    pub root: PathBuf,
}

impl Project {
    /// A project with the texts as its inventory.
    pub fn new(inventory: &BTreeMap<String, String>) -> Self {
        let project = Self::empty();
        project.set(inventory);
        project
    }

    /// A project with a copy of a folder as its inventory, and of the sources beside it.
    pub fn of(inventory: &Path) -> Self {
        let project = Self::empty();
        copy(inventory, &project.root.join("inventory"));
        if let Some(sources) = inventory.parent().map(|root| root.join("apps")).filter(|sources| sources.is_dir()) {
            copy(&sources, &project.root.join("apps"));
        }
        project
    }

    /// A folder with nothing in it.
    pub fn empty() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("project");
        fs::create_dir(&root).unwrap();
        Self { _scratch: scratch, root }
    }

    /// Replaces the inventory.
    pub fn set(&self, inventory: &BTreeMap<String, String>) {
        let folder = self.root.join("inventory");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        for (path, text) in inventory {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    /// The folder of the trees.
    pub fn output(&self) -> PathBuf {
        self.root.join("output")
    }

    /// The trees.
    pub fn tree(&self) -> Files {
        files(&self.output())
    }

    /// Replaces the trees.
    pub fn set_tree(&self, tree: &Files) {
        let folder = self.output();
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        for (path, bytes) in tree {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    /// The program, about to run in the project's root, with no more of the environment than the path.
    pub fn program<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
        command.args(args).current_dir(&self.root).env_clear().stdin(Stdio::null());
        command.envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
        command
    }

    /// Runs the program to its end.
    pub fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Outcome {
        Outcome::of(&mut self.program(args))
    }

    /// Generates, which must succeed.
    pub fn generate(&self) -> Files {
        self.run(["generate"]).expect(0);
        self.tree()
    }
}

/// What a run left.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit code; none if it was killed.
    pub exit: Option<i32>,
    /// Its data.
    pub stdout: String,
    /// What it told people.
    pub stderr: String,
}

impl Outcome {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { exit: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Fails the test unless the exit code is this one.
    #[track_caller]
    pub fn expect(self, exit: i32) -> Self {
        assert_eq!(self.exit, Some(exit), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless the program told people this.
    #[track_caller]
    pub fn tells(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in:\n{}", self.stderr);
        self
    }
}

/// This repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder; none where there is no folder.
pub fn files(folder: &Path) -> Files {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let found = entries.map_while(|entry| match entry {
        Err(error) if !folder.exists() => {
            assert_eq!(error.depth(), 0);
            None
        }
        other => Some(other.unwrap()),
    });
    let found = found.filter(|entry| !entry.file_type().is_dir());
    found
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap();
            let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap()).collect();
            (parts.join("/"), fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// Copies a folder of plain files.
pub fn copy(from: &Path, to: &Path) {
    for (path, bytes) in files(from) {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Fails the test with the paths that differ, for whole trees are no message.
#[track_caller]
pub fn assert_same(actual: &Files, expected: &Files, context: &str) {
    let paths = actual.keys().chain(expected.keys()).filter(|path| actual.get(*path) != expected.get(*path));
    let mut differ: Vec<String> = paths
        .map(|path| match (actual.contains_key(path), expected.contains_key(path)) {
            (true, true) => format!("differs: {path}"),
            (true, false) => format!("too much: {path}"),
            _ => format!("missing: {path}"),
        })
        .collect();
    differ.dedup();
    assert!(differ.is_empty(), "{context}: {} paths\n{}", differ.len(), differ[..differ.len().min(20)].join("\n"));
}

/// Says something past the capture of `cargo test`.
pub fn say(what: &str) {
    use std::io::Write as _;
    // Nobody is left to tell where stderr is closed.
    let _ = writeln!(std::io::stderr(), "!!!! {what}");
}

/// Says what did not run. Fails where CI promises that everything does.
#[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
pub fn not_run(what: &str) {
    say(&format!("not run: {what}"));
    assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "in CI everything runs; not run: {what}");
}

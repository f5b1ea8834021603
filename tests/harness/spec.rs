//! What `case.yaml` may say.

use std::collections::BTreeMap;

use serde::Deserialize;

/// `case.yaml`. With `args` the case is one run, with `steps` several in one folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spec {
    /// The arguments after `-C FOLDER`. Below diagnostics `check --as-of 2026-01-01` where missing.
    pub(super) args: Option<Vec<Word>>,
    /// The exit code: 0 where missing, below diagnostics 1.
    pub(super) exit: Option<i32>,
    /// Several runs, instead of `args` and `exit`.
    pub(super) steps: Option<Vec<Step>>,
    /// Files that git cannot hold, or should not; made before the first run.
    #[serde(default)]
    pub(super) make: Vec<Make>,
    /// `ignored` where what becomes of `output/` is not what the case is about.
    #[serde(default)]
    pub(super) output: Output,
}

/// One run of several: first `write` and `delete` change the folder, then the program runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) args: Vec<Word>,
    #[serde(default)]
    pub(super) exit: i32,
    /// Files to write before the run, by path; their folders are made.
    #[serde(default)]
    pub(super) write: BTreeMap<String, String>,
    /// Files or whole folders to delete before the run; they must be there.
    #[serde(default)]
    pub(super) delete: Vec<String>,
    /// The file in the case that holds what it writes to stdout: `stdout.N.txt` where missing, N from 1.
    pub(super) stdout: Option<String>,
    /// The same for stderr: `stderr.N.txt`.
    pub(super) stderr: Option<String>,
}

/// Whether `output/` is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Output {
    #[default]
    Compared,
    Ignored,
}

/// A file to make: by `repeat`, `bytes`, `symlink` or `directory`, exactly one of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Make {
    pub(super) path: String,
    /// A text that stands `times` times between `prefix` and `suffix`.
    pub(super) repeat: Option<String>,
    pub(super) times: Option<usize>,
    #[serde(default)]
    pub(super) prefix: String,
    #[serde(default)]
    pub(super) suffix: String,
    /// The file's bytes, as numbers.
    pub(super) bytes: Option<Vec<u8>>,
    /// What a symbolic link of that path leads to.
    pub(super) symlink: Option<String>,
    #[serde(default)]
    pub(super) directory: bool,
}

/// An argument: text, or a whole number written without quotes.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Word {
    Text(String),
    Number(i64),
}

impl Word {
    /// What the program gets.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

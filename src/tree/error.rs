//! What can go wrong while doing: the disk, another run, a damaged lock. Findings about the tree are not errors but a [`Delta`](super::Delta)'s data.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::{error, fmt};

use super::lines::Damage;

/// Why the work could not be done; [`Error::help`] says what to do next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    Io {
        /// What was tried, as in "cannot ... PATH".
        doing: &'static str,
        /// Of what.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
    /// Another run is at work in the same output.
    Busy {
        /// The output.
        root: PathBuf,
    },
    /// The lock or the journal is not what we wrote.
    Damaged {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// The lock or the journal has a later format.
    Newer {
        /// The file.
        path: PathBuf,
        /// Which, and which is known.
        problem: String,
    },
    /// The lock or the journal is something else than a file.
    NoFile {
        /// The path.
        path: PathBuf,
        /// What stands there.
        what: &'static str,
    },
    /// `write` was asked for a tree that may not be written: a hand edit without `force`, a foreign file in the way, an unsafe path.
    Refused {
        /// The first path that forbids it, relative to the output.
        path: String,
    },
}

impl Error {
    /// For `map_err`: what was being done, and to which path.
    pub(super) fn io(doing: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.as_ref().to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, damage: Damage) -> Self {
        let path = path.to_owned();
        if damage.is_newer {
            return Self::Newer { path, problem: damage.problem };
        }
        Self::Damaged { path, line: damage.line, problem: damage.problem }
    }

    /// The next step, in whole sentences.
    pub fn help(&self) -> String {
        match self {
            Self::Io { doing, source, .. } => io_help(doing, source.kind()).to_owned(),
            Self::Busy { .. } => "Wait until it has ended, then run the command again.".to_owned(),
            Self::NoFile { path, .. } => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let back = if name == super::LOCK_FILE {
                    "Remove it and restore the file from version control"
                } else {
                    "Remove it: no run of Ringfence leaves such a thing there"
                };
                format!("{back}, then run `ringfence generate` again.")
            }
            Self::Newer { .. } => {
                "Update Ringfence, here and wherever this output is made, to the version that wrote it. Leave the file as it is: a version that does not know \
                 it cannot tell whose the files are."
                    .to_owned()
            }
            Self::Damaged { path, .. } if path.ends_with(super::PENDING_FILE) => {
                "Restore the output from version control, remove this file, and run `ringfence generate`.".to_owned()
            }
            Self::Damaged { .. } => {
                "Restore the file from version control (after a merge, either side will do), then run `ringfence generate`; \
                 it lists what differs from the restored lock as edited by hand, and `--force` takes the generated content."
                    .to_owned()
            }
            Self::Refused { .. } => "Run `ringfence generate --check` to see every such path and what to do about it.".to_owned(),
        }
    }
}

fn io_help(doing: &str, kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::PermissionDenied if matches!(doing, "read" | "open" | "list" | "examine") => {
            "Make the path readable for this user, then run the command again."
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "Make room on the disk, then run `ringfence generate` again: it finishes what was interrupted."
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "Make the path writable for this user, then run `ringfence generate` again: it finishes what was interrupted."
        }
        ErrorKind::AlreadyExists
        | ErrorKind::IsADirectory
        | ErrorKind::NotADirectory
        | ErrorKind::DirectoryNotEmpty
        | ErrorKind::NotFound => {
            "Something else changed the output during the run. See what stands at the path, then run `ringfence generate` again: it finishes \
             what was interrupted."
        }
        _ => "Run `ringfence generate` again once the cause is gone: it finishes what was interrupted.",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, path, source } => write!(f, "cannot {doing} `{}`: {source}", path.display()),
            Self::Busy { root } => write!(f, "another run of Ringfence is at work in `{}`", root.display()),
            Self::Damaged { path, line, problem } => write!(f, "`{}` is damaged at line {line}: {problem}", path.display()),
            Self::Newer { path, problem } => write!(f, "`{}` was written by a newer Ringfence: {problem}", path.display()),
            Self::NoFile { path, what } => write!(f, "`{}` is {what}, not a file", path.display()),
            Self::Refused { path } => write!(f, "the tree was not written because of `{path}`"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_to_be_made_readable_and_what_cannot_be_written_writable() {
        let help = |doing| Error::io(doing, "a")(ErrorKind::PermissionDenied.into()).help();
        for reading in ["read", "open", "list", "examine"] {
            assert!(help(reading).starts_with("Make the path readable"), "{reading}");
        }
        for writing in ["write", "make the folder", "replace", "delete"] {
            assert!(help(writing).starts_with("Make the path writable"), "{writing}");
        }
    }
}

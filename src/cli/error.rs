//! Errors of doing, in contrast to findings about the input: what went wrong and what to try.

use std::fmt;
use std::path::Path;

use crate::tree;

/// The work could not be done.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong.
    pub message: String,
    /// What to do, in whole sentences.
    pub help: String,
}

impl Failure {
    /// A failure with its next step.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }

    /// For `map_err`: what was tried, and on which path.
    pub fn io<'a>(doing: &'a str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |error| {
            Self::new(
                format!("cannot {doing} `{}`: {error}", path.display()),
                "Look at the path, its permissions and the space on its disk.",
            )
        }
    }
}

impl From<tree::Error> for Failure {
    fn from(error: tree::Error) -> Self {
        Self::new(error.to_string(), error.help())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

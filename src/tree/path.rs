//! Paths that are safe to write on every system, and that cannot lead out of the output.

use std::borrow::Borrow;
use std::fmt;
use std::path::{Path, PathBuf};

use super::{LOCK_FILE, PENDING_FILE, RUNNING_FILE, STAGED_SUFFIX};

/// What file systems take in one name is 255 bytes; a staged file's suffix has to fit too.
const MAX_NAME: usize = 255 - STAGED_SUFFIX.len();
/// Well below the 4,096 bytes that Linux takes with the root before it.
const MAX_PATH: usize = 1024;

/// A path below the output's root, with `/`.
///
/// Names hold ASCII letters, digits and `. _ - + @ =`; none is `.`, `..` or `.git`, and the first is none of our own files' (the lock,
/// the journal), in small letters or large ones: some file systems take both for one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

/// Why a text is no [`TreePath`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// The text.
    pub path: String,
    /// What is wrong with it, as the end of a sentence that begins with the path.
    pub problem: String,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the path `{}` {}", self.path.escape_debug(), self.problem)
    }
}

impl std::error::Error for PathError {}

impl TreePath {
    /// Checks a path; nothing is normalised, so that one file has one spelling.
    pub fn parse(path: impl Into<String>) -> Result<Self, PathError> {
        let path = path.into();
        match problem(&path) {
            Some(problem) => Err(PathError { path, problem }),
            None => Ok(Self(path)),
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder it is in; empty for the root.
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The name of the file.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// Every folder above it but the root, the nearest first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        folders(&self.0)
    }

    /// Where it is on disk.
    pub fn below(&self, root: &Path) -> PathBuf {
        root.join(&self.0)
    }

    /// Where its new content waits to be renamed into place.
    pub(super) fn staged(&self) -> String {
        format!("{}{STAGED_SUFFIX}", self.0)
    }
}

/// Every folder above a path but the root, the nearest first.
pub(super) fn folders(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/').map(|(folder, _)| folder), |path| path.rsplit_once('/').map(|(folder, _)| folder))
}

fn problem(path: &str) -> Option<String> {
    if path.is_empty() {
        return Some("is empty".to_owned());
    }
    if path.len() > MAX_PATH {
        return Some(format!("has {} bytes; at most {MAX_PATH} are safe everywhere", path.len()));
    }
    if path.starts_with('/') {
        return Some("is absolute; paths are relative to the output".to_owned());
    }
    let first = path.split('/').next().unwrap_or_default();
    if let Some(own) = [LOCK_FILE, PENDING_FILE, RUNNING_FILE].into_iter().find(|own| own.eq_ignore_ascii_case(first)) {
        return Some(if first == path {
            "is a file of Ringfence's own".to_owned()
        } else {
            format!("begins with `{own}`, a file of Ringfence's own")
        });
    }
    path.split('/').find_map(name_problem)
}

fn name_problem(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("has an empty name between two `/`, or at its end".to_owned());
    }
    if name == "." || name == ".." || name.eq_ignore_ascii_case(".git") {
        return Some(format!("holds `{name}`, which leads elsewhere"));
    }
    if name.len() > MAX_NAME {
        return Some(format!("has a name of {} bytes; at most {MAX_NAME} are safe everywhere", name.len()));
    }
    if let Some(odd) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"._-+@=".contains(*c)) {
        return Some(format!("holds {odd:?}; portable names hold letters, digits and `. _ - + @ =`"));
    }
    if name.ends_with('.') {
        return Some("has a name that ends with a dot, which Windows drops".to_owned());
    }
    name.to_ascii_lowercase()
        .ends_with(STAGED_SUFFIX)
        .then(|| format!("has a name that ends with `{STAGED_SUFFIX}`, which marks unfinished files"))
}

impl Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TreePath;

    #[test]
    fn everyday_paths_are_safe() {
        for path in ["a", "clusters/osaka/40-workloads/shop-public/carts.yaml", "a/..b/c..d", ".hidden/x", "x@.service", "a/ringfence.lock"]
        {
            assert!(TreePath::parse(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_or_are_not_portable_are_refused() {
        let long = "x".repeat(242);
        let deep = "x/".repeat(512) + "x";
        for path in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/./b",
            "a\\b",
            "C:a",
            "a b",
            "a\nb",
            "a\0b",
            "ä",
            ".git/hooks/x",
            "a/.GIT",
            "a.",
            "ringfence.lock",
            "ringfence.pending",
            "ringfence.running",
            "RINGFENCE.LOCK",
            "ringfence.lock/x.md",
            "Ringfence.Pending/x/y.md",
            "a/b.yaml.Ringfence-New",
            "a/b.yaml.ringfence-new",
            &long,
            &deep,
        ] {
            assert!(TreePath::parse(path).is_err(), "{path:?}");
        }
        assert!(TreePath::parse("x".repeat(241)).is_ok());
    }

    #[test]
    fn the_error_names_the_path_and_the_character() {
        let error = TreePath::parse("a/b c").unwrap_err().to_string();
        assert_eq!(error, "the path `a/b c` holds ' '; portable names hold letters, digits and `. _ - + @ =`");
    }

    #[test]
    fn folders_are_listed_from_the_nearest() {
        let path = TreePath::parse("a/b/c").unwrap();
        assert_eq!(path.folders().collect::<Vec<_>>(), ["a/b", "a"]);
        assert_eq!((path.folder(), path.name()), ("a/b", "c"));
    }
}

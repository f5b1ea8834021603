//! A scratch output and what the tests do to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ringfence::source::Files;
use ringfence::tree::{self, Class, Delta, Error, Exclusive, Fault, Faults, FileContent, Options, Shared, Summary, Tree, TreePath};
use tempfile::TempDir;

/// Some files: path and text.
pub(crate) type Texts<'a> = &'a [(&'a str, &'a str)];

/// A tree of these files, each owned by its own name.
pub(crate) fn tree(files: Texts) -> Tree {
    let mut sources = Files::default();
    let origin = sources.add("inventory/fleet.yaml", "");
    let mut tree = Tree::new();
    for (path, text) in files {
        let content = FileContent { text: (*text).to_owned(), owner: format!("workload {path} @osaka"), origin: sources.start(origin) };
        tree.insert(TreePath::parse(*path).unwrap(), content);
    }
    tree
}

/// Everything below a folder: files with their bytes, folders (`/` at the end) and links (`@`) without.
pub(crate) fn snapshot(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = walkdir::WalkDir::new(root).min_depth(1).into_iter().map(|entry| {
        let entry = entry.unwrap();
        let path = entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        match entry.file_type() {
            kind if kind.is_dir() => (path + "/", Vec::new()),
            kind if kind.is_file() => (path, fs::read(entry.path()).unwrap()),
            _ => (path + "@", Vec::new()),
        }
    });
    entries.collect()
}

pub(crate) struct Output {
    _scratch: TempDir,
    pub(crate) root: PathBuf,
}

impl Output {
    pub(crate) fn new() -> Self {
        let scratch = TempDir::new().unwrap();
        Self { root: scratch.path().join("output"), _scratch: scratch }
    }

    /// One into which these files were generated.
    pub(crate) fn with(files: Texts) -> Self {
        let output = Self::new();
        output.generate(files).unwrap();
        output
    }

    /// One that holds just this.
    pub(crate) fn of(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let output = Self::new();
        fs::create_dir_all(&output.root).unwrap();
        for (path, bytes) in files {
            match path.strip_suffix('/') {
                Some(folder) => fs::create_dir_all(output.root.join(folder)).unwrap(),
                None => output.put(path, bytes),
            }
        }
        output
    }

    pub(crate) fn generate(&self, files: Texts) -> Result<Summary, Error> {
        self.write(files, &Options::default())
    }

    pub(crate) fn force(&self, files: Texts) -> Result<Summary, Error> {
        self.write(files, &Options { force: true, ..Options::default() })
    }

    /// Ends a run so; also returns what a power failure would tear. A run that is not ended leaves nothing to tear.
    pub(crate) fn stop(&self, files: Texts, fault: Fault) -> (Result<Summary, Error>, Vec<PathBuf>) {
        self.stop_after(files, fault, Vec::new())
    }

    /// The same, where an earlier run left files that are not yet durable.
    pub(crate) fn stop_after(&self, files: Texts, fault: Fault, unsynced: Vec<PathBuf>) -> (Result<Summary, Error>, Vec<PathBuf>) {
        let options = Options { force: false, faults: Faults::at(fault).after(unsynced) };
        let result = self.write(files, &options);
        let unsynced = options.faults.unsynced();
        assert!(result.is_err() || unsynced.iter().all(|path| !path.exists()), "a run ended before its files were durable: {unsynced:?}");
        (result, unsynced)
    }

    pub(crate) fn write(&self, files: Texts, options: &Options) -> Result<Summary, Error> {
        let tree = tree(files);
        let hold = Exclusive::take(&self.root)?;
        let delta = tree::compare(&tree, &tree::read(&self.root)?, &self.root)?;
        tree::write(&hold, &tree, &delta, options)
    }

    pub(crate) fn delta(&self, files: Texts) -> Delta {
        let _hold = Shared::take(&self.root).unwrap();
        tree::compare(&tree(files), &tree::read(&self.root).unwrap(), &self.root).unwrap()
    }

    /// Classes by path, but for what is unchanged.
    pub(crate) fn classes(&self, files: Texts) -> Vec<(String, Class)> {
        self.delta(files).classes.into_iter().filter(|(_, class)| *class != Class::Unchanged).collect()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(crate) fn put(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn get(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn snapshot(&self) -> BTreeMap<String, Vec<u8>> {
        snapshot(&self.root)
    }

    /// What a first run into an empty folder makes of these files.
    pub(crate) fn fresh(files: Texts) -> BTreeMap<String, Vec<u8>> {
        Self::with(files).snapshot()
    }
}

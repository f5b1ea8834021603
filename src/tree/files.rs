//! What was rendered and is to be on disk.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::TreePath;
use crate::source::Span;

/// A file of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileContent {
    /// Its text, to the byte.
    pub text: String,
    /// Who it is for, as the lock prints it: `workload shop/carts @confidential-osaka`. One line, not empty.
    pub owner: String,
    /// The inventory's place that it comes from.
    pub origin: Span,
}

/// Every file that should be on disk after the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<TreePath, FileContent>,
}

impl Tree {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a file. Its plan has made sure that no two files have one path and that none is where another needs a folder.
    pub fn insert(&mut self, path: TreePath, content: FileContent) {
        debug_assert!(!content.owner.is_empty() && !content.owner.contains(char::is_control), "the owner of {path} is no line of text");
        debug_assert!(path.folders().all(|folder| !self.files.contains_key(folder)), "{path} is below another file");
        debug_assert!(!self.holds_below(&path), "{path} is a folder of other files");
        let before = self.files.insert(path, content);
        debug_assert!(before.is_none(), "a path is written once");
    }

    fn holds_below(&self, path: &TreePath) -> bool {
        // `-` and `.` sort before `/`: siblings such as `a-b` may lie between `a` and what is below it.
        let prefix = format!("{path}/");
        let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        self.files.range::<str, _>(from).next().is_some_and(|(next, _)| next.as_str().starts_with(&prefix))
    }

    /// The file at a path.
    pub fn get(&self, path: &str) -> Option<&FileContent> {
        self.files.get(path)
    }

    /// The files by path.
    pub fn files(&self) -> &BTreeMap<TreePath, FileContent> {
        &self.files
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{FileContent, Tree};
    use crate::source::Files;
    use crate::tree::TreePath;

    fn insert(paths: &[&str]) {
        let mut files = Files::default();
        let id = files.add("a.yaml", "");
        let mut tree = Tree::new();
        for path in paths {
            let content = FileContent { text: String::new(), owner: "fleet".to_owned(), origin: files.start(id) };
            tree.insert(TreePath::parse(*path).unwrap(), content);
        }
    }

    #[test]
    fn siblings_that_begin_alike_are_no_clash() {
        insert(&["a/b", "a-b", "a.b", "ab"]);
    }

    #[test]
    #[should_panic(expected = "written once")]
    fn a_path_is_written_once() {
        insert(&["a", "a"]);
    }

    #[test]
    #[should_panic(expected = "is below another file")]
    fn a_file_is_no_folder() {
        insert(&["a", "a/b"]);
    }

    #[test]
    #[should_panic(expected = "is a folder of other files")]
    fn a_folder_is_no_file() {
        insert(&["a/b", "a-b", "a"]);
    }
}

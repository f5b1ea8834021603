//! Source text and places in it: the sole owner of everything that was read, so that every finding can show its line.

use std::ops::Deref;

/// Which file of [`Files`] a place is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A range of bytes in one file. `start <= end`, both on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span from the start of `self` to the end of `other`, both in one file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        debug_assert_eq!(self.file, other.file);
        Self { end: other.end.max(self.end), ..self }
    }
}

/// A value and where it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Pairs a value with its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Changes the value and keeps the place.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: f(self.value), span: self.span }
    }

    /// The same place around a reference.
    pub fn as_ref(&self) -> Spanned<&T> {
        Spanned { value: &self.value, span: self.span }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[derive(Debug)]
struct File {
    path: String,
    text: String,
}

/// Every file that was read, under the path that findings print: relative to the repository's root, with `/`.
#[derive(Debug, Default)]
pub struct Files {
    files: Vec<File>,
    /// The project's root below the repository's, with a `/` at its end; empty where they are the same.
    prefix: String,
}

/// A place as people count it: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineCol {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Files {
    /// Files of a project whose root is a folder of its repository: what annotates a pull request counts paths from there.
    pub fn below(prefix: impl Into<String>) -> Self {
        Self { files: Vec::new(), prefix: prefix.into() }
    }

    /// Takes a file's text, its path relative to the project's root; files are numbered in the order they come.
    ///
    /// # Panics
    /// Past 4 billion files.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = u32::try_from(self.files.len()).expect("fewer than 2^32 files");
        let path = self.shown(&path.into());
        self.files.push(File { path, text: text.into() });
        FileId(id)
    }

    /// A path relative to the project's root as findings print it: relative to the repository's. One that is elsewhere stays as it is.
    pub fn shown(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { format!("{}{path}", self.prefix) }
    }

    /// The path that findings print.
    pub fn path(&self, id: FileId) -> &str {
        &self.files[id.0 as usize].path
    }

    /// The path relative to the project's root: the same wherever the repository lies, and so fit for generated files (I4).
    pub fn project_path(&self, id: FileId) -> &str {
        let path = self.path(id);
        path.strip_prefix(&self.prefix).unwrap_or(path)
    }

    /// The whole text; empty for a file that could not be read.
    pub fn text(&self, id: FileId) -> &str {
        &self.files[id.0 as usize].text
    }

    /// The text that a span covers.
    pub fn slice(&self, span: Span) -> &str {
        &self.text(span.file)[span.start as usize..span.end as usize]
    }

    /// An empty span at a file's very beginning: for findings about the file as a whole.
    pub fn start(&self, id: FileId) -> Span {
        Span { file: id, start: 0, end: 0 }
    }

    /// Where a span begins, counted in lines and characters.
    pub fn line_col(&self, span: Span) -> LineCol {
        self.position(span.file, span.start)
    }

    /// Where a span ends (one past its last character).
    pub fn end_line_col(&self, span: Span) -> LineCol {
        self.position(span.file, span.end)
    }

    fn position(&self, file: FileId, byte: u32) -> LineCol {
        let before = &self.text(file)[..byte as usize];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        LineCol { line: before.bytes().filter(|b| *b == b'\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

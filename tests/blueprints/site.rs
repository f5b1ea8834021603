//! A site's own blueprints, written for one test.

use std::fs;

use ringfence::catalog::{self, Catalog};
use ringfence::diag::Diag;
use ringfence::render::{Engine, Failure, View};
use ringfence::source::{Files, Span};
use tempfile::TempDir;

pub(crate) struct Site {
    pub(crate) folder: TempDir,
    pub(crate) files: Files,
    pub(crate) catalog: Catalog,
    pub(crate) engine: Engine,
    pub(crate) findings: Vec<Diag>,
}

pub(crate) const KIND: &str = "title: T\nwhy: W\nscope: workload\npath: a.yaml\n";

/// A folder with files by their paths.
pub(crate) fn written(sources: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in sources {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

impl Site {
    /// Files by their paths below the folder of blueprints; nothing embedded is beneath them.
    pub(crate) fn new(sources: &[(&str, &str)]) -> Self {
        let folder = written(sources);
        let (mut files, mut findings) = (Files::default(), ringfence::diag::Findings::new());
        let overlays = [("site".to_owned(), folder.path().to_owned())];
        let catalog = catalog::load_only(&mut files, &overlays, &mut findings);
        let (engine, errors) = Engine::new(&catalog);
        findings.extend(errors);
        Self { folder, files, catalog, engine, findings: findings.into_iter().collect() }
    }

    /// One kind, `k`, with one template.
    pub(crate) fn template(name: &str, text: &str) -> Self {
        Self::new(&[("kinds/k/kind.yaml", KIND), (&format!("kinds/k/{name}"), text)])
    }

    /// Renders the first template of the first kind.
    pub(crate) fn render(&self, view: &str) -> Result<String, Failure> {
        assert!(self.findings.is_empty(), "{}", self.told().join("\n"));
        self.engine.render(&self.catalog.kinds[0], 0, &self::view(view))
    }

    /// Where a span stands, as findings print it, and what it covers.
    pub(crate) fn place(&self, span: Span) -> String {
        let at = self.files.line_col(span);
        format!("{}:{}:{} `{}`", self.files.path(span.file), at.line, at.column, self.files.slice(span))
    }

    /// Every finding: place, message and help.
    pub(crate) fn told(&self) -> Vec<String> {
        self.findings.iter().map(|diag| format!("{} {} {}", self.place(diag.primary.span), diag.message, diag.help.join(" "))).collect()
    }
}

pub(crate) fn view(json: &str) -> View {
    View::from_json(serde_json::from_str(json).unwrap()).expect("the names of a view")
}

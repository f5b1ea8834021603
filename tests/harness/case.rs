//! Finding the cases.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::spec::{Output, Spec, Step, Word};

/// A case as it stands in its folder.
pub(super) struct Case {
    /// `cases/AREA/CASE` or `diagnostics/CODE/CASE`.
    pub(super) name: String,
    /// Its folder.
    pub(super) folder: PathBuf,
    /// Below diagnostics the code that must be found.
    pub(super) code: Option<String>,
}

impl Case {
    /// What `case.yaml` says, and why it cannot be followed.
    pub(super) fn spec(&self) -> Result<Spec, String> {
        let path = self.folder.join("case.yaml");
        if !path.exists() {
            return Ok(Spec::default());
        }
        let text = fs::read_to_string(&path).map_err(|error| format!("case.yaml: {error}"))?;
        if text.lines().all(|line| line.trim().is_empty() || line.starts_with('#')) {
            return Ok(Spec::default());
        }
        serde_yaml::from_str(&text).map_err(|error| format!("case.yaml: {error}"))
    }

    /// The runs, with every default filled in.
    pub(super) fn runs(&self, spec: &Spec) -> Result<Vec<Run>, String> {
        if let Some(steps) = &spec.steps {
            if spec.args.is_some() || spec.exit.is_some() || steps.is_empty() {
                return Err("case.yaml: `steps` stand alone, and there is one at least".to_owned());
            }
            return Ok(steps.iter().zip(1..).map(|(step, number)| Run::of_step(step, number)).collect());
        }
        let args = match (&spec.args, &self.code) {
            (Some(args), _) => args.iter().map(Word::text).collect(),
            (None, Some(_)) => ["check", "--as-of", "2026-01-01"].map(str::to_owned).to_vec(),
            (None, None) => return Err("case.yaml: neither `args` nor `steps`".to_owned()),
        };
        let exit = spec.exit.unwrap_or_else(|| i32::from(self.code.is_some()));
        let (stdout, stderr) = ("stdout.txt".to_owned(), "stderr.txt".to_owned());
        Ok(vec![Run { args, exit, write: BTreeMap::new(), delete: Vec::new(), stdout, stderr }])
    }

    /// What stands in the case and is never looked at.
    pub(super) fn left_over(&self, spec: &Spec, runs: &[Run]) -> Result<Vec<String>, String> {
        let known = |name: &str| name == "case.yaml" || runs.iter().any(|run| run.stdout == name || run.stderr == name);
        let entries = entries(&self.folder).map_err(|error| error.to_string())?;
        let mut left_over: Vec<String> =
            entries.iter().filter(|(name, path)| !is_folder(path) && !known(name)).map(|(name, _)| name.clone()).collect();
        if spec.output == Output::Ignored && self.folder.join("expected").exists() {
            left_over.push("expected".to_owned());
        }
        Ok(left_over)
    }
}

/// One run of the program, every default filled in.
pub(super) struct Run {
    /// What follows `-C FOLDER`.
    pub(super) args: Vec<String>,
    /// The exit code it must end with.
    pub(super) exit: i32,
    /// Files to write before it, by path.
    pub(super) write: BTreeMap<String, String>,
    /// Files and folders to delete before it.
    pub(super) delete: Vec<String>,
    /// The file in the case that holds what it writes to stdout.
    pub(super) stdout: String,
    /// The same for stderr.
    pub(super) stderr: String,
}

impl Run {
    fn of_step(step: &Step, number: usize) -> Self {
        Self {
            args: step.args.iter().map(Word::text).collect(),
            exit: step.exit,
            write: step.write.clone(),
            delete: step.delete.clone(),
            stdout: step.stdout.clone().unwrap_or_else(|| format!("stdout.{number}.txt")),
            stderr: step.stderr.clone().unwrap_or_else(|| format!("stderr.{number}.txt")),
        }
    }
}

/// Every case below `tests`, by name.
pub(super) fn discover(tests: &Path) -> std::io::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for kind in ["cases", "diagnostics"] {
        for (group, path) in entries(&tests.join(kind))?.into_iter().filter(|(_, path)| is_folder(path)) {
            for (case, folder) in entries(&path)?.into_iter().filter(|(_, path)| is_folder(path)) {
                let code = (kind == "diagnostics").then(|| group.clone());
                cases.push(Case { name: format!("{kind}/{group}/{case}"), folder, code });
            }
        }
    }
    Ok(cases)
}

/// What a folder holds, by name; nothing where it is not there.
pub(super) fn entries(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        entries.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    entries.sort();
    Ok(entries)
}

/// Whether a path is a folder itself, not a link to one.
pub(super) fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
}

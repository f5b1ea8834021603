//! Running a case.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::case::{Case, Run, entries, is_folder};
use super::spec::{Output, Spec};
use super::{Settings, Verdict, compare, tree};

/// A run that takes longer hangs, and is ended.
const LIMIT: Duration = Duration::from_secs(60);

/// What a run left.
struct Outcome {
    exit: Option<i32>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Runs a case in a fresh folder and compares; every difference is in the verdict.
pub(super) fn run(case: &Case, settings: &Settings) -> Verdict {
    let spec = case.spec()?;
    let runs = case.runs(&spec)?;
    let scratch = tempfile::tempdir().map_err(|error| format!("no scratch folder: {error}"))?;
    let project = scratch.path().join("project");
    prepare(case, &spec, &project)?;
    let before = read(&project.join("output"))?;

    let mut problems: Vec<String> = Vec::new();
    let mut found = false;
    for run in &runs {
        change(run, &project)?;
        let outcome = execute(run, &settings.program, scratch.path())?;
        if outcome.exit != Some(run.exit) {
            let exit = outcome.exit.map_or("no exit code".to_owned(), |code| code.to_string());
            problems.push(format!("exit code {exit} instead of {} of {:?}", run.exit, run.args));
        }
        found |= case.code.as_ref().is_none_or(|code| [&outcome.stdout, &outcome.stderr].iter().any(|text| names(text, code)));
        for (file, actual) in [(&run.stdout, outcome.stdout), (&run.stderr, outcome.stderr)] {
            problems.extend(expect_file(&case.folder, file, &actual, settings.update)?);
        }
    }
    if !found {
        problems.push(format!("[{}] is not in what was written", case.code.as_deref().unwrap_or_default()));
    }
    if spec.output == Output::Compared {
        let actual = read(&project.join("output"))?;
        problems.extend(expect_output(&case.folder.join("expected"), &before, &actual, settings.update)?);
    }
    problems.extend(case.left_over(&spec, &runs)?.into_iter().map(|name| format!("{name} is not a part of the case")));
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

/// Copies the case's folders, and makes what it says.
fn prepare(case: &Case, spec: &Spec, project: &Path) -> Verdict {
    let copy = || -> std::io::Result<()> {
        fs::create_dir_all(project)?;
        for (name, path) in entries(&case.folder)? {
            if is_folder(&path) && name != "expected" {
                tree::copy(&path, &project.join(name))?;
            }
        }
        Ok(())
    };
    copy().map_err(|error| format!("the case cannot be copied: {error}"))?;
    spec.make.iter().try_for_each(|make| tree::make(make, project))
}

/// Changes the folder as a run asks before it starts.
fn change(run: &Run, project: &Path) -> Verdict {
    for (path, text) in &run.write {
        let target = tree::inside(project, path)?;
        tree::make_parent(&target).and_then(|()| fs::write(&target, text)).map_err(|error| format!("write {path}: {error}"))?;
    }
    for path in &run.delete {
        let target = tree::inside(project, path)?;
        let deleted = if is_folder(&target) { fs::remove_dir_all(&target) } else { fs::remove_file(&target) };
        deleted.map_err(|error| format!("delete {path}: {error}"))?;
    }
    Ok(())
}

/// Runs the program from a folder beside the project, with an environment that holds no more than the path. What it writes goes to files,
/// so that no full pipe can stop it.
fn execute(run: &Run, program: &Path, scratch: &Path) -> Result<Outcome, String> {
    let failed = |error: std::io::Error| format!("{} cannot be run: {error}", program.display());
    let elsewhere = scratch.join("elsewhere");
    fs::create_dir_all(&elsewhere).map_err(failed)?;
    let (stdout, stderr) = (scratch.join("stdout"), scratch.join("stderr"));
    let mut command = Command::new(program);
    command.args(["-C", "../project"]).args(&run.args).current_dir(elsewhere).env_clear();
    command.envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
    command.stdin(Stdio::null());
    command.stdout(fs::File::create(&stdout).map_err(failed)?).stderr(fs::File::create(&stderr).map_err(failed)?);
    let mut child = command.spawn().map_err(failed)?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if started.elapsed() > LIMIT {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            return Err(format!("{:?} ran for more than {} s", run.args, LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    Ok(Outcome { exit: status.code(), stdout: fs::read(&stdout).map_err(failed)?, stderr: fs::read(&stderr).map_err(failed)? })
}

/// Whether `[CODE]` is in a text.
fn names(text: &[u8], code: &str) -> bool {
    String::from_utf8_lossy(text).contains(&format!("[{code}]"))
}

/// Compares what a run wrote with a file of the case, or rewrites the file. Where nothing was written there is no file.
fn expect_file(folder: &Path, name: &str, actual: &[u8], update: bool) -> Result<Option<String>, String> {
    let path = tree::inside(folder, name)?;
    let failed = |error: std::io::Error| format!("{name}: {error}");
    if update {
        match (actual.is_empty(), path.exists()) {
            (true, true) => fs::remove_file(&path).map_err(failed)?,
            (true, false) => {}
            (false, _) => fs::write(&path, actual).map_err(failed)?,
        }
    }
    if actual.is_empty() && path.exists() {
        return Ok(Some(format!("{name} is there although nothing was written")));
    }
    let expected = if path.exists() { fs::read(&path).map_err(failed)? } else { Vec::new() };
    Ok(compare::bytes(name, &expected, actual))
}

/// Compares `output/` with the case's `expected/`, or with what it was before where there is none; or rewrites `expected/`.
fn expect_output(folder: &Path, before: &tree::Tree, actual: &tree::Tree, update: bool) -> Result<Option<String>, String> {
    if update {
        let rewrite = || -> std::io::Result<()> {
            if folder.exists() {
                fs::remove_dir_all(folder)?;
            }
            if actual == before { Ok(()) } else { tree::write(actual, folder) }
        };
        rewrite().map_err(|error| format!("expected: {error}"))?;
    }
    let expected = if folder.exists() { read(folder)? } else { before.clone() };
    Ok(compare::trees(&expected, actual))
}

fn read(folder: &Path) -> Result<tree::Tree, String> {
    tree::read(folder).map_err(|error| format!("{} cannot be read: {error}", folder.file_name().unwrap_or_default().display()))
}

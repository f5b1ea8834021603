//! The same inventory gives the same bytes, wherever and however the program runs (I4), and a second run writes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::program::{Outcome, Project, assert_same, copy, files, repository};

fn sample() -> Project {
    Project::of(&repository().join("inventory"))
}

/// Runs `generate` of a sample as something changes the command, and compares with the committed trees.
fn as_committed(context: &str, args: &[&str], change: impl FnOnce(&mut Command, &Project)) {
    let project = sample();
    let mut command = project.program(std::iter::once("generate").chain(args.iter().copied()));
    change(&mut command, &project);
    Outcome::of(&mut command).expect(0);
    assert_same(&project.tree(), &files(&repository().join("output")), context);
}

#[test]
fn the_committed_output_is_exactly_what_generate_makes_of_the_inventory() {
    as_committed("in a copy of the inventory", &[], |_, _| {});
}

#[test]
fn one_thread_and_many_write_the_same_bytes() {
    for jobs in ["1", "2", "8"] {
        as_committed(jobs, &["--jobs", jobs], |_, _| {});
    }
}

#[test]
fn locale_language_and_time_zone_change_no_byte() {
    for (name, value) in
        [("LC_ALL", "C"), ("LC_ALL", "tr_TR.UTF-8"), ("LANG", "de_DE.UTF-8"), ("TZ", "Pacific/Kiritimati"), ("TZ", "Etc/GMT+12")]
    {
        as_committed(value, &[], |command, _| {
            command.env(name, value);
        });
    }
}

#[test]
fn a_run_from_a_folder_within_the_project_writes_the_same_bytes() {
    as_committed("in inventory/teams", &[], |command, project| {
        command.current_dir(project.root.join("inventory/teams"));
    });
}

#[test]
fn a_run_from_elsewhere_that_names_the_project_writes_the_same_bytes() {
    let project = sample();
    let elsewhere = project.root.join("../elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let mut command = project.program(["-C", "../project", "generate"]);
    Outcome::of(command.current_dir(elsewhere)).expect(0);
    assert_same(&project.tree(), &files(&repository().join("output")), "with -C");
}

#[test]
fn a_project_at_a_path_with_spaces_and_other_scripts_gives_the_same_bytes() {
    let project = Project::empty();
    let root = project.root.join("a b/İstanbul/艦隊");
    for folder in ["inventory", "apps"] {
        copy(&repository().join(folder), &root.join(folder));
    }
    let mut command = project.program(["generate"]);
    Outcome::of(command.current_dir(&root)).expect(0);
    assert_same(&files(&root.join("output")), &files(&repository().join("output")), "at another path");
}

#[test]
fn a_repository_around_the_project_changes_no_byte() {
    for git in [".git", "../.git"] {
        as_committed(git, &[], |_, project| fs::create_dir(project.root.join(git)).unwrap());
    }
}

#[test]
fn an_output_folder_elsewhere_gets_the_same_bytes() {
    let project = sample();
    project.run(["generate", "--output", "../trees"]).expect(0);
    assert_same(&files(&project.root.join("../trees")), &files(&repository().join("output")), "with --output");
}

#[test]
fn a_second_run_writes_nothing() {
    let project = sample();
    project.generate();
    let before = times(&project.output());
    project.run(["generate"]).expect(0).tells("are up to date");
    project.run(["generate", "--check"]).expect(0);
    project.run(["generate", "--jobs", "1"]).expect(0);
    assert_eq!(times(&project.output()), before, "a run without changes touched the tree");
}

#[test]
fn a_check_writes_nothing_not_even_the_output_folder() {
    let project = sample();
    project.run(["generate", "--check"]).expect(1);
    project.run(["generate", "--plan"]).expect(0);
    project.run(["check"]).expect(0);
    assert!(!project.output().exists());
}

/// When each file and folder was last written to.
fn times(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    entries.map(|entry| (entry.path().to_path_buf(), entry.metadata().unwrap().modified().unwrap())).collect()
}

//! Every class of a path, and what a run does about it.

use std::fs;
use std::time::{Duration, SystemTime};

use ringfence::tree::{Class, Digest, Error, Summary};

use crate::output::{Output, Texts};

const FILES: Texts = &[("clusters/osaka/a.yaml", "a\n"), ("clusters/osaka/b/c.yaml", "c\n"), ("delivery/d.yaml", "d\n")];

fn before(text: &str) -> Digest {
    Digest::of(text)
}

#[test]
fn a_first_run_writes_every_file_and_the_lock() {
    let output = Output::new();
    let summary = output.generate(FILES).unwrap();
    assert_eq!(summary, Summary { created: 3, lock_written: true, ..Summary::default() });
    assert_eq!(output.get("clusters/osaka/b/c.yaml"), "c\n");
    let lock = output.get("ringfence.lock");
    let rows: Vec<_> = lock.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rows[0], format!("{}  clusters/osaka/a.yaml  workload clusters/osaka/a.yaml @osaka", before("a\n")));
    assert_eq!(rows.len(), 3);
    assert!(output.delta(FILES).is_up_to_date());
    assert!(!output.path("ringfence.pending").exists());
}

#[test]
fn a_second_run_writes_nothing_at_all() {
    let output = Output::with(FILES);
    let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let entries = || walkdir::WalkDir::new(&output.root).contents_first(true).into_iter().map(|entry| entry.unwrap().into_path());
    for path in entries() {
        fs::File::open(path).unwrap().set_modified(past).unwrap();
    }
    let summary = output.generate(FILES).unwrap();
    assert_eq!(summary, Summary { unchanged: 3, ..Summary::default() });
    for path in entries() {
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), past, "{}", path.display());
    }
}

#[test]
fn only_what_changed_is_written() {
    let output = Output::with(FILES);
    let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for (path, _) in FILES {
        fs::File::open(output.path(path)).unwrap().set_modified(past).unwrap();
    }
    let new: Texts = &[("clusters/osaka/a.yaml", "A\n"), FILES[1], FILES[2], ("clusters/e.yaml", "e\n")];
    assert_eq!(
        output.classes(new),
        [
            ("clusters/e.yaml".to_owned(), Class::Missing { blocked: false }),
            ("clusters/osaka/a.yaml".to_owned(), Class::Changed { before: before("a\n") }),
        ]
    );
    let summary = output.generate(new).unwrap();
    assert_eq!(summary, Summary { created: 1, changed: 1, unchanged: 2, lock_written: true, ..Summary::default() });
    assert_eq!(output.snapshot(), Output::fresh(new));
    let is_past = |path| fs::metadata(output.path(path)).unwrap().modified().unwrap() == past;
    assert!(!is_past("clusters/osaka/a.yaml") && is_past("clusters/osaka/b/c.yaml") && is_past("delivery/d.yaml"));
}

#[test]
fn a_hand_edit_is_refused_and_kept_unless_forced() {
    let output = Output::with(FILES);
    output.put("delivery/d.yaml", "edited\n");
    let new: Texts = &[FILES[0], FILES[1], FILES[2], ("e.yaml", "e\n")];
    for files in [FILES, new] {
        assert_eq!(output.delta(files).classes["delivery/d.yaml"], Class::HandEdited { before: before("edited\n") });
    }
    let earlier = output.snapshot();
    let error = output.generate(new).unwrap_err();
    assert!(matches!(&error, Error::Refused { path } if path == "delivery/d.yaml"), "{error}");
    assert_eq!(output.snapshot(), earlier, "nothing of a refused run is written");
    assert_eq!(output.force(new).unwrap().changed, 1);
    assert_eq!(output.snapshot(), Output::fresh(new));
}

#[test]
fn a_hand_edit_that_is_what_is_now_planned_is_no_hand_edit() {
    let output = Output::with(FILES);
    output.put("delivery/d.yaml", "D\n");
    let new: Texts = &[FILES[0], FILES[1], ("delivery/d.yaml", "D\n")];
    assert_eq!(output.classes(new), [("delivery/d.yaml".to_owned(), Class::Adopt)]);
    assert_eq!(output.generate(new).unwrap(), Summary { unchanged: 3, lock_written: true, ..Summary::default() });
    assert_eq!(output.snapshot(), Output::fresh(new));
}

#[test]
fn a_lost_lock_is_made_again_from_files_that_are_as_planned() {
    let output = Output::with(FILES);
    fs::remove_file(output.path("ringfence.lock")).unwrap();
    assert!(output.classes(FILES).iter().all(|(_, class)| *class == Class::Adopt));
    assert!(!output.delta(FILES).is_up_to_date());
    output.generate(FILES).unwrap();
    assert_eq!(output.snapshot(), Output::fresh(FILES));
}

#[test]
fn a_foreign_file_in_the_way_is_never_overwritten() {
    let output = Output::with(FILES);
    output.put("e.yaml", "mine\n");
    let new: Texts = &[FILES[0], FILES[1], FILES[2], ("e.yaml", "e\n")];
    assert_eq!(output.classes(new), [("e.yaml".to_owned(), Class::ForeignInTheWay)]);
    assert!(output.generate(new).is_err());
    assert!(output.force(new).is_err());
    assert_eq!(output.get("e.yaml"), "mine\n");
}

#[test]
fn stale_files_go_with_the_folders_they_leave_empty_and_foreign_ones_stay() {
    let output = Output::with(FILES);
    output.put("clusters/osaka/b/notes.txt", "mine\n");
    let new: Texts = &[FILES[0]];
    assert_eq!(
        output.classes(new),
        [
            ("clusters/osaka/b/c.yaml".to_owned(), Class::Stale { before: before("c\n"), edited: false }),
            ("clusters/osaka/b/notes.txt".to_owned(), Class::Foreign),
            ("delivery/d.yaml".to_owned(), Class::Stale { before: before("d\n"), edited: false }),
        ]
    );
    assert_eq!(output.generate(new).unwrap().deleted, 2);
    let mut expected = Output::fresh(new);
    expected.insert("clusters/osaka/b/".to_owned(), Vec::new());
    expected.insert("clusters/osaka/b/notes.txt".to_owned(), b"mine\n".to_vec());
    assert_eq!(output.snapshot(), expected);
}

#[test]
fn an_edited_stale_file_is_kept_unless_forced() {
    let output = Output::with(FILES);
    output.put("delivery/d.yaml", "edited\n");
    let new: Texts = &[FILES[0], FILES[1]];
    assert_eq!(output.classes(new), [("delivery/d.yaml".to_owned(), Class::Stale { before: before("edited\n"), edited: true })]);
    assert!(output.generate(new).is_err());
    assert_eq!(output.get("delivery/d.yaml"), "edited\n");
    output.force(new).unwrap();
    assert_eq!(output.snapshot(), Output::fresh(new));
}

#[test]
fn a_stale_file_that_is_gone_leaves_the_lock_and_its_empty_folder_goes() {
    let output = Output::with(FILES);
    fs::remove_file(output.path("delivery/d.yaml")).unwrap();
    let new: Texts = &[FILES[0], FILES[1]];
    let delta = output.delta(new);
    assert!(delta.lock_outdated && !delta.is_up_to_date());
    output.generate(new).unwrap();
    assert_eq!(output.snapshot(), Output::fresh(new));
}

#[test]
fn a_missing_file_is_written_again() {
    let output = Output::with(FILES);
    fs::remove_dir_all(output.path("clusters")).unwrap();
    assert_eq!(output.generate(FILES).unwrap(), Summary { created: 2, unchanged: 1, ..Summary::default() });
    assert_eq!(output.snapshot(), Output::fresh(FILES));
}

#[test]
fn foreign_files_and_folders_are_listed_and_not_read_into() {
    let output = Output::with(FILES);
    output.put("notes.txt", "");
    output.put(".git/objects/ab/cd", "");
    output.put("clusters/extra/deep/x.yaml", "");
    fs::create_dir(output.path("empty")).unwrap();
    let foreign = |path: &str| (path.to_owned(), Class::Foreign);
    assert_eq!(output.classes(FILES), [".git/", "clusters/extra/", "empty/", "notes.txt"].map(foreign));
    assert!(output.delta(FILES).is_up_to_date());
}

#[test]
fn a_file_becomes_a_folder_and_a_folder_a_file() {
    let old: Texts = &[("a", "file\n"), ("b/c/d", "deep\n"), ("b/c/e", "deep\n"), ("f", "f\n")];
    let new: Texts = &[("a/x/y", "deep\n"), ("b", "file\n"), ("f", "f\n")];
    let output = Output::with(old);
    assert_eq!(output.delta(new).classes["b"], Class::Missing { blocked: true });
    assert_eq!(output.delta(new).classes["a/x/y"], Class::Missing { blocked: true });
    assert_eq!(output.generate(new).unwrap(), Summary { created: 2, deleted: 3, unchanged: 1, lock_written: true, ..Summary::default() });
    assert_eq!(output.snapshot(), Output::fresh(new));
    output.generate(old).unwrap();
    assert_eq!(output.snapshot(), Output::fresh(old));
}

#[test]
fn an_empty_tree_empties_the_output_but_for_the_lock() {
    let output = Output::with(FILES);
    assert_eq!(output.generate(&[]).unwrap().deleted, 3);
    assert_eq!(output.snapshot().keys().collect::<Vec<_>>(), ["ringfence.lock"]);
    assert!(output.delta(&[]).is_up_to_date());
    assert!(Output::new().delta(&[]).is_up_to_date());
}

#[test]
fn a_check_of_an_output_that_is_not_there_finds_everything_missing_and_makes_nothing() {
    let output = Output::new();
    assert_eq!(output.delta(FILES).count(|class| matches!(class, Class::Missing { blocked: false })), 3);
    assert!(!output.root.exists());
}

#[test]
fn another_owner_of_the_same_bytes_changes_the_lock_alone() {
    let output = Output::with(FILES);
    let lock = output.get("ringfence.lock");
    output.put("ringfence.lock", lock.replace("workload delivery/d.yaml @osaka", "workload delivery/d.yaml @tokyo"));
    assert!(output.classes(FILES).is_empty());
    assert!(output.delta(FILES).lock_outdated);
    assert_eq!(output.generate(FILES).unwrap(), Summary { unchanged: 3, lock_written: true, ..Summary::default() });
    assert_eq!(output.get("ringfence.lock"), lock);
}

//! A run that is stopped at any step leaves something that the next run repairs, and that no check calls clean (I6).

use std::collections::BTreeMap;
use std::fs;

use ringfence::tree::{Error, Fault};

use crate::output::{Output, Texts};

/// Not a fault: such a run only goes without waiting for the disk.
const NEVER: Fault = Fault::Before(usize::MAX);

const OLD: Texts = &[
    ("clusters/osaka/10/a.yaml", "a: the first of all\n"),
    ("clusters/osaka/10/b.yaml", "b: the second\n"),
    ("clusters/osaka/20/stale.yaml", "stale\n"),
    ("clusters/tokyo/stale.yaml", "stale\n"),
    ("delivery/becomes-a-folder", "file\n"),
    ("delivery/becomes-a-file/x", "deep\n"),
    ("kept.yaml", "kept\n"),
];

/// Changes, creates, deletes, empties folders, and swaps files for folders and back.
const NEW: Texts = &[
    ("clusters/osaka/10/a.yaml", "a: changed\n"),
    ("clusters/osaka/10/b.yaml", "b: changed as well\n"),
    ("clusters/osaka/10/c.yaml", "c: new here\n"),
    ("clusters/nagoya/10/d.yaml", "d: in a new folder\n"),
    ("delivery/becomes-a-file", "file now\n"),
    ("delivery/becomes-a-folder/y/z", "deep now\n"),
    ("kept.yaml", "kept\n"),
];

/// What the inventory says by the time of the next run; it shares paths with both.
const OTHER: Texts = &[
    ("clusters/osaka/10/a.yaml", "a: changed\n"),
    ("clusters/osaka/10/b.yaml", "b: changed otherwise\n"),
    ("clusters/osaka/10/c.yaml", "c: another text\n"),
    ("clusters/tokyo/stale.yaml", "stale\n"),
    ("delivery/becomes-a-folder/y", "a file\n"),
    ("kept.yaml", "kept\n"),
];

/// The old tree with a foreign file beside ours and one in a folder that we leave.
fn before() -> BTreeMap<String, Vec<u8>> {
    with_foreign(OLD)
}

fn with_foreign(files: Texts) -> BTreeMap<String, Vec<u8>> {
    let output = Output::new();
    output.stop(files, NEVER).0.unwrap();
    output.put("clusters/osaka/20/notes.txt", "mine\n");
    output.put("notes.txt", "mine\n");
    output.snapshot()
}

/// Stops a run from the state towards a tree at every step in turn, and hands what is left to a test. Returns how many steps there are.
fn at_every_step(from: &BTreeMap<String, Vec<u8>>, to: Texts, fault: fn(usize) -> Fault, test: impl FnMut(usize, Output)) -> usize {
    at_steps(0.., from, to, fault, test)
}

fn at_steps(
    steps: impl Iterator<Item = usize>,
    from: &BTreeMap<String, Vec<u8>>,
    to: Texts,
    fault: fn(usize) -> Fault,
    mut test: impl FnMut(usize, Output),
) -> usize {
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for step in steps {
        let output = Output::of(from);
        let (result, unsynced) = one_thread.install(|| output.stop(to, fault(step)));
        match result {
            Ok(_) => return step,
            Err(error @ Error::Io { .. }) if matches!(fault(step), Fault::Full(_)) => {
                assert!(error.help().starts_with("Make room on the disk"), "{}", error.help());
            }
            Err(error) => assert!(error.to_string().ends_with("stopped by a test"), "{error}"),
        }
        if matches!(fault(step), Fault::Torn(_)) {
            // The power fails as well: of files that are not yet durable the length may be all that is left, or not even that.
            for (index, path) in unsynced.iter().enumerate().filter(|(_, path)| path.exists()) {
                let length = if index % 2 == 0 { fs::metadata(path).unwrap().len() } else { 0 };
                fs::write(path, vec![0; length as usize]).unwrap();
            }
        }
        test(step, output);
    }
    unreachable!("a run has an end");
}

/// A check calls clean only what is exactly the tree.
fn checks_are_honest(output: &Output, step: usize) {
    let disk = output.snapshot();
    for files in [OLD, NEW, OTHER] {
        if output.delta(files).is_up_to_date() {
            assert_eq!(disk, with_foreign_if_there(files, &disk), "a mixed tree was called clean after step {step}");
        }
    }
}

/// The tree with those foreign things that are on disk: `clusters/osaka/20/` stays because of one.
fn with_foreign_if_there(files: Texts, disk: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    if disk.contains_key("notes.txt") { with_foreign(files) } else { Output::fresh(files) }
}

fn repairs(output: &Output, files: Texts, step: usize) {
    let (result, _) = output.stop(files, NEVER);
    result.unwrap_or_else(|error| panic!("the repair after step {step} failed: {error}"));
    assert_eq!(output.snapshot(), with_foreign(files), "after step {step}");
    assert!(output.delta(files).is_up_to_date());
    let (summary, _) = output.stop(files, Fault::Before(0));
    assert!(!summary.unwrap().repaired, "after the repair there is nothing left to do");
}

#[test]
fn a_run_killed_before_any_step_is_repaired_to_the_new_tree_the_old_one_or_a_third() {
    for next in [NEW, OLD, OTHER] {
        let steps = at_every_step(&before(), NEW, Fault::Before, |step, output| {
            checks_are_honest(&output, step);
            repairs(&output, next, step);
        });
        assert!(steps > 35, "{steps} steps");
    }
}

#[test]
fn a_run_torn_within_any_step_by_a_power_failure_is_repaired() {
    for next in [NEW, OLD, OTHER] {
        at_every_step(&before(), NEW, Fault::Torn, |step, output| {
            checks_are_honest(&output, step);
            repairs(&output, next, step);
        });
    }
}

#[test]
fn a_run_that_fills_the_disk_at_any_step_is_repaired_once_there_is_room() {
    at_every_step(&before(), NEW, Fault::Full, |step, output| {
        checks_are_honest(&output, step);
        repairs(&output, NEW, step);
    });
}

#[test]
fn a_first_run_stopped_anywhere_is_repaired_or_taken_back() {
    let nothing =
        BTreeMap::from([("clusters/osaka/20/notes.txt".to_owned(), b"mine\n".to_vec()), ("notes.txt".to_owned(), b"mine\n".to_vec())]);
    for next in [NEW, OTHER, &[]] {
        at_every_step(&nothing, NEW, Fault::Torn, |step, output| {
            checks_are_honest(&output, step);
            output.stop(next, NEVER).0.unwrap();
            let mut left = output.snapshot();
            if next.is_empty() {
                // Where there was a lock already, an empty one stays.
                left.remove("ringfence.lock");
            }
            assert_eq!(left, with_foreign(next), "after step {step}");
        });
    }
}

#[test]
fn a_repair_stopped_anywhere_is_repaired_whatever_the_inventory_says_by_then() {
    at_every_step(&before(), NEW, Fault::Torn, |first, output| {
        let left = output.snapshot();
        // Every pair would be two thousand; so each first and each second step comes up six times.
        at_steps((first % 7..).step_by(7), &left, OTHER, Fault::Torn, |second, output| {
            checks_are_honest(&output, second);
            let next = [OLD, NEW, OTHER][second % 3];
            repairs(&output, next, first * 1000 + second);
        });
    });
}

#[test]
fn what_a_killed_run_wrote_is_durable_before_the_next_one_calls_it_done() {
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut adopted = false;
    for step in 0.. {
        let output = Output::of(&before());
        let (result, unsynced) = one_thread.install(|| output.stop(NEW, Fault::Before(step)));
        if result.is_ok() {
            break;
        }
        adopted |= !unsynced.is_empty();
        output.stop_after(NEW, NEVER, unsynced).0.unwrap();
    }
    assert!(adopted);
}

#[test]
fn an_interrupted_run_is_reported_even_where_every_file_is_right() {
    let mut seen = false;
    at_every_step(&before(), NEW, Fault::Before, |_, output| {
        let delta = output.delta(NEW);
        if output.path("ringfence.pending").exists() {
            assert!(delta.interrupted && !delta.is_up_to_date());
            seen |= !delta.lock_outdated && !delta.classes.values().any(|class| class.is_write());
        }
    });
    assert!(seen, "one of the states is: all done but the journal's removal");
}

#[test]
fn a_hand_edit_after_an_interruption_is_still_a_hand_edit() {
    let mut tested = [0; 3];
    at_every_step(&before(), NEW, Fault::Before, |step, output| {
        if !output.path("ringfence.pending").exists() {
            return;
        }
        for (index, path) in ["clusters/osaka/10/a.yaml", "clusters/osaka/10/c.yaml", "kept.yaml"].into_iter().enumerate() {
            let Ok(text) = fs::read(output.path(path)) else { continue };
            output.put(path, "edited\n");
            assert!(matches!(output.stop(NEW, NEVER).0, Err(Error::Refused { path: refused }) if refused == path), "after step {step}");
            assert_eq!(output.get(path), "edited\n");
            output.put(path, text);
            tested[index] = step;
        }
    });
    assert!(tested.iter().all(|step| *step > 0));
}

#[test]
fn what_was_to_be_overwritten_by_force_still_is_after_an_interruption() {
    let output = Output::of(&before());
    output.put("clusters/osaka/10/a.yaml", "edited\n");
    let start = output.snapshot();
    for step in 8..20 {
        let output = Output::of(&start);
        let options = ringfence::tree::Options { force: true, faults: ringfence::tree::Faults::at(Fault::Before(step)) };
        assert!(output.write(NEW, &options).is_err());
        assert!(output.path("ringfence.pending").exists());
        repairs(&output, NEW, step);
    }
}

#[test]
fn a_journal_left_by_a_run_that_did_nothing_does_not_excuse_what_it_does_not_list() {
    let output = Output::with(OLD);
    output.put("ringfence.pending", "# ringfence.pending v1: by hand\n# end\n");
    output.put("kept.yaml", "edited\n");
    assert!(output.delta(OLD).interrupted);
    assert!(output.generate(OLD).is_err());
    output.put("kept.yaml", "kept\n");
    assert!(output.generate(OLD).unwrap().repaired);
    assert_eq!(output.snapshot(), Output::fresh(OLD));
}

#[test]
fn a_name_like_an_unfinished_file_is_not_ours_by_its_name_alone() {
    let output = Output::with(OLD);
    output.put("clusters/osaka/10/a.yaml.ringfence-new", "mine\n");
    output.put("ringfence.pending", "# ringfence.pending v1: by hand\n# end\n");
    output.generate(OLD).unwrap();
    assert_eq!(output.get("clusters/osaka/10/a.yaml.ringfence-new"), "mine\n");
}

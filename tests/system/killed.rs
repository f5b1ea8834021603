//! A run that is killed at any moment leaves what the next run repairs, and what no check calls clean unless it is (I6).

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::fleet;
use crate::program::{Files, Outcome, Project, assert_same};
use crate::random::Random;

/// So many moments in all: half of them over an empty folder, half over the trees of an older inventory.
const MOMENTS: u32 = 200;

#[test]
fn a_run_killed_at_any_of_200_moments_is_repaired_and_never_called_clean() {
    let old = Project::new(&fleet::inventory(37, 6, 0)).generate();
    let torn: usize = std::thread::scope(|scope| {
        let halves =
            [scope.spawn(|| kills(0x5167_1101, "an empty folder", &Files::new())), scope.spawn(|| kills(0x5167_1102, "older trees", &old))];
        halves.map(|half| half.join().unwrap()).into_iter().sum()
    });
    assert!(torn > 0, "no run was killed while it wrote: this tested nothing");
}

/// Kills half of the runs over what was there before. Returns how many of them left a mixture.
fn kills(seed: u64, name: &str, before: &Files) -> usize {
    let project = Project::new(&fleet::inventory(36, 6, 1));
    let clean = project.generate();
    let (begin, end) = window(&project, before);
    let mut random = Random::new(seed);
    let mut torn = 0;
    for moment in 0..MOMENTS / 2 {
        // A quarter falls anywhere in the run, the others where it writes.
        let from = if moment % 4 == 0 { Duration::ZERO } else { begin };
        let delay = from + end.saturating_sub(from).mul_f64(random.fraction());
        let context = format!("over {name}, killed after {delay:?}");
        project.set_tree(before);
        kill_after(&mut project.program(["generate"]), delay);
        let left = project.tree();
        let mixed = left != *before && left != clean;
        honest(&project, &left, &clean, &context);
        project.run(["generate"]).expect(0);
        assert_same(&project.tree(), &clean, &context);
        if mixed {
            torn += 1;
            project.run(["generate", "--check"]).expect(0);
        }
    }
    torn
}

/// A check exits 0 only where the tree is exactly the clean one.
fn honest(project: &Project, left: &Files, clean: &Files, context: &str) {
    let check = project.run(["generate", "--check"]);
    match check.exit {
        Some(0) => assert_same(left, clean, &format!("{context}, called clean")),
        Some(1) => assert!(!check.stderr.is_empty(), "{context}: says nothing"),
        other => panic!("{context}: the check ended with {other:?}\n{}", check.stderr),
    }
    assert_same(&project.tree(), left, &format!("{context}, the check wrote"));
}

/// From when to when a run writes.
fn window(project: &Project, before: &Files) -> (Duration, Duration) {
    project.set_tree(before);
    let started = Instant::now();
    let outcome = project.run(["generate", "-v"]).expect(0);
    let all = started.elapsed();
    let write = outcome.stderr.lines().find_map(|line| line.trim().strip_prefix("write ")).unwrap();
    let write: f64 = write.trim().strip_suffix(" ms").unwrap().parse().unwrap();
    (all.saturating_sub(Duration::from_secs_f64(write / 1000.0)), all)
}

fn kill_after(command: &mut Command, delay: Duration) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(delay);
    // It may have ended by itself, which is a moment, too.
    let _ = child.kill();
    child.wait().unwrap();
}

#[test]
fn two_runs_at_the_same_time_never_mix_their_trees() {
    let project = Project::new(&fleet::inventory(60, 6, 0));
    let clean = project.generate();
    for round in 0..10 {
        project.set_tree(&Files::new());
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| project.run(["generate"]))).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        for outcome in &outcomes {
            match outcome.exit {
                Some(0) => {}
                Some(2) => assert!(outcome.stderr.contains("help: "), "round {round}:\n{}", outcome.stderr),
                other => panic!("round {round}: {other:?}\n{}", outcome.stderr),
            }
        }
        assert!(outcomes.iter().any(|outcome| outcome.exit == Some(0)), "round {round}: none of the runs went through");
        assert_same(&project.tree(), &clean, &format!("round {round}"));
        project.run(["generate", "--check"]).expect(0);
    }
}

//! Two runs at one time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use ringfence::tree::{Error, Exclusive, Shared};

use crate::output::{Output, Texts};

const FILES: Texts = &[("a.yaml", "a\n"), ("b/c.yaml", "c\n")];
const HOLD: &str = "TREE_TEST_HOLD";

#[test]
fn a_second_run_fails_at_once_and_says_why() {
    let output = Output::with(FILES);
    let hold = Exclusive::take(&output.root).unwrap();
    let error = output.generate(FILES).unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert!(error.to_string().starts_with("another run of Ringfence is at work in `"), "{error}");
    assert!(matches!(Shared::take(&output.root), Err(Error::Busy { .. })));
    drop(hold);
    output.generate(FILES).unwrap();
}

#[test]
fn checks_do_not_disturb_each_other_but_keep_a_run_away() {
    let output = Output::with(FILES);
    let _first = Shared::take(&output.root).unwrap();
    let _second = Shared::take(&output.root).unwrap();
    assert!(matches!(Exclusive::take(&output.root), Err(Error::Busy { .. })));
}

#[test]
fn of_many_runs_at_once_each_wins_or_is_told_that_another_is_at_work() {
    let output = Output::new();
    let won = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| match output.generate(FILES) {
                Ok(_) => drop(won.fetch_add(1, Ordering::Relaxed)),
                Err(error) => assert!(matches!(error, Error::Busy { .. }), "{error}"),
            });
        }
    });
    assert!(won.into_inner() > 0);
    assert_eq!(output.snapshot(), Output::fresh(FILES));
}

#[test]
fn a_killed_process_holds_nothing() {
    let output = Output::with(FILES);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "concurrency::another_process", "--nocapture", "--test-threads=1"])
        .env(HOLD, &output.root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains("holding")));
    assert!(matches!(output.generate(FILES), Err(Error::Busy { .. })));
    child.kill().unwrap();
    child.wait().unwrap();
    output.generate(FILES).unwrap();
}

/// The other process of the test above; nothing by itself.
#[test]
fn another_process() {
    let Some(root) = std::env::var_os(HOLD) else { return };
    let _hold = Exclusive::take(root.as_ref()).unwrap();
    std::io::stdout().write_all(b"holding\n").unwrap();
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

//! What a test run starts does not outlive it.

use std::fs;
use std::process::Stdio;

use crate::judges::Judges;
use crate::runner::Verdict;
use crate::waiting::{free_port, until};

/// A program whose stdin closes, as it does when the test's process is killed, ends and takes the scratch folder along.
pub fn verdict(judges: &Judges) -> Verdict {
    let parent = tempfile::tempdir().unwrap();
    let scratch = parent.path().join("scratch");
    fs::create_dir(&scratch).unwrap();
    let client = format!("http://127.0.0.1:{}", free_port());
    let mut command = judges.program("etcd");
    command.args(["--log-level", "error", "--listen-peer-urls", "http://127.0.0.1:0", "--listen-client-urls", &client]);
    command.args(["--advertise-client-urls", &client, "--data-dir"]).arg(scratch.join("data"));
    let mut child =
        command.env("JUDGE_SCRATCH", &scratch).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("etcd has written something", || scratch.join("data").exists().then_some(()));
    if child.try_wait().unwrap().is_some() {
        return Err("etcd has ended too early, so this shows nothing".to_owned());
    }
    drop(child.stdin.take());
    until("etcd ends", || child.try_wait().unwrap());
    if scratch.exists() { Err("the scratch folder is still there".to_owned()) } else { Ok(()) }
}

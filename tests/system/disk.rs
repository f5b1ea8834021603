//! A disk that takes no more: a clear error, exit code 2, and the next run repairs (I6).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fleet;
use crate::program::{Files, Outcome, Project, assert_same, files, not_run, say};

fn new() -> BTreeMap<String, String> {
    fleet::inventory(36, 6, 1)
}

fn old() -> BTreeMap<String, String> {
    fleet::inventory(37, 6, 0)
}

/// The program, told where its trees go.
fn generate(project: &Project, output: &Path) -> Command {
    project.program(["generate", "--output", output.to_str().unwrap()])
}

/// A run that must fail for want of the disk, and a check that must not call clean what it left.
fn fails(project: &Project, output: &Path, mut command: Command) {
    Outcome::of(&mut command).expect(2).tells("error: ").tells("help: ");
    let check = project.run(["generate", "--check", "--output", output.to_str().unwrap()]);
    assert_ne!(check.exit, Some(0), "a mixed tree was called clean");
}

fn repairs(project: &Project, output: &Path, clean: &Files, context: &str) {
    Outcome::of(&mut generate(project, output)).expect(0);
    assert_same(&files(output), clean, context);
}

#[test]
fn a_limit_on_the_size_of_files_is_a_clear_error_and_the_next_run_repairs() {
    let project = Project::new(&new());
    let clean = project.generate();
    let largest = clean.values().map(Vec::len).max().unwrap();
    let older = Project::new(&old()).generate();
    for before in [Files::new(), older] {
        // From a limit that the first large file meets to one that only the lock does; in units of 512 bytes, as POSIX has it.
        for blocks in [1, 2, largest / 512 - 1] {
            project.set_tree(&before);
            let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" generate");
            let mut shell = Command::new("sh");
            shell.args(["-c", &script, env!("CARGO_BIN_EXE_ringfence")]).current_dir(&project.root);
            fails(&project, &project.output(), shell);
            repairs(&project, &project.output(), &clean, &format!("limited to {blocks} blocks"));
        }
    }
}

#[test]
fn a_folder_that_may_not_be_written_is_a_clear_error_and_the_next_run_repairs() {
    let project = Project::new(&new());
    let clean = project.generate();
    project.set_tree(&Project::new(&old()).generate());
    let output = project.output();
    let locked = output.join("clusters/c001/40-workloads/team-0001-confidential");
    let user = unprivileged(&project.root);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = generate(&project, &output);
    if matches!(user, User::Root) {
        if project.program(["--version"]).uid(NOBODY).gid(NOBODY).output().is_err() {
            fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
            return not_run("a folder that may not be written: nobody but root may run the program here");
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    fails(&project, &output, command);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
    repairs(&project, &output, &clean, "a folder that could not be written");
}

/// The user who owns nothing.
const NOBODY: u32 = 65534;

enum User {
    Already,
    Root,
}

/// Whether permissions hold for this user. Where they do not, everything is given to one for whom they do.
fn unprivileged(root: &Path) -> User {
    let probe = root.join("probe");
    fs::create_dir(&probe).unwrap();
    fs::set_permissions(&probe, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(probe.join("file"), "").is_err() {
        fs::remove_dir(&probe).unwrap();
        return User::Already;
    }
    fs::remove_dir_all(&probe).unwrap();
    fs::set_permissions(root.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    for entry in walkdir::WalkDir::new(root) {
        std::os::unix::fs::chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    User::Root
}

#[test]
fn a_full_disk_is_a_clear_error_and_the_next_run_repairs() {
    let project = Project::new(&new());
    let clean = project.generate();
    let older = Project::new(&old()).generate();
    let mount_point = project.root.join("mounted");
    fs::create_dir(&mount_point).unwrap();
    let Some(mut disk) = Disk::mount(&mount_point) else {
        // Even CI may be a container that mounts nothing; the limit on the size of files above reaches the same code.
        return say("not run: a full disk and one that is mounted for reading alone: nothing can be mounted here");
    };
    let output = mount_point.join("output");
    for before in [Files::new(), older] {
        for free in [0, 4, 16] {
            disk.fill(&output, &before, free);
            fails(&project, &output, generate(&project, &output));
            disk.make_room();
            repairs(&project, &output, &clean, &format!("{free} KiB were free"));
        }
    }
    project.set(&old());
    disk.remount("ro");
    fails(&project, &output, generate(&project, &output));
    assert_same(&files(&output), &clean, "a disk that is mounted for reading alone");
    disk.remount("rw");
    Outcome::of(&mut generate(&project, &output)).expect(0);
}

/// A small disk in memory, which goes when it is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "none"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }

    /// Holds the trees and no more room than so many KiB.
    fn fill(&self, output: &Path, before: &Files, free: u64) {
        if output.exists() {
            fs::remove_dir_all(output).unwrap();
        }
        fs::create_dir(output).unwrap();
        for (path, bytes) in before {
            let path = output.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let filler = self.0.join("filler");
        let mut size = 0;
        let chunk = [0; 4096];
        let mut file = fs::File::create(&filler).unwrap();
        while std::io::Write::write_all(&mut file, &chunk).is_ok() {
            size += 4096;
        }
        file.set_len(size.max(free * 1024) - free * 1024).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }

    fn remount(&mut self, mode: &str) {
        let mounted = Command::new("mount").args(["-o", &format!("remount,{mode}")]).arg(&self.0).status().unwrap();
        assert!(mounted.success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What cannot be unmounted fails when the scratch folder is deleted.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

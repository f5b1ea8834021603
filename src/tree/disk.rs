//! The few things that `write` does to a disk. Each is one step that can fail or be cut short (see [`Faults`]).

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{Error, Faults, STAGED_SUFFIX};

/// The output, for writing.
pub(super) struct Disk<'a> {
    pub(super) root: &'a Path,
    pub(super) faults: &'a Faults,
}

/// Whether a file is made durable as it is written: where there is no call that does so for all of them at once.
const SYNC_EACH: bool = !cfg!(any(target_os = "linux", target_os = "android"));

impl Disk<'_> {
    fn step(&self, doing: &'static str, path: &str) -> Result<PathBuf, Error> {
        let on_disk = self.root.join(path);
        self.faults.step().map_err(Error::io(doing, &on_disk))?;
        Ok(on_disk)
    }

    /// Makes a folder unless it is there.
    pub(super) fn make_folder(&self, path: &str) -> Result<(), Error> {
        let on_disk = self.step("make the folder", path)?;
        match fs::create_dir(&on_disk) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::io("make the folder", on_disk)(error)),
            _ => Ok(()),
        }
    }

    /// Writes a file where there is none: never through a link, never over what someone has just put there.
    pub(super) fn create(&self, path: &str, text: &str, durable: bool) -> Result<(), Error> {
        let on_disk = self.root.join(path);
        let create = || File::create_new(&on_disk);
        if let Err(error) = self.faults.step() {
            if self.faults.tears() {
                create().and_then(|mut file| file.write_all(&text.as_bytes()[..text.len() / 2])).map_err(Error::io("write", &on_disk))?;
                self.faults.wrote(&on_disk);
            }
            return Err(Error::io("write", on_disk)(error));
        }
        let mut file = create().map_err(Error::io("make the file", &on_disk))?;
        file.write_all(text.as_bytes()).map_err(Error::io("write", &on_disk))?;
        self.faults.wrote(&on_disk);
        if durable || SYNC_EACH {
            self.step("make durable", path)?;
            if !self.faults.simulate() {
                file.sync_all().map_err(Error::io("make durable", &on_disk))?;
            }
            self.faults.synced(&on_disk);
        }
        Ok(())
    }

    /// Puts a staged file in its place.
    pub(super) fn rename(&self, staged: &str, path: &str) -> Result<(), Error> {
        let on_disk = self.step("replace", path)?;
        let staged = self.root.join(staged);
        fs::rename(&staged, &on_disk).map_err(Error::io("replace", &on_disk))?;
        self.faults.renamed(&staged, &on_disk);
        Ok(())
    }

    /// Writes one file of ours in the root as a whole, durably: it is the old one or the new one at any moment.
    pub(super) fn replace(&self, path: &str, text: &str) -> Result<(), Error> {
        let staged = format!("{path}{STAGED_SUFFIX}");
        self.create(&staged, text, true)?;
        self.rename(&staged, path)?;
        self.sync_root()
    }

    /// Deletes a file that may be gone already.
    pub(super) fn delete(&self, path: &str) -> Result<(), Error> {
        let on_disk = self.step("delete", path)?;
        match fs::remove_file(&on_disk) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("delete", on_disk)(error)),
            _ => Ok(()),
        }
    }

    /// Deletes a folder if it is empty.
    pub(super) fn delete_empty_folder(&self, path: &str) -> Result<(), Error> {
        let on_disk = self.step("delete the folder", path)?;
        match fs::remove_dir(&on_disk) {
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory) => {
                Err(Error::io("delete the folder", on_disk)(error))
            }
            _ => Ok(()),
        }
    }

    /// Makes durable what was written, renamed and deleted so far.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.step("make durable", "")?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if !self.faults.simulate() {
            let root = File::open(self.root).map_err(Error::io("open", self.root))?;
            rustix::fs::syncfs(&root).map_err(|error| Error::io("make durable", self.root)(error.into()))?;
        }
        self.faults.all_synced();
        Ok(())
    }

    /// Makes durable what the root lists.
    fn sync_root(&self) -> Result<(), Error> {
        self.step("make durable", "")?;
        #[cfg(unix)]
        if !self.faults.simulate() {
            File::open(self.root).and_then(|root| root.sync_all()).map_err(Error::io("make durable", self.root))?;
        }
        Ok(())
    }
}

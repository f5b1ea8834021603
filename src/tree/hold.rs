//! Only one run writes an output at a time, and none while another reads it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::Error;

/// The right to write an output, for as long as it lives. The operating system ends it with the process, however that ends.
#[derive(Debug)]
pub struct Exclusive {
    root: PathBuf,
    _held: Held,
}

impl Exclusive {
    /// Takes it at once or fails with [`Error::Busy`]; makes the output where there is none.
    pub fn take(root: &Path) -> Result<Self, Error> {
        fs::create_dir_all(root).map_err(Error::io("make the folder", root))?;
        let handle = handle(root).map_err(Error::io("open", root))?;
        answer(handle.try_lock(), root)?;
        Ok(Self { root: root.to_owned(), _held: Held(handle) })
    }

    /// The output.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// The right to look at an output that nobody writes meanwhile.
#[derive(Debug)]
pub struct Shared {
    _held: Option<Held>,
}

impl Shared {
    /// Takes it at once or fails with [`Error::Busy`]; where there is no output, there is nothing to hold.
    pub fn take(root: &Path) -> Result<Self, Error> {
        let handle = match handle(root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self { _held: None }),
            other => other.map_err(Error::io("open", root))?,
        };
        answer(handle.try_lock_shared(), root)?;
        Ok(Self { _held: Some(Held(handle)) })
    }
}

/// A lock that is given back when it is dropped. Closing alone would not do: a process that another thread has just started holds what was open
/// until it has become another program.
#[derive(Debug)]
struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        // Should this fail, closing the file comes next.
        let _ = self.0.unlock();
    }
}

fn answer(answer: Result<(), TryLockError>, root: &Path) -> Result<(), Error> {
    match answer {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Error::Busy { root: root.to_owned() }),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", root)(error)),
    }
}

/// What is locked: the folder itself, so that no file is left behind.
#[cfg(unix)]
fn handle(root: &Path) -> io::Result<File> {
    File::open(root)
}

/// What is locked: folders cannot be opened as files here.
#[cfg(not(unix))]
fn handle(root: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(false).open(root.join(super::RUNNING_FILE))
}

//! What earlier runs left in writing.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{Error, LOCK_FILE, Lock, PENDING_FILE, Pending};

/// The lock and the journal, as they are on disk.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// The lock; empty where there is none.
    pub lock: Lock,
    /// The lock's text, where there is one.
    pub(super) lock_text: Option<Vec<u8>>,
    /// The journal of an interrupted run.
    pub pending: Option<Pending>,
}

impl Recorded {
    /// Whether the lock on disk is not this one.
    pub(super) fn differs(&self, lock: &Lock) -> bool {
        match &self.lock_text {
            Some(text) => *text != lock.to_text().into_bytes(),
            None => !lock.is_empty(),
        }
    }
}

/// Reads lock and journal. Fails on one that is damaged: guessing would mean to overwrite or to abandon files.
pub fn read(root: &Path) -> Result<Recorded, Error> {
    let lock_path = root.join(LOCK_FILE);
    let lock_text = bytes(&lock_path)?;
    let lock = match &lock_text {
        Some(text) => Lock::parse(text).map_err(|damage| Error::damaged(&lock_path, damage))?,
        None => Lock::default(),
    };
    let pending_path = root.join(PENDING_FILE);
    let pending = match bytes(&pending_path)? {
        Some(text) => Some(Pending::parse(&text).map_err(|damage| Error::damaged(&pending_path, damage))?),
        None => None,
    };
    Ok(Recorded { lock, lock_text, pending })
}

/// A file's bytes, where there is one. A link is an error: it would be read here and replaced later.
fn bytes(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
        Ok(meta) if !meta.is_file() => {
            let what = match () {
                () if meta.is_dir() => "a folder",
                () if meta.is_symlink() => "a symbolic link",
                () => "something special",
            };
            Err(Error::NoFile { path: path.to_owned(), what })
        }
        Ok(_) => fs::read(path).map(Some).map_err(Error::io("read", path)),
    }
}

//! Stops a run in the middle, for tests of I6.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How a run ends before its time. Steps are counted from 0; every step after the one named fails as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing of the step happens: a kill between two steps.
    Before(usize),
    /// Of a write, half happens: a kill or a power failure in the middle.
    Torn(usize),
    /// Of a write, half happens, and the disk is full.
    Full(usize),
}

/// Counts the steps of a run, ends it where it is told to, and remembers what a power failure would have torn.
#[derive(Debug, Default)]
pub struct Faults {
    fault: Option<Fault>,
    steps: AtomicUsize,
    unsynced: Mutex<Vec<PathBuf>>,
}

impl Faults {
    /// Ends the run so.
    pub fn at(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// The same, after a run that left these files not yet durable.
    #[must_use]
    pub fn after(self, unsynced: Vec<PathBuf>) -> Self {
        Self { unsynced: Mutex::new(unsynced), ..self }
    }

    /// How many steps there were.
    pub fn steps(&self) -> usize {
        self.steps.load(Ordering::Relaxed)
    }

    /// Files that were written and not yet made durable; recorded where a fault is set.
    pub fn unsynced(&self) -> Vec<PathBuf> {
        self.unsynced.lock().map(|paths| paths.clone()).unwrap_or_default()
    }

    /// Whether durability is simulated: such a run need not wait for the disk.
    pub(super) fn simulate(&self) -> bool {
        self.fault.is_some()
    }

    /// Counts a step; fails where the run has ended.
    pub(super) fn step(&self) -> io::Result<()> {
        let step = self.steps.fetch_add(1, Ordering::Relaxed);
        match self.fault {
            Some(Fault::Before(end) | Fault::Torn(end)) if step >= end => Err(io::Error::other("stopped by a test")),
            Some(Fault::Full(end)) if step >= end => Err(ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    /// Whether the step that just failed leaves half of what it was to write.
    pub(super) fn tears(&self) -> bool {
        matches!(self.fault, Some(Fault::Torn(end) | Fault::Full(end)) if self.steps() == end + 1)
    }

    pub(super) fn wrote(&self, path: &Path) {
        self.track(|unsynced| unsynced.push(path.to_owned()));
    }

    pub(super) fn renamed(&self, from: &Path, to: &Path) {
        self.track(|unsynced| unsynced.iter_mut().filter(|path| **path == from).for_each(|path| to.clone_into(path)));
    }

    pub(super) fn synced(&self, path: &Path) {
        self.track(|unsynced| unsynced.retain(|unsynced| unsynced != path));
    }

    pub(super) fn all_synced(&self) {
        self.track(Vec::clear);
    }

    fn track(&self, change: impl FnOnce(&mut Vec<PathBuf>)) {
        if self.simulate()
            && let Ok(mut unsynced) = self.unsynced.lock()
        {
            change(&mut unsynced);
        }
    }
}

//! What lies between the disk and the plan, path by path.

use std::collections::BTreeMap;

use super::{Digest, Lock, Recorded, TreePath};

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// On disk, in the lock, as planned.
    Unchanged,
    /// On disk as planned, but the lock lists it otherwise or not at all: only the lock changes.
    Adopt,
    /// Planned, not on disk.
    Missing {
        /// A stale file stands where it, or a folder of it, goes: it can be made after that one's deletion only.
        blocked: bool,
    },
    /// On disk as we left it, planned otherwise.
    Changed {
        /// What is on disk.
        before: Digest,
    },
    /// Ours, but on disk neither as we left it nor as planned.
    HandEdited {
        /// What is on disk.
        before: Digest,
    },
    /// Not ours, and where a planned file or a folder of one goes; or a second kustomization beside a planned one.
    ForeignInTheWay,
    /// Ours, no longer planned.
    Stale {
        /// What is on disk.
        before: Digest,
        /// Not as we left it.
        edited: bool,
    },
    /// Neither ours nor planned. A folder of which nothing is ours or planned is one entry, with `/` at its end.
    Foreign,
    /// Where a file or folder of ours is or goes, there is something that is never followed or written through.
    Unsafe(Odd),
}

/// What may not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// A symbolic link.
    Symlink,
    /// Neither file nor folder nor link: a pipe, a socket, a device.
    Special,
}

impl Odd {
    /// The thing in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Symlink => "a symbolic link",
            Self::Special => "neither a file nor a folder",
        }
    }
}

impl Class {
    /// Whether the tree may not be written because of it. `force` takes the generated content where a hand changed ours; nothing makes us touch
    /// what is not ours.
    pub fn forbids(self, force: bool) -> bool {
        match self {
            Self::HandEdited { .. } | Self::Stale { edited: true, .. } => !force,
            Self::ForeignInTheWay | Self::Unsafe(_) => true,
            _ => false,
        }
    }

    /// Whether a run makes, changes or deletes the file.
    pub fn is_write(self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Changed { .. } | Self::HandEdited { .. } | Self::Stale { .. })
    }
}

/// The difference between disk and plan.
#[derive(Clone, Debug)]
pub struct Delta {
    /// Every path that is planned, ours or on disk, with its class.
    pub classes: BTreeMap<String, Class>,
    /// A run was interrupted here, whatever the classes say.
    pub interrupted: bool,
    /// The lock is not the one that belongs to the plan.
    pub lock_outdated: bool,
    /// The lock that belongs to the plan.
    pub lock: Lock,
    /// Unfinished files of an interrupted run.
    pub(super) leftovers: Vec<String>,
    /// Files that were ours, are not planned and are gone already; a folder of them may be left empty.
    pub(super) gone: Vec<TreePath>,
}

impl Delta {
    /// Whether a run would write nothing at all. Foreign files do not count: nothing is done about them.
    pub fn is_up_to_date(&self) -> bool {
        !self.interrupted && !self.lock_outdated && !self.classes.values().any(|class| class.is_write() || class.forbids(true))
    }

    /// The part of it that some paths make up: all others are left as they are, on disk and in the lock.
    #[must_use]
    pub fn within(mut self, recorded: &Recorded, holds: impl Fn(&str) -> bool) -> Self {
        self.classes.retain(|path, _| holds(path));
        self.leftovers.retain(|path| holds(path));
        self.gone.retain(|path| holds(path.as_str()));
        let kept = recorded.lock.entries().iter().filter(|(path, _)| !holds(path.as_str()));
        let made = self.lock.entries().iter().filter(|(path, _)| holds(path.as_str()));
        self.lock = kept.chain(made).map(|(path, entry)| (path.clone(), entry.clone())).collect();
        self.lock_outdated = recorded.differs(&self.lock);
        self
    }

    /// What keeps the tree from being written, by path.
    pub fn refusals(&self, force: bool) -> impl Iterator<Item = (&str, Class)> {
        self.classes.iter().filter(move |(_, class)| class.forbids(force)).map(|(path, class)| (path.as_str(), *class))
    }

    /// How many paths have a class for which the test holds.
    pub fn count(&self, test: impl Fn(Class) -> bool) -> usize {
        self.classes.values().filter(|class| test(**class)).count()
    }
}

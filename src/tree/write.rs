//! Write: makes the disk what was planned, through the states that the module's documentation lists.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::disk::Disk;
use super::path::folders;
use super::{Change, Class, Delta, Error, Exclusive, Faults, LOCK_FILE, PENDING_FILE, Pending, Tree, TreePath};

/// How to write.
#[derive(Debug, Default)]
pub struct Options {
    /// Overwrite and delete files of ours that were edited by hand. What is not ours stays out of reach.
    pub force: bool,
    /// For tests.
    #[doc(hidden)]
    pub faults: Faults,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files that were not there.
    pub created: usize,
    /// Files that were there.
    pub changed: usize,
    /// Files that are no longer planned.
    pub deleted: usize,
    /// Files that were as planned.
    pub unchanged: usize,
    /// An interrupted run was finished or undone.
    pub repaired: bool,
    /// The lock was written.
    pub lock_written: bool,
}

/// Makes the output what `tree` plans, given what [`compare()`](super::compare()) found in it under the same hold. Where there is nothing to do,
/// nothing is written: not the lock, not a folder's time.
///
/// Fails with [`Error::Refused`] before anything is written if a class of the delta [forbids](Class::forbids) it, and where the disk fails;
/// then the next run goes on from there.
pub fn write(hold: &Exclusive, tree: &Tree, delta: &Delta, options: &Options) -> Result<Summary, Error> {
    if let Some((path, _)) = delta.refusals(options.force).next() {
        return Err(Error::Refused { path: path.to_owned() });
    }
    let summary = summary(delta);
    if delta.is_up_to_date() {
        return Ok(summary);
    }
    let disk = Disk { root: hold.root(), faults: &options.faults };
    clean(&disk, delta)?;
    let steps = Steps::new(tree, delta);
    let journal = delta.interrupted || summary.created + summary.changed + summary.deleted > 0;
    if journal {
        disk.replace(PENDING_FILE, &pending(delta).to_text())?;
    }
    steps.stage(&disk)?;
    steps.switch(&disk)?;
    if delta.lock_outdated {
        disk.replace(LOCK_FILE, &delta.lock.to_text())?;
    }
    if journal {
        disk.delete(PENDING_FILE)?;
    }
    Ok(summary)
}

fn summary(delta: &Delta) -> Summary {
    Summary {
        created: delta.count(|class| matches!(class, Class::Missing { .. })),
        changed: delta.count(|class| matches!(class, Class::Changed { .. } | Class::HandEdited { .. })),
        deleted: delta.count(|class| matches!(class, Class::Stale { .. })),
        unchanged: delta.count(|class| matches!(class, Class::Unchanged | Class::Adopt)),
        repaired: delta.interrupted,
        lock_written: delta.lock_outdated,
    }
}

/// Removes unfinished files. The journal that makes them ours stays until they are gone for good.
fn clean(disk: &Disk<'_>, delta: &Delta) -> Result<(), Error> {
    if delta.leftovers.is_empty() {
        return Ok(());
    }
    delta.leftovers.iter().try_for_each(|path| disk.delete(path))?;
    disk.sync()
}

/// What a later run needs to know if this one does not end. That includes files which are right already but which the lock does not list yet,
/// and what is gone but may have left an empty folder: the journal replaces that of an interrupted run, which is all that knew of them.
fn pending(delta: &Delta) -> Pending {
    let changes = delta.lock.entries().iter().filter_map(|(path, entry)| {
        let before = match *delta.classes.get(path.as_str())? {
            Class::Missing { .. } => None,
            Class::Changed { before } | Class::HandEdited { before } => Some(before),
            Class::Adopt => Some(entry.sha256),
            _ => return None,
        };
        Some((path.clone(), Change { new: Some(entry.sha256), before }))
    });
    let stale = delta.classes.iter().filter_map(|(path, class)| match *class {
        Class::Stale { before, .. } => Some((TreePath::parse(path.as_str()).ok()?, Change { new: None, before: Some(before) })),
        _ => None,
    });
    let gone = delta.gone.iter().map(|path| (path.clone(), Change { new: None, before: None }));
    changes.chain(stale).chain(gone).collect()
}

/// A file to write.
struct File<'a> {
    path: &'a TreePath,
    text: &'a str,
    /// It is there already: the new one is staged beside it.
    replaces: bool,
}

/// What is to be done, grouped by folder: creating files locks the folder they are in, so that each folder is one thread's.
struct Steps<'a> {
    stage: Vec<Vec<File<'a>>>,
    late: Vec<File<'a>>,
    delete: Vec<Vec<&'a str>>,
    /// Folders that may be empty in the end, the deepest first.
    empty: Vec<&'a str>,
    /// Files that are right already may be an interrupted run's, and not yet durable.
    interrupted: bool,
}

impl<'a> Steps<'a> {
    fn new(tree: &'a Tree, delta: &'a Delta) -> Self {
        let (mut stage, mut late, mut delete) = (BTreeMap::<_, Vec<_>>::new(), Vec::new(), BTreeMap::<_, Vec<_>>::new());
        for (path, content) in tree.files() {
            let file = |replaces| File { path, text: &content.text, replaces };
            match delta.classes.get(path.as_str()) {
                Some(Class::Missing { blocked: true }) => late.push(file(false)),
                Some(Class::Missing { blocked: false }) => stage.entry(path.folder()).or_default().push(file(false)),
                Some(Class::Changed { .. } | Class::HandEdited { .. }) => stage.entry(path.folder()).or_default().push(file(true)),
                _ => {}
            }
        }
        let mut empty = BTreeSet::new();
        for (path, _) in delta.classes.iter().filter(|(_, class)| matches!(class, Class::Stale { .. })) {
            delete.entry(folders(path).next()).or_default().push(path.as_str());
            empty.extend(folders(path));
        }
        empty.extend(delta.gone.iter().flat_map(TreePath::folders));
        Self {
            stage: stage.into_values().collect(),
            late,
            delete: delete.into_values().collect(),
            empty: empty.into_iter().rev().collect(),
            interrupted: delta.interrupted,
        }
    }

    /// Writes new files, and the new content of changed ones beside them; nothing that is there changes.
    fn stage(&self, disk: &Disk<'_>) -> Result<(), Error> {
        if self.stage.is_empty() {
            return Ok(());
        }
        make_folders(disk, self.stage.iter().flatten())?;
        self.stage.par_iter().try_for_each(|files| {
            files.iter().try_for_each(|file| {
                if file.replaces {
                    disk.create(&file.path.staged(), file.text, false)
                } else {
                    disk.create(file.path.as_str(), file.text, false)
                }
            })
        })?;
        disk.sync()
    }

    /// Puts what was staged in its place, deletes what goes, and makes what had to wait for that.
    fn switch(&self, disk: &Disk<'_>) -> Result<(), Error> {
        let renames: Vec<Vec<_>> = self.stage.iter().map(|files| files.iter().filter(|file| file.replaces).collect()).collect();
        let durable = renames.iter().all(Vec::is_empty) && self.delete.is_empty() && self.late.is_empty() && !self.interrupted;
        renames
            .par_iter()
            .try_for_each(|files| files.iter().try_for_each(|file: &&File<'_>| disk.rename(&file.path.staged(), file.path.as_str())))?;
        self.delete.par_iter().try_for_each(|paths| paths.iter().try_for_each(|path| disk.delete(path)))?;
        self.empty.iter().try_for_each(|folder| disk.delete_empty_folder(folder))?;
        make_folders(disk, &self.late)?;
        self.late.iter().try_for_each(|file| disk.create(file.path.as_str(), file.text, false))?;
        if durable { Ok(()) } else { disk.sync() }
    }
}

/// Makes each folder once, the outer ones first.
fn make_folders<'a>(disk: &Disk<'_>, files: impl IntoIterator<Item = &'a File<'a>>) -> Result<(), Error> {
    let needed: BTreeSet<_> = files.into_iter().filter(|file| !file.replaces).flat_map(|file| file.path.folders()).collect();
    needed.into_iter().try_for_each(|folder| disk.make_folder(folder))
}

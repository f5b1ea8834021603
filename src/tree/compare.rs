//! Compare: reads the disk and says of each path what it is. Reads only, and follows no link below the root.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use rayon::prelude::*;

use super::path::folders;
use super::{
    Change, Class, Delta, Digest, Entry, Error, FileContent, LOCK_FILE, Odd, PENDING_FILE, Pending, RUNNING_FILE, Recorded, STAGED_SUFFIX,
    Tree,
};
use crate::kustomize::KUSTOMIZATIONS;

/// Compares what is planned with what the records say is ours and with what is there. Folders are read in parallel.
///
/// Fails where the disk cannot be read, on the first such path in no particular order.
pub fn compare(tree: &Tree, recorded: &Recorded, root: &Path) -> Result<Delta, Error> {
    let known = Known::new(tree, recorded);
    let found = match fs::metadata(root) {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        _ => Scan { root, known: &known }.folder("")?,
    };
    Ok(known.delta(found, tree, recorded))
}

/// All that is known of a path without looking at the disk.
#[derive(Default)]
struct Facts<'a> {
    planned: Option<(&'a FileContent, Digest)>,
    locked: Option<&'a Entry>,
    pending: Option<&'a Change>,
}

#[derive(Default)]
struct Folder<'a> {
    files: HashMap<&'a str, Facts<'a>>,
    /// Whether a planned file is somewhere below.
    planned: bool,
}

/// The folders that hold something known, the root as `""` among them.
struct Known<'a> {
    folders: HashMap<&'a str, Folder<'a>>,
}

/// What was found at a path.
enum Found {
    Class(Class),
    /// A folder, where a file is planned.
    Occupied,
    /// A file of ours, where a folder of planned files goes.
    Blocks(Class),
    /// An unfinished file of an interrupted run.
    Leftover,
}

impl<'a> Known<'a> {
    fn new(tree: &'a Tree, recorded: &'a Recorded) -> Self {
        let mut known = Self { folders: HashMap::from([("", Folder::default())]) };
        let planned: Vec<_> = tree.files().par_iter().map(|(path, content)| (path, content, Digest::of(&content.text))).collect();
        for (path, content, digest) in planned {
            known.facts(path.as_str(), true).planned = Some((content, digest));
        }
        for (path, entry) in recorded.lock.entries() {
            known.facts(path.as_str(), false).locked = Some(entry);
        }
        for (path, change) in recorded.pending.iter().flat_map(Pending::changes) {
            known.facts(path.as_str(), false).pending = Some(change);
        }
        known
    }

    fn facts(&mut self, path: &'a str, planned: bool) -> &mut Facts<'a> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if self.folders.get(folder).is_none_or(|folder| planned && !folder.planned) {
            for above in folders(path) {
                self.folders.entry(above).or_default().planned |= planned;
            }
        }
        self.folders.entry(folder).or_default().files.entry(name).or_default()
    }

    /// Puts together what was found and what was not.
    fn delta(&self, found: Vec<(String, Found)>, tree: &Tree, recorded: &Recorded) -> Delta {
        let mut classes = BTreeMap::new();
        let (mut occupied, mut blocking, mut leftovers) = (Vec::new(), Vec::new(), Vec::new());
        for (path, found) in found {
            match found {
                Found::Class(class) => drop(classes.insert(path, class)),
                Found::Leftover => leftovers.push(path),
                Found::Occupied => occupied.push(path),
                Found::Blocks(class) => {
                    classes.insert(path.clone(), class);
                    blocking.push(path);
                }
            }
        }
        leftovers.sort();
        for path in occupied {
            let foreign = below(&classes, &path).any(|(_, class)| !matches!(class, Class::Stale { .. }));
            classes.insert(path, if foreign { Class::ForeignInTheWay } else { Class::Missing { blocked: true } });
        }
        for path in tree.files().keys().filter(|path| !classes.contains_key(path.as_str())).collect::<Vec<_>>() {
            classes.insert(path.to_string(), Class::Missing { blocked: false });
        }
        for path in &blocking {
            let waiting: Vec<_> =
                below(&classes, path).filter(|(_, class)| matches!(class, Class::Missing { .. })).map(|(path, _)| path.clone()).collect();
            classes.extend(waiting.into_iter().map(|path| (path, Class::Missing { blocked: true })));
        }
        let ours: HashSet<_> =
            recorded.lock.entries().keys().chain(recorded.pending.iter().flat_map(|pending| pending.changes().keys())).collect();
        let mut gone: Vec<_> = ours.into_iter().filter(|path| !classes.contains_key(path.as_str())).cloned().collect();
        gone.sort();
        let lock = tree
            .files()
            .iter()
            .map(|(path, content)| (path.clone(), Entry { sha256: self.planned(path.as_str()), owner: content.owner.clone() }))
            .collect::<super::Lock>();
        Delta {
            classes,
            interrupted: recorded.pending.is_some() || !leftovers.is_empty(),
            lock_outdated: recorded.differs(&lock),
            lock,
            leftovers,
            gone,
        }
    }

    fn get(&self, path: &str) -> Option<&Facts<'a>> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.folders.get(folder)?.files.get(name)
    }

    /// Whether kustomize takes the path for a kustomization, and one is planned beside it: of a folder with two of them nothing is built.
    fn is_second_kustomization(&self, path: &str) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_planned = |name| self.get(&format!("{folder}/{name}")).is_some_and(|facts| facts.planned.is_some());
        KUSTOMIZATIONS.contains(&name) && KUSTOMIZATIONS.into_iter().any(is_planned)
    }

    /// The digest of a planned file.
    fn planned(&self, path: &str) -> Digest {
        let planned = self.get(path).and_then(|facts| facts.planned);
        planned.expect("only asked for paths of the tree that it was made of").1
    }
}

/// The entries below a folder.
fn below<'c>(classes: &'c BTreeMap<String, Class>, folder: &str) -> impl Iterator<Item = (&'c String, &'c Class)> {
    let prefix = format!("{folder}/");
    classes.range(prefix.clone()..).take_while(move |(path, _)| path.starts_with(&prefix))
}

struct Scan<'a> {
    root: &'a Path,
    known: &'a Known<'a>,
}

impl Scan<'_> {
    /// Everything in a folder that holds something known, and below it.
    fn folder(&self, folder: &str) -> Result<Vec<(String, Found)>, Error> {
        let on_disk = self.root.join(folder);
        let mut entries = Vec::new();
        for entry in fs::read_dir(&on_disk).map_err(Error::io("list", &on_disk))? {
            let entry = entry.map_err(Error::io("list", &on_disk))?;
            // A name that is not UTF-8 is none of ours; it is listed as well as it can be.
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let kind = entry.file_type().map_err(Error::io("examine", entry.path()))?;
            entries.push((path, kind));
        }
        let (folders, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(_, kind)| kind.is_dir());
        let entry = |(path, kind)| self.entry(path, kind);
        let mut found = folders.into_par_iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        found.extend(files.into_par_iter().with_min_len(32).map(entry).collect::<Result<Vec<_>, _>>()?);
        Ok(found.into_iter().flatten().collect())
    }

    fn entry(&self, path: String, kind: FileType) -> Result<Vec<(String, Found)>, Error> {
        if [LOCK_FILE, PENDING_FILE, RUNNING_FILE].contains(&path.as_str()) {
            return Ok(Vec::new());
        }
        let facts = self.known.get(&path);
        let folder = self.known.folders.get(path.as_str());
        let found = match (facts, folder) {
            (None, None) if kind.is_dir() => return Ok(vec![(path + "/", Found::Class(Class::Foreign))]),
            (None, None) if kind.is_file() && self.is_leftover(&path) => Found::Leftover,
            (None, None) if self.known.is_second_kustomization(&path) => Found::Class(Class::ForeignInTheWay),
            (None, None) => Found::Class(Class::Foreign),
            (facts, folder) if kind.is_dir() => {
                let mut found = if folder.is_some() { self.folder(&path)? } else { Vec::new() };
                let planned = facts.is_some_and(|facts| facts.planned.is_some());
                match folder {
                    Some(_) if planned => found.push((path, Found::Occupied)),
                    None if planned => found.push((path, Found::Class(Class::ForeignInTheWay))),
                    None => found.push((path + "/", Found::Class(Class::Foreign))),
                    Some(_) => {}
                }
                return Ok(found);
            }
            (Some(facts), folder) if kind.is_file() => match self.file(&path, facts)? {
                None => Found::Leftover,
                Some(class) if folder.is_some_and(|folder| folder.planned) => Found::Blocks(class),
                Some(class) => Found::Class(class),
            },
            (None, Some(folder)) if kind.is_file() => Found::Class(if folder.planned { Class::ForeignInTheWay } else { Class::Foreign }),
            _ => Found::Class(Class::Unsafe(if kind.is_symlink() { Odd::Symlink } else { Odd::Special })),
        };
        Ok(vec![(path, found)])
    }

    /// Whether it is a file that an interrupted run had not yet put in its place. Our suffix alone does not make it ours.
    fn is_leftover(&self, path: &str) -> bool {
        let Some(target) = path.strip_suffix(STAGED_SUFFIX) else { return false };
        [LOCK_FILE, PENDING_FILE].contains(&target) || self.known.get(target).is_some_and(|facts| facts.pending.is_some())
    }

    /// Classes a regular file of which something is known; none if it is what an interrupted run was creating, and not what is planned. Such a
    /// file was in no complete tree: what it holds, torn or whole, is nothing that a guard may hold against the next run.
    fn file(&self, path: &str, facts: &Facts<'_>) -> Result<Option<Class>, Error> {
        let on_disk = self.root.join(path);
        let planned = facts.planned.as_ref().map(|(content, digest)| (content.text.as_bytes(), *digest));
        let content = content(&on_disk, planned).map_err(Error::io("read", &on_disk))?;
        let before = content.digest;
        // What an interrupted run was creating may be torn. Where the plan is still the same, its bytes tell that from an edit.
        let torn = |change: &Change| change.creates() && (content.torn || change.new != planned.map(|(_, digest)| digest));
        let locked = facts.locked.is_some_and(|entry| entry.sha256 == before);
        let ours = locked || facts.pending.is_some_and(|change| change.explains(before) || torn(change));
        Ok(Some(match planned {
            Some((_, digest)) if digest == before && locked => Class::Unchanged,
            Some((_, digest)) if digest == before => Class::Adopt,
            _ if ours && !locked && facts.pending.is_some_and(Change::creates) => return Ok(None),
            Some(_) if ours => Class::Changed { before },
            Some(_) if facts.locked.is_some() || facts.pending.is_some() => Class::HandEdited { before },
            Some(_) => Class::ForeignInTheWay,
            None => Class::Stale { before, edited: !ours },
        }))
    }
}

/// What a file holds.
struct Content {
    digest: Digest,
    /// It may be what is left of writing the planned text when the run is killed or the power fails.
    torn: bool,
}

fn content(path: &Path, planned: Option<(&[u8], Digest)>) -> io::Result<Content> {
    let mut file = open(path)?;
    let Some((planned, digest)) = planned.filter(|(planned, _)| file.metadata().is_ok_and(|meta| meta.len() <= planned.len() as u64))
    else {
        return Ok(Content { digest: Digest::of_reader(&mut file)?, torn: false });
    };
    let mut bytes = Vec::with_capacity(planned.len() + 1);
    file.read_to_end(&mut bytes)?;
    if bytes == planned {
        return Ok(Content { digest, torn: false });
    }
    Ok(Content { digest: Digest::of(&bytes), torn: bytes.iter().zip(planned).all(|(found, planned)| found == planned || *found == 0) })
}

/// Opens for reading, and fails where a link has taken the file's place since the folder was listed.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    options.open(path)
}

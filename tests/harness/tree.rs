//! Folders as values: read, copied, made.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use super::case::{entries, is_folder};
use super::spec::Make;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    File(Vec<u8>),
    Symlink(PathBuf),
    /// A folder with nothing in it; others are known by what they hold.
    EmptyFolder,
}

/// Everything below a folder, by path with `/`.
pub(super) type Tree = BTreeMap<String, Entry>;

/// Reads a folder; one that is not there holds nothing.
pub(super) fn read(folder: &Path) -> io::Result<Tree> {
    let mut tree = Tree::new();
    read_into(&mut tree, folder, "")?;
    Ok(tree)
}

fn read_into(tree: &mut Tree, folder: &Path, prefix: &str) -> io::Result<()> {
    for (name, path) in entries(folder)? {
        let name = format!("{prefix}{name}");
        if path.is_symlink() {
            tree.insert(name, Entry::Symlink(fs::read_link(&path)?));
        } else if !path.is_dir() {
            tree.insert(name, Entry::File(fs::read(&path)?));
        } else if entries(&path)?.is_empty() {
            tree.insert(name, Entry::EmptyFolder);
        } else {
            read_into(tree, &path, &format!("{name}/"))?;
        }
    }
    Ok(())
}

/// Writes a tree into a folder, which is made.
pub(super) fn write(tree: &Tree, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (path, entry) in tree {
        let path = folder.join(path);
        make_parent(&path)?;
        match entry {
            Entry::File(bytes) => fs::write(&path, bytes)?,
            Entry::Symlink(target) => symlink(target, &path)?,
            Entry::EmptyFolder => fs::create_dir_all(&path)?,
        }
    }
    Ok(())
}

/// Copies a folder with its permissions; symbolic links stay what they are.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for (name, path) in entries(from)? {
        let target = to.join(name);
        if path.is_symlink() {
            symlink(&fs::read_link(&path)?, &target)?;
        } else if is_folder(&path) {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

/// Makes one of a case's files.
pub(super) fn make(make: &Make, root: &Path) -> Result<(), String> {
    let path = inside(root, &make.path)?;
    let failed = |error: io::Error| format!("make {}: {error}", make.path);
    make_parent(&path).map_err(failed)?;
    match (&make.repeat, make.times, &make.bytes, &make.symlink, make.directory) {
        (Some(text), Some(times), None, None, false) => {
            let mut file = io::BufWriter::new(fs::File::create(&path).map_err(failed)?);
            file.write_all(make.prefix.as_bytes()).map_err(failed)?;
            for _ in 0..times {
                file.write_all(text.as_bytes()).map_err(failed)?;
            }
            file.write_all(make.suffix.as_bytes()).and_then(|()| file.flush()).map_err(failed)
        }
        (None, None, Some(bytes), None, false) => fs::write(&path, bytes).map_err(failed),
        (None, None, None, Some(target), false) => symlink(Path::new(target), &path).map_err(failed),
        (None, None, None, None, true) => fs::create_dir_all(&path).map_err(failed),
        _ => Err(format!("make {}: exactly one of `repeat` with `times`, `bytes`, `symlink`, `directory: true`", make.path)),
    }
}

/// A path of a case below its folder; one that leads outside is refused.
pub(super) fn inside(root: &Path, path: &str) -> Result<PathBuf, String> {
    if !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_))) {
        Ok(root.join(path))
    } else {
        Err(format!("`{path}` leads out of the case"))
    }
}

/// Makes the folders above a path.
pub(super) fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_: &Path, link: &Path) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, format!("{}: symbolic links need Unix", link.display())))
}

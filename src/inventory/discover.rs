//! The files of an inventory: which there are, and their texts.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::diag::{Code, Severity};

/// The largest file that is read, in bytes; ten thousand workloads in one take about two thirds of it.
const MAX_FILE_BYTES: u64 = 10 << 20;

/// The most that all files together may have, in bytes: a hundred thousand workloads take about two thirds of it.
const MAX_BYTES: usize = 100 << 20;

/// Why there is no text of a file.
pub(super) struct Unreadable {
    pub(super) code: Code,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) help: String,
    /// What could be read before it.
    pub(super) valid: String,
}

impl Unreadable {
    fn new(code: Code, message: impl Into<String>, help: &str) -> Self {
        Self { code, severity: code.severity(), message: message.into(), help: help.to_owned(), valid: String::new() }
    }
}

fn unreadable(message: impl Into<String>, help: &str) -> Unreadable {
    Unreadable::new(Code::FileUnreadable, message, help)
}

/// Every file of the inventory, sorted by path, with its text or why there is none; and every other file that somebody may take for one (I2).
pub(super) fn files(root: &Path, folder: &Path) -> Vec<(String, Result<String, Unreadable>)> {
    let hidden = |name: &OsStr| name.to_string_lossy().starts_with('.');
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(|entry| entry.depth() == 0 || !hidden(entry.file_name()));
    let (mut found, mut total) = (Vec::new(), 0);
    for entry in walk {
        let (path, text) = match entry {
            Ok(entry) if entry.depth() == 0 => continue,
            Ok(entry) if entry.path_is_symlink() && entry.path().is_dir() => {
                let help = "Put the files into a folder of the inventory itself: what is reviewed must be what is read.";
                let text = followed(root, &entry).and(Err(unreadable("this is a link to a folder, and such links are not followed", help)));
                (entry.into_path(), text)
            }
            // What it leads to on another machine may be a folder of inventory.
            Ok(entry) if entry.path_is_symlink() && !entry.path().exists() => {
                let text = followed(root, &entry).and(Err(unreadable("the symbolic link leads nowhere", "Remove the link.")));
                (entry.into_path(), text)
            }
            Ok(entry) => match Name::of(entry.file_name()) {
                Name::Inventory => {
                    let text = read_entry(root, &entry).and_then(|text| {
                        total += text.len();
                        if total > MAX_BYTES { Err(too_large_together()) } else { Ok(text) }
                    });
                    (entry.into_path(), text)
                }
                Name::Other => continue,
                _ if entry.file_type().is_dir() => continue,
                name => (entry.into_path(), Err(name.not_read())),
            },
            Err(error) => {
                let message = error.io_error().map_or_else(|| error.to_string(), describe);
                let path = error.path().map_or_else(|| folder.to_path_buf(), PathBuf::from);
                (path, Err(unreadable(message, "Mend or remove it: nothing is generated from half an inventory.")))
            }
        };
        found.push((display(root, &path), text));
    }
    found
}

fn too_large_together() -> Unreadable {
    let help = "Split the fleet into several projects, or move what is no inventory out of the folder.";
    Unreadable::new(Code::FileTooLarge, format!("with this file the inventory is larger than {} MiB", MAX_BYTES >> 20), help)
}

/// What a name says of a file in the inventory's folder.
enum Name {
    /// `*.yaml`, `*.yml`: it is read.
    Inventory,
    /// The ending is spelt in another way: `fleet.YAML`.
    Spelt,
    /// JSON.
    Json,
    /// A template of YAML: `fleet.yaml.j2`.
    Template,
    /// What an editor, a merge or a cautious person left: `fleet.yaml~`, `fleet.yaml.orig`.
    Backup,
    /// Nothing that looks like an inventory.
    Other,
}

impl Name {
    fn of(name: &OsStr) -> Self {
        const TEMPLATES: [&str; 8] = ["j2", "jinja", "jinja2", "tera", "tmpl", "tpl", "gotmpl", "erb"];
        let name = name.to_string_lossy();
        let lower = name.to_ascii_lowercase();
        let (stem, ending) = lower.rsplit_once('.').unwrap_or((&lower, ""));
        let inner = stem.rsplit_once('.').map_or("", |(_, inner)| inner);
        match ending {
            "yaml" | "yml" if name.ends_with(ending) => Self::Inventory,
            "yaml" | "yml" => Self::Spelt,
            // A JSON Schema, for editors.
            "json" if inner == "schema" => Self::Other,
            "json" => Self::Json,
            _ if TEMPLATES.contains(&ending) && matches!(inner, "yaml" | "yml") => Self::Template,
            _ if lower.contains(".yaml") || lower.contains(".yml") => Self::Backup,
            _ => Self::Other,
        }
    }

    /// The finding about one that is not read.
    fn not_read(&self) -> Unreadable {
        let (message, help) = match self {
            Self::Json => {
                ("JSON is not read as inventory", "Write it as YAML, in a file `NAME.yaml`, or move it out of the inventory's folder.")
            }
            Self::Template => (
                "templates are not read as inventory",
                "Write out what it makes, in a file `NAME.yaml`, or move it out of the inventory's folder.",
            ),
            Self::Backup => {
                ("this looks like a copy of an inventory file, and is not read", "Remove it, or give it a name that ends with `.yaml`.")
            }
            _ => (
                "only names that end with `.yaml` or `.yml`, in small letters, are read",
                "Rename the file, or move it out of the inventory's folder.",
            ),
        };
        let mut unreadable = Unreadable::new(Code::FileNotRead, message, help);
        if matches!(self, Self::Backup) {
            unreadable.severity = Severity::Warning;
        }
        unreadable
    }
}

fn read_entry(root: &Path, entry: &walkdir::DirEntry) -> Result<String, Unreadable> {
    if entry.file_type().is_dir() {
        return Err(unreadable("a directory has the name of an inventory file", "Rename it without the ending `.yaml`."));
    }
    if entry.file_type().is_symlink() {
        followed(root, entry)?;
    }
    read_text(entry.path())
}

/// Whether a link leads to something in the project.
fn followed(root: &Path, link: &walkdir::DirEntry) -> Result<(), Unreadable> {
    let outside = |target: &PathBuf| root.canonicalize().is_ok_and(|root| !target.starts_with(root));
    match link.path().canonicalize() {
        Err(_) => Err(unreadable("the symbolic link leads nowhere", "Remove the link, or put back what it pointed to.")),
        Ok(target) if outside(&target) => Err(unreadable(
            "the symbolic link leads out of the project",
            "Copy the file into the project: what is reviewed must be what is read.",
        )),
        Ok(_) => Ok(()),
    }
}

fn read_text(path: &Path) -> Result<String, Unreadable> {
    const HELP: &str = "Mend or remove it: nothing is generated from half an inventory.";
    let metadata = fs::metadata(path).map_err(|error| unreadable(describe(&error), HELP))?;
    if !metadata.is_file() {
        return Err(unreadable("it is no regular file", HELP));
    }
    let too_large = || {
        let help = "Split the inventory over several files: all files below the folder form one inventory.";
        Unreadable::new(Code::FileTooLarge, format!("the file is larger than {} MiB", MAX_FILE_BYTES >> 20), help)
    };
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    let file = fs::File::open(path).map_err(|error| unreadable(describe(&error), HELP))?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(describe(&error), HELP))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(too_large());
    }
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(valid).copied().unwrap_or_default();
        let valid = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        Unreadable { valid, ..Unreadable::new(Code::NotUtf8, format!("the byte 0x{byte:02x} is not UTF-8"), "Save the file as UTF-8.") }
    })
}

fn describe(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read: permission denied".to_owned(),
        _ => format!("it cannot be read: {error}"),
    }
}

/// A path as findings print it: relative to the project's root, with `/`.
pub(super) fn display(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/").replace("//", "/")
}

//! Reading a site's own folder of blueprints.

use std::fs;
use std::io::Read;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::source::{FileId, Files};

/// A blueprint file is a page or two; what is larger is something else.
const MAX_BYTES: u64 = 1 << 20;

/// A file of the folder.
pub(super) struct Found {
    /// The path below the folder, with `/`.
    pub(super) path: String,
    /// Where findings point.
    pub(super) file: FileId,
    /// Its text; none where it could not be read, which is a finding.
    pub(super) text: Option<String>,
}

/// Every file below `root`, by path. What cannot be read is a finding; hidden files and the folders of cases are none of ours.
pub(super) fn read(display: &str, root: &Path, files: &mut Files, findings: &mut Findings) -> Vec<Found> {
    let inside = match root.canonicalize() {
        Ok(inside) if inside.is_dir() => inside,
        Ok(_) => {
            report(display, "a folder of blueprints is expected here, and this is a file", files, findings);
            return Vec::new();
        }
        Err(error) => {
            report(display, &format!("the folder of blueprints cannot be read: {}", error.kind()), files, findings);
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for entry in WalkDir::new(&inside).min_depth(1).sort_by_file_name().into_iter().filter_entry(is_ours) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => found.push(one(display, &inside, &entry, files, findings)),
            Err(error) => {
                let path = error.path().map(|path| below(&inside, path)).unwrap_or_default();
                let why = error.io_error().map_or_else(|| "it leads back to itself".to_owned(), |error| error.kind().to_string());
                report(&format!("{display}/{path}"), &format!("it cannot be read: {why}"), files, findings);
            }
        }
    }
    found
}

fn is_ours(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    !(name.starts_with('.') || (entry.file_type().is_dir() && name == "cases"))
}

fn one(display: &str, inside: &Path, entry: &DirEntry, files: &mut Files, findings: &mut Findings) -> Found {
    let path = below(inside, entry.path());
    let shown = format!("{display}/{path}");
    let bytes = match bytes(inside, entry.path()) {
        Ok(bytes) => bytes,
        Err((code, why)) => {
            let file = files.add(shown, "");
            let help = match code {
                Code::FileTooLarge => "A blueprint is a page or two: move data into the inventory, or split the template.",
                _ => "Look at the file and its permissions; a link must lead to a file in the folder of blueprints.",
            };
            findings.push(Diag::new(code, files.start(file), why).help(help));
            return Found { path, file, text: None };
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => {
            let file = files.add(shown, text.as_str());
            Found { path, file, text: Some(text) }
        }
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
            let end = u32::try_from(text.len()).unwrap_or(0);
            let file = files.add(shown, text);
            let mut span = files.start(file);
            (span.start, span.end) = (end, end);
            findings.push(Diag::new(Code::NotUtf8, span, "the file is not UTF-8 from here on").help("Save it as UTF-8."));
            Found { path, file, text: None }
        }
    }
}

/// A regular file's bytes; a link is followed to a file within the folder, never out of it.
fn bytes(inside: &Path, path: &Path) -> Result<Vec<u8>, (Code, String)> {
    let unreadable = |error: std::io::Error| (Code::FileUnreadable, format!("it cannot be read: {}", error.kind()));
    let target = path.canonicalize().map_err(unreadable)?;
    if !target.starts_with(inside) {
        return Err((Code::FileUnreadable, "it is a link that leads out of the folder of blueprints".to_owned()));
    }
    // Looked at before it is opened: opening a pipe would wait for a writer.
    if !fs::metadata(&target).map_err(unreadable)?.is_file() {
        return Err((Code::FileUnreadable, "it is no regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    fs::File::open(&target).map_err(unreadable)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err((Code::FileTooLarge, format!("a file of a blueprint may be {} MiB at most", MAX_BYTES >> 20)));
    }
    Ok(bytes)
}

fn below(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}

fn report(shown: &str, message: &str, files: &mut Files, findings: &mut Findings) {
    let file = files.add(shown, "");
    findings.push(
        Diag::new(Code::FileUnreadable, files.start(file), message)
            .help("Mend or remove it: nothing is generated from half of the blueprints."),
    );
}

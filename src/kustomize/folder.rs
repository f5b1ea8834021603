//! The only reader of a source: files and folders below the project's root, never through a link, within bounds.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use super::{Step, invalid, unsupported};
use crate::diag::{Code, Diag};
use crate::source::{FileId, Files, Span};
use crate::tree::Digest;

/// The largest file, in bytes: what is larger fits into no object.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// All files of one source together, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// How many folders one build may go into, those it goes into again counted again.
const MAX_FOLDERS: usize = 500;
/// How deep folders may refer to one another.
const MAX_DEPTH: usize = 20;
/// How many objects a build may have.
pub const MAX_OBJECTS: usize = 2_000;

/// Names that kustomize takes for a kustomization; two of them in one folder are refused.
pub const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Reads a source and remembers what it read.
pub struct Reader<'a> {
    root: &'a Path,
    /// Folders below the root that hold no source, by the parts of their paths.
    apart: Vec<Vec<String>>,
    /// All text.
    pub files: &'a mut Files,
    read: BTreeMap<String, (Vec<u8>, Option<FileId>)>,
    bytes: usize,
    folders: usize,
}

/// A folder by its path from the project's root, and those whose kustomizations led to it.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The parts of its path.
    parts: Vec<String>,
    above: Vec<Vec<String>>,
}

impl Folder {
    /// The path that findings print.
    pub fn path(&self) -> String {
        if self.parts.is_empty() { ".".to_owned() } else { self.parts.join("/") }
    }
}

/// The finding that a source goes beyond a bound.
pub fn too_large(span: Span, message: String) -> Box<Diag> {
    let help = "Take out what is no manifest of the workload, or split the source over several workloads.";
    Box::new(Diag::new(Code::SourceTooLarge, span, message).help(help))
}

impl<'a> Reader<'a> {
    pub fn new(root: &'a Path, apart: &[&Path], files: &'a mut Files) -> Self {
        let below = apart.iter().filter_map(|folder| folder.strip_prefix(root).ok());
        let parts = below.map(|folder| folder.iter().map(|part| part.to_string_lossy().into_owned()).collect::<Vec<_>>());
        let apart = parts.filter(|parts| !parts.is_empty()).collect();
        Self { root, apart, files, read: BTreeMap::new(), bytes: 0, folders: 0 }
    }

    /// The digest of all that was read.
    pub fn digest(&self) -> Digest {
        let mut all = Vec::new();
        for (path, (bytes, _)) in &self.read {
            for part in [path.as_bytes(), bytes] {
                all.extend(format!("{}:", part.len()).into_bytes());
                all.extend(part);
            }
        }
        Digest::of(all)
    }

    /// The folder that the inventory names.
    pub fn first_folder(&mut self, path: &str, span: Span) -> Step<Folder> {
        let parts = self.resolve(&[], path, span)?;
        self.enter(parts, Vec::new(), span)
    }

    /// A folder that a kustomization names, relative to its own.
    pub fn folder(&mut self, from: &Folder, path: &str, span: Span) -> Step<Folder> {
        let parts = self.resolve(&from.parts, path, span)?;
        let mut above = from.above.clone();
        above.push(from.parts.clone());
        if above.contains(&parts) {
            let cycle = above.iter().skip_while(|folder| **folder != parts).map(|folder| folder.join("/"));
            let cycle: Vec<String> = cycle.chain([parts.join("/")]).collect();
            return Err(invalid(span, format!("the folders refer to one another in a circle: {}", cycle.join(" -> "))));
        }
        self.enter(parts, above, span)
    }

    fn enter(&mut self, parts: Vec<String>, above: Vec<Vec<String>>, span: Span) -> Step<Folder> {
        self.folders += 1;
        if above.len() > MAX_DEPTH {
            return Err(too_large(span, format!("the folders refer to one another more than {MAX_DEPTH} deep")));
        }
        if self.folders > MAX_FOLDERS {
            return Err(too_large(span, format!("the build goes into more than {MAX_FOLDERS} folders")));
        }
        Ok(Folder { parts, above })
    }

    /// Whether a path of a folder is a folder itself.
    pub fn is_folder(&self, from: &Folder, path: &str, span: Span) -> Step<bool> {
        let parts = self.resolve(&from.parts, path, span)?;
        Ok(self.root.join(parts.join("/")).is_dir())
    }

    /// The text of a folder's kustomization.
    pub fn kustomization(&mut self, folder: &Folder, span: Span) -> Step<FileId> {
        let on_disk = self.root.join(folder.parts.join("/"));
        let found: Vec<&str> = KUSTOMIZATIONS.into_iter().filter(|name| on_disk.join(name).symlink_metadata().is_ok()).collect();
        match found[..] {
            [name] => self.text(folder, name, span),
            [] => Err(Box::new(
                invalid(span, format!("`{}` has no `kustomization.yaml`", folder.path()))
                    .help("Name a folder with a `kustomization.yaml`; paths of the inventory are relative to the project's root."),
            )),
            _ => Err(invalid(span, format!("`{}` has several kustomizations: {}", folder.path(), found.join(", ")))),
        }
    }

    /// A file's text.
    pub fn text(&mut self, folder: &Folder, path: &str, span: Span) -> Step<FileId> {
        let name = self.load(folder, path, span)?;
        let Some((bytes, known)) = self.read.get_mut(&name) else { return Err(invalid(span, format!("`{name}` cannot be read"))) };
        if let Some(known) = known {
            return Ok(*known);
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return Err(invalid(span, format!("`{name}` is not UTF-8"))) };
        let id = self.files.add(name, text.strip_prefix('\u{feff}').unwrap_or(text));
        *known = Some(id);
        Ok(id)
    }

    /// A file's bytes.
    pub fn bytes(&mut self, folder: &Folder, path: &str, span: Span) -> Step<Vec<u8>> {
        let name = self.load(folder, path, span)?;
        Ok(self.read.get(&name).map(|(bytes, _)| bytes.clone()).unwrap_or_default())
    }

    /// Reads a file, once; kustomize lets a kustomization read files in its own folder and below it only.
    fn load(&mut self, folder: &Folder, path: &str, span: Span) -> Step<String> {
        let parts = self.resolve(&folder.parts, path, span)?;
        let name = parts.join("/");
        if !parts.starts_with(&folder.parts) {
            let message =
                format!("`{name}` is outside `{}`: a kustomization reads files in its own folder and below it only", folder.path());
            return Err(Box::new(invalid(span, message).help("Name the folder instead, with a kustomization of its own in it.")));
        }
        if self.read.contains_key(&name) {
            return Ok(name);
        }
        let on_disk = self.root.join(&name);
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => invalid(span, format!("there is no file `{name}`")),
            _ => invalid(span, format!("`{name}` cannot be read: {error}")),
        };
        // Asked before it is opened: a pipe would wait for a writer.
        if !on_disk.metadata().map_err(failed)?.is_file() {
            return Err(invalid(span, format!("`{name}` is no file")));
        }
        let file = fs::File::open(&on_disk).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        self.bytes += bytes.len();
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(too_large(span, format!("`{name}` is larger than {} MiB", MAX_FILE_BYTES >> 20)));
        }
        if self.bytes > MAX_BYTES {
            return Err(too_large(span, format!("the files of this source are larger than {} MiB together", MAX_BYTES >> 20)));
        }
        self.read.insert(name.clone(), (bytes, None));
        Ok(name)
    }

    /// A path below the project's root, with no link on the way.
    fn resolve(&self, from: &[String], path: &str, span: Span) -> Step<Vec<String>> {
        // What the inventory names is below the root: there `//` is a slip.
        let slip = from.is_empty() && path.contains("//") && !path.starts_with('/') && !is_remote(&path.replace("//", "/"));
        if slip && !path.contains("://") {
            let plain: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
            let diag = invalid(
                span,
                format!("`{path}` has an empty part: kustomize would take what comes after `//` for a folder of a remote one"),
            );
            return Err(Box::new(diag.help(format!("Write `{}`.", plain.join("/")))));
        }
        if is_remote(path) {
            let diag = unsupported(span, format!("`{path}` is not in this repository"));
            return Err(Box::new(diag.help("What is reviewed must be what is built: copy it into the project.")));
        }
        if path.is_empty() || path.starts_with('/') || path.contains(['\\', '\0', '\n']) {
            return Err(Box::new(
                invalid(span, format!("`{path}` is no relative path")).help("Write a path below the project's root, with `/`."),
            ));
        }
        let mut parts = from.to_vec();
        for part in path.split('/') {
            match part {
                "" | "." => continue,
                ".." => {
                    if parts.pop().is_none() {
                        let diag = unsupported(span, format!("`{path}` leads out of the project"));
                        return Err(Box::new(diag.help("What is reviewed must be what is built: copy it into the project.")));
                    }
                    continue;
                }
                name => parts.push(name.to_owned()),
            }
            let here = self.root.join(parts.join("/"));
            if here.symlink_metadata().is_ok_and(|meta| meta.file_type().is_symlink()) {
                let diag = unsupported(span, format!("`{}` is a symbolic link", parts.join("/")));
                return Err(Box::new(diag.help("What is reviewed must be what is built: put the file itself there.")));
            }
        }
        if let Some(apart) = self.apart.iter().find(|apart| parts.starts_with(apart)) {
            let diag = unsupported(span, format!("`{}` is below `{}`, which holds no sources", parts.join("/"), apart.join("/")));
            return Err(Box::new(diag.help("Keep sources in a folder beside the inventory and the trees, such as `apps`.")));
        }
        Ok(parts)
    }
}

/// Whether kustomize would fetch it.
fn is_remote(path: &str) -> bool {
    let path = path.trim();
    path.contains("://")
        || path.contains("//")
        || path.contains("?ref=")
        || path.contains("?version=")
        || ["git@", "git::", "github.com", "gitlab.com/", "bitbucket.org/", "org-"].iter().any(|start| path.starts_with(start))
        || path.contains(".git/")
        || path.strip_suffix(".git").is_some()
}

//! The catalog: kinds of objects, controls and frameworks' lists as data, embedded in the program, overlaid by a site's own folders.
//!
//! ```text
//! kinds/KIND/kind.yaml, *.yaml.j2, *.md.tera, ..., schema.yaml    _*.j2, _*.tera: only included by others
//! controls/CONTROL/control.yaml
//! packs/PACK.yaml                                                 a framework's list: which controls answer what it asks for
//! schemas/NAME.yaml                                               kinds that only adopted workloads bring along
//! shared/_*.j2, _*.tera                                           included by any kind as "shared/_name.yaml.j2"
//! ```
//! A file of the same path in an overlay takes the place of the embedded one; `disabled: true` in `kind.yaml` takes a kind out.

mod control;
mod custom;
mod kind;
mod overlay;
mod pack;
mod template;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub use control::{Control, ControlFile, Exemptible};
pub use custom::{CustomSchema, SchemaFile};
pub use kind::{After, Kind, KindFile, Layer, Rule, Scope};
pub use pack::{Pack, PackFile, Requirement};
pub use template::{Language, Output, Template};

use crate::decode::Findings;
use crate::diag::{Code, Diag, did_you_mean};
use crate::source::{FileId, Files};
use crate::yaml::{self, Node};

/// Every blueprint that is embedded: the path below `blueprints/`, and the text.
static EMBEDDED: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/blueprints.rs"));

/// The kinds of objects and the controls of a run.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// By name.
    pub kinds: Vec<Kind>,
    /// What every kind may include.
    pub shared: Vec<Template>,
    /// By name.
    pub controls: BTreeMap<String, Control>,
    /// By name.
    pub packs: BTreeMap<String, Pack>,
    /// The schemas that kinds bring along, by the kind's name, then those of what adopted workloads bring along.
    pub custom_schemas: Vec<CustomSchema>,
}

impl Catalog {
    /// The kind of that name.
    pub fn kind(&self, id: &str) -> Option<&Kind> {
        self.kinds.binary_search_by(|kind| kind.id.as_str().cmp(id)).ok().map(|at| &self.kinds[at])
    }
}

/// A file of a blueprint.
struct Source {
    file: FileId,
    text: Cow<'static, str>,
    /// It could not be read, which has been found; that it is there is known.
    unread: bool,
}

type Folder = BTreeMap<String, Source>;

/// Reads the embedded blueprints and puts the overlays over them, in their order; each is the path that findings print and the folder.
/// Every defect of every file is a finding; what has one is left out of the catalog.
pub fn load(files: &mut Files, overlays: &[(String, PathBuf)], findings: &mut Findings) -> Catalog {
    load_over(EMBEDDED, files, overlays, findings)
}

/// [`load`] without the embedded blueprints: for tests of the engine that bring their own.
pub fn load_only(files: &mut Files, overlays: &[(String, PathBuf)], findings: &mut Findings) -> Catalog {
    load_over(&[], files, overlays, findings)
}

fn load_over(embedded: &'static [(&str, &str)], files: &mut Files, overlays: &[(String, PathBuf)], findings: &mut Findings) -> Catalog {
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    for (path, text) in embedded {
        let file = files.add(format!("builtin:blueprints/{path}"), *text);
        sources.insert((*path).to_owned(), Source { file, text: Cow::Borrowed(text), unread: false });
    }
    for (display, root) in overlays {
        for found in overlay::read(display, root, files, findings) {
            let unread = found.text.is_none();
            sources.insert(found.path, Source { file: found.file, text: Cow::Owned(found.text.unwrap_or_default()), unread });
        }
    }
    let mut loader = Loader { files, findings, catalog: Catalog::default() };
    let folders = loader.folders(sources);
    let kinds: BTreeSet<String> = folders.keys().filter(|(area, _)| area == "kinds").map(|(_, id)| id.clone()).collect();
    for ((area, id), folder) in folders {
        match area.as_str() {
            "kinds" => loader.kind(&id, folder, &kinds),
            "controls" => loader.control(&id, folder),
            "packs" => loader.packs(folder),
            "schemas" => loader.schemas(folder),
            _ => loader.shared(folder),
        }
    }
    loader.references();
    loader.catalog
}

struct Loader<'a> {
    files: &'a Files,
    findings: &'a mut Findings,
    catalog: Catalog,
}

impl Loader<'_> {
    /// The files by area and folder: `("kinds", "namespace")`; those of `shared/` have no folder of their own.
    fn folders(&mut self, sources: BTreeMap<String, Source>) -> BTreeMap<(String, String), Folder> {
        let mut folders: BTreeMap<_, Folder> = BTreeMap::new();
        for (path, source) in sources {
            match path.split('/').collect::<Vec<_>>()[..] {
                [area @ ("kinds" | "controls"), id, name] if is_name(id) => {
                    folders.entry((area.to_owned(), id.to_owned())).or_default().insert(name.to_owned(), source);
                }
                ["kinds" | "controls", id, _] => {
                    let message = format!("`{id}` is no name of a blueprint: lower-case letters, digits and `-`");
                    self.invalid(source.file, message, Some("Rename the folder.".to_owned()));
                }
                [area @ ("packs" | "schemas" | "shared"), name] => {
                    folders.entry((area.to_owned(), String::new())).or_default().insert(name.to_owned(), source);
                }
                ["README.md"] => {}
                _ => {
                    let help =
                        "Blueprints are `kinds/KIND/FILE`, `controls/CONTROL/FILE`, `packs/PACK.yaml`, `schemas/FILE` and `shared/FILE`."
                            .to_owned();
                    self.invalid(source.file, "this file has no meaning here".to_owned(), Some(help));
                }
            }
        }
        folders
    }

    fn kind(&mut self, id: &str, mut folder: Folder, kinds: &BTreeSet<String>) {
        let Some(source) = folder.remove("kind.yaml") else {
            let Some(first) = folder.values().next().map(|source| source.file) else { return };
            let help = did_you_mean(id, kinds.iter().map(String::as_str).filter(|other| *other != id));
            let help = help.unwrap_or_else(|| {
                "Add `kind.yaml` with `title`, `why`, `scope`, `path`, and `layer` where it is a manifest; or name the folder after the kind that is meant."
                    .to_owned()
            });
            return self.invalid(first, format!("the kind `{id}` has no `kind.yaml`"), Some(help));
        };
        if source.unread {
            return;
        }
        let Some(node) = self.single(&source, "kind.yaml") else { return };
        match Kind::is_disabled(&node, self.findings) {
            Some(false) => {}
            // A kind that is there has more files than this one.
            Some(true) if folder.is_empty() => {
                let flag = node.get("disabled").map_or(node.span, |flag| flag.span);
                let diag = Diag::new(Code::BlueprintInvalid, flag, format!("there is no kind `{id}` to take out"));
                let near = did_you_mean(id, kinds.iter().map(String::as_str).filter(|other| *other != id));
                let help =
                    near.unwrap_or_else(|| "The folder's name is the kind's; `generate --plan` names the kind of each file.".to_owned());
                return self.findings.push(diag.help(help));
            }
            _ => return,
        }
        let own = matches!(source.text, Cow::Owned(_));
        let mut found = Findings::new();
        let kind = Kind::decode(id, own, &node, self.files, &mut found);
        self.findings.extend(found.into_iter().map(|mut finding| {
            kind::explain_missing(&mut finding);
            finding
        }));
        if let Some(source) = folder.remove("schema.yaml").filter(|source| !source.unread) {
            for node in yaml::read::read(&source.text, source.file, self.findings) {
                self.catalog.custom_schemas.extend(CustomSchema::decode(Some(id), &node, self.findings));
            }
        }
        let Some(mut kind) = kind else { return };
        let unread = folder.values().any(|source| source.unread);
        for (name, source) in folder {
            self.template(&format!("kinds/{id}/{name}"), source, |loader, template| kind.take(template, loader.files, loader.findings));
        }
        if kind.templates.is_empty() && unread {
            return;
        }
        if kind.templates.is_empty() {
            let help = "Add `NAME.yaml.j2`, or `disabled: true` where the kind is to go.".to_owned();
            return self.invalid(kind.file, format!("the kind `{id}` has no template"), Some(help));
        }
        self.catalog.kinds.push(kind);
    }

    fn control(&mut self, id: &str, mut folder: Folder) {
        if let Some(source) = folder.remove("control.yaml") {
            if source.unread {
                return;
            }
            if let Some(node) = self.single(&source, "control.yaml") {
                let control = Control::decode(id, &node, self.findings);
                self.catalog.controls.extend(control.map(|control| (id.to_owned(), control)));
            }
        } else if let Some(source) = folder.values().next() {
            let help = "Add `control.yaml` with `title` and `why`.".to_owned();
            self.invalid(source.file, format!("the control `{id}` has no `control.yaml`"), Some(help));
        }
        for (name, source) in folder {
            if name != "README.md" {
                let help =
                    did_you_mean(&name, ["control.yaml"]).unwrap_or_else(|| "A control is its `control.yaml`; remove the file.".to_owned());
                self.invalid(source.file, format!("`{name}` has no meaning in the folder of a control"), Some(help));
            }
        }
    }

    fn packs(&mut self, folder: Folder) {
        for (name, source) in folder {
            let Some(id) = name.strip_suffix(".yaml").filter(|id| id.split('.').all(is_name)) else {
                let help = "Name it `PACK.yaml`: lower-case letters, digits, `-` and `.`.".to_owned();
                self.invalid(source.file, format!("`{name}` is no name of a pack"), Some(help));
                continue;
            };
            if source.unread {
                continue;
            }
            if let Some(node) = self.single(&source, &name) {
                let pack = Pack::decode(id, &node, self.findings);
                self.catalog.packs.extend(pack.map(|pack| (id.to_owned(), pack)));
            }
        }
    }

    fn schemas(&mut self, folder: Folder) {
        for (name, source) in folder.into_iter().filter(|(_, source)| !source.unread) {
            if name.rsplit_once('.').is_some_and(|(_, extension)| extension == "yaml") {
                for node in yaml::read::read(&source.text, source.file, self.findings) {
                    self.catalog.custom_schemas.extend(CustomSchema::decode(None, &node, self.findings));
                }
            } else if name != "README.md" {
                let help = Some("A schema's file ends in `.yaml`, as in `rollout.yaml`.".to_owned());
                self.invalid(source.file, format!("`{name}` has no meaning among schemas"), help);
            }
        }
    }

    /// Checks what one blueprint says of another, now that all are there.
    fn references(&mut self) {
        let Catalog { kinds, controls, packs, .. } = &self.catalog;
        for name in kinds.iter().flat_map(|kind| &kind.serves) {
            self.findings.extend(pack::unknown_control(name, controls));
        }
        for pack in packs.values() {
            pack.check(controls, self.findings);
        }
    }

    fn shared(&mut self, folder: Folder) {
        for (name, source) in folder {
            self.template(&format!("shared/{name}"), source, |loader, template| {
                if template.is_partial() {
                    loader.catalog.shared.push(template);
                } else {
                    let message = format!("`{}` makes no object: what is shared is only included", template.name());
                    loader.invalid(template.file, message, Some("Begin its name with an underscore.".to_owned()));
                }
            });
        }
    }

    fn template(&mut self, path: &str, source: Source, then: impl FnOnce(&mut Self, Template)) {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name == "README.md" || source.unread {
            return;
        }
        if let Some(template) = Template::new(path, source.file, source.text) {
            return then(self, template);
        }
        let templates = "A template's name ends in `.j2` or `.tera`, as in `deployment.yaml.j2`.".to_owned();
        let help = did_you_mean(name, ["kind.yaml", "schema.yaml"]).unwrap_or(templates);
        self.invalid(source.file, format!("`{name}` has no meaning in a blueprint"), Some(help));
    }

    /// The one document of a file. None of it is a finding: an empty file must not take a kind out in silence.
    fn single(&mut self, source: &Source, name: &str) -> Option<Node> {
        let before = self.findings.len();
        let mut documents = yaml::read::read(&source.text, source.file, self.findings);
        if self.findings.len() > before {
            return None;
        }
        if documents.len() == 1 {
            return documents.pop();
        }
        let message = if documents.is_empty() { format!("`{name}` is empty") } else { format!("`{name}` is one document, not several") };
        let help = (name == "kind.yaml").then(|| "Write `disabled: true` where the kind is to go.".to_owned());
        self.invalid(source.file, message, help);
        None
    }

    fn invalid(&mut self, file: FileId, message: String, help: Option<String>) {
        self.findings.push(Diag::new(Code::BlueprintInvalid, self.files.start(file), message).maybe_help(help));
    }
}

fn is_name(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !id.is_empty() && id.chars().all(plain) && !id.starts_with('-') && !id.ends_with('-')
}

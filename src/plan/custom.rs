//! The site's own Kustomize components, below `custom/<cluster>/<layer>` or, for one namespace of workloads, in a folder there. A kustomization of
//! the tree refers to each; so a folder that names nothing, or that kustomize would refuse, is a finding, and nothing is left out in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::catalog::Layer;
use crate::decode::Findings;
use crate::diag::{Code, Diag, did_you_mean};
use crate::kustomize::KUSTOMIZATIONS;
use crate::model::Model;
use crate::source::Files;
use crate::yaml::{Node, read};

/// How large a kustomization of the site's own may be: bytes.
const LARGEST: u64 = 1 << 20;

/// Components by the folder of the tree that refers to them, each as a path from there.
pub type Components = BTreeMap<String, String>;

/// Every component of a site, with every finding about its folder `custom`.
pub fn components(model: &Model<'_>, custom: &Path, findings: &mut Findings) -> Components {
    let mut search = Search { model, custom, findings, found: Components::new() };
    search.clusters();
    search.found
}

struct Search<'a, 'i> {
    model: &'a Model<'i>,
    custom: &'a Path,
    findings: &'a mut Findings,
    found: Components,
}

impl Search<'_, '_> {
    fn clusters(&mut self) {
        let model = self.model;
        let clusters: Vec<&str> = model.clusters.all.iter().map(|host| host.raw.name.as_str()).collect();
        for cluster in self.folders("") {
            match model.clusters.index.get(cluster.as_str()) {
                Some(at) => self.layers(at, &cluster),
                None => self.unused(&cluster, &format!("`{cluster}` is no cluster"), did_you_mean_or_all(&cluster, &clusters)),
            }
        }
    }

    fn layers(&mut self, at: usize, cluster: &str) {
        for layer in self.folders(cluster) {
            let path = format!("{cluster}/{layer}");
            if !Layer::WORDS.contains(&layer.as_str()) {
                self.unused(&path, &format!("`{layer}` is no layer"), did_you_mean_or_all(&layer, Layer::WORDS));
                continue;
            }
            let is_one = self.component(&path, "../../../..");
            if layer == Layer::Workloads.as_str() {
                self.namespaces(at, &path, is_one);
            } else if !is_one {
                self.empty(&path);
            }
        }
    }

    /// Components of single namespaces, in a folder that may be one itself and then have folders of its own.
    fn namespaces(&mut self, at: usize, layer: &str, is_one: bool) {
        let spaces: BTreeSet<String> = self.model.namespaces_on(at).map(|space| space.name.clone()).collect();
        let folders = self.folders(layer);
        for namespace in &folders {
            let path = format!("{layer}/{namespace}");
            let known = spaces.contains(namespace);
            if (known && self.component(&path, "../../../../..")) || is_one {
                continue;
            }
            if known {
                self.empty(&path);
            } else {
                let spaces: Vec<&str> = spaces.iter().map(String::as_str).collect();
                self.unused(&path, &format!("`{namespace}` is no namespace of workloads there"), did_you_mean_or_all(namespace, &spaces));
            }
        }
        if folders.is_empty() && !is_one {
            self.empty(layer);
        }
    }

    /// Takes the component of a folder, to which the folder of the same path in the tree refers; whether there is one, right or wrong.
    fn component(&mut self, path: &str, up: &str) -> bool {
        let folder = self.custom.join(path);
        let is_there = |name: &&&str| folder.join(**name).symlink_metadata().is_ok();
        let names: Vec<&str> = KUSTOMIZATIONS.iter().filter(is_there).copied().collect();
        let wrong = match names[..] {
            [] => return false,
            [name] => why_not(self.custom, &folder.join(name)),
            [_, second, ..] => Some(format!("stands beside `{second}`, and kustomize takes neither")),
        };
        match wrong {
            None => drop(self.found.insert(format!("clusters/{path}"), format!("{up}/custom/{path}"))),
            Some(why) => self.report(
                Code::SourceInvalid,
                format!("`custom/{path}/{}` {why}", names[0]),
                "Write one `kustomization.yaml` there, with `apiVersion: kustomize.config.k8s.io/v1alpha1` and `kind: Component`, or remove the folder.",
            ),
        }
        true
    }

    fn unused(&mut self, path: &str, why: &str, help: String) {
        self.report(Code::UnknownReference, format!("`custom/{path}` is used by nothing: {why}"), help);
    }

    fn empty(&mut self, path: &str) {
        let help = "Write a Kustomize component there (`kind: Component`), or remove the folder.";
        self.report(Code::UnknownReference, format!("`custom/{path}` has no `kustomization.yaml`"), help);
    }

    /// The folders in a folder, sorted. A file in the place of a folder that would be used is a finding; what else lies there is the site's own.
    fn folders(&mut self, path: &str) -> BTreeSet<String> {
        let folder = self.custom.join(path);
        if path.is_empty() && folder.symlink_metadata().is_ok() && !folder.is_dir() {
            self.report(
                Code::FileNotRead,
                "`custom` is no folder".to_owned(),
                "A site's own Kustomize components are in folders of it: rename the file.",
            );
        }
        let (mut folders, mut files) = (BTreeSet::new(), BTreeSet::new());
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let kept = if entry.path().is_dir() { &mut folders } else { &mut files };
            kept.insert(entry.file_name().to_string_lossy().into_owned());
        }
        for file in files {
            let means_a_folder = if path.is_empty() {
                self.model.clusters.index.get(file.as_str()).is_some()
            } else {
                Layer::WORDS.contains(&file.as_str())
            };
            if means_a_folder {
                let file = if path.is_empty() { file } else { format!("{path}/{file}") };
                self.report(
                    Code::FileNotRead,
                    format!("`custom/{file}` is no folder"),
                    "Make it a folder with a Kustomize component, or rename it.",
                );
            }
        }
        folders
    }

    /// No line of the inventory leads to the folder: its finding stands at the fleet.
    fn report(&mut self, code: Code, message: String, help: impl Into<String>) {
        self.findings.push(Diag::new(code, self.model.fleet.name.span, message).help(help));
    }
}

fn did_you_mean_or_all(name: &str, known: &[&str]) -> String {
    did_you_mean(name, known.iter().copied()).unwrap_or_else(|| format!("There are: {}.", known.join(", ")))
}

/// Why kustomize would not take a file for a component, if it would not.
fn why_not(custom: &Path, file: &Path) -> Option<String> {
    let (Ok(root), Ok(real)) = (custom.canonicalize(), file.canonicalize()) else { return Some("leads nowhere".to_owned()) };
    if !real.starts_with(root) {
        return Some("leads out of `custom`, where no review would see it".to_owned());
    }
    if !real.is_file() || real.metadata().is_ok_and(|metadata| metadata.len() > LARGEST) {
        return Some(format!("is no file of at most {LARGEST} bytes"));
    }
    let text = match std::fs::read(real).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => return Some("is not UTF-8".to_owned()),
        Err(error) => return Some(format!("cannot be read: {error}")),
    };
    let mut problems = Findings::new();
    let documents = read::read(&text, Files::default().add("", ""), &mut problems);
    if let Some(problem) = problems.into_iter().next() {
        return Some(format!("is not YAML that every reader takes: {}", problem.message));
    }
    match &documents[..] {
        [document] if document.get("kind").and_then(Node::text) == Some("Component") => None,
        [document] => Some(match document.get("kind").and_then(Node::text) {
            Some(kind) => format!("is a `{kind}`, and only a Component can be added to a layer"),
            None => "states no `kind`, and only a Component can be added to a layer".to_owned(),
        }),
        documents => Some(format!("holds {} documents, and not one", documents.len())),
    }
}

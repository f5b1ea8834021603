//! Where the real programs are: `tests/live/build` makes them, `RINGFENCE_JUDGE` names the first, the others lie beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize as _;
use serde_json::Value;

/// The real programs.
pub struct Judges {
    folder: PathBuf,
}

impl Judges {
    /// Those that the environment names; none where it names none.
    #[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
    pub fn find() -> Option<Self> {
        let path = std::env::var("RINGFENCE_JUDGE").ok().filter(|path| !path.is_empty())?;
        let folder = Path::new(&path).canonicalize().unwrap_or_else(|error| panic!("RINGFENCE_JUDGE={path}: {error}"));
        Some(Self { folder: folder.parent().unwrap().to_owned() })
    }

    /// One of the programs behind the multi-call binary.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join("judge"));
        command.arg(name).stdin(Stdio::null());
        command
    }

    /// The Kubernetes minor of the programs, such as `1.37`.
    pub fn minor(&self) -> String {
        let output = self.program("kubectl").args(["version", "--client", "--output=json"]).output().unwrap();
        let version: Value = serde_json::from_slice(&output.stdout).unwrap();
        let part = |key: &str| version["clientVersion"][key].as_str().unwrap().to_owned();
        format!("{}.{}", part("major"), part("minor"))
    }

    /// Prometheus' own tool.
    pub fn promtool(&self) -> Command {
        let mut command = Command::new(self.folder.join("promtool"));
        command.stdin(Stdio::null());
        command
    }

    /// Prometheus itself.
    pub fn prometheus(&self) -> Command {
        self.tied("prometheus")
    }

    /// What makes the configuration of Prometheus from objects.
    pub fn prometheus_operator(&self) -> Command {
        self.tied("prometheus-operator")
    }

    /// Flux' controller.
    pub fn kustomize_controller(&self) -> Command {
        self.tied("kustomize-controller")
    }

    /// A program that is not behind the judge's binary.
    fn tied(&self, name: &str) -> Command {
        let mut command = self.program("tied");
        command.arg(self.folder.join(name));
        command
    }

    /// Builds every folder of a tree that has a `kustomization.yaml`: its objects, by its path below the root.
    pub fn build(&self, root: &Path) -> Result<BTreeMap<String, Vec<Value>>, String> {
        let output = self.program("build-all").arg("--yaml").arg(root).output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let verdicts: BTreeMap<PathBuf, Value> = serde_json::from_slice(&output.stdout).unwrap();
        let mut built = BTreeMap::new();
        for (folder, verdict) in verdicts {
            let folder = folder.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if verdict["ok"] != true {
                return Err(format!("{folder}: {}", verdict["error"].as_str().unwrap_or("does not build")));
            }
            built.insert(folder, documents(verdict["yaml"].as_str().unwrap_or_default()));
        }
        Ok(built)
    }

    /// Every custom resource definition of others.
    pub fn definitions(&self) -> Vec<Value> {
        let files = walkdir::WalkDir::new(self.folder.join("definitions")).sort_by_file_name().into_iter();
        let files = files.map(Result::unwrap).filter(|entry| entry.file_type().is_file());
        let texts = files.map(|entry| std::fs::read_to_string(entry.path()).unwrap());
        let documents = texts.flat_map(|text| documents(&text));
        documents.filter(|document| document["kind"] == "CustomResourceDefinition").collect()
    }
}

/// The documents of a YAML stream.
pub fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).unwrap())
        .filter(|value| !value.is_null())
        .collect()
}

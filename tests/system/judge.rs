//! Kubernetes' own programs as judges: `tests/live/build` makes the binary, `RINGFENCE_JUDGE` says where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize as _;
use serde_json::Value;

use crate::program::{Files, Project, files, not_run};

/// API version, kind, namespace, name.
type Identity = (String, String, String, String);

/// The judge. Where there is none, that is said, and in CI it fails.
#[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
pub fn judge() -> Option<PathBuf> {
    let path = std::env::var("RINGFENCE_JUDGE").ok().filter(|path| !path.is_empty()).map(PathBuf::from);
    if path.is_none() {
        not_run("the real kustomize and kubectl on generated trees: RINGFENCE_JUDGE names no judge (tests/live/build makes one)");
    }
    path
}

/// Builds every folder of a project's trees that has a `kustomization.yaml` with kustomize and kubectl: all succeed, a folder gives what its
/// parts give, and the layers of a cluster give exactly the objects that are in its files and in the plan.
pub fn builds(judge: &Path, project: &Project) {
    planned(project);
    let built = build(judge, &project.output());
    assert!(!built.is_empty(), "there is nothing to build");
    same_objects(&built, &project.tree(), &Files::new());
}

/// The same for trees that stand beside a site's own components, which may add objects.
pub fn builds_with(judge: &Path, output: &Path, custom: &Path) {
    same_objects(&build(judge, output), &files(output), &files(custom));
}

/// What each folder builds to, by its path below the root.
fn build(judge: &Path, root: &Path) -> BTreeMap<String, BTreeSet<Identity>> {
    let output = Command::new(judge).arg("build-all").arg(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let verdicts: BTreeMap<PathBuf, Value> = serde_json::from_slice(&output.stdout).unwrap();
    let mut built = BTreeMap::new();
    let mut failures = Vec::new();
    for (folder, verdict) in verdicts {
        let folder = folder.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if verdict["ok"] != true {
            failures.push(format!("{folder}: {}", verdict["error"].as_str().unwrap_or("no reason")));
            continue;
        }
        let objects = verdict["objects"].as_array().unwrap();
        let text = |object: &Value, key: &str| object[key].as_str().unwrap().to_owned();
        let identities: BTreeSet<Identity> = objects
            .iter()
            .map(|object| (text(object, "apiVersion"), text(object, "kind"), text(object, "namespace"), text(object, "name")))
            .collect();
        assert_eq!(identities.len(), objects.len(), "{folder} builds an object twice");
        built.insert(folder, identities);
    }
    assert!(failures.is_empty(), "{} folders do not build:\n{}", failures.len(), failures.join("\n"));
    built
}

/// Each folder builds to the objects in files below it and in the component of its layer; what is in no folder that builds is not there at all.
fn same_objects(built: &BTreeMap<String, BTreeSet<Identity>>, tree: &Files, custom: &Files) {
    let mut expected: BTreeMap<&str, BTreeSet<Identity>> = built.keys().map(|folder| (folder.as_str(), BTreeSet::new())).collect();
    for (path, bytes) in tree.iter().filter(|(path, _)| is_manifest(path)) {
        let objects = objects(path, bytes);
        let mut within = 0;
        for (at, _) in path.match_indices('/') {
            if let Some(folder) = expected.get_mut(&path[..at]) {
                within += 1;
                folder.extend(objects.iter().cloned());
            }
        }
        assert!(within > 0, "{path} is below no kustomization");
    }
    for (folder, objects) in &expected {
        let component = folder.strip_prefix("clusters/").filter(|layer| custom.keys().any(|path| path.starts_with(&format!("{layer}/"))));
        let built = &built[*folder];
        let missing: Vec<_> = objects.difference(built).collect();
        assert!(missing.is_empty(), "{folder} does not build {missing:?}");
        let more: Vec<_> = built.difference(objects).collect();
        assert!(more.is_empty() || component.is_some(), "{folder} builds what is in none of its files: {more:?}");
    }
}

/// Every planned file is there with as many objects as are planned, and no other.
fn planned(project: &Project) {
    let plan: Value = serde_json::from_str(&project.run(["generate", "--plan"]).expect(0).stdout).unwrap();
    let plan: BTreeMap<&str, usize> = plan["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["path"].as_str().unwrap(), file["objects"].as_array().unwrap().len()))
        .collect();
    let mut tree = project.tree();
    tree.remove("ringfence.lock").unwrap();
    assert!(tree.keys().eq(plan.keys()), "the files are not those that are planned");
    for (path, bytes) in tree.iter().filter(|(path, _)| is_manifest(path)) {
        assert_eq!(objects(path, bytes).len(), plan[path.as_str()], "{path} does not hold the objects that are planned");
    }
}

/// Whether a file of the tree holds objects that are applied.
fn is_manifest(path: &str) -> bool {
    ["clusters/", "delivery/"].iter().any(|folder| path.starts_with(folder)) && !path.ends_with("/kustomization.yaml")
}

/// The objects in a file, as an independent reader sees them.
fn objects(path: &str, bytes: &[u8]) -> Vec<Identity> {
    let documents = serde_yaml::Deserializer::from_slice(bytes);
    let values: Vec<Value> =
        documents.map(|document| Value::deserialize(document).unwrap_or_else(|error| panic!("{path}: {error}"))).collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let identity = |value: &Value| {
        (text(&value["apiVersion"]), text(&value["kind"]), text(&value["metadata"]["namespace"]), text(&value["metadata"]["name"]))
    };
    values.iter().map(identity).collect()
}

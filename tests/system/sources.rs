//! Our builder of adopted sources beside the real kustomize: the same objects for every folder that it takes, a refusal where kustomize
//! refuses, and a refusal that names the feature where it goes less far.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use ringfence::diag::{Code, Diag};
use ringfence::kustomize;
use ringfence::source::Files;
use serde::Deserialize as _;
use serde_json::Value;

use crate::judge::judge;
use crate::program::repository;

/// What our builder makes of a folder, as kustomize prints it.
pub fn ours(root: &Path, folder: &str) -> Result<Vec<Value>, Box<Diag>> {
    let mut files = Files::default();
    let stated = files.add("inventory/fleet.yaml", folder);
    let stated = files.start(stated);
    let build = kustomize::build(root, &[], folder, stated, &mut files)?;
    Ok(build.objects.iter().map(ringfence::schema::json).collect())
}

/// What kustomize makes of it.
pub fn theirs(judge: &Path, folder: &Path) -> Result<Vec<Value>, String> {
    let output = Command::new(judge).args(["kustomize", "build"]).arg(folder).output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let documents = serde_yaml::Deserializer::from_str(&text).map(|document| Value::deserialize(document).unwrap());
    Ok(documents.filter(|document| !document.is_null()).collect())
}

type Identity = (String, String, String, String);

fn by_identity(objects: Vec<Value>) -> BTreeMap<Identity, Value> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let identity = |object: &Value| {
        let meta = &object["metadata"];
        (text(&object["apiVersion"]), text(&object["kind"]), text(&meta["namespace"]), text(&meta["name"]))
    };
    objects.into_iter().map(|object| (identity(&object), object)).collect()
}

/// Says where two builds differ.
pub fn difference(ours: Vec<Value>, theirs: Vec<Value>) -> Option<String> {
    let (ours, theirs) = (by_identity(ours), by_identity(theirs));
    let names = |objects: &BTreeMap<Identity, Value>| objects.keys().cloned().collect::<Vec<_>>();
    if names(&ours) != names(&theirs) {
        return Some(format!("ours: {:#?}\ntheirs: {:#?}", names(&ours), names(&theirs)));
    }
    let differing = ours.iter().find(|(identity, object)| theirs[*identity] != **object);
    differing.map(|(identity, object)| format!("{identity:?}\nours:   {object}\ntheirs: {}", theirs[identity]))
}

fn fixtures(kind: &str) -> Vec<String> {
    let folder = repository().join("tests/kustomize").join(kind);
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names.into_iter().map(|name| format!("tests/kustomize/{kind}/{name}")).collect()
}

#[test]
fn every_folder_builds_as_kustomize_builds_it() {
    let Some(judge) = judge() else { return };
    let mut wrong = Vec::new();
    for folder in fixtures("same") {
        match (ours(repository(), &folder), theirs(&judge, &repository().join(&folder))) {
            (Ok(ours), Ok(theirs)) => wrong.extend(difference(ours, theirs).map(|difference| format!("{folder}: {difference}"))),
            (ours, theirs) => wrong.push(format!("{folder}: ours: {ours:?}\ntheirs: {theirs:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_kustomize_refuses_is_refused() {
    let judge = judge();
    for folder in fixtures("both") {
        let ours = ours(repository(), &folder);
        assert!(ours.is_err(), "{folder} builds to {ours:?}");
        if let Some(judge) = &judge {
            let theirs = theirs(judge, &repository().join(&folder));
            assert!(theirs.is_err(), "kustomize builds {folder} to {theirs:?}");
        }
    }
}

#[test]
fn a_feature_that_is_not_taken_over_is_named() {
    for folder in fixtures("refused") {
        let refused = ours(repository(), &folder).expect_err(&folder);
        assert!(matches!(refused.code, Code::SourceUnsupported | Code::SourceInvalid), "{folder}: {refused:?}");
        assert!(refused.message.contains('`'), "{folder} names what is meant: {}", refused.message);
    }
}

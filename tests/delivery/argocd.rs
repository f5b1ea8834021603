//! Argo CD's objects, and what they permit by its documented rules for an `AppProject` (operator-manual/project-specification):
//!
//! - a repository must match one of `sourceRepos`; a destination one of `destinations`, by the cluster's name or server and the namespace; an entry
//!   that begins with `!` denies;
//! - a cluster-wide kind is allowed where `clusterResourceWhitelist` has it; one in a namespace where `namespaceResourceWhitelist` has it, or where
//!   there is no such list; a blacklist takes either away.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sample::{Placed, list, text};

/// What an Application points to: the instance, its project, the repository, the cluster by the instance's name for it, the folder.
#[derive(Clone, Debug)]
pub struct Application {
    /// The instance that runs it.
    pub instance: String,
    /// Its name.
    pub name: String,
    /// The `ApplicationSet` that makes it. It gives it the finalizer that deletes its objects with it; others have none.
    pub set: Option<String>,
    /// Its project.
    pub project: String,
    /// Where its tree is.
    pub repository: String,
    /// The cluster, by the instance's name for it.
    pub destination: String,
    /// The namespace of what states none.
    pub namespace: String,
    /// Below the output's root.
    pub folder: String,
}

/// Argo CD's objects of a fleet's trees.
#[derive(Debug)]
pub struct Delivered {
    /// Every Application, those of `ApplicationSet`s among them.
    pub applications: Vec<Application>,
    /// Projects by instance and name.
    pub projects: BTreeMap<(String, String), Value>,
    /// `ApplicationSet`s by instance and name.
    pub sets: BTreeMap<(String, String), Value>,
}

impl Delivered {
    /// Those among objects.
    pub fn of(objects: &[Placed]) -> Self {
        let of_kind = |kind: &str| -> BTreeMap<(String, String), Value> {
            let all = objects.iter().filter(|placed| placed.path.starts_with("delivery/argocd/") && placed.object["kind"] == kind);
            all.map(|placed| ((instance(placed), text(&placed.object, "/metadata/name").to_owned()), placed.object.clone())).collect()
        };
        let sets = of_kind("ApplicationSet");
        Self { applications: applications(&of_kind("Application"), &sets), projects: of_kind("AppProject"), sets }
    }

    /// The Application that applies what is in a file.
    pub fn application_of(&self, path: &str) -> Option<&Application> {
        let mine: Vec<_> = self.applications.iter().filter(|application| path.starts_with(&format!("{}/", application.folder))).collect();
        assert!(mine.len() < 2, "{path} is applied by {mine:?}");
        mine.into_iter().next()
    }

    /// The project of an Application.
    pub fn project_of(&self, application: &Application) -> Option<&Value> {
        self.projects.get(&(application.instance.clone(), application.project.clone()))
    }
}

fn instance(placed: &Placed) -> String {
    placed.path.split('/').nth(2).unwrap().to_owned()
}

fn applications(written: &BTreeMap<(String, String), Value>, sets: &BTreeMap<(String, String), Value>) -> Vec<Application> {
    let mut all = Vec::new();
    let folder = |path: &str| path.strip_prefix("output/").unwrap().to_owned();
    for ((instance, name), object) in written {
        assert!(object["metadata"]["finalizers"].is_null(), "{name} would delete its objects");
        let spec = &object["spec"];
        all.push(Application {
            instance: instance.clone(),
            name: name.clone(),
            set: None,
            project: text(spec, "/project").to_owned(),
            repository: text(spec, "/source/repoURL").to_owned(),
            destination: text(spec, "/destination/name").to_owned(),
            namespace: text(spec, "/destination/namespace").to_owned(),
            folder: folder(text(spec, "/source/path")),
        });
    }
    for ((instance, set), object) in sets {
        assert_eq!(object["spec"]["syncPolicy"]["preserveResourcesOnDeletion"], false, "{set} would keep objects");
        let template = &object["spec"]["template"];
        assert_eq!(text(template, "/metadata/name"), "{{ .name }}");
        assert_eq!(text(template, "/spec/destination/name"), "{{ .cluster }}");
        assert_eq!(text(template, "/spec/source/path"), "{{ .path }}");
        let project = text(template, "/spec/project");
        assert!(!project.contains("{{"), "a project is never templated: {project}");
        for element in list(object, "/spec/generators/0/list/elements") {
            all.push(Application {
                instance: instance.clone(),
                name: text(element, "/name").to_owned(),
                set: Some(set.clone()),
                project: project.to_owned(),
                repository: text(element, "/repository").to_owned(),
                destination: text(element, "/cluster").to_owned(),
                namespace: text(element, "/namespace").to_owned(),
                folder: folder(text(element, "/path")),
            });
        }
    }
    all
}

/// `*` stands for any text, as in Argo CD's globs.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text
            .strip_prefix(head)
            .is_some_and(|tail| (0..=tail.len()).filter(|at| tail.is_char_boundary(*at)).any(|at| matches(rest, &tail[at..]))),
    }
}

fn allows_repository(project: &Value, repository: &str) -> bool {
    let patterns = || list(project, "/spec/sourceRepos").iter().filter_map(Value::as_str);
    patterns().any(|pattern| matches(pattern, repository))
        && !patterns().filter_map(|pattern| pattern.strip_prefix('!')).any(|pattern| matches(pattern, repository))
}

/// Whether a project permits a namespace of a cluster.
pub fn allows_destination(project: &Value, cluster: &str, namespace: &str) -> bool {
    let entries = list(project, "/spec/destinations");
    let is = |pattern: &str, value: &str, denied: bool| match pattern.strip_prefix('!') {
        Some(pattern) => denied && matches(pattern, value),
        None => !denied && matches(pattern, value),
    };
    let denied = entries.iter().any(|entry| is(text(entry, "/name"), cluster, true) || is(text(entry, "/namespace"), namespace, true));
    let place = |entry: &&Value| !text(entry, "/name").is_empty() && is(text(entry, "/name"), cluster, false);
    !denied && entries.iter().filter(place).any(|entry| is(text(entry, "/namespace"), namespace, false))
}

fn allows_kind(project: &Value, object: &Value) -> bool {
    let group = text(object, "/apiVersion").split_once('/').map_or("", |(group, _)| group);
    let kind = text(object, "/kind");
    let named = |entry: &Value| {
        let name = text(entry, "/name");
        name.is_empty() || matches(name, text(object, "/metadata/name"))
    };
    let holds = |pointer: &str| {
        let entries = list(project, pointer).iter();
        entries.filter(|entry| named(entry)).any(|entry| matches(text(entry, "/group"), group) && matches(text(entry, "/kind"), kind))
    };
    if object["metadata"]["namespace"].is_string() {
        let open = list(project, "/spec/namespaceResourceWhitelist").is_empty();
        (open || holds("/spec/namespaceResourceWhitelist")) && !holds("/spec/namespaceResourceBlacklist")
    } else {
        holds("/spec/clusterResourceWhitelist") && !holds("/spec/clusterResourceBlacklist")
    }
}

/// Whether Argo CD deletes an object of an Application under a project: what is not permitted any more it does not touch. Where the tree comes from
/// is not asked.
pub fn may_delete(project: &Value, application: &Application, object: &Value) -> bool {
    let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str);
    allows_kind(project, object) && namespace.is_none_or(|namespace| allows_destination(project, &application.destination, namespace))
}

/// Whether a project may put an object into a cluster, from a repository.
pub fn allows(project: &Value, application: &Application, object: &Value) -> bool {
    let cluster_wide = !object["metadata"]["namespace"].is_string();
    let namespace = if cluster_wide { application.namespace.as_str() } else { text(object, "/metadata/namespace") };
    allows_repository(project, &application.repository)
        && allows_destination(project, &application.destination, namespace)
        && allows_kind(project, object)
}

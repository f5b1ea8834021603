//! Who may put which object where, by Argo CD's documented rules for an `AppProject` (operator-manual/project-specification):
//!
//! - a repository must match one of `sourceRepos`; a destination one of `destinations`, by the cluster's name or server and the namespace; an entry
//!   that begins with `!` denies;
//! - a cluster-wide kind is allowed where `clusterResourceWhitelist` has it; one in a namespace where `namespaceResourceWhitelist` has it, or where
//!   there is no such list; a blacklist takes either away.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::sample::{Placed, list, objects, of_kind, text};

/// What an Application points to: the instance, its project, the repository, the cluster by the instance's name for it, the folder.
#[derive(Debug)]
struct Application {
    instance: String,
    project: String,
    repository: String,
    destination: String,
    namespace: String,
    /// Below the output's root.
    folder: String,
}

fn instance(placed: &Placed) -> String {
    placed.path.split('/').nth(2).unwrap().to_owned()
}

/// Every Application, those of `ApplicationSet`s among them.
fn applications() -> Vec<Application> {
    let mut all = Vec::new();
    let folder = |path: &str| path.strip_prefix("output/").unwrap().to_owned();
    for placed in of_kind("delivery/argocd/", "Application") {
        let spec = &placed.object["spec"];
        all.push(Application {
            instance: instance(placed),
            project: text(spec, "/project").to_owned(),
            repository: text(spec, "/source/repoURL").to_owned(),
            destination: text(spec, "/destination/name").to_owned(),
            namespace: text(spec, "/destination/namespace").to_owned(),
            folder: folder(text(spec, "/source/path")),
        });
    }
    for placed in of_kind("delivery/argocd/", "ApplicationSet") {
        let template = &placed.object["spec"]["template"];
        assert_eq!(text(template, "/spec/destination/name"), "{{ .cluster }}");
        assert_eq!(text(template, "/spec/source/path"), "{{ .path }}");
        let project = text(template, "/spec/project");
        assert!(!project.contains("{{"), "a project is never templated: {project}");
        for element in list(&placed.object, "/spec/generators/0/list/elements") {
            all.push(Application {
                instance: instance(placed),
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

fn allows_destination(project: &Value, cluster: &str, namespace: &str) -> bool {
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

/// Whether a project may put an object into a cluster, from a repository.
fn allows(project: &Value, application: &Application, object: &Value) -> bool {
    let cluster_wide = !object["metadata"]["namespace"].is_string();
    let namespace = if cluster_wide { application.namespace.as_str() } else { text(object, "/metadata/namespace") };
    allows_repository(project, &application.repository)
        && allows_destination(project, &application.destination, namespace)
        && allows_kind(project, object)
}

/// Projects by instance and name.
fn projects() -> BTreeMap<(String, String), &'static Value> {
    let all = of_kind("delivery/argocd/", "AppProject");
    all.map(|placed| ((instance(placed), text(&placed.object, "/metadata/name").to_owned()), &placed.object)).collect()
}

fn tier_of(project: &Value) -> Option<&str> {
    project["metadata"]["labels"]["tier.boutique.example/tier"].as_str()
}

/// The tiers of namespaces, by cluster and name.
fn tiers() -> BTreeMap<(String, String), String> {
    let namespaces = of_kind("clusters/", "Namespace").map(|placed| {
        let cluster = placed.path.split('/').nth(1).unwrap().to_owned();
        let tier = text(&placed.object, "/metadata/labels/tier.boutique.example~1tier").to_owned();
        ((cluster, text(&placed.object, "/metadata/name").to_owned()), tier)
    });
    namespaces.collect()
}

#[test]
fn every_object_is_put_where_it_is_by_the_project_of_its_own_tier_or_the_platform_s_and_by_no_other_tier_s() {
    let (applications, projects, tiers) = (applications(), projects(), tiers());
    let (mut yes, mut no) = (0, 0);
    for placed in objects().iter().filter(|placed| placed.path.starts_with("clusters/")) {
        let mine: Vec<_> = applications.iter().filter(|application| placed.path.starts_with(&format!("{}/", application.folder))).collect();
        let [application] = mine[..] else { panic!("{} is applied by {mine:?}", placed.path) };
        let own = projects[&(application.instance.clone(), application.project.clone())];
        assert!(allows(own, application, &placed.object), "{} may not put {} where it is", application.project, placed.path);
        yes += 1;
        let cluster = placed.path.split('/').nth(1).unwrap().to_owned();
        let tier = tiers.get(&(cluster, text(&placed.object, "/metadata/namespace").to_owned()));
        if let Some(owner) = tier_of(own) {
            assert_eq!(Some(owner), tier.map(String::as_str), "{} is applied for another tier", placed.path);
        }
        // The other projects of the instance; another instance has no access to the cluster, whatever its projects say.
        for ((instance, name), other) in &projects {
            let foreign = tier_of(other).is_some_and(|other| Some(other) != tier.map(String::as_str));
            if *instance == application.instance && foreign {
                assert!(!allows(other, application, &placed.object), "{name} may put {} where it is", placed.path);
                no += 1;
            }
        }
    }
    assert!(yes > 100 && no > 100, "this shows little: {yes} times yes, {no} times no");
}

#[test]
fn a_tier_s_project_allows_workloads_in_its_own_namespaces_and_nothing_else() {
    let projects = projects();
    let of = |version: &str, kind: &str, namespace: Option<&str>| json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "x", "namespace": namespace } });
    let own = Some("catalog-internal");
    let project = projects[&("main".to_owned(), "boutique-tier-internal".to_owned())];
    let at = |destination: &str, repository: &str| Application {
        instance: "main".to_owned(),
        project: "boutique-tier-internal".to_owned(),
        repository: repository.to_owned(),
        destination: destination.to_owned(),
        namespace: "catalog-internal".to_owned(),
        folder: String::new(),
    };
    let repository = "https://git.boutique.example/platform/fleet.git";
    let home = at("shared-tokyo", repository);
    for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
        assert!(allows(project, &home, &of("apps/v1", kind, own)), "{kind}");
    }
    for (version, kind, namespace) in [
        ("rbac.authorization.k8s.io/v1", "ClusterRole", None),
        ("v1", "Namespace", None),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", None),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", own),
        ("networking.k8s.io/v1", "NetworkPolicy", own),
        ("v1", "ResourceQuota", own),
        ("v1", "Secret", own),
        ("argoproj.io/v1alpha1", "Application", own),
        ("apps/v1", "Deployment", Some("storefront-public")),
        ("apps/v1", "Deployment", Some("kube-system")),
        ("apps/v1", "Deployment", Some("argocd")),
    ] {
        assert!(!allows(project, &home, &of(version, kind, namespace)), "{kind} in {namespace:?}");
    }
    let deployment = of("apps/v1", "Deployment", own);
    for destination in ["in-cluster", "confidential-osaka", "restricted-tokyo", ""] {
        assert!(!allows(project, &at(destination, repository), &deployment), "{destination}");
    }
    assert!(!allows(project, &at("shared-tokyo", "https://git.boutique.example/somebody/else.git"), &deployment));
}

#[test]
fn nothing_is_left_to_a_wildcard_or_to_the_default_project() {
    for ((instance, name), project) in projects() {
        assert!(!project["spec"].to_string().contains('*'), "{instance}/{name} has a wildcard");
        if tier_of(project).is_some() {
            assert_eq!(project["spec"]["clusterResourceWhitelist"], json!([]), "{name}");
        }
        // No list would mean any kind.
        assert!(!list(project, "/spec/namespaceResourceWhitelist").is_empty(), "{name}");
        assert_ne!(name, "default");
    }
    for application in applications() {
        assert_ne!(application.project, "default", "{application:?}");
    }
}

#[test]
fn a_role_of_a_project_reaches_its_own_team_s_applications_of_that_tier_alone() {
    let names: BTreeSet<String> = applications().iter().map(|application| application.folder.clone()).collect();
    let mut seen = 0;
    for ((_, name), project) in projects() {
        for role in list(project, "/spec/roles") {
            let team = text(role, "/name").split('-').next().unwrap();
            for policy in list(role, "/policies").iter().filter_map(Value::as_str) {
                let parts: Vec<&str> = policy.split(", ").collect();
                let ["p", subject, resource, action, object, "allow"] = parts[..] else { panic!("{policy}") };
                assert_eq!(subject, format!("proj:{name}:{}", text(role, "/name")));
                assert!(
                    matches!((resource, action), ("applications", "get" | "sync") | ("logs", "get")) || action.starts_with("action/apps/")
                );
                let (project, application) = object.split_once('/').unwrap();
                assert_eq!(project, name, "{policy} reaches another project");
                let (cluster, rest) = application.split_once('.').unwrap();
                let (layer, namespace) = rest.split_once('.').unwrap();
                assert!(names.contains(&format!("clusters/{cluster}/{layer}/{namespace}")), "{policy} is about nothing");
                assert!(namespace.starts_with(&format!("{team}-")), "{policy} reaches another team");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen} policies show little");
}

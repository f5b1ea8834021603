//! Who may put which object where.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::argocd::{Application, Delivered, allows};
use crate::sample::{list, objects, of_kind, text};

fn delivered() -> &'static Delivered {
    static DELIVERED: OnceLock<Delivered> = OnceLock::new();
    DELIVERED.get_or_init(|| Delivered::of(objects()))
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
    let (delivered, tiers) = (delivered(), tiers());
    let (mut yes, mut no) = (0, 0);
    for placed in objects().iter().filter(|placed| placed.path.starts_with("clusters/")) {
        let application = delivered.application_of(&placed.path).unwrap_or_else(|| panic!("nothing applies {}", placed.path));
        let own = delivered.project_of(application).unwrap();
        assert!(allows(own, application, &placed.object), "{} may not put {} where it is", application.project, placed.path);
        yes += 1;
        let cluster = placed.path.split('/').nth(1).unwrap().to_owned();
        let tier = tiers.get(&(cluster, text(&placed.object, "/metadata/namespace").to_owned()));
        if let Some(owner) = tier_of(own) {
            assert_eq!(Some(owner), tier.map(String::as_str), "{} is applied for another tier", placed.path);
        }
        // The other projects of the instance; another instance has no access to the cluster, whatever its projects say.
        for ((instance, name), other) in &delivered.projects {
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
    let projects = &delivered().projects;
    let of = |version: &str, kind: &str, namespace: Option<&str>| json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "x", "namespace": namespace } });
    let own = Some("catalog-internal");
    let project = &projects[&("main".to_owned(), "boutique-tier-internal".to_owned())];
    let at = |destination: &str, repository: &str| Application {
        instance: "main".to_owned(),
        name: String::new(),
        set: None,
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
    for ((instance, name), project) in &delivered().projects {
        // But for namespaces of workloads with one of their own, which are named after their team and tier.
        let tier = tier_of(project).unwrap_or_default();
        let own =
            |namespace: &str| namespace.strip_suffix("-*").is_some_and(|head| head.ends_with(&format!("-{tier}")) && !head.contains('*'));
        let mut spec = project["spec"].clone();
        spec["destinations"].as_array_mut().unwrap().retain(|entry| tier.is_empty() || !own(text(entry, "/namespace")));
        assert!(!spec.to_string().contains('*'), "{instance}/{name} has a wildcard");
        if !tier.is_empty() {
            assert_eq!(project["spec"]["clusterResourceWhitelist"], json!([]), "{name}");
        }
        // No list would mean any kind.
        assert!(!list(project, "/spec/namespaceResourceWhitelist").is_empty(), "{name}");
        assert_ne!(name.as_str(), "default");
    }
    for application in &delivered().applications {
        assert_ne!(application.project, "default", "{application:?}");
    }
}

#[test]
fn a_role_of_a_project_reaches_its_own_team_s_applications_of_that_tier_alone() {
    let names: BTreeSet<&str> = delivered().applications.iter().map(|application| application.name.as_str()).collect();
    let mut seen = 0;
    for ((_, name), project) in &delivered().projects {
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
                assert!(names.contains(application), "{policy} is about nothing");
                let (_, namespace) = application.rsplit_once('.').unwrap();
                assert!(namespace.starts_with(&format!("{team}-")), "{policy} reaches another team");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen} policies show little");
}

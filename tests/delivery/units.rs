//! What waits for what: a Job that runs for hours, a suspended CronJob, a changed Job, a namespace that is being deleted, an image that cannot be
//! pulled stop no other namespace and no guardrail.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sample::{list, objects, of_kind, text};

/// The Kustomizations of each cluster, by name.
fn kustomizations() -> BTreeMap<String, BTreeMap<String, &'static Value>> {
    let mut clusters: BTreeMap<String, BTreeMap<String, &Value>> = BTreeMap::new();
    for placed in of_kind("delivery/flux/", "Kustomization") {
        let cluster = placed.path.split('/').nth(2).unwrap().to_owned();
        let name = text(&placed.object, "/metadata/name").to_owned();
        assert!(clusters.entry(cluster).or_default().insert(name, &placed.object).is_none(), "{} has it twice", placed.path);
    }
    assert_eq!(clusters.len(), 8);
    clusters
}

fn before(unit: &Value) -> Vec<&str> {
    list(unit, "/spec/dependsOn").iter().map(|on| text(on, "/name")).collect()
}

/// Everything that a unit waits for, however far.
fn all_before<'a>(units: &BTreeMap<String, &'a Value>, name: &str) -> BTreeSet<&'a str> {
    let mut all = BTreeSet::new();
    let mut next = before(units[name]);
    while let Some(name) = next.pop() {
        if all.insert(name) {
            next.extend(before(units.get(name).unwrap_or_else(|| panic!("there is no `{name}` to wait for"))));
        }
    }
    all
}

#[test]
fn layers_come_in_their_order_and_nothing_waits_for_workloads_or_monitoring() {
    for (cluster, units) in kustomizations() {
        for name in units.keys() {
            let before = all_before(&units, name);
            assert!(!before.contains(name.as_str()), "{cluster}: `{name}` waits for itself");
            for other in &before {
                assert!(**other < **name, "{cluster}: `{name}` waits for the later `{other}`");
                assert!(!other.starts_with("40-") && !other.starts_with("50-"), "{cluster}: `{name}` waits for `{other}`");
            }
            if name.starts_with("40-workloads.") {
                let layers: BTreeSet<&str> = before.iter().map(|name| name.split('.').next().unwrap()).collect();
                assert_eq!(layers, BTreeSet::from(["10-guardrails", "20-namespaces", "30-access"]), "{cluster}: {name}");
            }
        }
    }
}

#[test]
fn a_namespace_waits_for_no_other_namespace() {
    for (cluster, units) in kustomizations() {
        for name in units.keys().filter(|name| name.contains('.')) {
            let (_, own) = name.split_once('.').unwrap();
            let others = all_before(&units, name).into_iter().filter_map(|name| name.split_once('.')).filter(|(_, other)| *other != own);
            assert_eq!(others.count(), 0, "{cluster}: {name}");
        }
    }
}

#[test]
fn a_namespace_that_is_being_deleted_makes_no_layer_unready() {
    for (cluster, units) in kustomizations() {
        let namespaces = units["20-namespaces"];
        assert_eq!(namespaces["spec"]["wait"], false, "{cluster}: a Namespace that is being deleted is never ready");
        // What is made in a namespace cannot be made while it is being deleted: that is no other namespace's unit.
        assert!(!units.contains_key("30-access"), "{cluster}: one unit makes objects in all namespaces");
    }
}

#[test]
fn no_unit_of_workloads_waits_for_its_objects_to_be_healthy() {
    for (cluster, units) in kustomizations() {
        for (name, unit) in units.iter().filter(|(name, _)| name.starts_with("40-") || name.starts_with("50-")) {
            assert_eq!(unit["spec"]["wait"], false, "{cluster}: {name}");
            assert!(unit["spec"].get("healthChecks").is_none(), "{cluster}: {name}");
        }
        for (name, unit) in &units {
            assert_eq!(unit["spec"]["force"], false, "{cluster}: {name} would delete and make anew");
            assert!(name.len() <= 63, "{cluster}: {name} is too long for a label");
        }
    }
}

#[test]
fn no_sync_of_argo_cd_has_more_than_one_wave() {
    // What applies the trees is in two, for the order in which it goes, and the first has nothing that could be unhealthy.
    for placed in objects().iter().filter(|placed| placed.object["kind"] != "AppProject") {
        let annotations = placed.object["metadata"]["annotations"].as_object();
        for key in annotations.into_iter().flatten().map(|(key, _)| key) {
            assert!(!["argocd.argoproj.io/sync-wave", "argocd.argoproj.io/hook"].contains(&key.as_str()), "{}: {key}", placed.path);
        }
    }
    let sets = of_kind("delivery/argocd/", "ApplicationSet").map(|placed| &placed.object["spec"]["template"]);
    let applications = of_kind("delivery/argocd/", "Application").map(|placed| &placed.object);
    for application in sets.chain(applications) {
        let options: Vec<&str> = list(application, "/spec/syncPolicy/syncOptions").iter().filter_map(Value::as_str).collect();
        assert!(options.contains(&"ServerSideApply=true"), "{application}");
        for option in ["PruneLast=true", "Replace=true", "Force=true", "CreateNamespace=true"] {
            assert!(!options.contains(&option), "{application}");
        }
        assert!(application["spec"]["syncPolicy"]["retry"]["limit"].as_i64().is_some_and(|limit| limit < 0), "{application}");
    }
}

#[test]
fn a_unit_is_applied_as_somebody_and_a_deployer_is_of_one_namespace() {
    for (cluster, units) in kustomizations() {
        let mut deployers = BTreeSet::new();
        for (name, unit) in &units {
            let account = text(unit, "/spec/serviceAccountName");
            match name.strip_prefix("40-workloads.") {
                Some(namespace) => assert!(account == format!("deployer-{namespace}") && deployers.insert(account), "{cluster}: {name}"),
                None => assert_eq!(account, "platform-applier", "{cluster}: {name}"),
            }
            let home = text(unit, "/metadata/namespace");
            // Under --no-cross-namespace-refs.
            assert!(unit.pointer("/spec/sourceRef/namespace").is_none() && home == "flux-system", "{cluster}: {name}");
        }
        let bound = of_kind("clusters/", "RoleBinding").filter(|placed| placed.path.starts_with(&format!("clusters/{cluster}/")));
        for placed in bound.filter(|placed| text(&placed.object, "/metadata/name") == "ringfence-deployer") {
            let [subject] = list(&placed.object, "/subjects") else { panic!("{}", placed.path) };
            let namespace = text(&placed.object, "/metadata/namespace");
            assert_eq!(text(subject, "/name"), format!("deployer-{namespace}"));
            assert!(deployers.remove(text(subject, "/name")), "{}: nobody uses it", placed.path);
        }
        assert!(deployers.is_empty(), "{cluster}: without rights: {deployers:?}");
    }
}

#[test]
fn every_object_of_a_cluster_is_applied_by_exactly_one_unit() {
    let units = kustomizations();
    for placed in objects().iter().filter(|placed| placed.path.starts_with("clusters/")) {
        let cluster = placed.path.split('/').nth(1).unwrap();
        let folder = |unit: &Value| text(unit, "/spec/path").strip_prefix("./output/").unwrap().to_owned() + "/";
        let appliers = units[cluster].values().filter(|unit| placed.path.starts_with(&folder(unit)));
        assert_eq!(appliers.count(), 1, "{}", placed.path);
    }
}

#[test]
fn what_guards_and_who_removes_outlive_what_is_removed() {
    for (cluster, units) in kustomizations() {
        for (name, unit) in &units {
            let expected = if name.starts_with("40-") { "Delete" } else { "Orphan" };
            assert_eq!(unit["spec"]["deletionPolicy"], expected, "{cluster}: {name}");
        }
        assert_eq!(units["20-namespaces"]["spec"]["prune"], false, "{cluster}");
    }
    let kept = objects().iter().filter(|placed| {
        placed.object["kind"] == "Namespace" || placed.object["kind"] == "PersistentVolumeClaim" || placed.path.ends_with("/deployer.yaml")
    });
    for placed in kept {
        let annotations = &placed.object["metadata"]["annotations"];
        assert_eq!(annotations["kustomize.toolkit.fluxcd.io/prune"], "disabled", "{}", placed.path);
        assert_eq!(annotations["argocd.argoproj.io/sync-options"], "Delete=false,Prune=false", "{}", placed.path);
    }
}

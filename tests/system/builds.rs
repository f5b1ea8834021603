//! The real kustomize and kubectl build every folder that has a `kustomization.yaml`, to exactly the planned objects.

use std::fs;

use crate::fleet;
use crate::judge::{builds, builds_with, judge};
use crate::program::{Project, copy, repository};

#[test]
fn every_folder_of_the_sample_builds_to_exactly_its_planned_objects() {
    let project = Project::of(&repository().join("inventory"));
    project.generate();
    if let Some(judge) = judge() {
        builds(&judge, &project);
    }
}

#[test]
fn a_fresh_inventory_of_ones_own_generates_and_builds() {
    let project = Project::empty();
    project.run(["init"]).expect(0);
    project.run(["check"]).expect(0);
    project.generate();
    if let Some(judge) = judge() {
        builds(&judge, &project);
    }
}

#[test]
fn generated_inventories_build() {
    let Some(judge) = judge() else { return };
    for (workloads, clusters) in [(1, 1), (12, 2), (90, 7)] {
        let project = Project::new(&fleet::inventory(workloads, clusters, 0));
        project.generate();
        builds(&judge, &project);
    }
}

#[test]
fn expected_trees_of_cases_build_beside_their_custom_components() {
    let Some(judge) = judge() else { return };
    let areas = ["tests/cases", "tests/diagnostics"].map(|area| repository().join(area)).into_iter().filter(|area| area.is_dir());
    let cases = areas.flat_map(|area| walkdir::WalkDir::new(area).min_depth(2).max_depth(2).sort_by_file_name());
    for case in cases {
        let case = case.unwrap().into_path();
        // Only a tree that a run completed is meant to build.
        if !case.join("expected/ringfence.lock").is_file() {
            continue;
        }
        let project = Project::empty();
        let custom = project.root.join("custom");
        copy(&case.join("expected"), &project.output());
        copy(&case.join("custom"), &custom);
        if fs::exists(project.output().join("clusters")).unwrap() {
            builds_with(&judge, &project.output(), &custom);
        }
    }
}

#[test]
fn a_component_of_the_sites_own_is_applied_to_its_layer() {
    let Some(judge) = judge() else { return };
    let project = Project::of(&repository().join("inventory"));
    let custom = project.root.join("custom/restricted-tokyo/30-access");
    fs::create_dir_all(&custom).unwrap();
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [notice.yaml]\n";
    fs::write(custom.join("kustomization.yaml"), component).unwrap();
    let notice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notice, namespace: payments-restricted}\ndata: {to: all}\n";
    fs::write(custom.join("notice.yaml"), notice).unwrap();
    project.generate();
    builds_with(&judge, &project.output(), &project.root.join("custom"));
}

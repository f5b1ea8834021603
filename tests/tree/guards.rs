//! Second thoughts: deletions that a living cluster would not survive, and changes that it would refuse.

use ringfence::tree::guard::{Deletions, ImmutableChange, TooMany, deletions, immutable_changes};
use ringfence::tree::{Fault, compare, read};

use crate::output::{Output, Texts, tree};

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n";
const CLAIM: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: data\n  namespace: shop\nspec:\n  resources:\n    requests:\n      storage: 1Gi\n";
const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kind-Namespace\n";

fn delete(old: Texts, new: Texts, allowed: u8) -> Deletions {
    let output = Output::with(old);
    deletions_of(&output, new, allowed)
}

fn deletions_of(output: &Output, new: Texts, allowed: u8) -> Deletions {
    let (new, recorded) = (tree(new), read(&output.root).unwrap());
    let delta = compare(&new, &recorded, &output.root).unwrap();
    deletions(&new, &recorded, &delta, &output.root, allowed).unwrap()
}

fn lost(old: Texts, new: Texts) -> Vec<String> {
    let protected = delete(old, new, 100).protected.into_iter();
    protected.map(|it| format!("{}: {} {}/{}", it.file, it.kind, it.namespace.unwrap_or_default(), it.name)).collect()
}

/// What changes that may not, if a file of one object becomes another.
fn refused(old: &str, new: &str) -> Vec<&'static str> {
    let fields = |old: &str, new: &str| -> Vec<_> {
        changes(&[("clusters/a/x.yaml", old)], &[("clusters/a/x.yaml", new)]).into_iter().map(|change| change.field).collect()
    };
    assert!(fields(old, &format!("# the same\n{old}")).is_empty(), "what stays the same is no change");
    fields(old, new)
}

fn changes(old: Texts, new: Texts) -> Vec<ImmutableChange> {
    let output = Output::with(old);
    let new = tree(new);
    let delta = compare(&new, &read(&output.root).unwrap(), &output.root).unwrap();
    immutable_changes(&new, &delta, &output.root).unwrap()
}

fn object(group_version: &str, kind: &str, rest: &str) -> String {
    format!("apiVersion: {group_version}\nkind: {kind}\nmetadata:\n  name: carts\n  namespace: shop\n{rest}\n")
}

#[test]
fn a_large_share_of_deletions_is_too_many_and_a_few_files_are_not() {
    let paths: Vec<_> = (0..50).map(|number| format!("clusters/a/{number:02}.yaml")).collect();
    let files: Vec<_> = paths.iter().map(|path| (path.as_str(), CONFIG)).collect();
    assert_eq!(delete(&files, &files[..40], 20).too_many, None);
    assert_eq!(delete(&files, &files[..39], 20).too_many, Some(TooMany { deleted: 11, of: 50, percent: 22, allowed: 20 }));
    assert_eq!(delete(&files, &files[..39], 22).too_many, None);
    assert_eq!(delete(&files[..6], &files[..2], 20).too_many, None, "four files of six are few");
    assert_eq!(delete(&files[..6], &files[..1], 20).too_many, Some(TooMany { deleted: 5, of: 6, percent: 84, allowed: 20 }));
    assert_eq!(delete(&files[..2], &[], 20).too_many, Some(TooMany { deleted: 2, of: 2, percent: 100, allowed: 20 }), "nothing left");
    assert_eq!(delete(&files[..2], &[], 100).too_many, None);
    assert_eq!(delete(&[], &files, 0).too_many, None);
}

#[test]
fn a_protected_object_that_goes_is_named_with_its_file() {
    let two = format!("{NAMESPACE}---\n{CLAIM}");
    assert_eq!(
        lost(&[("clusters/a/x.yaml", &two), ("clusters/a/y.yaml", CONFIG)], &[("clusters/a/y.yaml", CONFIG)]),
        ["clusters/a/x.yaml: Namespace /shop", "clusters/a/x.yaml: PersistentVolumeClaim shop/data"]
    );
    assert_eq!(lost(&[("clusters/a/x.yaml", &two)], &[("clusters/a/x.yaml", CLAIM)]), ["clusters/a/x.yaml: Namespace /shop"]);
    assert!(lost(&[("clusters/a/x.yaml", CONFIG)], &[]).is_empty());
}

#[test]
fn a_protected_object_may_move_within_its_cluster_but_not_to_another() {
    assert!(lost(&[("clusters/a/x.yaml", NAMESPACE)], &[("clusters/a/b/c.yaml", NAMESPACE)]).is_empty());
    assert_eq!(lost(&[("clusters/a/x.yaml", NAMESPACE)], &[("clusters/b/x.yaml", NAMESPACE)]), ["clusters/a/x.yaml: Namespace /shop"]);
    let unchanged = ("clusters/a/y.yaml", NAMESPACE);
    assert!(lost(&[("clusters/a/x.yaml", NAMESPACE), unchanged], &[unchanged]).is_empty(), "another file holds it already");
}

#[test]
fn another_name_namespace_or_group_is_another_object() {
    for other in [CLAIM.replace("data", "date"), CLAIM.replace("shop", "shed"), CLAIM.replace("v1", "example.com/v1")] {
        assert_eq!(lost(&[("clusters/a/x.yaml", CLAIM)], &[("clusters/a/x.yaml", &other)]).len(), 1, "{other}");
    }
    let crd = object("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "");
    assert!(lost(&[("clusters/a/x.yaml", &crd)], &[("clusters/a/x.yaml", &crd.replace("v1beta1", "v1"))]).is_empty());
    assert_eq!(lost(&[("clusters/a/x.yaml", &crd)], &[]).len(), 1);
}

#[test]
fn a_stateful_set_is_protected_where_its_claims_go_with_it() {
    let keeps = object("apps/v1", "StatefulSet", "spec: {}");
    let deletes = object("apps/v1", "StatefulSet", "spec:\n  persistentVolumeClaimRetentionPolicy:\n    whenDeleted: Delete");
    assert!(lost(&[("clusters/a/x.yaml", &keeps)], &[]).is_empty());
    assert_eq!(lost(&[("clusters/a/x.yaml", &deletes)], &[]), ["clusters/a/x.yaml: StatefulSet shop/carts"]);
}

#[test]
fn an_edited_file_that_is_no_yaml_any_more_is_listed() {
    let output = Output::with(&[("clusters/a/x.yaml", NAMESPACE), ("clusters/a/y.md", "text")]);
    output.put("clusters/a/x.yaml", "kind: Namespace\na: [");
    output.put("clusters/a/y.md", "kind: Namespace\na: [");
    assert_eq!(deletions_of(&output, &[], 100).unreadable, ["clusters/a/x.yaml"]);
}

#[test]
fn immutable_fields_are_found_with_their_object_and_new_file() {
    let old = object("apps/v1", "StatefulSet", "spec:\n  serviceName: carts");
    let found =
        changes(&[("clusters/a/x.yaml", &old)], &[("clusters/a/y/z.yaml", &old.replace("serviceName: carts", "serviceName: cart"))]);
    let expected = ImmutableChange {
        file: "clusters/a/y/z.yaml".to_owned(),
        kind: "StatefulSet".to_owned(),
        namespace: Some("shop".to_owned()),
        name: "carts".to_owned(),
        field: "spec.serviceName",
    };
    assert_eq!(found, [expected]);
}

#[test]
fn a_stateful_sets_templates_selector_service_and_policy_do_not_change_and_its_pods_may() {
    let set = |rest: &str| object("apps/v1", "StatefulSet", rest);
    let templates = "spec:\n  volumeClaimTemplates:\n  - metadata:\n      name: data\n    spec:\n      resources:\n        requests:\n          storage: 1Gi";
    assert_eq!(refused(&set(templates), &set(&templates.replace("1Gi", "2Gi"))), ["spec.volumeClaimTemplates"]);
    for same in ["1024Mi", "1073741824", "\"1073741824\""] {
        assert!(refused(&set(templates), &set(&templates.replace("1Gi", same))).is_empty(), "{same} is the same size");
    }
    assert_eq!(
        refused(&set("spec: {selector: {matchLabels: {a: b}}}"), &set("spec: {selector: {matchLabels: {a: c}}}")),
        ["spec.selector"]
    );
    assert_eq!(refused(&set("spec: {}"), &set("spec: {podManagementPolicy: Parallel}")), ["spec.podManagementPolicy"]);
    assert!(refused(&set("spec: {}"), &set("spec: {podManagementPolicy: OrderedReady, volumeClaimTemplates: []}")).is_empty());
    assert!(refused(&set("spec: {replicas: 1, template: {a: 1}}"), &set("spec: {replicas: 2, template: {a: 2}}")).is_empty());
}

#[test]
fn selectors_of_controllers_do_not_change() {
    for kind in ["Deployment", "DaemonSet", "ReplicaSet"] {
        let with = |label: &str| object("apps/v1", kind, &format!("spec:\n  selector:\n    matchLabels:\n      app: {label}"));
        assert_eq!(refused(&with("a"), &with("b")), ["spec.selector"], "{kind}");
    }
}

#[test]
fn a_jobs_template_does_not_change_and_neither_does_its_number_of_completions() {
    let job = |spec: &str| object("batch/v1", "Job", &format!("spec: {spec}"));
    assert_eq!(refused(&job("{template: {a: 1}}"), &job("{template: {a: 2}}")), ["spec.template"]);
    assert_eq!(refused(&job("{completions: 2}"), &job("{completions: 3}")), ["spec.completions"]);
    assert!(refused(&job("{}"), &job("{completions: 1, parallelism: 1}")).is_empty());
    let indexed = |number: u8| job(&format!("{{completionMode: Indexed, completions: {number}, parallelism: {number}}}"));
    assert!(refused(&indexed(2), &indexed(3)).is_empty());
    assert_eq!(refused(&job("{completions: 1}"), &indexed(1)), ["spec.completionMode"]);
    assert!(refused(&job("{ttlSecondsAfterFinished: 1}"), &job("{ttlSecondsAfterFinished: 2}")).is_empty());
}

#[test]
fn a_claim_may_grow_and_nothing_else() {
    let claim = |size: &str| CLAIM.replace("1Gi", size);
    for (old, new) in [("1Gi", "2Gi"), ("1Gi", "1024Mi"), ("1Gi", "1.1e9"), ("900M", "1Gi"), ("1Gi", "\"1073741824\"")] {
        assert!(refused(&claim(old), &claim(new)).is_empty(), "{old} {new}");
    }
    for (old, new) in [("1Gi", "1G"), ("2Gi", "1Gi"), ("1Ti", "1000Gi"), ("1Gi", "1073741823")] {
        assert_eq!(refused(&claim(old), &claim(new)), ["spec.resources.requests.storage"], "{old} {new}");
    }
    let class = |name: &str| CLAIM.replace("spec:\n", &format!("spec:\n  storageClassName: {name}\n"));
    assert_eq!(refused(&class("slow"), &class("fast")), ["spec.storageClassName"]);
}

#[test]
fn a_services_address_neither_comes_nor_goes() {
    let service = |spec: &str| object("v1", "Service", &format!("spec: {spec}"));
    assert_eq!(refused(&service("{clusterIP: None}"), &service("{}")), ["spec.clusterIP"]);
    assert_eq!(refused(&service("{}"), &service("{clusterIP: None}")), ["spec.clusterIP"]);
    assert_eq!(refused(&service("{clusterIP: 10.0.0.1}"), &service("{clusterIP: 10.0.0.2}")), ["spec.clusterIP"]);
    assert!(refused(&service("{clusterIP: 10.0.0.1}"), &service("{}")).is_empty());
    assert!(refused(&service("{type: ExternalName}"), &service("{clusterIP: None}")).is_empty());
}

#[test]
fn priorities_storage_classes_and_bindings_keep_what_they_are() {
    let class = |rest: &str| object("scheduling.k8s.io/v1", "PriorityClass", rest);
    assert_eq!(refused(&class("value: 100"), &class("value: 200")), ["value"]);
    assert!(refused(&class("value: 100"), &class("value: 100\ndescription: new")).is_empty());
    let class = |rest: &str| object("storage.k8s.io/v1", "StorageClass", rest);
    assert_eq!(
        refused(&class("provisioner: a"), &class("provisioner: b\nparameters: {encrypted: \"true\"}")),
        ["parameters", "provisioner"]
    );
    for kind in ["RoleBinding", "ClusterRoleBinding"] {
        let binding = |role: &str| object("rbac.authorization.k8s.io/v1", kind, &format!("roleRef:\n  kind: ClusterRole\n  name: {role}"));
        assert_eq!(refused(&binding("viewer"), &binding("operator")), ["roleRef"], "{kind}");
    }
}

#[test]
fn an_object_of_the_same_kind_in_another_group_is_not_held_to_the_rule() {
    let deployment = |label: &str| object("example.com/v1", "Deployment", &format!("spec: {{selector: {label}}}"));
    assert!(refused(&deployment("a"), &deployment("b")).is_empty());
}

#[test]
fn what_an_interrupted_run_was_creating_is_held_against_nobody_wherever_it_is_torn() {
    let templates = "spec:\n  serviceName: \"carts\"\n  volumeClaimTemplates:\n  - metadata:\n      name: data\n";
    let text = object("apps/v1", "StatefulSet", templates);
    let files: Texts = &[("clusters/a/x.yaml", &text)];
    // Stopped at the last step: every file is there, and so is the journal that lists it as one that was not.
    let stopped = (0..1_000)
        .map(|step| {
            let output = Output::new();
            output.stop(files, Fault::Before(step)).0.map(|_| ()).map_err(|_| output)
        })
        .take_while(Result::is_err)
        .last();
    let Some(Err(output)) = stopped else { panic!("a first run has steps") };
    for length in 0..text.len() {
        output.put("clusters/a/x.yaml", &text[..length]);
        let (new, recorded) = (tree(files), read(&output.root).unwrap());
        assert!(recorded.pending.is_some());
        let delta = compare(&new, &recorded, &output.root).unwrap();
        assert_eq!(immutable_changes(&new, &delta, &output.root).unwrap(), [], "torn after {length} bytes");
        assert_eq!(deletions(&new, &recorded, &delta, &output.root, 20).unwrap(), Deletions::default(), "torn after {length} bytes");
        assert!(delta.refusals(false).next().is_none() && !delta.is_up_to_date());
    }
}

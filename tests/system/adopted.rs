//! What becomes of a source, beside what kustomize makes of it: the final leaf is the source's build plus exactly the documented changes, which
//! are written down here a second time.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::judge::judge;
use crate::program::repository;
use crate::sources::theirs;

/// What the inventory says of an adopted workload.
struct Facts {
    domain: &'static str,
    team: &'static str,
    tier: &'static str,
    workload: &'static str,
    namespace: &'static str,
    priority_class: &'static str,
    labels: Value,
    annotations: Value,
    pull_secrets: &'static [&'static str],
    storage_class: Option<&'static str>,
    token: bool,
}

fn over(low: &Value, high: &Value) -> Value {
    let entries = |value: &Value| value.as_object().cloned().unwrap_or_default();
    entries(low).into_iter().chain(entries(high)).collect::<Map<_, _>>().into()
}

fn fill(value: &mut Value, key: &str, wanted: Value) {
    if value[key].is_null() {
        value[key] = wanted;
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// A source's object as the documentation says that it ends.
fn documented(mut object: Value, facts: &Facts) -> Value {
    drop_nulls(&mut object);
    object.as_object_mut().unwrap().remove("status");
    let label = |name: &str| format!("{}/{name}", facts.domain);
    let ours = json!({ label("team"): facts.team, label("tier"): facts.tier, label("workload"): facts.workload });
    let mark = |metadata: &mut Value| {
        metadata["labels"] = over(&over(&facts.labels, &metadata["labels"]), &ours);
        let annotations = over(&facts.annotations, &metadata["annotations"]);
        if annotations != json!({}) {
            metadata["annotations"] = annotations;
        }
    };
    object["metadata"]["namespace"] = facts.namespace.into();
    mark(&mut object["metadata"]);
    let kept = json!({ "argocd.argoproj.io/sync-options": "Delete=false,Prune=false", "kustomize.toolkit.fluxcd.io/prune": "disabled" });
    let keep = |claim: &mut Value| {
        claim["metadata"]["annotations"] = over(&claim["metadata"]["annotations"], &kept);
        if let Some(class) = facts.storage_class {
            fill(&mut claim["spec"], "storageClassName", class.into());
        }
    };
    let kind = object["kind"].as_str().unwrap().to_owned();
    let template = match kind.as_str() {
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => "/spec/template",
        "CronJob" => "/spec/jobTemplate/spec/template",
        "PersistentVolumeClaim" => {
            keep(&mut object);
            ""
        }
        _ => "",
    };
    if kind == "StatefulSet"
        && let Some(claims) = object["spec"]["volumeClaimTemplates"].as_array_mut()
    {
        claims.iter_mut().for_each(keep);
    }
    if template.is_empty() {
        if object.to_string().contains("${") {
            object["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/substitute"] = "disabled".into();
        }
        return object;
    }
    let template = object.pointer_mut(template).unwrap();
    fill(template, "metadata", json!({}));
    mark(&mut template["metadata"]);
    let pod = &mut template["spec"];
    let toleration = |effect: &str| json!({ "key": label("tier"), "operator": "Equal", "value": facts.tier, "effect": effect });
    pod["tolerations"] = json!([toleration("NoSchedule"), toleration("NoExecute")]);
    pod["nodeSelector"] = over(&pod["nodeSelector"], &json!({ "node-restriction.kubernetes.io/tier": facts.tier }));
    pod["priorityClassName"] = facts.priority_class.into();
    pod["serviceAccountName"] = facts.workload.into();
    pod["automountServiceAccountToken"] = facts.token.into();
    for secret in facts.pull_secrets {
        fill(pod, "imagePullSecrets", json!([]));
        pod["imagePullSecrets"].as_array_mut().unwrap().push(json!({ "name": secret }));
    }
    // Both are of the level `restricted`.
    fill(&mut pod["securityContext"], "runAsNonRoot", true.into());
    fill(&mut pod["securityContext"], "seccompProfile", json!({ "type": "RuntimeDefault" }));
    for list in ["containers", "initContainers"] {
        for container in pod.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let context = &mut container["securityContext"];
            fill(context, "allowPrivilegeEscalation", false.into());
            fill(context, "readOnlyRootFilesystem", true.into());
            fill(context, "capabilities", json!({}));
            fill(&mut context["capabilities"], "drop", json!(["ALL"]));
        }
    }
    object
}

fn identity(object: &Value) -> String {
    let mut name = object["metadata"]["name"].as_str().unwrap().to_owned();
    if object["kind"] == "Job" && object["metadata"]["namespace"].is_string() {
        let (stem, digest) = name.rsplit_once('-').unwrap();
        assert!(digest.len() == 8 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{name} ends with a digest");
        name = stem.to_owned();
    }
    format!("{} {name}", object["kind"].as_str().unwrap())
}

fn compare(judge: &Path, source: &Path, leaf: &Path, facts: &Facts) {
    let wanted: BTreeMap<String, Value> =
        theirs(judge, source).unwrap().into_iter().map(|object| (identity(&object), documented(object, facts))).collect();
    assert!(wanted.len() > 3, "the source has objects");
    let is_ours = |object: &Value| object["metadata"]["labels"][format!("{}/workload", facts.domain)] == facts.workload;
    let mut found: BTreeMap<String, Value> =
        theirs(judge, leaf).unwrap().into_iter().filter(is_ours).map(|object| (identity(&object), object)).collect();
    let account = found.remove(&format!("ServiceAccount {}", facts.workload)).expect("an identity of its own");
    assert_eq!(account["automountServiceAccountToken"], false);
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (name, mut object) in found {
        if object["kind"] == "Job" {
            object["metadata"]["name"] = wanted[&name]["metadata"]["name"].clone();
        }
        assert_eq!(object, wanted[&name], "{name}");
    }
}

#[test]
fn the_sample_s_leaf_is_its_source_and_the_documented_changes() {
    let Some(judge) = judge() else { return };
    for cluster in ["shared-tokyo", "shared-osaka", "shared-staging"] {
        let facts = Facts {
            domain: "tier.boutique.example",
            team: "catalog",
            tier: "internal",
            workload: "reviews",
            namespace: "catalog-internal",
            priority_class: "internal-20000",
            labels: json!({}),
            annotations: json!({}),
            pull_secrets: &[],
            storage_class: None,
            token: false,
        };
        let leaf = format!("output/clusters/{cluster}/40-workloads/catalog-internal");
        compare(&judge, &repository().join("apps/reviews/fleet"), &repository().join(leaf), &facts);
    }
}

#[test]
fn every_kind_s_leaf_is_its_source_and_the_documented_changes() {
    let Some(judge) = judge() else { return };
    let facts = Facts {
        domain: "tier.acme.example",
        team: "shop",
        tier: "public",
        workload: "carts",
        namespace: "shop-public",
        priority_class: "public-10000",
        labels: json!({ "cost": "4711", "owner": "shop" }),
        annotations: json!({ "acme.example/note": "adopted" }),
        pull_secrets: &["registry"],
        storage_class: Some("fast"),
        token: true,
    };
    let case = repository().join("tests/cases/generate/adopted-kinds");
    compare(&judge, &case.join("apps/carts"), &case.join("expected/clusters/tokyo/40-workloads/shop-public"), &facts);
}

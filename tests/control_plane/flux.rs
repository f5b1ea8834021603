//! Flux' real kustomize-controller on the committed trees of a cluster, under Flux' flags for several tenants.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringfence::model::platform::FLUX_APPLIER;
use serde_json::{Value, json};

use crate::appliers;
use crate::apply::{self, Layers, apply_object};
use crate::archives::Archives;
use crate::attempts::administers;
use crate::client::{Patch, User};
use crate::judges::Judges;
use crate::plane::Plane;
use crate::program::{self, Project};
use crate::resources::describe;
use crate::runner::Verdict;
use crate::session::{content, none};
use crate::stated::Cluster;
use crate::waiting::{eventually, until};

const WORKLOADS: &str = "40-workloads";
const KUSTOMIZATIONS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations";

/// A control plane on which Flux runs.
pub struct Flux<'a> {
    plane: &'a Plane<'a>,
    archives: Archives,
    /// Where the sync objects are.
    namespace: String,
    source: Value,
}

impl<'a> Flux<'a> {
    /// Starts the controller, with what an installation of Flux and its `bootstrap` leave in a cluster: the namespace, the controller's own account,
    /// the source, and one Kustomization of the cluster's sync objects.
    pub fn start(plane: &'a Plane<'a>, cluster: &str, sync: &[Value]) -> Result<Self, String> {
        let source =
            sync.iter().find(|object| object["kind"] == "GitRepository").ok_or("the cluster's sync objects have no source of their own")?;
        let namespace = source["metadata"]["namespace"].as_str().unwrap().to_owned();
        let own =
            json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "kustomize-controller", "namespace": namespace } });
        let root = json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": { "name": "flux-system", "namespace": namespace },
            "spec": {
                "interval": "10m",
                "path": format!("./output/delivery/flux/{cluster}"),
                "prune": true,
                "serviceAccountName": "kustomize-controller",
                "sourceRef": { "kind": "GitRepository", "name": source["metadata"]["name"] },
            },
        });
        apply_object(plane, &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }))?;
        // What Flux' installation gives its own controller; what the applier may do is among the sync objects.
        apply_object(plane, &unlimited(&own))?;
        for object in [&own, source, &root] {
            apply_object(plane, object)?;
        }
        plane.start_flux(&namespace);
        Ok(Self { plane, archives: Archives::serve(), namespace, source: source.clone() })
    }

    /// Publishes a repository as a revision, and waits until every Kustomization has applied it: those that have not, with their reasons.
    pub fn publish(&self, repository: &Path, revision: &str) -> Vec<String> {
        let revision = self.store(repository, revision);
        let left = || self.kustomizations().into_iter().filter(|one| !has_applied(one, &revision)).collect::<Vec<_>>();
        let applied = eventually(|| left().is_empty().then_some(()));
        if applied.is_some() { Vec::new() } else { left().iter().map(reason).collect() }
    }

    /// Publishes a repository of which one folder must be refused and all others applied: why it was refused.
    pub fn publish_refused(&self, repository: &Path, revision: &str, folder: &str) -> Result<String, String> {
        let revision = self.store(repository, revision);
        let state =
            || self.kustomizations().into_iter().partition::<Vec<_>, _>(|one| one["spec"]["path"].as_str().unwrap().ends_with(folder));
        let refused = eventually(|| {
            let (own, others) = state();
            let refused =
                own.iter().find(|one| one["status"]["lastAttemptedRevision"] == revision.as_str() && ready(one)["status"] == "False")?;
            others.iter().all(|one| has_applied(one, &revision)).then(|| reason(refused))
        });
        refused.ok_or_else(|| {
            let (own, others) = state();
            format!("not refused, or others with it:\n{}", own.iter().chain(&others).map(reason).collect::<Vec<_>>().join("\n"))
        })
    }

    /// Says in the status of the source what source-controller would say: the artifact of a revision, and its name there.
    fn store(&self, repository: &Path, revision: &str) -> String {
        let artifact = self.archives.pack(repository, revision);
        let revision = artifact["revision"].as_str().unwrap().to_owned();
        let condition = json!({ "type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored", "lastTransitionTime": "2026-01-01T00:00:00Z" });
        let status = json!({ "status": { "artifact": artifact, "conditions": [condition], "observedGeneration": 1 } });
        let path = format!("{}/status", self.plane.resources.path(&self.source).unwrap());
        self.plane.masters.patch(&path, Patch::Merge, &status).ok().unwrap();
        revision
    }

    /// Has every Kustomization reconcile once more.
    pub fn reconcile(&self) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let asked = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        let request = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": asked } } });
        for one in self.kustomizations() {
            self.plane.masters.patch(&self.path(&one), Patch::Merge, &request).ok().unwrap();
        }
        until("every Kustomization has reconciled", || {
            self.kustomizations()
                .iter()
                .all(|one| one["status"]["lastHandledReconcileAt"] == asked.as_str() && ready(one)["status"] == "True")
                .then_some(())
        });
    }

    /// Kustomizations that were ready before one that they depend on was.
    pub fn out_of_order(&self) -> Vec<String> {
        let all = self.kustomizations();
        let since: BTreeMap<&str, &str> = all.iter().map(|one| (one["metadata"]["name"].as_str().unwrap(), ready_since(one))).collect();
        let mut early = Vec::new();
        for one in &all {
            for on in one["spec"]["dependsOn"].as_array().into_iter().flatten() {
                let on = on["name"].as_str().unwrap();
                // Seconds are all that is kept, and written so that text sorts as time does.
                if since.get(on).is_none_or(|since| *since > ready_since(one)) {
                    early.push(format!("{} was ready before {on}", describe(one)));
                }
            }
        }
        early
    }

    fn kustomizations(&self) -> Vec<Value> {
        self.plane.masters.list(KUSTOMIZATIONS)
    }

    fn path(&self, kustomization: &Value) -> String {
        let name = kustomization["metadata"]["name"].as_str().unwrap();
        format!("/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{}/kustomizations/{name}", self.namespace)
    }
}

/// A cluster from nothing: all ready, in order; nothing changes again; what a person changed is put back; what is removed from git goes, but a
/// Namespace and a claim stay; and what reaches beyond its namespace is refused, and it alone.
pub fn verdict(plane: &Plane<'_>, judges: &Judges, project: &Project, cluster: &Cluster, layers: &Layers, sync: &[Value]) -> Verdict {
    plane.start_components();
    none("namespaces are refused", &apply::namespaces_of_others(plane, layers.values().flatten()))?;
    let flux = Flux::start(plane, &cluster.name, sync)?;
    none("Kustomizations are not ready", &flux.publish(&project.root, "one"))?;
    none("Kustomizations are out of order", &flux.out_of_order())?;
    let objects: Vec<&Value> = layers.values().flatten().collect();
    let first = read(plane, &objects)?;
    flux.reconcile();
    none("objects change when Flux reconciles again", &changed(&first, &read(plane, &objects)?))?;
    limits(plane, &flux, &objects)?;
    reverts(plane, &flux, &objects)?;
    prunes(plane, &flux, judges, project, cluster, layers)?;
    refuses(plane, &flux, project, cluster)
}

/// The applier has written the whole tree; it can make no other role, widen none but those of the tree, bind no others, and not change what it
/// may do itself.
fn limits(plane: &Plane<'_>, flux: &Flux<'_>, objects: &[&Value]) -> Verdict {
    let user = User {
        user: format!("system:serviceaccount:{}:{FLUX_APPLIER}", flux.namespace),
        groups: vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{}", flux.namespace)],
    };
    none("the applier may do more than its tree needs", &appliers::beyond(plane, &user, "ringfence-platform-applier", objects)?)
}

/// A person moves a workload to one node of its tier, which policies allow; Flux moves it back.
fn reverts(plane: &Plane<'_>, flux: &Flux<'_>, objects: &[&Value]) -> Verdict {
    let workload = objects.iter().find(|object| object["kind"] == "Deployment").ok_or("the cluster has no Deployment to change by hand")?;
    let path = plane.resources.path(workload)?;
    let selector = |object: &Value| object["spec"]["template"]["spec"]["nodeSelector"].clone();
    let moved = json!({ "spec": { "template": { "spec": { "nodeSelector": { "kubernetes.io/hostname": "elsewhere" } } } } });
    plane.masters.patch(&path, Patch::Merge, &moved).ok()?;
    flux.reconcile();
    let now = selector(&plane.masters.get(&path).ok()?);
    if now == selector(workload) { Ok(()) } else { Err(format!("{} was changed by hand and stays so: {now}", describe(workload))) }
}

/// A workload leaves the inventory; its objects go, save its claims; every Namespace stays.
fn prunes(plane: &Plane<'_>, flux: &Flux<'_>, judges: &Judges, project: &Project, cluster: &Cluster, layers: &Layers) -> Verdict {
    let later = without_a_workload(project, cluster, layers);
    let left = apply::layers(&judges.build(&later.output())?, &cluster.name);
    let left: BTreeSet<String> = left.values().flatten().map(|object| plane.resources.path(object).unwrap()).collect();
    none("Kustomizations are not ready without a workload", &flux.publish(&later.root, "two"))?;
    let kept = |object: &Value| ["Namespace", "PersistentVolumeClaim"].iter().any(|kind| object["kind"] == *kind);
    let gone = |object: &Value| plane.masters.get(&plane.resources.path(object).unwrap()).status == 404;
    let removed = || layers[WORKLOADS].iter().filter(|object| !left.contains(&plane.resources.path(object).unwrap()));
    if removed().all(kept) {
        return Err("no object left the tree, so this shows nothing".to_owned());
    }
    let remain = removed().filter(|object| !kept(object)).filter(|object| eventually(|| gone(object).then_some(())).is_none());
    none("objects of a workload that is gone from git are left", &remain.map(describe).collect::<Vec<_>>())?;
    let lost = layers.values().flatten().filter(|object| kept(object) && gone(object));
    none("claims and Namespaces are gone", &lost.map(describe).collect::<Vec<_>>())
}

/// The trees after a person has removed a workload of the cluster and all that refers to it; one with a claim, where there is one.
fn without_a_workload(project: &Project, cluster: &Cluster, layers: &Layers) -> Project {
    let claims: BTreeSet<&str> = layers[WORKLOADS]
        .iter()
        .filter(|object| object["kind"] == "PersistentVolumeClaim")
        .filter_map(|object| object["metadata"]["labels"]["app.kubernetes.io/name"].as_str())
        .collect();
    let workload = cluster.workloads.iter().max_by_key(|workload| claims.contains(workload.name.as_str())).unwrap();
    let later = Project::empty();
    program::copy(&project.root, &later.root);
    for (path, bytes) in program::files(&later.root.join("inventory"))
        .into_iter()
        .filter(|(path, _)| Path::new(path).extension().is_some_and(|extension| extension == "yaml"))
    {
        let mut file: Value = serde_yaml::from_slice(&bytes).unwrap();
        if let Some(workloads) = file.get_mut("workloads").and_then(Value::as_array_mut) {
            workloads.retain(|one| one["name"] != workload.name.as_str());
        }
        forget(&mut file, &format!("{}/{}", workload.team, workload.name));
        fs::write(later.root.join("inventory").join(path), file.to_string()).unwrap();
    }
    let deletions = ["--max-deletions", "100%", "--max-deletions", "Namespace", "--max-deletions", "PersistentVolumeClaim"];
    later.run(["generate"].into_iter().chain(deletions)).expect(0);
    later
}

/// Takes out of every list what names a workload, and what is nothing without it.
fn forget(value: &mut Value, workload: &str) {
    fn names(value: &Value, workload: &str) -> bool {
        match value {
            Value::Object(map) => map.values().any(|value| value.as_array().is_some_and(Vec::is_empty) || names(value, workload)),
            value => value == workload,
        }
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| forget(value, workload)),
        Value::Array(items) => {
            for item in items.iter_mut() {
                forget(item, workload);
            }
            items.retain(|item| !names(item, workload));
        }
        _ => {}
    }
}

/// Manifests of a namespace that hold an object of another namespace, or one that is in none, are refused, and no other namespace with them.
fn refuses(plane: &Plane<'_>, flux: &Flux<'_>, project: &Project, cluster: &Cluster) -> Verdict {
    let own = cluster.namespaces.keys().next().ok_or("the cluster has no namespace of workloads")?;
    let reaches = [
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "reaches-out", "namespace": "kube-system" } }),
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": "reaches-out" }, "rules": [] }),
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "reaches-out", "namespace": own }, "rules": [] }),
    ];
    for (number, object) in reaches.iter().enumerate() {
        let tampered = Project::empty();
        program::copy(&project.output(), &tampered.output());
        let folder = tampered.output().join(format!("clusters/{}/{WORKLOADS}/{own}", cluster.name));
        fs::write(folder.join("reaches-out.yaml"), object.to_string()).unwrap();
        let kustomization = folder.join("kustomization.yaml");
        let text = fs::read_to_string(&kustomization).unwrap();
        fs::write(&kustomization, text.replace("resources:\n", "resources:\n- reaches-out.yaml\n")).unwrap();
        let why = flux.publish_refused(&tampered.root, &format!("reach-{number}"), own)?;
        if !why.contains("forbidden") {
            return Err(format!("{} was not refused for want of rights: {why}", describe(object)));
        }
        if plane.masters.get(&plane.resources.path(object)?).status != 404 {
            return Err(format!("{} is there", describe(object)));
        }
    }
    Ok(())
}

/// What the server has of the objects.
fn read(plane: &Plane<'_>, objects: &[&Value]) -> Result<Vec<Value>, String> {
    objects
        .iter()
        .map(|object| plane.masters.get(&plane.resources.path(object)?).ok().map_err(|why| format!("{}: {why}", describe(object))))
        .collect()
}

/// Objects whose content, but for what controllers say of them, is not what it was.
fn changed(before: &[Value], after: &[Value]) -> Vec<String> {
    let stated = |object: &Value| {
        let mut object = content(object);
        object.as_object_mut().unwrap().remove("status");
        // Who wrote which field when: controllers write here, too.
        object["metadata"].as_object_mut().unwrap().remove("managedFields");
        object
    };
    before.iter().zip(after).filter(|(before, after)| stated(before) != stated(after)).map(|(before, _)| describe(before)).collect()
}

/// Makes an account what Flux' own installation makes its controller.
fn unlimited(account: &Value) -> Value {
    let metadata = &account["metadata"];
    let subject = json!({ "kind": "ServiceAccount", "name": metadata["name"], "namespace": metadata["namespace"] });
    administers(metadata["name"].as_str().unwrap(), &subject)
}

/// The condition Ready; null where there is none yet.
fn ready(kustomization: &Value) -> &Value {
    let conditions = kustomization["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready").unwrap_or(&Value::Null)
}

fn has_applied(kustomization: &Value, revision: &str) -> bool {
    ready(kustomization)["status"] == "True" && kustomization["status"]["lastAppliedRevision"] == revision
}

fn ready_since(kustomization: &Value) -> &str {
    ready(kustomization)["lastTransitionTime"].as_str().unwrap_or_default()
}

fn reason(kustomization: &Value) -> String {
    let name = kustomization["metadata"]["name"].as_str().unwrap();
    format!("{name}: {}", ready(kustomization)["message"].as_str().unwrap_or("not looked at"))
}

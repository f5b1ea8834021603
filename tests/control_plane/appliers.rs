//! Who applies a tree can apply all of it, with the rights that are written for it, and no role beyond it.

use serde_json::{Value, json};

use crate::apply::{self, Layers};
use crate::client::{Client, Patch, User};
use crate::etcd::Etcd;
use crate::guardrails;
use crate::judges::Judges;
use crate::plane::Plane;
use crate::program::Project;
use crate::resources::describe;
use crate::runner::Verdict;
use crate::session::none;
use crate::waiting::until;

/// The name of the test.
pub const ARGOCD: &str = "delivery/argocd-applier";
/// A cluster that Argo CD serves from elsewhere, and one that it runs in, each with the user as whom it acts there.
const CLUSTERS: [(&str, &str); 2] = [
    ("shared-tokyo", "system:serviceaccount:kube-system:argocd-manager"),
    ("restricted-tokyo", "system:serviceaccount:argocd:argocd-application-controller"),
];
const RBAC: &str = "rbac.authorization.k8s.io/v1";

/// An administrator has applied what stands in `bootstrap/`; then the instance's own user applies every layer twice, as Argo CD does.
pub fn argocd(judges: &Judges, etcd: &Etcd, project: &Project, layers_of: &dyn Fn(&str) -> Layers) -> Verdict {
    for (cluster, name) in CLUSTERS {
        let layers = layers_of(cluster);
        let plane = Plane::start(judges, etcd, &format!("argocd-{cluster}"), &apply::groups(layers.values().flatten()));
        // Among them the one that puts the built-in roles together: an empty `admin` could be bound by anybody.
        plane.start_components();
        let rules = || plane.masters.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/admin").ok().unwrap()["rules"].clone();
        until("the built-in admin has its rules", || rules().as_array().filter(|rules| !rules.is_empty()).map(drop));
        none("namespaces are refused", &apply::namespaces_of_others(&plane, layers.values().flatten()))?;
        let path = project.output().join(format!("bootstrap/{cluster}/argocd-applier.yaml"));
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        for document in serde_yaml::Deserializer::from_str(&text) {
            let object: Value = serde::Deserialize::deserialize(document).map_err(|error| error.to_string())?;
            apply::apply_object(&plane, &object)?;
        }
        let user = User { user: name.to_owned(), groups: vec!["system:serviceaccounts".to_owned()] };
        let client = plane.client(&user);
        // What was applied last is the binding, which the authorizer sees a moment later.
        until("Argo CD's user has its rights", || {
            let role = json!({ "verb": "patch", "group": "rbac.authorization.k8s.io", "resource": "clusterroles", "name": "ringfence-cluster-viewer" });
            plane.masters.may(&user, &role).then_some(())
        });
        let mut wrong = Vec::new();
        for _ in 0..2 {
            for objects in layers.values() {
                wrong.extend(objects.iter().filter_map(|object| put(&plane, &client, object).err()));
                guardrails::settle(&plane);
            }
        }
        let objects: Vec<&Value> = layers.values().flatten().collect();
        for object in &objects {
            let collection = plane.resources.collection(object)?;
            let answer = client.get(&collection);
            if !answer.is_ok() {
                wrong.push(format!("it cannot list {collection}: {}", answer.message()));
            }
        }
        none("what Argo CD's user cannot do", &wrong)?;
        none("Argo CD's user may do more than its tree needs", &beyond(&plane, &user, "ringfence-argocd-applier", &objects)?)?;
        let rest = objects.iter().filter(|object| object["kind"] != "Namespace").filter_map(|object| {
            let path = plane.resources.path(object).ok()?;
            client.delete(&path).ok().err().map(|why| format!("{path}: {why}"))
        });
        none("what Argo CD's user cannot remove", &rest.collect::<Vec<_>>())?;
    }
    Ok(())
}

/// What an applier could do beyond its tree, tried: as it applies, and as anybody creates.
pub fn beyond(plane: &Plane<'_>, user: &User, own: &str, objects: &[&Value]) -> Result<Vec<String>, String> {
    let client = plane.client(user);
    let all = json!([{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }]);
    let subjects = json!([{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user.user }]);
    let role = |kind: &str, name: &str| json!({ "apiVersion": RBAC, "kind": kind, "metadata": { "name": name }, "rules": all });
    let binding = |kind: &str, name: &str, to: (&str, &str)| {
        let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": to.0, "name": to.1 });
        json!({ "apiVersion": RBAC, "kind": kind, "metadata": { "name": name }, "roleRef": role, "subjects": subjects })
    };
    let within = |mut object: Value, namespace: &str| {
        object["metadata"]["namespace"] = namespace.into();
        object
    };
    let attempts = [
        role("ClusterRole", "another"),
        role("ClusterRole", "cluster-admin"),
        role("ClusterRole", "edit"),
        role("ClusterRole", own),
        within(role("Role", "another"), "kube-system"),
        binding("ClusterRoleBinding", "another", ("ClusterRole", "view")),
        binding("ClusterRoleBinding", own, ("ClusterRole", own)),
        // Under a name that it may write.
        binding("ClusterRoleBinding", "ringfence-node-admin", ("ClusterRole", "cluster-admin")),
        within(binding("RoleBinding", "ringfence-viewer", ("ClusterRole", "admin")), "default"),
    ];
    let mut wrong = Vec::new();
    for object in &attempts {
        let before = plane.masters.get(&plane.resources.path(object)?).ok().ok();
        if put(plane, &client, object).is_ok() {
            wrong.push(format!("{} applied {object}", user.user));
        }
        let answer = client.post(&plane.resources.collection(object)?, object);
        if answer.is_ok() {
            wrong.push(format!("{} created {object}", user.user));
        } else if before.is_none() && answer.status != 403 {
            wrong.push(format!("{} was refused {} for another reason: {}", user.user, describe(object), answer.message()));
        }
    }
    let may = |verb: &str, group: &str, resource: &str, name: &str| {
        let (resource, sub) = resource.split_once('/').unwrap_or((resource, ""));
        plane.masters.may(
            user,
            &json!({ "verb": verb, "group": group, "resource": resource, "subresource": sub, "name": name, "namespace": "kube-system" }),
        )
    };
    let rbac = "rbac.authorization.k8s.io";
    for (verb, group, resource, name) in [
        ("get", "", "secrets", "any"),
        ("create", "", "secrets", ""),
        ("create", "", "pods", ""),
        ("create", "", "pods/exec", "any"),
        ("create", "", "serviceaccounts/token", "any"),
        ("impersonate", "", "users", "any"),
        ("impersonate", "", "groups", "system:masters"),
        ("impersonate", "", "serviceaccounts", "any"),
        ("patch", "", "nodes", "any"),
        ("create", rbac, "clusterroles", ""),
        ("create", rbac, "rolebindings", ""),
        ("bind", rbac, "clusterroles", "cluster-admin"),
        ("bind", rbac, "clusterroles", ""),
        ("escalate", rbac, "clusterroles", own),
        ("escalate", rbac, "roles", ""),
        ("patch", "admissionregistration.k8s.io", "validatingwebhookconfigurations", "any"),
        ("create", "certificates.k8s.io", "certificatesigningrequests", ""),
    ] {
        if may(verb, group, resource, name) {
            wrong.push(format!("{} may {verb} {group}/{resource} `{name}`", user.user));
        }
    }
    let roles = objects.iter().filter(|object| object["kind"] == "Role" || object["kind"] == "ClusterRole");
    for object in roles {
        let (resource, name) =
            if object["kind"] == "Role" { ("roles", &object["metadata"]["name"]) } else { ("clusterroles", &object["metadata"]["name"]) };
        let name = name.as_str().unwrap();
        if !may("bind", rbac, resource, name) || !may("escalate", rbac, resource, name) {
            wrong.push(format!("{} may not bind and write {}", user.user, describe(object)));
        }
    }
    Ok(wrong)
}

/// Applies an object on the server as somebody.
fn put(plane: &Plane<'_>, client: &Client, object: &Value) -> Result<(), String> {
    let path = plane.resources.path(object)?;
    let answer = client.patch(&format!("{path}?fieldManager=applier&fieldValidation=Strict&force=true"), Patch::Apply, object);
    answer.ok().map(drop).map_err(|why| format!("{path}: {why}"))
}

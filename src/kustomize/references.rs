//! References to names that changed: kustomize's table of which field of which kind refers to which kind, and how it finds who is meant.

use super::edit::{self, get_mut};
use super::resource::{CLUSTER, Id, Resource};
use super::transform::{Make, visit};
use super::{Step, invalid};
use crate::yaml::{Node, Value};

/// Kind, version and group that fields refer to; an empty one is any.
type Target = (&'static str, &'static str, &'static str);

/// A referring kind with its version and group, and its path.
type Referrer = (&'static str, &'static str, &'static str, String);

const CONFIG_MAP: &[&str] = &[
    "volumes/configMap/name",
    "containers/env/valueFrom/configMapKeyRef/name",
    "initContainers/env/valueFrom/configMapKeyRef/name",
    "containers/envFrom/configMapRef/name",
    "initContainers/envFrom/configMapRef/name",
    "volumes/projected/sources/configMap/name",
];

const SECRET: &[&str] = &[
    "volumes/secret/secretName",
    "containers/env/valueFrom/secretKeyRef/name",
    "initContainers/env/valueFrom/secretKeyRef/name",
    "containers/envFrom/secretRef/name",
    "initContainers/envFrom/secretRef/name",
    "imagePullSecrets/name",
    "volumes/projected/sources/secret/name",
];

/// Where the pod of a kind is.
const PODS: &[(&str, &str, &str)] = &[
    ("Pod", "v1", "spec"),
    ("PodTemplate", "", "template/spec"),
    ("Deployment", "", "spec/template/spec"),
    ("ReplicaSet", "", "spec/template/spec"),
    ("DaemonSet", "", "spec/template/spec"),
    ("StatefulSet", "", "spec/template/spec"),
    ("Job", "", "spec/template/spec"),
    ("CronJob", "", "spec/jobTemplate/spec/template/spec"),
];

/// The kinds whose ServiceAccounts, claims and PriorityClasses kustomize follows.
const CONTROLLERS: &[(&str, &str)] = &[
    ("Pod", "spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicationController", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
];

fn in_pods(fields: &[&str]) -> Vec<Referrer> {
    PODS.iter().flat_map(|(kind, version, pod)| fields.iter().map(move |field| (*kind, *version, "", format!("{pod}/{field}")))).collect()
}

fn in_controllers(field: &str) -> Vec<Referrer> {
    CONTROLLERS.iter().map(|(kind, pod)| (*kind, "", "", format!("{pod}/{field}"))).collect()
}

fn plain(list: &[(&'static str, &'static str, &str)]) -> Vec<Referrer> {
    list.iter().map(|(kind, group, path)| (*kind, "", *group, (*path).to_owned())).collect()
}

fn table() -> Vec<(Target, Vec<Referrer>)> {
    const RBAC: &str = "rbac.authorization.k8s.io";
    const ADMISSION: &str = "admissionregistration.k8s.io";
    let scaled = || plain(&[("HorizontalPodAutoscaler", "", "spec/scaleTargetRef/name")]);
    let config_maps = plain(&[
        ("Node", "", "spec/configSource/configMap"),
        ("Role", "", "rules/resourceNames"),
        ("ClusterRole", "", "rules/resourceNames"),
        ("Ingress", "", r"metadata/annotations/nginx.ingress.kubernetes.io\/fastcgi-params-configmap"),
    ]);
    let mut secrets = plain(&[
        ("Ingress", "", "spec/tls/secretName"),
        ("Ingress", "", r"metadata/annotations/ingress.kubernetes.io\/auth-secret"),
        ("Ingress", "", r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-secret"),
        ("Ingress", "", r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-tls-secret"),
        ("ServiceAccount", "", "imagePullSecrets/name"),
        ("StorageClass", "", "parameters/secretName"),
        ("StorageClass", "", "parameters/adminSecretName"),
        ("StorageClass", "", "parameters/userSecretName"),
        ("StorageClass", "", "parameters/secretRef"),
        ("Role", "", "rules/resourceNames"),
        ("ClusterRole", "", "rules/resourceNames"),
        ("PersistentVolume", "", "spec/azureFile/secretName"),
    ]);
    secrets.push(("Service", "v1", "serving.knative.dev", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name".to_owned()));
    let services = plain(&[
        ("StatefulSet", "apps", "spec/serviceName"),
        ("Ingress", "", "spec/rules/http/paths/backend/serviceName"),
        ("Ingress", "", "spec/backend/serviceName"),
        ("Ingress", "", "spec/rules/http/paths/backend/service/name"),
        ("Ingress", "", "spec/defaultBackend/service/name"),
        ("APIService", "apiregistration.k8s.io", "spec/service/name"),
        ("ValidatingWebhookConfiguration", ADMISSION, "webhooks/clientConfig/service"),
        ("MutatingWebhookConfiguration", ADMISSION, "webhooks/clientConfig/service"),
    ]);
    let accounts = plain(&[("RoleBinding", RBAC, "subjects"), ("ClusterRoleBinding", RBAC, "subjects")]);
    vec![
        (("Deployment", "", ""), scaled()),
        (("ReplicationController", "", ""), scaled()),
        (("ReplicaSet", "", ""), scaled()),
        (("StatefulSet", "", ""), scaled()),
        (("ConfigMap", "v1", ""), [in_pods(CONFIG_MAP), config_maps].concat()),
        (("Secret", "v1", ""), [in_pods(SECRET), secrets].concat()),
        (("Service", "v1", ""), services),
        (("Role", "", RBAC), plain(&[("RoleBinding", RBAC, "roleRef/name")])),
        (("ClusterRole", "", RBAC), plain(&[("RoleBinding", RBAC, "roleRef/name"), ("ClusterRoleBinding", RBAC, "roleRef/name")])),
        (("ServiceAccount", "v1", ""), [accounts, in_controllers("serviceAccountName")].concat()),
        (("PersistentVolumeClaim", "v1", ""), in_controllers("volumes/persistentVolumeClaim/claimName")),
        (
            ("PersistentVolume", "v1", ""),
            plain(&[("PersistentVolumeClaim", "", "spec/volumeName"), ("ClusterRole", "", "rules/resourceNames")]),
        ),
        (
            ("StorageClass", "v1", "storage.k8s.io"),
            plain(&[
                ("PersistentVolume", "", "spec/storageClassName"),
                ("PersistentVolumeClaim", "", "spec/storageClassName"),
                ("StatefulSet", "", "spec/volumeClaimTemplates/spec/storageClassName"),
            ]),
        ),
        (("PriorityClass", "v1", "scheduling.k8s.io"), in_controllers("priorityClassName")),
        (("ValidatingAdmissionPolicy", "", ADMISSION), plain(&[("ValidatingAdmissionPolicyBinding", ADMISSION, "spec/policyName")])),
    ]
}

/// What the search for a referral sees of every object: nothing of it changes while references do.
struct Known {
    now: Id,
    previous: Vec<Id>,
    stated_namespace: String,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

/// Rewrites every reference to a name that changed.
pub fn fix(resources: &mut [Resource]) -> Step<()> {
    let known: Vec<Known> = resources
        .iter()
        .map(|resource| Known {
            now: resource.id(),
            previous: resource.previous_ids(),
            stated_namespace: resource.namespace().to_owned(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        })
        .collect();
    let selects = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
    let table = table();
    for (at, resource) in resources.iter_mut().enumerate() {
        let at_first = resource.original_id();
        let binding = bound_namespaces(resource);
        for (target, referrers) in &table {
            for (kind, version, group, path) in referrers {
                if !(selects(kind, &at_first.kind) && selects(version, &at_first.version) && selects(group, &at_first.group)) {
                    continue;
                }
                let role = path.ends_with("roleRef/name").then(|| role_of(&resource.node)).flatten();
                let search = Search { known: &known, referrer: at, target: *target, binding: &binding, role };
                let parts = split_path(path);
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                let span = resource.span();
                visit(&mut resource.node, &parts, Make::Nothing, span, &mut |node| search.set(node))?;
            }
        }
    }
    Ok(())
}

/// `/` between the parts, `\/` for a slash in one.
fn split_path(path: &str) -> Vec<String> {
    path.replace(r"\/", "\0").split('/').map(|part| part.replace('\0', "/")).collect()
}

/// Namespaces of ServiceAccounts that a RoleBinding names.
fn bound_namespaces(resource: &Resource) -> Vec<String> {
    if resource.kind() != "RoleBinding" {
        return Vec::new();
    }
    let subjects = resource.node.get("subjects").map(edit::items).unwrap_or_default();
    let accounts = subjects.iter().filter(|subject| subject.get("kind").and_then(Node::text) == Some("ServiceAccount"));
    accounts.filter_map(|subject| subject.get("namespace")?.text().map(str::to_owned)).collect()
}

/// Group and kind of the role that a binding refers to.
fn role_of(node: &Node) -> Option<(String, String)> {
    let role = node.get("roleRef")?;
    Some((role.get("apiGroup")?.text()?.to_owned(), role.get("kind")?.text()?.to_owned()))
}

struct Search<'a> {
    known: &'a [Known],
    referrer: usize,
    target: Target,
    binding: &'a [String],
    role: Option<(String, String)>,
}

impl Search<'_> {
    fn set(&self, node: &mut Node) -> Step<()> {
        if node.is_null() {
            return Ok(());
        }
        match &mut node.value {
            Value::Scalar { .. } => self.set_name(node),
            Value::Map(_) => self.set_mapping(node),
            Value::Seq(items) => items.iter_mut().try_for_each(|item| match &item.value {
                Value::Scalar { .. } => self.set_name(item),
                Value::Map(_) => self.set_mapping(item),
                Value::Seq(_) => Ok(()),
            }),
        }
    }

    fn set_name(&self, node: &mut Node) -> Step<()> {
        let old = node.text().unwrap_or_default().to_owned();
        if let Some(found) = self.find(&old, &|_| true, node, false)?
            && found.now.name != old
        {
            node.value = Value::Scalar { text: found.now.name.clone(), quoted: true };
        }
        Ok(())
    }

    fn set_mapping(&self, node: &mut Node) -> Step<()> {
        let Some(name) = node.get("name").and_then(Node::text).map(str::to_owned) else {
            return Err(invalid(node.span, "a reference needs a `name`"));
        };
        let namespace = node.get("namespace").and_then(Node::text).map(str::to_owned);
        let at_first = |known: &Known| known.previous.first().unwrap_or(&known.now).namespace.clone();
        let by_first = namespace.as_ref().is_some_and(|wanted| self.candidates().any(|known| at_first(known) == *wanted));
        let fits = |known: &Known| match &namespace {
            None => true,
            Some(wanted) if *wanted == CLUSTER => false,
            Some(wanted) if by_first => at_first(known) == *wanted,
            Some(wanted) => known.now.namespace == *wanted,
        };
        let Some(found) = self.find(&name, &fits, node, true)? else { return Ok(()) };
        let span = node.span;
        if found.now.name != name {
            let span = get_mut(node, "name").map_or(span, |node| node.span);
            edit::set(node, "name", edit::text(found.now.name.clone(), span));
        }
        if !found.stated_namespace.is_empty() {
            edit::set(node, "namespace", edit::text(found.stated_namespace.clone(), span));
        }
        Ok(())
    }

    /// Who the referrer could mean at all.
    fn candidates(&self) -> impl Iterator<Item = &Known> {
        let own = &self.known[self.referrer].now.namespace;
        self.known.iter().filter(move |known| {
            let there = &known.now.namespace;
            own == CLUSTER || there == CLUSTER || there == own || self.binding.contains(&known.stated_namespace)
        })
    }

    fn find(&self, name: &str, fits: &dyn Fn(&Known) -> bool, node: &Node, with_namespace: bool) -> Step<Option<&Known>> {
        let (kind, version, group) = self.target;
        let selects = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        let own = &self.known[self.referrer];
        let mut left: Vec<&Known> = self
            .candidates()
            .filter(|known| fits(known))
            .filter(|known| known.previous.iter().any(|id| id.name == name))
            .filter(|known| {
                let is = |id: &Id| selects(kind, &id.kind) && selects(version, &id.version) && selects(group, &id.group);
                known.previous.iter().any(is)
            })
            .filter(|known| {
                let role = self.role.as_ref();
                role.is_none_or(|(group, kind)| known.previous.iter().any(|id| selects(group, &id.group) && selects(kind, &id.kind)))
            })
            .filter(|known| {
                let (here, there) = (&own.now.namespace, &known.now.namespace);
                here == CLUSTER || there == CLUSTER || known.now.kind == "ServiceAccount" || here == there
            })
            .collect();
        if left.len() == 1 {
            return Ok(left.pop());
        }
        let same = |loosely: bool, a: &[String], b: &[String]| (loosely && (a.is_empty() || b.is_empty())) || same_ending(a, b);
        let context =
            |loosely: bool, known: &Known| same(loosely, &known.prefixes, &own.prefixes) && same(loosely, &known.suffixes, &own.suffixes);
        left.retain(|known| context(true, known));
        if left.len() > 1 {
            left.retain(|known| context(false, known));
        }
        let Some(first) = left.first().copied() else { return Ok(None) };
        let alike =
            |known: &&Known| known.now.name == first.now.name && (!with_namespace || known.stated_namespace == first.stated_namespace);
        if left.iter().all(alike) {
            return Ok(Some(first));
        }
        let names: Vec<&str> = left.iter().map(|known| known.now.name.as_str()).collect();
        Err(invalid(node.span, format!("`{name}` could mean several objects: {}", names.join(", "))))
    }
}

/// Whether one list ends with the other; an empty one with an empty one alone.
fn same_ending(a: &[String], b: &[String]) -> bool {
    if a.is_empty() || b.is_empty() {
        return a.is_empty() && b.is_empty();
    }
    a.ends_with(b) || b.ends_with(a)
}

//! The two checks: of a whole object as JSON, and of a part of one as YAML with places.

use serde_json::Value;

use super::defaults::filled;
use super::explain::explained;
use super::table::table;
use super::view::{Seen, View};
use super::walk::{At, Fault, Mistake, Step, Walk};
use super::{Minor, PathSegment, Problem, Schemas};
use crate::diag::{Code, Diag, a, did_you_mean};
use crate::formats::{self, NOT_CARRIED, check_annotation, check_carried_key, check_label, check_subdomain};
use crate::source::Span;
use crate::yaml::{self, Node};

impl Schemas {
    /// Checks a whole object: its kind, its name, that it has a namespace exactly if its kind lives in one, and every field.
    pub fn check(&self, minor: Minor, object: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !object.is_object() {
            problems.push(problem(&[], "an object of Kubernetes is a mapping".to_owned(), None));
            return problems;
        }
        let mut header = |key: &str| match object.get(key) {
            Some(Value::String(text)) => Some(text.as_str()),
            Some(_) => {
                problems.push(problem(&[key], format!("`{key}` takes text"), None));
                None
            }
            None => {
                problems.push(problem(&[], format!("the object lacks `{key}`"), None));
                None
            }
        };
        let (api_version, kind) = (header("apiVersion"), header("kind"));
        let (Some(api_version), Some(kind)) = (api_version, kind) else { return problems };
        let Some(info) = self.kind(minor, api_version, kind) else {
            problems.push(self.unknown_kind(minor, api_version, kind));
            return problems;
        };
        problems.extend(self.check_part(minor, info.definition, object));
        identity(kind, info.namespaced, object, &mut problems);
        problems
    }

    /// Checks a part of an object as JSON against a definition; with a custom kind's defaults, which the API server fills in before it checks.
    pub fn check_part(&self, minor: Minor, definition: &str, part: &Value) -> Vec<Problem> {
        let mut problems = Vec::new();
        let filled = self.custom.get(definition).map(|custom| filled(&custom.schema, part.clone()));
        let part = filled.as_ref().unwrap_or(part);
        if let Some(schema) = self.schema(minor, definition) {
            let mut report = |at: &At<Value>, fault: Fault<Value>| {
                problems.push(Problem { path: path(at), message: fault.message, help: fault.help, at_key: fault.at_key });
            };
            Walk { minor, partial: false, report: &mut report }.value(schema, definition, &At::root(part));
        }
        problems
    }

    /// Checks what stands at a node against a definition, with findings at keys and values. `partial`: the node is merged into what we
    /// make ([`Self::merge`]), so that required fields may be missing (but not those that tell the entries of a list apart), and a
    /// written `null` removes.
    pub fn check_node(&self, minor: Minor, definition: &str, node: &Node, partial: bool) -> Vec<Diag> {
        let Some(schema) = self.schema(minor, definition) else {
            let message = format!("Kubernetes {minor} has no definition `{definition}`");
            return vec![Diag::new(Code::KubernetesField, node.span, message)];
        };
        let mut diags = Vec::new();
        let mut report = |at: &At<Node>, fault: Fault<Node>| diags.push(diag(definition, at, fault));
        Walk { minor, partial, report: &mut report }.value(schema, definition, &At::root(node));
        diags
    }

    fn unknown_kind(&self, minor: Minor, api_version: &str, kind: &str) -> Problem {
        let known = self.known_kinds(minor);
        let versions = || known.iter().map(|(version, _)| *version);
        if versions().any(|version| version == api_version) {
            let near = || did_you_mean(kind, known.iter().filter(|(version, _)| *version == api_version).map(|(_, kind)| *kind));
            let help = elsewhere(minor, api_version, kind).or_else(|| in_another_version(&known, kind)).or_else(near);
            return problem(&["kind"], format!("Kubernetes {minor} has no kind `{kind}` in `{api_version}`"), help);
        }
        let help = elsewhere(minor, api_version, kind)
            .or_else(|| in_another_version(&known, kind))
            .or_else(|| did_you_mean(api_version, versions()))
            .unwrap_or_else(|| "A custom kind needs a schema file in its blueprint's folder.".to_owned());
        problem(&["apiVersion"], format!("Kubernetes {minor} has no `{kind}` of `{api_version}`, nor does a blueprint"), Some(help))
    }
}

/// The kind exactly so, in other minors.
fn elsewhere(minor: Minor, api_version: &str, kind: &str) -> Option<String> {
    let found = table().kinds.iter().find(|found| (found.api_version, found.kind) == (api_version, kind))?;
    found.minors.seen_from(minor).map(|others| format!("Kubernetes has it {others}; this cluster runs {minor}."))
}

fn in_another_version(known: &[(&str, &str)], kind: &str) -> Option<String> {
    let versions: Vec<_> = known.iter().filter(|(_, other)| *other == kind).map(|(version, _)| format!("`{version}`")).collect();
    (!versions.is_empty()).then(|| format!("`{kind}` is in {}.", versions.join(" and ")))
}

/// Checks an object's name as the API server does: an RFC 1123 subdomain, a label where it becomes a name in DNS, and a part of a path for RBAC. Schemas say
/// nothing of it; sources are checked for it when their names are final.
pub fn check_name(object: &Value) -> Option<Problem> {
    let [version, kind, name] =
        [&object["apiVersion"], &object["kind"], &object["metadata"]["name"]].map(|value| value.as_str().unwrap_or_default());
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let checked = match (group, kind) {
        _ if name.is_empty() => Ok(()),
        ("rbac.authorization.k8s.io", _) if matches!(name, "." | "..") || name.contains(['/', '%']) => {
            Err(format!("`{name}` must not be `.` or `..`, or hold `/` or `%`"))
        }
        ("rbac.authorization.k8s.io", _) => Ok(()),
        ("", "Namespace" | "Service") => check_label(name),
        _ => check_subdomain(name),
    };
    let rule = checked.err()?;
    let help = "Join it of names of the view, which are checked: `name: {{ namespace.name ~ \"-quota\" }}`.".to_owned();
    Some(problem(&["metadata", "name"], format!("Kubernetes refuses the name: {rule}"), Some(help)))
}

/// Checks that an object outlives a build with kustomize.
pub fn check_carried(object: &Value) -> Option<Problem> {
    let annotations = object["metadata"]["annotations"].as_object();
    let broken = |(key, value): (&String, &Value)| Some((key.clone(), check_annotation(value.as_str()?).err()?));
    let (path, rule) = match annotations.into_iter().flatten().find_map(broken) {
        Some((key, rule)) => (["metadata", "annotations", &key].map(|key| PathSegment::Key(key.to_owned())).to_vec(), rule),
        None => not_carried(object)?,
    };
    Some(Problem { path, message: rule, help: Some(NOT_CARRIED.to_owned()), at_key: true })
}

/// The first text that kustomize does not carry, and why.
fn not_carried(value: &Value) -> Option<(Vec<PathSegment>, String)> {
    let below = |segment: PathSegment, value: &Value| {
        not_carried(value).map(|(mut path, rule)| {
            path.insert(0, segment);
            (path, rule)
        })
    };
    match value {
        Value::String(text) => Some((Vec::new(), formats::check_carried(text).err()?)),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| below(PathSegment::Index(index), item)),
        Value::Object(map) => map.iter().find_map(|(key, value)| {
            let segment = || PathSegment::Key(key.clone());
            let of_key = formats::check_carried(key).and_then(|()| check_carried_key(key)).err();
            of_key.map(|rule| (vec![segment()], rule)).or_else(|| below(segment(), value))
        }),
        _ => None,
    }
}

/// The name, and the namespace exactly where there is one.
fn identity(kind: &str, namespaced: bool, object: &Value, problems: &mut Vec<Problem>) {
    let Some(metadata) = object.get("metadata") else {
        problems.push(problem(&[], "the object lacks `metadata`".to_owned(), None));
        return;
    };
    let empty = |key: &str| metadata.get(key).is_none_or(|value| value == "");
    if metadata.is_object() && empty("name") {
        problems.push(problem(&["metadata"], "`metadata` lacks `name`".to_owned(), None));
    }
    if metadata.is_object() && namespaced && empty("namespace") {
        problems.push(problem(&["metadata"], format!("{} lives in a namespace, and `metadata` lacks it", a(kind)), None));
    }
    if !namespaced && metadata.get("namespace").is_some() {
        let help = Some("Remove `namespace`.".to_owned());
        problems.push(problem(&["metadata", "namespace"], format!("{} lives in no namespace", a(kind)), help));
    }
}

fn problem(path: &[&str], message: String, help: Option<String>) -> Problem {
    Problem { path: path.iter().map(|key| PathSegment::Key((*key).to_owned())).collect(), message, help, at_key: true }
}

/// The steps to a place.
pub(super) fn path<V>(at: &At<V>) -> Vec<PathSegment> {
    let mut path = at.parent.map_or_else(Vec::new, path);
    match at.step {
        Step::Root => {}
        Step::Key(key, _) => path.push(PathSegment::Key(key.to_owned())),
        Step::Index(index) => path.push(PathSegment::Index(index)),
    }
    path
}

fn diag(definition: &str, at: &At<Node>, fault: Fault<Node>) -> Diag {
    let code = match fault.mistake {
        Mistake::Field => Code::KubernetesField,
        Mistake::Ambiguous => Code::AmbiguousScalar,
        Mistake::Duplicate => Code::DuplicateEntry,
    };
    let span = if fault.at_key { key_span(at) } else { value_span(at) };
    let help = fault.help.unwrap_or_else(|| match fault.mistake {
        Mistake::Duplicate => "Keep one of them.".to_owned(),
        _ => {
            let name = definition.rsplit('.').next().unwrap_or_default();
            let spec = name.strip_suffix("Spec").map(|kind| format!("{kind}.spec"));
            explained(spec.as_deref().unwrap_or(name), &path(at))
        }
    });
    let diag = Diag::new(code, span, fault.message).help(help);
    match fault.first {
        Some(first) => diag.related(head(first), "first here"),
        None => diag,
    }
}

fn key_span(at: &At<Node>) -> Span {
    match at.step {
        Step::Key(_, Some(key)) => key.span,
        _ => head(at.value),
    }
}

/// A scalar's own place. A collection, or nothing, is better shown by its key: it may have many lines, or none.
fn value_span(at: &At<Node>) -> Span {
    match at.value.seen() {
        Seen::List | Seen::Map | Seen::Nothing => key_span(at),
        _ => at.value.span,
    }
}

/// The beginning of a node: of a block mapping its first entry's key, of a list its first item.
fn head(node: &Node) -> Span {
    match &node.value {
        yaml::Value::Map(entries) => entries.first().map_or(node.span, |(key, value)| match value.value {
            yaml::Value::Scalar { .. } if !value.is_null() => key.span.to(value.span),
            _ => key.span,
        }),
        yaml::Value::Seq(items) => items.first().map_or(node.span, head),
        yaml::Value::Scalar { .. } => node.span,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::testing::node;

    fn deployment() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "replicas": 3, "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{
                        "name": "main", "image": "registry.example/web", "ports": [{"name": "http", "containerPort": 8080}],
                        "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}, "limits": {"cpu": 1.5}},
                        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}},
                    }]},
                },
            },
        })
    }

    /// Each problem as its path, its message and its help.
    fn shown(object: &Value) -> Vec<String> {
        let show = |problem: Problem| {
            let keys = problem.path.iter().map(|segment| match segment {
                PathSegment::Key(key) => key.clone(),
                PathSegment::Index(index) => index.to_string(),
            });
            let help = problem.help.map(|help| format!(" {help}")).unwrap_or_default();
            format!("{}: {}.{help}", keys.collect::<Vec<_>>().join("."), problem.message)
        };
        Schemas::new().check(Minor::OLDEST, object).into_iter().map(show).collect()
    }

    /// What a change of the Deployment leads to.
    fn changed(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut object = deployment();
        change(&mut object);
        shown(&object)
    }

    #[test]
    fn a_good_deployment_is_good_in_every_minor() {
        for minor in Minor::ALL {
            assert_eq!(Schemas::new().check(minor, &deployment()), [], "{minor}");
        }
    }

    #[test]
    fn a_misspelt_field_names_the_one_that_is_meant() {
        let found = changed(|object| {
            let spec = object["spec"].as_object_mut().unwrap();
            let replicas = spec.remove("replicas").unwrap();
            spec.insert("replica".to_owned(), replicas);
        });
        assert_eq!(found, ["spec.replica: `spec` has no field `replica`. Did you mean `replicas`?"]);
    }

    #[test]
    fn wrong_types_say_what_is_taken_and_what_was_found() {
        let found = changed(|object| {
            object["spec"]["replicas"] = json!("3");
            object["spec"]["paused"] = json!("true");
            object["metadata"]["labels"] = json!({"version": 1, "on": true});
            object["spec"]["template"]["spec"]["containers"][0]["args"] = json!("--verbose");
            object["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "A", "value": 8080}]);
        });
        assert_eq!(
            found,
            [
                "metadata.labels.on: `on` takes text, not `true`. Quote it: \"true\".",
                "metadata.labels.version: `version` takes text, not the number 1. Quote it: \"1\".",
                "spec.paused: `paused` takes `true` or `false`, not the text \"true\". Write true without quotes.",
                "spec.replicas: `replicas` takes a whole number of 32 bits, not the text \"3\". Write 3 without quotes.",
                "spec.template.spec.containers.0.args: `args` takes a list, not the text \"--verbose\".",
                "spec.template.spec.containers.0.env.0.value: `value` takes text, not the number 8080. Quote it: \"8080\".",
            ]
        );
    }

    #[test]
    fn what_is_required_is_missed() {
        let found = changed(|object| {
            object["metadata"] = json!({});
            object["spec"].as_object_mut().unwrap().remove("selector");
            object["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("name");
        });
        assert_eq!(
            found,
            [
                "spec.template.spec.containers.0: `containers[0]` lacks `name`.",
                "spec: `spec` lacks `selector`.",
                "metadata: `metadata` lacks `name`.",
                "metadata: a Deployment lives in a namespace, and `metadata` lacks it.",
            ]
        );
        assert_eq!(shown(&json!({"kind": "Pod"})), [": the object lacks `apiVersion`."]);
        assert_eq!(shown(&json!([])), [": an object of Kubernetes is a mapping."]);
    }

    #[test]
    fn entries_of_one_key_are_found_with_defaults_counted() {
        let found = changed(|object| {
            let pod = &mut object["spec"]["template"]["spec"];
            let main = pod["containers"][0].clone();
            pod["containers"].as_array_mut().unwrap().push(main);
            pod["containers"][0]["ports"] =
                json!([{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}]);
        });
        assert_eq!(
            found,
            [
                "spec.template.spec.containers.0.ports.2: `ports` has two entries with `containerPort` and `protocol` `53` and `TCP`.",
                "spec.template.spec.containers.1: `containers` has two entries with `name` `main`.",
            ]
        );
    }

    #[test]
    fn values_out_of_range_or_of_another_syntax_are_found() {
        let found = changed(|object| {
            object["spec"]["replicas"] = json!(3_000_000_000_u32);
            object["spec"]["minReadySeconds"] = json!(1.0);
            object["spec"]["strategy"] = json!({"type": "Rolling", "rollingUpdate": {"maxSurge": 2.5}});
            let container = &mut object["spec"]["template"]["spec"]["containers"][0];
            container["resources"]["requests"]["memory"] = json!("64MB");
            container["imagePullPolicy"] = json!("ifNotPresent");
            container["securityContext"] = json!(null);
        });
        assert_eq!(
            found,
            [
                "spec.minReadySeconds: `minReadySeconds` takes a whole number of 32 bits, not the number 1.0.",
                "spec.replicas: 3000000000 is beyond the 32 bits of `replicas`. The least is -2147483648, the greatest 2147483647.",
                "spec.strategy.rollingUpdate.maxSurge: `maxSurge` takes a whole number or text, not the number 2.5. Quote it: \"2.5\".",
                "spec.strategy.type: `Rolling` is none of the values of `type`. Did you mean `RollingUpdate`?",
                "spec.template.spec.containers.0.imagePullPolicy: `ifNotPresent` is none of the values of `imagePullPolicy`. Did you mean `IfNotPresent`?",
                "spec.template.spec.containers.0.resources.requests.memory: `memory` takes a quantity, which `64MB` is not. \
                 A quantity is a number with an optional suffix: `250m`, `1.5`, `64Mi`, `2G`.",
                "spec.template.spec.containers.0.securityContext: `securityContext` has no value. \
                 The API server would drop it: write `{}` for an empty mapping, or leave the key out.",
            ]
        );
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}, "data": {"a": "plain"}});
        assert_eq!(shown(&secret), ["data.a: `a` takes base64, which this text is not. Encode it, or use a field that takes plain text."]);
    }

    #[test]
    fn an_unknown_kind_names_the_one_that_is_meant() {
        let with = |api_version: &str, kind: &str| shown(&json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}}));
        assert_eq!(
            with("apps/v1", "Deploymnt"),
            ["kind: Kubernetes 1.33 has no kind `Deploymnt` in `apps/v1`. Did you mean `Deployment`?"]
        );
        assert_eq!(
            with("extensions/v1beta1", "Ingress"),
            [
                "apiVersion: Kubernetes 1.33 has no `Ingress` of `extensions/v1beta1`, nor does a blueprint. `Ingress` is in `networking.k8s.io/v1`."
            ]
        );
        assert_eq!(
            with("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy"),
            ["kind: Kubernetes 1.33 has no kind `MutatingAdmissionPolicy` in `admissionregistration.k8s.io/v1`. \
              Kubernetes has it from 1.36 on; this cluster runs 1.33."]
        );
        assert_eq!(
            with("acme.example/v1", "Widget"),
            ["apiVersion: Kubernetes 1.33 has no `Widget` of `acme.example/v1`, nor does a blueprint. \
              A custom kind needs a schema file in its blueprint's folder."]
        );
    }

    #[test]
    fn a_kind_of_the_cluster_has_no_namespace() {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "namespace": "b"}});
        assert_eq!(shown(&namespace), ["metadata.namespace: a Namespace lives in no namespace. Remove `namespace`."]);
    }

    /// Each finding of a part of a pod as code, the text it points at, message and help.
    fn part(text: &str) -> Vec<String> {
        let (files, node) = node(text);
        let diags = Schemas::new().check_node(Minor::OLDEST, "io.k8s.api.core.v1.PodSpec", &node, true);
        let show = |diag: Diag| {
            let related =
                diag.related.iter().map(|label| format!(" ({} {})", files.slice(label.span), label.text)).collect::<Vec<_>>().concat();
            format!("{} [{}] {}.{related} {}", diag.code, files.slice(diag.primary.span), diag.message, diag.help.join(" "))
        };
        diags.into_iter().map(show).collect()
    }

    #[test]
    fn a_part_of_a_pod_is_checked_where_it_was_written() {
        assert_eq!(part("dnsPolicy: ClusterFirst\ncontainers:\n- name: main\n  lifecycle: {preStop: {sleep: {seconds: 5}}}\n"), [""; 0]);
        assert_eq!(
            part("dnsPolcy: None\ncontainers:\n- name: a\n- image: b\n- {name: a, env: [{name: X, value: 1.10}, {name: Z, value: no}]}\n"),
            [
                "kubernetes-field [dnsPolcy] the object has no field `dnsPolcy`. Did you mean `dnsPolicy`?",
                "ambiguous-scalar [1.10] `value` takes text, not the number 1.1. Quote it: \"1.10\".",
                "ambiguous-scalar [no] YAML readers disagree on `no`: some readers take it for a boolean. Quote it if text is meant: \"no\".",
                "kubernetes-field [image: b] `containers[1]` lacks `name`. Entries of `containers` are told apart by `name`.",
                "duplicate-entry [name: a] `containers` has two entries with `name` `a`. (name: a first here) Keep one of them.",
            ]
        );
    }

    #[test]
    fn quotes_are_respected() {
        assert_eq!(
            part("terminationGracePeriodSeconds: '30'\nnodeName: '30'\nhostNetwork: yes\nnodeSelector: {on: \"true\", 'off': 'x'}\n"),
            [
                "kubernetes-field ['30'] `terminationGracePeriodSeconds` takes a whole number of 64 bits, not the text \"30\". Write 30 without quotes.",
                "ambiguous-scalar [yes] YAML readers disagree on `yes`: some readers take it for a boolean. Write `true` or `false`.",
                "ambiguous-scalar [on] the key `on` is not plainly text: some readers take it for a boolean. Quote it: \"on\".",
            ]
        );
    }

    #[test]
    fn in_a_part_null_removes_but_nothing_is_a_mistake() {
        assert_eq!(part("securityContext: null\naffinity: ~\n"), [""; 0]);
        assert_eq!(
            part("volumes:\n- name: a\n  emptyDir:\n- null\n"),
            [
                "kubernetes-field [emptyDir] `emptyDir` has no value. Write `null` to remove what stands there, or a value.",
                "kubernetes-field [null] `volumes[1]` has no value. Remove the item, or give it a value.",
            ]
        );
    }

    #[test]
    fn a_field_of_a_later_minor_says_so() {
        let (_, node) = node("schedulingGroup: {podGroupName: x}\n");
        let check = |minor| Schemas::new().check_node(minor, "io.k8s.api.core.v1.PodSpec", &node, true);
        assert_eq!(check(Minor::NEWEST), []);
        assert_eq!(check(Minor::OLDEST)[0].help, ["Kubernetes has it from 1.36 on; this cluster runs 1.33."]);
    }
}

//! Keys that are written here in another form than in Kubernetes' own objects: what to write, for those who wrote the latter.

use crate::yaml::read::{Node, Value};

/// The shape of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    List,
    Map,
}

use Shape::{List, Map, Text};

/// The record, the key, the shape of Kubernetes' form (or of another that people write), the one that is expected, and what to write.
const FORMS: &[(&str, &str, Shape, &str, &str)] = &[
    ("a probe", "httpGet", Map, "a path", "Write the path alone, `httpGet: /healthz`; `port`, `scheme` and `httpHeaders` stand beside it."),
    ("a probe", "tcpSocket", Map, "a port", "Write the port alone: `tcpSocket: 8080`, or its name."),
    ("a probe", "grpc", Map, "a port", "Write the port alone, `grpc: 8080`; `service` stands beside it."),
    ("a probe", "exec", Map, "a list", "Write the command alone: `exec: [test, -f, /run/healthy]`."),
    ("a probe", "exec", Text, "a list", "Write the command as a list: `exec: [test, -f, /run/healthy]`."),
    ("a probe", "httpHeaders", List, "a mapping", "Write names and values: `httpHeaders: {Accept: text/plain}`."),
    (
        "`security`",
        "capabilities",
        Map,
        "a list",
        "Write those that are added as a list, `capabilities: [NET_BIND_SERVICE]`: all others are dropped anyway.",
    ),
    ("a workload", "expose", Text, "a mapping", "Write `expose: {type: LoadBalancer}`; `Ingress` and `Gateway` are types too."),
    ("a workload", "command", Text, "a list", "Write it as a list, as Kubernetes does: `command: [sh, -c, \"...\"]`."),
    ("a workload", "args", Text, "a list", "Write it as a list, as Kubernetes does: `args: [--port, \"8080\"]`."),
    (
        "a workload",
        "env",
        List,
        "a mapping",
        "Write names and values, `env: {NAME: value}`; a Secret's as `NAME: {secret: SECRET, key: KEY}`.",
    ),
    ("a workload", "envFrom", Map, "a list", "Write a list: `envFrom: [{configMap: NAME}]`."),
    ("a workload", "labels", List, "a mapping", "Write names and values: `labels: {NAME: value}`."),
    ("a workload", "annotations", List, "a mapping", "Write names and values: `annotations: {NAME: value}`."),
    (
        "a workload",
        "serviceAccount",
        Text,
        "a mapping",
        "Every workload has an account of its own, named like it: `serviceAccount: {annotations: {...}}`.",
    ),
    ("a workload", "ports", Map, "a list", "Write a list: `ports: [{name: http, port: 8080}]`."),
    ("`envFrom`", "configMap", Map, "a name", "Write the name alone: `{configMap: NAME}`."),
    ("`envFrom`", "secret", Map, "a name", "Write the name alone: `{secret: NAME}`."),
    ("a volume", "configMap", Map, "a name", "Write the name alone, `configMap: NAME`; `items` and `optional` stand beside it."),
    ("a volume", "secret", Map, "a name", "Write the name alone, `secret: NAME`; `items` and `optional` stand beside it."),
    ("a volume", "items", List, "a mapping", "Write keys and paths: `items: {KEY: path/of/file}`."),
    ("`claim`", "size", Map, "a quantity", "Write the quantity alone: `size: 10Gi`."),
];

/// The record, a key that Kubernetes' form of it has and ours has not, and what to write.
const KEYS: &[(&str, &str, &str)] = &[
    ("`scale`", "minReplicas", "Write `scale: {min: 2, max: 5, cpu: 70}`."),
    ("`scale`", "maxReplicas", "Write `scale: {min: 2, max: 5, cpu: 70}`."),
    ("`scale`", "metrics", "Write the share of the request that is aimed at, in percent: `scale: {min: 2, max: 5, cpu: 70}`."),
    ("a port", "containerPort", "Write `{name: http, port: 8080}`."),
    (
        "a port",
        "targetPort",
        "Write the pod's port as `port` and the Service's as `servicePort`: `{name: http, port: 8080, servicePort: 80}`.",
    ),
    (
        "a variable",
        "valueFrom",
        "Write what it holds directly: `NAME: {secret: SECRET, key: KEY}`, `{configMap: NAME, key: KEY}` or `{fieldRef: metadata.name}`.",
    ),
    ("a variable", "value", "Write the value alone: `NAME: value`."),
    ("a variable", "secretKeyRef", "Write `NAME: {secret: SECRET, key: KEY}`."),
    ("a variable", "configMapKeyRef", "Write `NAME: {configMap: CONFIGMAP, key: KEY}`."),
    ("`claim`", "resources", "Write the size directly: `claim: {size: 10Gi}`."),
    ("`claim`", "storageClassName", "Write `claim: {size: 10Gi, storageClass: CLASS}`; the tier's class holds where it is left out."),
    (
        "a volume",
        "hostPath",
        "Nothing of the node is mounted into a workload: a path of the node leads out of the tier. Agents of the platform run in a platform namespace.",
    ),
    ("a volume", "ephemeral", IN_POD),
    (
        "a volume",
        "nfs",
        "Mount it by a claim, as `persistentVolumeClaim` under `pod.volumes`: the Pod Security level `restricted` takes no volume that a pod finds by itself.",
    ),
    ("a volume", "csi", IN_POD),
    ("a volume", "projected", IN_POD),
    ("a volume", "downwardAPI", IN_POD),
    ("a volume", "image", IN_POD),
    (
        "a volume",
        "persistentVolumeClaim",
        "Write a claim of its own, `claim: {size: 10Gi}`; one that is there already is written under `pod.volumes`.",
    ),
    ("a workload", "metadata", OBJECT),
    ("a workload", "template", OBJECT),
];

/// In Kubernetes an empty class keeps a volume from being made for the claim.
const NO_CLASS: (&str, &str) = (
    "the name of a StorageClass",
    "Leave it out for the tier's class, or name one. A volume that is there already is mounted by its claim, as `persistentVolumeClaim` under `pod.volumes`.",
);
const HUGE_PAGES: (&str, &str) = (
    "`Memory`",
    "Huge pages are written under `pod.volumes`, as Kubernetes spells it, and mounted in `pod.containers` under `name: main`.",
);

const IN_POD: &str = "Write it under `pod.volumes`, as Kubernetes spells it, and mount it in `pod.containers` under `name: main`.";
const OBJECT: &str = "A workload is no object of Kubernetes: write `name`, `labels`, `image`, `env`, `ports` ... beside `kind`; or adopt manifests by `source: {kustomize: FOLDER}`.";

/// What to write in the place of a key of Kubernetes' own form.
pub(super) fn instead(what: &str, key: &str) -> Option<&'static str> {
    KEYS.iter().find(|(record, name, _)| (*record, *name) == (what, key)).map(|(.., help)| *help)
}

/// What is expected at a key that holds another form than ours, and what to write.
pub(super) fn expected(what: &str, key: &str, node: &Node) -> Option<(&'static str, &'static str)> {
    let shape = match &node.value {
        Value::Scalar { .. } if node.is_null() => return None,
        Value::Scalar { .. } => Text,
        Value::Seq(_) => List,
        Value::Map(_) => Map,
    };
    let text = node.text().unwrap_or_default();
    match (what, key) {
        ("`claim`", "storageClass") if shape == Text && text.is_empty() => return Some(NO_CLASS),
        ("`emptyDir`", "medium") if text.starts_with("HugePages") => return Some(HUGE_PAGES),
        _ => {}
    }
    let form = FORMS.iter().find(|(record, name, found, ..)| (*record, *name, *found) == (what, key, shape))?;
    Some((form.3, form.4))
}

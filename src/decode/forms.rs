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
    ("a claim", "size", Map, "a quantity", "Write the quantity alone: `size: 10Gi`."),
];

/// What is expected at a key that holds another form than ours, and what to write.
pub(super) fn expected(what: &str, key: &str, node: &Node) -> Option<(&'static str, &'static str)> {
    let shape = match &node.value {
        Value::Scalar { .. } if node.is_null() => return None,
        Value::Scalar { .. } => Text,
        Value::Seq(_) => List,
        Value::Map(_) => Map,
    };
    let form = FORMS.iter().find(|(record, name, found, ..)| (*record, *name, *found) == (what, key, shape))?;
    Some((form.3, form.4))
}

//! Keys that are written here in another form than in Kubernetes' own objects: what to write, for those who wrote the latter.

use std::net::IpAddr;

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
    ("a workload", "ports", Text, "a list", "Write a list: `ports: [{name: http, port: 8080}]`."),
    ("a workload", "connects", Map, "a list", "Write a list: `connects: [{to: TEAM/WORKLOAD, port: PORT}]`."),
    ("a workload", "connects", Text, "a list", "Write a list: `connects: [{to: TEAM/WORKLOAD, port: PORT}]`."),
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
pub(super) fn expected(what: &str, key: &str, node: &Node) -> Option<(&'static str, String)> {
    let shape = match &node.value {
        Value::Scalar { .. } if node.is_null() => return None,
        Value::Scalar { .. } => Text,
        Value::Seq(_) => List,
        Value::Map(_) => Map,
    };
    let text = node.text().unwrap_or_default();
    match (what, key) {
        ("`claim`", "storageClass") if shape == Text && text.is_empty() => return Some(said(NO_CLASS)),
        ("`emptyDir`", "medium") if text.starts_with("HugePages") => return Some(said(HUGE_PAGES)),
        _ => {}
    }
    let form = FORMS.iter().find(|(record, name, found, ..)| (*record, *name, *found) == (what, key, shape))?;
    Some(said((form.3, form.4)))
}

fn said((expected, help): (&'static str, &str)) -> (&'static str, String) {
    (expected, help.to_owned())
}

/// What to write in the place of one text or number where a record is expected, made of that text.
pub(super) fn in_full(what: &str, node: &Node) -> Option<String> {
    let text = node.text().filter(|text| !text.is_empty())?;
    Some(match what {
        "a flow" => flow(text),
        "a port" => port(text),
        "a scope" => scope(text),
        "`expose`" => expose(text),
        _ => return None,
    })
}

/// A flow, which says the port of what it goes to: a workload, an address, or a name outside the fleet.
fn flow(text: &str) -> String {
    let is_port = |port: &str| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
    let (target, port) = text.rsplit_once(':').filter(|(target, port)| !target.contains(':') && is_port(port)).unwrap_or((text, "PORT"));
    let shown = super::in_a_list(target);
    let outside = |key: &str, target: &str| {
        format!("Write `{{external: {{{key}: {target}}}, port: {port}, reason: WHY}}`: it leads out of the fleet.")
    };
    if let Ok(address) = target.parse::<IpAddr>() {
        let all = if address.is_ipv4() { 32 } else { 128 };
        return outside("cidr", &super::in_a_list(&format!("{address}/{all}")));
    }
    if target.split_once('/').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok()) {
        return outside("cidr", &shown);
    }
    if target.contains('.') && !target.contains('/') {
        return outside("dns", &shown);
    }
    let example = if port == "PORT" { ", with a port that the target declares under `ports`" } else { "" };
    format!("Write `{{to: {shown}, port: {port}}}`{example}.")
}

/// A port, which has a name too; `80:8080` is how Compose writes that of the Service and that of the pod.
fn port(text: &str) -> String {
    let numbers: Vec<Option<u16>> = text.split(':').map(|number| number.parse().ok()).collect();
    match numbers[..] {
        [Some(port)] => format!("Write `{{name: http, port: {port}}}`, with a name that says what is spoken there."),
        [Some(service), Some(port)] => {
            format!("Write `{{name: http, port: {port}, servicePort: {service}}}`, with a name that says what is spoken there.")
        }
        _ => "Write a name and a number: `{name: http, port: 8080}`.".to_owned(),
    }
}

/// The scope of an exemption, which says what it names.
fn scope(text: &str) -> String {
    let shown = super::in_a_list(text);
    if text.contains('/') {
        return format!("Write `{{workload: {shown}}}`.");
    }
    format!("Say what it is: `{{workload: TEAM/{shown}}}`, `{{namespace: {shown}}}`, `{{cluster: {shown}}}` or `{{tier: {shown}}}`.")
}

/// How traffic comes in, which is by an object of a type; where a host is written, by one that needs it.
fn expose(text: &str) -> String {
    let host = text.split_once("://").map_or(text, |(_, rest)| rest).split(['/', ':']).next().unwrap_or(text);
    if host.contains('.') && host.parse::<IpAddr>().is_err() {
        let shown = super::in_a_list(host);
        return format!("Write `expose: {{type: Ingress, host: {shown}}}`; the type `Gateway` takes a host, too.");
    }
    match text.to_ascii_lowercase().as_str() {
        "ingress" => "Write `expose: {type: Ingress, host: HOST}`.".to_owned(),
        "gateway" => "Write `expose: {type: Gateway, host: HOST, gateway: {name: NAME}}`.".to_owned(),
        _ => "Write `expose: {type: LoadBalancer}`; `Ingress` and `Gateway`, with a `host`, are types too.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{expose, flow, port, scope};

    #[test]
    fn a_flow_is_written_by_what_it_goes_to() {
        for (text, written) in [
            ("payments/vault", "`{to: payments/vault, port: PORT}`"),
            ("vault:8443", "`{to: vault, port: 8443}`"),
            ("api.stripe.com:443", "`{external: {dns: api.stripe.com}, port: 443, reason: WHY}`"),
            ("203.0.113.7", "`{external: {cidr: 203.0.113.7/32}, port: PORT, reason: WHY}`"),
            ("203.0.113.0/24", "`{external: {cidr: 203.0.113.0/24}, port: PORT, reason: WHY}`"),
            ("2001:db8::1", "`{external: {cidr: \"2001:db8::1/128\"}, port: PORT, reason: WHY}`"),
        ] {
            assert!(flow(text).contains(written), "{text}: {}", flow(text));
        }
    }

    #[test]
    fn a_port_a_scope_and_an_exposure_are_written_in_full() {
        assert!(port("8080").contains("`{name: http, port: 8080}`"));
        assert!(port("80:8080").contains("`{name: http, port: 8080, servicePort: 80}`"));
        assert!(port("http").contains("`{name: http, port: 8080}`"));
        assert!(scope("shop/front").contains("`{workload: shop/front}`"));
        assert!(scope("front").contains("`{workload: TEAM/front}`") && scope("front").contains("`{tier: front}`"));
        for host in ["shop.example.com", "https://shop.example.com/cart"] {
            assert!(expose(host).contains("`expose: {type: Ingress, host: shop.example.com}`"), "{host}");
        }
        assert!(expose("ingress").contains("type: Ingress, host: HOST"));
        assert!(expose("203.0.113.7").contains("type: LoadBalancer"));
    }
}

//! What brings traffic in from outside the cluster.

use super::Subject;
use super::probes::named_port;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::is_address;
use crate::inventory::gateway::PortRef;
use crate::inventory::pod::{Expose, ExposeType, Protocol};
use crate::source::Spanned;

pub(super) fn check(subject: &Subject<'_, '_>, findings: &mut Findings) {
    let settings = &subject.cascade.settings;
    let Some(expose) = &settings.expose else { return };
    let is_misspelt = subject.is_misspelt(|layer| &layer.expose);
    let Some(r#type) = expose.r#type else {
        if subject.workload.identity.kind.value.has_service() && !is_misspelt {
            findings.push(subject.incomplete(expose.span, "expose", "type"));
        }
        return;
    };
    let in_service: Vec<_> = settings.service_ports().cloned().collect();
    if in_service.is_empty() {
        let diag = Diag::new(Code::UnknownInWorkload, expose.span, "there is no Service port to expose");
        findings.push(diag.help("Declare one under `ports`."));
    }
    if let Some(port) = &expose.port {
        named_port(port, &in_service, findings);
        if let PortRef::Number(number) = &port.value
            && !in_service.iter().any(|port| port.service_port.as_ref().unwrap_or(&port.port).value == *number)
        {
            let known: Vec<String> =
                in_service.iter().map(|port| port.service_port.as_ref().unwrap_or(&port.port).value.to_string()).collect();
            let diag = Diag::new(Code::UnknownInWorkload, port.span, format!("the Service has no port {number}"));
            findings.push(diag.help(format!("It has: {}.", known.join(", "))));
        }
    }
    if let Some(port) = settings.exposed_port().filter(|_| r#type.value != ExposeType::LoadBalancer)
        && let Some(protocol) = port.protocol.as_ref().filter(|protocol| protocol.value != Protocol::Tcp)
    {
        let at = expose.port.as_ref().map_or(r#type.span, |stated| stated.span);
        let kind = r#type.value.as_str();
        let message = format!("`{kind}` brings in HTTP, and the port `{}` is {}", port.name.value, protocol.value.as_str());
        let diag = Diag::new(Code::InvalidPort, at, message).related(protocol.span, "its protocol");
        findings.push(diag.help("Name a TCP port; or write `type: LoadBalancer`, which opens a port of any protocol."));
    }
    if let Some(host) = expose.host.as_ref().filter(|host| is_address(host.as_str())) {
        let diag = Diag::new(Code::InvalidName, host.span, format!("`{}` is an address, not a name", host.value));
        findings.push(diag.help("Write the DNS name that clients ask for: it is how requests to one address are told apart."));
    }
    if let Some(path) = expose.path.as_ref().filter(|path| !path.starts_with('/')) {
        findings.push(super::no_path(path));
    }
    if let Some(path) = expose.path.as_ref().filter(|path| path.starts_with('/')) {
        findings.extend(refused_path(path, r#type.value));
    }
    let ingress = subject.cluster.ingress.as_ref();
    let cluster = &subject.cluster.name;
    if r#type.value != ExposeType::LoadBalancer && ingress.is_none() {
        let message = format!("`{}` has no `ingress`: it is not known which pods there bring traffic in", cluster.value);
        let diag = Diag::new(Code::MissingKey, expose.span, message).related(cluster.span, "the cluster");
        findings.push(diag.help("Write `ingress: {class: ..., namespace: ...}` at the cluster: they, and nobody else, are let in."));
    }
    match r#type.value {
        ExposeType::Ingress => {
            if let (Some(class), Some(ingress)) = (&expose.class, ingress)
                && class.value != ingress.class.value
            {
                let message = format!("`{}` is not the class that `{}` brings traffic in by", class.value, cluster.value);
                let diag = Diag::new(Code::UnknownReference, class.span, message).related(ingress.class.span, "the cluster's");
                findings
                    .push(diag.help("Leave `class` out: the network policy lets in the pods of the cluster's `ingress.namespace` alone."));
            }
            findings.extend(without_host(expose, "an Ingress").filter(|_| !is_misspelt));
        }
        ExposeType::Gateway => {
            if expose.gateway.is_none() && !is_misspelt {
                let diag = Diag::new(Code::MissingKey, expose.span, "`type: Gateway` needs a `gateway`");
                findings.push(diag.help("Write `gateway: {name: NAME}`: the Gateway of the cluster that the route belongs to."));
            }
            findings.extend(without_host(expose, "a route").filter(|_| !is_misspelt));
            let tls = "The Gateway's listener has the certificate: choose it by `gateway: {listener: NAME}`, and leave `tls` out.";
            let class =
                "The Gateway says who serves it: choose it by `gateway: {name: NAME, namespace: NAMESPACE}`, and leave `class` out.";
            refuse(expose, ExposeType::Gateway, &[("tls", tls), ("class", class)], findings);
        }
        ExposeType::LoadBalancer => {
            let elsewhere = "Use `type: Ingress` or `Gateway`.";
            let keys = ["host", "path", "class", "tls"].map(|key| (key, elsewhere));
            refuse(expose, ExposeType::LoadBalancer, &keys, findings);
            if expose.port.is_none() && in_service.len() > 1 && !is_misspelt {
                let names: Vec<&str> = in_service.iter().map(|port| port.name.as_str()).collect();
                let message = format!("a load balancer opens what its Service has, and this one has {} ports", names.len());
                let diag = Diag::new(Code::MissingKey, expose.span, message);
                findings.push(diag.help(format!(
                    "Write `port` with the one that is opened, of: {}. The others are then reached at the pods alone, as with `service: false`.",
                    names.join(", ")
                )));
            }
        }
    }
    if r#type.value != ExposeType::Gateway
        && let Some(gateway) = &expose.gateway
    {
        let diag = Diag::new(Code::KeyNotForKind, gateway.span, "`gateway` goes with `type: Gateway`");
        findings.push(diag.help("Remove it, or write `type: Gateway`."));
    }
}

/// The finding that a path has what the API server refuses in one: `k8s.io/kubernetes/pkg/apis/networking/validation`, `validateHTTPIngressPath`; the rules
/// of an HTTPRoute's `PathPrefix` are those and more.
fn refused_path(path: &Spanned<String>, r#type: ExposeType) -> Option<Diag> {
    let within = ["//", "/./", "/../", "%2f", "%2F"].into_iter().find(|part| path.contains(part));
    let at_end = || ["/..", "/."].into_iter().find(|end| path.ends_with(end));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-/._~!$&'()*+,;=:@%".contains(c);
    let other =
        || path.char_indices().find(|(_, c)| r#type == ExposeType::Gateway && !is_plain(*c)).map(|(at, c)| &path[at..at + c.len_utf8()]);
    let part = within.or_else(at_end).or_else(other)?;
    let diag = Diag::new(Code::InvalidValue, path.span, format!("`{}` is refused as a path: it has `{part}`", path.value));
    Some(diag.help(
        "Write the path as clients ask for it once it is cleaned up, such as `/shop/carts`: single slashes, no `.` or `..` between them.",
    ))
}

/// The finding that something which shares its address with others says for no host that it is.
fn without_host(expose: &Spanned<Expose>, what: &str) -> Option<Diag> {
    let diag = || Diag::new(Code::MissingKey, expose.span, format!("{what} needs a `host`"));
    expose.host.is_none().then(|| diag().help("Without one it would take the traffic of every host."))
}

/// Reports keys that the object of a type does not have, each with the way out.
fn refuse(expose: &Expose, r#type: ExposeType, keys: &[(&str, &str)], findings: &mut Findings) {
    let stated = |key: &str| match key {
        "host" => expose.host.as_ref().map(|host| host.span),
        "path" => expose.path.as_ref().map(|path| path.span),
        "class" => expose.class.as_ref().map(|class| class.span),
        _ => expose.tls.as_ref().map(|tls| tls.span),
    };
    let article = if r#type == ExposeType::Gateway { "a route of a Gateway" } else { "a LoadBalancer" };
    for (key, help) in keys {
        if let Some(span) = stated(key) {
            findings.push(Diag::new(Code::KeyNotForKind, span, format!("{article} has no `{key}`")).help(*help));
        }
    }
}

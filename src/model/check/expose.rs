//! What brings traffic in from outside the cluster.

use super::Subject;
use super::probes::named_port;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::gateway::PortRef;
use crate::inventory::pod::ExposeType;

pub(super) fn check(subject: &Subject<'_, '_>, findings: &mut Findings) {
    let settings = &subject.cascade.settings;
    let Some(expose) = &settings.expose else { return };
    let in_service: Vec<_> =
        settings.ports.iter().flatten().filter(|port| port.service.is_none_or(|service| service.value)).cloned().collect();
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
    if let Some(path) = expose.path.as_ref().filter(|path| !path.starts_with('/')) {
        findings.push(super::no_path(path));
    }
    let ingress = subject.cluster.ingress.as_ref();
    let cluster = &subject.cluster.name;
    if expose.r#type.value != ExposeType::LoadBalancer && ingress.is_none() {
        let message = format!("`{}` has no `ingress`: it is not known which pods there bring traffic in", cluster.value);
        let diag = Diag::new(Code::MissingKey, expose.span, message).related(cluster.span, "the cluster");
        findings.push(diag.help("Write `ingress: {class: ..., namespace: ...}` at the cluster: they, and nobody else, are let in."));
    }
    match expose.r#type.value {
        ExposeType::Ingress => {
            if let (Some(class), Some(ingress)) = (&expose.class, ingress)
                && class.value != ingress.class.value
            {
                let message = format!("`{}` is not the class that `{}` brings traffic in by", class.value, cluster.value);
                let diag = Diag::new(Code::UnknownReference, class.span, message).related(ingress.class.span, "the cluster's");
                findings
                    .push(diag.help("Leave `class` out: the network policy lets in the pods of the cluster's `ingress.namespace` alone."));
            }
            if expose.host.is_none() {
                let diag = Diag::new(Code::MissingKey, expose.span, "an Ingress needs a `host`");
                findings.push(diag.help("Without one it would take the traffic of every host."));
            }
        }
        ExposeType::Gateway => {
            if expose.gateway.is_none() {
                let diag = Diag::new(Code::MissingKey, expose.span, "`type: Gateway` needs a `gateway`");
                findings.push(diag.help("Write `gateway: {name: NAME}`: the Gateway of the cluster that the route belongs to."));
            }
        }
        ExposeType::LoadBalancer => {
            for (key, span) in [
                ("host", expose.host.as_ref().map(|host| host.span)),
                ("path", expose.path.as_ref().map(|path| path.span)),
                ("class", expose.class.as_ref().map(|class| class.span)),
                ("tls", expose.tls.as_ref().map(|tls| tls.span)),
            ] {
                if let Some(span) = span {
                    findings.push(
                        Diag::new(Code::KeyNotForKind, span, format!("a LoadBalancer has no `{key}`"))
                            .help("Use `type: Ingress` or `Gateway`."),
                    );
                }
            }
        }
    }
    if expose.r#type.value != ExposeType::Gateway
        && let Some(gateway) = &expose.gateway
    {
        let diag = Diag::new(Code::KeyNotForKind, gateway.span, "`gateway` goes with `type: Gateway`");
        findings.push(diag.help("Remove it, or write `type: Gateway`."));
    }
}

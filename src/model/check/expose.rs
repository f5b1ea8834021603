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
        findings.push(Diag::new(Code::InvalidValue, path.span, format!("`{}` is no path: it begins with `/`", path.value)));
    }
    let ingress = subject.cluster.ingress.as_ref();
    let cluster = &subject.cluster.name;
    let lacks = |key: &str, what: &str| {
        let diag = Diag::new(
            Code::MissingKey,
            expose.span,
            format!("`expose` needs `{key}`: `{}` has no `ingress` that says {what}", cluster.value),
        );
        diag.related(cluster.span, "the cluster").help(format!("Write `{key}` here, or `ingress` at the cluster."))
    };
    match expose.r#type.value {
        ExposeType::Ingress => {
            if expose.class.is_none() && ingress.is_none() {
                findings.push(lacks("class", "which class"));
            }
            if expose.host.is_none() {
                let diag = Diag::new(Code::MissingKey, expose.span, "an Ingress needs a `host`");
                findings.push(diag.help("Without one it would take the traffic of every host."));
            }
        }
        ExposeType::Gateway => match &expose.gateway {
            None => findings.push(Diag::new(Code::MissingKey, expose.span, "`type: Gateway` needs `gateway: {name: NAME}`")),
            Some(gateway) if gateway.namespace.is_none() && ingress.is_none() => {
                findings.push(lacks("gateway.namespace", "which namespace"));
            }
            Some(_) => {}
        },
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
        findings.push(Diag::new(Code::KeyNotForKind, gateway.span, "`gateway` goes with `type: Gateway`"));
    }
}

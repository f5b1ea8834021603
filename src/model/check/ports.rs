//! Ports: numbers, and that no two are the same.

use std::collections::BTreeMap;

use super::Subject;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::{LabelKey, check_service_name};
use crate::inventory::pod::{Port, Protocol};
use crate::source::{Span, Spanned};

pub(super) fn check(subject: &Subject<'_, '_>, findings: &mut Findings) {
    let mut seen: BTreeMap<(&str, String), Span> = BTreeMap::new();
    for port in subject.cascade.settings.ports.iter().flatten() {
        let protocol = port.protocol.map_or("TCP", |protocol| protocol.as_str());
        let at_service = port.service_port.as_ref().unwrap_or(&port.port);
        for number in [Some(&port.port), port.service_port.as_ref()].into_iter().flatten().filter(|number| number.value == 0) {
            findings.push(super::no_port(number.span));
        }
        let in_service = port.service.is_none_or(|service| service.value);
        let mut keys = vec![
            ("name", port.name.value.to_string(), port.name.span),
            ("port", format!("{}/{protocol}", port.port.value), port.port.span),
        ];
        if in_service {
            keys.push(("Service port", format!("{}/{protocol}", at_service.value), at_service.span));
        } else if let Some(number) = &port.service_port {
            let diag = Diag::new(Code::SetTwice, number.span, format!("the port `{}` is not in the Service", port.name.value));
            findings.push(diag.help("Remove `servicePort`, or `service: false`."));
        }
        if let Some(spoken) = &port.app_protocol {
            if LabelKey::new(spoken).is_err() {
                let diag = Diag::new(Code::InvalidValue, spoken.span, format!("`{}` is no application's protocol", spoken.value));
                findings
                    .push(diag.help("Write one of IANA's names, such as `http`, or a name below a domain, such as `kubernetes.io/h2c`."));
            } else if !in_service {
                let diag = Diag::new(
                    Code::KeyNotForKind,
                    spoken.span,
                    format!("the port `{}` is not in the Service, which alone says what is spoken", port.name.value),
                );
                findings.push(diag.help("Remove `appProtocol`, or `service: false`."));
            }
        }
        for (what, key, span) in keys {
            if let Some(first) = seen.insert((what, key.clone()), span) {
                let diag = Diag::new(Code::DuplicateEntry, span, format!("two ports have the {what} `{key}`"));
                let help = match what {
                    "Service port" => "Give one of them another `servicePort`, or keep it out of the Service with `service: false`.",
                    _ => "Change one of them, or remove it.",
                };
                findings.push(diag.related(first, "the first one").help(help));
            }
        }
        if let Some(path) = &port.scrape {
            check_scrape(port, path, findings);
        }
    }
    let name = &subject.workload.identity.name;
    if subject.cascade.settings.ports.iter().flatten().next().is_some()
        && let Err(rule) = check_service_name(name.as_str())
    {
        findings.push(Diag::new(Code::InvalidName, name.span, rule).help("Begin the name with a letter."));
    }
}

/// Prometheus reads metrics by HTTP, and encodes what a path may not hold: a query would become a part of it.
fn check_scrape(port: &Port, path: &Spanned<String>, findings: &mut Findings) {
    let odd = path.chars().find(|c| matches!(c, '?' | '#') || c.is_whitespace() || c.is_control());
    if !path.starts_with('/') {
        findings.push(super::no_path(path));
    } else if let Some(odd) = odd {
        let what = match odd {
            '?' => "a query",
            '#' => "a fragment",
            _ => "a blank",
        };
        let diag = Diag::new(Code::InvalidValue, path.span, format!("`{}` is more than a path: there is {what} in it", path.value));
        findings.push(diag.help("Write the path alone, such as `/metrics`."));
    }
    if let Some(protocol) = port.protocol.as_ref().filter(|protocol| protocol.value != Protocol::Tcp) {
        let message = format!("Prometheus reads metrics by HTTP, and the port `{}` is {}", port.name.value, protocol.value.as_str());
        let diag = Diag::new(Code::InvalidValue, path.span, message).related(protocol.span, "its protocol");
        findings.push(diag.help("State `scrape` at the TCP port that answers with metrics."));
    }
}

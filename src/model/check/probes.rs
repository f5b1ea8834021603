//! Probes: one way each, ports that are there, thresholds that Kubernetes takes.

use super::Subject;
use crate::decode::Findings;
use crate::diag::{Code, Diag, did_you_mean};
use crate::inventory::gateway::PortRef;
use crate::inventory::pod::{Port, Probe};
use crate::source::Spanned;

pub(super) fn check(subject: &Subject<'_, '_>, findings: &mut Findings) {
    let settings = &subject.cascade.settings;
    let Some(probes) = &settings.probes else { return };
    for (name, probe) in [("startup", &probes.startup), ("readiness", &probes.readiness), ("liveness", &probes.liveness)] {
        let Some(probe) = probe else { continue };
        check_probe(subject, name, probe, findings);
    }
}

fn check_probe(subject: &Subject<'_, '_>, name: &str, probe: &Spanned<Probe>, findings: &mut Findings) {
    let ports = subject.cascade.settings.ports.as_deref().unwrap_or_default();
    let ways = [probe.http_get.is_some(), probe.tcp_socket.is_some(), probe.grpc.is_some(), probe.exec.is_some()];
    let stated = ways.iter().filter(|stated| **stated).count();
    if stated == 0 && subject.inventory.misspelt.has(probe.span) {
        return;
    }
    if stated != 1 {
        let diag = Diag::new(Code::InvalidValue, probe.span, "a probe takes exactly one of `httpGet`, `tcpSocket`, `grpc` and `exec`");
        findings.push(diag.help("An example: `{httpGet: /healthz, port: http}`."));
        return;
    }
    for port in [&probe.port, &probe.tcp_socket, &probe.grpc].into_iter().flatten() {
        named_port(port, ports, findings);
    }
    if probe.http_get.is_some() && probe.port.is_none() && ports.is_empty() && !subject.inventory.misspelt.has(probe.span) {
        let diag = Diag::new(Code::UnknownInWorkload, probe.span, "the probe has no port, and the workload declares none");
        findings.push(diag.help("Write `port: NUMBER` in the probe, or declare `ports`."));
    }
    if let Some(path) = probe.http_get.as_ref().filter(|path| !path.starts_with('/')) {
        findings.push(super::no_path(path));
    }
    if let Some(command) = probe.exec.as_ref().filter(|command| command.is_empty()) {
        let diag = Diag::new(Code::InvalidValue, command.span, "the probe runs nothing");
        findings.push(diag.help("Write the program and its arguments, such as `[/bin/healthy, --quick]`."));
    }
    let headers = probe.http_headers.iter().next().map(|(name, _)| name.span);
    for (key, span, fits, way) in [
        ("port", probe.port.as_ref().map(|port| port.span), probe.http_get.is_some(), "httpGet"),
        ("scheme", probe.scheme.map(|scheme| scheme.span), probe.http_get.is_some(), "httpGet"),
        ("httpHeaders", headers, probe.http_get.is_some(), "httpGet"),
        ("service", probe.service.as_ref().map(|service| service.span), probe.grpc.is_some(), "grpc"),
    ] {
        if let Some(span) = span.filter(|_| !fits) {
            let diag = Diag::new(Code::KeyNotForKind, span, format!("`{key}` goes with `{way}` alone"));
            findings.push(diag.help("Remove it: `tcpSocket` and `grpc` name their port themselves, and `exec` has none."));
        }
    }
    if let Some(threshold) = probe.success_threshold.filter(|threshold| name != "readiness" && threshold.value != 1) {
        let message = format!("a {name} probe succeeds at the first success: Kubernetes takes only 1");
        let diag = Diag::new(Code::InvalidValue, threshold.span, message);
        findings.push(diag.help("Remove `successThreshold`: it is for the readiness probe."));
    }
    for timing in [probe.period_seconds, probe.timeout_seconds, probe.success_threshold, probe.failure_threshold].into_iter().flatten() {
        if timing.value == 0 {
            let diag = Diag::new(Code::InvalidValue, timing.span, "Kubernetes asks for at least 1 here");
            findings.push(diag.help("Write 1 or more, or remove the key where Kubernetes' default is meant."));
        }
    }
}

/// Reports a port name that the workload does not declare.
pub(super) fn named_port(port: &Spanned<PortRef>, ports: &[Spanned<Port>], findings: &mut Findings) {
    let PortRef::Name(name) = &port.value else { return };
    if !ports.iter().any(|declared| declared.name.as_str() == name) {
        let known: Vec<&str> = ports.iter().map(|declared| declared.name.as_str()).collect();
        let all = if known.is_empty() { "It declares none.".to_owned() } else { format!("It declares: {}.", known.join(", ")) };
        let diag = Diag::new(Code::UnknownInWorkload, port.span, format!("the workload has no port `{name}`"));
        findings.push(diag.help(did_you_mean(name, known.iter().copied()).unwrap_or(all)));
    }
}

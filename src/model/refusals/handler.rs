//! Probes and hooks: one way each, ports that there are.

use serde_json::Value;

use super::{Report, items, text};
use crate::diag::{Code, did_you_mean};
use crate::formats::PortName;

/// Checks the three probes of a container.
pub(super) fn probes(container: &Value, report: &mut Report) {
    for name in ["startupProbe", "readinessProbe", "livenessProbe"] {
        report.key(container, name, |probe, report| {
            report.exactly_one(probe, &["exec", "httpGet", "tcpSocket", "grpc"], "the probe");
            action(probe, container, report);
            report.key(probe, "grpc", |grpc, report| report.range(grpc, "port", 1, 65535));
            report.natural(probe, &["initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold"]);
            report.range(probe, "terminationGracePeriodSeconds", 1, i64::MAX);
            if name == "readinessProbe" && !probe["terminationGracePeriodSeconds"].is_null() {
                let message = "a readiness probe ends nothing, and has no `terminationGracePeriodSeconds`";
                report.refuse_key(
                    "terminationGracePeriodSeconds",
                    Code::KubernetesRefuses,
                    message,
                    "Remove it, or write it at the liveness probe.",
                );
            }
            if name != "readinessProbe" && probe["successThreshold"].as_i64().is_some_and(|threshold| threshold > 1) {
                let message = "a startup or liveness probe succeeds at the first success";
                report.refuse_key("successThreshold", Code::KubernetesRefuses, message, "Write 1, or leave it out.");
            }
        });
    }
}

/// Checks what a container does when it starts and before it ends.
pub(super) fn hooks(container: &Value, grace: i64, report: &mut Report) {
    report.key(container, "lifecycle", |lifecycle, report| {
        for hook in ["postStart", "preStop"] {
            report.key(lifecycle, hook, |handler, report| {
                report.exactly_one(handler, &["exec", "httpGet", "tcpSocket", "sleep"], &format!("`{hook}`"));
                action(handler, container, report);
                report.key(handler, "sleep", |sleep, report| report.range(sleep, "seconds", 0, grace));
            });
        }
    });
}

/// Checks what a probe and a hook have in common.
fn action(handler: &Value, container: &Value, report: &mut Report) {
    report.key(handler, "exec", |exec, report| {
        if items(exec, "command").next().is_none() {
            report.refuse(Code::KubernetesRefuses, "`exec` without a `command`", "Write the program and its arguments as a list.");
        }
    });
    for way in ["httpGet", "tcpSocket"] {
        report.key(handler, way, |target, report| port(target, container, report));
    }
    report.key(handler, "httpGet", |get, report| {
        report.each(get, "httpHeaders", |header, report| {
            let name = text(header, "name");
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                let message = format!("`{name}` is no name of an HTTP header");
                report.refuse_key("name", Code::KubernetesRefuses, message, "Letters, digits and `-`.");
            }
        });
    });
}

/// A number, or the name of one of the container's ports.
fn port(target: &Value, container: &Value, report: &mut Report) {
    match &target["port"] {
        Value::Number(_) => report.range(target, "port", 1, 65535),
        Value::String(name) => {
            let known: Vec<&str> = items(container, "ports").filter_map(|port| port["name"].as_str()).collect();
            if known.contains(&name.as_str()) {
                return;
            }
            if let Err(rule) = PortName::new(name) {
                report.refuse_key("port", Code::InvalidPort, rule, "Write a number, or the name of one of the container's ports.");
                return;
            }
            let all =
                if known.is_empty() { "It names none: write a number.".to_owned() } else { format!("It names: {}.", known.join(", ")) };
            let help = did_you_mean(name, known.iter().copied()).unwrap_or(all);
            let message = format!("the container `{}` has no port `{name}`", text(container, "name"));
            report.refuse_key("port", Code::UnknownInWorkload, message, help);
        }
        _ => {}
    }
}

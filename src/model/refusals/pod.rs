//! The pod as a whole.

use std::net::IpAddr;

use serde_json::Value;

use super::container::{self, Role};
use super::{Report, affinity, items, text, volume};
use crate::diag::Code;
use crate::formats::{check_label, check_subdomain};
use crate::inventory::workload::WorkloadKind;

/// The greatest number of a user or group.
const MAX_ID: i64 = i32::MAX as i64;

pub(super) fn check(pod: &Value, kind: WorkloadKind, claims: &[&str], report: &mut Report) {
    let mut names = Vec::new();
    // What the short form makes is among the containers: a second one of its name is shown where it stands.
    for list in ["containers", "initContainers"] {
        report.each(pod, list, |container, report| {
            let role = match (list, container["restartPolicy"].as_str()) {
                ("initContainers", Some("Always")) => Role::Sidecar,
                ("initContainers", _) => Role::Init,
                _ => Role::Main,
            };
            container::check(container, role, pod, claims, report);
            let name = text(container, "name").to_owned();
            if names.contains(&name) {
                let message = format!("two containers of the pod are named `{name}`");
                report.refuse_key(
                    "name",
                    Code::DuplicateEntry,
                    message,
                    "Give one of them another name; init containers and the others share their names.",
                );
            }
            names.push(name);
            root(container, pod, report);
        });
    }
    volume::check(pod, claims, report);
    affinity::check(pod, report);
    lifetime(pod, kind, report);
    names_and_hosts(pod, report);
    report.key(pod, "os", |os, report| {
        if os["name"] != "linux" {
            let message = format!(
                "`{}` has none of what keeps a pod in: users, seccomp, capabilities, a read-only root are Linux's",
                text(os, "name")
            );
            report.refuse_key("name", Code::KubernetesRefuses, message, "Write `linux`, or leave `os` out: pods of tiers run on Linux.");
        }
    });
    identity(pod, report);
}

/// A container that must not be root and says that it is: the kubelet would never start it.
fn root(container: &Value, pod: &Value, report: &mut Report) {
    let stated = |field: &str| match &container["securityContext"][field] {
        Value::Null => &pod["securityContext"][field],
        own => own,
    };
    if *stated("runAsUser") == 0 && *stated("runAsNonRoot") == true {
        let message = format!(
            "the container `{}` is root (`runAsUser: 0`) and must not be (`runAsNonRoot: true`): it would never start",
            text(container, "name")
        );
        report.key(container, "securityContext", |_, report| {
            report.refuse_key(
                "runAsUser",
                Code::KubernetesRefuses,
                message,
                "Write another user; or, where the tier allows root, `runAsNonRoot: false` beside it.",
            );
        });
    }
}

fn lifetime(pod: &Value, kind: WorkloadKind, report: &mut Report) {
    let ends = matches!(kind, WorkloadKind::Job | WorkloadKind::CronJob);
    if ends {
        report.range(pod, "activeDeadlineSeconds", 1, i64::from(i32::MAX));
        if pod["restartPolicy"] == "Always" {
            let message = "what runs to its end is not started for ever";
            report.refuse_key("restartPolicy", Code::KubernetesRefuses, message, "Write `OnFailure` or `Never`.");
        }
    } else if !pod["activeDeadlineSeconds"].is_null() {
        let message = format!("the pods of a {} have no end, and no `activeDeadlineSeconds`", kind.as_str());
        report.refuse_key("activeDeadlineSeconds", Code::KubernetesRefuses, message, "Remove it; a Job has one.");
    }
}

fn names_and_hosts(pod: &Value, report: &mut Report) {
    for key in ["hostname", "subdomain"] {
        report.name(pod, key, check_label);
    }
    report.each(pod, "imagePullSecrets", |secret, report| {
        if let Err(rule) = check_subdomain(text(secret, "name")) {
            report.refuse_key("name", Code::InvalidName, rule, "Write the name of a Secret that there can be.");
        }
    });
    report.each(pod, "hostAliases", |alias, report| {
        if text(alias, "ip").parse::<IpAddr>().is_err() {
            report.refuse_key(
                "ip",
                Code::KubernetesRefuses,
                format!("`{}` is no address", text(alias, "ip")),
                "Write an IPv4 or IPv6 address.",
            );
        }
        for name in items(alias, "hostnames").filter_map(Value::as_str) {
            if let Err(rule) = check_subdomain(name) {
                report.refuse_key("hostnames", Code::InvalidName, rule, "Write host names in lower case.");
            }
        }
    });
    let servers: Vec<&str> = items(&pod["dnsConfig"], "nameservers").filter_map(Value::as_str).collect();
    if pod["dnsPolicy"] == "None" && servers.is_empty() {
        let message = "`dnsPolicy: None` without `dnsConfig.nameservers`";
        report.refuse_key("dnsPolicy", Code::KubernetesRefuses, message, "Name one to three servers, or leave the policy out.");
    }
    report.key(pod, "dnsConfig", |config, report| {
        if servers.len() > 3 || servers.iter().any(|server| server.parse::<IpAddr>().is_err()) {
            report.refuse_key(
                "nameservers",
                Code::KubernetesRefuses,
                "name servers are at most three addresses",
                "Write IPv4 or IPv6 addresses.",
            );
        }
        if items(config, "searches").count() > 32 {
            report.refuse_key("searches", Code::KubernetesRefuses, "more than 32 search domains", "Leave the ones that are needed.");
        }
    });
}

fn identity(pod: &Value, report: &mut Report) {
    let ids = |context: &Value, report: &mut Report| {
        for key in ["runAsUser", "runAsGroup", "fsGroup"] {
            report.range(context, key, 0, MAX_ID);
        }
        report.key(context, "seccompProfile", |profile, report| {
            let local = profile["type"] == "Localhost";
            if local == text(profile, "localhostProfile").is_empty() {
                let message = "`localhostProfile` goes with `type: Localhost`, and only with that";
                report.refuse(Code::KubernetesRefuses, message, "Write both, or neither.");
            }
        });
    };
    report.key(pod, "securityContext", |context, report| {
        ids(context, report);
        if items(context, "supplementalGroups").any(|group| group.as_i64().is_none_or(|group| !(0..=MAX_ID).contains(&group))) {
            report.refuse_key(
                "supplementalGroups",
                Code::KubernetesRefuses,
                "a group that there cannot be",
                format!("Kubernetes takes 0 to {MAX_ID}."),
            );
        }
    });
    for list in ["initContainers", "containers"] {
        report.each(pod, list, |container, report| {
            report.key(container, "securityContext", |context, report| {
                ids(context, report);
                if context["allowPrivilegeEscalation"] == false && context["privileged"] == true {
                    let message = "a privileged container may gain privileges";
                    report.refuse_key("allowPrivilegeEscalation", Code::KubernetesRefuses, message, "Remove one of them.");
                }
            });
        });
    }
}

//! Containers: names, ports, variables, mounts, resources.

use serde_json::Value;

use super::{Report, handler, items, place, text};
use crate::diag::{Code, did_you_mean};
use crate::formats::{PortName, Quantity, SecretKey, check_label, check_subdomain};
use crate::model::check::{is_resource_field, is_variable_field, resource_fields, variable_fields};

/// Which list a container is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Main,
    /// Runs to its end before the others begin.
    Init,
    /// Begins before the others and goes on beside them: `restartPolicy: Always` among the `initContainers`.
    Sidecar,
}

pub(super) fn check(container: &Value, role: Role, pod: &Value, claims: &[&str], report: &mut Report) {
    report.name(container, "name", check_label);
    let image = text(container, "image");
    if image != image.trim() {
        report.refuse_key("image", Code::InvalidImage, "the image begins or ends with a blank", "Remove the blank.");
    }
    ports(container, report);
    variables(container, report);
    mounts(container, pod, claims, report);
    resources(container, report);
    handler::probes(container, report);
    handler::hooks(container, pod["terminationGracePeriodSeconds"].as_i64().unwrap_or(30), report);
    if role == Role::Init {
        for key in ["startupProbe", "readinessProbe", "livenessProbe", "lifecycle"] {
            if !container[key].is_null() {
                let message = format!("an init container runs to its end, and has no `{key}`");
                report.refuse_key(
                    key,
                    Code::KubernetesRefuses,
                    message,
                    "Remove it; or write `restartPolicy: Always` for a sidecar, which goes on.",
                );
            }
        }
    }
}

fn ports(container: &Value, report: &mut Report) {
    report.each(container, "ports", |port, report| {
        if let Some(Err(rule)) = port["name"].as_str().map(PortName::new) {
            report.refuse_key("name", Code::InvalidPort, rule, "At most 15 lower-case letters, digits and `-`, with a letter among them.");
        }
        for key in ["containerPort", "hostPort"] {
            if let Some(number) = port[key].as_i64().filter(|number| !(1..=65535).contains(number)) {
                report.refuse_key(key, Code::InvalidPort, format!("{number} is no port"), "A port is 1 to 65535.");
            }
        }
    });
    let mut seen = Vec::new();
    report.each(container, "ports", |port, report| {
        let Some(name) = port["name"].as_str() else { return };
        if seen.iter().any(|known: &String| known == name) {
            let message = format!("two ports of the container are named `{name}`");
            report.refuse_key(
                "name",
                Code::DuplicateEntry,
                message,
                "Give one of them another name; `containerPort` and `protocol` tell ports apart.",
            );
        }
        seen.push(name.to_owned());
    });
}

fn variables(container: &Value, report: &mut Report) {
    report.each(container, "env", |variable, report| {
        let name = text(variable, "name");
        if name.is_empty() || !name.bytes().all(|b| (b == b' ' || b.is_ascii_graphic()) && b != b'=') {
            let message = format!("`{name}` is no name of an environment variable");
            report.refuse_key("name", Code::InvalidName, message, "Printable ASCII without `=`.");
        }
        let (value, from) = (!text(variable, "value").is_empty(), !variable["valueFrom"].is_null());
        if value && from {
            let message = format!("the variable `{name}` has both a `value` and a `valueFrom`");
            report.refuse(Code::KubernetesRefuses, message, "Leave one of them: a variable of the short form is changed there.");
        }
        report.key(variable, "valueFrom", |source, report| {
            report.exactly_one(source, &["fieldRef", "resourceFieldRef", "secretKeyRef", "configMapKeyRef", "fileKeyRef"], "`valueFrom`");
            report.key(source, "fieldRef", |field, report| {
                let path = text(field, "fieldPath");
                if !is_variable_field(path) {
                    let help =
                        did_you_mean(path, variable_fields()).unwrap_or_else(|| format!("There are: {}.", variable_fields().join(", ")));
                    report.refuse_key("fieldPath", Code::KubernetesRefuses, format!("`{path}` is no field that a variable can hold"), help);
                }
            });
            report.key(source, "resourceFieldRef", resource_field);
            for reference in ["secretKeyRef", "configMapKeyRef"] {
                report.key(source, reference, keyed);
            }
        });
    });
    report.each(container, "envFrom", |from, report| {
        report.exactly_one(from, &["configMapRef", "secretRef"], "the entry of `envFrom`");
        for reference in ["configMapRef", "secretRef"] {
            report.key(from, reference, |reference, report| {
                if let Err(rule) = check_subdomain(text(reference, "name")) {
                    report.refuse_key("name", Code::InvalidName, rule, "Write the name of an object that there can be.");
                }
            });
        }
    });
}

fn keyed(reference: &Value, report: &mut Report) {
    if let Err(rule) = check_subdomain(text(reference, "name")) {
        report.refuse_key("name", Code::InvalidName, rule, "Write the name of an object that there can be.");
    }
    if let Some(Err(rule)) = reference["key"].as_str().map(SecretKey::new) {
        report.refuse_key("key", Code::InvalidName, rule, "Write a key that it can have.");
    }
}

/// A resource of a container that a variable or a file holds.
pub(super) fn resource_field(reference: &Value, report: &mut Report) {
    let resource = text(reference, "resource");
    if !is_resource_field(resource) {
        let help = did_you_mean(resource, resource_fields()).unwrap_or_else(|| format!("There are: {}.", resource_fields().join(", ")));
        report.refuse_key("resource", Code::KubernetesRefuses, format!("`{resource}` is no resource of a container"), help);
    }
}

fn mounts(container: &Value, pod: &Value, claims: &[&str], report: &mut Report) {
    let known: Vec<&str> = items(pod, "volumes").filter_map(|volume| volume["name"].as_str()).chain(claims.iter().copied()).collect();
    report.each(container, "volumeMounts", |mount, report| {
        let name = text(mount, "name");
        if !known.contains(&name) {
            let all =
                if known.is_empty() { "The pod has no volumes.".to_owned() } else { format!("Its volumes are: {}.", known.join(", ")) };
            let help = did_you_mean(name, known.iter().copied()).unwrap_or(all);
            report.refuse_key("name", Code::UnknownInWorkload, format!("the pod has no volume `{name}`"), help);
        }
        for key in ["subPath", "subPathExpr"] {
            if let Some(path) = mount[key].as_str().filter(|path| path.starts_with('/') || path.split('/').any(|part| part == "..")) {
                let message = format!("`{path}` is no path below the volume");
                report.refuse_key(key, Code::KubernetesRefuses, message, "Write a relative path without `..`.");
            }
        }
        if !text(mount, "subPath").is_empty() && !text(mount, "subPathExpr").is_empty() {
            report.refuse_key("subPathExpr", Code::KubernetesRefuses, "`subPathExpr` beside `subPath`", "Leave one of them.");
        }
        if mount["mountPropagation"] == "Bidirectional" && container["securityContext"]["privileged"] != true {
            let message = "`Bidirectional` mounts are for privileged containers";
            report.refuse_key("mountPropagation", Code::KubernetesRefuses, message, "Write `HostToContainer`, or leave it out.");
        }
    });
}

/// What to write for a fraction of a byte.
pub(in crate::model) const WHOLE_BYTES: &str =
    "Write whole bytes: `100Mi` and `100M` are a hundred million or so, and `100m` is a tenth of one byte.";

/// Why an amount of something that is counted in bytes is none: the API server takes it with a warning.
pub(in crate::model) fn fraction(resource: &str, amount: &str) -> Option<String> {
    let in_bytes = matches!(resource, "memory" | "ephemeral-storage" | "storage");
    let broken = in_bytes && Quantity::new(amount).is_ok_and(|amount| !amount.is_whole());
    broken.then(|| format!("`{amount}` of {resource} is no whole number of bytes"))
}

fn resources(container: &Value, report: &mut Report) {
    report.key(container, "resources", |resources, report| {
        let amount = |list: &str, name: &str| {
            let value = &resources[list][name];
            Quantity::new(&place::text(value)).ok().map(|quantity| quantity.amount())
        };
        for list in ["requests", "limits"] {
            report.key(resources, list, |amounts, report| {
                for name in amounts.as_object().into_iter().flatten().map(|(name, _)| name.as_str()) {
                    let extended = name.contains('/');
                    if !extended && !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !name.starts_with("hugepages-") {
                        let known = ["cpu", "memory", "ephemeral-storage"];
                        let help = did_you_mean(name, known)
                            .unwrap_or_else(|| "A resource of a device has a domain: `nvidia.com/gpu`.".to_owned());
                        report.refuse_key(name, Code::KubernetesRefuses, format!("`{name}` is no resource of a container"), help);
                    }
                    let stated = amount(list, name);
                    // Our own quantities have no sign.
                    if stated.is_none_or(|stated| extended && stated.fract() != 0.0) {
                        let help = if extended { "Write a whole number." } else { "Write 0 or more." };
                        report.refuse_key(
                            name,
                            Code::KubernetesRefuses,
                            format!("the amount of `{name}` is none that Kubernetes takes"),
                            help,
                        );
                    }
                    if let Some(broken) = fraction(name, &place::text(&resources[list][name])) {
                        report.refuse_key(name, Code::InvalidQuantity, broken, WHOLE_BYTES);
                    }
                    let (Some(stated), Some(limit), "requests") = (stated, amount("limits", name), list) else { continue };
                    if stated > limit {
                        let message = format!("the request of `{name}` is above its limit");
                        report.refuse_key(name, Code::KubernetesRefuses, message, "Raise the limit, or lower the request.");
                    }
                }
            });
        }
    });
}

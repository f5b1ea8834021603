//! Volumes: one source each, files below them.

use serde_json::Value;

use super::{Report, items, place, text};
use crate::diag::Code;
use crate::formats::{Quantity, SecretKey, check_label, check_subdomain};
use crate::model::check::is_variable_field;

/// What the downward API knows as files, beside single labels and annotations.
const FILES: [&str; 5] = ["metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations"];

pub(super) fn check(pod: &Value, claims: &[&str], report: &mut Report) {
    let mut seen = Vec::new();
    report.each(pod, "volumes", |volume, report| {
        report.name(volume, "name", check_label);
        if claims.contains(&text(volume, "name")) {
            let message =
                format!("the volume `{}` is a claim of the StatefulSet already, which would win in silence", text(volume, "name"));
            report.refuse_key("name", Code::DuplicateEntry, message, "Give one of them another name.");
        }
        sources(volume, report);
    });
    for volume in items(pod, "volumes") {
        report.unique(&mut seen, volume, "name", "volumes are named");
    }
}

fn sources(volume: &Value, report: &mut Report) {
    let stated: Vec<&str> = volume.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).filter(|key| *key != "name").collect();
    if stated.is_empty() {
        let message = format!("the volume `{}` has no source", text(volume, "name"));
        report.refuse(Code::MissingKey, message, "Kubernetes would take an `emptyDir: {}`: write that, or what is meant.");
    } else if stated.len() > 1 {
        let message = format!("the volume `{}` has {} sources: `{}`", text(volume, "name"), stated.len(), stated.join("` and `"));
        report.refuse(Code::KubernetesRefuses, message, "Leave one of them.");
    }
    report.key(volume, "secret", |secret, report| {
        required(secret, "secretName", report);
        files(secret, report);
    });
    report.key(volume, "configMap", |config, report| {
        required(config, "name", report);
        files(config, report);
    });
    report.key(volume, "downwardAPI", |downward, report| {
        report.range(downward, "defaultMode", 0, 0o777);
        report.each(downward, "items", downward_file);
    });
    report.key(volume, "persistentVolumeClaim", |claim, report| required(claim, "claimName", report));
    report.key(volume, "csi", |csi, report| required(csi, "driver", report));
    report.key(volume, "image", |image, report| required(image, "reference", report));
    report.key(volume, "emptyDir", |scratch, report| {
        if !scratch["sizeLimit"].is_null() && Quantity::new(&place::text(&scratch["sizeLimit"])).is_err() {
            report.refuse_key("sizeLimit", Code::KubernetesRefuses, "the size is none that Kubernetes takes", "Leave it out for no limit.");
        }
    });
    report.key(volume, "projected", |projected, report| {
        report.range(projected, "defaultMode", 0, 0o777);
        report.each(projected, "sources", projected_source);
    });
    report.key(volume, "ephemeral", |ephemeral, report| {
        let spec = &ephemeral["volumeClaimTemplate"]["spec"];
        if items(spec, "accessModes").next().is_none() || spec["resources"]["requests"]["storage"].is_null() {
            let message = "an ephemeral volume needs `volumeClaimTemplate.spec` with `accessModes` and `resources.requests.storage`";
            report.refuse(Code::KubernetesRefuses, message, "Write both.");
        }
    });
}

fn projected_source(source: &Value, report: &mut Report) {
    report.exactly_one(
        source,
        &["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate"],
        "the source",
    );
    for kind in ["secret", "configMap"] {
        report.key(source, kind, |keyed, report| {
            required(keyed, "name", report);
            files(keyed, report);
        });
    }
    report.key(source, "downwardAPI", |downward, report| report.each(downward, "items", downward_file));
    report.key(source, "serviceAccountToken", |token, report| {
        report.range(token, "expirationSeconds", 600, 1 << 32);
        file(token, report);
    });
}

/// A reference that Kubernetes asks for although its schema does not.
fn required(source: &Value, key: &str, report: &mut Report) {
    match source[key].as_str() {
        None | Some("") => report.refuse(Code::KubernetesRefuses, format!("the source has no `{key}`"), format!("Write `{key}`.")),
        Some(name) if matches!(key, "secretName" | "name" | "claimName") => {
            if let Err(rule) = check_subdomain(name) {
                report.refuse_key(key, Code::InvalidName, rule, "Write the name of an object that there can be.");
            }
        }
        Some(_) => {}
    }
}

/// The keys of a Secret or ConfigMap that become files.
fn files(source: &Value, report: &mut Report) {
    report.range(source, "defaultMode", 0, 0o777);
    report.each(source, "items", |item, report| {
        if let Err(rule) = SecretKey::new(text(item, "key")) {
            report.refuse_key("key", Code::InvalidName, rule, "Write a key that a Secret or ConfigMap can have.");
        }
        report.range(item, "mode", 0, 0o777);
        file(item, report);
    });
}

/// A file of a volume lies below it.
fn file(item: &Value, report: &mut Report) {
    let path = text(item, "path");
    if path.is_empty() || path.starts_with('/') || path.split('/').any(|part| part == "..") || path.starts_with("..") {
        let message = format!("`{path}` is no path below the volume");
        report.refuse_key("path", Code::KubernetesRefuses, message, "Write a relative path without `..`.");
    }
}

fn downward_file(item: &Value, report: &mut Report) {
    report.range(item, "mode", 0, 0o777);
    file(item, report);
    report.exactly_one(item, &["fieldRef", "resourceFieldRef"], "the file");
    report.key(item, "fieldRef", |field, report| {
        let path = text(field, "fieldPath");
        let is_single = path.ends_with("']") && is_variable_field(path);
        if !is_single && !FILES.contains(&path) {
            let message = format!("`{path}` is no field that a file can hold");
            report.refuse_key(
                "fieldPath",
                Code::KubernetesRefuses,
                message,
                format!("There are: {}, and single labels and annotations.", FILES.join(", ")),
            );
        }
    });
    report.key(item, "resourceFieldRef", |reference, report| {
        super::container::resource_field(reference, report);
        if text(reference, "containerName").is_empty() {
            report.refuse(Code::KubernetesRefuses, "a file with a resource does not say of which container", "Write `containerName`.");
        }
    });
}

//! Variables, the own ConfigMap, and what refers to ConfigMaps and Secrets.

use super::Subject;
use crate::decode::{Entries, Findings};
use crate::diag::{Code, Diag, did_you_mean};
use crate::formats::{SecretKey, VariableName};
use crate::inventory::pod::{EnvSource, EnvValue};
use crate::model::exemptions::{Exemptions, Place, control};
use crate::model::secrets::suspicion;
use crate::source::Spanned;

pub(super) fn check(subject: &Subject<'_, '_>, findings: &mut Findings) {
    let settings = &subject.cascade.settings;
    for (name, value) in &settings.env {
        if let Err(rule) = VariableName::new(name) {
            findings.push(VariableName::broken(name.span, rule));
        }
        match value {
            EnvValue::Text(text) => literal(subject.exemptions, subject.place, Some(name), text, findings),
            EnvValue::From(source) => check_source(subject, name, source, findings),
        }
    }
    for from in settings.env_from.iter().flatten() {
        let misspelt = from.config_map.is_none() && subject.inventory.misspelt.has(from.span);
        if from.config_map.is_some() == from.secret.is_some() && !misspelt {
            let diag = Diag::new(Code::InvalidValue, from.span, "`envFrom` takes exactly one of `configMap` and `secret`");
            findings.push(diag.help("Write an entry for each: `[{configMap: NAME}, {secret: NAME}]`."));
        }
        if let Some(prefix) = &from.prefix
            && let Err(rule) = VariableName::new(prefix)
        {
            findings.push(VariableName::broken(prefix.span, rule));
        }
    }
    data(subject.exemptions, subject.place, &settings.config, findings);
    for text in settings.command.iter().chain(&settings.args).flatten() {
        literal(subject.exemptions, subject.place, None, text, findings);
    }
}

/// Checks the keys and values of a ConfigMap.
pub(in crate::model) fn data(exemptions: &Exemptions<'_>, place: Place<'_>, data: &Entries<Spanned<String>>, findings: &mut Findings) {
    for (key, value) in data {
        if let Err(rule) = SecretKey::new(key) {
            findings.push(SecretKey::broken(key.span, rule));
        }
        literal(exemptions, place, Some(key), value, findings);
    }
    // `k8s.io/kubernetes/pkg/apis/core/validation`, `ValidateConfigMap`: the values, not the keys.
    let size: usize = data.iter().map(|(_, value)| value.len()).sum();
    if let Some((key, _)) = data.iter().max_by_key(|(_, value)| value.len()).filter(|_| size > MOST_DATA) {
        let message = format!("the values of the ConfigMap have {size} bytes; it may have {MOST_DATA}");
        let diag = Diag::new(Code::KubernetesRefuses, key.span, message).label("the largest of them");
        findings.push(diag.help("Put large files into the image, or on a volume: a ConfigMap holds at most 1 MiB."));
    }
}

/// How many bytes a ConfigMap holds.
const MOST_DATA: usize = 1 << 20;

fn literal(exemptions: &Exemptions<'_>, place: Place<'_>, name: Option<&str>, value: &Spanned<String>, findings: &mut Findings) {
    let Some(why) = suspicion(name, value) else { return };
    if exemptions.excuse(control::LITERAL_SECRET, place) {
        return;
    }
    let message = match name {
        Some(name) => format!("the value of `{name}` looks like a secret"),
        None => "the argument looks like a secret".to_owned(),
    };
    let diag = Diag::new(Code::LiteralSecret, value.span, message).label(why);
    findings.push(diag.help("Refer to a Secret: `{secret: NAME, key: KEY}`; or mount it, and tell the application the path."));
}

/// Resources of a container that a variable can hold.
const RESOURCES: [&str; 6] =
    ["limits.cpu", "limits.memory", "limits.ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage"];

/// Whether a variable can hold a resource.
pub(in crate::model) fn is_resource_field(resource: &str) -> bool {
    RESOURCES.contains(&resource) || ["limits.hugepages-", "requests.hugepages-"].iter().any(|start| resource.starts_with(start))
}

/// The resources that a variable can hold, beside huge pages.
pub(in crate::model) fn resource_fields() -> [&'static str; 6] {
    RESOURCES
}

/// Whether a variable can hold a field of its pod.
pub(in crate::model) fn is_variable_field(path: &str) -> bool {
    let keyed = ["metadata.labels['", "metadata.annotations['"].iter().any(|start| path.starts_with(start) && path.ends_with("']"));
    keyed || FIELDS.contains(&path)
}

/// The fields that a variable can hold, beside single labels and annotations.
pub(in crate::model) fn variable_fields() -> [&'static str; 9] {
    FIELDS
}

/// What the downward API knows as variables.
const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

fn check_source(subject: &Subject<'_, '_>, name: &str, source: &Spanned<EnvSource>, findings: &mut Findings) {
    let stated = [source.field_ref.is_some(), source.resource_field_ref.is_some(), source.secret.is_some(), source.config_map.is_some()];
    let stated = stated.iter().filter(|stated| **stated).count();
    let is_misspelt = subject.inventory.misspelt.has(source.span);
    if stated == 0 && is_misspelt {
        return;
    }
    if stated != 1 {
        let message = format!("`{name}` takes exactly one of `fieldRef`, `resourceFieldRef`, `secret` and `configMap`");
        findings.push(
            Diag::new(Code::InvalidValue, source.span, message)
                .help("An example: `{secret: NAME, key: KEY}`, or `{fieldRef: metadata.name}`."),
        );
        return;
    }
    if let Some(path) = source.field_ref.as_ref().filter(|path| !is_variable_field(path)) {
        let diag = Diag::new(Code::InvalidValue, path.span, format!("`{}` is no field that a variable can hold", path.value));
        findings.push(diag.help(did_you_mean(path, FIELDS).unwrap_or_else(|| format!("There are: {}.", FIELDS.join(", ")))));
    }
    if let Some(resource) = source.resource_field_ref.as_ref().filter(|resource| !is_resource_field(resource)) {
        let diag = Diag::new(Code::InvalidValue, resource.span, format!("`{}` is no resource of a container", resource.value));
        findings.push(diag.help(did_you_mean(resource, RESOURCES).unwrap_or_else(|| format!("There are: {}.", RESOURCES.join(", ")))));
    }
    let keyed = source.secret.is_some() || source.config_map.is_some();
    match &source.key {
        None if keyed && !is_misspelt => findings.push(
            Diag::new(Code::MissingKey, source.span, format!("`{name}` does not say which key it takes"))
                .help("Write `key: NAME` beside it."),
        ),
        Some(key) if !keyed => findings.push(
            Diag::new(Code::SetTwice, key.span, "`key` goes with `secret` or `configMap` alone")
                .help("Remove `key`, or name the Secret or ConfigMap that has it."),
        ),
        _ => {}
    }
    if let Some(optional) = source.optional.filter(|_| !keyed) {
        let diag = Diag::new(Code::KeyNotForKind, optional.span, "`optional` goes with `secret` or `configMap` alone");
        findings.push(diag.help("Remove it: what the pod says of itself is always there."));
    }
    if let (Some(config), Some(key)) = (&source.config_map, &source.key) {
        let shared = subject.inventory.configs.iter().find(|shared| shared.name.value == config.value).map(|shared| &shared.data);
        let own = &subject.cascade.settings.config;
        let own = (config.as_str() == subject.workload.identity.name.as_str() && !own.is_empty()).then_some(own);
        if let Some(data) = own.or(shared)
            && data.get(key.as_str()).is_none()
            && !source.optional.is_some_and(|optional| optional.value)
        {
            let diag = Diag::new(Code::UnknownInWorkload, key.span, format!("`{}` has no key `{}`", config.value, key.value));
            let known: Vec<&str> = data.iter().map(|(key, _)| key.as_str()).collect();
            let hint = did_you_mean(key.as_str(), known.iter().copied());
            findings.push(diag.help(hint.unwrap_or_else(|| format!("Its keys are: {}.", known.join(", ")))));
        }
    }
}

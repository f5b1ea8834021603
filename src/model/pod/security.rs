//! Security contexts: hardened where nothing is stated (SP 800-190 4.4.3, Pod Security `restricted`).

use serde_json::{Value, json};

use crate::inventory::pod::Security;
use crate::source::Spanned;

/// The user and group of a pod that states none: numeric, since `runAsNonRoot` refuses an image whose user is a name.
const NOBODY: i64 = 65532;

/// The pod's own.
pub(super) fn of_pod(security: Option<&Security>) -> Value {
    let stated =
        |field: fn(&Security) -> &Option<Spanned<i64>>| security.and_then(|security| field(security).as_ref()).map(|value| value.value);
    let user = stated(|security| &security.run_as_user).unwrap_or(NOBODY);
    let group = stated(|security| &security.run_as_group).unwrap_or(user);
    let non_root = security.and_then(|security| security.run_as_non_root).map_or(user != 0, |stated| stated.value);
    let mut context = json!({
        "fsGroup": stated(|security| &security.fs_group).unwrap_or(group),
        "fsGroupChangePolicy": "OnRootMismatch",
        "runAsGroup": group,
        "runAsNonRoot": non_root,
        "runAsUser": user,
        "seccompProfile": { "type": "RuntimeDefault" },
    });
    if let Some(groups) = security.and_then(|security| security.supplemental_groups.as_ref()) {
        context["supplementalGroups"] = groups.iter().map(|group| group.value).collect();
    }
    context
}

/// Each container's.
pub(super) fn of_container(security: Option<&Security>) -> Value {
    let flag = |field: fn(&Security) -> &Option<Spanned<bool>>, default: bool| {
        security.and_then(|security| *field(security)).map_or(default, |flag| flag.value)
    };
    let mut context = json!({
        "allowPrivilegeEscalation": flag(|security| &security.allow_privilege_escalation, false),
        "capabilities": { "drop": ["ALL"] },
        "readOnlyRootFilesystem": flag(|security| &security.read_only_root_filesystem, true),
    });
    if flag(|security| &security.privileged, false) {
        // Kubernetes refuses a privileged container that may not gain privileges.
        context["privileged"] = true.into();
        context["allowPrivilegeEscalation"] = true.into();
    }
    let added = security.and_then(|security| security.capabilities.as_ref()).filter(|added| !added.is_empty());
    if let Some(added) = added {
        context["capabilities"]["add"] = added.iter().map(|capability| capability.value.clone()).collect();
    }
    context
}

/// Gives every container what it does not state itself of the hardened security context.
pub(super) fn harden(pod: &mut Value) {
    let hardened = of_container(None);
    for list in ["initContainers", "containers"] {
        for container in pod.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(container) = container.as_object_mut() else { continue };
            let context = container.entry("securityContext").or_insert_with(|| json!({}));
            let (Some(context), Some(hardened)) = (context.as_object_mut(), hardened.as_object()) else { continue };
            for (field, value) in hardened {
                let stated = context.entry(field.clone()).or_insert_with(|| value.clone());
                if field == "capabilities"
                    && let Some(capabilities) = stated.as_object_mut()
                {
                    capabilities.entry("drop").or_insert_with(|| json!(["ALL"]));
                }
            }
        }
    }
}

/// What of a context the short form states itself.
pub(super) fn stated(security: Option<&Security>, context: Value) -> Value {
    let says = |key: &str| {
        security.is_some_and(|security| match key {
            "runAsUser" => security.run_as_user.is_some(),
            "runAsGroup" => security.run_as_group.is_some(),
            "fsGroup" => security.fs_group.is_some(),
            "runAsNonRoot" => security.run_as_non_root.is_some(),
            "supplementalGroups" => security.supplemental_groups.is_some(),
            "allowPrivilegeEscalation" => security.allow_privilege_escalation.is_some(),
            "capabilities" => security.capabilities.is_some(),
            "readOnlyRootFilesystem" => security.read_only_root_filesystem.is_some(),
            "privileged" => security.privileged.is_some(),
            _ => false,
        })
    };
    match context {
        Value::Object(fields) => fields.into_iter().filter(|(key, _)| says(key)).collect(),
        other => other,
    }
}

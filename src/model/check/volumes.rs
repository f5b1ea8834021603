//! Volumes and claims.

use std::collections::BTreeMap;

use super::Subject;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::SecretKey;
use crate::inventory::pod::{AccessMode, Volume};
use crate::inventory::workload::{Settings, WorkloadKind};
use crate::model::refusals::{WHOLE_BYTES, fraction};
use crate::model::{owned, storage};
use crate::source::{Span, Spanned};

pub(super) fn check(subject: &Subject<'_, '_>, findings: &mut Findings) {
    let settings = &subject.cascade.settings;
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    let mut paths: BTreeMap<&str, Span> = BTreeMap::new();
    for volume in settings.volumes.iter().flatten() {
        if let Some(first) = names.insert(volume.name.as_str(), volume.name.span) {
            let diag = Diag::new(Code::DuplicateEntry, volume.name.span, format!("two volumes are named `{}`", volume.name.value));
            findings
                .push(diag.related(first, "the first one").help("Give one of them another name: claims and mounts are told apart by it."));
        }
        if let Some(first) = paths.insert(volume.mount_path.as_str(), volume.mount_path.span) {
            let diag = Diag::new(
                Code::DuplicateEntry,
                volume.mount_path.span,
                format!("two volumes are mounted at `{}`", volume.mount_path.value),
            );
            findings.push(diag.related(first, "the first one").help("Mount one of them elsewhere: the second would hide the first."));
        }
        check_volume(subject, volume, findings);
        if let Some(claim) = &volume.claim {
            if let Some(class) = &claim.storage_class {
                storage::check(subject, class.as_str(), class.span, findings);
            }
            let modes = claim.access_modes.as_deref().unwrap_or_default();
            if claim.access_modes.as_ref().is_some_and(Vec::is_empty) {
                let diag = Diag::new(Code::InvalidValue, claim.span, format!("the claim `{}` can be mounted in no way", volume.name.value));
                findings.push(diag.help("Name a mode under `accessModes`, or leave the key out for `[ReadWriteOnce]`."));
            }
            if let Some(broken) = fraction("storage", claim.size.as_str()) {
                findings.push(Diag::new(Code::InvalidQuantity, claim.size.span, broken).help(WHOLE_BYTES));
            }
            if claim.size.amount() <= 0.0 {
                let diag = Diag::new(Code::InvalidQuantity, claim.size.span, "a claim of nothing is refused by Kubernetes");
                findings.push(diag.help("Write how much it is to hold, such as `10Gi`."));
            }
            let one_node = modes.iter().all(|mode| matches!(mode.value, AccessMode::ReadWriteOnce | AccessMode::ReadWriteOncePod));
            if one_node && let Some(why) = shared_by(subject) {
                let message = format!("the claim `{}` can be mounted on one node, but {why}", volume.name.value);
                let help = "Write `accessModes: [ReadWriteMany]` where the storage can, a StatefulSet for a claim each, or `replicas: 1`.";
                findings.push(Diag::new(Code::ClaimNotShareable, claim.span, message).help(help));
            }
        }
    }
    check_token(settings, findings);
}

/// Reports a token that the Kubernetes API server or the kubelet would take otherwise than it is meant.
fn check_token(settings: &Settings, findings: &mut Findings) {
    if let Some(token) = settings.service_account.as_ref().and_then(|account| account.token.as_ref()) {
        if let Some(seconds) = token.expiration_seconds.filter(|seconds| seconds.value < 600) {
            let diag = Diag::new(Code::InvalidValue, seconds.span, "Kubernetes asks for at least 600 seconds here");
            findings.push(diag.help("Write 600 or more, or remove it: the default is an hour."));
        }
        if token.audience.is_empty() || token.audience.contains("..") || token.audience.starts_with('/') {
            let message = "the audience is the token's file name too: no leading `/`, no `..`";
            let diag = Diag::new(Code::InvalidValue, token.audience.span, message);
            findings.push(diag.help("Write the audience that the other side expects, such as `vault`."));
        } else if owned::is_for_the_api(&token.audience) {
            let message = format!("a token for `{}` is one for the Kubernetes API", token.audience.value);
            let diag = Diag::new(Code::IsolationOwned, token.audience.span, message);
            findings.push(diag.help("Write `apiAccess`, which mounts one and says what it may do; `token` is for other audiences."));
        }
    }
}

/// Why several pods would mount one claim; a StatefulSet has one for each.
fn shared_by(subject: &Subject<'_, '_>) -> Option<String> {
    let settings = &subject.cascade.settings;
    match subject.workload.identity.kind.value {
        WorkloadKind::DaemonSet => Some("a DaemonSet runs on every node".to_owned()),
        WorkloadKind::Deployment => {
            let most = settings.bounds().1;
            (most > 1).then(|| format!("up to {most} replicas share it"))
        }
        WorkloadKind::StatefulSet | WorkloadKind::Job | WorkloadKind::CronJob => None,
    }
}

fn check_volume(subject: &Subject<'_, '_>, volume: &Spanned<Volume>, findings: &mut Findings) {
    let sources = [volume.empty_dir.is_some(), volume.secret.is_some(), volume.config_map.is_some(), volume.claim.is_some()];
    let stated = sources.iter().filter(|stated| **stated).count();
    let is_misspelt = stated == 0 && subject.inventory.misspelt.has(volume.span);
    if stated != 1 && !is_misspelt {
        let message = format!("the volume `{}` takes exactly one of `emptyDir`, `secret`, `configMap` and `claim`", volume.name.value);
        findings.push(Diag::new(Code::InvalidValue, volume.name.span, message).help("Other kinds of volume are written under `pod`."));
    }
    let path = &volume.mount_path;
    if !path.starts_with('/') || path.contains(':') || path.as_str() == "/" {
        let message = format!("`{}` is no place to mount at: an absolute path, not `/`, without `:`", path.value);
        findings.push(Diag::new(Code::InvalidValue, path.span, message).help("An example: `/var/lib/data`."));
    }
    let relative = volume.items.iter().map(|(_, path)| path).chain(&volume.sub_path);
    for path in relative.filter(|path| path.starts_with('/') || path.split('/').any(|part| part == "..") || path.is_empty()) {
        let diag = Diag::new(Code::InvalidValue, path.span, format!("`{}` is no path below the volume", path.value));
        findings.push(diag.help("Write it without a `/` at its beginning and without `..`, such as `data/current`."));
    }
    for (key, _) in &volume.items {
        if let Err(rule) = SecretKey::new(key) {
            findings.push(SecretKey::broken(key.span, rule));
        }
    }
    let keyed = volume.secret.is_some() || volume.config_map.is_some();
    if let Some((key, _)) = volume.items.iter().next().filter(|_| !keyed && !is_misspelt) {
        let diag = Diag::new(Code::SetTwice, key.span, "`items` go with `secret` or `configMap` alone");
        findings.push(diag.help("Remove `items`; for a part of a claim there is `subPath`."));
    }
    if let Some(optional) = volume.optional.filter(|_| !keyed && !is_misspelt) {
        let diag = Diag::new(Code::KeyNotForKind, optional.span, "`optional` goes with `secret` or `configMap` alone");
        findings.push(diag.help("Remove it: scratch space and claims are made with the pod."));
    }
}

//! What the short form says and `pod` says again: one of them would win in silence.

use serde_json::Value;

use super::Subject;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::pod::Volume;
use crate::inventory::workload::Settings;
use crate::model::refusals::place::{self, identity};
use crate::source::{Span, Spanned};
use crate::yaml::{Node, Value as Yaml};

/// `stated` is what the short forms alone make of the pod, without anything that they leave out.
pub fn twice(subject: &Subject<'_, '_>, stated: &Value, findings: &mut Findings) {
    for layer in &subject.cascade.pods {
        compare(stated, layer, "", &mut Vec::new(), &mut |path, span| {
            let what = path.last().copied().unwrap_or_default();
            let diag = Diag::new(Code::SetTwice, span, format!("`{what}` is set here and by the short form"));
            let diag = match short(&subject.cascade.settings, path) {
                Some(first) => diag.related(first, "here too"),
                None => diag,
            };
            findings.push(diag.help("Remove it here, or there."));
        });
    }
}

/// Calls `found` with each path that both hold, and the key of the layer; `but` is the key that they were brought together by.
fn compare<'l>(stated: &Value, layer: &'l Node, but: &str, path: &mut Vec<&'l str>, found: &mut impl FnMut(&[&'l str], Span)) {
    let (Value::Object(stated), Yaml::Map(entries)) = (stated, &layer.value) else { return };
    for (key, value) in entries {
        let Some(name) = key.text().filter(|name| *name != but && !value.is_null()) else { continue };
        let Some(below) = stated.get(name) else { continue };
        path.push(name);
        match (below, &value.value) {
            (Value::Object(_), Yaml::Map(_)) => compare(below, value, "", path, found),
            (Value::Array(items), Yaml::Seq(written)) if items.iter().all(|item| item.get(identity(name)).is_some()) => {
                for item in written {
                    let Some(id) = item.get(identity(name)).and_then(Node::text) else { continue };
                    let same = |stated: &&Value| place::text(&stated[identity(name)]) == id;
                    if let Some(same) = items.iter().find(same) {
                        path.push(id);
                        compare(same, item, identity(name), path, found);
                        path.pop();
                    }
                }
            }
            _ => found(path, key.span),
        }
        path.pop();
    }
}

/// Where the short form of a field of the pod is written.
pub(super) fn short(settings: &Settings, path: &[&str]) -> Option<Span> {
    let first = |list: &Option<Vec<Spanned<String>>>| list.as_ref()?.first().map(|first| first.span);
    let volume =
        |fits: &dyn Fn(&Volume) -> bool| settings.volumes.iter().flatten().find(|volume| fits(volume)).map(|volume| volume.name.span);
    match path {
        ["containers", _, "image", ..] => settings.image.as_ref().map(|image| image.span),
        ["containers", _, "command", ..] => first(&settings.command),
        ["containers", _, "args", ..] => first(&settings.args),
        ["containers", _, "env", name, ..] => settings.env.iter().find(|(key, _)| key.as_str() == *name).map(|(key, _)| key.span),
        ["containers", _, "envFrom", ..] => settings.env_from.as_ref()?.first().map(|from| from.span),
        ["containers", _, "ports", number, ..] => {
            settings.ports.iter().flatten().find(|port| port.port.value.to_string() == *number).map(|port| port.name.span)
        }
        ["containers", _, "resources", ..] => settings.resources.as_ref().map(|resources| resources.span),
        ["containers", _, "volumeMounts", path, ..] => volume(&|volume| volume.mount_path.as_str() == *path),
        ["volumes", name, ..] => volume(&|volume| volume.name.as_str() == *name),
        ["containers", _, probe, ..] => {
            let probes = settings.probes.as_ref()?;
            let probe = match *probe {
                "startupProbe" => &probes.startup,
                "readinessProbe" => &probes.readiness,
                "livenessProbe" => &probes.liveness,
                "securityContext" => return settings.security.as_ref().map(|security| security.span),
                _ => return None,
            };
            probe.as_ref().map(|probe| probe.span)
        }
        ["securityContext", ..] => settings.security.as_ref().map(|security| security.span),
        ["terminationGracePeriodSeconds"] => settings.termination_grace_period_seconds.map(|seconds| seconds.span),
        _ => None,
    }
}

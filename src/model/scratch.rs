//! Scratch volumes beside the limits of the containers that use them. What an `emptyDir` holds counts against these: on disk against the
//! `ephemeral-storage` of all containers of the pod, which the kubelet evicts once it holds more (`podEphemeralStorageLimitEviction`); in memory against the
//! `memory` of the containers that write to it. A container that states no limit has the namespace's.

use serde_json::Value;

use super::adopted::pods;
use super::budget::{self, Defaults, amount, number};
use super::instance::Instance;
use super::refusals::place;
use super::{Model, Namespace};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::schema::PathSegment;
use crate::source::Span;

/// Reports volumes that are allowed to hold more than their pods are.
pub fn check(model: &Model<'_>, findings: &mut Findings) {
    for cluster in 0..model.clusters.all.len() {
        let instances = model.instances_on(cluster);
        for namespace in model.namespaces_on(cluster) {
            let mut defaults = None;
            for instance in instances.iter().filter(|instance| instance.namespace == namespace.name) {
                for (at, pod) in instance.pods().into_iter().enumerate() {
                    if volumes(pod).any(|(_, volume)| size(volume).is_some()) {
                        let defaults = defaults.get_or_insert_with(|| of_namespace(model, namespace, instances));
                        check_pod(instance, at, pod, defaults, findings);
                    }
                }
            }
        }
    }
}

/// What a container of the namespace has that states no limits: nothing where no `LimitRange` is made.
fn of_namespace(model: &Model<'_>, namespace: &Namespace, instances: &[Instance<'_>]) -> Defaults {
    if model.is_waived_in("default-limits", namespace) {
        return Defaults::default();
    }
    let team = model.inventory.teams.iter().find(|team| team.name.as_str() == namespace.team);
    budget::defaults(namespace, team.map(|team| &**team), instances)
}

fn check_pod(instance: &Instance<'_>, at: usize, pod: &Value, defaults: &Defaults, findings: &mut Findings) {
    let on_disk: Vec<_> = volumes(pod).filter(|(_, volume)| text(&volume["emptyDir"]["medium"]).is_empty()).collect();
    let stated = on_disk.iter().filter_map(|(_, volume)| size(volume));
    let all: f64 = stated.sum();
    // Of several the largest is shown.
    let largest = on_disk.iter().filter(|(_, volume)| size(volume).is_some()).max_by(|(_, a), (_, b)| {
        let (a, b) = (size(a).unwrap_or(0.0), size(b).unwrap_or(0.0));
        a.total_cmp(&b)
    });
    if let (Some((index, volume)), Some(limit)) = (largest, together("ephemeral-storage", pod, defaults, |_| true))
        && all > limit.most
    {
        let several = on_disk.iter().filter(|(_, volume)| size(volume).is_some()).count() > 1;
        let what = if several {
            format!("the scratch volumes may hold {} together", readable(all))
        } else {
            format!("`{}` may hold {}", text(&volume["name"]), amount(&volume["emptyDir"]["sizeLimit"]))
        };
        let message = format!("{what}, and the pod is evicted once it holds more than {}", readable(limit.most));
        let help = limit.help("ephemeral-storage", &readable(all));
        let diag = Diag::new(Code::VolumeAboveLimit, written(instance, (at, *index), pod), message).help(help);
        findings.push(beside_limit(instance, "ephemeral-storage", diag));
    }
    for (index, volume) in volumes(pod).filter(|(_, volume)| volume["emptyDir"]["medium"] == "Memory") {
        let name = text(&volume["name"]);
        let mounts = |container: &Value| container["volumeMounts"].as_array().into_iter().flatten().any(|mount| mount["name"] == name);
        if let (Some(size), Some(limit)) = (size(volume), together("memory", pod, defaults, mounts))
            && size > limit.most
        {
            let stated = amount(&volume["emptyDir"]["sizeLimit"]);
            let message =
                format!("`{name}` may hold {stated} in memory, and the containers that mount it may use {} of it", readable(limit.most));
            let help = limit.help("memory", "more than it");
            let diag = Diag::new(Code::VolumeAboveLimit, written(instance, (at, index), pod), message).help(help);
            findings.push(beside_limit(instance, "memory", diag));
        }
    }
}

/// What some containers of a pod may use of a resource.
struct Limit {
    most: f64,
    /// Whether one of them has only what the namespace gives it.
    by_default: bool,
}

impl Limit {
    fn help(&self, resource: &str, amount: &str) -> String {
        let why =
            if self.by_default { format!(" A container without a limit of `{resource}` has the namespace's.") } else { String::new() };
        format!("Write a limit that holds {amount}, under `resources.limits` as `{resource}`; or lower `sizeLimit`.{why}")
    }
}

/// What the containers of a pod that are `meant` may use together; `None` where one has no limit, or there is none. Init containers run before the others: what
/// one of them may use counts where it is more; one that goes on beside the others counts with them.
fn together(resource: &str, pod: &Value, defaults: &Defaults, meant: impl Fn(&Value) -> bool) -> Option<Limit> {
    let (mut beside, mut before, mut by_default, mut any) = (0.0, 0.0_f64, false, false);
    for list in ["containers", "initContainers"] {
        for container in pod[list].as_array().into_iter().flatten().filter(|container| meant(container)) {
            let limit = match &container["resources"]["limits"][resource] {
                Value::Null => {
                    by_default = true;
                    number(defaults.limits.get(resource)?)
                }
                stated => number(&amount(stated)),
            };
            any = true;
            if list == "initContainers" && container["restartPolicy"] != "Always" {
                before = before.max(limit);
            } else {
                beside += limit;
            }
        }
    }
    any.then_some(Limit { most: before.max(beside), by_default })
}

/// Where the size of one of a pod's volumes is written; `at` counts the pods of an instance.
fn written(instance: &Instance<'_>, (at, index): (usize, usize), pod: &Value) -> Span {
    let name = text(&pod["volumes"][index]["name"]);
    let short = instance.cascade.settings.volumes.iter().flatten().find(|volume| volume.name.as_str() == name);
    let short = short.and_then(|volume| Some(volume.empty_dir.as_ref()?.size_limit.as_ref()?.span));
    // Of a source the lines of its objects' names are kept.
    let adopted = instance.adopted.as_ref().and_then(|adopted| {
        let named = adopted.objects.iter().zip(&adopted.names);
        named.filter(|(object, _)| pods::of(object).is_some()).map(|(_, (_, name))| name.span).nth(at)
    });
    let key = |key: &str| PathSegment::Key(key.to_owned());
    let path = [key("volumes"), PathSegment::Index(index), key("emptyDir"), key("sizeLimit")];
    let under_pod = || place::find(&path, pod, &instance.cascade.pods);
    short.or(adopted).or_else(under_pod).unwrap_or(instance.workload.identity.name.span)
}

/// Shows the limit beside a finding, where the short form states one.
fn beside_limit(instance: &Instance<'_>, resource: &str, diag: Diag) -> Diag {
    let stated = instance.cascade.settings.resources.as_ref().and_then(|resources| resources.limits.get(resource));
    stated.into_iter().fold(diag, |diag, limit| diag.related(limit.span, "the limit"))
}

/// The scratch volumes of a pod, with their places among its volumes.
fn volumes(pod: &Value) -> impl Iterator<Item = (usize, &Value)> {
    pod["volumes"].as_array().into_iter().flatten().enumerate().filter(|(_, volume)| volume["emptyDir"].is_object())
}

/// What a volume may hold, where it says so.
fn size(volume: &Value) -> Option<f64> {
    let size = &volume["emptyDir"]["sizeLimit"];
    (!size.is_null()).then(|| number(&amount(size)))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Bytes in the largest unit of which they are a whole number.
fn readable(bytes: f64) -> String {
    let units = [(4, "Ti"), (3, "Gi"), (2, "Mi"), (1, "Ki")].map(|(power, unit)| (1024_f64.powi(power), unit));
    let unit = units.into_iter().find(|(size, _)| bytes >= *size && (bytes / size).fract() == 0.0);
    unit.map_or_else(|| format!("{bytes}"), |(size, unit)| format!("{}{unit}", bytes / size))
}

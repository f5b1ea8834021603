//! What is asked for from outside: one host and path of a cluster lead to one workload.

use std::collections::BTreeMap;

use serde_json::Value;

use super::flows::full_name;
use super::instance::Instance;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::pod::ExposeType;
use crate::source::Span;

/// Another Ingress for one host and path is what ingress-nginx tries a new version by.
const CANARY: &str = "nginx.ingress.kubernetes.io/canary";

/// What traffic comes in by, the host that it is for and the path.
type Way = (String, String, String);

/// Reports workloads that take one another's traffic: which of two Ingresses for one host and path is served is up to the controller.
pub(super) fn check(instances: &[Instance<'_>], findings: &mut Findings) {
    let mut seen: BTreeMap<(usize, Way), (&Instance<'_>, Span)> = BTreeMap::new();
    for instance in instances {
        let name = full_name(instance);
        for (way, span) in ways(instance) {
            let (host, path) = (way.1.clone(), way.2.clone());
            match seen.get(&(instance.cluster, way.clone())) {
                Some((other, first)) if full_name(other) != name => {
                    let message = format!("`{host}{path}` leads to `{}` already, on the same cluster", full_name(other));
                    // What both have from one place, by an alias of YAML or a default, is told apart by their names.
                    let named = |instance: &Instance<'_>| instance.workload.identity.name.span;
                    let (span, first) = if span == *first { (named(instance), named(other)) } else { (span, *first) };
                    let diag = Diag::new(Code::DuplicateEntry, span, message).related(first, "the other one");
                    findings.push(
                        diag.help("Give one of them another host or path: which of the two is served would be up to the controller."),
                    );
                }
                Some(_) => {}
                None => {
                    seen.insert((instance.cluster, way), (instance, span));
                }
            }
        }
    }
}

/// Every host and path that leads to a workload, and where it is written; of an adopted one its name.
fn ways(instance: &Instance<'_>) -> Vec<(Way, Span)> {
    if let Some(adopted) = &instance.adopted {
        let span = instance.workload.identity.name.span;
        return adopted.objects.iter().filter(|object| object["kind"] == "Ingress").flat_map(of_ingress).map(|way| (way, span)).collect();
    }
    let settings = &instance.cascade.settings;
    let stated = settings.expose.as_ref().and_then(|expose| Some((expose, expose.r#type?.value, expose.host.as_ref()?)));
    let Some((expose, r#type, host)) = stated.filter(|(_, r#type, _)| *r#type != ExposeType::LoadBalancer) else { return Vec::new() };
    // Without a Service port nothing is exposed, which was reported.
    if settings.exposed_port().is_none() {
        return Vec::new();
    }
    if expose.annotations.get(CANARY).is_some_and(|canary| canary.value == "true") {
        return Vec::new();
    }
    // Routes of two Gateways have two addresses.
    let gateway = expose.gateway.as_ref().filter(|_| r#type == ExposeType::Gateway).map(|gateway| {
        let part = |part: Option<&str>| format!("/{}", part.unwrap_or_default());
        let namespace = gateway.namespace.as_ref().map(|namespace| namespace.as_str());
        gateway.name.to_string() + &part(namespace) + &part(gateway.listener.as_ref().map(|listener| listener.as_str()))
    });
    let by = gateway.unwrap_or_else(|| "Ingress".to_owned());
    let path = expose.path.as_ref().map_or("/", |path| path.as_str());
    vec![((by, host.to_string(), whole(path)), expose.path.as_ref().map_or(host.span, |path| path.span))]
}

fn of_ingress(ingress: &Value) -> Vec<Way> {
    if ingress["metadata"]["annotations"][CANARY] == "true" {
        return Vec::new();
    }
    let rules = ingress["spec"]["rules"].as_array().into_iter().flatten();
    let paths = rules.filter_map(|rule| Some((rule["host"].as_str()?, rule["http"]["paths"].as_array()?)));
    paths
        .flat_map(|(host, paths)| {
            let path = |path: &Value| whole(path["path"].as_str().unwrap_or("/"));
            paths.iter().map(move |one| ("Ingress".to_owned(), host.to_owned(), path(one)))
        })
        .collect()
}

/// A prefix means the same with and without a slash at its end.
fn whole(path: &str) -> String {
    let path = path.trim_end_matches('/');
    if path.is_empty() { "/".to_owned() } else { path.to_owned() }
}

//! The jobs of a Prometheus: for each port that is scraped, where it is found, how its address and its labels are made, and what is let in of it.
//!
//! Targets have the labels that prometheus-operator gives those of a `PodMonitor`, and with them all that alerts and dashboards go by. Those of a `ServiceMonitor`
//! have `service` besides, and `container` where their port is declared.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::formats::promql;
use crate::model::Model;
use crate::model::monitoring::plugin::{self, Endpoint};
use crate::model::monitoring::{Scraper, Watch, scraped};

/// The label by whose value a workload's job is called.
const JOB: &str = "app.kubernetes.io/name";

/// `jobs` of an instance, each: name, namespaces, podLabels (those by which pods are kept: `label` as Prometheus writes it, and `regex`), container and
/// port name (those that are kept; null where any is), number (the port that the address gets, where none is declared), path, scheme, jobLabel (the pods'
/// label that the job is called by; null where it is `job`), job, endpoint, tier (null where it is no tier's), kept (metrics,
/// as an expression; null where all are), atNode, limits.
pub fn of(model: &Model<'_>, at: usize, watch: &Watch<'_>, scraper: &Scraper<'_>, platform: &[String]) -> Vec<Value> {
    let mut jobs = Vec::new();
    if scraper.tier.is_none() {
        let namespaces = plugin::namespaces(platform);
        jobs.extend(plugin::endpoints(&model.clusters.all[at]).iter().map(|endpoint| of_plugin(endpoint, &namespaces)));
    }
    for instance in model.instances_on(at).iter().filter(|instance| watch.scraper_of(instance.tier).tier == scraper.tier) {
        let name = instance.workload.identity.name.as_str();
        let selector = instance.selector.as_object().into_iter().flatten();
        let kept: Vec<Value> = selector.map(|(key, value)| kept(key, value.as_str().unwrap_or_default())).collect();
        for (port, path) in scraped(instance) {
            jobs.push(json!({
                "name": format!("{}/{name}/{}", instance.namespace, port.name.value),
                "namespaces": [instance.namespace],
                "podLabels": kept,
                "container": null,
                "portName": port.name.as_str(),
                "number": null,
                "port": port.port.value,
                "path": path.as_str(),
                "scheme": "http",
                "jobLabel": promql::name(JOB),
                "job": format!("{}/{name}", instance.namespace),
                "endpoint": port.name.as_str(),
                "tier": model.tiers.name(instance.tier),
                "kept": null,
                "atNode": false,
                "limits": super::limits(),
            }));
        }
    }
    jobs
}

/// A port scan makes a series for each port: beyond the limit the scrape fails, and the alert that nothing answers says so.
fn of_plugin(endpoint: &Endpoint, namespaces: &[&str]) -> Value {
    json!({
        "name": format!("kube-system/{}", endpoint.name),
        "namespaces": namespaces,
        "podLabels": endpoint.pods.iter().map(|(label, value)| kept(label, value)).collect::<Vec<_>>(),
        "container": endpoint.container,
        "portName": null,
        "number": endpoint.port,
        "port": endpoint.port,
        "path": endpoint.path,
        "scheme": "http",
        "jobLabel": null,
        "job": endpoint.name,
        "endpoint": endpoint.name,
        "tier": null,
        "kept": endpoint.kept,
        "atNode": endpoint.at_node,
        "limits": super::limits(),
    })
}

/// `reaches` of an instance: what its jobs lead to, each with `namespace` (null for the nodes), `ranges` (of nodes) and `ports`.
pub fn reaches(model: &Model<'_>, at: usize, jobs: &[Value]) -> Vec<Value> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found: BTreeSet<(Option<String>, u64)> = BTreeSet::new();
    for job in jobs {
        let at_node = job["atNode"] == true;
        for namespace in job["namespaces"].as_array().into_iter().flatten() {
            found.insert(((!at_node).then(|| text(namespace)), job["port"].as_u64().unwrap_or_default()));
        }
    }
    let places: BTreeSet<Option<String>> = found.iter().map(|(place, _)| place.clone()).collect();
    let nodes: Vec<String> = model.clusters.all[at].raw.network.nodes.iter().map(|range| range.to_string()).collect();
    let view = |place: Option<String>| {
        let ports: Vec<u64> = found.iter().filter(|(of, _)| *of == place).map(|(_, port)| *port).collect();
        json!({ "namespace": place, "ranges": if place.is_none() { nodes.as_slice() } else { &[] }, "ports": ports })
    };
    places.into_iter().map(view).collect()
}

fn kept(label: &str, value: &str) -> Value {
    json!({ "label": promql::name(label), "regex": promql::quoted(value) })
}

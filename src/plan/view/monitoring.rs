//! What the objects that scrape and watch see: `cluster.monitoring`, `namespace.scraper`, `workload.scrapes`.

mod dashboards;
mod jobs;

use serde_json::{Value, json};

use super::strings;
use crate::model::monitoring::plugin::Endpoint;
use crate::model::monitoring::{self, Scraper, Watch, scraped};
use crate::model::{Instance, Model, Namespace};

/// What one workload may make Prometheus remember: a label with a value for each customer would otherwise fill it.
const SAMPLES: u32 = 20_000;
const LABELS: u32 = 64;
const LABEL_NAME: u32 = 256;
const LABEL_VALUE: u32 = 1024;

/// `cluster.monitoring`: flavor, namespace, labels (by which the cluster's own Prometheus selects), tier (the highest that the cluster hosts), top
/// (whether none of the fleet is higher), encrypted (whether what runs between nodes is meant to be), limits, platform (namespaces outside the tiers
/// in which it finds what it scrapes), endpoints of the network plugin (name, container, port, and kept: the metrics that are, null where all are) and pluginNamespaces (those with its pods), and instances: first the cluster's own, then those of tiers, each with tier, serviceAccount, podLabels, selects (labels of monitors), finds (namespaces), jobs and reaches (what its network policies, if it has any, must let
/// through), and dashboards (their `labels`, and the `uids` by which Grafana knows them).
/// Null where nothing is stated.
pub fn cluster(model: &Model<'_>, at: usize) -> Value {
    let host = &model.clusters.all[at];
    let Some(watch) = Watch::of(model.inventory, host) else { return Value::Null };
    let highest = model.tiers.highest(host.tiers.iter().copied());
    let platform = monitoring::platform_namespaces(model.inventory, host, &model.deliveries, at);
    json!({
        "flavor": watch.flavor.as_str(),
        "namespace": watch.namespace,
        "labels": labels(&watch.of_cluster),
        "tier": highest.map(|tier| model.tiers.name(tier)),
        "top": highest.is_some_and(|tier| model.tiers.is_highest(tier)),
        "encrypted": host.raw.cni.encryption_secret.is_some(),
        "limits": limits(),
        "instances": watch.scrapers().map(|scraper| instance(model, at, &watch, scraper, &platform)).collect::<Vec<_>>(),
        "endpoints": monitoring::plugin::endpoints(host).iter().map(endpoint).collect::<Vec<_>>(),
        "pluginNamespaces": monitoring::plugin::namespaces(&platform),
        "platform": platform,
        "dashboards": dashboards::cluster(model, host.raw.name.as_str(), &watch),
    })
}

fn endpoint(of: &Endpoint) -> Value {
    json!({ "name": of.name, "container": of.container, "port": of.port, "kept": of.kept })
}

/// `namespace.scraper`: who finds pods in it (namespace and serviceAccount) and labels (by which it selects monitors); null where nothing is
/// scraped.
pub fn scraper(model: &Model<'_>, namespace: &Namespace) -> Value {
    let Some(watch) = Watch::of(model.inventory, &model.clusters.all[namespace.cluster]) else { return Value::Null };
    if !monitoring::is_scraped(model, namespace) {
        return Value::Null;
    }
    let scraper = watch.scraper_of(namespace.tier);
    json!({ "namespace": watch.namespace, "serviceAccount": scraper.account, "labels": labels(scraper) })
}

/// `workload.scrapes`: the ports that Prometheus scrapes (port, path).
pub fn scrapes(instance: &Instance<'_>) -> Vec<Value> {
    scraped(instance).map(|(port, path)| json!({ "port": port.name.as_str(), "path": path.as_str() })).collect()
}

fn instance(model: &Model<'_>, at: usize, watch: &Watch<'_>, scraper: &Scraper<'_>, platform: &[String]) -> Value {
    let mine = |tier: usize| watch.scraper_of(tier).tier == scraper.tier;
    let here = |namespace: &&Namespace| mine(namespace.tier) && monitoring::is_scraped(model, namespace);
    let of_tiers = model.namespaces_on(at).filter(here).map(|namespace| namespace.name.as_str());
    let of_platform = platform.iter().map(String::as_str).filter(|_| scraper.tier.is_none());
    let jobs = jobs::of(model, at, watch, scraper, platform);
    json!({
        "tier": scraper.tier.map(|tier| model.tiers.name(tier)),
        "serviceAccount": scraper.account,
        "podLabels": watch.pod_labels(scraper),
        "selects": labels(scraper),
        "finds": of_platform.chain(of_tiers).collect::<Vec<_>>(),
        "reaches": jobs::reaches(model, at, &jobs),
        "jobs": jobs,
    })
}

fn labels(scraper: &Scraper<'_>) -> Value {
    strings(scraper.labels.iter().map(|(key, value)| (*key, *value))).into()
}

/// As Prometheus' own configuration calls them.
fn limits() -> Value {
    json!({
        "sample_limit": SAMPLES,
        "label_limit": LABELS,
        "label_name_length_limit": LABEL_NAME,
        "label_value_length_limit": LABEL_VALUE,
    })
}

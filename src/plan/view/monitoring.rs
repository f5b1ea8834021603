//! What the objects that scrape and watch see: `cluster.monitoring`, `workload.scrapes`.

use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::strings;
use crate::inventory::fleet::{Monitoring, MonitoringFlavor};
use crate::model::{Instance, Model, platform};

/// `cluster.monitoring`: flavor, namespace, labels (by which Prometheus selects), tier (the highest that the cluster hosts), top (whether
/// none of the fleet is higher), encrypted (whether what runs between nodes is meant to be), dashboards (their `labels`, and the `uids`
/// by which Grafana knows them). Null where nothing is stated.
pub fn cluster(model: &Model<'_>, at: usize) -> Value {
    let host = &model.clusters.all[at];
    let Some(stated) = platform::monitoring(model.inventory, host) else { return Value::Null };
    let level = |tier: usize| model.tiers.all[tier].level.value;
    let highest = host.tiers.iter().copied().max_by_key(|tier| level(*tier));
    let top = highest.is_some_and(|tier| (0..model.tiers.all.len()).all(|other| level(other) <= level(tier)));
    json!({
        "flavor": stated.flavor.map_or(MonitoringFlavor::PrometheusOperator, |flavor| flavor.value).as_str(),
        "namespace": stated.namespace.as_ref().map_or(platform::MONITORING, |namespace| namespace.as_str()),
        "labels": strings(stated.selector_labels.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
        "tier": highest.map(|tier| model.tiers.name(tier)),
        "top": top,
        "encrypted": host.raw.cni.encryption_secret.is_some(),
        "dashboards": dashboards(model, host.raw.name.as_str(), stated),
    })
}

/// By name.
const DASHBOARDS: [&str; 3] = ["access", "network", "tiers"];

fn dashboards(model: &Model<'_>, cluster: &str, stated: &Monitoring) -> Value {
    let labels = stated.dashboards.iter().flat_map(|dashboards| dashboards.labels.iter());
    let mut labels = strings(labels.map(|(key, value)| (key.as_str(), value.as_str())));
    if labels.is_empty() {
        labels.insert("grafana_dashboard".to_owned(), "1".into());
    }
    let uid = |name: &&str| ((*name).to_owned(), Value::from(uid(model.fleet.name.as_str(), cluster, name)));
    json!({ "labels": labels, "uids": DASHBOARDS.iter().map(uid).collect::<serde_json::Map<_, _>>() })
}

/// Grafana takes 40 characters; one Grafana may show several clusters, and several fleets.
fn uid(fleet: &str, cluster: &str, name: &str) -> String {
    // No name holds a slash.
    let digest = Sha256::digest(format!("{fleet}/{cluster}/{name}"));
    digest[..12].iter().fold("ringfence-".to_owned(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// `workload.scrapes`: the ports that Prometheus scrapes (port, path).
pub fn scrapes(instance: &Instance<'_>) -> Vec<Value> {
    let ports = instance.cascade.settings.ports.iter().flatten();
    ports.filter_map(|port| Some(json!({ "port": port.name.as_str(), "path": port.scrape.as_ref()?.value }))).collect()
}

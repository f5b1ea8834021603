//! What the objects that scrape and watch see: `cluster.monitoring`, `workload.scrapes`.

use serde_json::{Value, json};

use super::strings;
use crate::inventory::fleet::MonitoringFlavor;
use crate::model::{Instance, Model, platform};

/// `cluster.monitoring`: flavor, namespace, labels (by which Prometheus selects), tier (the highest that the cluster hosts), top (whether none of
/// the fleet is higher), encrypted (whether what runs between nodes is meant to be). Null where nothing is stated.
pub fn cluster(model: &Model<'_>, at: usize) -> Value {
    let host = &model.clusters.all[at];
    let (Some(stated), Some(namespace)) =
        (platform::monitoring(model.inventory, host), platform::monitoring_namespace(model.inventory, host))
    else {
        return Value::Null;
    };
    let level = |tier: usize| model.tiers.all[tier].level.value;
    let highest = host.tiers.iter().copied().max_by_key(|tier| level(*tier));
    let top = highest.is_some_and(|tier| (0..model.tiers.all.len()).all(|other| level(other) <= level(tier)));
    json!({
        "flavor": stated.flavor.map_or(MonitoringFlavor::PrometheusOperator, |flavor| flavor.value).as_str(),
        "namespace": namespace.value,
        "labels": strings(stated.selector_labels.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
        "tier": highest.map(|tier| model.tiers.name(tier)),
        "top": top,
        "encrypted": host.raw.cni.encryption_secret.is_some(),
    })
}

/// `workload.scrapes`: the ports that Prometheus scrapes (port, path).
pub fn scrapes(instance: &Instance<'_>) -> Vec<Value> {
    let ports = instance.cascade.settings.ports.iter().flatten();
    ports.filter_map(|port| Some(json!({ "port": port.name.as_str(), "path": port.scrape.as_ref()?.value }))).collect()
}

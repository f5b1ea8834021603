//! What dashboards see: `cluster.monitoring.dashboards`.

use serde_json::{Value, json};

use crate::model::Model;
use crate::model::monitoring::Watch;
use crate::tree::Digest;

/// By name.
const DASHBOARDS: [&str; 3] = ["access", "network", "tiers"];

/// Labels, and the uid of each dashboard.
pub fn cluster(model: &Model<'_>, cluster: &str, watch: &Watch<'_>) -> Value {
    let uid = |name: &&str| ((*name).to_owned(), Value::from(uid(model.fleet.name.as_str(), cluster, name)));
    json!({ "labels": watch.dashboards, "uids": DASHBOARDS.iter().map(uid).collect::<serde_json::Map<_, _>>() })
}

/// Grafana takes 40 characters; one Grafana may show several clusters, and several fleets.
fn uid(fleet: &str, cluster: &str, name: &str) -> String {
    // No name holds a slash.
    let mut digest = Digest::of(format!("{fleet}/{cluster}/{name}")).to_string();
    digest.truncate(24);
    format!("ringfence-{digest}")
}

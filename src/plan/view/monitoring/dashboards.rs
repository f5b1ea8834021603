//! What dashboards see: `cluster.monitoring.dashboards`.

use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::model::Model;
use crate::model::monitoring::Watch;

/// By name.
const DASHBOARDS: [&str; 3] = ["access", "network", "tiers"];

pub fn cluster(model: &Model<'_>, cluster: &str, watch: &Watch<'_>) -> Value {
    let uid = |name: &&str| ((*name).to_owned(), Value::from(uid(model.fleet.name.as_str(), cluster, name)));
    json!({ "labels": watch.dashboards, "uids": DASHBOARDS.iter().map(uid).collect::<serde_json::Map<_, _>>() })
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

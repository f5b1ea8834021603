//! What a namespace and each of its containers may use: the team's quota, and what a container has that says nothing of its own
//! (SP 800-190 4.4.3).

use std::collections::BTreeMap;

use serde_json::Value;

use super::Namespace;
use super::instance::Instance;
use super::pod::containers;
use crate::decode::Findings;
use crate::diag::{Code, Diag, did_you_mean};
use crate::formats::Quantity;
use crate::inventory::Inventory;
use crate::inventory::team::Team;

/// What a container requests that requests nothing.
///
/// Each resource that [`LIMITS`] has is here, too: the API server takes the default limit for the default request where none is stated
/// (`SetDefaults_LimitRangeItem`), and every container would claim all of it.
const REQUESTS: [(&str, &str); 3] = [("cpu", "50m"), ("ephemeral-storage", "64Mi"), ("memory", "64Mi")];
/// What a container is limited to that has no limit, unless a sibling requests more. No limit of CPU: it would slow a container down while
/// nobody else wants the time; requests share it out.
const LIMITS: [(&str, &str); 2] = [("ephemeral-storage", "1Gi"), ("memory", "512Mi")];
/// The limit of CPU where the team's quota counts such limits, since the quota then admits no container without one.
const CPU_LIMIT: &str = "500m";

/// The defaults of a namespace's containers: a `LimitRange`'s `defaultRequest` and `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// What is requested where nothing is.
    pub requests: BTreeMap<String, String>,
    /// The limit where there is none.
    pub limits: BTreeMap<String, String>,
}

/// The defaults of a namespace, `instances` being those of its cluster. A default limit below what a container requests would be refused by the
/// API server together with that container, so the largest request of a container without a limit of its own is the least default.
pub fn defaults(namespace: &Namespace, team: Option<&Team>, instances: &[Instance<'_>]) -> Defaults {
    let map = |entries: &[(&str, &str)]| entries.iter().map(|(name, amount)| ((*name).to_owned(), (*amount).to_owned())).collect();
    let (requests, mut limits): (_, BTreeMap<String, String>) = (map(&REQUESTS), map(&LIMITS));
    if team.is_some_and(|team| team.quota.iter().any(|(name, _)| name.value == "limits.cpu")) {
        limits.insert("cpu".to_owned(), CPU_LIMIT.to_owned());
    }
    for instance in instances.iter().filter(|instance| instance.namespace == namespace.name) {
        for container in instance.pods().into_iter().flat_map(containers) {
            for (resource, least) in &mut limits {
                let stated = |key: &str| container.get("resources").and_then(|resources| resources.get(key)?.get(resource)).map(amount);
                if let (Some(request), None) = (stated("requests"), stated("limits"))
                    && number(&request) > number(least)
                {
                    *least = request;
                }
            }
        }
    }
    Defaults { requests, limits }
}

/// A quantity as it is written.
pub(super) fn amount(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A quantity as a number; 0 where it is none.
pub(super) fn number(text: &str) -> f64 {
    Quantity::new(text).map_or(0.0, |quantity| quantity.amount())
}

/// Objects that a quota counts by a name of their own; each is a whole number.
const COUNTED: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];
/// Amounts that a quota sums up.
const SUMMED: [&str; 10] = [
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
];

/// Checks the names and the amounts of every team's quota: the API server would refuse the `ResourceQuota`.
pub fn check_quotas(inventory: &Inventory, findings: &mut Findings) {
    for (name, quantity) in inventory.teams.iter().flat_map(|team| team.quota.iter()) {
        let text = name.as_str();
        let qualified = text.starts_with("count/")
            || text.starts_with("requests.") && text.contains('/')
            || text.contains(".storageclass.storage.k8s.io/");
        if !qualified && !COUNTED.contains(&text) && !SUMMED.contains(&text) {
            let known = || COUNTED.into_iter().chain(SUMMED);
            let diag = Diag::new(Code::InvalidValue, name.span, format!("a ResourceQuota counts no `{text}`"));
            let all = || {
                format!("It counts: {}; `count/RESOURCE.GROUP`, and `requests.` with the name of an extended resource.", {
                    let mut names: Vec<&str> = known().collect();
                    names.sort_unstable();
                    names.join(", ")
                })
            };
            findings.push(diag.help(did_you_mean(text, known()).unwrap_or_else(all)));
        }
        let whole = COUNTED.contains(&text) || text.starts_with("count/");
        if whole && quantity.amount().fract() != 0.0 {
            let diag = Diag::new(Code::InvalidQuantity, quantity.span, format!("`{}` is no number of {text}", quantity.value));
            findings.push(diag.help("Write a whole number."));
        }
    }
}

//! Keys that are read and checked but of which no object is made yet: one note names them, so that nobody believes in an object that is
//! not there. A line goes when its objects come.

use super::bootstrap;
use super::instance::Instance;
use super::monitoring::{flavor, scraped};
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;

/// The note, where the inventory uses any such key.
pub fn note(inventory: &Inventory, instances: &[Instance<'_>]) -> Option<Diag> {
    let fleet = inventory.fleet.as_ref()?;
    let clusters = &inventory.clusters;
    let watched = |at: usize| clusters.get(at).is_some_and(|cluster| flavor(inventory, cluster).is_some());
    let unseen = instances.iter().any(|instance| !watched(instance.cluster) && scraped(instance).next().is_some());
    let used: Vec<&str> = [
        ("ports.scrape without monitoring", unseen),
        ("clusters.provider (what makes the nodes)", clusters.iter().any(|cluster| bootstrap::files(&cluster.provider).is_none())),
    ]
    .into_iter()
    .filter_map(|(key, used)| used.then_some(key))
    .collect();
    if used.is_empty() {
        return None;
    }
    let message = format!("these keys are checked, but no object is made of them yet: {}", used.join("; "));
    let diag = Diag::new(Code::NotGenerated, fleet.name.span, message);
    Some(diag.help("The rest of the tree does not wait for them."))
}

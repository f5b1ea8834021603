//! Network plugins that nobody looks after any more: one note, so that a fleet that stays on one does so knowingly.

use crate::diag::{Code, Diag};
use crate::inventory::Inventory;
use crate::inventory::cluster::CniName;

/// The note, where clusters run Weave Net: once, with all of them.
pub fn note(inventory: &Inventory) -> Option<Diag> {
    let mut clusters: Vec<_> = inventory.clusters.iter().filter(|cluster| cluster.cni.name.value == CniName::Weave).collect();
    clusters.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
    let names: Vec<&str> = clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    let message = format!("Weave Net has not been maintained by its makers since 2024: {}", names.join(", "));
    let diag = Diag::new(Code::LegacyCni, clusters.first()?.cni.name.span, message);
    Some(diag.help(
        "Plan the move to Cilium or Calico, which the tree is written for as well: `ringfence explain legacy-cni` says how a cluster moves. Nothing else \
         waits for it.",
    ))
}

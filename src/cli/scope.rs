//! `--cluster`: which part of the tree a run looks at.

use std::collections::BTreeSet;
use std::path::Path;

use super::Failure;
use crate::diag::did_you_mean;
use crate::inventory::Inventory;
use crate::tree::{self, Delta, Recorded};

/// The part of a tree that belongs to some clusters, and to no other; or all of it.
#[derive(Debug)]
pub struct Scope(Option<BTreeSet<String>>);

impl Scope {
    /// The clusters that the command line names, all where it names none. Fails on a name that neither the inventory has nor the tree: the part of a
    /// cluster that left the inventory goes with a run that names it.
    pub fn new(names: &[String], inventory: &Inventory, output: &Path) -> Result<Self, Failure> {
        let known: BTreeSet<&str> = inventory.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        let unknown = || names.iter().filter(|name| !known.contains(name.as_str()));
        if unknown().next().is_some() {
            let recorded = tree::read(output)?;
            let gone: BTreeSet<&str> = recorded.lock.entries().keys().filter_map(|path| own(path.as_str())).collect();
            if let Some(name) = unknown().find(|name| !gone.contains(name.as_str())) {
                let all = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(", ");
                let left: BTreeSet<&str> = gone.difference(&known).copied().collect();
                let help = did_you_mean(name, known.union(&left).copied()).unwrap_or_else(|| {
                    let more = if left.is_empty() { String::new() } else { format!("; the tree still has: {}", all(&left)) };
                    format!("The inventory has: {}{more}.", all(&known))
                });
                return Err(Failure::new(format!("there is no cluster `{name}`"), help));
            }
        }
        Ok(Self((!names.is_empty()).then(|| names.iter().cloned().collect())))
    }

    /// Whether it is not all.
    pub fn is_partial(&self) -> bool {
        self.0.is_some()
    }

    /// What of a difference is within it.
    pub fn of(&self, delta: Delta, recorded: &Recorded) -> Delta {
        if self.is_partial() { delta.within(recorded, |path| self.holds(path)) } else { delta }
    }

    /// Whether a path is within it. What belongs to no single cluster always is: the plan is always whole, and so is what several share.
    pub fn holds(&self, path: &str) -> bool {
        own(path).is_none_or(|cluster| self.means(cluster))
    }

    /// Whether a cluster is meant.
    pub fn means(&self, cluster: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(cluster))
    }

    /// The clusters that the command line names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(String::as_str)
    }
}

/// The one cluster that a path belongs to.
pub fn own(path: &str) -> Option<&str> {
    let parts: Vec<&str> = path.splitn(4, '/').collect();
    let (["clusters" | "bootstrap", cluster, _, ..] | ["delivery", "flux", cluster, _]) = parts[..] else { return None };
    Some(cluster)
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn a_cluster_s_folders_are_its_own_and_the_rest_is_everybody_s() {
        let scope = Scope(Some(["one".to_owned()].into()));
        for own in [
            "clusters/one/10-guardrails/x.yaml",
            "clusters/one/",
            "bootstrap/one/a.md",
            "delivery/flux/one/source.yaml",
            "delivery/flux/one/",
        ] {
            assert!(scope.holds(own), "{own}");
        }
        for shared in
            ["delivery/argocd/main/platform.yaml", "delivery/argocd/one/platform.yaml", "fleet.md", "clusters", "clusters/", "clusters/two"]
        {
            assert!(scope.holds(shared), "{shared}");
        }
        for other in ["clusters/two/10-guardrails/x.yaml", "clusters/one-two/", "bootstrap/two/a.md", "delivery/flux/two/source.yaml"] {
            assert!(!scope.holds(other), "{other}");
            assert!(Scope(None).holds(other));
        }
    }
}

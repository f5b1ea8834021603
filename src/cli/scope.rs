//! `--cluster`: which part of the tree a run looks at.

use std::collections::BTreeSet;

use super::Failure;
use crate::diag::did_you_mean;
use crate::inventory::Inventory;
use crate::tree::{Delta, Recorded};

/// The part of a tree that belongs to some clusters, and to no other; or all of it.
#[derive(Debug)]
pub struct Scope(Option<BTreeSet<String>>);

impl Scope {
    /// The clusters that the command line names, all where it names none. Fails on a name that is none of the inventory's.
    pub fn new(names: &[String], inventory: &Inventory) -> Result<Self, Failure> {
        let known = || inventory.clusters.iter().map(|cluster| cluster.name.as_str());
        if let Some(name) = names.iter().find(|name| !known().any(|known| known == name.as_str())) {
            let all = known().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ");
            let help = did_you_mean(name, known()).unwrap_or_else(|| format!("The inventory has: {all}."));
            return Err(Failure::new(format!("there is no cluster `{name}`"), help));
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
        let parts: Vec<&str> = path.splitn(4, '/').collect();
        let (["clusters" | "bootstrap", cluster, _, ..] | ["delivery", "flux", cluster, _]) = parts[..] else { return true };
        self.0.as_ref().is_none_or(|names| names.contains(cluster))
    }
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

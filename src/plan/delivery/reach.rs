//! Which namespaces the `AppProject` of a tier permits: those that the tier has, and those that it may have had, and none that another tier could own.
//!
//! Argo CD deletes what leaves the tree as long as the project still permits where it is, and leaves the rest behind without a word. A namespace
//! that leaves the inventory must therefore stay permitted. By name that is exact: a tier owns `<team>-<tier>` and `<team>-<tier>-<workload>`
//! of every team. Two pairs of team and tier may share such names (`a-b` of the tier `c`, `a` of the tier `b-c`); what another tier could own as
//! well is permitted only while it is there. Entries that deny (`!name`) are no way out: Argo CD reads them as permitting everything else.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::model::{Model, names, platform};

/// Who owns the names that begin in some way, by that beginning: `<team>-<tier>-`.
pub struct Owners {
    tiers: BTreeMap<String, BTreeSet<usize>>,
    teams: Vec<String>,
    names: Vec<String>,
}

impl Owners {
    /// The owners that a model's teams and tiers are.
    pub fn of(model: &Model<'_>) -> Self {
        let teams = model.inventory.teams.iter().map(|team| team.name.as_str());
        Self::new(teams.collect(), (0..model.tiers.all.len()).map(|tier| model.tiers.name(tier)).collect())
    }

    fn new(teams: Vec<&str>, tiers: Vec<&str>) -> Self {
        let mut owners: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for team in &teams {
            for (at, tier) in tiers.iter().enumerate() {
                owners.entry(beginning(team, tier)).or_default().insert(at);
            }
        }
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        Self { tiers: owners, teams: owned(teams), names: owned(tiers) }
    }

    /// The names of a tier, as Argo CD's globs, and for each whether no other tier could own any of them.
    fn names(&self, tier: usize) -> impl Iterator<Item = (String, bool)> + '_ {
        self.teams.iter().flat_map(move |team| {
            let beginning = beginning(team, &self.names[tier]);
            let other = |tiers: &BTreeSet<usize>| tiers.iter().any(|other| *other != tier);
            // `a-b-c` may be a namespace of `a-b-`, which is the beginning of another tier's.
            let shorter = beginning.match_indices('-').filter_map(|(at, _)| self.tiers.get(&beginning[..=at]));
            let own = !shorter.into_iter().any(other);
            let longer = self.tiers.range::<str, _>((Bound::Excluded(beginning.as_str()), Bound::Unbounded));
            let further = longer.take_while(|(longer, _)| longer.starts_with(&beginning)).all(|(_, tiers)| !other(tiers));
            let name = names::namespace(team, &self.names[tier], None);
            [(name, own), (format!("{beginning}*"), own && further)]
        })
    }

    /// The names of a tier on a cluster: what its project permits there, and what it would permit, were it not also another tier's or the platform's.
    pub fn on_cluster(&self, model: &Model<'_>, tier: usize, cluster: usize) -> (BTreeSet<String>, BTreeSet<String>) {
        let host = &model.clusters.all[cluster];
        let platform = platform::namespaces(model.inventory, host, model.deliveries.of(cluster));
        let platforms = |name: &str| {
            // Kubernetes keeps this beginning for itself.
            let own = |taken: &str| name.strip_suffix('*').map_or(taken == name, |beginning| taken.starts_with(beginning));
            name.starts_with("kube-") || platform.iter().any(|namespace| own(&namespace.name))
        };
        let (safe, shared): (Vec<_>, Vec<_>) = self.names(tier).partition(|(name, own)| *own && !platforms(name));
        let names = |pairs: Vec<(String, bool)>| pairs.into_iter().map(|(name, _)| name).collect();
        (names(safe), names(shared))
    }
}

/// What the names of a team's namespaces of a tier begin with, but for the first, which lacks the `-` at the end.
fn beginning(team: &str, tier: &str) -> String {
    format!("{}-", names::namespace(team, tier, None))
}

#[cfg(test)]
mod tests {
    use super::Owners;

    fn permitted(teams: &[&str], tiers: &[&str], tier: usize) -> Vec<String> {
        Owners::new(teams.to_vec(), tiers.to_vec()).names(tier).filter(|(_, own)| *own).map(|(name, _)| name).collect()
    }

    #[test]
    fn a_tier_is_permitted_the_names_of_every_team() {
        assert_eq!(permitted(&["pay", "shop"], &["low", "high"], 1), ["pay-high", "pay-high-*", "shop-high", "shop-high-*"]);
    }

    #[test]
    fn what_another_tier_could_own_is_left_out() {
        // `pay-low-eu` is the namespace of a workload `eu` of the tier `low`, or that of the tier `low-eu`.
        assert_eq!(permitted(&["pay"], &["low", "low-eu"], 0), ["pay-low"]);
        assert_eq!(permitted(&["pay"], &["low", "low-eu"], 1), [""; 0]);
        // The same by the team's name.
        assert_eq!(permitted(&["pay", "pay-low"], &["low", "eu"], 0), ["pay-low", "pay-low-low", "pay-low-low-*"]);
        assert_eq!(permitted(&["pay", "pay-low"], &["low", "eu"], 1), ["pay-eu", "pay-eu-*"]);
        // Names that share their letters and not their parts are no trouble.
        assert_eq!(permitted(&["pay"], &["low", "lower"], 0), ["pay-low", "pay-low-*"]);
        assert_eq!(permitted(&["pay"], &["eu", "low-eu"], 0), ["pay-eu", "pay-eu-*"]);
    }

    #[test]
    fn no_tier_is_permitted_a_name_that_another_could_own_whatever_the_teams_and_tiers() {
        let words = ["a", "b", "a-b", "b-a", "a-b-a", "ab", "b-b"];
        let mut permits = 0;
        for chosen in 0_usize..1 << words.len() {
            let teams: Vec<&str> = words.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, word)| *word).collect();
            for tiers in [["a", "b"], ["a", "a-b"], ["b", "a-b"], ["b-a", "a"], ["b", "bb"]] {
                for (tier, other) in [(0, 1), (1, 0)] {
                    let patterns = permitted(&teams, &tiers, tier);
                    permits += patterns.len();
                    let own = teams.iter().map(|team| format!("{team}-{}", tiers[other]));
                    let foreign = own
                        .flat_map(|own| words.iter().map(|workload| format!("{own}-{workload}")).chain([own.clone()]).collect::<Vec<_>>());
                    for name in foreign {
                        let matches = |pattern: &String| pattern.strip_suffix('*').map_or(*pattern == name, |head| name.starts_with(head));
                        assert!(!patterns.iter().any(matches), "{name} of {other} is permitted to {tier} of {tiers:?} of {teams:?}");
                    }
                }
            }
        }
        assert!(permits > 500, "{permits}");
    }
}

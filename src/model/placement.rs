//! Which clusters a workload runs on: what it says itself, else its team, its tier, the fleet, else the only one that hosts its tier.

use super::clusters::Clusters;
use super::index::abridged;
use super::settings::selects;
use super::tiers::Tiers;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::fleet::Fleet;
use crate::inventory::selector::{ClusterMatch, ClusterSelector};
use crate::inventory::team::Team;
use crate::inventory::workload::Workload;
use crate::source::Spanned;

/// The clusters of a workload, in the order of the inventory; empty after a finding.
pub fn clusters_of(
    workload: &Spanned<Workload>,
    tier: usize,
    team: &Spanned<Team>,
    fleet: &Fleet,
    tiers: &Tiers<'_>,
    clusters: &Clusters<'_>,
    findings: &mut Findings,
) -> Vec<usize> {
    let name = &workload.identity.name;
    let hosting: Vec<usize> = clusters.hosting(tier).collect();
    if let Some(own) = &workload.identity.clusters {
        return match &own.value {
            ClusterSelector::Names(names) => own_names(workload, names, tier, tiers, clusters, findings),
            ClusterSelector::Matching(_) => selected(workload, own, tier, tiers, clusters, findings),
        };
    }
    let inherited = [&team.clusters, &tiers.all[tier].clusters, &fleet.clusters].into_iter().find_map(Option::as_ref);
    if let Some(selector) = inherited {
        return selected(workload, selector, tier, tiers, clusters, findings);
    }
    if hosting.len() > 1 && [workload.span, team.span].iter().any(|record| clusters.misspelt.may_mean(*record, "clusters")) {
        return Vec::new();
    }
    if hosting.len() > 1 {
        let names: Vec<&str> = hosting.iter().map(|at| clusters.name(*at)).collect();
        let message = format!("`{}` could run on {} clusters", name.value, hosting.len());
        let help =
            format!("Write `clusters`, here or at the team, tier or fleet; these host `{}`: {}.", tiers.name(tier), abridged(&names));
        findings.push(Diag::new(Code::ClustersUnclear, name.span, message).help(help));
        return Vec::new();
    }
    hosting
}

/// Reports references of a selector that name nothing; once for each selector, wherever it is used.
pub fn check_selector(selector: &Spanned<ClusterSelector>, clusters: &Clusters<'_>, findings: &mut Findings) {
    match &selector.value {
        ClusterSelector::Names(names) => {
            for name in names {
                clusters.index.resolve(name, name.span, findings);
            }
        }
        ClusterSelector::Matching(wanted) => check_match(&Spanned::new(wanted.clone(), selector.span), clusters, findings),
    }
}

/// Reports properties of a match that no cluster has.
pub fn check_match(wanted: &Spanned<ClusterMatch>, clusters: &Clusters<'_>, findings: &mut Findings) {
    let is_empty = wanted.environment.is_none() && wanted.region.is_none() && wanted.cluster.is_none();
    if is_empty && !clusters.misspelt.has(wanted.span) {
        let diag = Diag::new(Code::InvalidValue, wanted.span, "an empty selection would mean every cluster, those of tomorrow too");
        findings.push(diag.help(
            "Say which are meant: `environment`, `region` or `cluster`, or under `clusters` a list of names. What holds on every cluster of a \
             workload stands at the workload itself; what is left out of a grant is all that its owner has.",
        ));
    }
    if let Some(name) = &wanted.cluster {
        clusters.index.resolve(name, name.span, findings);
    }
    if clusters.are_more {
        return;
    }
    let environments = || clusters.all.iter().map(|host| host.raw.environment.as_str());
    let regions = || clusters.all.iter().filter_map(|host| host.raw.region.as_ref().map(|region| region.as_str()));
    if let Some(wanted) = wanted.environment.as_ref().filter(|wanted| !environments().any(|known| known == wanted.as_str())) {
        findings.push(no_cluster_is("environment", wanted, environments()));
    }
    if let Some(wanted) = wanted.region.as_ref().filter(|wanted| !regions().any(|known| known == wanted.as_str())) {
        findings.push(no_cluster_is("region", wanted, regions()));
    }
}

fn no_cluster_is<'a>(what: &str, wanted: &Spanned<String>, known: impl Iterator<Item = &'a str>) -> Diag {
    let known: std::collections::BTreeSet<&str> = known.collect();
    let diag = Diag::new(Code::UnknownReference, wanted.span, format!("no cluster is in the {what} `{}`", wanted.value));
    let diag = diag.rests_on(&["clusters"]);
    let all: Vec<&str> = known.iter().copied().collect();
    diag.help(crate::diag::did_you_mean(wanted, known).unwrap_or_else(|| format!("There are: {}.", abridged(&all))))
}

/// Whether something was found wrong with a selector: what it means is not known, and that it means nothing is not reported on top of that.
pub fn is_doubtful(selector: &Spanned<ClusterSelector>, clusters: &Clusters<'_>) -> bool {
    let is_unknown = |name: &Spanned<String>| clusters.index.get(name).is_none();
    match &selector.value {
        ClusterSelector::Names(names) => names.iter().any(is_unknown),
        ClusterSelector::Matching(wanted) => {
            let mut found = Findings::new();
            check_selector(selector, clusters, &mut found);
            !found.is_empty()
                || clusters.are_more
                || clusters.misspelt.has(selector.span)
                || wanted.cluster.as_ref().is_some_and(is_unknown)
        }
    }
}

fn own_names(
    workload: &Workload,
    names: &[Spanned<String>],
    tier: usize,
    tiers: &Tiers<'_>,
    clusters: &Clusters<'_>,
    findings: &mut Findings,
) -> Vec<usize> {
    let mut chosen = Vec::new();
    for name in names {
        let Some(at) = clusters.index.resolve(name, name.span, findings) else { continue };
        let host = &clusters.all[at];
        if !host.tiers.contains(&tier) {
            // That no cluster has the tier, or that one names a tier that is not there, was said of the cluster.
            if host.may_host(tier, tiers) || clusters.hosting(tier).next().is_none() {
                continue;
            }
            let message = format!("`{}` does not host the tier `{}` of `{}`", name.value, tiers.name(tier), workload.identity.name.value);
            let hosted = host.raw.tiers.first().map_or(host.raw.name.span, |first| first.span);
            let names: Vec<&str> = clusters.hosting(tier).map(|at| clusters.name(at)).collect();
            let diag = Diag::new(Code::ClusterWithoutTier, name.span, message).related(hosted, "what it hosts");
            findings.push(diag.help(format!("These host it: {}.", abridged(&names))));
        } else if chosen.contains(&at) {
            let diag = Diag::new(Code::DuplicateEntry, name.span, format!("the cluster `{}` is named twice", name.value));
            findings.push(diag.help("Keep one of them."));
        } else {
            chosen.push(at);
        }
    }
    if names.is_empty() {
        let diag = Diag::new(Code::ClustersUnclear, workload.identity.name.span, "the list of clusters is empty");
        findings.push(diag.help("Name a cluster, or remove the workload."));
    }
    chosen
}

/// The clusters that a selector means and that host the tier.
fn selected(
    workload: &Workload,
    selector: &Spanned<ClusterSelector>,
    tier: usize,
    tiers: &Tiers<'_>,
    clusters: &Clusters<'_>,
    findings: &mut Findings,
) -> Vec<usize> {
    let hosting: Vec<usize> = clusters.hosting(tier).collect();
    let chosen: Vec<usize> = hosting.iter().copied().filter(|at| selects(selector, clusters.all[*at].raw)).collect();
    let may_host = || clusters.all.iter().any(|host| selects(selector, host.raw) && host.may_host(tier, tiers));
    if chosen.is_empty() && !hosting.is_empty() && !is_doubtful(selector, clusters) && !may_host() {
        let name = &workload.identity.name;
        let message = format!("no selected cluster hosts the tier `{}` of `{}`", tiers.name(tier), name.value);
        let diag = Diag::new(Code::ClustersUnclear, name.span, message).related(selector.span, "what is selected");
        let diag = diag.rests_on(&["clusters"]);
        findings.push(diag.help("Widen the selection, write `clusters` at the workload, or let a selected cluster host the tier."));
    }
    chosen
}

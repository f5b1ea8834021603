//! What `monitoring` must not say: a Prometheus of no tier, and two that are one to whoever looks at their identity, their pods or their monitors.

use std::collections::BTreeSet;

use super::{Scraper, Watch};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;
use crate::inventory::fleet::{Monitoring, MonitoringFlavor};
use crate::model::{Clusters, Host, Tiers};
use crate::source::Spanned;

/// Reports every contradiction in how clusters are monitored.
pub fn check(inventory: &Inventory, tiers: &Tiers<'_>, clusters: &Clusters<'_>, findings: &mut Findings) {
    let of_fleet = inventory.fleet.iter().filter_map(|fleet| fleet.monitoring.as_ref()).map(|stated| (stated, None));
    let of_clusters = clusters.all.iter().filter_map(|host| Some((host.raw.monitoring.as_ref()?, Some(host))));
    for (stated, host) in of_fleet.chain(of_clusters) {
        check_tiers(stated, host, tiers, findings);
        check_accounts(stated, findings);
        if host.is_some() {
            check_nothing(stated, findings);
        }
    }
    for host in &clusters.all {
        let Some(watch) = Watch::of(inventory, host) else { continue };
        check_named(&watch, tiers, findings);
        let scrapers: Vec<&Scraper<'_>> = watch.scrapers().collect();
        for (at, later) in scrapers.iter().enumerate() {
            for earlier in &scrapers[..at] {
                check_apart(&watch, tiers, earlier, later, findings);
            }
        }
    }
}

/// Each entry is of a tier that there is, that the cluster hosts where it is a cluster's, and of no tier before it.
fn check_tiers(stated: &Monitoring, host: Option<&Host<'_>>, tiers: &Tiers<'_>, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for own in stated.tiers.iter().flatten() {
        let Some(tier) = tiers.index.resolve(&own.tier, own.tier.span, findings) else { continue };
        if !seen.insert(tier) {
            let diag =
                Diag::new(Code::DuplicateEntry, own.tier.span, format!("the tier `{}` has two instances of Prometheus", own.tier.value));
            findings.push(diag.help("Remove one: replicas and shards of one instance share its name and its ServiceAccount."));
        }
        if let Some(host) = host.filter(|host| !host.tiers.contains(&tier)) {
            let message = format!("`{}` does not host the tier `{}`", host.raw.name.value, own.tier.value);
            let diag = Diag::new(Code::InvalidValue, own.tier.span, message);
            findings.push(diag.help("Name a tier of the cluster, or state the instance for the whole fleet, under `fleet.monitoring`."));
        }
    }
}

/// The account that whatever says nothing runs as is nobody's identity (CIS 5.1.5).
fn check_accounts(stated: &Monitoring, findings: &mut Findings) {
    let of_tiers = stated.tiers.iter().flatten().filter_map(|own| own.service_account.as_ref());
    for account in stated.service_account.iter().chain(of_tiers).filter(|account| account.as_str() == "default") {
        let message = "whatever runs in the namespace and says nothing runs as `default`, and would find pods too";
        let diag = Diag::new(Code::InvalidValue, account.span, message);
        findings.push(diag.help("Name the ServiceAccount that Prometheus alone runs as (CIS 5.1.5)."));
    }
}

/// A cluster without monitoring has nothing else to say about it. The fleet's may: clusters with another flavor read the rest.
fn check_nothing(stated: &Spanned<Monitoring>, findings: &mut Findings) {
    let Some(flavor) = stated.flavor.as_ref().filter(|flavor| flavor.value == MonitoringFlavor::Nothing) else { return };
    let alone = Monitoring {
        flavor: Some(*flavor),
        namespace: None,
        instance: None,
        service_account: None,
        selector_labels: None,
        tiers: None,
        dashboards: None,
    };
    if stated.value != alone {
        let diag = Diag::new(Code::InvalidValue, flavor.span, "the cluster has no monitoring, so nothing reads what else stands here");
        findings.push(diag.help("Remove the other keys of `monitoring`, or write another flavor."));
    }
}

/// Without a name the cluster's own is let in as any Prometheus of its namespace, and those of tiers with it.
fn check_named(watch: &Watch<'_>, tiers: &Tiers<'_>, findings: &mut Findings) {
    let Some(own) = watch.of_tiers.first().filter(|_| watch.of_cluster.instance.is_none()) else { return };
    let tier = own.tier.map_or("", |tier| tiers.name(tier));
    let message = format!("network policies cannot tell the cluster's own Prometheus, which has no name, from that of the tier `{tier}`");
    let diag = Diag::new(Code::ScrapeIdentityShared, own.origin, message).related(watch.of_cluster.origin, "the cluster's own");
    findings.push(diag.help(format!(
        "State its name as `monitoring.instance`, and `serviceAccount: {}` beside it if it is to stay that.",
        watch.of_cluster.account
    )));
}

/// Two instances on one cluster differ in their identity, their name and the labels by which they select.
fn check_apart(watch: &Watch<'_>, tiers: &Tiers<'_>, earlier: &Scraper<'_>, later: &Scraper<'_>, findings: &mut Findings) {
    let whose = |scraper: &Scraper<'_>| {
        scraper
            .tier
            .map_or_else(|| "the cluster's own Prometheus".to_owned(), |tier| format!("the Prometheus of the tier `{}`", tiers.name(tier)))
    };
    let mut report = |what: String, help: &str| {
        let message = format!("{} and {} {what}", whose(earlier), whose(later));
        let diag = Diag::new(Code::ScrapeIdentityShared, later.origin, message);
        findings.push(diag.related(earlier.origin, "the other one").help(help));
    };
    if earlier.account == later.account {
        report(
            format!("both run as the ServiceAccount `{}`", later.account),
            "Give each a `serviceAccount` of its own: what one may find, the other may find too.",
        );
    }
    if let (Some(one), Some(other)) = (earlier.instance, later.instance)
        && one == other
    {
        report(
            format!("are both called `{one}`"),
            "Give each a name of its own under `instance`: network policies tell their pods apart by it.",
        );
    }
    let within = |some: &Scraper<'_>, all: &Scraper<'_>| some.labels.iter().all(|(key, value)| all.labels.get(key) == Some(value));
    if watch.flavor == MonitoringFlavor::PrometheusOperator && (within(earlier, later) || within(later, earlier)) {
        report(
            "select the same monitors".to_owned(),
            "Give each a label under `selectorLabels` that the other has with another value, or not at all: one that has all labels of another is \
             selected by both.",
        );
    }
}

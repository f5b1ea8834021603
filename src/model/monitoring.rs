//! Who scrapes what: the instances of Prometheus on each cluster, the identity of each, and what they may find (SP 800-190 4.3.1).
//!
//! Each identity finds pods in exactly the namespaces that it scrapes: one of a tier's own in that tier's alone, the cluster's in all others and in
//! those of the platform.

mod check;
pub mod plugin;

use std::collections::BTreeMap;

use super::platform::{self, PlatformNamespace};
use super::{Deliveries, Host, Instance, Model, Namespace};
use crate::inventory::Inventory;
use crate::inventory::cluster::Cluster;
use crate::inventory::fleet::{Dashboards, Monitoring, MonitoringFlavor};
use crate::inventory::pod::Port;
use crate::source::{Span, Spanned};

pub(super) use check::check;

/// By what the sidecar of Grafana's chart finds dashboards unless the inventory says otherwise.
const SIDECAR: (&str, &str) = ("grafana_dashboard", "1");
/// Where Prometheus runs unless the inventory says otherwise.
const NAMESPACE: &str = "monitoring";
/// As whom it runs there: what kube-prometheus calls it.
const ACCOUNT: &str = "prometheus-k8s";
/// What the pods of every Prometheus have, whoever made them.
const PROMETHEUS: (&str, &str) = ("app.kubernetes.io/name", "prometheus");
/// By what prometheus-operator tells the pods of one Prometheus from those of another.
const OPERATOR_S: &str = "operator.prometheus.io/name";
/// By what everybody else does.
const INSTANCE: &str = "app.kubernetes.io/instance";
/// Kubernetes' own namespaces in which nothing is to be scraped.
const EMPTY: [&str; 2] = ["kube-node-lease", "kube-public"];

/// How a cluster is monitored.
#[derive(Debug)]
pub struct Watch<'i> {
    /// Which objects, or files, tell Prometheus what to scrape.
    pub flavor: MonitoringFlavor,
    /// The namespace of every Prometheus.
    pub namespace: &'i str,
    /// Where that is stated, or what it follows from.
    pub origin: Span,
    /// The labels by which Grafana's sidecar finds dashboards.
    pub dashboards: BTreeMap<&'i str, &'i str>,
    /// The cluster's own Prometheus.
    pub of_cluster: Scraper<'i>,
    /// Those of tiers that the cluster hosts, in the order they were written.
    pub of_tiers: Vec<Scraper<'i>>,
}

/// A Prometheus.
#[derive(Debug)]
pub struct Scraper<'i> {
    /// The tier whose it is; the cluster's own has none.
    pub tier: Option<usize>,
    /// Its name, where it is stated.
    pub instance: Option<&'i str>,
    /// The ServiceAccount as which it runs.
    pub account: String,
    /// The labels by which it selects monitors and rules.
    pub labels: BTreeMap<&'i str, &'i str>,
    /// Where it is stated.
    pub origin: Span,
}

impl<'i> Watch<'i> {
    /// How a cluster is monitored, if it is: what it leaves out is as the fleet has it.
    pub fn of(inventory: &'i Inventory, host: &Host<'i>) -> Option<Self> {
        let flavor = flavor(inventory, host.raw)?;
        let stated = stated(inventory, host.raw);
        let origin = stated.into_iter().flatten().next()?.span;
        let namespace = first(stated, |monitoring| monitoring.namespace.as_ref());
        let instance = first(stated, |monitoring| monitoring.instance.as_ref());
        let of_cluster = Scraper {
            tier: None,
            instance: instance.map(|name| name.as_str()),
            account: account(first(stated, |monitoring| monitoring.service_account.as_ref()), instance.map(|name| name.as_str())),
            labels: labels(first(stated, |monitoring| monitoring.selector_labels.as_ref())),
            origin,
        };
        let of_tiers = first(stated, |monitoring| monitoring.tiers.as_ref()).into_iter().flatten().filter_map(|own| {
            let tier = inventory.tiers.iter().position(|tier| tier.name.as_str() == own.tier.as_str())?;
            host.tiers.contains(&tier).then(|| Scraper {
                tier: Some(tier),
                instance: Some(own.instance.as_str()),
                account: account(own.service_account.as_ref(), Some(own.instance.as_str())),
                labels: labels(Some(&own.selector_labels)),
                origin: own.span,
            })
        });
        Some(Self {
            flavor,
            namespace: namespace.map_or(NAMESPACE, |namespace| namespace.as_str()),
            origin: namespace.map_or(origin, |namespace| namespace.span),
            dashboards: dashboards(first(stated, |monitoring| monitoring.dashboards.as_ref())),
            of_cluster,
            of_tiers: of_tiers.collect(),
        })
    }

    /// Every Prometheus: first the cluster's, then those of tiers.
    pub fn scrapers(&self) -> impl Iterator<Item = &Scraper<'i>> {
        std::iter::once(&self.of_cluster).chain(&self.of_tiers)
    }

    /// The Prometheus that scrapes a tier's namespaces: its own, else the cluster's.
    pub fn scraper_of(&self, tier: usize) -> &Scraper<'i> {
        self.of_tiers.iter().find(|own| own.tier == Some(tier)).unwrap_or(&self.of_cluster)
    }

    /// Labels of the pods of a Prometheus, by which network policies let it in: where its name is not stated, those that every Prometheus has.
    pub fn pod_labels(&self, scraper: &Scraper<'i>) -> BTreeMap<String, String> {
        let by_name = if self.flavor == MonitoringFlavor::PrometheusOperator { OPERATOR_S } else { INSTANCE };
        let own = scraper.instance.map(|name| (by_name, name));
        [PROMETHEUS].into_iter().chain(own).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}

/// Which objects, or files, a cluster's Prometheus reads; none where it has no monitoring, because nothing says so or `none` does.
pub fn flavor(inventory: &Inventory, cluster: &Cluster) -> Option<MonitoringFlavor> {
    let stated = stated(inventory, cluster);
    stated.into_iter().flatten().next()?;
    let flavor = first(stated, |monitoring| monitoring.flavor.as_ref()).map_or(MonitoringFlavor::PrometheusOperator, |flavor| flavor.value);
    (flavor != MonitoringFlavor::Nothing).then_some(flavor)
}

/// The namespaces of the platform in which the cluster's own Prometheus finds what it scrapes: the API server, DNS, the network plugin, what tells
/// of objects and nodes, and what the platform runs. Not that of an Argo CD that serves the cluster: nothing that it applies may write there.
pub fn platform_namespaces(inventory: &Inventory, host: &Host<'_>, deliveries: &Deliveries, cluster: usize) -> Vec<String> {
    if Watch::of(inventory, host).is_none() {
        return Vec::new();
    }
    let delivery = deliveries.of(cluster);
    let argocd = delivery.and_then(|delivery| delivery.argocd.as_ref()).map(|argocd| argocd.namespace.as_str());
    let all = platform::namespaces(inventory, host, delivery).into_iter();
    let lived_in = |space: &PlatformNamespace| space.present && !EMPTY.contains(&space.name.as_str()) && argocd != Some(&space.name);
    all.filter(lived_in).map(|space| space.name).collect()
}

/// The ports of a workload that are scraped, each with the path.
pub fn scraped<'a>(instance: &'a Instance<'_>) -> impl Iterator<Item = (&'a Spanned<Port>, &'a Spanned<String>)> {
    let ports = instance.cascade.settings.ports.iter().flatten();
    ports.filter_map(|port| Some((port, port.scrape.as_ref()?)))
}

/// Whether anything in a namespace is scraped.
pub fn is_scraped(model: &Model<'_>, namespace: &Namespace) -> bool {
    let mut here = model.instances_on(namespace.cluster).iter().filter(|instance| instance.namespace == namespace.name);
    here.any(|instance| scraped(instance).next().is_some())
}

/// What the cluster says, and what the fleet does.
fn stated<'i>(inventory: &'i Inventory, cluster: &'i Cluster) -> [Option<&'i Spanned<Monitoring>>; 2] {
    [cluster.monitoring.as_ref(), inventory.fleet.as_ref().and_then(|fleet| fleet.monitoring.as_ref())]
}

/// What the most specific of two says.
fn first<'i, T>(stated: [Option<&'i Spanned<Monitoring>>; 2], key: impl Fn(&'i Monitoring) -> Option<&'i T>) -> Option<&'i T> {
    stated.into_iter().flatten().find_map(|monitoring| key(monitoring))
}

/// As kube-prometheus names it: after the instance, which it calls `k8s`.
fn account(stated: Option<&Spanned<crate::formats::DnsSubdomain>>, instance: Option<&str>) -> String {
    let usual = || instance.map_or_else(|| ACCOUNT.to_owned(), |name| format!("prometheus-{name}"));
    stated.map_or_else(usual, |account| account.as_str().to_owned())
}

fn dashboards(stated: Option<&Dashboards>) -> BTreeMap<&str, &str> {
    let labels = labels(stated.map(|dashboards| &dashboards.labels));
    if labels.is_empty() { BTreeMap::from([SIDECAR]) } else { labels }
}

fn labels(stated: Option<&crate::decode::Entries<Spanned<crate::formats::LabelValue>>>) -> BTreeMap<&str, &str> {
    stated.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

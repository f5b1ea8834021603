//! Keys that are read and checked but of which no object is made: one note names them, so that nobody believes in an object that is not there. A line
//! goes when its objects come.
//!
//! Facts that an inventory states for rules to go by (a region, a class of data, an address range) ask for no object, and neither do defaults that
//! everybody replaces.

use std::collections::BTreeSet;

use super::index::abridged;
use super::instance::Instance;
use super::monitoring::{flavor, scraped};
use super::{Clusters, Deliveries, Host, bootstrap, identity};
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;
use crate::inventory::fleet::{Monitoring, MonitoringFlavor};
use crate::inventory::provider::Autoscaler;

/// What the note is made from.
struct Ground<'a, 'i> {
    inventory: &'i Inventory,
    clusters: &'a Clusters<'i>,
    deliveries: &'a Deliveries,
    instances: &'a [Instance<'i>],
}

/// The note, where the inventory uses any such key.
pub fn note(inventory: &Inventory, clusters: &Clusters<'_>, deliveries: &Deliveries, instances: &[Instance<'_>]) -> Option<Diag> {
    let fleet = inventory.fleet.as_ref()?;
    let ground = Ground { inventory, clusters, deliveries, instances };
    let mut unmade = ground.of_clusters();
    unmade.extend(ground.of_the_delivery());
    unmade.extend(ground.of_what_nobody_uses());
    if unmade.is_empty() {
        return None;
    }
    let message = format!("these keys are checked, but no object is made of them: {}", unmade.join("; "));
    let diag = Diag::new(Code::NotGenerated, fleet.name.span, message);
    Some(diag.help("The rest of the tree does not wait for them."))
}

impl Ground<'_, '_> {
    /// Keys that a cluster's provider, or its monitoring, leaves nothing to make of.
    fn of_clusters(&self) -> Vec<String> {
        let identity = |host: &Host<'_>, key: fn(&crate::inventory::fleet::Identity) -> bool| {
            !is_ours(host) && identity::states(self.inventory, host.raw, key)
        };
        let unseen: BTreeSet<usize> =
            self.instances.iter().filter(|instance| scraped(instance).next().is_some()).map(|instance| instance.cluster).collect();
        let unseen = |at: usize, host: &Host<'_>| unseen.contains(&at) && flavor(self.inventory, host.raw).is_none();
        let all = [
            self.on("ports.scrape without monitoring", unseen),
            self.on("clusters.provider (what makes the nodes)", |_, host| bootstrap::files(&host.raw.provider).is_none()),
            self.on("clusters.provider.autoscaler", |_, host| host.raw.provider.autoscaler == Autoscaler::ClusterAutoscaler),
            self.on("clusters.network.apiServer.host", |_, host| names_its_server(host) && !has_files_with_its_address(host)),
            self.on("clusters.trust.kms", |_, host| !is_ours(host) && host.raw.trust.as_ref().is_some_and(|trust| trust.kms.is_some())),
            self.on("identity.certificateAuthority", |_, host| identity(host, |stated| stated.certificate_authority.is_some())),
            self.on("identity.mfa", |_, host| identity(host, |stated| stated.mfa.is_some())),
            self.on("identity.tokenSeconds", |_, host| identity(host, |stated| stated.token_seconds.is_some())),
            self.on("clusters.monitoring.selectorLabels", |_, host| {
                let plain = flavor(self.inventory, host.raw) == Some(MonitoringFlavor::Plain);
                plain && host.raw.monitoring.as_ref().is_some_and(|stated| stated.selector_labels.is_some())
            }),
            self.on("clusters.monitoring", |_, host| {
                host.raw.monitoring.as_ref().is_some_and(|stated| says_more_than_a_flavor(stated))
                    && flavor(self.inventory, host.raw).is_none()
            }),
        ];
        all.into_iter().flatten().collect()
    }

    /// Keys that only sync objects are made of.
    fn of_the_delivery(&self) -> Vec<String> {
        let Some(fleet) = &self.inventory.fleet else { return Vec::new() };
        let delivered = || (0..self.clusters.all.len()).filter_map(|at| Some((at, self.deliveries.of(at)?)));
        // With a GitRepository that is there, it alone says what is read.
        let reads =
            |at: usize| self.deliveries.of(at).is_some_and(|by| by.argocd.is_some() || by.flux.as_ref().is_some_and(|flux| flux.written));
        let mut unmade = Vec::new();
        if let Some(repository) = &fleet.repository {
            if delivered().next().is_none() {
                unmade.push("fleet.repository without delivery".to_owned());
            } else if repository.secret.is_some()
                && !delivered().any(|(_, by)| by.flux.as_ref().is_some_and(|flux| flux.written) && by.secret.is_some())
            {
                unmade.push("fleet.repository.secret".to_owned());
            }
        }
        for (name, environment) in fleet.environments.iter().flat_map(|all| all.iter()) {
            let mut followers = self.clusters.all.iter().enumerate().filter(|(_, host)| host.raw.environment.as_str() == name.as_str());
            if environment.revision.is_some() && !followers.any(|(at, _)| reads(at)) {
                unmade.push(format!("fleet.environments.{}.revision", name.value));
            }
        }
        unmade
    }

    /// Keys of which objects are made for those who use them, and nobody does.
    fn of_what_nobody_uses(&self) -> Vec<String> {
        let used: BTreeSet<&str> = self.instances.iter().flat_map(|instance| &instance.configs).map(String::as_str).collect();
        let configs = self.inventory.configs.iter().map(|config| config.name.as_str()).filter(|name| !used.contains(name));
        let mut unmade: Vec<String> = configs.map(|name| format!("configs `{name}`, to which no workload refers")).collect();
        let owners: BTreeSet<&str> = self.instances.iter().map(|instance| instance.team.name.as_str()).collect();
        let teams = self.inventory.teams.iter().filter(|team| !team.quota.is_empty() && !owners.contains(team.name.as_str()));
        unmade.extend(teams.map(|team| format!("teams.quota of `{}`, which has no workload", team.name.value)));
        let monitored = || self.clusters.all.iter().any(|host| flavor(self.inventory, host.raw).is_some());
        let stated = self.inventory.fleet.as_ref().and_then(|fleet| fleet.monitoring.as_ref());
        if stated.is_some_and(|stated| says_more_than_a_flavor(stated)) && !monitored() {
            unmade.push("fleet.monitoring".to_owned());
        }
        unmade
    }

    /// A key, and the clusters on which it makes nothing where others make something of it; none where it makes something on all.
    fn on(&self, key: &str, is_unmade: impl Fn(usize, &Host<'_>) -> bool) -> Option<String> {
        let all = &self.clusters.all;
        let names: Vec<&str> =
            all.iter().enumerate().filter(|(at, host)| is_unmade(*at, host)).map(|(_, host)| host.raw.name.as_str()).collect();
        match names.len() {
            0 => None,
            most if most == all.len() => Some(key.to_owned()),
            _ => Some(format!("{key} on {}", abridged(&names))),
        }
    }
}

/// Whether files of ours are what the control plane reads.
fn is_ours(host: &Host<'_>) -> bool {
    bootstrap::is_self_managed(host.raw.provider.distribution)
}

fn names_its_server(host: &Host<'_>) -> bool {
    host.raw.network.api_server.as_ref().is_some_and(|server| server.host.is_some())
}

/// Whether nodes of the cluster are told by a file of ours where its API server answers.
fn has_files_with_its_address(host: &Host<'_>) -> bool {
    let provider = &host.raw.provider;
    bootstrap::files(provider).is_some_and(|files| files != bootstrap::Files::ClusterApi || provider.machines.is_some())
}

fn says_more_than_a_flavor(stated: &Monitoring) -> bool {
    stated.namespace.is_some()
        || stated.instance.is_some()
        || stated.service_account.is_some()
        || stated.selector_labels.is_some()
        || stated.tiers.is_some()
        || stated.dashboards.is_some()
}

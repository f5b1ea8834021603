//! What makes a cluster's nodes and its control plane, and which files are written for it (SP 800-190 4.3.2, 4.3.5).
//!
//! A managed control plane takes none of these files: its provider decides what its API server runs with.

mod api_server;
mod authentication;

use super::exemptions::Place;
use super::platform;
use super::{Model, identity, selects};
use crate::inventory::cluster::{CniName, Enforcement};
use crate::inventory::fleet::{PlatformGrant, PlatformRole};
use crate::inventory::provider::{Distribution, Provider, Provisioner};
use crate::inventory::tier::PodSecurity;
use crate::source::Spanned;

pub use api_server::{Flag, component_flags};
pub use authentication::{Authentication, Rule};

/// Controls of the control plane that an exemption may waive for a whole cluster.
pub mod control {
    /// A token of a person proves a second factor.
    pub const SECOND_FACTOR: &str = "second-factor";
    /// A token of a person is issued for a short time.
    pub const TOKEN_LIFETIME: &str = "token-lifetime";
}

crate::words! {
    /// Which files make the nodes and the control plane.
    pub enum Files {
        /// Drop-ins of RKE2's configuration.
        Rke2 = "rke2",
        /// Drop-ins of K3s' configuration.
        K3s = "k3s",
        /// Configurations of kubeadm.
        Kubeadm = "kubeadm",
        /// Objects of Cluster API, for a management cluster.
        ClusterApi = "cluster-api",
    }
}

/// A key of the inventory without which some file is not written, or not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The key.
    pub key: &'static str,
    /// What is not there without it.
    pub without: &'static str,
}

/// The defaults of Pod Security on a cluster: they hold for namespaces that have no label of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// What an unlabelled namespace is held to.
    pub level: PodSecurity,
    /// Platform namespaces that no default holds for: what runs there needs the host.
    pub exempt: Vec<String>,
}

/// What encrypts the secrets of a cluster at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// The KMS provider's name.
    pub name: String,
    /// Its socket, as an address.
    pub endpoint: String,
    /// The folder of the socket.
    pub folder: String,
    /// What is encrypted.
    pub resources: Vec<&'static str>,
}

/// Where the API server answers its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A name or an address.
    pub host: String,
    /// The same as it stands in an address with a port.
    pub authority: String,
    /// The port.
    pub port: u16,
}

/// How a cluster's nodes and control plane come about.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// Whether the control plane is the platform team's own.
    pub self_managed: bool,
    /// The files that are written; none where the provisioner's are not.
    pub files: Option<Files>,
    /// The folder on servers where the control plane's files lie.
    pub folder: &'static str,
    /// Who authenticates people; none where no issuer is stated.
    pub authentication: Option<Authentication>,
    /// What encrypts secrets; none where no KMS is stated.
    pub encryption: Option<Encryption>,
    /// The defaults of Pod Security.
    pub admission: Admission,
    /// Groups of whom everything is logged.
    pub break_glass: Vec<String>,
    /// Flags of the API server.
    pub api_server: Vec<Flag>,
    /// Where the API server answers.
    pub endpoint: Option<Endpoint>,
    /// What the inventory would have to say for more to be written.
    pub missing: Vec<Missing>,
}

/// Decides all of it for one cluster.
pub fn of(model: &Model<'_>, cluster: usize) -> Bootstrap {
    let host = &model.clusters.all[cluster];
    let provider = &host.raw.provider.value;
    let files = files(provider);
    let waived = |control: &str| model.exemptions.is_waived(control, Place { cluster: host.raw.name.as_str(), ..Place::default() });
    let identity = identity::of(model.inventory, host.raw);
    let break_glass = break_glass(model, cluster, identity.as_ref().map_or("", |identity| identity.groups_prefix.as_str()));
    let authentication = identity.map(|identity| Authentication::new(identity, host.minor, files == Some(Files::ClusterApi), waived));
    let encryption = encryption(model, cluster);
    let endpoint = endpoint(model, cluster);
    let folder = folder(provider.distribution);
    let api_server = api_server::flags(provider.distribution, folder, authentication.is_some(), encryption.is_some());
    let missing = [
        (authentication.is_none(), "identity.issuer", "an AuthenticationConfiguration: nobody's identity provider is asked"),
        (encryption.is_none(), "trust.kms", "an EncryptionConfiguration with a KMS"),
        (files.is_some() && endpoint.is_none(), "network.apiServer", "the address that nodes join at"),
        (
            files == Some(Files::ClusterApi) && provider.machines.is_none(),
            "provider.machines",
            "every object of Cluster API: the release and the infrastructure's objects are for you to name",
        ),
    ];
    let missing = missing.into_iter().filter(|(is_missing, ..)| *is_missing).map(|(_, key, without)| Missing { key, without });
    Bootstrap {
        self_managed: is_self_managed(provider.distribution),
        files,
        folder,
        authentication,
        encryption,
        admission: admission(model, cluster),
        break_glass,
        api_server,
        endpoint,
        missing: missing.collect(),
    }
}

/// The files for a provider; none where they are not written yet, or where there can be none.
pub fn files(provider: &Provider) -> Option<Files> {
    match (provider.provisioner, provider.distribution) {
        (Provisioner::Static, Distribution::Rke2) => Some(Files::Rke2),
        (Provisioner::Static, Distribution::K3s) => Some(Files::K3s),
        (Provisioner::Static, Distribution::Kubeadm) => Some(Files::Kubeadm),
        (Provisioner::ClusterApi, Distribution::Kubeadm) => Some(Files::ClusterApi),
        _ => None,
    }
}

/// Whether the API server is ours to configure, not the provider's.
pub fn is_self_managed(distribution: Distribution) -> bool {
    matches!(distribution, Distribution::Rke2 | Distribution::K3s | Distribution::Kubeadm)
}

fn folder(distribution: Distribution) -> &'static str {
    match distribution {
        Distribution::Rke2 => "/etc/rancher/rke2/ringfence",
        Distribution::K3s => "/etc/rancher/k3s/ringfence",
        Distribution::Kubeadm | Distribution::Eks | Distribution::Gke => "/etc/kubernetes/ringfence",
    }
}

/// The groups that hold `break-glass` on a cluster, by the prefix that they have there.
fn break_glass(model: &Model<'_>, cluster: usize, prefix: &str) -> Vec<String> {
    let host = &model.clusters.all[cluster];
    let here = |grant: &&Spanned<PlatformGrant>| {
        grant.role.value == PlatformRole::BreakGlass && grant.clusters.as_ref().is_none_or(|selector| selects(selector, host.raw))
    };
    let of_tiers = host.tiers.iter().flat_map(|tier| &model.tiers.all[*tier].grants);
    let all = model.fleet.grants.iter().chain(of_tiers).chain(&host.raw.grants).filter(here);
    let mut groups: Vec<String> = all.map(|grant| format!("{prefix}{}", grant.group.value)).collect();
    groups.sort();
    groups.dedup();
    groups
}

/// Secrets everywhere; ConfigMaps too where the highest tier is, since what is sensitive there is not only in Secrets.
fn encryption(model: &Model<'_>, cluster: usize) -> Option<Encryption> {
    let host = &model.clusters.all[cluster];
    let kms = host.raw.trust.as_ref()?.kms.as_ref()?;
    let is_top = host.tiers.iter().any(|tier| model.tiers.is_highest(*tier));
    let socket = kms.endpoint.as_str().trim_start_matches("unix://");
    let folder = socket.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(Encryption {
        name: kms.name.value.clone(),
        endpoint: kms.endpoint.to_string(),
        folder: folder.to_owned(),
        resources: if is_top { vec!["secrets", "configmaps"] } else { vec!["secrets"] },
    })
}

/// An unlabelled namespace is held to the strictest level that every platform namespace fits which is not exempt: these may have no label. Where
/// nothing is to be refused yet, it is held to none.
fn admission(model: &Model<'_>, cluster: usize) -> Admission {
    let host = &model.clusters.all[cluster];
    let platform = platform::namespaces(model.inventory, host, model.deliveries.of(cluster));
    let present = || platform.iter().filter(|namespace| namespace.present);
    let mut exempt: Vec<String> =
        present().filter(|namespace| namespace.level == PodSecurity::Privileged).map(|namespace| namespace.name.clone()).collect();
    // RKE2 brings Calico along, in namespaces of its own; its other plugins are in kube-system.
    if host.raw.provider.distribution == Distribution::Rke2 && host.raw.cni.name.value == CniName::Calico {
        exempt.extend(["calico-system", "tigera-operator"].map(str::to_owned));
        exempt.sort();
        exempt.dedup();
    }
    let others = present().map(|namespace| namespace.level).filter(|level| *level != PodSecurity::Privileged);
    let level = match host.enforcement() {
        Enforcement::Deny => others.min().unwrap_or(PodSecurity::Restricted),
        Enforcement::Audit => PodSecurity::Privileged,
    };
    Admission { level, exempt }
}

/// The stated name, or the first of the addresses where that is a single one.
fn endpoint(model: &Model<'_>, cluster: usize) -> Option<Endpoint> {
    let server = model.clusters.all[cluster].raw.network.api_server.as_ref()?;
    let single = server.endpoints.iter().map(|range| range.net()).find(|net| net.prefix_len() == net.max_prefix_len());
    let host = server.host.as_ref().map(|host| host.to_string()).or_else(|| single.map(|net| net.addr().to_string()))?;
    let authority = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    Some(Endpoint { host, authority, port: server.port.map_or(6443, |port| port.value) })
}

//! Clusters: where tiers run.

use super::fleet::{Delivery, Identity, Monitoring, PlatformGrant};
use super::provider::Provider;
use super::shape::{Brief, Shorthand, Vec1};
use super::tier::PodSecurity;
use super::workload::Settings;
use crate::formats::{Address, Cidr, DnsLabel, DnsSubdomain, HostName, Url};
use crate::source::Spanned;
use crate::{record, words};

record! {
    "a cluster"
    /// A cluster and the tiers it hosts.
    pub struct Cluster {
        /// Its name: a folder below `clusters/`.
        pub name: Spanned<DnsLabel>,
        /// The tiers that it hosts.
        pub tiers: Vec1<Spanned<String>>,
        /// Its environment.
        pub environment: Spanned<DnsLabel>,
        /// Its region.
        pub region: Option<Spanned<String>>,
        /// Its Kubernetes minor; the fleet's if left out.
        pub kubernetes: Option<Spanned<String>>,
        /// Its network plugin.
        pub cni: Brief<Cni>,
        /// What makes its nodes.
        pub provider: Spanned<Provider>,
        /// Whether its policies refuse, or warn and log; they refuse if left out.
        pub enforcement: Option<Spanned<Enforcement>>,
        /// Whether pods that say nothing of where they run are given their tier's placement (from Kubernetes 1.36); not, if left out.
        pub placement_mutation: Option<Spanned<bool>>,
        /// Its address ranges.
        pub network: Spanned<Network>,
        /// Its roots of trust, shared with no other cluster (SP 800-190 4.3.5).
        pub trust: Option<Spanned<Trust>>,
        /// Who may bring traffic in; nobody if left out.
        pub ingress: Option<Spanned<Ingress>>,
        /// What the platform team runs in it.
        pub platform: Option<Platform>,
        /// Its node pools.
        pub node_pools: Vec1<Spanned<NodePool>>,
        /// Sync objects of its own.
        pub delivery: Option<Spanned<Delivery>>,
        /// Who authenticates people, where it differs from the fleet.
        pub identity: Option<Spanned<Identity>>,
        /// How it is monitored, where it differs from the fleet.
        pub monitoring: Option<Spanned<Monitoring>>,
        /// People of the platform, on this cluster.
        pub grants: Vec<Spanned<PlatformGrant>>,
        /// Defaults of the workloads on it.
        pub defaults: Option<Box<Settings>>,
    }
}

words! {
    /// Network plugins.
    pub enum CniName {
        /// Weave Net.
        Weave = "weave",
        /// Cilium.
        Cilium = "cilium",
        /// Calico.
        Calico = "calico",
    }
}

record! {
    "`cni`"
    /// The network plugin; one word where it needs nothing else.
    pub struct Cni {
        /// Which one.
        pub name: Spanned<CniName>,
        /// The Secret with the password of its encryption; shared with no other cluster.
        pub encryption_secret: Option<Spanned<DnsSubdomain>>,
        /// Calico's minor, such as "3.32": from that one on it has rules that stand above those of namespaces.
        pub version: Option<Spanned<String>>,
    }
}

impl Shorthand for Cni {
    type Word = CniName;

    fn from_word(name: Spanned<CniName>) -> Self {
        Self { name, encryption_secret: None, version: None }
    }
}

words! {
    /// Whether policies refuse.
    pub enum Enforcement {
        /// They refuse.
        Deny = "deny",
        /// They warn and log: for a roll-out on a cluster that lives.
        Audit = "audit",
    }
}

record! {
    "`network`"
    /// A cluster's address ranges.
    pub struct Network {
        /// Of pods.
        pub pods: Vec1<Spanned<Cidr>>,
        /// Of Services.
        pub services: Vec1<Spanned<Cidr>>,
        /// Of nodes.
        pub nodes: Vec1<Spanned<Cidr>>,
        /// What other networks see our pods as, after NAT; the nodes if left out.
        pub egress: Option<Vec1<Spanned<Cidr>>>,
        /// Where the API server answers.
        pub api_server: Option<ApiServer>,
        /// Where names are resolved.
        pub dns: Option<Dns>,
    }
}

record! {
    "`apiServer`"
    /// Where the API server answers.
    pub struct ApiServer {
        /// The one name, or address, by which nodes and people reach all of it; the first of its addresses if left out.
        pub host: Option<Spanned<HostName>>,
        /// Its addresses.
        pub endpoints: Vec<Spanned<Cidr>>,
        /// Its port; 6443 if left out, 443 where a provider runs it.
        pub port: Option<Spanned<u16>>,
    }
}

record! {
    "`dns`"
    /// Where names are resolved.
    pub struct Dns {
        /// The cluster's domain; `cluster.local` if left out.
        pub domain: Option<Spanned<DnsSubdomain>>,
        /// The address of a node-local cache.
        pub node_local: Option<Spanned<Address>>,
    }
}

record! {
    "`trust`"
    /// References to a cluster's roots of trust; never the things themselves.
    pub struct Trust {
        /// Its certificate authority.
        pub ca: Option<Spanned<String>>,
        /// What lets a node join.
        pub join_token: Option<Spanned<String>>,
        /// What encrypts its store.
        pub kms: Option<Kms>,
    }
}

record! {
    "`kms`"
    /// A key management service.
    pub struct Kms {
        /// Its name.
        pub name: Spanned<String>,
        /// Its socket.
        pub endpoint: Spanned<Url>,
    }
}

record! {
    "`ingress`"
    /// Who may bring traffic in.
    pub struct Ingress {
        /// The class of its Ingress objects.
        pub class: Spanned<DnsSubdomain>,
        /// The namespace that it runs in: a platform namespace.
        pub namespace: Spanned<DnsLabel>,
    }
}

record! {
    "`platform`"
    /// What the platform team runs: not tiered, view-only for teams, on the system pool.
    pub struct Platform {
        /// Its namespaces.
        pub namespaces: Vec<Brief<PlatformNamespace>>,
        /// Identities that may write RBAC, namespaces, webhooks beside the delivery's own.
        pub identities: Vec<Spanned<String>>,
        /// What makes nodes, as the cluster knows it: it may set a tier's label and taints. The provisioner's usual identity if left out.
        pub node_identities: Option<Vec<Spanned<String>>>,
        /// Groups that operate its namespaces (restart and scale what runs there), without the identity's prefix; everybody else only looks.
        pub operators: Vec<Spanned<String>>,
    }
}

record! {
    "a platform namespace"
    /// A platform namespace; a bare name means `baseline`.
    pub struct PlatformNamespace {
        /// Its name.
        pub name: Spanned<DnsLabel>,
        /// Its Pod Security level; `baseline` if left out.
        pub pod_security: Option<Spanned<PodSecurity>>,
    }
}

impl Shorthand for PlatformNamespace {
    type Word = DnsLabel;

    fn from_word(name: Spanned<DnsLabel>) -> Self {
        Self { name, pod_security: None }
    }
}

record! {
    "a node pool"
    /// Nodes of one tier, or the system's.
    pub struct NodePool {
        /// Its name.
        pub name: Spanned<DnsLabel>,
        /// `system` for the pool without a tier's taint.
        pub role: Option<Spanned<PoolRole>>,
        /// The tier that it is for.
        pub tier: Option<Spanned<String>>,
        /// Its nodes, by name.
        pub nodes: Vec<Spanned<DnsSubdomain>>,
        /// How many nodes, where machines are made.
        pub replicas: Option<Spanned<u32>>,
    }
}

words! {
    /// What a pool without a tier is for.
    pub enum PoolRole {
        /// CoreDNS, metrics, the delivery's controllers.
        System = "system",
    }
}

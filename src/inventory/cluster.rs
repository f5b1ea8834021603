//! Clusters: where tiers run.

use super::fleet::{Delivery, Identity, Monitoring, PlatformGrant};
use super::machines::Machines;
use super::shape::{Brief, Shorthand, Vec1, either};
use super::tier::PodSecurity;
use super::workload::Settings;
use crate::decode::{Decode, Findings};
use crate::formats::{Address, Cidr, DnsLabel, DnsSubdomain, HostName, Url};
use crate::source::Spanned;
use crate::yaml::read::{Node, Value};
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

words! {
    /// What runs Kubernetes.
    pub enum Distribution {
        /// RKE2.
        Rke2 = "rke2",
        /// K3s.
        K3s = "k3s",
        /// kubeadm.
        Kubeadm = "kubeadm",
        /// Amazon EKS.
        Eks = "eks",
        /// Google GKE.
        Gke = "gke",
    }
}

words! {
    /// What makes nodes.
    pub enum Provisioner {
        /// People, by name.
        Static = "static",
        /// The provider's managed pools.
        Managed = "managed",
        /// Cluster API.
        ClusterApi = "cluster-api",
        /// Rancher.
        Rancher = "rancher",
        /// eksctl.
        Eksctl = "eksctl",
        /// Karpenter.
        Karpenter = "karpenter",
    }
}

words! {
    /// What changes the number of nodes.
    pub enum Autoscaler {
        /// Nothing.
        None = "none",
        /// Cluster autoscaler.
        ClusterAutoscaler = "cluster-autoscaler",
        /// Karpenter.
        Karpenter = "karpenter",
    }
}

/// What makes the nodes; one word is a distribution, or a provisioner with the distribution that it implies.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// What runs Kubernetes.
    pub distribution: Distribution,
    /// What makes nodes.
    pub provisioner: Provisioner,
    /// What changes their number.
    pub autoscaler: Autoscaler,
    /// The machines, where Cluster API makes them.
    pub machines: Option<Spanned<Machines>>,
}

record! {
    "`provider`"
    /// The long form of a provider.
    pub struct ProviderRecord {
        /// What runs Kubernetes; what the provisioner implies if left out.
        pub distribution: Option<Spanned<Distribution>>,
        /// What makes nodes; what the distribution implies if left out.
        pub provisioner: Option<Spanned<Provisioner>>,
        /// What changes their number.
        pub autoscaler: Option<Spanned<Autoscaler>>,
        /// The machines, where Cluster API makes them; without it no object of Cluster API is written.
        pub machines: Option<Spanned<Machines>>,
    }
}

impl Provider {
    fn of(distribution: Option<Distribution>, provisioner: Option<Provisioner>, autoscaler: Option<Autoscaler>) -> Option<Self> {
        let implied = provisioner.and_then(|provisioner| match provisioner {
            Provisioner::ClusterApi => Some(Distribution::Kubeadm),
            Provisioner::Rancher => Some(Distribution::Rke2),
            Provisioner::Eksctl | Provisioner::Karpenter => Some(Distribution::Eks),
            Provisioner::Static | Provisioner::Managed => None,
        });
        let distribution = distribution.or(implied)?;
        let provisioner = provisioner.unwrap_or(match distribution {
            Distribution::Eks | Distribution::Gke => Provisioner::Managed,
            Distribution::Rke2 | Distribution::K3s | Distribution::Kubeadm => Provisioner::Static,
        });
        let autoscaler = autoscaler.unwrap_or(if provisioner == Provisioner::Karpenter { Autoscaler::Karpenter } else { Autoscaler::None });
        Some(Self { distribution, provisioner, autoscaler, machines: None })
    }
}

impl Decode for Provider {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if let Value::Map(_) = node.value {
            let record = ProviderRecord::decode(node, findings)?;
            let provider = Self::of(
                record.distribution.map(|distribution| distribution.value),
                record.provisioner.map(|provisioner| provisioner.value),
                record.autoscaler.map(|autoscaler| autoscaler.value),
            );
            if provider.is_none() {
                findings.push(crate::decode::missing_key(node, "distribution", "`provider`"));
            }
            return provider.map(|provider| Self { machines: record.machines, ..provider });
        }
        let word = ProviderWord::decode(node, findings)?.as_str();
        Self::of(Distribution::from_word(word), Provisioner::from_word(word), None)
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

words! {
    /// A distribution with its usual provisioner, or a provisioner with the distribution that it implies.
    pub enum ProviderWord {
        /// RKE2, static nodes.
        Rke2 = "rke2",
        /// K3s, static nodes.
        K3s = "k3s",
        /// kubeadm, static nodes.
        Kubeadm = "kubeadm",
        /// Amazon EKS, managed pools.
        Eks = "eks",
        /// Google GKE, managed pools.
        Gke = "gke",
        /// kubeadm by Cluster API.
        ClusterApi = "cluster-api",
        /// RKE2 by Rancher.
        Rancher = "rancher",
        /// Amazon EKS by eksctl.
        Eksctl = "eksctl",
        /// Amazon EKS with Karpenter.
        Karpenter = "karpenter",
    }
}

impl schemars::JsonSchema for Provider {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Provider".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        either::<ProviderWord, ProviderRecord>(generator)
    }
}

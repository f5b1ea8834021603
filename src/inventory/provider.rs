//! What runs Kubernetes, what makes its nodes, and what changes their number.

use super::machines::Machines;
use super::shape::either;
use crate::decode::{Decode, Findings};
use crate::diag::{Code, Diag};
use crate::source::Spanned;
use crate::yaml::read::{Node, Value};
use crate::{record, words};

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

    /// Whether machines are made for its pools; else people bring them, each with its name.
    pub fn makes_machines(&self) -> bool {
        self.provisioner != Provisioner::Static
    }

    /// Whether nodes of the distribution are made in this way at all.
    pub fn is_possible(&self) -> bool {
        provisioners(self.distribution).contains(&self.provisioner)
    }

    /// The finding that the parts do not go together, which lists those that do.
    fn unsupported(&self, node: &Node) -> Option<Diag> {
        let (key, message, help) = if !self.is_possible() {
            let known = Distribution::WORDS.iter().filter_map(|word| {
                let by: Vec<&str> = provisioners(Distribution::from_word(word)?).iter().map(|provisioner| provisioner.as_str()).collect();
                Some(format!("{word} by {}", by.join(", ")))
            });
            let message = format!("nothing makes nodes of {} by {}", self.distribution.as_str(), self.provisioner.as_str());
            ("provisioner", message, format!("There are: {}.", known.collect::<Vec<_>>().join("; ")))
        } else if !autoscalers(self).contains(&self.autoscaler) {
            let known: Vec<&str> = autoscalers(self).iter().map(|autoscaler| autoscaler.as_str()).collect();
            let how = format!("{} by {}", self.distribution.as_str(), self.provisioner.as_str());
            let message = format!("`{}` does not change the number of nodes of {how}", self.autoscaler.as_str());
            ("autoscaler", message, format!("Write one of: {}.", known.join(", ")))
        } else {
            return None;
        };
        let span = node.entry(key).or_else(|| node.entry("distribution")).map_or(node.span, |(_, value)| value.span);
        Some(Diag::new(Code::InvalidValue, span, message).help(help))
    }
}

/// What makes nodes of a distribution.
fn provisioners(distribution: Distribution) -> &'static [Provisioner] {
    use Provisioner::{ClusterApi, Eksctl, Karpenter, Managed, Rancher, Static};
    match distribution {
        Distribution::Rke2 | Distribution::K3s => &[Static, ClusterApi, Rancher],
        Distribution::Kubeadm => &[Static, ClusterApi],
        Distribution::Eks => &[Managed, ClusterApi, Eksctl, Karpenter],
        Distribution::Gke => &[Managed, ClusterApi],
    }
}

/// What changes the number of nodes: nothing where people bring each, Karpenter wherever it makes them, and on EKS also beside pools of others.
fn autoscalers(provider: &Provider) -> &'static [Autoscaler] {
    match (provider.provisioner, provider.distribution) {
        (Provisioner::Static, _) => &[Autoscaler::None],
        (Provisioner::Karpenter, _) => &[Autoscaler::Karpenter],
        (_, Distribution::Eks) => &[Autoscaler::None, Autoscaler::ClusterAutoscaler, Autoscaler::Karpenter],
        _ => &[Autoscaler::None, Autoscaler::ClusterAutoscaler],
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
            findings.extend(provider.iter().filter_map(|provider| provider.unsupported(node)));
            return provider.map(|provider| Self { machines: record.machines, ..provider });
        }
        let word = ProviderWord::decode(node, findings)?.as_str();
        Self::of(Distribution::from_word(word), Provisioner::from_word(word), None)
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

//! The fleet: what all clusters share.

use super::selector::ClusterSelector;
use super::workload::Settings;
use crate::decode::{Decode, Entries, Findings};
use crate::formats::{DnsLabel, DnsSubdomain, LabelValue, Url};
use crate::source::Spanned;
use crate::yaml::read::{Node, Value};
use crate::{record, words};

record! {
    "the fleet"
    /// The fleet: one in an inventory.
    pub struct Fleet {
        /// The format's version: `ringfence/v1`.
        pub api_version: Spanned<String>,
        /// The fleet's name; the default of audiences and names begins with it.
        pub name: Spanned<DnsLabel>,
        /// The prefix of our label, annotation and taint keys: a DNS name of your own.
        pub label_domain: Spanned<DnsSubdomain>,
        /// The default Kubernetes minor of clusters, such as "1.35".
        pub kubernetes: Option<Spanned<String>>,
        /// Folders of the site's own kinds of object, below the project's root.
        pub blueprints: Vec<Spanned<String>>,
        /// The repository that Argo CD and Flux read.
        pub repository: Option<Repository>,
        /// What each environment follows; any name is one, following `main`, where this is left out.
        pub environments: Option<Entries<Environment>>,
        /// Which sync objects to write.
        pub delivery: Option<Spanned<Delivery>>,
        /// Who authenticates people.
        pub identity: Option<Spanned<Identity>>,
        /// How clusters are monitored.
        pub monitoring: Option<Spanned<Monitoring>>,
        /// People of the platform.
        pub grants: Vec<Spanned<PlatformGrant>>,
        /// The clusters that workloads run on unless they, their team or tier say otherwise.
        pub clusters: Option<Spanned<ClusterSelector>>,
        /// Defaults of every workload; any key of a workload that an override may set.
        pub defaults: Option<Box<Settings>>,
    }
}

record! {
    "a repository"
    /// A git repository.
    pub struct Repository {
        /// Its address, by https, http or ssh; no password in it.
        pub url: Spanned<Url>,
        /// Where in it the trees are; `output` if left out, `.` for its root.
        pub path: Option<Spanned<String>>,
        /// The Secret with which Flux reads it, in the namespace of its controllers; none where everybody may read it.
        pub secret: Option<Spanned<DnsSubdomain>>,
    }
}

record! {
    "an environment"
    /// What an environment follows: promotion is a merge.
    pub struct Environment {
        /// A branch; or a whole reference such as `refs/tags/v1`. `main` if left out.
        pub revision: Option<Spanned<String>>,
    }
}

record! {
    "`delivery`"
    /// Which sync objects to write; either, both or none. The most specific one (the cluster's, else its tier's, else the fleet's) says which
    /// tools there are; what it leaves out of a tool is as the less specific one says.
    pub struct Delivery {
        /// Flux.
        pub flux: Option<Flux>,
        /// Argo CD.
        pub argocd: Option<ArgoCd>,
        /// The repository, where it is not the fleet's.
        pub repository: Option<Repository>,
    }
}

record! {
    "`flux`"
    /// Flux in each cluster.
    pub struct Flux {
        /// The namespace of its controllers; `flux-system` if left out.
        pub namespace: Option<Spanned<DnsLabel>>,
        /// The GitRepository: a name that we write from `repository`, or `{existing: NAME}`; `fleet` if left out.
        pub source: Option<FluxSource>,
    }
}

/// The GitRepository that Flux reads.
#[derive(Clone, Debug, PartialEq)]
pub enum FluxSource {
    /// Written by us under this name.
    Written(Spanned<DnsSubdomain>),
    /// One that is there.
    Existing(Spanned<DnsSubdomain>),
}

record! {
    "`source`"
    /// A GitRepository that is there.
    pub struct ExistingSource {
        /// Its name.
        pub existing: Spanned<DnsSubdomain>,
    }
}

impl Decode for FluxSource {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        match node.value {
            Value::Map(_) => ExistingSource::decode(node, findings).map(|source| Self::Existing(source.existing)),
            _ => Decode::decode(node, findings).map(Self::Written),
        }
    }
}

record! {
    "`argocd`"
    /// An Argo CD instance.
    pub struct ArgoCd {
        /// The instance's name: a folder below `delivery/argocd/`; `main` if left out.
        pub instance: Option<Spanned<DnsLabel>>,
        /// The namespace of its Applications; `argocd` if left out.
        pub namespace: Option<Spanned<DnsLabel>>,
        /// Whether it runs in this cluster, which at most one of its clusters does; not, if left out.
        pub in_cluster: Option<Spanned<bool>>,
        /// Whether the instance manages EndpointSlices, which Argo CD leaves out by default.
        pub endpoint_slices: Option<Spanned<bool>>,
        /// As whom it acts in a cluster; `system:serviceaccount:kube-system:argocd-manager` if left out, which `argocd cluster add` makes,
        /// or its own application controller in the cluster that it runs in.
        pub applier: Option<Spanned<String>>,
    }
}

record! {
    "`identity`"
    /// Who authenticates people (SP 800-190 4.3.2).
    pub struct Identity {
        /// The OpenID Connect issuer.
        pub issuer: Option<Spanned<Url>>,
        /// The certificate, as PEM, that signed the issuer's; those that the server's system trusts if left out.
        pub certificate_authority: Option<Spanned<String>>,
        /// The claim that names a person for good; `sub` if left out.
        pub username_claim: Option<Spanned<String>>,
        /// Prefix of people's names in the clusters; that of the groups if left out.
        pub username_prefix: Option<Spanned<String>>,
        /// The claim that lists a person's groups; `groups` if left out.
        pub groups_claim: Option<Spanned<String>>,
        /// Prefix of group names in the clusters; `oidc:` if left out.
        pub groups_prefix: Option<Spanned<String>>,
        /// For how many seconds a token may be issued; 3600 if left out.
        pub token_seconds: Option<Spanned<u32>>,
        /// The audience of tokens; `<fleet>-<cluster>` if left out. Shared by no two clusters.
        pub audience: Option<Spanned<String>>,
        /// The claim that proves a second factor.
        pub mfa: Option<Mfa>,
    }
}

record! {
    "`mfa`"
    /// The claim that proves a second factor.
    pub struct Mfa {
        /// The claim's name.
        pub claim: Spanned<String>,
        /// The value that it must hold.
        pub value: Spanned<String>,
    }
}

record! {
    "`monitoring`"
    /// How clusters are monitored; what a cluster's own leaves out is as the fleet's says.
    pub struct Monitoring {
        /// Which objects to write; those of prometheus-operator if left out.
        pub flavor: Option<Spanned<MonitoringFlavor>>,
        /// The namespace of Prometheus; `monitoring` if left out.
        pub namespace: Option<Spanned<DnsLabel>>,
        /// The name of the cluster's own Prometheus, by which network policies tell its pods from those of others; any Prometheus in the namespace
        /// is let in if left out, so it must be stated where a tier of the cluster has one of its own.
        pub instance: Option<Spanned<DnsLabel>>,
        /// The ServiceAccount as which it runs; `prometheus-<instance>` if left out, `prometheus-k8s` where that is left out too.
        pub service_account: Option<Spanned<DnsSubdomain>>,
        /// Labels by which it selects scrape objects and rules.
        pub selector_labels: Option<Entries<Spanned<LabelValue>>>,
        /// Tiers with a Prometheus of their own.
        pub tiers: Option<Vec<Spanned<TierMonitoring>>>,
        /// How Grafana finds dashboards.
        pub dashboards: Option<Dashboards>,
    }
}

record! {
    "a tier's Prometheus"
    /// A Prometheus that scrapes one tier's namespaces on a cluster, and nothing else; nobody else scrapes these (SP 800-190 4.3.1).
    pub struct TierMonitoring {
        /// The tier.
        pub tier: Spanned<String>,
        /// Its name: that of the Prometheus object, or of a plain one the label `app.kubernetes.io/instance` of its pods.
        pub instance: Spanned<DnsLabel>,
        /// The ServiceAccount as which it runs; `prometheus-<instance>` if left out. No other Prometheus runs as it.
        pub service_account: Option<Spanned<DnsSubdomain>>,
        /// Labels by which it selects scrape objects.
        pub selector_labels: Entries<Spanned<LabelValue>>,
    }
}

record! {
    "`dashboards`"
    /// How Grafana's sidecar finds dashboards.
    pub struct Dashboards {
        /// Labels of their ConfigMaps; `grafana_dashboard: "1"` if left out.
        pub labels: Entries<Spanned<LabelValue>>,
    }
}

words! {
    /// Which objects tell Prometheus what to scrape.
    pub enum MonitoringFlavor {
        /// Custom resources of prometheus-operator.
        PrometheusOperator = "prometheus-operator",
        /// A plain configuration file.
        Plain = "plain",
        /// No Prometheus of ours: nothing is written, and nobody is let in to scrape.
        Nothing = "none",
    }
}

record! {
    "a platform grant"
    /// What a group of the platform may do.
    pub struct PlatformGrant {
        /// The group, without the identity's prefix.
        pub group: Spanned<String>,
        /// The role.
        pub role: Spanned<PlatformRole>,
        /// The clusters; all that its owner has if left out.
        pub clusters: Option<Spanned<ClusterSelector>>,
        /// The tiers; all that its owner has if left out.
        pub tiers: Option<Vec<Spanned<String>>>,
    }
}

words! {
    /// Roles of people of the platform (SP 800-190 4.3.1).
    pub enum PlatformRole {
        /// Sees everything but Secrets; ConfigMaps and logs in the namespaces of tiers alone.
        ClusterViewer = "cluster-viewer",
        /// Sets what guards namespaces.
        NamespaceSecurity = "namespace-security",
        /// Scales node pools.
        NodeScaler = "node-scaler",
        /// Labels, taints, cordons nodes.
        NodeAdmin = "node-admin",
        /// Everything, in an emergency, audited.
        BreakGlass = "break-glass",
    }
}

impl schemars::JsonSchema for FluxSource {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FluxSource".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        super::shape::either::<DnsSubdomain, ExistingSource>(generator)
    }
}

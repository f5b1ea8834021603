//! Tiers: how sensitive a workload is, and what follows.

use super::fleet::{Delivery, PlatformGrant};
use super::selector::ClusterSelector;
use super::workload::Settings;
use crate::decode::Entries;
use crate::formats::{Date, DnsLabel, DnsSubdomain, RegistryPrefix, Url};
use crate::source::Spanned;
use crate::{record, words};

record! {
    "a tier"
    /// A level of sensitivity (SP 800-190 3.3.4).
    pub struct Tier {
        /// Its name: a word, since tolerations compare numbers.
        pub name: Spanned<DnsLabel>,
        /// Orders the tiers; equal levels are incomparable.
        pub level: Spanned<u32>,
        /// The Pod Security level of its namespaces.
        pub pod_security: Spanned<PodSecurity>,
        /// A cluster of its own, or a node pool of its own in a shared one; `cluster` for the higher half of the tiers if left out.
        pub isolation: Option<Spanned<Isolation>>,
        /// Registries, or paths within them, that its images come from; any if left out.
        pub registries: Option<Vec<Spanned<RegistryPrefix>>>,
        /// Whether its images need a digest; not, if left out.
        pub require_digest: Option<Spanned<bool>>,
        /// Whose signatures its images need; Kyverno 1.17 or later checks them.
        pub image_signatures: Option<Spanned<ImageSignatures>>,
        /// Secrets with which its pods pull images; taken to exist in each namespace.
        pub pull_secrets: Vec<Spanned<DnsSubdomain>>,
        /// The tier's own storage class.
        pub storage_class: Option<Spanned<StorageClass>>,
        /// Sync objects of its own: an Argo CD instance, a repository.
        pub delivery: Option<Spanned<Delivery>>,
        /// People of the platform, on this tier.
        pub grants: Vec<Spanned<PlatformGrant>>,
        /// Whether operators may run programs in its pods and forward their ports; not, if left out, where the tier has clusters of its own, and
        /// never in the top tier.
        pub exec: Option<Spanned<bool>>,
        /// Turns the emergency access of its break-glass groups on, and in the top tier that of who is on call; off if left out.
        pub break_glass: Option<Spanned<BreakGlass>>,
        /// The clusters that its workloads run on unless they or their team say otherwise.
        pub clusters: Option<Spanned<ClusterSelector>>,
        /// Defaults of its workloads.
        pub defaults: Option<Box<Settings>>,
    }
}

record! {
    "`imageSignatures`"
    /// Who signs a tier's images, by Sigstore's cosign: exactly one of `key` and `keyless` (SP 800-190 4.1.5).
    pub struct ImageSignatures {
        /// A public key in PEM, or the address of one in a key management service, such as `awskms:///alias/release`.
        pub key: Option<Spanned<String>>,
        /// An identity that signs with short-lived certificates.
        pub keyless: Option<Keyless>,
        /// Whether signatures are in a transparency log; `true` if left out.
        pub transparency_log: Option<Spanned<bool>>,
    }
}

record! {
    "`keyless`"
    /// An identity that signs with short-lived certificates.
    pub struct Keyless {
        /// The issuer of its tokens.
        pub issuer: Spanned<Url>,
        /// The identity: the address of a workflow, an account.
        pub subject: Spanned<String>,
    }
}

record! {
    "`breakGlass`"
    /// An emergency (SP 800-190 4.3.1): while it stands here, emergency access is bound; it goes with the commit that removes it.
    pub struct BreakGlass {
        /// Why it is needed.
        pub reason: Spanned<String>,
        /// Who allowed it.
        pub approved_by: Spanned<String>,
        /// Where it is discussed.
        pub ticket: Option<Spanned<String>>,
        /// The last day on which it holds.
        pub expires: Spanned<Date>,
        /// The clusters; all that host the tier if left out.
        pub clusters: Option<Spanned<ClusterSelector>>,
    }
}

words! {
    /// Pod Security Standards.
    pub enum PodSecurity {
        /// No restriction: for platform namespaces alone.
        Privileged = "privileged",
        /// No known privilege escalation.
        Baseline = "baseline",
        /// Hardening best practice.
        Restricted = "restricted",
    }
}

words! {
    /// How a tier is kept apart (SP 800-190 4.3.4).
    pub enum Isolation {
        /// On node pools of its own.
        Pool = "pool",
        /// In clusters of its own.
        Cluster = "cluster",
    }
}

record! {
    "a storage class"
    /// A StorageClass (SP 800-190 4.3.2: encryption follows the container).
    pub struct StorageClass {
        /// Its name.
        pub name: Spanned<DnsSubdomain>,
        /// The driver.
        pub provisioner: Spanned<String>,
        /// The driver's parameters.
        pub parameters: Entries<Spanned<String>>,
    }
}

//! What Cluster API needs to know of the machines that it makes; the objects of the infrastructure provider are only referred to.

use crate::formats::DnsSubdomain;
use crate::record;
use crate::source::Spanned;

record! {
    "`machines`"
    /// The machines that Cluster API makes.
    pub struct Machines {
        /// The exact Kubernetes release of the machines: `v1.35.4`, of the cluster's minor.
        pub version: Spanned<String>,
        /// How many of them run the control plane: an odd number; 3 if left out.
        pub control_plane_replicas: Option<Spanned<u32>>,
        /// The infrastructure provider's objects.
        pub infrastructure: Spanned<Infrastructure>,
    }
}

record! {
    "`infrastructure`"
    /// Objects of Cluster API's infrastructure provider. They are the platform team's, in the namespace of the cluster's objects: one of the
    /// cluster's name for the cluster, a template of the cluster's name for its control plane, and one named `<cluster>-<pool>` for each pool.
    pub struct Infrastructure {
        /// Their API group; `infrastructure.cluster.x-k8s.io` if left out.
        pub api_group: Option<Spanned<DnsSubdomain>>,
        /// The kind of the cluster's own: `VSphereCluster`.
        pub cluster: Spanned<String>,
        /// The kind of the templates of machines: `VSphereMachineTemplate`.
        pub machine_template: Spanned<String>,
    }
}

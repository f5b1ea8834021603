//! Flows: what a workload talks to.

use super::gateway::{Alias, PortRef};
use super::pod::Protocol;
use super::shape::Brief;
use crate::decode::Entries;
use crate::formats::{Cidr, DnsLabel, HostName, LabelValue};
use crate::record;
use crate::source::Spanned;

record! {
    "a flow"
    /// A flow that a workload begins: to exactly one of a workload, an external address, a platform namespace.
    pub struct Connect {
        /// A workload, `<team>/<workload>`.
        pub to: Option<Spanned<String>>,
        /// Something outside the fleet.
        pub external: Option<Spanned<External>>,
        /// Something that the platform runs.
        pub platform: Option<Spanned<PlatformTarget>>,
        /// The target's port.
        pub port: Spanned<PortRef>,
        /// The protocol of an external or platform port; TCP if left out.
        pub protocol: Option<Spanned<Protocol>>,
        /// The host name that the application already uses for the target.
        pub alias as "as": Option<Brief<Alias>>,
        /// Why; required where it leaves the fleet.
        pub reason: Option<Spanned<String>>,
    }
}

record! {
    "`external`"
    /// Something outside the fleet: an address range, or a name where the network plugin can.
    pub struct External {
        /// An address range.
        pub cidr: Option<Spanned<Cidr>>,
        /// A name.
        pub dns: Option<Spanned<HostName>>,
    }
}

record! {
    "`platform`"
    /// Pods in a platform namespace.
    pub struct PlatformTarget {
        /// The namespace.
        pub namespace: Spanned<DnsLabel>,
        /// Labels of the pods; all pods of the namespace if left out.
        pub labels: Entries<Spanned<LabelValue>>,
    }
}

//! Teams: who owns workloads.

use super::selector::ClusterSelector;
use super::workload::Settings;
use crate::decode::Entries;
use crate::formats::{DnsLabel, Quantity};
use crate::source::Spanned;
use crate::{record, words};

record! {
    "a team"
    /// Who owns workloads: its namespaces are `<team>-<tier>`.
    pub struct Team {
        /// Its name.
        pub name: Spanned<DnsLabel>,
        /// The clusters that its workloads run on unless they say otherwise.
        pub clusters: Option<Spanned<ClusterSelector>>,
        /// What each of its namespaces may use, in ResourceQuota's names.
        pub quota: Entries<Spanned<Quantity>>,
        /// Its people.
        pub grants: Vec<Spanned<TeamGrant>>,
        /// Defaults of its workloads.
        pub defaults: Option<Box<Settings>>,
    }
}

record! {
    "a team's grant"
    /// What a group of a team may do.
    pub struct TeamGrant {
        /// The group, without the identity's prefix.
        pub group: Spanned<String>,
        /// The role.
        pub role: Spanned<TeamRole>,
        /// The tiers; all that the team has workloads in if left out.
        pub tiers: Option<Vec<Spanned<String>>>,
        /// The clusters; all that the team has workloads on if left out.
        pub clusters: Option<Spanned<ClusterSelector>>,
    }
}

words! {
    /// Roles of people of a team (SP 800-190 4.3.1).
    pub enum TeamRole {
        /// Sees its namespaces.
        Viewer = "viewer",
        /// Restarts and scales.
        Operator = "operator",
        /// Looks into pods, in an emergency.
        OnCall = "on-call",
    }
}

//! Second thoughts before a tree is written: what the run would take away from a living cluster, and what Kubernetes would refuse.
//! Both read the old objects from the files on disk, under the same hold as [`compare`](super::compare()); the findings are plain data.

mod deletions;
mod immutable;
mod objects;

pub use deletions::{Deletions, ProtectedObject, TooMany, deletions, protected_kinds};
pub use immutable::{ImmutableChange, immutable_changes};

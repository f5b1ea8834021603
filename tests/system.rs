//! The built program on whole projects: the same bytes everywhere, trees that the real kustomize builds, runs that are killed or run out of disk.

#![allow(clippy::unwrap_used, reason = "a test fails where its setting does")]

#[path = "support/fleet.rs"]
mod fleet;
#[path = "support/program.rs"]
mod program;
#[path = "support/random.rs"]
mod random;

#[path = "system/judge.rs"]
mod judge;
#[path = "support/small_fleet.rs"]
mod small_fleet;

#[path = "system/adopted.rs"]
mod adopted;
#[path = "system/applications.rs"]
mod applications;
#[path = "system/builds.rs"]
mod builds;
#[cfg(unix)]
#[path = "system/disk.rs"]
mod disk;
#[path = "system/fleets.rs"]
mod fleets;
#[path = "system/flows.rs"]
mod flows;
#[path = "system/killed.rs"]
mod killed;
#[path = "system/random_sources.rs"]
mod random_sources;
#[path = "system/same_bytes.rs"]
mod same_bytes;
#[path = "system/sources.rs"]
mod sources;
#[path = "system/world.rs"]
mod world;

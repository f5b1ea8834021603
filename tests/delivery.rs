//! What delivers the sample's trees, read as Argo CD and Flux document that they read it: who may put which object where, and what waits for what.

#![allow(clippy::unwrap_used, reason = "a test fails where its setting does")]

#[path = "support/program.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod program;

#[path = "delivery/argocd.rs"]
mod argocd;
#[path = "delivery/projects.rs"]
mod projects;
#[path = "delivery/removal.rs"]
mod removal;
#[path = "delivery/sample.rs"]
mod sample;
#[path = "delivery/units.rs"]
mod units;

//! The tree on disk, through the library's own functions: what is written, what is refused, and what is left when a run is stopped.

#![allow(clippy::unwrap_used, reason = "a test fails where its setting does")]

#[path = "tree/output.rs"]
mod output;

#[path = "tree/classes.rs"]
mod classes;
#[path = "tree/concurrency.rs"]
mod concurrency;
#[path = "tree/guards.rs"]
mod guards;
#[path = "tree/hostile.rs"]
mod hostile;
#[path = "tree/interrupted.rs"]
mod interrupted;

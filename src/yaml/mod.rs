//! YAML, in and out: a reader that keeps the place of every node, one that refuses what readers disagree on, and the canonical writer.

pub mod budget;
pub mod emit;
mod fast;
pub mod manifest;
pub mod read;
pub mod scalar;

pub use read::{Node, Value};

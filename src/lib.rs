//! Ringfence.

pub mod catalog;
pub mod cli;
pub mod decode;
pub mod diag;
pub mod formats;
pub mod inventory;
pub mod model;
pub mod plan;
pub mod render;
pub mod schema;
pub mod source;
pub mod tree;
pub mod yaml;

//! Temporary.
use std::collections::BTreeMap;
/// c
#[derive(Debug, Default)]
pub struct Catalog {
    /// c
    pub controls: BTreeMap<String, Control>,
}
/// c
#[derive(Debug)]
pub struct Control {
    /// c
    pub exemptible: Vec<S>,
}
/// s
#[derive(Debug)]
pub struct S;
impl S {
    /// s
    pub fn as_str(&self) -> &'static str {
        "workload"
    }
}

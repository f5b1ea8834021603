//! The shipped blueprints, case by case, and the engines that render them.

#![allow(clippy::unwrap_used, reason = "a test stops where it is wrong")]

#[path = "blueprints/cases.rs"]
mod cases;
#[path = "blueprints/catalog.rs"]
mod catalog;
#[path = "blueprints/engines.rs"]
mod engines;
#[path = "blueprints/fuzz.rs"]
mod fuzz;
#[path = "blueprints/limits.rs"]
mod limits;
#[path = "blueprints/safety.rs"]
mod safety;
#[path = "blueprints/site.rs"]
mod site;

//! The shipped blueprints, case by case, and the engines that render them.

#![allow(clippy::unwrap_used, reason = "a test stops where it is wrong")]

#[path = "blueprints/cases.rs"]
mod cases;
#[path = "blueprints/engines.rs"]
mod engines;

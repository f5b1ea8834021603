//! The shipped blueprints, case by case, and the engines that render them.

#[path = "blueprints/cases.rs"]
mod cases;

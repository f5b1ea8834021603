//! `ringfence schema`.

use super::terminal::Terminal;
use super::{Failure, Outcome};
use crate::inventory;

/// Print the JSON Schema of inventory files, for editors.
///
/// Save it beside the inventory, and point an editor at it with a first line such as `# yaml-language-server: $schema=inventory.schema.json`.
#[derive(Debug, clap::Args)]
#[command(after_help = super::EXIT_CODES_WITHOUT_FINDINGS)]
pub struct Args {}

pub(super) fn run(_: &Args, terminal: &Terminal) -> Result<Outcome, Failure> {
    terminal.data(&text())?;
    Ok(Outcome::Clean)
}

/// The schema as it is committed.
pub(super) fn text() -> String {
    format!("{:#}\n", inventory::json_schema())
}

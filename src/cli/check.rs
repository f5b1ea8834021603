//! `ringfence check`.

use std::path::Path;
use std::time::Instant;

use super::project::{Input, InputArgs};
use super::terminal::{Terminal, count};
use super::{Failure, Outcome};
use crate::diag::render::Format;
use crate::diag::{Findings, Severity};

/// Validate the inventory alone; nothing is written.
///
/// Every finding is reported in one run, in a fixed order, each at the line of the inventory that it is about. Findings are errors, warnings
/// or notes; only errors make the exit code 1, unless `--deny-warnings` is given. `ringfence explain CODE` tells more about each.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    #[command(flatten)]
    input: InputArgs,
}

const EXIT_CODES: &str = "Exit codes: 0 the inventory is sound, whatever warnings and notes there are; 1 errors, or with `--deny-warnings` warnings; 2 the work \
    could not be done, or the command line is wrong.";

pub(super) fn run(args: &Args, here: &Path, terminal: &Terminal) -> Result<Outcome, Failure> {
    let input = Input::read(&args.input, here, None, terminal)?;
    let started = Instant::now();
    let mut findings = Findings::new();
    let model = input.resolve(&mut findings);
    let counts = model.map(|model| (model.inventory.workloads.len(), model.clusters.all.len()));
    terminal.timing("resolve", started.elapsed());
    let (diags, errors) = input.sorted(findings);
    terminal.findings("ringfence check", args.input.format, &diags, &input.files)?;
    if errors {
        return Ok(Outcome::Findings);
    }
    if let Some((workloads, clusters)) = counts.filter(|_| args.input.format == Format::Human) {
        let warnings = diags.iter().filter(|diag| diag.severity == Severity::Warning).count();
        let but = if warnings > 0 { ", with warnings" } else { "" };
        terminal.say(format!("The inventory is sound{but}: {}, {}.", count(workloads, "workload"), count(clusters, "cluster")));
    }
    Ok(Outcome::Clean)
}

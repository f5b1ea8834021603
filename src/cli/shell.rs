//! `ringfence completions` and `ringfence man`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

use super::terminal::Terminal;
use super::{Cli, Failure, Outcome};

/// Print the completions of a shell.
///
/// For the current session of bash: `source <(ringfence completions bash)`.
#[derive(Debug, clap::Args)]
#[command(after_help = super::EXIT_CODES_WITHOUT_FINDINGS)]
pub struct CompletionArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one for each command into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = super::EXIT_CODES_WITHOUT_FINDINGS)]
pub struct ManArgs {
    /// The folder; made where it is not there.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionArgs, terminal: &Terminal) -> Result<Outcome, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ringfence", &mut text);
    terminal.data(&String::from_utf8_lossy(&text))?;
    Ok(Outcome::Clean)
}

pub(super) fn man(args: &ManArgs, here: &Path, terminal: &Terminal) -> Result<Outcome, Failure> {
    if let Some(folder) = &args.folder {
        let folder = here.join(folder);
        fs::create_dir_all(&folder).map_err(Failure::io("make the folder", &folder))?;
        clap_mangen::generate_to(Cli::command(), &folder).map_err(Failure::io("write manual pages into", &folder))?;
        return Ok(Outcome::Clean);
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut text)
        .map_err(|error| Failure::new(format!("cannot print the manual page: {error}"), "Write the pages into a folder instead."))?;
    terminal.data(&String::from_utf8_lossy(&text))?;
    Ok(Outcome::Clean)
}

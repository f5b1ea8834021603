//! The command line: one file a command. The only part of the crate that prints, looks at the clock, or asks where it is.
//!
//! Data goes to stdout, everything else to stderr. Exit codes: 0 clean, 1 findings or drift, 2 the work could not be done.

mod allowance;
mod check;
mod error;
mod explain;
mod generate;
mod init;
mod project;
mod schema;
mod scope;
mod shared;
mod shell;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

pub use error::Failure;
use terminal::Terminal;

/// Keeps workloads of different sensitivity apart in Kubernetes.
///
/// From a declarative inventory of workloads and how sensitive each one is, Ringfence writes the complete Kustomize trees that keep the
/// levels apart (NIST SP 800-190, 3.3.1 to 3.3.5). The trees are committed; Argo CD or Flux apply them.
#[derive(Debug, Parser)]
#[command(name = "ringfence", version, max_term_width = 110, after_help = EXIT_CODES)]
pub struct Cli {
    /// Run as if started in this folder; several are taken one after the other, as git does.
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true, help_heading = "Global options")]
    directory: Vec<PathBuf>,

    /// When to colour the output; the variable `NO_COLOR` is respected.
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN", global = true, help_heading = "Global options")]
    color: Color,

    /// Say less: findings and results alone, no summary. Not together with `--verbose`.
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    quiet: bool,

    /// Say more: how long each stage took. Not together with `--quiet`.
    #[arg(short, long, global = true, help_heading = "Global options")]
    verbose: bool,

    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 clean; 1 findings or drift; 2 the work could not be done, or the command line is wrong. Each command's help says what they are there.";

/// Those of commands that judge nothing.
const EXIT_CODES_WITHOUT_FINDINGS: &str = "Exit codes: 0 done; 2 the work could not be done, or the command line is wrong.";

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Generate(generate::Args),
    Check(check::Args),
    Explain(explain::Args),
    Init(init::Args),
    Schema(schema::Args),
    Completions(shell::CompletionArgs),
    Man(shell::ManArgs),
}

/// Parses the command line, runs the command, and says how it went.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            // A closed pipe is no reason to fail.
            let _ = error.print();
            return code;
        }
    };
    let terminal = Terminal::new(cli.color, cli.quiet, cli.verbose);
    match run(&cli, &terminal) {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(failure) => {
            terminal.failure(&failure);
            ExitCode::from(2)
        }
    }
}

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to mend.
    Clean,
    /// Findings or drift.
    Findings,
}

fn run(cli: &Cli, terminal: &Terminal) -> Result<Outcome, Failure> {
    let here = project::here(&cli.directory)?;
    match &cli.command {
        Command::Generate(args) => generate::run(args, &here, terminal),
        Command::Check(args) => check::run(args, &here, terminal),
        Command::Explain(args) => explain::run(args, &here, terminal),
        Command::Init(args) => init::run(args, &here, terminal),
        Command::Schema(args) => schema::run(args, terminal),
        Command::Completions(args) => shell::completions(args, terminal),
        Command::Man(args) => shell::man(args, &here, terminal),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::Cli;

    /// The program's command, and those below it.
    fn commands() -> Vec<Command> {
        let mut whole = Cli::command();
        whole.build();
        let below: Vec<Command> = whole.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect();
        [vec![whole], below].concat()
    }

    #[test]
    fn the_help_of_every_command_says_its_exit_codes() {
        for command in commands() {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(text.starts_with("Exit codes: 0 ") && text.contains("; 2 "), "{}: {text}", command.get_name());
        }
    }

    #[test]
    fn the_help_of_every_option_names_those_that_it_does_not_go_with() {
        let mut conflicts = 0;
        for command in commands() {
            for argument in command.get_arguments() {
                for other in command.get_arg_conflicts_with(argument) {
                    let pairs = [(argument, other), (other, argument)];
                    for (one, other) in pairs {
                        let help = one.get_long_help().or(one.get_help()).map(ToString::to_string).unwrap_or_default();
                        let name = format!("`--{}`", other.get_long().unwrap_or_default());
                        assert!(help.contains("Not together with ") && help.contains(&name), "{one} does not name {name}: {help}");
                        conflicts += 1;
                    }
                }
            }
        }
        assert!(conflicts >= 8, "{conflicts}");
    }
}

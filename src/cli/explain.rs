//! `ringfence explain`.

use super::terminal::Terminal;
use super::{Failure, Outcome};
use crate::catalog;
use crate::diag::{Code, did_you_mean};
use crate::source::Files;

/// Explain a finding or a control; list both without a name.
///
/// A finding's code stands in brackets behind its severity. A control is what an exemption names under `rule`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code of a finding, or the name of a control.
    #[arg(value_name = "CODE")]
    name: Option<String>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<Outcome, Failure> {
    let mut findings = Vec::new();
    let controls = catalog::load(&mut Files::default(), &[], &mut findings).controls;
    let Some(name) = &args.name else {
        let codes = Code::ALL.iter().map(|code| format!("  {:<26} {:<8} {}\n", code.name(), code.severity().as_str(), code.title()));
        let controls = controls.iter().map(|(name, control)| format!("  {name:<35} {}\n", control.title));
        let text = format!("Findings:\n{}\nControls:\n{}", codes.collect::<String>(), controls.collect::<String>());
        terminal.data(&text)?;
        return Ok(Outcome::Clean);
    };
    if let Some(code) = Code::from_name(name) {
        terminal.data(&format!("{} ({}): {}\n\n{}\n", code.name(), code.severity().as_str(), code.title(), code.explanation()))?;
        return Ok(Outcome::Clean);
    }
    if let Some(control) = controls.get(name) {
        let scopes: Vec<&str> = control.exemptible.iter().map(|scope| scope.as_str()).collect();
        let waived = if scopes.is_empty() {
            "It cannot be waived.".to_owned()
        } else {
            format!("An exemption may waive it for one {}.", scopes.join(", one "))
        };
        terminal.data(&format!(
            "{name} (control): {}\n\n{}\n\nServes {}.\n{waived}\n",
            control.title,
            control.why.trim_end(),
            control.serves.join(", ")
        ))?;
        return Ok(Outcome::Clean);
    }
    let known = Code::ALL.iter().map(|code| code.name()).chain(controls.keys().map(String::as_str));
    let help = did_you_mean(name, known).unwrap_or_else(|| "`ringfence explain` without a name lists them all.".to_owned());
    Err(Failure::new(format!("there is no finding or control `{name}`"), help))
}

//! `ringfence explain`.

use super::terminal::Terminal;
use super::{Failure, Outcome};
use crate::catalog::{self, Catalog, Control, Pack};
use crate::diag::{Code, Findings, did_you_mean};
use crate::source::Files;

/// Explain a finding, a control or a framework; list them all without a name.
///
/// A finding's code stands in brackets behind its severity. A control is what an exemption names under `rule`. A framework is explained by the
/// controls that answer what it asks for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code of a finding, or the name of a control or a framework.
    #[arg(value_name = "CODE")]
    name: Option<String>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> Result<Outcome, Failure> {
    let catalog = catalog::load(&mut Files::default(), &[], &mut Findings::new());
    let text = match &args.name {
        None => everything(&catalog),
        Some(name) => {
            if let Some(code) = Code::from_name(name) {
                format!("{} ({}): {}\n\n{}\n", code.name(), code.severity().as_str(), code.title(), code.explanation())
            } else if let Some(control) = catalog.controls.get(name) {
                of_control(control, &catalog)
            } else if let Some(pack) = catalog.packs.get(name) {
                of_pack(pack)
            } else {
                return Err(unknown(name, &catalog));
            }
        }
    };
    terminal.data(&text)?;
    Ok(Outcome::Clean)
}

fn everything(catalog: &Catalog) -> String {
    let codes = Code::ALL.iter().map(|code| format!("  {:<26} {:<8} {}\n", code.name(), code.severity().as_str(), code.title()));
    let controls = catalog.controls.iter().map(|(name, control)| format!("  {name:<35} {}\n", control.title));
    let packs = catalog.packs.iter().map(|(name, pack)| format!("  {name:<35} {}\n", pack.title));
    let (codes, controls, packs): (String, String, String) = (codes.collect(), controls.collect(), packs.collect());
    format!("Findings:\n{codes}\nControls:\n{controls}\nFrameworks:\n{packs}")
}

fn of_control(control: &Control, catalog: &Catalog) -> String {
    let scopes: Vec<&str> = control.exemptible.iter().map(|scope| scope.as_str()).collect();
    let waived = if scopes.is_empty() {
        "It cannot be waived.".to_owned()
    } else {
        format!("An exemption may waive it for one {}.", scopes.join(", one "))
    };
    let line = |what: &str, names: Vec<String>| if names.is_empty() { String::new() } else { format!("{what}: {}.\n", names.join(", ")) };
    let answers = line("It answers", catalog.packs.values().flat_map(|pack| pack.cited(&control.id)).collect());
    let serving = catalog.kinds.iter().filter(|kind| kind.serves.iter().any(|name| name.value == control.id));
    let kinds = line("Kinds of object that serve it", serving.map(|kind| kind.id.clone()).collect());
    format!("{} (control): {}\n\n{}\n\n{answers}{kinds}{waived}\n", control.id, control.title, control.why.trim_end())
}

fn of_pack(pack: &Pack) -> String {
    let requirements = pack.requirements.iter().map(|requirement| {
        let controls: Vec<&str> = requirement.controls.iter().map(|name| name.as_str()).collect();
        let answer = [controls.join(", "), requirement.note.clone().unwrap_or_default()];
        let answer: Vec<&str> = answer.iter().map(|text| text.trim_end()).filter(|text| !text.is_empty()).collect();
        format!("{} {}\n  {}\n", requirement.id, requirement.title, answer.join("\n  "))
    });
    format!("{} (framework): {}\n\n{}", pack.id, pack.title, requirements.collect::<String>())
}

fn unknown(name: &str, catalog: &Catalog) -> Failure {
    let known = Code::ALL.iter().map(|code| code.name()).chain(catalog.controls.keys().chain(catalog.packs.keys()).map(String::as_str));
    let help = did_you_mean(name, known).unwrap_or_else(|| "`ringfence explain` without a name lists them all.".to_owned());
    Failure::new(format!("there is no finding, control or framework `{name}`"), help)
}

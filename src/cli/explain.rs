//! `ringfence explain`.

mod key;
mod workload;

use std::path::{Path, PathBuf};

use super::project::{Input, InputArgs};
use super::terminal::Terminal;
use super::{Failure, Outcome};
use crate::catalog::{self, Catalog, Control, Pack};
use crate::diag::{Code, Findings, did_you_mean};
use crate::model::flows::full_name;
use crate::source::Files;

/// Explain a finding, a control, a framework, a key or a workload; list findings, controls and frameworks without a name.
///
/// A finding's code stands in brackets behind its severity. A control is what the trees enforce; an exemption names one under `rule`, and the list
/// says which can be waived, and for what. A framework is explained by the controls that answer what it asks for; a key of the inventory by what it
/// takes and what holds where it is left out; a workload by its tier, and by where each of its settings comes from.
#[derive(Debug, clap::Args)]
#[command(after_help = super::EXIT_CODES_WITHOUT_FINDINGS)]
pub struct Args {
    /// The code of a finding, the name of a control or a framework, a key such as `tiers.isolation`, or a workload as `TEAM/WORKLOAD`.
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// For a workload, the folder of the inventory [default: inventory/ in the project's root].
    #[arg(long, value_name = "DIR")]
    inventory: Option<PathBuf>,
}

pub(super) fn run(args: &Args, here: &Path, terminal: &Terminal) -> Result<Outcome, Failure> {
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
            } else if let Some(text) = key::explain(name) {
                text
            } else if name.contains('/') {
                of_workload(name, args, here, terminal)?
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
    let (waivable, strict): (Vec<&Control>, Vec<&Control>) = catalog.controls.values().partition(|control| control.is_waivable());
    let waivable = waivable.iter().map(|control| format!("  {:<35} {} ({})\n", control.id, control.title, control.scopes()));
    let strict = strict.iter().map(|control| format!("  {:<35} {}\n", control.id, control.title));
    let packs = catalog.packs.iter().map(|(name, pack)| format!("  {name:<35} {}\n", pack.title));
    let [codes, waivable, strict, packs]: [String; 4] = [codes.collect(), waivable.collect(), strict.collect(), packs.collect()];
    format!(
        "Findings:\n{codes}\nControls that an exemption may waive, with the scopes that it may have:\n{waivable}\n\
         Controls that nothing waives:\n{strict}\nFrameworks:\n{packs}"
    )
}

fn of_control(control: &Control, catalog: &Catalog) -> String {
    let waived = if control.is_waivable() {
        format!("An exemption may waive it for one {}.", control.scopes().replace(", ", ", one "))
    } else {
        "It cannot be waived.".to_owned()
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

fn of_workload(name: &str, args: &Args, here: &Path, terminal: &Terminal) -> Result<String, Failure> {
    let input = Input::read(&InputArgs::of(args.inventory.clone()), here, None, terminal)?;
    let mut findings = Findings::new();
    let model = input.resolve(&mut findings);
    if let Some(text) = model.as_ref().and_then(|model| workload::explain(name, &input, model)) {
        return Ok(text);
    }
    let (_, errors) = input.sorted(findings);
    if errors {
        return Err(Failure::new(
            "the inventory has errors, and where this workload's settings come from is not known",
            "Run `ringfence check`.",
        ));
    }
    let known: Vec<String> = model.iter().flat_map(|model| &model.instances).map(full_name).collect();
    let help = did_you_mean(name, known.iter().map(String::as_str)).unwrap_or_else(|| "A workload is named `TEAM/WORKLOAD`.".to_owned());
    Err(Failure::new(format!("there is no workload `{name}`"), help))
}

fn unknown(name: &str, catalog: &Catalog) -> Failure {
    let keys = key::paths();
    let known = Code::ALL.iter().map(|code| code.name()).chain(catalog.controls.keys().chain(catalog.packs.keys()).map(String::as_str));
    let help = did_you_mean(name, known.chain(keys.iter().map(String::as_str)));
    let help = help.unwrap_or_else(|| "`ringfence explain` without a name lists findings, controls and frameworks.".to_owned());
    Failure::new(format!("there is no finding, control, framework or key `{name}`"), help)
}

//! `ringfence init`.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::project::Input;
use super::terminal::Terminal;
use super::{Failure, Outcome, schema};
use crate::decode::Findings;
use crate::diag::Severity;
use crate::formats::{DnsLabel, DnsSubdomain};
use crate::plan;
use crate::render::Engine;
use crate::yaml::emit;

/// Write a small, commented inventory that generates at once.
///
/// It goes to `inventory/` in the current folder, with the JSON Schema beside it for editors. Nothing that is there is overwritten; where a folder
/// above has an inventory, a line says so. Names of which `ringfence generate` would refuse the inventory are refused before anything is written.
#[derive(Debug, clap::Args)]
#[command(after_help = super::EXIT_CODES_WITHOUT_FINDINGS)]
pub struct Args {
    /// The fleet's name.
    #[arg(long, default_value = "acme", value_parser = |text: &str| DnsLabel::new(text).map(|name| name.to_string()))]
    name: String,

    /// A DNS name of your own: the prefix of label, annotation and taint keys [default: tier.NAME.example].
    #[arg(long, value_name = "DOMAIN", value_parser = |text: &str| DnsSubdomain::new(text).map(|name| name.to_string()))]
    label_domain: Option<String>,
}

const INVENTORY: &str = include_str!("init/fleet.yaml");

pub(super) fn run(args: &Args, here: &Path, terminal: &Terminal) -> Result<Outcome, Failure> {
    let folder = here.join("inventory");
    let files = [("fleet.yaml", inventory(args)), ("inventory.schema.json", schema::text())];
    if let Some((name, _)) = files.iter().find(|(name, _)| folder.join(name).symlink_metadata().is_ok()) {
        let help = "Begin in another folder with `-C DIR`, or move what is there away.";
        return Err(Failure::new(format!("`inventory/{name}` is already there"), help));
    }
    check(here, &files[0].1)?;
    let above = here.ancestors().enumerate().skip(1).find(|(_, above)| above.join("inventory").is_dir());
    fs::create_dir_all(&folder).map_err(Failure::io("make the folder", &folder))?;
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(Failure::io("write", &path))?;
        terminal.say(format!("Wrote inventory/{name}"));
    }
    if let Some((up, _)) = above {
        let inventory = "../".repeat(up) + "inventory";
        terminal
            .say(format!("This folder is within another project, whose inventory is `{inventory}`; here and below, the new one holds."));
    }
    terminal.say("Next: read inventory/fleet.yaml, then run `ringfence generate`.");
    Ok(Outcome::Clean)
}

/// The first inventory, with the names that are asked for in the place of the example's.
fn inventory(args: &Args) -> String {
    let domain = args.label_domain.clone().unwrap_or_else(|| format!("tier.{}.example", args.name));
    let domain = INVENTORY.replace(&line("labelDomain", "tier.acme.example"), &line("labelDomain", &domain));
    domain.replace(&line("name", "acme"), &line("name", &args.name))
}

/// A key and its text on a line, quoted where a YAML reader could take it for something else (`no`, `1e3`).
fn line(key: &str, text: &str) -> String {
    let mut line = String::new();
    emit::document(&json!({ key: text }), &mut line);
    line
}

/// Fails where `ringfence generate` would refuse the inventory: by its own rules, so that what is written generates at once.
fn check(root: &Path, text: &str) -> Result<(), Failure> {
    let input = Input::of_text(root, "inventory/fleet.yaml", text);
    let mut findings = Findings::new();
    let model = input.resolve(&mut findings);
    let is_sound = |findings: &Findings| !input.sorted(findings.clone()).1;
    if let Some(model) = model.filter(|_| is_sound(&findings)) {
        let (engine, more) = Engine::new(&input.catalog);
        findings.extend(more);
        plan::plan(&model, &input.catalog, &engine, &input.schemas, &root.join("custom"), &mut findings);
    }
    let (diags, _) = input.sorted(findings);
    match diags.into_iter().find(|diag| diag.severity == Severity::Error) {
        Some(diag) => Err(Failure::new(format!("such an inventory would be refused: {}", diag.message), diag.help.join(" "))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use clap::Parser;

    use super::super::{Cli, Outcome, run};
    use crate::cli::terminal::Terminal;

    /// Runs a command in a folder, as the program would; whether it ended with 0.
    fn succeeds(folder: &Path, arguments: &[&str]) -> bool {
        let folder = folder.to_str().unwrap_or_default();
        let Ok(cli) = Cli::try_parse_from(["ringfence", "-q", "-C", folder].iter().chain(arguments)) else { return false };
        let terminal = Terminal::new(cli.color, cli.quiet, cli.verbose);
        run(&cli, &terminal).is_ok_and(|outcome| outcome == Outcome::Clean)
    }

    /// What `init` accepts generates at once, and what it refuses leaves nothing behind; whether it accepted.
    fn begins(arguments: &[&str]) -> bool {
        let scratch = tempfile::tempdir().expect("a folder");
        let accepted = succeeds(scratch.path(), &[&["init"], arguments].concat());
        if accepted {
            assert!(succeeds(scratch.path(), &["generate"]), "{arguments:?} do not generate");
        } else {
            assert_eq!(fs::read_dir(scratch.path()).expect("a folder").count(), 0, "{arguments:?} left something behind");
        }
        accepted
    }

    /// Names that a YAML reader takes for something else than text, and the longest one.
    #[test]
    fn every_name_generates_at_once() {
        let longest = "a".repeat(63);
        let names = [
            "no",
            "on",
            "off",
            "y",
            "n",
            "yes",
            "true",
            "false",
            "null",
            "nan",
            "inf",
            "123",
            "012",
            "0x1f",
            "0o17",
            "0b1",
            "1e3",
            "1e-3",
            "1-1",
            "1-2-3",
            "2024-01-01",
            "acme",
            "name",
            &longest,
        ];
        for name in names {
            assert!(begins(&["--name", name]), "{name}");
        }
    }

    #[test]
    fn a_domain_generates_or_is_refused() {
        for domain in ["1.10", "sensitivity.initech.example", "true.no", "2024.01.01", "mykubernetes.io", "name.acme"] {
            assert!(begins(&["--label-domain", domain]), "{domain}");
        }
        let label = "a".repeat(60);
        let long = format!("{label}.{label}.{label}.{label}");
        for domain in
            ["kubernetes.io", "k8s.io", "tier.argoproj.io", "toolkit.fluxcd.io", "foo", "no", "2024-01-01", "a..b", "A.b", "", &long]
        {
            assert!(!begins(&["--label-domain", domain]), "{domain}");
        }
    }

    /// At every length of a domain `init` and `generate` agree.
    #[test]
    fn a_long_domain_generates_or_is_refused() {
        let of = |length: usize| "a".repeat(length - 183) + &format!(".{}", "b".repeat(60)).repeat(3);
        let (mut accepted, mut refused) = (184, 246);
        assert!(begins(&["--label-domain", &of(accepted)]));
        assert!(!begins(&["--label-domain", &of(refused)]));
        while refused - accepted > 1 {
            let middle = usize::midpoint(accepted, refused);
            if begins(&["--label-domain", &of(middle)]) { accepted = middle } else { refused = middle }
        }
    }

    #[test]
    fn ordinary_names_are_not_quoted() {
        assert_eq!(super::line("name", "acme"), "name: acme\n");
        assert_eq!(super::line("name", "no"), "name: \"no\"\n");
    }
}

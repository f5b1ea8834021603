//! `ringfence init`.

use std::fs;
use std::path::Path;

use super::terminal::Terminal;
use super::{Failure, Outcome, schema};
use crate::formats::{DnsLabel, DnsSubdomain};

/// Write a small, commented inventory that generates at once.
///
/// It goes to `inventory/` in the current folder, with the JSON Schema beside it for editors. Nothing that is there is overwritten; where a folder
/// above has an inventory, a line says so.
#[derive(Debug, clap::Args)]
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
    let domain = args.label_domain.clone().unwrap_or_else(|| format!("tier.{}.example", args.name));
    let files = [
        ("fleet.yaml", INVENTORY.replace("tier.acme.example", &domain).replace("name: acme\n", &format!("name: {}\n", args.name))),
        ("inventory.schema.json", schema::text()),
    ];
    if let Some((name, _)) = files.iter().find(|(name, _)| folder.join(name).symlink_metadata().is_ok()) {
        let help = "Begin in another folder with `-C DIR`, or move what is there away.";
        return Err(Failure::new(format!("`inventory/{name}` is already there"), help));
    }
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

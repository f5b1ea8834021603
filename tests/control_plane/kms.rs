//! A KMS plugin, so that a real API server encrypts what it stores as the tree says.

use std::fs;
use std::path::Path;

use crate::daemon::Daemon;
use crate::emitted::Flag;
use crate::judges::{Judges, documents};
use crate::waiting::until;

/// The flag that names the configuration.
const FLAG: &str = "encryption-provider-config";

/// A running plugin.
pub struct Kms {
    _daemon: Daemon,
    /// The name by which the configuration knows it.
    pub name: String,
    /// Whose objects are encrypted.
    pub resources: Vec<String>,
}

impl Kms {
    /// Starts the one that the configuration among the flags asks for, at a socket of the folder; none where there is none.
    pub fn start(judges: &Judges, name: &str, folder: &Path, flags: &[Flag], scratch: &Path) -> Option<Self> {
        let (_, path) = flags.iter().find(|(flag, _)| flag == FLAG)?;
        let socket = folder.join("kms.sock");
        let mut configuration = documents(&fs::read_to_string(path).unwrap()).remove(0);
        let rule = &mut configuration["resources"][0];
        let resources = rule["resources"].as_array().unwrap().iter().map(|resource| resource.as_str().unwrap().to_owned()).collect();
        let provider = &mut rule["providers"][0]["kms"];
        assert!(provider["endpoint"].as_str().is_some_and(|endpoint| endpoint.starts_with("unix:///")), "no socket: {provider}");
        provider["endpoint"] = format!("unix://{}", socket.display()).into();
        let known_as = provider["name"].as_str().unwrap().to_owned();
        fs::write(path, configuration.to_string()).unwrap();
        let mut command = judges.program("kms");
        command.arg(&socket);
        let mut daemon = Daemon::start(&format!("{name}.kms"), command, scratch);
        until("the KMS plugin listens", || {
            assert_eq!(daemon.ended(), None);
            socket.exists().then_some(())
        });
        Some(Self { _daemon: daemon, name: known_as, resources })
    }

    /// Turns the configuration round: what is encrypted can be read, and nothing new is.
    pub fn without(flags: &[Flag]) {
        let Some((_, path)) = flags.iter().find(|(flag, _)| flag == FLAG) else { return };
        let mut configuration = documents(&fs::read_to_string(path).unwrap()).remove(0);
        configuration["resources"][0]["providers"].as_array_mut().unwrap().reverse();
        fs::write(path, configuration.to_string()).unwrap();
    }
}

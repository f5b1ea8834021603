//! A real Prometheus on loopback.

use std::fs;
use std::path::Path;

use serde_json::Value;
use ureq::Agent;

use crate::daemon::Daemon;
use crate::judges::Judges;
use crate::loopback;
use crate::waiting::{free_port, until};

/// A running Prometheus.
pub struct Server {
    _daemon: Daemon,
    agent: Agent,
    address: String,
}

impl Server {
    /// Starts one on a configuration; its files lie in a folder below `scratch`, that of the whole run.
    pub fn start(judges: &Judges, name: &str, config: &Value, scratch: &Path) -> Self {
        let folder = scratch.join(name);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("prometheus.yml");
        fs::write(&path, config.to_string()).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = judges.prometheus();
        command.arg("--config.file").arg(&path).arg("--storage.tsdb.path").arg(folder.join("data"));
        command.args(["--web.listen-address", &address, "--log.level=warn"]);
        let mut daemon = Daemon::start_tied(&format!("{name}.prometheus"), command, scratch);
        let agent = loopback::agent();
        let address = format!("http://{address}");
        until("Prometheus is ready", || match daemon.ended() {
            Some(end) => panic!("{end}"),
            None => agent.get(format!("{address}/-/ready")).call().is_ok().then_some(()),
        });
        Self { _daemon: daemon, agent, address }
    }

    /// The targets that it scrapes.
    pub fn targets(&self) -> Vec<Value> {
        self.ask("targets?state=active")["activeTargets"].as_array().unwrap().clone()
    }

    /// The alerts that fire, by name.
    pub fn firing(&self) -> Vec<String> {
        let alerts = self.ask("alerts")["alerts"].as_array().unwrap().clone();
        let firing = alerts.into_iter().filter(|alert| alert["state"] == "firing");
        firing.map(|alert| alert["labels"]["alertname"].as_str().unwrap().to_owned()).collect()
    }

    /// Every rule that it evaluates.
    pub fn rules(&self) -> Vec<Value> {
        let groups = self.ask("rules")["groups"].as_array().unwrap().clone();
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).cloned().collect()
    }

    fn ask(&self, what: &str) -> Value {
        let answer = self.agent.get(format!("{}/api/v1/{what}", self.address)).call();
        let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
        let text = text.unwrap_or_else(|error| panic!("Prometheus: {what}: {error}"));
        serde_json::from_str::<Value>(&text).unwrap()["data"].take()
    }
}

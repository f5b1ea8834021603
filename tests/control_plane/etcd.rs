//! The one etcd of a test run: every control plane has its own prefix in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

use crate::daemon::Daemon;
use crate::judges::Judges;
use crate::loopback;
use crate::waiting::{free_port, until};

/// The most objects that are read or written in one request.
const BATCH: usize = 20;

/// A running etcd and the scratch folder of the run.
pub struct Etcd {
    // Ends before its folder goes.
    _daemon: Daemon,
    /// The scratch folder of the run.
    pub scratch: TempDir,
    /// Its address for clients.
    pub address: String,
    agent: Agent,
}

impl Etcd {
    /// Starts etcd.
    pub fn start(judges: &Judges) -> Self {
        let scratch = tempfile::Builder::new().prefix("ringfence-control-plane-").tempdir().unwrap();
        let [client, peer] = [(); 2].map(|()| format!("http://127.0.0.1:{}", free_port()));
        let mut command = judges.program("etcd");
        command.args(["--name", "etcd", "--unsafe-no-fsync", "--log-level", "error", "--max-request-bytes", "100000000"]);
        command.arg("--data-dir").arg(scratch.path().join("etcd"));
        command.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer, "--initial-cluster", &format!("etcd={peer}")]);
        let mut daemon = Daemon::start("etcd", command, scratch.path());
        let agent = loopback::agent();
        until("etcd answers", || match daemon.ended() {
            Some(end) => panic!("{end}"),
            None => agent.get(format!("{client}/health")).call().is_ok().then_some(()),
        });
        Self { _daemon: daemon, scratch, address: client, agent }
    }

    /// Gives a prefix what another has, those keys aside that are not wanted: an API server that starts on it finds what the other's has written.
    pub fn copy(&self, from: &str, to: &str, wanted: impl Fn(&str) -> bool) {
        // All keys that begin with `/FROM/`.
        let (from, to) = (format!("/{from}/"), format!("/{to}/"));
        let (mut next, end) = (from.clone(), format!("{}0", &from[..from.len() - 1]));
        loop {
            let page = self.ask("range", &json!({ "key": encode(&next), "range_end": encode(&end), "limit": BATCH }));
            let pairs = page["kvs"].as_array().cloned().unwrap_or_default();
            let Some(last) = pairs.last() else { return };
            next = format!("{}\0", decode(&last["key"]));
            let pairs = pairs.iter().map(|pair| (decode(&pair["key"]), &pair["value"])).filter(|(key, _)| wanted(key));
            let puts = pairs
                .map(|(key, value)| json!({ "requestPut": { "key": encode(&format!("{to}{}", &key[from.len()..])), "value": value } }));
            self.ask("txn", &json!({ "success": puts.collect::<Vec<_>>() }));
        }
    }

    /// What stands at a key of a prefix, as it lies on the disk.
    pub fn read(&self, prefix: &str, key: &str) -> Option<Vec<u8>> {
        let found = self.ask("range", &json!({ "key": encode(&format!("/{prefix}/{key}")) }));
        Some(BASE64.decode(found["kvs"][0]["value"].as_str()?).unwrap())
    }

    fn ask(&self, what: &str, request: &Value) -> Value {
        let answer = self.agent.post(format!("{}/v3/kv/{what}", self.address)).send(request.to_string());
        let text = answer.and_then(|mut answer| answer.body_mut().with_config().limit(u64::MAX).read_to_string());
        serde_json::from_str(&text.unwrap_or_else(|error| panic!("etcd: {what}: {error}"))).unwrap()
    }
}

fn encode(key: &str) -> String {
    BASE64.encode(key)
}

fn decode(key: &Value) -> String {
    String::from_utf8(BASE64.decode(key.as_str().unwrap()).unwrap()).unwrap()
}

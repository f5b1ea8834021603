//! An OpenID Connect issuer, so that a real API server can be shown tokens that nobody else would sign.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::daemon::Daemon;
use crate::judges::Judges;
use crate::waiting::until;

/// A running issuer.
pub struct Issuer {
    _daemon: Daemon,
    agent: Agent,
    /// Its address, which is what its tokens have as `iss`.
    pub address: String,
    /// The certificate that signed its own, as PEM.
    pub certificate: String,
}

impl Issuer {
    /// Starts one whose files lie in a folder; `scratch` is that of the whole run.
    pub fn start(judges: &Judges, name: &str, folder: &Path, scratch: &Path) -> Self {
        let mut command = judges.program("issuer");
        command.arg(folder);
        let mut daemon = Daemon::start(&format!("{name}.issuer"), command, scratch);
        let address = until("the issuer listens", || {
            assert_eq!(daemon.ended(), None);
            fs::read_to_string(folder.join("address")).ok().filter(|address| !address.is_empty())
        });
        let certificate = fs::read_to_string(folder.join("issuer.crt")).unwrap();
        let roots = parse_pem(certificate.as_bytes()).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        });
        let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots.collect()))).build();
        let agent = Agent::config_builder().tls_config(tls).proxy(None).timeout_global(Some(Duration::from_secs(20))).build().into();
        Self { _daemon: daemon, agent, address, certificate }
    }

    /// A token of these claims; `forged` is signed with a key that the issuer does not publish.
    pub fn token(&self, claims: &Value, forged: bool) -> String {
        let path = if forged { "forged" } else { "token" };
        let mut answer = self.agent.post(format!("{}/{path}", self.address)).send(claims.to_string()).unwrap();
        answer.body_mut().read_to_string().unwrap()
    }
}

//! Stands in for Flux' source-controller: serves a repository's files as the archive that its artifacts are.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::loopback;

/// Archives, and a server of them on this machine.
pub struct Archives {
    folder: TempDir,
    port: u16,
}

impl Archives {
    /// Serves archives until the test's process ends.
    pub fn serve() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let port = loopback::serve(move |path| fs::read(root.join(path.trim_start_matches('/'))).map_err(|_| "404 Not Found"));
        Self { folder, port }
    }

    /// Packs a repository at a revision, and says what a source's status then says of it.
    pub fn pack(&self, repository: &Path, revision: &str) -> Value {
        let name = format!("{revision}.tar.gz");
        let path = self.folder.path().join(&name);
        let packed = Command::new("tar").arg("-czf").arg(&path).arg("-C").arg(repository).arg("output").status().unwrap();
        assert!(packed.success(), "tar does not pack {}", repository.display());
        let bytes = fs::read(&path).unwrap();
        let digest = Sha256::digest(&bytes).iter().fold(String::new(), |digest, byte| digest + &format!("{byte:02x}"));
        json!({
            "path": name,
            "url": format!("http://127.0.0.1:{}/{name}", self.port),
            "revision": format!("{revision}@sha1:{}", &digest[..40]),
            "digest": format!("sha256:{digest}"),
            "size": bytes.len(),
            "lastUpdateTime": "2026-01-01T00:00:00Z",
        })
    }
}

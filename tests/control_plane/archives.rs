//! Stands in for Flux' source-controller: serves a repository's files as the archive that its artifacts are.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// Archives, and a server of them on this machine.
pub struct Archives {
    folder: TempDir,
    port: u16,
}

impl Archives {
    /// Serves archives until the test's process ends.
    pub fn serve() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let root = folder.path().to_owned();
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(answer(&stream, &root))));
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

fn answer(stream: &TcpStream, root: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The rest of the head says nothing that matters here.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let name = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let (status, body) = match fs::read(root.join(name)) {
        Ok(bytes) => ("200 OK", bytes),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

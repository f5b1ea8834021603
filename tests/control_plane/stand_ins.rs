//! Stands in for what Prometheus scrapes. Prometheus is told of this as its proxy, so that it asks for each target by the very address that it has
//! discovered, though nothing listens there.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What is answered at an address: the text of metrics; nothing where nobody listens.
type Answers = dyn Fn(&str) -> Option<String> + Send + Sync;

/// All that can be scraped.
pub struct StandIns {
    port: u16,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl StandIns {
    /// Answers until the test's process ends.
    pub fn serve(answers: Box<Answers>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<BTreeSet<String>>>::default();
        let seen = Arc::clone(&asked);
        let answers: Arc<Answers> = answers.into();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answers) = (Arc::clone(&seen), Arc::clone(&answers));
                thread::spawn(move || drop(answer(&stream, &seen, &*answers)));
            }
        });
        Self { port, asked }
    }

    /// Its address, as that of a proxy.
    pub fn proxy(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Every address that was ever asked for.
    pub fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(stream: &TcpStream, asked: &Mutex<BTreeSet<String>>, answers: &Answers) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The rest of the head says nothing that matters here.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let address = request.split(' ').nth(1).unwrap_or_default();
    asked.lock().unwrap().insert(address.to_owned());
    let (status, body) = answers(address).map_or(("502 Bad Gateway", String::new()), |text| ("200 OK", text));
    let mut stream = stream;
    let kind = "text/plain; version=0.0.4";
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

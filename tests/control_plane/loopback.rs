//! HTTP on this machine alone: servers of what the tests stand in for, and whoever asks the real programs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ureq::Agent;

/// What is answered to a request: a body, or the status that says why there is none.
pub type Answer = Result<Vec<u8>, &'static str>;

/// Answers, by what stands after the method, until the test's process ends; the port.
pub fn serve(answers: impl Fn(&str) -> Answer + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers = Arc::new(answers);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answers = Arc::clone(&answers);
            thread::spawn(move || drop(answer(&stream, &*answers)));
        }
    });
    port
}

fn answer(stream: &TcpStream, answers: &dyn Fn(&str) -> Answer) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The rest of the head says nothing that matters here.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let (status, body) = match answers(request.split(' ').nth(1).unwrap_or_default()) {
        Ok(body) => ("200 OK", body),
        Err(status) => (status, Vec::new()),
    };
    let mut stream = stream;
    // Prometheus asks for a type that it knows; nobody else minds.
    let kind = "text/plain; version=0.0.4";
    write!(stream, "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    stream.write_all(&body)
}

/// Whoever asks, without encryption and without a proxy that the machine may have.
pub fn agent() -> Agent {
    Agent::config_builder().timeout_global(Some(Duration::from_secs(30))).proxy(None).build().into()
}

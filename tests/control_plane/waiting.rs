//! Waiting for something to become so, never for a time.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

/// How often a thing is looked at.
const INTERVAL: Duration = Duration::from_millis(25);

/// How long anything that must come about may take. It is longer than any machine needs, so that no verdict hangs on how busy one is.
const PATIENCE: Duration = Duration::from_secs(300);

/// Looks until there is something to see. Fails the test when patience ends.
#[track_caller]
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    eventually(look).unwrap_or_else(|| panic!("{what}: not within {PATIENCE:?}"))
}

/// Looks until there is something to see, or patience ends.
pub fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let seen = look();
        if seen.is_some() || start.elapsed() >= PATIENCE {
            return seen;
        }
        thread::sleep(INTERVAL);
    }
}

/// A port of this machine that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

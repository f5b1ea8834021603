//! Stands in for what Prometheus scrapes. Prometheus is told of this as its proxy, so that it asks for each target by the very address that it has
//! discovered, though nothing listens there.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::loopback;

/// All that can be scraped.
pub struct StandIns {
    port: u16,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl StandIns {
    /// Answers at each address with the text of metrics, or with nothing where nobody listens, until the test's process ends.
    pub fn serve(answers: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let asked = Arc::<Mutex<BTreeSet<String>>>::default();
        let seen = Arc::clone(&asked);
        let port = loopback::serve(move |address| {
            seen.lock().unwrap().insert(address.to_owned());
            answers(address).map(String::into_bytes).ok_or("502 Bad Gateway")
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

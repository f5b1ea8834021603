//! The last line against a template of a site's own that does not end: a thread of its own, which is no longer waited for.
//!
//! `MiniJinja`'s fuel counts instructions and what they make, but not the walk over a list that holds itself many times over: sixty lines of
//! `{% set a = [a, a] %}`, compared once, would take for ever. A clock decides here whether a template is refused, never a byte of output; and
//! the shipped templates, which do no such thing, are rendered without it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use super::failure::Fault;
use super::jinja::Jinja;
use super::limits;
use super::view::View;

/// Templates that did not end in time: they are not waited for again.
#[derive(Default)]
pub(super) struct Deadline {
    given_up: Mutex<BTreeSet<String>>,
}

impl Deadline {
    /// Renders a template, or gives it up. The thread ends with the process.
    pub(super) fn render(&self, jinja: &Arc<Jinja>, name: &str, view: &View) -> Result<String, Fault> {
        if self.given_up.lock().unwrap_or_else(PoisonError::into_inner).contains(name) {
            return Err(Fault::endless(name));
        }
        let (sender, receiver) = mpsc::channel();
        let (jinja, template, view) = (Arc::clone(jinja), name.to_owned(), view.clone());
        std::thread::spawn(move || {
            // Nobody listens any more where the time was up.
            let _ = sender.send(jinja.render(&template, &view));
        });
        receiver.recv_timeout(limits::TIME).unwrap_or_else(|_| {
            self.given_up.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
            Err(Fault::endless(name))
        })
    }
}

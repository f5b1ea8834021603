//! What keeps a site's own templates and rules from holding up the program, or from taking it down: a clock, and a net under the engine.
//!
//! `MiniJinja`'s fuel counts instructions and what they make, but not the walk over a list that holds itself many times over: sixty lines of
//! `{% set a = [a, a] %}`, compared once, would take for ever. So a thread of its own works on such a template, and is not waited for without
//! end. A clock decides here whether a template is refused, never a byte of output; and what is shipped, which does no such thing, goes without.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::{Builder, ScopedJoinHandle};

use super::failure::Fault;
use super::limits;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that work for a time only, and the names of what did not end in time: it is not waited for again.
#[derive(Default)]
pub(super) struct Guard {
    idle: Mutex<Vec<Sender<Job>>>,
    given_up: Mutex<BTreeSet<String>>,
}

impl Guard {
    /// Does the work, or gives it up: its thread then ends with the process.
    pub(super) fn within_time<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.once_in_time(name, || {
            let (sender, receiver) = mpsc::channel();
            let asked = name.to_owned();
            let worker = self.worker(Box::new(move || {
                // Nobody listens any more where the time was up.
                let _ = sender.send(caught(&asked, work));
            }));
            match receiver.recv_timeout(limits::TIME) {
                Ok(result) => {
                    locked(&self.idle).push(worker);
                    result
                }
                Err(RecvTimeoutError::Timeout) => Err(Fault::endless(name)),
                Err(RecvTimeoutError::Disconnected) => Err(Fault::broken(name)),
            }
        })
    }

    /// Does work that looks at the clock itself; not at all where the same did not end in time before.
    pub(super) fn once_in_time<T>(&self, name: &str, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        if locked(&self.given_up).contains(name) {
            return Err(Fault::endless(name));
        }
        let result = work();
        if result.as_ref().is_err_and(|fault| fault.late) {
            locked(&self.given_up).insert(name.to_owned());
        }
        result
    }

    /// Gives the job to a thread that has none, or to a new one.
    fn worker(&self, job: Job) -> Sender<Job> {
        let idle = locked(&self.idle).pop();
        let sender = idle.unwrap_or_else(|| {
            let (sender, receiver) = mpsc::channel::<Job>();
            // Where no thread is to be had, the receiver goes, and the one who waits is told so.
            let _ = Builder::new().stack_size(limits::STACK).spawn(move || receiver.into_iter().for_each(|job| job()));
            sender
        });
        // It ends only where its sender is gone.
        let _ = sender.send(job);
        sender
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does work with a stack that what [`super::bounds`] lets through cannot fill, in all its parts together. It takes memory as it is used.
pub(super) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let work = Mutex::new(Some(work));
    let take = || locked(&work).take();
    let done = std::thread::scope(|scope| {
        let thread = Builder::new().stack_size(limits::STACK).spawn_scoped(scope, || take().map(|work| work()));
        thread.ok().map(ScopedJoinHandle::join)
    });
    match (done, take()) {
        (Some(Ok(Some(result))), _) => result,
        (Some(Err(panic)), _) => resume_unwind(panic),
        // No thread is to be had: this one must do.
        (_, Some(work)) => work(),
        (_, None) => unreachable!("it is taken by the thread that did it"),
    }
}

thread_local! {
    /// Whether a panic of this thread is caught and told of as a finding.
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Does work of an engine on a template of that name; where the engine panics, that is a fault of it, and nothing is printed.
pub(super) fn caught<T>(name: &str, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !CAUGHT.get() {
                before(panic);
            }
        }));
    });
    let outer = CAUGHT.replace(true);
    // What the engine was at is thrown away, and of what outlives it nothing changes while it renders.
    let result = catch_unwind(AssertUnwindSafe(work));
    CAUGHT.set(outer);
    result.unwrap_or_else(|_| Err(Fault::broken(name)))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Guard;
    use crate::render::failure::Fault;

    #[test]
    fn work_in_time_gives_its_result_and_a_thread_works_again() {
        let guard = Guard::default();
        let name = || Ok(std::thread::current().id());
        let first = guard.within_time("a", name).unwrap();
        assert_eq!(guard.within_time("a", name).unwrap(), first);
        assert_ne!(std::thread::current().id(), first);
    }

    #[test]
    fn a_panic_is_told_from_a_timeout() {
        let guard = Guard::default();
        let fault = guard.within_time::<()>("a", || panic!("not seen")).unwrap_err();
        assert!(!fault.late && !fault.limit, "{fault:?}");
        assert_eq!(guard.within_time("a", || Ok(1)).unwrap(), 1, "it is not given up, nor is the thread lost");
    }

    #[test]
    fn what_was_late_is_not_waited_for_again() {
        let guard = Guard::default();
        let work = || {
            std::thread::sleep(Duration::from_secs(600));
            Ok(())
        };
        let late = || guard.within_time("a", work).unwrap_err();
        assert!(late().late);
        let started = Instant::now();
        assert!(late().late);
        assert!(started.elapsed() < Duration::from_secs(1));
        assert!(guard.once_in_time("b", || Err::<(), _>(Fault::endless("b"))).unwrap_err().late);
        assert!(guard.once_in_time("b", || Ok(())).unwrap_err().late);
    }
}

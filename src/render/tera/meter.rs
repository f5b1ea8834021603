//! What ends a Tera template that would not end by itself.
//!
//! Tera has no fuel and no hook in its loops. But whatever repeats in it repeats at a place that can be seen in the source: the body of a
//! loop, a comprehension, a component, an included template. [`super::instrument`] puts a call of this meter at each of them, around every value
//! that is printed and every value that is kept in a variable; the filters that can make much of little are replaced by ones that ask
//! here first. So a number of steps bounds the time, and a size the memory, as in `MiniJinja`: the same template fails at the same place
//! on every machine. The clock is a second line only, for a loop of few but long steps; an ordinary template takes microseconds.

use std::cell::Cell;
use std::time::Instant;

use crate::render::limits;

/// How much a variable may keep beside twice what the whole view holds: bytes of texts, and sixteen for each item, all that is nested
/// counted.
const HELD_BYTES: usize = 512 << 10;

/// What a template did that it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Fuel,
    Deadline,
    Held,
    Deep,
}

impl Stop {
    pub(super) fn message(self) -> String {
        match self {
            Self::Fuel => format!("the template did not end within {} million steps", GIVEN.get() / 1_000_000),
            Self::Deadline => format!("the template did not end within {} s", limits::TIME.as_secs()),
            Self::Held => format!("a variable of the template would hold more than {} KiB", HELD.get() >> 10),
            Self::Deep => limits::too_deep(),
        }
    }
}

thread_local! {
    static GIVEN: Cell<u64> = const { Cell::new(0) };
    static FUEL: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<usize> = const { Cell::new(0) };
    static STARTED: Cell<Option<Instant>> = const { Cell::new(None) };
    static STOPPED: Cell<Option<Stop>> = const { Cell::new(None) };
}

/// Begins a rendering on this thread, of a view of that size: who lists a whole fleet may take as many steps more as there is to list.
pub(super) fn start(view: usize) {
    GIVEN.set(limits::FUEL + view as u64);
    FUEL.set(GIVEN.get());
    HELD.set(HELD_BYTES + 2 * view);
    STARTED.set(Some(Instant::now()));
    STOPPED.set(None);
}

/// Why the rendering on this thread was stopped, if it was.
pub(super) fn stopped() -> Option<Stop> {
    STOPPED.get()
}

/// The most that a variable may keep.
pub(super) fn most_held() -> usize {
    HELD.get()
}

/// Takes `steps` and what making `bytes` costs.
pub(super) fn charge(steps: u64, bytes: usize) -> Result<(), tera::Error> {
    let cost = steps.saturating_add(bytes as u64 / 64);
    let left = FUEL.get();
    if left <= cost {
        FUEL.set(0);
        return stop(Stop::Fuel);
    }
    FUEL.set(left - cost);
    if STARTED.get().is_some_and(|started| started.elapsed() > limits::TIME) {
        return stop(Stop::Deadline);
    }
    Ok(())
}

/// Ends the rendering.
pub(super) fn stop(why: Stop) -> Result<(), tera::Error> {
    STOPPED.set(Some(why));
    Err(tera::Error::message(why.message()))
}

//! What wrote what, seen by the marks that [`super::instrument`] puts before each text.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};

use crate::render::written::Written;

use super::instrument::Instrumented;

/// A text began: how much had been written, the template's number and the text's.
pub(super) struct Mark {
    written: usize,
    template: usize,
    text: usize,
}

thread_local! {
    static WRITTEN: Cell<usize> = const { Cell::new(0) };
    static MARKS: RefCell<Vec<Mark>> = const { RefCell::new(Vec::new()) };
}

/// Begins to take marks on this thread.
pub(super) fn start() {
    WRITTEN.set(0);
    MARKS.take();
}

/// Takes a mark.
pub(super) fn mark(template: usize, text: usize) {
    MARKS.with_borrow_mut(|marks| marks.push(Mark { written: WRITTEN.get(), template, text }));
}

/// The marks in their order.
pub(super) fn end() -> Vec<Mark> {
    MARKS.take()
}

/// A writer that only counts.
pub(super) struct Counter;

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WRITTEN.set(WRITTEN.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the marks tell: each text, and what lies between it and the next one, which the value after it wrote.
pub(super) fn written(marks: &[Mark], templates: &[(String, Instrumented)]) -> Vec<Written> {
    let mut parts = Vec::new();
    for (number, mark) in marks.iter().enumerate() {
        let (name, template) = &templates[mark.template];
        let (text, value) = &template.texts[mark.text];
        let next = marks.get(number + 1).map_or(WRITTEN.get(), |next| next.written);
        // Within a capture nothing is written yet: what is captured belongs to the value that prints it.
        let end = next.min(mark.written + text.len());
        parts.push(Written { output: mark.written..end, name: name.clone(), source: text.clone(), verbatim: true });
        parts.push(Written { output: end..next, name: name.clone(), source: value.clone(), verbatim: false });
    }
    parts
}

//! What anchors and aliases may add to what is read: a few lines of them can stand for gigabytes.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What aliases may add to a file in all: nodes, and bytes of scalars.
pub(super) const MAX_ALIASED_NODES: usize = 100_000;
pub(super) const MAX_ALIASED_BYTES: usize = 4 << 20;

/// The same for all files that are read together.
pub(super) const MAX_ALIASED_NODES_TOGETHER: usize = 500_000;
pub(super) const MAX_ALIASED_BYTES_TOGETHER: usize = 16 << 20;

/// What aliases may still add to the files that are read together, from any thread.
#[derive(Debug)]
pub struct Budget {
    nodes: AtomicUsize,
    bytes: AtomicUsize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { nodes: AtomicUsize::new(0), bytes: AtomicUsize::new(0) }
    }
}

impl Budget {
    /// Whether the files asked for more than there was. Which of them is told so depends on which came last: whoever reads in parallel reads again,
    /// one file after the other.
    pub fn is_exceeded(&self) -> bool {
        self.nodes.load(Ordering::Relaxed) > MAX_ALIASED_NODES_TOGETHER || self.bytes.load(Ordering::Relaxed) > MAX_ALIASED_BYTES_TOGETHER
    }

    /// Takes its part; says whether it was there.
    pub(super) fn take(&self, nodes: usize, bytes: usize) -> bool {
        self.nodes.fetch_add(nodes, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        !self.is_exceeded()
    }
}

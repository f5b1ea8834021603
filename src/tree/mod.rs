//! The tree on disk: what was planned, what the lock says we wrote, what really lies there, and how the one becomes the other.
//!
//! # A run
//! [`Exclusive::take`] (or [`Shared::take`] for a look) keeps other runs away, [`read`] gets the lock and what an interrupted run left,
//! [`compare()`] says of each path what it is, [`guard`] finds deletions and changes that want a second thought, and [`write()`] makes the tree
//! that was planned. Everything that can be refused is known after `compare`; `write` fails where the disk does.
//!
//! # States (I6)
//! `write` goes through these, each made durable before the next begins; it can be stopped anywhere.
//!
//! | | on disk | the next run |
//! |---|---|---|
//! | 1 | the old tree; perhaps `ringfence.pending.ringfence-new` | removes it |
//! | 2 | `ringfence.pending`; the old tree, beside it some new files, any of them torn, and `*.ringfence-new` for some changed files, torn too | removes the latter, keeps the former where they are whole and still planned, else replaces or deletes them |
//! | 3 | the same, all of it whole and durable | likewise |
//! | 4 | some changed files renamed into place, some stale files deleted, some emptied folders removed; whole files only | goes on |
//! | 5 | files that had to wait for a deletion are being made, any of them torn | likewise |
//! | 6 | the new tree, the old lock; perhaps `ringfence.lock.ringfence-new` | writes the lock |
//! | 7 | the new tree, the new lock, `ringfence.pending` | removes the latter |
//! | 8 | the new tree, the new lock | nothing |
//!
//! In states 2 to 7 the journal [`Pending`] says which content of which path is ours, so that no half-done change is taken for a hand edit and no
//! hand edit for a half-done change; and its presence alone is drift. A run that repairs may be stopped as well: its journal replaces the old
//! one in one step and covers all that is still to be done, whatever the inventory says by then.

mod compare;
mod delta;
mod digest;
mod disk;
mod error;
mod faults;
mod files;
pub mod guard;
mod hold;
mod lines;
mod lock;
mod path;
mod pending;
mod recorded;
mod write;

pub use compare::compare;
pub use delta::{Class, Delta, Odd};
pub use digest::Digest;
pub use error::Error;
#[doc(hidden)]
pub use faults::{Fault, Faults};
pub use files::{FileContent, Tree};
pub use hold::{Exclusive, Shared};
pub use lock::{Entry, Lock};
pub use path::{PathError, TreePath};
pub use pending::{Change, Pending};
pub use recorded::{Recorded, read};
pub use write::{Options, Summary, write};

/// The lock, in the output's root.
pub const LOCK_FILE: &str = "ringfence.lock";
/// The journal of a run that is under way or was interrupted, in the output's root.
pub const PENDING_FILE: &str = "ringfence.pending";
/// What a second run cannot open, where folders cannot be locked.
const RUNNING_FILE: &str = "ringfence.running";
/// What the name of a file ends in that is not yet in its place.
const STAGED_SUFFIX: &str = ".ringfence-new";

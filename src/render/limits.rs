//! What one rendering may cost. An ordinary template takes a few hundred units of fuel and a few kilobytes.

/// Units of fuel: about one for each instruction, and one for each 64 bytes made.
pub(super) const FUEL: u64 = 1_000_000;

/// How deep macros, includes and loops may nest within one another; a thread of the pool has two megabytes of stack.
pub(super) const RECURSION: usize = 120;

/// How long a template or rule of a site's own may take, where no other measure sees what it does.
pub(super) const TIME: std::time::Duration = std::time::Duration::from_secs(2);

/// How many values the list of a site's own `forEach` may hold, all that is nested counted, beside what the view holds.
pub(super) const VALUES: usize = 100_000;

/// How large one rendered text may be.
pub(super) const OUTPUT_BYTES: usize = 8 << 20;

/// The help of every finding about a limit.
pub(super) const HELP: &str = "Look for a loop over a range, a macro that calls itself, or a text that grows in a loop.";

/// How deep lists and mappings may nest in a value that is kept or printed: walking it, and letting it go, takes stack.
pub(super) const DEPTH: usize = 64;

/// How many variables one template may set: each can nest the one before it once more.
pub(super) const SETS: usize = 500;

/// What is said of a value that nests deeper.
pub(super) fn too_deep() -> String {
    format!("a value of the template nests more than {DEPTH} lists and mappings")
}

/// How many words and signs an expression may have without a comma: an engine goes in by one for each.
pub(super) const EXPRESSION: usize = 250;

/// How many branches `if` may have after its first: each is one within the one before it.
pub(super) const BRANCHES: usize = 100;

/// How many brackets may stand within one another, and how many blocks.
pub(super) const NESTING: usize = 40;

/// How much stack the threads have that read a site's own templates, and those that render what is under guard. It takes memory as it is used.
pub(super) const STACK: usize = 64 << 20;

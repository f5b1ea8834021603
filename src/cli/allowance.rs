//! What `--max-deletions` allows.

use crate::diag::did_you_mean;
use crate::tree::guard;

/// One of its values: a share of the tree, or a kind of protected objects.
#[derive(Clone, Debug)]
pub(super) enum Allowance {
    /// `50%`.
    Share(u8),
    /// `Namespace`.
    Kind(String),
}

/// The share of the tree that a run may delete unless told otherwise, in percent.
const DEFAULT_SHARE: u8 = 20;

impl Allowance {
    /// Reads one value.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(percent) = text.strip_suffix('%') {
            return percent.parse().ok().filter(|share| *share <= 100).map(Self::Share).ok_or_else(|| "a share is 0% to 100%".to_owned());
        }
        let kinds: Vec<&str> = guard::protected_kinds().collect();
        if kinds.contains(&text) {
            return Ok(Self::Kind(text.to_owned()));
        }
        if text.parse::<u8>().is_ok_and(|share| share <= 100) {
            return Err(format!("write `{text}%`: it is a share of the tree, not a number of files"));
        }
        let hint = did_you_mean(text, kinds.iter().copied()).map(|hint| format!(". {hint}")).unwrap_or_default();
        Err(format!("write a share such as `50%`, or one of the protected kinds: {}{hint}", kinds.join(", ")))
    }
}

/// What the option does, and which kinds it takes.
pub(super) fn help() -> String {
    let kinds: Vec<&str> = guard::protected_kinds().collect();
    format!(
        "Delete at most this share of the tree [default: {DEFAULT_SHARE}%]; or allow the deletion of protected objects of a kind, one of {}. May be given \
         several times: the last share counts, and every kind",
        kinds.join(", ")
    )
}

/// The share that may be deleted; of several that are stated the last counts.
pub(super) fn share(allowed: &[Allowance]) -> u8 {
    let stated = allowed.iter().rev().find_map(|allowed| match allowed {
        Allowance::Share(share) => Some(*share),
        Allowance::Kind(_) => None,
    });
    stated.unwrap_or(DEFAULT_SHARE)
}

/// Whether protected objects of that kind may be deleted.
pub(super) fn covers(allowed: &[Allowance], kind: &str) -> bool {
    allowed.iter().any(|allowed| matches!(allowed, Allowance::Kind(allowed) if allowed == kind))
}

//! The journal: what a run is about to do, written down before it begins and removed once it is done (I6).

use std::collections::BTreeMap;

use super::lines::{self, Damage, Format};
use super::{Digest, TreePath};

const FORMAT: Format = Format {
    mark: "# ringfence.pending v1",
    about: "a run of Ringfence is under way or was interrupted; `ringfence generate` repairs the tree. Do not edit or commit this file.",
};

/// What happens to one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The digest of what comes; none where the file goes.
    pub new: Option<Digest>,
    /// The digest of what was there; none where nothing was.
    pub before: Option<Digest>,
}

impl Change {
    /// Whether the run can have left a file with this digest: before its step, after it, or, where nothing was before, in the middle of it.
    /// Files that were there are never written in place.
    pub(super) fn explains(&self, found: Digest) -> bool {
        self.new == Some(found) || self.before == Some(found)
    }

    /// Whether a file at the path may be torn.
    pub(super) fn creates(&self) -> bool {
        self.before.is_none() && self.new.is_some()
    }
}

/// The changes of a run that is under way or was interrupted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    changes: BTreeMap<TreePath, Change>,
}

impl Pending {
    /// The changes by path.
    pub fn changes(&self) -> &BTreeMap<TreePath, Change> {
        &self.changes
    }

    pub(super) fn to_text(&self) -> String {
        let digest = |digest: Option<Digest>| digest.map_or("-".to_owned(), |digest| digest.to_string());
        lines::print(
            &FORMAT,
            self.changes.iter().map(|(path, change)| format!("{}  {}  {path}", digest(change.new), digest(change.before))),
        )
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let mut changes = BTreeMap::new();
        for (number, row) in lines::parse(&FORMAT, bytes)? {
            let (path, change) = parse_row(row).map_err(|problem| Damage::new(number, problem))?;
            if let Some(path) = changes.last_key_value().map(|(last, _): (&TreePath, _)| last).filter(|last| **last >= path) {
                return Err(Damage::new(number, format!("the line is out of order, after `{path}`")));
            }
            changes.insert(path, change);
        }
        Ok(Self { changes })
    }
}

fn parse_row(row: &str) -> Result<(TreePath, Change), String> {
    let fields: Vec<_> = row.split("  ").collect();
    let [new, before, path] = fields[..] else { return Err("the line is not `<new sha256 or ->  <old sha256 or ->  <path>`".to_owned()) };
    let digest = |text: &str| match text {
        "-" => Ok(None),
        hex => Digest::parse(hex).map(Some).ok_or_else(|| format!("`{hex}` is neither a SHA-256 digest nor `-`")),
    };
    let path = TreePath::parse(path).map_err(|error| error.to_string())?;
    Ok((path, Change { new: digest(new)?, before: digest(before)? }))
}

impl FromIterator<(TreePath, Change)> for Pending {
    fn from_iter<T: IntoIterator<Item = (TreePath, Change)>>(changes: T) -> Self {
        Self { changes: changes.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Pending};
    use crate::tree::{Digest, TreePath};

    #[test]
    fn a_journal_reads_back_as_it_was_written() {
        let (old, new) = (Some(Digest::of("old")), Some(Digest::of("new")));
        let changes = [("a", new, None), ("b", new, old), ("c", None, old), ("d", None, None)];
        let pending: Pending =
            changes.into_iter().map(|(path, new, before)| (TreePath::parse(path).unwrap(), Change { new, before })).collect();
        assert_eq!(Pending::parse(pending.to_text().as_bytes()), Ok(pending.clone()));
        let cut = pending.to_text().replace("# end\n", "");
        assert_eq!(Pending::parse(cut.as_bytes()).unwrap_err().line, 5);
        let twice = pending.to_text().replace("  b\n", "  a\n");
        assert_eq!(Pending::parse(twice.as_bytes()).unwrap_err().line, 3);
    }
}

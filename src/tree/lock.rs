//! The lock: every file that we wrote, with its digest and its owner (I5). What it does not list is not ours.

use std::collections::BTreeMap;

use super::lines::{self, Damage, Format};
use super::{Digest, TreePath};

const FORMAT: Format = Format {
    mark: "# ringfence.lock v1",
    about: "SHA-256, path and owner of every file that Ringfence wrote here. Do not edit; commit it with them.",
};

/// What the lock says of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The digest of what we wrote.
    pub sha256: Digest,
    /// Who the file is for.
    pub owner: String,
}

/// The files that are ours.
///
/// On disk: one line a file, in the order of the paths, `<sha256>  <path>  <owner>`, two spaces between; neither digests nor paths hold
/// spaces, and the owner is the rest. Lines do not depend on one another, so that changes of different files merge without a conflict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    entries: BTreeMap<TreePath, Entry>,
}

impl Lock {
    /// The entries by path.
    pub fn entries(&self) -> &BTreeMap<TreePath, Entry> {
        &self.entries
    }

    /// The entry of a path.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// How many files are ours.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        lines::print(&FORMAT, self.entries.iter().map(|(path, entry)| format!("{}  {path}  {}", entry.sha256, entry.owner)))
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Damage> {
        let mut entries = BTreeMap::new();
        for (number, row) in lines::parse(&FORMAT, bytes)? {
            let (path, entry) = parse_row(row).map_err(|problem| Damage::new(number, problem))?;
            match entries.last_key_value() {
                Some((last, _)) if *last == path => return Err(Damage::new(number, format!("`{path}` is listed twice"))),
                Some((last, _)) if *last > path => return Err(Damage::new(number, format!("`{path}` is out of order, after `{last}`"))),
                _ => entries.insert(path, entry),
            };
        }
        Ok(Self { entries })
    }
}

fn parse_row(row: &str) -> Result<(TreePath, Entry), String> {
    let fields = row.split_once("  ").and_then(|(sha256, rest)| rest.split_once("  ").map(|(path, owner)| (sha256, path, owner)));
    let Some((sha256, path, owner)) = fields else {
        return Err("the line is not `<sha256>  <path>  <owner>`".to_owned());
    };
    let sha256 = Digest::parse(sha256).ok_or("the line does not begin with a SHA-256 digest")?;
    let path = TreePath::parse(path).map_err(|error| error.to_string())?;
    if owner.trim().is_empty() || owner.contains(char::is_control) {
        return Err("the owner is missing, or holds control characters".to_owned());
    }
    Ok((path, Entry { sha256, owner: owner.to_owned() }))
}

impl FromIterator<(TreePath, Entry)> for Lock {
    fn from_iter<T: IntoIterator<Item = (TreePath, Entry)>>(entries: T) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Lock};
    use crate::tree::{Digest, TreePath};

    fn lock() -> Lock {
        [("b/c.yaml", "workload shop/carts @osaka"), ("a.yaml", "fleet")]
            .map(|(path, owner)| (TreePath::parse(path).unwrap(), Entry { sha256: Digest::of(path), owner: owner.to_owned() }))
            .into_iter()
            .collect()
    }

    fn damage(change: impl Fn(&str) -> String) -> (usize, String) {
        let damage = Lock::parse(change(&lock().to_text()).as_bytes()).unwrap_err();
        (damage.line, damage.problem)
    }

    #[test]
    fn a_lock_reads_back_as_it_was_written() {
        let text = lock().to_text();
        assert_eq!(Lock::parse(text.as_bytes()), Ok(lock()));
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("# ringfence.lock v1: "));
        assert_eq!(lines[2], format!("{}  b/c.yaml  workload shop/carts @osaka", Digest::of("b/c.yaml")));
        assert_eq!(lines[3..], ["# end"]);
        assert_eq!(Lock::parse(Lock::default().to_text().as_bytes()), Ok(Lock::default()));
    }

    #[test]
    fn every_damage_is_found_at_its_line() {
        let is =
            |damage: (usize, String), line, part: &str| assert!(damage.0 == line && damage.1.contains(part), "{damage:?} {line} {part}");
        is(damage(|_| String::new()), 1, "cut off");
        is(damage(|text| text.replace("# end\n", "")), 3, "cut off");
        is(damage(|text| text.trim_end().to_owned()), 4, "cut off");
        is(damage(|text| text[..text.len() / 2].to_owned()), 2, "cut off");
        is(damage(|text| text.replace("v1", "v0")), 1, "does not know");
        is(damage(|text| text.replace("v1", "v1.1")), 1, "does not know");
        for newer in ["v2", "v10"] {
            let found = Lock::parse(lock().to_text().replace("v1", newer).as_bytes()).unwrap_err();
            assert!(found.is_newer && found.problem.contains(&format!("`# ringfence.lock {newer}`")), "{found:?}");
        }
        is(damage(|text| text.replacen('#', "", 1)), 1, "first line");
        is(damage(|text| text.replace('\n', "\r\n")), 1, "carriage return");
        is(damage(|text| text.replace("# end", "<<<<<<< HEAD\n# end")), 4, "merge conflict");
        is(damage(|text| text.replace("  b/c.yaml", "  a.yaml")), 3, "listed twice");
        is(damage(|text| text.replace("  b/c.yaml", "  A.yaml")), 3, "out of order");
        is(damage(|text| text.replace("  b/c.yaml", "  ../c.yaml")), 3, "leads elsewhere");
        is(damage(|text| text.replace("  fleet", "  ")), 2, "owner is missing");
        is(damage(|text| text.replace("  fleet", "")), 2, "not `<sha256>");
        is(damage(|text| text.replacen(&Digest::of("a.yaml").to_string(), "abc", 1)), 2, "SHA-256");
        is(damage(|text| text.replace("# end", "# end\n# end")), 5, "follows after");
    }
}

//! The minors of Kubernetes whose schemas are built in.

use std::fmt;
use std::str::FromStr;

/// A minor of Kubernetes 1, out of those whose schemas are built in; later ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor(u8);

const FIRST: u8 = 33;
const LAST: u8 = 37;

impl Minor {
    /// Its number: 35 of 1.35.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The oldest one.
    pub const OLDEST: Self = Self(FIRST);
    /// The newest one.
    pub const NEWEST: Self = Self(LAST);
    /// How many there are.
    pub const COUNT: usize = (LAST - FIRST + 1) as usize;
    /// All of them, oldest first.
    pub const ALL: [Self; Self::COUNT] = {
        let mut all = [Self(FIRST); Self::COUNT];
        let mut at = 0;
        while at < Self::COUNT {
            all[at] = Self(FIRST + at as u8);
            at += 1;
        }
        all
    };

    /// Its place in [`Self::ALL`].
    pub(super) fn index(self) -> usize {
        usize::from(self.0 - FIRST)
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

/// The text names no minor that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMinor;

impl fmt::Display for UnknownMinor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the schemas of Kubernetes {} to {} are built in", Minor::OLDEST, Minor::NEWEST)
    }
}

impl std::error::Error for UnknownMinor {}

impl FromStr for Minor {
    type Err = UnknownMinor;

    /// Reads `1.35`: no patch, no `v`, no leading zero.
    fn from_str(text: &str) -> Result<Self, UnknownMinor> {
        Self::ALL.into_iter().find(|minor| minor.to_string() == text).ok_or(UnknownMinor)
    }
}

/// A set of minors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Minors(u8);

impl Minors {
    pub(super) const NONE: Self = Self(0);

    /// Reads the first column of the table: `1.33-1.35,1.37`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut bits = 0;
        for run in text.split(',') {
            let (first, last) = run.split_once('-').unwrap_or((run, run));
            for at in Self::parse_one(first)?..=Self::parse_one(last)? {
                bits |= 1 << at;
            }
        }
        Some(Self(bits))
    }

    fn parse_one(text: &str) -> Option<u8> {
        let number: u8 = text.strip_prefix("1.")?.parse().ok()?;
        (FIRST..=LAST).contains(&number).then(|| number - FIRST)
    }

    pub(super) fn contains(self, minor: Minor) -> bool {
        self.0 & (1 << minor.index()) != 0
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Which other minors these are, seen from one: `from 1.36 on` if they are later, `up to 1.34` if they are earlier.
    pub(super) fn seen_from(self, minor: Minor) -> Option<String> {
        let later = self.iter().find(|other| *other > minor).map(|first| format!("from {first} on"));
        later.or_else(|| self.iter().rfind(|other| *other < minor).map(|last| format!("up to {last}")))
    }

    /// Its members, oldest first.
    pub(super) fn iter(self) -> impl DoubleEndedIterator<Item = Minor> {
        Minor::ALL.into_iter().filter(move |minor| self.contains(*minor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minors_read_what_they_print() {
        for minor in Minor::ALL {
            assert_eq!(minor.to_string().parse(), Ok(minor));
        }
        assert_eq!("1.35".parse::<Minor>().unwrap(), Minor::ALL[2]);
        assert!(Minor::OLDEST < Minor::NEWEST);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["1.32", "1.38", "v1.35", "1.35.4", "1.035", "135", "", "1.36.x"] {
            assert_eq!(text.parse::<Minor>(), Err(UnknownMinor), "{text:?}");
        }
    }

    #[test]
    fn a_set_is_read_from_ranges() {
        let set = Minors::parse("1.33-1.34,1.37").unwrap();
        assert_eq!(set.iter().map(|minor| minor.to_string()).collect::<Vec<_>>(), ["1.33", "1.34", "1.37"]);
        assert_eq!(Minors::parse("1.32"), None);
    }
}

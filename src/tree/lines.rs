//! The form that the lock and the journal share: a header line, one line a file in the order of their paths, and a last line that shows that
//! nothing is cut off. Reading is strict: whatever is not exactly so is an error with its line, for a lock read as empty would make every
//! file foreign, and a journal read as empty every half-done change a hand edit.

/// A format, by its header.
pub(super) struct Format {
    /// `# NAME vN`: how the header begins, and what a reader insists on.
    pub(super) mark: &'static str,
    /// The rest of the header, for people.
    pub(super) about: &'static str,
}

/// The last line.
const END: &str = "# end";

/// What is wrong with such a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    /// Line, from 1.
    pub(super) line: usize,
    /// What is wrong, as a sentence without a full stop.
    pub(super) problem: String,
    /// Whether nothing is wrong but that the format is a later one.
    pub(super) is_newer: bool,
}

impl Damage {
    pub(super) fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into(), is_newer: false }
    }
}

/// The lines between header and end, with their numbers.
pub(super) fn parse<'a>(format: &Format, bytes: &'a [u8]) -> Result<Vec<(usize, &'a str)>, Damage> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        Damage::new(line, "the line is not UTF-8")
    })?;
    let mut rows = Vec::new();
    let mut ended = false;
    for (index, line) in text.split_terminator('\n').enumerate() {
        let number = index + 1;
        if ["<<<<<<<", "|||||||", "=======", ">>>>>>>"].iter().any(|marker| line.starts_with(marker)) {
            return Err(Damage::new(number, "a merge conflict was left in it"));
        }
        if line.ends_with('\r') {
            return Err(Damage::new(number, "the line ends with a carriage return, as after a conversion to Windows' line ends"));
        }
        if ended {
            return Err(Damage::new(number, format!("something follows after `{END}`")));
        }
        match line {
            _ if number == 1 => check_header(format, line)?,
            END => ended = true,
            row => rows.push((number, row)),
        }
    }
    if ended && text.ends_with('\n') {
        return Ok(rows);
    }
    let lines = text.split_terminator('\n').count();
    Err(Damage::new(lines.max(1), format!("it is cut off: the last line is not `{END}`")))
}

fn check_header(format: &Format, line: &str) -> Result<(), Damage> {
    if line.strip_prefix(format.mark).is_some_and(|rest| rest.starts_with(':')) {
        return Ok(());
    }
    let family = format.mark.trim_end_matches(|c: char| c.is_ascii_digit());
    let version = |text: &str| text.parse::<u32>().ok();
    let ours = format.mark.strip_prefix(family).and_then(version);
    let theirs = line.strip_prefix(family).and_then(|rest| rest.split_once(':')).and_then(|(number, _)| version(number));
    if let Some(theirs) = theirs.filter(|theirs| Some(*theirs) > ours) {
        let problem = format!("its first line begins with `{family}{theirs}`, and this one knows `{}`", format.mark);
        return Err(Damage { is_newer: true, ..Damage::new(1, problem) });
    }
    let problem = match line.strip_prefix(family) {
        Some(_) => format!("it has a format that this version of Ringfence does not know; it knows `{}`", format.mark),
        None => format!("the first line does not begin with `{}:`", format.mark),
    };
    Err(Damage::new(1, problem))
}

/// The text of a file with these lines.
pub(super) fn print(format: &Format, rows: impl IntoIterator<Item = String>) -> String {
    let mut text = format!("{}: {}\n", format.mark, format.about);
    for row in rows {
        text.push_str(&row);
        text.push('\n');
    }
    text.push_str(END);
    text.push('\n');
    text
}

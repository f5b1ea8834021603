//! The part of the command line of Rust's test programs that makes sense here.

/// Options whose value is the next argument.
const WITH_VALUE: [&str; 5] = ["--color", "--format", "--logfile", "--test-threads", "-Z"];

/// Which tests are asked for.
#[derive(Default)]
pub struct Arguments {
    filters: Vec<String>,
    skips: Vec<String>,
    exact: bool,
    /// Whether only the names are asked for.
    pub list: bool,
}

impl Arguments {
    /// Takes filters, `--exact`, `--skip` and `--list`; options of other test programs are read and do nothing, because
    /// `cargo test -- OPTION` hands them to all.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut parsed = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--exact" => parsed.exact = true,
                "--list" => parsed.list = true,
                "--skip" => parsed.skips.extend(arguments.next()),
                option if WITH_VALUE.contains(&option) => drop(arguments.next()),
                option if option.starts_with('-') => {}
                filter => parsed.filters.push(filter.to_owned()),
            }
        }
        parsed
    }

    /// Whether the test of that name is asked for.
    pub fn want(&self, name: &str) -> bool {
        let fits = |pattern: &String| if self.exact { name == pattern } else { name.contains(pattern.as_str()) };
        (self.filters.is_empty() || self.filters.iter().any(fits)) && !self.skips.iter().any(fits)
    }
}

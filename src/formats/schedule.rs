//! Schedules of `CronJobs`, in the dialect that Kubernetes parses (robfig/cron, standard parser): a library that also takes seconds, years,
//! `L` or `#` would let through what the API server refuses.

use crate::text_type;

text_type! {
    /// Five fields of cron, or a macro.
    pub struct Schedule; InvalidSchedule, "15 3 * * 1-5", text, check
}

const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of the month", 1, 31, &[]),
    ("month", 1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("day of the week", 0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

fn check(text: &str) -> Result<(), String> {
    if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
        return Err("a time zone does not belong into the schedule: Kubernetes refuses it; write `timeZone` beside it".to_owned());
    }
    if let Some(name) = text.strip_prefix('@') {
        if let Some(interval) = name.strip_prefix("every ") {
            return match seconds(interval) {
                Some(seconds) if seconds >= 1.0 => Ok(()),
                // The library would make it one second, which nobody means who writes it.
                Some(_) => Err(format!("`{interval}` is less than a second")),
                None => Err(format!("`{interval}` is no duration such as `1h30m`")),
            };
        }
        let known = matches!(name, "yearly" | "annually" | "monthly" | "weekly" | "daily" | "midnight" | "hourly");
        return if known { Ok(()) } else { Err(format!("`{text}` is none of @yearly, @monthly, @weekly, @daily, @hourly")) };
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("a schedule has five fields (minute, hour, day, month, weekday); `{text}` has {}", fields.len()));
    }
    for (field, (what, least, most, names)) in fields.iter().zip(FIELDS) {
        let mut parts = field.split(',').filter(|part| !part.is_empty()).peekable();
        if parts.peek().is_none() {
            return Err(format!("the {what} `{field}` names no time"));
        }
        for part in parts {
            check_range(part, least, most, names).map_err(|why| format!("the {what} `{field}` {why}"))?;
        }
    }
    Ok(())
}

/// One part of a field: `*`, `5`, `1-5`, each with a step where `/` follows. A step beyond the range is taken: the first value alone is then meant.
fn check_range(part: &str, least: u32, most: u32, names: &[&str]) -> Result<(), String> {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    if let Some(step) = step {
        match number(step) {
            Some(0) => return Err("has a step of 0".to_owned()),
            Some(_) => {}
            None => return Err("has a step that is no number".to_owned()),
        }
    }
    let value = |text: &str| -> Result<u32, String> {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text)).and_then(|at| u32::try_from(at).ok());
        let value = named.map(|at| at + least).or_else(|| number(text));
        value.filter(|value| (least..=most).contains(value)).ok_or_else(|| format!("is not {least} to {most}"))
    };
    match range.split_once('-') {
        _ if range == "*" || range == "?" => Ok(()),
        None => value(range).map(drop),
        Some((from, to)) if value(from)? <= value(to)? => Ok(()),
        Some(_) => Err("has a range that ends before it begins".to_owned()),
    }
}

/// A number as Go's `strconv.Atoi` reads it, but not a negative one.
fn number(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

/// The seconds of a duration as Go's `time.ParseDuration` reads it: `1h30m`, `1.5h`, `.5s`.
fn seconds(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 8] =
        [("ns", 1e-9), ("us", 1e-6), ("\u{b5}s", 1e-6), ("\u{3bc}s", 1e-6), ("ms", 1e-3), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(0.0);
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (amount, after) = rest.split_at(end);
        // `5.` and `.5` are numbers to Go as they are to Rust; a lone `.` is none to both.
        let amount: f64 = amount.parse().ok()?;
        let (unit, scale) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        sum += amount * scale;
        rest = &after[unit.len()..];
    }
    // Go counts nanoseconds in 63 bits.
    (!text.is_empty() && sum * 1e9 < 9.2e18).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn the_dialect_of_kubernetes_is_taken() {
        for text in [
            "*/5 * * * *",
            "15 3 * * 1-5",
            "0 0 1 jan,JUL ?",
            "0-30/10 * * * SUN",
            "@daily",
            "@every 1h30m",
            "0 12 */2 * *",
            "*/60 * * * *",
            "0-6/7 * * * *",
            "5/90 * * * *",
            "@every 1.5h",
            "@every .5m",
            "@every 1m1.5s",
            "@every 1h0m",
            "+5 * * * *",
            "1,,2 * * * *",
            "0 0 1 1 0\u{a0}",
        ] {
            assert!(Schedule::new(text).is_ok(), "{text}: {:?}", Schedule::new(text));
        }
    }

    #[test]
    fn other_dialects_are_refused() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * L * *",
            "* * * * 7",
            "5-1 * * * *",
            "*/0 * * * *",
            "@reboot",
            "TZ=Asia/Tokyo 0 3 * * *",
            "@every x",
            "@every 0s",
            "@every 0",
            "@every 500ms",
            "@every -5m",
            "@every 5",
            "@every .h",
            "@every 1.5",
            "@every 9999999999h",
            "*/-1 * * * *",
            "1/2/3 * * * *",
            "1-2-3 * * * *",
            "*-5 * * * *",
            ", * * * *",
            "-1 * * * *",
            " @daily",
            "a * * * *",
        ] {
            assert!(Schedule::new(text).is_err(), "{text}");
        }
    }
}

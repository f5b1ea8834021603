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
            return if is_duration(interval) { Ok(()) } else { Err(format!("`{interval}` is no duration such as `1h30m`")) };
        }
        let known = matches!(name, "yearly" | "annually" | "monthly" | "weekly" | "daily" | "midnight" | "hourly");
        return if known { Ok(()) } else { Err(format!("`{text}` is none of @yearly, @monthly, @weekly, @daily, @hourly")) };
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("a schedule has five fields (minute, hour, day, month, weekday); `{text}` has {}", fields.len()));
    }
    for (field, (what, least, most, names)) in fields.iter().zip(FIELDS) {
        for part in field.split(',') {
            check_part(part, least, most, names).map_err(|why| format!("the {what} `{field}` {why}"))?;
        }
    }
    Ok(())
}

fn check_part(part: &str, least: u32, most: u32, names: &[&str]) -> Result<(), String> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    if let Some(step) = step
        && !step.parse::<u32>().is_ok_and(|step| step > 0 && step <= most)
    {
        return Err(format!("has a step that is not 1 to {most}"));
    }
    if range == "*" || range == "?" {
        return Ok(());
    }
    let value = |text: &str| -> Result<u32, String> {
        let named =
            names.iter().position(|name| name.eq_ignore_ascii_case(text)).and_then(|at| u32::try_from(at).ok()).map(|at| at + least);
        let value = named.or_else(|| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten());
        value.filter(|value| (least..=most).contains(value)).ok_or_else(|| format!("is not {least} to {most}"))
    };
    match range.split_once('-') {
        None => value(range).map(drop),
        Some((from, to)) if value(from)? <= value(to)? => Ok(()),
        Some(_) => Err("has a range that ends before it begins".to_owned()),
    }
}

fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let unit = ["ms", "us", "ns", "h", "m", "s"].iter().find(|unit| rest[digits..].starts_with(**unit));
        match unit {
            Some(unit) if digits > 0 => rest = &rest[digits + unit.len()..],
            _ => return false,
        }
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn the_dialect_of_kubernetes_is_taken() {
        for text in ["*/5 * * * *", "15 3 * * 1-5", "0 0 1 jan,JUL ?", "0-30/10 * * * SUN", "@daily", "@every 1h30m", "0 12 */2 * *"] {
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
            "a * * * *",
        ] {
            assert!(Schedule::new(text).is_err(), "{text}");
        }
    }
}

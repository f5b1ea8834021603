//! Time zones of `CronJob`s: `k8s.io/kubernetes/pkg/apis/batch/validation`.

use crate::text_type;

text_type! {
    /// A time zone by its IANA name. Its shape is checked, and that it is not the server's own; whether there is a zone of that name is the API server's
    /// to judge, which has the database of its day.
    pub struct TimeZone; InvalidSchedule, "Asia/Tokyo", text, check
}

fn check(text: &str) -> Result<(), String> {
    if text.eq_ignore_ascii_case("local") {
        return Err(format!("`{text}` would be the zone of whatever machine reads it, and Kubernetes refuses it"));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-');
    if text.split('/').any(|part| part.is_empty() || !part.chars().all(fits)) {
        return Err(format!("`{text}` is no time zone of the IANA database, such as `Etc/UTC`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::TimeZone;

    #[test]
    fn names_of_the_database_are_taken_and_nothing_else() {
        for good in ["Asia/Tokyo", "UTC", "Etc/GMT+9", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "EST5EDT"] {
            assert!(TimeZone::new(good).is_ok(), "{good}");
        }
        for bad in ["", "Local", "local", "Asia/", "/etc/localtime", "../Tokyo", "Asia/Tokyo ", "JST 9", "UTC;", "Asia//Tokyo"] {
            assert!(TimeZone::new(bad).is_err(), "{bad}");
        }
    }
}

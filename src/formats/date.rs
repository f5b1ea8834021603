//! Calendar dates.

use jiff::civil;

use crate::text_type;

text_type! {
    /// A day: the last one on which an exemption, gateway or token holds.
    pub struct Date; InvalidDate, "2027-06-30", plain_date, |text| {
        let shape = text.len() == 10 && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
        if !shape || text.parse::<civil::Date>().is_err() {
            return Err(format!("`{text}` is no day of the calendar, written year-month-day"));
        }
        Ok(())
    }
}

impl Date {
    /// The day.
    pub fn day(&self) -> civil::Date {
        self.as_str().parse().unwrap_or(civil::Date::MIN)
    }

    /// How many days after `today` it is; negative where it is past.
    pub fn days_after(&self, today: civil::Date) -> i32 {
        today.until(self.day()).map_or(i32::MIN, |span| span.get_days())
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        assert!(Date::new("2028-02-29").is_ok());
        for bad in ["2027-02-29", "2027-13-01", "2027-6-30", "30.06.2027", "2027-06-30T00:00:00Z", "", "20270630"] {
            assert!(Date::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn days_are_counted() {
        let today = Date::new("2027-06-01").unwrap().day();
        assert_eq!(Date::new("2027-06-30").unwrap().days_after(today), 29);
        assert_eq!(Date::new("2027-05-31").unwrap().days_after(today), -1);
        assert_eq!(Date::new("2028-06-01").unwrap().days_after(today), 366);
    }
}

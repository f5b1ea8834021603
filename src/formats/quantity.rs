//! Kubernetes quantities: `k8s.io/apimachinery/pkg/api/resource`.

use crate::text_type;

text_type! {
    /// An amount of a resource: `250m`, `0.5`, `64Mi`, `2e3`.
    pub struct Quantity; InvalidQuantity, "256Mi", text_or_number, check
}

fn check(text: &str) -> Result<(), String> {
    let wrong = || format!("`{text}` is no quantity: a number, then nothing, one of m k M G T P E, or one of Ki Mi Gi Ti Pi Ei");
    let digits_end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits_end);
    let has_digit = number.bytes().any(|b| b.is_ascii_digit());
    if !has_digit || number.bytes().filter(|b| *b == b'.').count() > 1 {
        return Err(wrong());
    }
    let exponent = suffix.strip_prefix(['e', 'E']).map(|rest| rest.strip_prefix(['+', '-']).unwrap_or(rest));
    let exponent = exponent.is_some_and(|digits| !digits.is_empty() && digits.len() <= 2 && digits.bytes().all(|b| b.is_ascii_digit()));
    let known = matches!(suffix, "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei");
    if known || exponent { Ok(()) } else { Err(wrong()) }
}

impl Quantity {
    /// Whether it is a whole number, as exactly as Kubernetes looks (`MilliValue`).
    pub fn is_whole(&self) -> bool {
        let thousandths = (self.amount() * 1000.0).round();
        let rest = thousandths.rem_euclid(1000.0);
        // Beyond 2^53 a number of this kind is no exact one.
        let error = (thousandths * f64::EPSILON * 2.0).max(0.5);
        rest < error || 1000.0 - rest < error
    }

    /// The amount as a number, for comparing a request with its limit.
    pub fn amount(&self) -> f64 {
        let (number, scale) = self.parts();
        let number: f64 = number.parse().unwrap_or(0.0);
        match scale {
            Scale::Ten(exponent) => number * 10f64.powi(exponent),
            Scale::Two(exponent) => number * 2f64.powi(exponent),
        }
    }

    /// The amount in the one form that all equal quantities have: digits without zeros at their end, and a power of ten. None where the digits are too many.
    pub fn canonical(&self) -> Option<String> {
        let (number, scale) = self.parts();
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = [whole, fraction].concat();
        let (mut digits, mut exponent) = (digits.parse::<u128>().ok()?, -i32::try_from(fraction.len()).ok()?);
        match scale {
            Scale::Ten(power) => exponent += power,
            Scale::Two(power) => digits = digits.checked_mul(1 << power)?,
        }
        while digits != 0 && digits % 10 == 0 {
            digits /= 10;
            exponent += 1;
        }
        Some(if digits == 0 { "0".to_owned() } else { format!("{digits}e{exponent}") })
    }

    /// The number, and what it is multiplied by.
    fn parts(&self) -> (&str, Scale) {
        let text = self.as_str();
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let scale = match suffix {
            "n" => Scale::Ten(-9),
            "u" => Scale::Ten(-6),
            "m" => Scale::Ten(-3),
            "k" => Scale::Ten(3),
            "M" => Scale::Ten(6),
            "G" => Scale::Ten(9),
            "T" => Scale::Ten(12),
            "P" => Scale::Ten(15),
            "E" => Scale::Ten(18),
            "Ki" => Scale::Two(10),
            "Mi" => Scale::Two(20),
            "Gi" => Scale::Two(30),
            "Ti" => Scale::Two(40),
            "Pi" => Scale::Two(50),
            "Ei" => Scale::Two(60),
            exponent => Scale::Ten(exponent.get(1..).and_then(|exponent| exponent.parse().ok()).unwrap_or(0)),
        };
        (number, scale)
    }
}

/// What the number of a quantity is multiplied by: a power of ten or of two.
enum Scale {
    Ten(i32),
    Two(i32),
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn quantities_are_what_kubernetes_takes() {
        for (text, amount) in [
            ("250m", 0.25),
            ("4", 4.0),
            ("0.5", 0.5),
            ("1.", 1.0),
            (".5", 0.5),
            ("64Mi", 67_108_864.0),
            ("2G", 2e9),
            ("1e3", 1000.0),
            ("12E+2", 1200.0),
        ] {
            let quantity = Quantity::new(text).unwrap();
            assert!((quantity.amount() - amount).abs() < 1e-6, "{text}");
        }
    }

    #[test]
    fn whole_numbers_are_told_from_fractions() {
        for whole in ["1", "1000m", "0.5Gi", "1.5Ki", "0.3G", "1.1G", "2e3", "1.5Pi", "7Ei"] {
            assert!(Quantity::new(whole).unwrap().is_whole(), "{whole}");
        }
        for fraction in ["100m", "1.5", "1.1Gi", "10.1Ti", "1500m"] {
            assert!(!Quantity::new(fraction).unwrap().is_whole(), "{fraction}");
        }
    }

    #[test]
    fn equal_quantities_have_one_form() {
        let form = |text: &str| Quantity::new(text).unwrap().canonical();
        for same in [
            ["1Gi", "1024Mi", "1073741824"],
            ["0.5", "500m", ".50"],
            ["1.5Gi", "1536Mi", "1610612736"],
            ["2k", "2e3", "2E+3"],
            ["0", "0Gi", "0.0m"],
            ["1000000000n", "1", "1.000"],
        ] {
            assert_eq!(same.map(form), [same[0]; 3].map(form), "{same:?}");
            assert!(form(same[0]).is_some());
        }
        for [one, other] in [["1G", "1Gi"], ["1", "1m"], ["300m", "0.30000001"], ["0", "1n"]] {
            assert_ne!(form(one), form(other), "{one} {other}");
        }
        assert_eq!(form(&"9".repeat(50)), None);
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "m", "64MB", "64 Mi", "64mi", "1.2.3", "-1", "1e", "1e+", "0x10", "ten", "1_000", "64Mi\n"] {
            assert!(Quantity::new(text).is_err(), "{text:?}");
        }
    }
}

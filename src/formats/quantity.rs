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
        let text = self.as_str();
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let number: f64 = text[..end].parse().unwrap_or(0.0);
        let scale = match &text[end..] {
            "n" => 1e-9,
            "u" => 1e-6,
            "m" => 1e-3,
            "k" => 1e3,
            "M" => 1e6,
            "G" => 1e9,
            "T" => 1e12,
            "P" => 1e15,
            "E" => 1e18,
            "Ki" => 1024f64,
            "Mi" => 1024f64.powi(2),
            "Gi" => 1024f64.powi(3),
            "Ti" => 1024f64.powi(4),
            "Pi" => 1024f64.powi(5),
            "Ei" => 1024f64.powi(6),
            exponent => exponent.get(1..).and_then(|e| e.parse().ok()).map_or(1.0, |e| 10f64.powi(e)),
        };
        number * scale
    }
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
    fn what_is_none_is_refused() {
        for text in ["", "m", "64MB", "64 Mi", "64mi", "1.2.3", "-1", "1e", "1e+", "0x10", "ten", "1_000", "64Mi\n"] {
            assert!(Quantity::new(text).is_err(), "{text:?}");
        }
    }
}

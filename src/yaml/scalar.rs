//! What a plain scalar means to the readers that matter: Go (kubectl, Argo CD, Flux), PyYAML and libyaml (YAML 1.1), and YAML 1.2.

/// The meaning of a plain scalar, where all readers agree on one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plain {
    /// Empty, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A decimal integer without a leading zero.
    Int(i64),
    /// A decimal fraction, with or without an exponent.
    Float(f64),
    /// Text for every reader.
    Text,
    /// Readers disagree; the reason is for people.
    Ambiguous(&'static str),
}

/// Classifies a plain (unquoted) scalar.
pub fn plain(text: &str) -> Plain {
    match text {
        "" | "~" | "null" => return Plain::Null,
        "Null" | "NULL" => return Plain::Ambiguous("it is null for most readers"),
        "true" => return Plain::Bool(true),
        "false" => return Plain::Bool(false),
        "=" | "<<" => return Plain::Ambiguous("it has a meaning of its own in YAML 1.1"),
        _ => {}
    }
    if ["true", "false", "yes", "no", "on", "off", "y", "n"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Plain::Ambiguous("some readers take it for a boolean");
    }
    number(text)
}

fn number(text: &str) -> Plain {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if [".inf", ".nan", "inf", "nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return Plain::Ambiguous("some readers take it for a number");
    }
    let signed = unsigned.len() < text.len();
    let Some(first) = unsigned.bytes().next() else { return Plain::Text };
    if !(first.is_ascii_digit() || first == b'.' || (signed && first == b'_')) {
        return Plain::Text;
    }
    if is_json_number(text) {
        let too_large = Plain::Ambiguous("it is a number too large to keep");
        if text.contains('.') {
            return text.parse::<f64>().ok().filter(|x| x.is_finite()).map_or(too_large, Plain::Float);
        }
        return text.parse::<i64>().map_or(too_large, Plain::Int);
    }
    if looks_numeric(unsigned) {
        Plain::Ambiguous("some readers take it for a number, others for text, or for another number")
    } else {
        Plain::Text
    }
}

/// JSON's grammar of numbers: what every reader takes for the same number. An exponent without a sign and a fraction without a dot
/// before it are texts for PyYAML.
fn is_json_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || (digits > 1 && rest.starts_with('0')) {
        return false;
    }
    let rest = &rest[digits..];
    let Some(fraction) = rest.strip_prefix('.') else { return rest.is_empty() };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return false;
    }
    let rest = &fraction[digits..];
    if rest.is_empty() {
        return true;
    }
    let Some(exponent) = rest.strip_prefix("e+").or_else(|| rest.strip_prefix("e-")) else { return false };
    !exponent.is_empty() && exponent.bytes().all(|b| b.is_ascii_digit())
}

/// Whether any reader could see a number, a sexagesimal one or a date in it. Errs on the side of yes, except for the everyday shapes
/// `10.0.0.1`, `1.2.3` and `64Mi`, which hold a second dot or a letter that no number has.
fn looks_numeric(unsigned: &str) -> bool {
    if unsigned.bytes().filter(|b| *b == b'.').count() >= 2 && !unsigned.contains(':') {
        return false;
    }
    // Go drops underscores before it looks for a prefix: `0_x7` is 7.
    let mut digits = unsigned.bytes().filter(|b| *b != b'_');
    if digits.next() == Some(b'0') && digits.next().is_some_and(|b| matches!(b, b'x' | b'o' | b'b' | b'X' | b'O' | b'B')) {
        return digits.all(|b| b.is_ascii_hexdigit());
    }
    is_timestamp(unsigned)
        || unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.' | b':' | b'e' | b'E' | b'+' | b'-' | b','))
}

/// A YAML 1.1 timestamp begins with a date; anything that begins so and holds only a timestamp's characters is treated as one.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    digits(0..4) && bytes.get(4) == Some(&b'-') && digits(5..6) && bytes.iter().all(|b| b.is_ascii_digit() || b"-:.+TtZz \t".contains(b))
}

#[cfg(test)]
mod tests {
    use super::{Plain, plain};

    #[test]
    fn what_readers_agree_on_keeps_its_type() {
        for (text, meaning) in [
            ("", Plain::Null),
            ("null", Plain::Null),
            ("true", Plain::Bool(true)),
            ("0", Plain::Int(0)),
            ("-17", Plain::Int(-17)),
            ("9223372036854775807", Plain::Int(i64::MAX)),
            ("1.5", Plain::Float(1.5)),
            ("1.0e+21", Plain::Float(1.0e21)),
        ] {
            assert_eq!(plain(text), meaning, "{text:?}");
        }
    }

    #[test]
    fn everyday_text_is_text() {
        for text in [
            "a",
            "10.0.0.1",
            "10.42.0.0/16",
            "1.2.3",
            "64Mi",
            "250m",
            "v0.6.10",
            "redis:6379",
            "nobody",
            "/metrics",
            "-",
            "a=b",
            "1.36.x",
            "127.0.0.1:8080x",
        ] {
            assert_eq!(plain(text), Plain::Text, "{text:?}");
        }
    }

    #[test]
    fn what_readers_disagree_on_is_named() {
        for text in [
            "no",
            "On",
            "y",
            "NULL",
            "0777",
            "0o777",
            "08",
            "1_000",
            "1__0",
            "-_7",
            "0_x7",
            "-_0o7",
            "+0_B1",
            "1e3",
            "12e03",
            "12:30:45",
            "2024-01-01",
            "=",
            "<<",
            ".5",
            "+1",
            "0x1F",
            ".inf",
            "1.",
            "9223372036854775808",
            "1.0e+999",
            "2001-12-14t21:59:43.10-05:00",
        ] {
            assert!(matches!(plain(text), Plain::Ambiguous(_)), "{text:?} is {:?}", plain(text));
        }
    }
}

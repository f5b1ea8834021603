//! Formats of text that Kubernetes parses further.

/// Whether the text is a quantity: a sign, digits with or without a point, and a suffix of powers of 1000 (`n u m k M G T P E`),
/// of 1024 (`Ki` to `Ei`) or of ten (`e3`).
pub fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole = digits(unsigned);
    let rest = &unsigned[whole..];
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => (digits(rest), &rest[digits(rest)..]),
        None => (0, rest),
    };
    whole + fraction > 0 && is_suffix(suffix)
}

fn is_suffix(suffix: &str) -> bool {
    if matches!(suffix, "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei") {
        return true;
    }
    let Some(exponent) = suffix.strip_prefix(['e', 'E']) else { return false };
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    // Go reads the exponent as an int64 and keeps 32 bits of it; no quantity needs more than two digits.
    (1..=4).contains(&unsigned.len()) && digits(unsigned) == unsigned.len()
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Whether the text is padded standard base64; line breaks are skipped, as Go does.
pub(super) fn is_base64(text: &str) -> bool {
    let bytes: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let body = bytes.strip_suffix(b"==").or_else(|| bytes.strip_suffix(b"=")).unwrap_or(&bytes);
    bytes.len().is_multiple_of(4) && body.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// Whether the text is a moment with its offset, as in `2026-01-31T08:00:00Z`.
pub(super) fn is_date_time(text: &str) -> bool {
    text.as_bytes().get(10) == Some(&b'T') && text.parse::<jiff::Timestamp>().is_ok()
}

/// Whether the text is a UUID: hexadecimal digits in groups of 8, 4, 4, 4 and 12.
pub(super) fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether the text is a host name of the Internet, in small or capital letters.
pub(super) fn is_host_name(text: &str) -> bool {
    text.len() <= 253 && crate::formats::check_subdomain(&text.to_ascii_lowercase()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_things_and_hosts() {
        assert!(is_uuid("1B4e28ba-2fa1-11d2-883f-0016d3cca427") && is_host_name("Git.acme.example"));
        assert!(!is_uuid("1b4e28ba2fa111d2883f0016d3cca427") && !is_uuid("1b4e28ba-2fa1-11d2-883f-0016d3cca42g"));
        assert!(!is_host_name("-") && !is_host_name("") && !is_host_name("a..b") && !is_host_name("a_b"));
    }

    #[test]
    fn quantities_parse_as_in_kubernetes() {
        for good in ["0", "250m", "1.5", "64Mi", "2G", "1e3", "1E3", "1E", "-1", "+.5", "5.", "1e-3", "100n", "1Ei"] {
            assert!(is_quantity(good), "{good:?}");
        }
        for bad in ["", "m", ".", "1 Gi", "1gi", "1K", "64MB", "1e", "1e3.5", "1Ee3", "1.2.3", "--1", "0x10", "1,5", "1Kim"] {
            assert!(!is_quantity(bad), "{bad:?}");
        }
    }

    #[test]
    fn base64_needs_its_padding() {
        for good in ["", "aGk=", "aGVsbG8=", "aGVs\nbG8=", "aA==", "+/+/"] {
            assert!(is_base64(good), "{good:?}");
        }
        for bad in ["aGk", "hi!", "a===", "aGk=aGk=", "-_-_"] {
            assert!(!is_base64(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_moment_needs_its_offset() {
        assert!(is_date_time("2026-01-31T08:00:00Z") && is_date_time("2026-01-31T08:00:00.5+09:00"));
        assert!(!is_date_time("2026-01-31") && !is_date_time("2026-01-31T08:00:00") && !is_date_time("2026-01-31 08:00:00Z"));
    }
}

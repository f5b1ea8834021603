//! Names as Kubernetes takes them. Rules: `k8s.io/apimachinery/pkg/util/validation`.

use crate::text_type;

text_type! {
    /// A DNS label (RFC 1123): what Namespaces, teams, tiers and workloads are named by.
    pub struct DnsLabel; InvalidName, "card-vault", text, check_label
}

text_type! {
    /// A DNS subdomain (RFC 1123): what most objects are named by.
    pub struct DnsSubdomain; InvalidName, "registry-restricted", text, check_subdomain
}

text_type! {
    /// A host name, in lower case; may begin with `*.` where Kubernetes takes a wildcard.
    pub struct HostName; InvalidName, "bank.acme.example", text, |text| check_subdomain(text.strip_prefix("*.").unwrap_or(text))
}

text_type! {
    /// The name of a port: an IANA service name.
    pub struct PortName; InvalidPort, "http", text, check_port_name
}

text_type! {
    /// A key in a Secret or ConfigMap.
    pub struct SecretKey; InvalidName, "password", text, |text| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.is_empty() || text.len() > 253 || !text.chars().all(fits) || text == "." || text.starts_with("..") {
            return Err(format!("`{text}` is no key of a ConfigMap or Secret: letters, digits, `-`, `_` and `.`, at most 253"));
        }
        Ok(())
    }
}

text_type! {
    /// The name of an environment variable, as every Kubernetes minor takes it.
    pub struct VariableName; InvalidName, "DB_PASSWORD", text, |text| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.is_empty() || text == "." || text.starts_with("..") || text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(fits) {
            return Err(format!("`{text}` is no name of an environment variable: letters, digits, `_`, `-` and `.`, not a digit first"));
        }
        Ok(())
    }
}

/// Whether a host's name is an address: no top-level domain is a number, so what ends in one is read as an address.
pub fn is_address(host: &str) -> bool {
    host.rsplit('.').next().unwrap_or(host).chars().all(|c| c.is_ascii_digit())
}

/// Checks an RFC 1123 label: at most 63 of `a-z`, `0-9` and `-`, beginning and ending with a letter or digit.
pub fn check_label(text: &str) -> Result<(), String> {
    if text.len() > 63 {
        return Err(format!("`{text}` has {} characters; a name may have 63", text.len()));
    }
    label_characters(text)
}

/// Checks an RFC 1035 label, which Services need: as [`check_label`], and beginning with a letter.
pub fn check_service_name(text: &str) -> Result<(), String> {
    check_label(text)?;
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("`{text}` begins with a digit, and so could be no Service"));
    }
    Ok(())
}

/// Checks an RFC 1123 subdomain: at most 253 characters, labels joined by dots.
pub fn check_subdomain(text: &str) -> Result<(), String> {
    if text.len() > 253 {
        return Err(format!("a name of {} characters; a name may have 253", text.len()));
    }
    text.split('.').try_for_each(label_characters)
}

fn label_characters(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("a name, or a part of it between dots, is empty".to_owned());
    }
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        return Err(format!("`{text}` holds `{}`; names are lower case letters, digits and `-`", bad.escape_debug()));
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err(format!("`{text}` must begin and end with a letter or digit"));
    }
    Ok(())
}

fn check_port_name(text: &str) -> Result<(), String> {
    if text.len() > 15 {
        return Err(format!("the port name `{text}` has {} characters; it may have 15", text.len()));
    }
    label_characters(text)?;
    if !text.contains(|c: char| c.is_ascii_lowercase()) || text.contains("--") {
        return Err(format!("the port name `{text}` needs a letter, and no two dashes in a row"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{DnsLabel, DnsSubdomain, PortName, SecretKey};

    #[test]
    fn names_are_what_kubernetes_takes() {
        for good in ["a", "a-b", "9", "card-vault", &"a".repeat(63)] {
            assert!(DnsLabel::new(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "a_b", "-a", "a-", "a.b", "ä", "a b", &"a".repeat(64)] {
            assert!(DnsLabel::new(bad).is_err(), "{bad}");
        }
        assert!(DnsSubdomain::new("a.b-c.d").is_ok());
        for bad in ["a..b", ".a", "a.", "a.-b"] {
            assert!(DnsSubdomain::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn port_names_and_keys_have_rules_of_their_own() {
        assert!(PortName::new("http-metrics").is_ok());
        for bad in ["sixteen-letters-", "a-very-long-port-name", "80", "a--b", ""] {
            assert!(PortName::new(bad).is_err(), "{bad}");
        }
        assert!(SecretKey::new("jwtRS256.key.pub").is_ok());
        for bad in ["", ".", "..a", "a/b", "ä"] {
            assert!(SecretKey::new(bad).is_err(), "{bad}");
        }
    }
}

//! Address ranges, single addresses and URLs.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::text_type;

text_type! {
    /// An address range in CIDR notation, with no bits set beyond its prefix: what NetworkPolicies take.
    pub struct Cidr; InvalidAddress, "10.42.0.0/16", text, |text| {
        if !text.contains('/') && text.parse::<IpAddr>().is_ok() {
            let bits = if text.contains(':') { 128 } else { 32 };
            return Err(format!("`{text}` is one address; a range of one is written `{text}/{bits}`"));
        }
        let net: IpNet = text.parse().map_err(|_| format!("`{text}` is no address range"))?;
        if net.trunc() != net {
            return Err(format!("`{text}` has bits beyond its prefix; the range is `{}`", net.trunc()));
        }
        if net.addr().is_ipv4() && net.to_string() != text {
            return Err(format!("`{text}` has leading zeros, which some readers take for octal"));
        }
        Ok(())
    }
}

text_type! {
    /// One address.
    pub struct Address; InvalidAddress, "192.0.2.10", text, |text| {
        text.parse::<IpAddr>().map(drop).map_err(|_| format!("`{text}` is no address"))
    }
}

text_type! {
    /// A URL with a scheme and a host; no user or password in it.
    pub struct Url; InvalidAddress, "https://git.acme.example/platform/fleet.git", text, |text| {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| format!("`{text}` is no URL with a scheme"))?;
        let authority = rest.split('/').next().unwrap_or_default();
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        if !matches!(scheme, "https" | "http" | "ssh" | "unix" | "oci") || (host.is_empty() && scheme != "unix") {
            return Err(format!("`{text}` is no https, http, ssh, oci or unix URL"));
        }
        if user.is_some_and(|user| user.contains(':')) {
            return Err("the URL holds a password".to_owned());
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("the URL holds white space".to_owned());
        }
        Ok(())
    }
}

impl Address {
    /// The address itself; one of IPv4 in IPv6's notation is one of IPv4.
    pub fn ip(&self) -> IpAddr {
        self.as_str().parse().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)).to_canonical()
    }
}

impl Cidr {
    /// The range as a network.
    pub fn net(&self) -> IpNet {
        self.as_str().parse().unwrap_or_default()
    }

    /// Whether two ranges share an address.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (self.net(), other.net());
        a.contains(&b) || b.contains(&a)
    }

    /// Whether the range holds an address.
    pub fn holds(&self, address: &Address) -> bool {
        self.net().contains(&address.ip())
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Cidr, Url};

    #[test]
    fn ranges_are_whole() {
        assert!(Cidr::new("10.42.0.0/16").is_ok());
        assert!(Cidr::new("2001:db8::/32").is_ok());
        for bad in ["10.42.0.1/16", "10.42.0.0", "10.42.0.0/33", "10.42.0/16", "010.42.0.0/16", "x/8", ""] {
            assert!(Cidr::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ranges_tell_what_they_hold() {
        let range = Cidr::new("10.42.0.0/16").unwrap();
        assert!(range.holds(&Address::new("10.42.3.4").unwrap()));
        assert!(!range.holds(&Address::new("10.43.3.4").unwrap()));
        assert!(range.overlaps(&Cidr::new("10.0.0.0/8").unwrap()));
        assert!(!range.overlaps(&Cidr::new("10.43.0.0/16").unwrap()));
    }

    #[test]
    fn urls_hold_no_password() {
        assert!(Url::new("ssh://git@git.acme.example/fleet.git").is_ok());
        for bad in ["https://u:p@git.acme.example/x", "git.acme.example/x", "ftp://a/b", "https:///x", "https://a/b c"] {
            assert!(Url::new(bad).is_err(), "{bad}");
        }
    }
}

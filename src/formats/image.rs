//! Image references, normalised as container runtimes do before any rule looks at them (the `distribution` reference grammar).

use crate::text_type;

text_type! {
    /// An image reference as written: `[registry/]path[:tag][@digest]`.
    pub struct ImageRef; InvalidImage, "registry.acme.example/shop/carts:1.4.2@sha256:<64 hex digits>", text, |text| parse(text).map(drop)
}

text_type! {
    /// A registry, or a path within one, below which images may come from.
    pub struct RegistryPrefix; InvalidImage, "registry.acme.example/restricted/", text, |text| {
        let trimmed = text.strip_suffix('/').unwrap_or(text);
        let mut segments = trimmed.split('/');
        let host = segments.next().unwrap_or_default();
        if !is_host(host) {
            return Err(format!("`{text}` must begin with the registry's host: `docker.io/` for Docker Hub"));
        }
        segments.try_for_each(|segment| check_segment(segment, text))
    }
}

impl RegistryPrefix {
    /// The prefix of every normalised name below it: its host as runtimes spell it, and a `/` at the end.
    pub fn canonical(&self) -> String {
        let text = self.as_str();
        let text = text.strip_suffix('/').unwrap_or(text);
        let (host, path) = text.split_once('/').map_or((text, None), |(host, path)| (host, Some(path)));
        let path = path.map_or_else(String::new, |path| format!("{path}/"));
        format!("{}/{path}", canonical_host(host))
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    host: &'a str,
    path: Vec<&'a str>,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl ImageRef {
    /// The full name that a runtime pulls: `mongo` is `docker.io/library/mongo:latest`.
    pub fn normalised(&self) -> String {
        let Ok(parts) = parse(self.as_str()) else { return self.as_str().to_owned() };
        let mut full = format!("{}/{}", parts.host, parts.path.join("/"));
        match (parts.tag, parts.digest) {
            (None, None) => full.push_str(":latest"),
            (tag, digest) => {
                full.extend(tag.iter().flat_map(|tag| [":", tag]));
                full.extend(digest.iter().flat_map(|digest| ["@", digest]));
            }
        }
        full
    }

    /// Whether a digest pins the image.
    pub fn has_digest(&self) -> bool {
        parse(self.as_str()).is_ok_and(|parts| parts.digest.is_some())
    }

    /// Whether the image lies below a prefix, host and path compared segment by segment.
    pub fn is_below(&self, prefix: &RegistryPrefix) -> bool {
        let Ok(parts) = parse(self.as_str()) else { return false };
        let prefix = prefix.as_str();
        let mut wanted = prefix.strip_suffix('/').unwrap_or(prefix).split('/');
        let host = wanted.next().map(canonical_host);
        let wanted: Vec<&str> = wanted.collect();
        host == Some(parts.host) && parts.path.len() > wanted.len() && parts.path.starts_with(&wanted)
    }
}

fn canonical_host(host: &str) -> &str {
    if matches!(host, "index.docker.io" | "registry-1.docker.io") { "docker.io" } else { host }
}

fn parse(text: &str) -> Result<Parts<'_>, String> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    if let Some(digest) = digest {
        check_digest(digest)?;
    }
    let last_slash = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[last_slash..].split_once(':') {
        Some((_, tag)) => (&rest[..rest.len() - tag.len() - 1], Some(tag)),
        None => (rest, None),
    };
    if let Some(tag) = tag {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if tag.is_empty() || tag.len() > 128 || !tag.chars().all(fits) || tag.starts_with(['.', '-']) {
            return Err(format!("`{tag}` is no tag: letters, digits, `_`, `.`, `-`, at most 128"));
        }
    }
    let (host, path) = match name.split_once('/') {
        Some((first, path)) if is_host(first) => (canonical_host(first), path),
        _ => ("docker.io", name),
    };
    let mut path: Vec<&str> = path.split('/').collect();
    path.iter().try_for_each(|segment| check_segment(segment, text))?;
    if host == "docker.io" && path.len() == 1 {
        path.insert(0, "library");
    }
    if name.len() > 255 {
        return Err("the name of an image may have 255 characters".to_owned());
    }
    Ok(Parts { host, path, tag, digest })
}

/// A first segment is a host where it has a dot or a port, or is `localhost`; anything else is a path on Docker Hub.
fn is_host(segment: &str) -> bool {
    let (name, port) = segment.split_once(':').map_or((segment, None), |(name, port)| (name, Some(port)));
    let port_fits = port.is_none_or(|port| !port.is_empty() && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()));
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    port_fits && name.split('.').all(label) && (name.contains('.') || port.is_some() || name == "localhost")
}

fn check_segment(segment: &str, whole: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | '-');
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if segment.is_empty() || !segment.chars().all(fits) || !segment.starts_with(ends) || !segment.ends_with(ends) || segment.contains("..")
    {
        return Err(format!("`{segment}` in `{whole}` is no part of an image's path: lower case letters, digits, `_`, `.`, `-`"));
    }
    Ok(())
}

fn check_digest(digest: &str) -> Result<(), String> {
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Ok(());
    }
    Err("a digest is `sha256:` and 64 lower case hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{ImageRef, RegistryPrefix};

    fn image(text: &str) -> ImageRef {
        ImageRef::new(text).unwrap()
    }

    #[test]
    fn names_are_normalised_as_runtimes_do() {
        for (written, full) in [
            ("mongo", "docker.io/library/mongo:latest"),
            ("mongo:7", "docker.io/library/mongo:7"),
            ("acme/carts", "docker.io/acme/carts:latest"),
            ("index.docker.io/mongo", "docker.io/library/mongo:latest"),
            ("localhost/a", "localhost/a:latest"),
            ("registry.acme.example:5000/a/b:1", "registry.acme.example:5000/a/b:1"),
        ] {
            assert_eq!(image(written).normalised(), full);
        }
        let digest = format!("a.example/b@sha256:{}", "0f".repeat(32));
        assert_eq!(image(&digest).normalised(), digest);
        assert!(image(&digest).has_digest());
    }

    #[test]
    fn prefixes_are_spelt_as_runtimes_do() {
        for (written, canonical) in [
            ("registry.acme.example/restricted", "registry.acme.example/restricted/"),
            ("registry.acme.example:5000/", "registry.acme.example:5000/"),
            ("index.docker.io/library/", "docker.io/library/"),
            ("registry-1.docker.io", "docker.io/"),
        ] {
            assert_eq!(RegistryPrefix::new(written).unwrap().canonical(), canonical);
        }
    }

    #[test]
    fn a_look_alike_is_outside() {
        let prefix = RegistryPrefix::new("registry.acme.example/restricted/").unwrap();
        assert!(image("registry.acme.example/restricted/card-vault:1").is_below(&prefix));
        for outside in [
            "registry.acme.example/restricted",
            "registry.acme.example/restricted-evil/a",
            "registry.acme.example.evil.io/restricted/a",
            "registry.acme.example/other/restricted/a",
            "registry.acme.example:443/restricted/a",
            "restricted/a",
        ] {
            assert!(!image(outside).is_below(&prefix), "{outside}");
        }
        assert!(image("mongo").is_below(&RegistryPrefix::new("docker.io/").unwrap()));
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in ["", "A", "a/", "a//b", "a:", "a b", "a@sha256:0f", "a/../b", "https://a.example/b", "-a", "a:.x"] {
            assert!(ImageRef::new(text).is_err(), "{text}");
        }
        assert!(RegistryPrefix::new("acme").is_err());
    }
}

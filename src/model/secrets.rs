//! Literals that look like secrets: by the name they are given, or by what they look like (SP 800-190 4.1.4).

/// Why a literal looks like a secret; `None` where it does not.
pub fn suspicion(name: Option<&str>, value: &str) -> Option<&'static str> {
    shape(value).or_else(|| name.filter(|name| is_secret_name(name) && could_be_secret(value)).map(|_| "its name says that it holds one"))
}

fn shape(value: &str) -> Option<&'static str> {
    if value.contains("-----BEGIN ") && value.contains("PRIVATE KEY-----") {
        return Some("it holds a private key");
    }
    if has_password_url(value) {
        return Some("it holds a URL with a password");
    }
    value.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ',' | ';')).find_map(|word| {
        let after = |prefix: &str, least: usize| word.strip_prefix(prefix).is_some_and(|rest| rest.len() >= least && is_token(rest));
        if after("AKIA", 16) || after("ASIA", 16) {
            Some("it looks like a cloud access key")
        } else if after("ghp_", 30)
            || after("github_pat_", 30)
            || after("glpat-", 20)
            || after("xoxb-", 20)
            || after("xoxp-", 20)
            || after("sk_live_", 16)
        {
            Some("it looks like an access token")
        } else if word.starts_with("eyJ") && word.split('.').count() == 3 && word.len() > 40 {
            Some("it looks like a signed token")
        } else {
            None
        }
    })
}

fn is_token(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn has_password_url(value: &str) -> bool {
    value.match_indices("://").any(|(at, _)| {
        let authority = value[at + 3..].split(['/', '?', '#', ' ', '"']).next().unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| !password.is_empty() && !password.starts_with('$'))
    })
}

fn is_secret_name(name: &str) -> bool {
    let words: Vec<String> = words(name);
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    let pair = |a: &str, b: &str| words.windows(2).any(|pair| pair[0] == a && pair[1] == b);
    // What follows the word says that a name, a place or a length is meant: `TOKEN_URL`, `PASSWORD_FILE`, `SECRET_NAME`.
    let about = [
        "url",
        "uri",
        "file",
        "path",
        "dir",
        "name",
        "namespace",
        "length",
        "ttl",
        "expiry",
        "expiration",
        "seconds",
        "minutes",
        "issuer",
        "audience",
        "policy",
        "algorithm",
        "type",
        "header",
        "enabled",
        "endpoint",
        "id",
    ];
    if words.last().is_some_and(|last| about.contains(&last.as_str())) {
        return false;
    }
    ["password", "passwd", "pwd", "passphrase", "secret", "token", "apikey", "credential", "credentials"].iter().any(|word| has(word))
        || pair("api", "key")
        || pair("private", "key")
        || pair("access", "key")
        || pair("secret", "key")
        || pair("encryption", "key")
}

/// `DB_PASSWORD`, `dbPassword` and `db.password` as `db`, `password`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        lower_before = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A value that could be a secret at all: not empty, no switch, no path, no reference to another variable.
fn could_be_secret(value: &str) -> bool {
    !(value.is_empty()
        || value.starts_with('/')
        || value.starts_with("$(")
        || matches!(value, "true" | "false" | "none" | "null" | "required" | "optional"))
}

#[cfg(test)]
mod tests {
    use super::suspicion;

    #[test]
    fn secrets_are_seen_by_name_and_by_shape() {
        for (name, value) in [
            ("DB_PASSWORD", "hunter2"),
            ("dbPassword", "hunter2"),
            ("API_KEY", "0123"),
            ("STRIPE_SECRET", "x"),
            ("DATABASE", "postgres://app:hunter2@db/app"),
            ("KEY", "-----BEGIN RSA PRIVATE KEY-----\nMII"),
            ("X", "AKIAIOSFODNN7EXAMPLE"),
            ("X", "--token=ghp_0123456789abcdef0123456789abcdef0123"),
        ] {
            assert!(suspicion(Some(name), value).is_some(), "{name}={value}");
        }
    }

    #[test]
    fn what_only_speaks_of_secrets_is_none() {
        for (name, value) in [
            ("PASSWORD_FILE", "/etc/x"),
            ("TOKEN_URL", "https://login.acme.example/token"),
            ("SECRET_NAME", "ledger"),
            ("PASSWORD", ""),
            ("TOKEN", "/var/run/token"),
            ("TOKENIZER", "bert"),
            ("DB_PASSWORD", "$(OTHER)"),
            ("URL", "https://user@host/path"),
            ("MONKEY", "x"),
        ] {
            assert_eq!(suspicion(Some(name), value), None, "{name}={value}");
        }
    }
}

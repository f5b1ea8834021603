//! The name of a resource: what the API serves a kind under.

/// The usual plural, as Kubernetes itself guesses it; right for every built-in kind. What a source brings along states its own.
pub fn plural(kind: &str) -> String {
    let word = kind.to_lowercase();
    if word.ends_with("endpoints") {
        return word;
    }
    match word.strip_suffix('y') {
        Some(stem) if !word.ends_with("ay") && !word.ends_with("ey") && !word.ends_with("oy") && !word.ends_with("uy") => {
            format!("{stem}ies")
        }
        _ if word.ends_with('s') => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::plural;

    #[test]
    fn plurals_are_those_of_the_api() {
        for (kind, resource) in [
            ("NetworkPolicy", "networkpolicies"),
            ("Ingress", "ingresses"),
            ("Endpoints", "endpoints"),
            ("Gateway", "gateways"),
            ("StorageClass", "storageclasses"),
            ("HorizontalPodAutoscaler", "horizontalpodautoscalers"),
        ] {
            assert_eq!(plural(kind), resource);
        }
    }
}

//! Texts of `PromQL`: values of the inventory as its literals, and the names that kube-state-metrics gives to labels of objects.

use std::fmt::Write;

/// A text as a literal in double quotes, for `=` and `!=`.
pub fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            // Writing to a string cannot fail.
            c if c.is_control() => drop(write!(out, "\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A literal for `=~` and `!~` that matches each of these texts, whatever is in them, and nothing else; of no texts, the empty one alone.
pub fn one_of<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    text(&values.into_iter().map(quoted).collect::<Vec<_>>().join("|"))
}

/// A literal for `=~` that matches whatever ends in a text, and has something before it.
pub fn ends_in(value: &str) -> String {
    text(&format!(".+{}", quoted(value)))
}

/// A text as the regular expression that it alone fits (RE2, which Prometheus anchors at both ends).
pub fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A name as Prometheus writes it: whatever it does not take becomes `_`.
pub fn name(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// The label of `kube_node_labels` and the like that holds an object's label: what Prometheus does not take becomes `_`, and capitals of a
/// word in the middle are set apart (kube-state-metrics, `internal/store/utils.go`).
pub fn object_label(key: &str) -> String {
    let mut out = "label_".to_owned();
    let mut previous = '_';
    for c in name(key).chars() {
        if c.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit()) {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
        previous = c;
    }
    out
}

/// A text within a template of Go's, which labels and annotations of alerts are: it stands there as itself.
pub fn literal(value: &str) -> String {
    value.replace("{{", r#"{{"{{"}}"#)
}

#[cfg(test)]
mod tests {
    use super::{ends_in, literal, object_label, one_of, text};

    #[test]
    fn nothing_in_a_text_ends_its_literal() {
        assert_eq!(text("a\"} or vector(1) #\\\n\u{7}"), "\"a\\\"} or vector(1) #\\\\\\n\\u0007\"");
        assert_eq!(one_of(["shop-internal", "a.b|c*"]), r#""shop-internal|a\\.b\\|c\\*""#);
        assert_eq!(one_of([]), "\"\"");
        assert_eq!(ends_in(".tier.acme.example"), r#"".+\\.tier\\.acme\\.example""#);
        assert_eq!(literal("{{ .Secret }}"), r#"{{"{{"}} .Secret }}"#);
    }

    #[test]
    fn labels_of_objects_are_named_as_kube_state_metrics_does() {
        assert_eq!(object_label("node-restriction.kubernetes.io/tier"), "label_node_restriction_kubernetes_io_tier");
        assert_eq!(object_label("tier.acme.example/costCenter"), "label_tier_acme_example_cost_center");
    }
}

//! SARIF 2.1.0 for code scanning.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::fingerprint::Fingerprints;
use super::places::Places;
use super::{Options, json_text, most_severe_first, paragraph};
use crate::diag::{Code, Diag, Severity};
use crate::source::Span;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// GitHub refuses a run with more results.
const MAX_RESULTS: usize = 25_000;

/// Beyond [`MAX_RESULTS`] the most severe are kept, and a last result says how many were left out.
pub(super) fn render(diags: &[Diag], places: &Places<'_>, options: &Options) -> String {
    json_text(&log(diags, places, options.command, MAX_RESULTS))
}

fn log(diags: &[Diag], places: &Places<'_>, command: &str, max: usize) -> Value {
    let (kept, cut) = if diags.len() > max {
        let mut kept = most_severe_first(diags);
        let cut = kept.split_off(max - 1);
        (kept, cut)
    } else {
        (diags.iter().collect(), Vec::new())
    };
    let codes: Vec<Code> = kept.iter().map(|diag| diag.code).collect::<BTreeSet<_>>().into_iter().collect();
    let mut fingerprints = Fingerprints::default();
    let mut results: Vec<Value> = kept.iter().map(|diag| result(diag, &codes, places, &mut fingerprints)).collect();
    if let Some(first) = cut.first() {
        let more: usize = cut.iter().map(|diag| diag.stands_for).sum();
        results.push(json!({
            "level": "note",
            "locations": [location(first.primary.span, "", places)],
            "message": { "text": format!("{more} more findings are left out here; `{command} --format json` lists them.") },
            "ruleId": "findings-left-out",
        }));
    }
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "columnKind": "unicodeCodePoints",
            "results": results,
            "tool": { "driver": {
                "name": "ringfence",
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
            } },
        }],
    })
}

fn rule(code: Code) -> Value {
    let explanation = message(&code.explanation());
    json!({
        "defaultConfiguration": { "level": level(code.severity()) },
        "fullDescription": { "text": explanation },
        "help": { "text": format!("{explanation}\n\n`ringfence explain {code}` shows this text.") },
        "id": code.name(),
        "shortDescription": { "text": message(code.title()) },
    })
}

fn result(diag: &Diag, codes: &[Code], places: &Places<'_>, fingerprints: &mut Fingerprints) -> Value {
    let mut result = json!({
        "level": level(diag.severity),
        "locations": [location(diag.primary.span, "", places)],
        "message": { "text": message(&paragraph(diag)) },
        "partialFingerprints": { "codePathLine/v1": fingerprints.next(diag, places) },
        "ruleId": diag.code.name(),
        "ruleIndex": codes.binary_search(&diag.code).unwrap_or_default(),
    });
    if !diag.related.is_empty() {
        let related = diag.related.iter().enumerate().map(|(id, label)| {
            let mut location = location(label.span, &label.text, places);
            location["id"] = json!(id);
            location
        });
        result["relatedLocations"] = related.collect();
    }
    result
}

fn location(span: Span, text: &str, places: &Places<'_>) -> Value {
    let (start, end) = (places.start(span), places.end(span));
    let mut location = Map::new();
    location.insert(
        "physicalLocation".to_owned(),
        json!({
            "artifactLocation": { "uri": uri(places.path(span.file)) },
            "region": { "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column },
        }),
    );
    if !text.is_empty() {
        location.insert("message".to_owned(), json!({ "text": message(text) }));
    }
    Value::Object(location)
}

fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

/// Plain text as SARIF writes it: braces are doubled, because single ones hold placeholders (3.11.5), and what would read as an embedded
/// link is not one (3.11.6).
fn message(text: &str) -> String {
    let text = text.replace('{', "{{").replace('}', "}}");
    if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text }
}

/// A path as a relative reference (RFC 3986): all but unreserved characters and slashes are percent-encoded, a colon too, which would make
/// the first part a scheme.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Files;

    #[test]
    fn beyond_the_cap_the_most_severe_are_kept_and_the_rest_is_counted() {
        let mut files = Files::default();
        let file = files.add("a.yaml", "x\n".repeat(10));
        let codes = [Code::NotGenerated, Code::GatewayUnused, Code::UnknownKey, Code::UnknownKey];
        let diags: Vec<Diag> =
            codes.iter().zip(0..).map(|(code, line)| Diag::new(*code, Span { file, start: line * 2, end: line * 2 + 1 }, "m")).collect();
        let places = Places::new(&files, &diags);
        let log = log(&diags, &places, "ringfence check", 3);
        let results = log["runs"][0]["results"].as_array().unwrap();
        let levels: Vec<_> = results.iter().map(|result| result["level"].as_str().unwrap()).collect();
        assert_eq!(levels, ["error", "error", "note"]);
        assert!(results[2]["message"]["text"].as_str().unwrap().starts_with("2 more findings"));
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 1);
    }

    #[test]
    fn a_path_cannot_be_taken_for_anything_else() {
        assert_eq!(uri("inventory/a b:é%.yaml"), "inventory/a%20b%3A%C3%A9%25.yaml");
    }

    #[test]
    fn text_cannot_become_a_placeholder_or_a_link() {
        assert_eq!(message("`{0}` and [x](1)"), "`{{0}}` and \\[x\\](1)");
    }

    #[test]
    fn explanations_are_as_long_as_code_scanning_shows() {
        for code in Code::ALL {
            assert!(code.explanation().chars().count() <= 1024, "{code}");
        }
    }
}

//! What the API server asks of a custom schema itself, beside what each keyword takes: that it is structural
//! (`apiextensions-apiserver`, `pkg/apis/apiextensions/validation` and `pkg/apiserver/schema`).

use serde_json::{Map, Value};

use super::Minor;
use super::keywords::mismatch;
use super::openapi::{Reader, is_true, text};
use super::table::table;
use crate::diag::did_you_mean;

const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const MAP_KEYS: &str = "x-kubernetes-list-map-keys";
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";

impl Reader {
    /// A problem for each keyword that is none, or that holds what it does not take.
    pub(super) fn forms(&mut self, keywords: &Map<String, Value>, known: &[&'static str], unknown: impl Fn(&str) -> String) {
        for (keyword, value) in keywords {
            if !known.contains(&keyword.as_str()) {
                let help = did_you_mean(keyword, known.iter().copied());
                self.below(keyword, |reader| reader.problem(unknown(keyword), help));
                continue;
            }
            if let Some(expected) = mismatch(keyword, value) {
                // Later drafts of JSON Schema have the limit itself there.
                let draft = keyword.strip_prefix("exclusive").filter(|_| value.is_number()).map(str::to_lowercase);
                let help = draft.map(|limit| format!("Write `{limit}: {value}` beside `{keyword}: true`."));
                self.below(keyword, |reader| reader.problem(format!("`{keyword}` takes {expected}"), help));
            }
        }
        let asks_nothing = keywords.get("enum").and_then(Value::as_array).is_some_and(Vec::is_empty);
        self.refuse(asks_nothing, "enum", "`enum` lists no value", Some("Remove it, or list what is allowed."));
        let unique = is_true(keywords, "uniqueItems");
        let help = "Write `x-kubernetes-list-type: set` for a list of scalars.";
        self.refuse(unique, "uniqueItems", "`uniqueItems` must not be `true`: comparing all items would take too long", Some(help));
    }

    /// A problem for each rule of structural schemas that a schema breaks.
    pub(super) fn structural(&mut self, keywords: &Map<String, Value>) {
        let has = |keyword: &str| keywords.contains_key(keyword);
        let is_of = |name: &str| text(keywords, "type") == Some(name);
        let has_properties = keywords.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty());
        let preserves = is_true(keywords, PRESERVE);
        self.refuse(
            has_properties && has("additionalProperties"),
            "additionalProperties",
            "`additionalProperties` has no place beside `properties`",
            Some("Keep one of them; `x-kubernetes-preserve-unknown-fields: true` beside `properties` lets other keys be."),
        );
        self.refuse(
            keywords.get(PRESERVE) == Some(&Value::Bool(false)),
            PRESERVE,
            &format!("`{PRESERVE}` is `true` or left out"),
            Some("Remove it."),
        );
        let both = preserves && is_true(keywords, INT_OR_STRING);
        self.refuse(both, PRESERVE, &format!("`{PRESERVE}` has no place beside `{INT_OR_STRING}`"), Some("Keep one of them."));
        let embedded = is_true(keywords, EMBEDDED);
        self.refuse(embedded && !is_of("object"), EMBEDDED, "an embedded resource is of `type: object`", None);
        let anything = Some("Or `x-kubernetes-preserve-unknown-fields: true` for any object.");
        self.refuse(embedded && !has_properties && !preserves, EMBEDDED, "an embedded resource states its `properties`", anything);
        self.refuse(
            has("x-kubernetes-list-type") && !is_of("array"),
            "x-kubernetes-list-type",
            "`x-kubernetes-list-type` is for `type: array`",
            None,
        );
        self.refuse(
            has("x-kubernetes-map-type") && !is_of("object"),
            "x-kubernetes-map-type",
            "`x-kubernetes-map-type` is for `type: object`",
            None,
        );
        let map_type = text(keywords, "x-kubernetes-map-type").is_some_and(|word| !matches!(word, "atomic" | "granular"));
        self.refuse(map_type, "x-kubernetes-map-type", "there is no mapping of that type", Some("It is `atomic` or `granular`."));
        if let Some(items) = keywords.get("items").filter(|_| text(keywords, "x-kubernetes-list-type") == Some("map")) {
            self.map_keys(keywords, items);
        }
        let rules = keywords.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten();
        let silent = rules.clone().any(|rule| rule.is_object() && rule.get("rule").and_then(Value::as_str).is_none_or(str::is_empty));
        self.refuse(silent, "x-kubernetes-validations", "an entry of `x-kubernetes-validations` lacks its `rule`", None);
        let unknown = text(keywords, "$ref").filter(|name| !Minor::ALL.iter().any(|minor| table().definition(*minor, name).is_some()));
        if let Some(name) = unknown {
            let help = "It is one of Kubernetes' own, such as `io.k8s.api.core.v1.PodSpec`; write another schema out in its place.";
            self.refuse(true, "$ref", &format!("there is no definition `{name}`"), Some(help));
        }
    }

    /// What tells the entries of a list apart is there in each: it is required or has a default.
    fn map_keys(&mut self, keywords: &Map<String, Value>, items: &Value) {
        if items.get("$ref").is_some() {
            return;
        }
        for key in keywords.get(MAP_KEYS).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            let property = items.get("properties").and_then(|properties| properties.get(key));
            let required = items.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|name| name == key));
            let has_default = property.is_some_and(|property| property.get("default").is_some());
            self.refuse(property.is_none(), MAP_KEYS, &format!("the entries have no property `{key}`"), None);
            let message = format!("`{key}` tells entries apart, and may be left out");
            let help = format!("List it under `required` of the entries, or give it a `default`: {MAP_KEYS} asks for one.");
            self.refuse(property.is_some() && !required && !has_default, MAP_KEYS, &message, Some(&help));
        }
    }

    fn refuse(&mut self, broken: bool, keyword: &str, message: &str, help: Option<&str>) {
        if broken {
            self.below(keyword, |reader| reader.problem(message, help.map(str::to_owned)));
        }
    }
}

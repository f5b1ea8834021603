//! Reads the keywords of a custom schema that say more than a type: see [`super::rule`].

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::openapi::{Reader, is_of_a_branch, is_true, keywords_known, text};
use super::rule::{Branch, Limit, Rule};
use crate::diag::did_you_mean;

impl Reader {
    /// What a schema's keywords ask beside the type.
    pub(super) fn rule(&mut self, keywords: &Map<String, Value>) -> Rule {
        let minimum = self.number(keywords, "minimum");
        let maximum = self.number(keywords, "maximum");
        Rule {
            minimum: minimum.map(|value| Limit { value, exclusive: is_true(keywords, "exclusiveMinimum") }),
            maximum: maximum.map(|value| Limit { value, exclusive: is_true(keywords, "exclusiveMaximum") }),
            multiple_of: self.number(keywords, "multipleOf").filter(|step| self.positive(*step)),
            min_length: self.count(keywords, "minLength"),
            max_length: self.count(keywords, "maxLength"),
            pattern: self.pattern(keywords),
            min_items: self.count(keywords, "minItems"),
            max_items: self.count(keywords, "maxItems"),
            unique_items: is_true(keywords, "uniqueItems"),
            min_properties: self.count(keywords, "minProperties"),
            max_properties: self.count(keywords, "maxProperties"),
            all_of: self.branches(keywords, "allOf"),
            any_of: self.branches(keywords, "anyOf"),
            one_of: self.branches(keywords, "oneOf"),
            not: keywords.get("not").map(|value| Box::new(self.below("not", |reader| reader.branch(value)))),
        }
    }

    fn branches(&mut self, keywords: &Map<String, Value>, keyword: &str) -> Vec<Branch> {
        let Some(value) = keywords.get(keyword) else { return Vec::new() };
        self.below(keyword, |reader| match value {
            Value::Array(items) => items.iter().enumerate().map(|(at, item)| reader.item(at, |reader| reader.branch(item))).collect(),
            _ => {
                reader.problem(format!("`{keyword}` takes a list of schemas"), None);
                Vec::new()
            }
        })
    }

    fn branch(&mut self, value: &Value) -> Branch {
        let Value::Object(keywords) = value else {
            self.problem("a schema is a mapping", None);
            return Branch::default();
        };
        for keyword in keywords.keys().filter(|keyword| !is_of_a_branch(keyword)) {
            let help = did_you_mean(keyword, keywords_known().filter(|keyword| is_of_a_branch(keyword)));
            self.below(keyword, |reader| {
                reader.problem(format!("`{keyword}` has no meaning below `allOf`, `anyOf`, `oneOf` and `not`"), help);
            });
        }
        let properties = keywords.get("properties").and_then(Value::as_object).into_iter().flatten();
        let below = |reader: &mut Self, keyword: &str| {
            let schema = keywords.get(keyword).filter(|value| value.is_object())?;
            Some(Box::new(reader.below(keyword, |reader| reader.branch(schema))))
        };
        Branch {
            types: text(keywords, "type").map(str::to_owned).into_iter().collect(),
            choices: self.texts(keywords, "enum"),
            required: self.texts(keywords, "required"),
            properties: properties
                .map(|(name, schema)| {
                    let branch = self.below("properties", |reader| reader.below(name, |reader| reader.branch(schema)));
                    (name.clone(), branch)
                })
                .collect(),
            additional: below(self, "additionalProperties"),
            items: below(self, "items"),
            rule: self.rule(keywords),
        }
    }

    fn number(&mut self, keywords: &Map<String, Value>, keyword: &str) -> Option<f64> {
        let value = keywords.get(keyword)?;
        if value.as_f64().is_none() {
            self.below(keyword, |reader| reader.problem(format!("`{keyword}` takes a number"), None));
        }
        value.as_f64()
    }

    fn positive(&mut self, step: f64) -> bool {
        if step <= 0.0 {
            self.below("multipleOf", |reader| reader.problem("`multipleOf` takes a number above 0", None));
        }
        step > 0.0
    }

    fn count(&mut self, keywords: &Map<String, Value>, keyword: &str) -> Option<u64> {
        let value = keywords.get(keyword)?;
        if value.as_u64().is_none() {
            self.below(keyword, |reader| reader.problem(format!("`{keyword}` takes a whole number from 0"), None));
        }
        value.as_u64()
    }

    fn pattern(&mut self, keywords: &Map<String, Value>) -> Option<Regex> {
        let pattern = keywords.get("pattern")?;
        let compiled = pattern.as_str().and_then(|pattern| Regex::new(pattern).ok());
        if compiled.is_none() {
            let help = "Leave it to the API server: take it out of this copy of the schema, or write it without what Go's `regexp` alone has, \
                        such as `\\p{L}`.";
            self.below("pattern", |reader| reader.problem("this pattern cannot be checked here", Some(help.to_owned())));
        }
        compiled
    }
}

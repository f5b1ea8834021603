//! Reads the keywords of a custom schema that say more than a type: see [`super::rule`].

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::keywords;
use super::openapi::{Reader, is_true, text, texts};
use super::rule::{Branch, Limit, Rule};

impl Reader {
    /// What a schema's keywords ask beside the type.
    pub(super) fn rule(&mut self, keywords: &Map<String, Value>) -> Rule {
        let minimum = number(keywords, "minimum");
        let maximum = number(keywords, "maximum");
        Rule {
            minimum: minimum.map(|value| Limit { value, exclusive: is_true(keywords, "exclusiveMinimum") }),
            maximum: maximum.map(|value| Limit { value, exclusive: is_true(keywords, "exclusiveMaximum") }),
            multiple_of: number(keywords, "multipleOf").filter(|step| self.positive(*step)),
            min_length: count(keywords, "minLength"),
            max_length: count(keywords, "maxLength"),
            pattern: self.pattern(keywords),
            min_items: count(keywords, "minItems"),
            max_items: count(keywords, "maxItems"),
            min_properties: count(keywords, "minProperties"),
            max_properties: count(keywords, "maxProperties"),
            all_of: self.branches(keywords, "allOf"),
            any_of: self.branches(keywords, "anyOf"),
            one_of: self.branches(keywords, "oneOf"),
            not: keywords.get("not").map(|value| Box::new(self.below("not", |reader| reader.branch(value)))),
        }
    }

    fn branches(&mut self, keywords: &Map<String, Value>, keyword: &str) -> Vec<Branch> {
        let Some(value) = keywords.get(keyword) else { return Vec::new() };
        let items = value.as_array().into_iter().flatten().enumerate();
        self.below(keyword, |reader| items.map(|(at, item)| reader.item(at, |reader| reader.branch(item))).collect())
    }

    fn branch(&mut self, value: &Value) -> Branch {
        let Value::Object(keywords) = value else {
            self.problem("a schema is a mapping", None);
            return Branch::default();
        };
        let known: Vec<_> = keywords::of_branch(self.int_or_string).collect();
        self.forms(keywords, &known, |keyword| format!("`{keyword}` has no meaning below `allOf`, `anyOf`, `oneOf` and `not`"));
        let properties = keywords.get("properties").and_then(Value::as_object).into_iter().flatten();
        Branch {
            types: text(keywords, "type").map(str::to_owned).into_iter().collect(),
            choices: texts(keywords, "enum"),
            required: texts(keywords, "required"),
            properties: properties
                .map(|(name, schema)| {
                    let branch = self.below("properties", |reader| reader.below(name, |reader| reader.branch(schema)));
                    (name.clone(), branch)
                })
                .collect(),
            items: keywords.get("items").map(|schema| Box::new(self.below("items", |reader| reader.branch(schema)))),
            rule: self.rule(keywords),
        }
    }

    fn positive(&mut self, step: f64) -> bool {
        if step <= 0.0 {
            self.below("multipleOf", |reader| reader.problem("`multipleOf` takes a number above 0", None));
        }
        step > 0.0
    }

    fn pattern(&mut self, keywords: &Map<String, Value>) -> Option<Regex> {
        let pattern = text(keywords, "pattern")?;
        let compiled = Regex::new(pattern).ok();
        if compiled.is_none() {
            let help = "Leave it to the API server: take it out of this copy of the schema, or write it without what Go's `regexp` alone has, \
                        such as `\\p{L}`.";
            self.below("pattern", |reader| reader.problem("this pattern cannot be checked here", Some(help.to_owned())));
        }
        compiled
    }
}

fn number(keywords: &Map<String, Value>, keyword: &str) -> Option<f64> {
    keywords.get(keyword).and_then(Value::as_f64)
}

fn count(keywords: &Map<String, Value>, keyword: &str) -> Option<u64> {
    keywords.get(keyword).and_then(Value::as_u64)
}

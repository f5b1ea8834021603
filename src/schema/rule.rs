//! What a custom schema asks of a value beside its type: bounds, lengths, counts, patterns, and `allOf`, `anyOf`, `oneOf` and `not` of such.
//!
//! Built-in definitions have none of them: what the API server asks of built-in kinds beside their types is not in their schemas.

use regex_lite::Regex;

use super::view::{Seen, View};

/// A limit of a number, and whether it is itself left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) value: f64,
    pub(super) exclusive: bool,
}

/// What is asked of a value. What does not fit its type is not asked, as `maxLength` of a number.
#[derive(Debug, Default)]
pub(super) struct Rule {
    pub(super) minimum: Option<Limit>,
    pub(super) maximum: Option<Limit>,
    pub(super) multiple_of: Option<f64>,
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) pattern: Option<Regex>,
    pub(super) min_items: Option<u64>,
    pub(super) max_items: Option<u64>,
    pub(super) min_properties: Option<u64>,
    pub(super) max_properties: Option<u64>,
    pub(super) all_of: Vec<Branch>,
    pub(super) any_of: Vec<Branch>,
    pub(super) one_of: Vec<Branch>,
    pub(super) not: Option<Box<Branch>>,
}

/// One of the schemas under `allOf`, `anyOf`, `oneOf` and `not`: it says what must hold, not what there is.
#[derive(Debug, Default)]
pub(super) struct Branch {
    /// `type`, or what is meant by it.
    pub(super) types: Vec<String>,
    pub(super) choices: Vec<String>,
    pub(super) required: Vec<String>,
    pub(super) properties: Vec<(String, Branch)>,
    pub(super) items: Option<Box<Branch>>,
    pub(super) rule: Rule,
}

impl Rule {
    /// Whether nothing is asked.
    pub(super) fn is_empty(&self) -> bool {
        let numbers = self.minimum.is_none() && self.maximum.is_none() && self.multiple_of.is_none();
        let texts = self.min_length.is_none() && self.max_length.is_none() && self.pattern.is_none();
        let lists = self.min_items.is_none() && self.max_items.is_none();
        let mappings = self.min_properties.is_none() && self.max_properties.is_none();
        let branches = self.all_of.is_empty() && self.any_of.is_empty() && self.one_of.is_empty() && self.not.is_none();
        numbers && texts && lists && mappings && branches
    }

    /// What of it a value breaks, each as the end of a sentence that begins with the value's place.
    pub(super) fn broken<V: View>(&self, value: &V) -> Vec<String> {
        let mut broken = match value.seen() {
            // Beyond 2^53 a limit itself is no exact number any more.
            #[allow(clippy::cast_precision_loss, reason = "so it is for the API server")]
            Seen::Int(number) => self.number(number as f64),
            Seen::Number(number) => self.number(number),
            Seen::Text(text) => self.text(text),
            Seen::List => counted(value.items().len(), self.min_items, self.max_items, "item"),
            Seen::Map => counted(value.entries().count(), self.min_properties, self.max_properties, "key"),
            _ => Vec::new(),
        };
        broken.extend(self.branches(value));
        broken
    }

    fn number(&self, number: f64) -> Vec<String> {
        let mut broken = Vec::new();
        if let Some(Limit { value, exclusive }) = self.minimum
            && (number < value || exclusive && number <= value)
        {
            broken.push(format!("must be {} {value}, not {number}", if exclusive { "more than" } else { "at least" }));
        }
        if let Some(Limit { value, exclusive }) = self.maximum
            && (number > value || exclusive && number >= value)
        {
            broken.push(format!("must be {} {value}, not {number}", if exclusive { "less than" } else { "at most" }));
        }
        if let Some(step) = self.multiple_of {
            let times = number / step;
            if (times - times.round()).abs() > 1e-9 * times.abs().max(1.0) {
                broken.push(format!("must be a multiple of {step}, which {number} is not"));
            }
        }
        broken
    }

    fn text(&self, text: &str) -> Vec<String> {
        let mut broken = counted(text.chars().count(), self.min_length, self.max_length, "character");
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            broken.push(format!("must match the pattern `{pattern}`, which this text does not"));
        }
        broken
    }

    fn branches<V: View>(&self, value: &V) -> Vec<String> {
        let mut broken = Vec::new();
        for branch in &self.all_of {
            broken.extend(branch.broken(value));
        }
        let any: Vec<_> = self.any_of.iter().map(|branch| branch.broken(value)).collect();
        if !any.is_empty() && !any.iter().any(Option::is_none) {
            broken.push(format!("must fit one of the {} forms of `anyOf`: {}", any.len(), either(&any)));
        }
        let one: Vec<_> = self.one_of.iter().map(|branch| branch.broken(value)).collect();
        match one.iter().filter(|broken| broken.is_none()).count() {
            1 => {}
            0 if one.is_empty() => {}
            0 => broken.push(format!("must fit one of the {} forms of `oneOf`: {}", one.len(), either(&one))),
            fits => broken.push(format!("must fit one of the {} forms of `oneOf`, and fits {fits} of them", one.len())),
        }
        if self.not.as_ref().is_some_and(|branch| branch.broken(value).is_none()) {
            broken.push("must not fit what stands under `not`".to_owned());
        }
        broken
    }
}

impl Branch {
    /// The first thing that the value does not have so.
    fn broken<V: View>(&self, value: &V) -> Option<String> {
        let seen = value.seen();
        if !self.types.is_empty() && !self.types.iter().any(|name| is_of(name, seen)) {
            return Some(format!("must be of type {}", self.types.join(" or ")));
        }
        if let Some(text) = value.scalar().filter(|text| !self.choices.is_empty() && !self.choices.iter().any(|choice| choice == text)) {
            return Some(format!(
                "must be one of {}, not `{text}`",
                self.choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ")
            ));
        }
        if seen == Seen::Map {
            if let Some(key) = self.required.iter().find(|key| value.at(key).is_none()) {
                return Some(format!("must have the key `{key}`"));
            }
            for entry in value.entries() {
                let stated = self.properties.iter().find(|(name, _)| name == entry.key);
                if let Some(broken) = stated.and_then(|(_, branch)| branch.broken(entry.value)) {
                    return Some(format!("has the key `{}`, which {broken}", entry.key));
                }
            }
        }
        for (at, item) in value.items().iter().enumerate() {
            if let Some(broken) = self.items.as_ref().and_then(|branch| branch.broken(item)) {
                return Some(format!("has the item {at}, which {broken}"));
            }
        }
        self.rule.broken(value).into_iter().next()
    }
}

fn either(broken: &[Option<String>]) -> String {
    broken.iter().flatten().map(|broken| format!("it {broken}")).collect::<Vec<_>>().join("; or ")
}

fn counted(count: usize, least: Option<u64>, most: Option<u64>, what: &str) -> Vec<String> {
    let count = count as u64;
    let some = |number: u64| if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") };
    let few = least.filter(|least| count < *least).map(|least| format!("must have at least {}, not {count}", some(least)));
    let many = most.filter(|most| count > *most).map(|most| format!("must have at most {}, not {count}", some(most)));
    few.into_iter().chain(many).collect()
}

fn is_of(name: &str, seen: Seen<'_>) -> bool {
    match (name, seen) {
        ("object", Seen::Map)
        | ("array", Seen::List)
        | ("string", Seen::Text(_) | Seen::Unclear(..))
        | ("integer" | "number", Seen::Int(_))
        | ("number", Seen::Number(_))
        | ("boolean", Seen::Bool(_)) => true,
        ("integer", Seen::Number(number)) => number.fract() == 0.0,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::schema::{Minor, Schemas};

    /// What is said of a value of that schema.
    fn told(schema: &Value, value: &Value) -> Vec<String> {
        let mut schemas = Schemas::new();
        let whole = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": schema}}}});
        schemas.add_custom("acme.example/v1", "Widget", false, &whole).unwrap();
        let object = json!({"apiVersion": "acme.example/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"a": value}});
        schemas.check(Minor::NEWEST, &object).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn bounds_lengths_counts_and_patterns_hold() {
        let int = |keyword: &str, value: Value| json!({"type": "integer", keyword: value});
        let cases = [
            (int("maximum", json!(2)), json!(2), json!(3), "`a` must be at most 2, not 3"),
            (int("minimum", json!(2)), json!(2), json!(1), "`a` must be at least 2, not 1"),
            (int("multipleOf", json!(5)), json!(10), json!(11), "`a` must be a multiple of 5, which 11 is not"),
            (json!({"type": "number", "maximum": 1, "exclusiveMaximum": true}), json!(0.5), json!(1), "`a` must be less than 1, not 1"),
            (json!({"type": "number", "minimum": 0, "exclusiveMinimum": true}), json!(0.5), json!(0), "`a` must be more than 0, not 0"),
            (json!({"type": "string", "minLength": 2}), json!("ää"), json!("ä"), "`a` must have at least 2 characters, not 1"),
            (json!({"type": "string", "maxLength": 1}), json!("ä"), json!("ab"), "`a` must have at most 1 character, not 2"),
            (
                json!({"type": "string", "pattern": "^[a-z]+$"}),
                json!("a"),
                json!("A"),
                "`a` must match the pattern `^[a-z]+$`, which this text does not",
            ),
            (
                json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
                json!(["a"]),
                json!([]),
                "`a` must have at least 1 item, not 0",
            ),
            (
                json!({"type": "array", "items": {"type": "string"}, "maxItems": 1}),
                json!(["a"]),
                json!(["a", "b"]),
                "`a` must have at most 1 item, not 2",
            ),
            (
                json!({"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1}),
                json!({"k": "v"}),
                json!({}),
                "`a` must have at least 1 key, not 0",
            ),
            (
                json!({"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 1}),
                json!({"k": "v"}),
                json!({"k": "v", "l": "w"}),
                "`a` must have at most 1 key, not 2",
            ),
        ];
        for (schema, good, bad, expected) in cases {
            assert_eq!(told(&schema, &good), [""; 0], "{schema}");
            assert_eq!(told(&schema, &bad), [expected], "{schema}");
        }
    }

    #[test]
    fn branches_are_tried_as_a_whole() {
        let object = |keyword: &str, branches: Value| json!({"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "string"}}, keyword: branches});
        let one = object("oneOf", json!([{"required": ["x"]}, {"required": ["y"]}]));
        assert_eq!(told(&one, &json!({"x": "a"})), [""; 0]);
        assert_eq!(told(&one, &json!({"x": "a", "y": "b"})), ["`a` must fit one of the 2 forms of `oneOf`, and fits 2 of them"]);
        assert_eq!(
            told(&one, &json!({})),
            ["`a` must fit one of the 2 forms of `oneOf`: it must have the key `x`; or it must have the key `y`"]
        );
        let any = object("anyOf", json!([{"properties": {"x": {"enum": ["a"]}}, "required": ["x"]}, {"required": ["y"]}]));
        assert_eq!(told(&any, &json!({"x": "a"})), [""; 0]);
        assert_eq!(
            told(&any, &json!({"x": "b"})),
            [
                "`a` must fit one of the 2 forms of `anyOf`: it has the key `x`, which must be one of `a`, not `b`; or it must have the key `y`"
            ]
        );
        let all = json!({"type": "string", "allOf": [{"minLength": 2}, {"pattern": "^a"}]});
        assert_eq!(told(&all, &json!("ab")), [""; 0]);
        assert_eq!(told(&all, &json!("b")).len(), 2);
        let not = object("not", json!({"required": ["x", "y"]}));
        assert_eq!(told(&not, &json!({"x": "a"})), [""; 0]);
        assert_eq!(told(&not, &json!({"x": "a", "y": "b"})), ["`a` must not fit what stands under `not`"]);
        let either =
            json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}], "pattern": "^[0-9]+%$"});
        assert_eq!(told(&either, &json!(5)), [""; 0]);
        assert_eq!(told(&either, &json!("5%")), [""; 0]);
        assert_eq!(told(&either, &json!("five")).len(), 1);
    }
}

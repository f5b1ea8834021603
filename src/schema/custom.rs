//! Custom kinds: what a blueprint's own schema file says, in the form that a CRD has it.

use serde_json::Value;

use super::model::Schema;
use super::table::table;
use super::{Minor, PathSegment, Problem, Schemas};

/// A custom kind.
#[derive(Debug)]
pub(super) struct Custom {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) namespaced: bool,
    pub(super) plural: Option<String>,
    pub(super) schema: Schema,
}

impl Custom {
    pub(super) fn definition_name(api_version: &str, kind: &str) -> String {
        format!("{api_version}/{kind}")
    }
}

impl Schemas {
    /// Adds a kind by its structural schema (a CRD's `openAPIV3Schema`), for every minor. Beyond what a CRD may say, `$ref` names a
    /// built-in definition. The object's `apiVersion`, `kind` and `metadata` need no words. A later schema of one kind takes the place
    /// of an earlier one, as a user's folder takes that of an embedded one.
    ///
    /// # Errors
    /// What is wrong with the schema (paths are from its root), or that the kind is a built-in one.
    pub fn add_custom(&mut self, api_version: &str, kind: &str, namespaced: bool, schema: &Value) -> Result<(), Vec<Problem>> {
        if Minor::ALL.iter().any(|minor| table().kind(*minor, api_version, kind).is_some()) {
            let message = format!("`{kind}` of `{api_version}` is a built-in kind");
            let help = Some("Remove the schema: what is built in is checked already.".to_owned());
            return Err(vec![Problem { path: Vec::new(), message, help, at_key: false }]);
        }
        if let Some(other) = schema.get("type").and_then(Value::as_str).filter(|name| *name != "object") {
            let message = format!("an object of Kubernetes is of type `object`, not `{other}`");
            return Err(vec![Problem { path: vec![PathSegment::Key("type".to_owned())], message, help: None, at_key: true }]);
        }
        let mut schema = Schema::from_openapi(schema)?;
        schema.embed_object();
        let custom = Custom { api_version: api_version.to_owned(), kind: kind.to_owned(), namespaced, plural: None, schema };
        self.custom.insert(Custom::definition_name(api_version, kind), custom);
        Ok(())
    }

    /// States the name of a custom kind's resource; without it, it is the usual plural. A kind of which no schema is known may have any fields.
    ///
    /// # Errors
    /// That the kind is a built-in one.
    pub fn name_custom(&mut self, api_version: &str, kind: &str, namespaced: bool, plural: &str) -> Result<(), Vec<Problem>> {
        let name = Custom::definition_name(api_version, kind);
        if !self.custom.contains_key(&name) {
            let open = serde_json::json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
            self.add_custom(api_version, kind, namespaced, &open)?;
        }
        if let Some(custom) = self.custom.get_mut(&name) {
            custom.plural = Some(plural.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::testing::node;

    fn messages(schemas: &Schemas, object: &Value) -> Vec<String> {
        schemas.check(Minor::NEWEST, object).into_iter().map(|problem| problem.message).collect()
    }

    fn widget(spec: Value) -> Value {
        let mut object = json!({"apiVersion": "acme.example/v1", "kind": "Widget", "metadata": {"name": "w"}});
        object["spec"] = spec;
        object
    }

    fn schemas() -> Schemas {
        let mut schemas = Schemas::new();
        let schema = json!({"type": "object", "required": ["spec"], "properties": {"spec": {
            "type": "object", "required": ["size"],
            "properties": {
                "size": {"type": "string", "enum": ["S", "L"], "pattern": "^[SL]$"},
                "limit": {"x-kubernetes-int-or-string": true},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "extra": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "empty": {"type": "object"},
                "gone": {"type": "string", "nullable": true},
                "pod": {"$ref": "io.k8s.api.core.v1.PodSpec"},
                "parts": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
                    "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
            },
        }}});
        schemas.add_custom("acme.example/v1", "Widget", false, &schema).unwrap();
        schemas
    }

    #[test]
    fn a_custom_kind_is_checked_as_strictly_as_a_built_in_one() {
        let schemas = schemas();
        let good = json!({"size": "S", "limit": "5%", "labels": {"a": "b"}, "extra": {"x": [1]}, "empty": {}, "gone": null});
        assert_eq!(messages(&schemas, &widget(good)), [""; 0]);
        let bad = json!({"size": "M", "limit": 1.5, "labels": {"a": 1}, "empty": {"x": 1}, "sice": 1, "pod": {"containers": [{}]},
            "parts": [{"name": "a"}, {"name": "a"}, {}]});
        assert_eq!(
            messages(&schemas, &widget(bad)),
            [
                "`empty` has no field `x`",
                "`a` takes text, not the number 1",
                "`limit` takes a whole number or text, not the number 1.5",
                "`parts[2]` lacks `name`",
                "`parts` has two entries with `name` `a`",
                "`containers[0]` lacks `name`",
                "`spec` has no field `sice`",
                "`M` is none of the values of `size`",
                "`size` must match the pattern `^[SL]$`, which this text does not",
            ]
        );
        let mut namespaced = widget(json!({"size": "S"}));
        namespaced["metadata"]["namespace"] = json!("x");
        assert_eq!(messages(&schemas, &namespaced), ["a Widget lives in no namespace"]);
        assert_eq!(
            messages(&schemas, &json!({"apiVersion": "acme.example/v1", "kind": "Widget", "metadata": {"name": "w"}})),
            ["the object lacks `spec`"]
        );
    }

    #[test]
    fn defaults_stand_in_an_object_before_it_is_checked() {
        let text = json!({"type": "string"});
        let entry = json!({"type": "object", "required": ["mode"], "properties": {"mode": {"type": "string", "default": "fast"}}});
        let mut with_default = entry.clone();
        with_default["default"] = json!({"mode": "slow"});
        let one_of = json!([{"required": ["a"]}, {"required": ["b"]}]);
        let schema = json!({"type": "object", "properties": {"spec": {
            "type": "object", "required": ["inner"],
            "properties": {
                "inner": with_default,
                "list": {"type": "array", "items": entry},
                "map": {"type": "object", "additionalProperties": entry},
                "full": {"type": "object", "maxProperties": 1, "properties": {"a": text, "b": {"type": "string", "default": "x"}}},
                "either": {"type": "object", "oneOf": one_of, "properties": {"a": text, "b": {"type": "string", "default": "x"}}},
            },
        }}});
        let mut schemas = Schemas::new();
        schemas.add_custom("acme.example/v1", "Widget", false, &schema).unwrap();
        let told = |spec: Value| messages(&schemas, &widget(spec));
        assert_eq!(told(json!({})), [""; 0]);
        assert_eq!(told(json!({"inner": {}, "list": [{}], "map": {"k": {}}, "either": {}})), [""; 0]);
        assert_eq!(told(json!({"full": {"a": "y"}})), ["`full` must have at most 1 key, not 2"]);
        assert_eq!(told(json!({"either": {"a": "y"}})), ["`either` must fit one of the 2 forms of `oneOf`, and fits 2 of them"]);
        // What is missing in a default is not filled in before the default is checked.
        let mut incomplete = entry.clone();
        incomplete["default"] = json!({});
        let problems = Schemas::new().add_custom("acme.example/v1", "Widget", false, &incomplete).unwrap_err();
        assert_eq!(problems[0].message, "`default` lacks `mode`");
    }

    #[test]
    fn the_embedded_schema_of_http_routes_checks_one() {
        let file = crate::schema::json(&node(include_str!("../../blueprints/kinds/http-route/schema.yaml")).1);
        let text = |key: &str| file[key].as_str().unwrap();
        let mut schemas = Schemas::new();
        schemas.add_custom(text("apiVersion"), text("kind"), file["namespaced"] == true, &file["schema"]).unwrap();
        let mut route = json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "parentRefs": [{"name": "public", "namespace": "gateways"}], "hostnames": ["shop.example"],
                "rules": [{
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}],
                    "backendRefs": [{"name": "web", "port": 80}],
                }],
            },
        });
        assert_eq!(messages(&schemas, &route), [""; 0]);
        route["spec"]["rules"][0]["filters"][0]["requestRedirect"]["statusCode"] = json!(300);
        route["spec"]["rules"][0]["matches"][0]["path"]["type"] = json!("Prefix");
        route["spec"]["rules"][0]["backendRefs"][0]["service"] = json!("web");
        assert_eq!(
            messages(&schemas, &route),
            [
                "`backendRefs[0]` has no field `service`",
                "`300` is none of the values of `statusCode`",
                "`Prefix` is none of the values of `type`"
            ]
        );
    }

    #[test]
    fn mistakes_in_a_schema_are_found_together() {
        let schema = json!({"type": "object", "properties": {
            "a": {"type": "strin"}, "b": {"type": "object", "propertes": {}}, "c": {"type": "array"}, "d": {}, "e": {"title": "E"},
            "f": {"type": "object", "required": "name"}, "g": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "map"},
        }});
        let problems = Schemas::new().add_custom("acme.example/v1", "Widget", true, &schema).unwrap_err();
        let shown: Vec<_> =
            problems.iter().map(|problem| (path(&problem.path), problem.message.as_str(), problem.help.as_deref())).collect();
        assert_eq!(
            shown,
            [
                ("properties.a.type".to_owned(), "there is no type `strin`", Some("Did you mean `string`?")),
                ("properties.b.propertes".to_owned(), "a schema has no keyword `propertes`", Some("Did you mean `properties`?")),
                ("properties.c.items".to_owned(), "a list's schema states its items", None),
                (
                    "properties.d".to_owned(),
                    "a schema states its type",
                    Some("Or `x-kubernetes-preserve-unknown-fields: true` for anything.")
                ),
                (
                    "properties.e".to_owned(),
                    "a schema states its type",
                    Some("Or `x-kubernetes-preserve-unknown-fields: true` for anything.")
                ),
                ("properties.f.required".to_owned(), "`required` takes a list of texts", None),
                (
                    "properties.g.x-kubernetes-list-type".to_owned(),
                    "there is no list of type `map` here",
                    Some("It is `atomic`, `set`, or `map` with `x-kubernetes-list-map-keys`.")
                ),
            ]
        );
    }

    /// Each as the API server of 1.37 answers a custom resource definition with such a property, but for `$ref`, which it never takes, and `enum: []`.
    #[test]
    fn schemas_that_the_api_server_refuses_are_refused() {
        let text = json!({"type": "string"});
        let keyed =
            |entry: Value| json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "items": entry});
        let branch = |branch: Value| json!({"type": "object", "properties": {"a": text}, "anyOf": [branch]});
        for (schema, expected) in [
            (json!({"type": "integer", "exclusiveMinimum": 3}), "`exclusiveMinimum` takes `true` or `false`"),
            (json!({"type": "string", "enum": []}), "`enum` lists no value"),
            (json!({"type": "string", "description": 5}), "`description` takes text"),
            (json!({"type": "string", "nullable": "yes"}), "`nullable` takes `true` or `false`"),
            (json!({"type": "string", "externalDocs": "x"}), "`externalDocs` takes a mapping"),
            (json!({"type": "string", "pattern": 5}), "`pattern` takes text"),
            (json!({"type": "string", "x-kubernetes-patch-strategy": "merge"}), "a schema has no keyword `x-kubernetes-patch-strategy`"),
            (json!({}), "a schema states its type"),
            (json!({"properties": {"a": text}}), "a schema states its type"),
            (json!({"format": "quantity"}), "a schema states its type"),
            (json!({"type": "array", "items": {}}), "a schema states its type"),
            (json!({"type": "array", "items": [text]}), "a schema is a mapping"),
            (json!({"type": "object", "additionalProperties": {}}), "a schema states its type"),
            (json!({"type": "object", "properties": []}), "`properties` takes a mapping"),
            (json!({"type": "object", "properties": {"a": text}, "required": [1]}), "`required` takes a list of texts"),
            (
                json!({"type": "object", "properties": {"a": text}, "additionalProperties": text}),
                "`additionalProperties` has no place beside `properties`",
            ),
            (
                json!({"type": "array", "items": text, "uniqueItems": true}),
                "`uniqueItems` must not be `true`: comparing all items would take too long",
            ),
            (
                json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false}),
                "`x-kubernetes-preserve-unknown-fields` is `true` or left out",
            ),
            (
                json!({"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true}),
                "`x-kubernetes-preserve-unknown-fields` has no place beside `x-kubernetes-int-or-string`",
            ),
            (json!({"type": "object", "x-kubernetes-embedded-resource": true}), "an embedded resource states its `properties`"),
            (
                json!({"x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}),
                "an embedded resource is of `type: object`",
            ),
            (json!({"type": "string", "x-kubernetes-list-type": "set"}), "`x-kubernetes-list-type` is for `type: array`"),
            (json!({"type": "string", "x-kubernetes-map-type": "atomic"}), "`x-kubernetes-map-type` is for `type: object`"),
            (json!({"type": "object", "x-kubernetes-map-type": "big"}), "there is no mapping of that type"),
            (keyed(json!({"type": "object", "properties": {"b": text}})), "the entries have no property `a`"),
            (keyed(json!({"type": "object", "properties": {"a": text}})), "`a` tells entries apart, and may be left out"),
            (
                json!({"type": "string", "x-kubernetes-validations": [{"message": "m"}]}),
                "an entry of `x-kubernetes-validations` lacks its `rule`",
            ),
            (json!({"$ref": "io.k8s.api.core.v1.PodSpecs"}), "there is no definition `io.k8s.api.core.v1.PodSpecs`"),
            (branch(json!({"properties": {"a": text}})), "`type` has no meaning below `allOf`, `anyOf`, `oneOf` and `not`"),
            (branch(json!({"title": "T"})), "`title` has no meaning below `allOf`, `anyOf`, `oneOf` and `not`"),
            (branch(json!({"maxProperties": "2"})), "`maxProperties` takes a whole number from 0"),
        ] {
            let whole = json!({"type": "object", "properties": {"spec": schema}});
            let problems = Schemas::new().add_custom("acme.example/v1", "Widget", true, &whole).unwrap_err();
            assert_eq!(problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>(), [expected], "{schema}");
        }
        for schema in [
            json!({"x-kubernetes-preserve-unknown-fields": true}),
            json!({"type": "object", "additionalProperties": true}),
            json!({"type": "object", "properties": {"a": text}, "required": ["b"]}),
            json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}),
            json!({"type": "string", "x-kubernetes-validations": [{"rule": "self != ''"}], "title": "T", "example": 5}),
            keyed(json!({"type": "object", "properties": {"a": {"type": "string", "default": "x"}}})),
            branch(json!({"properties": {"a": {"format": "date", "minLength": 1}}, "required": ["zz"]})),
        ] {
            let whole = json!({"type": "object", "properties": {"spec": schema}});
            assert_eq!(Schemas::new().add_custom("acme.example/v1", "Widget", true, &whole), Ok(()), "{schema}");
        }
        let problems = Schemas::new().add_custom("acme.example/v1", "Widget", true, &text).unwrap_err();
        assert_eq!(problems[0].message, "an object of Kubernetes is of type `object`, not `string`");
    }

    #[test]
    fn an_embedded_object_says_what_it_is() {
        let mut schemas = Schemas::new();
        let whole = json!({"type": "object", "properties": {"spec": {
            "type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true,
        }}});
        schemas.add_custom("acme.example/v1", "Widget", false, &whole).unwrap();
        let told = |spec: Value| messages(&schemas, &widget(spec));
        assert_eq!(told(json!({"apiVersion": "v1", "kind": "Pod", "a": 1})), [""; 0]);
        assert_eq!(told(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"labels": {"a": "b"}}})), [""; 0]);
        assert_eq!(told(json!({"a": 1})), ["`spec` lacks `apiVersion`", "`spec` lacks `kind`"]);
        assert_eq!(told(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": 1}}})).len(), 1);
        assert_eq!(told(json!({"apiVersion": "", "kind": ""})).len(), 2);
        assert_eq!(told(json!({"apiVersion": "a/b/c", "kind": "p_"})).len(), 2);
    }

    #[test]
    fn a_built_in_kind_is_not_redefined() {
        let problems = Schemas::new().add_custom("v1", "Pod", true, &json!({"type": "object"})).unwrap_err();
        assert_eq!(problems[0].message, "`Pod` of `v1` is a built-in kind");
    }

    fn path(path: &[PathSegment]) -> String {
        let keys = path.iter().map(|segment| match segment {
            PathSegment::Key(key) => key.clone(),
            PathSegment::Index(index) => index.to_string(),
        });
        keys.collect::<Vec<_>>().join(".")
    }
}

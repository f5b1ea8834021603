//! Custom kinds: what a blueprint's own schema file says, in the form that a CRD has it.

use serde_json::Value;

use super::model::Schema;
use super::table::table;
use super::{Minor, Problem, Schemas};

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
    use crate::schema::PathSegment;
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
                "parts": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}},
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
                    "properties.e".to_owned(),
                    "a schema states its type",
                    Some("Or `x-kubernetes-preserve-unknown-fields: true` for anything.")
                ),
                ("properties.f.required".to_owned(), "`required` takes a list of scalars", None),
                (
                    "properties.g.x-kubernetes-list-type".to_owned(),
                    "there is no list of type `map` here",
                    Some("It is `atomic`, `set`, or `map` with `x-kubernetes-list-map-keys`.")
                ),
            ]
        );
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

//! Makes `src/schema/kubernetes.txt`, the table of Kubernetes' schemas that is built into ringfence, from what Kubernetes publishes.
//!
//! The sources are releases of the Go module `k8s.io/kubernetes`, one for each minor; nothing of them is compiled:
//!
//! ```text
//! for version in v1.33.13 v1.34.4 v1.35.4 v1.36.3 v1.37.2; do go mod download -json k8s.io/kubernetes@$version; done   # prints "Dir"
//! cargo run --example kubernetes-schemas -- DIR... >src/schema/kubernetes.txt
//! ```
//!
//! Each folder must keep the name `...@vMAJOR.MINOR.PATCH` that the go command gives it. Two things of it are read:
//! - `api/openapi-spec/v3/*.json`: the kinds that can be created (from the paths: which definition, namespaced or not) and all
//!   definitions that they reach;
//! - `pkg/generated/openapi/zz_generated.openapi.go`: the values of enumerations, which the documents leave out. It is Kubernetes' own
//!   generated file, regular enough to be read line by line.
//!
//! The table has one line for each kind and each definition, sorted, with the minors that have it so: a new minor is a diff to review.
//! A definition keeps the keywords of `OpenAPI` but for what no check and no merge uses: descriptions, empty defaults, types that follow from
//! `properties` or `items`, `list-type: atomic` and a `patch-merge-key` beside `list-map-keys`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::{env, fs, io};

use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const OPENAPI: &str = "api/openapi-spec/v3";
const GENERATED: &str = "pkg/generated/openapi/zz_generated.openapi.go";
const REFERENCE: &str = "#/components/schemas/";

/// Definitions without properties are empty structs, except for these: any object may stand there.
const FREE_FORM: [&str; 2] = ["io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1", "io.k8s.apimachinery.pkg.runtime.RawExtension"];

const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";

/// Keywords that neither a check nor a merge looks at.
const DROPPED: [&str; 5] =
    ["description", "x-kubernetes-group-version-kind", "x-kubernetes-map-type", "x-kubernetes-patch-merge-key", "x-kubernetes-unions"];

fn main() -> Result<()> {
    let mut table = Table::default();
    for folder in env::args_os().skip(1) {
        table.add_release(Path::new(&folder))?;
    }
    if table.releases.is_empty() {
        return Err("name the folders of the module k8s.io/kubernetes, one for each minor".into());
    }
    io::stdout().write_all(table.to_text().as_bytes())?;
    Ok(())
}

/// A minor of Kubernetes 1.
type Minor = u32;

/// Lines of the table without their first column, and the minors that have each.
#[derive(Default)]
struct Table {
    releases: BTreeSet<String>,
    kinds: BTreeMap<String, BTreeSet<Minor>>,
    definitions: BTreeMap<(String, String), BTreeSet<Minor>>,
}

impl Table {
    fn add_release(&mut self, folder: &Path) -> Result<()> {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let release = name.split_once("@v1.").ok_or_else(|| format!("{name}: no folder of a release (`...@v1.MINOR.PATCH`)"))?.1;
        let minor: Minor = release.split('.').next().unwrap_or_default().parse()?;
        let mut paths: Vec<_> =
            fs::read_dir(folder.join(OPENAPI))?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        let documents = paths.iter().map(|path| Ok(serde_json::from_slice(&fs::read(path)?)?)).collect::<Result<Vec<Value>>>()?;
        let choices = enumerations(&fs::read_to_string(folder.join(GENERATED))?);
        self.add_minor(minor, &documents, &choices)?;
        self.releases.insert(format!("v1.{release}"));
        Ok(())
    }

    /// Takes the documents of one minor: its kinds, and the definitions that they reach.
    fn add_minor(&mut self, minor: Minor, documents: &[Value], choices: &Enumerations) -> Result<()> {
        let mut published = BTreeMap::new();
        let mut open = BTreeSet::new();
        for document in documents {
            published.extend(document["components"]["schemas"].as_object().into_iter().flatten());
            for (line, definition) in kinds(document) {
                self.kinds.entry(line).or_default().insert(minor);
                open.insert(definition);
            }
        }
        let mut done = BTreeSet::new();
        while let Some(name) = open.pop_first() {
            if !done.insert(name.clone()) {
                continue;
            }
            let schema = published.get(&name).ok_or_else(|| format!("1.{minor}: nothing defines {name}"))?;
            let compact = definition(&name, schema, choices).map_err(|error| format!("1.{minor}: {name}: {error}"))?;
            references(&compact, &mut open);
            self.definitions.entry((name, compact.to_string())).or_default().insert(minor);
        }
        Ok(())
    }

    fn to_text(&self) -> String {
        let releases = self.releases.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let mut text = format!("# Made by the example `kubernetes-schemas` of k8s.io/kubernetes {releases}: do not edit.\n");
        for (line, minors) in &self.kinds {
            let _ = writeln!(text, "{}\tkind\t{line}", ranges(minors));
        }
        for ((name, schema), minors) in &self.definitions {
            let _ = writeln!(text, "{}\t{name}\t{schema}", ranges(minors));
        }
        text
    }
}

/// `1.33-1.35,1.37`.
fn ranges(minors: &BTreeSet<Minor>) -> String {
    let mut runs: Vec<(Minor, Minor)> = Vec::new();
    for minor in minors {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *minor => *last = *minor,
            _ => runs.push((*minor, *minor)),
        }
    }
    let run = |(first, last): &(Minor, Minor)| if first == last { format!("1.{first}") } else { format!("1.{first}-1.{last}") };
    runs.iter().map(run).collect::<Vec<_>>().join(",")
}

/// The kinds that a document's paths create (a subresource, whose path names an object, is none), each with its definition.
fn kinds(document: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().into_iter().flatten() {
        let post = &operations["post"];
        let gvk = &post["x-kubernetes-group-version-kind"];
        let body = post["requestBody"]["content"]["*/*"]["schema"]["$ref"].as_str().and_then(|name| name.strip_prefix(REFERENCE));
        let (Some(kind), Some(version), Some(definition)) = (gvk["kind"].as_str(), gvk["version"].as_str(), body) else { continue };
        if path.contains("{name}") {
            continue;
        }
        let group = gvk["group"].as_str().filter(|group| !group.is_empty()).map(|group| format!("{group}/")).unwrap_or_default();
        let scope = if path.contains("{namespace}") { "namespaced" } else { "cluster" };
        found.push((format!("{group}{version}\t{kind}\t{scope}\t{definition}"), definition.to_owned()));
    }
    found
}

/// A definition in the table's form.
fn definition(name: &str, schema: &Value, choices: &Enumerations) -> Result<Value> {
    if name == QUANTITY {
        return Ok(json!({"format": "quantity"}));
    }
    if FREE_FORM.contains(&name) {
        return Ok(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
    }
    let mut compact = compact(schema)?;
    for ((function, property, inner), values) in choices.range((function_name(name), String::new(), false)..) {
        if *function != function_name(name) {
            break;
        }
        let mut place = &mut compact["properties"][property];
        if *inner {
            let below = if place.get("items").is_some() { "items" } else { "additionalProperties" };
            place = &mut place[below];
        }
        if place["type"] != "string" {
            return Err(format!("the values of `{property}` fit no text").into());
        }
        place["enum"] = json!(values);
    }
    Ok(compact)
}

fn compact(schema: &Value) -> Result<Value> {
    let Value::Object(keywords) = schema else { return Err("a schema that is no mapping".into()) };
    if keywords.contains_key("x-kubernetes-patch-merge-key") && !keywords.contains_key("x-kubernetes-list-type") {
        return Err("a merge key in a list without a type: the table cannot say that yet".into());
    }
    let mut out = Map::new();
    for (keyword, value) in keywords {
        match keyword.as_str() {
            dropped if DROPPED.contains(&dropped) => {}
            "default" if is_empty(value) => {}
            "x-kubernetes-list-type" if value == "atomic" => {}
            // Merging is what maps and keyed lists do anyway; only replacing, and keeping the patch's keys alone, needs saying.
            "x-kubernetes-patch-strategy" if value == "merge" => {}
            "x-kubernetes-patch-strategy" if value == "merge,retainKeys" || value == "retainKeys" => {
                out.insert(keyword.clone(), json!("retainKeys"));
            }
            "type"
                if keywords.contains_key("properties")
                    || keywords.contains_key("additionalProperties")
                    || keywords.contains_key("items") => {}
            "x-kubernetes-patch-strategy" if value == "replace" => {
                out.insert(keyword.clone(), value.clone());
            }
            "oneOf" if keywords.get("format") == Some(&json!("int-or-string")) => {}
            "allOf" => match value.as_array().map(Vec::as_slice) {
                Some([Value::Object(only)]) if only.len() == 1 && only.contains_key("$ref") => {
                    out.insert("$ref".to_owned(), reference(&only["$ref"])?);
                }
                _ => return Err("an allOf that is not one reference".into()),
            },
            "$ref" => {
                out.insert(keyword.clone(), reference(value)?);
            }
            "items" | "additionalProperties" => {
                out.insert(keyword.clone(), compact(value)?);
            }
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let properties = properties.map(|(name, schema)| Ok((name.clone(), compact(schema)?))).collect::<Result<Map<_, _>>>()?;
                out.insert(keyword.clone(), Value::Object(properties));
            }
            "default" | "enum" | "format" | "required" | "type" | "x-kubernetes-list-map-keys" | "x-kubernetes-list-type" => {
                out.insert(keyword.clone(), value.clone());
            }
            other => return Err(format!("the keyword `{other}` = {value} is new: the table cannot say that yet").into()),
        }
    }
    Ok(Value::Object(out))
}

fn reference(value: &Value) -> Result<Value> {
    let name = value.as_str().and_then(|text| text.strip_prefix(REFERENCE)).ok_or("a reference out of the document")?;
    Ok(json!(name))
}

/// Defaults that say no more than the type does.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
    }
}

fn references(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(name) if key == "$ref" => _ = found.insert(name.clone()),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// The values of enumerations: by the name of the generated function, the property, and whether they are those of a list's items or a
/// map's values.
type Enumerations = BTreeMap<(String, String, bool), Vec<String>>;

/// The generated function that describes a definition: `io.k8s.api.core.v1.Pod` is `schema_k8sio_api_core_v1_Pod`.
fn function_name(definition: &str) -> String {
    let path = definition.strip_prefix("io.k8s.api.").unwrap_or(definition);
    format!("schema_k8sio_api_{}", path.replace('.', "_"))
}

/// Reads Kubernetes' generated Go source. Its indentation, which gofmt decides, tells a property's own values from those
/// of its items.
fn enumerations(source: &str) -> Enumerations {
    let mut found = Enumerations::new();
    let (mut function, mut property) = ("", "");
    for line in source.lines() {
        let text = line.trim_start_matches('\t');
        let depth = line.len() - text.len();
        if let Some(rest) = line.strip_prefix("func ") {
            function = rest.split('(').next().unwrap_or_default();
        } else if let (5, Some(name)) = (depth, text.strip_prefix('"').and_then(|rest| rest.strip_suffix("\": {"))) {
            property = name;
        } else if let (7 | 10, Some(rest)) = (depth, text.strip_prefix("Enum:")) {
            let values = rest.trim_start().strip_prefix("[]interface{}{").and_then(|rest| rest.strip_suffix("},")).unwrap_or_default();
            let values = values.split(", ").map(|value| value.trim_matches('"').to_owned()).collect();
            found.insert((function.to_owned(), property.to_owned(), depth == 10), values);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(properties: &Value) -> Value {
        json!({
            "paths": {
                "/apis/apps/v1/namespaces/{namespace}/things": {"post": {
                    "x-kubernetes-group-version-kind": {"group": "apps", "version": "v1", "kind": "Thing"},
                    "requestBody": {"content": {"*/*": {"schema": {"$ref": "#/components/schemas/io.k8s.api.apps.v1.Thing"}}}},
                }},
                "/apis/apps/v1/namespaces/{namespace}/things/{name}/scale": {"post": {
                    "x-kubernetes-group-version-kind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
                    "requestBody": {"content": {"*/*": {"schema": {"$ref": "#/components/schemas/io.k8s.api.autoscaling.v1.Scale"}}}},
                }},
            },
            "components": {"schemas": {
                "io.k8s.api.apps.v1.Thing": {"type": "object", "description": "A thing.", "properties": properties},
                "io.k8s.api.apps.v1.Part": {"type": "object", "description": "A part."},
                "io.k8s.api.apps.v1.Unreached": {"type": "string"},
            }},
        })
    }

    #[test]
    fn what_minors_share_is_one_line_and_a_new_field_is_another() {
        let old = json!({"parts": {
            "type": "array", "description": "Parts.", "items": {"default": {}, "allOf": [{"$ref": "#/components/schemas/io.k8s.api.apps.v1.Part"}]},
            "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "x-kubernetes-patch-merge-key": "name",
            "x-kubernetes-patch-strategy": "merge,retainKeys",
        }});
        let mut new = old.clone();
        new["size"] = json!({"type": "string", "default": "L"});
        let source = concat!(
            "func schema_k8sio_api_apps_v1_Thing(ref common.ReferenceCallback) common.OpenAPIDefinition {\n",
            "\t\t\t\t\t\"size\": {\n",
            "\t\t\t\t\t\t\tEnum:        []interface{}{\"L\", \"M\"},\n",
        );
        let mut table = Table::default();
        table.add_minor(34, &[document(&old)], &Enumerations::new()).unwrap();
        table.add_minor(33, &[document(&old)], &Enumerations::new()).unwrap();
        table.add_minor(36, &[document(&new)], &enumerations(source)).unwrap();
        table.releases.insert("v1.34.0".to_owned());
        let parts = r#""parts":{"items":{"$ref":"io.k8s.api.apps.v1.Part"},"x-kubernetes-list-map-keys":["name"],"x-kubernetes-list-type":"map","x-kubernetes-patch-strategy":"retainKeys"}"#;
        let expected = [
            "# Made by the example `kubernetes-schemas` of k8s.io/kubernetes v1.34.0: do not edit.".to_owned(),
            "1.33-1.34,1.36\tkind\tapps/v1\tThing\tnamespaced\tio.k8s.api.apps.v1.Thing".to_owned(),
            "1.33-1.34,1.36\tio.k8s.api.apps.v1.Part\t{\"type\":\"object\"}".to_owned(),
            format!(
                "1.36\tio.k8s.api.apps.v1.Thing\t{{\"properties\":{{{parts},\"size\":{{\"default\":\"L\",\"enum\":[\"L\",\"M\"],\"type\":\"string\"}}}}}}"
            ),
            format!("1.33-1.34\tio.k8s.api.apps.v1.Thing\t{{\"properties\":{{{parts}}}}}"),
            String::new(),
        ];
        assert_eq!(table.to_text(), expected.join("\n"));
    }

    #[test]
    fn what_the_table_cannot_say_stops_the_program() {
        let mut table = Table::default();
        let properties = json!({"size": {"type": "string", "pattern": "^[a-z]$"}});
        let error = table.add_minor(33, &[document(&properties)], &Enumerations::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"1.33: io.k8s.api.apps.v1.Thing: the keyword `pattern` = "^[a-z]$" is new: the table cannot say that yet"#
        );
    }
}

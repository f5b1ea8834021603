//! ConfigMaps and Secrets made of literals, files and lines of variables, and the hash that their names get.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::edit;
use super::folder::{Folder, Reader};
use super::kustomization::{Generator, GeneratorOptions};
use super::resource::{Behavior, Resource};
use super::{Step, invalid};
use crate::source::{Span, Spanned};
use crate::tree::Digest;
use crate::yaml::{Node, Value};

/// Makes the object of a generator.
pub fn generate(
    reader: &mut Reader<'_>,
    folder: &Folder,
    kind: &'static str,
    generator: &Spanned<Generator>,
    shared: Option<&GeneratorOptions>,
) -> Step<Resource> {
    let span = generator.name.span;
    let mut object = edit::empty_map(span);
    edit::set(&mut object, "apiVersion", edit::text("v1", span));
    edit::set(&mut object, "kind", edit::text(kind, span));
    let mut metadata = edit::empty_map(span);
    edit::set(&mut metadata, "name", edit::text(generator.name.value.clone(), span));
    if let Some(namespace) = &generator.namespace {
        edit::set(&mut metadata, "namespace", edit::text(namespace.value.clone(), namespace.span));
    }
    let none = GeneratorOptions::default();
    let (own, shared) = (generator.options.as_ref().unwrap_or(&none), shared.unwrap_or(&none));
    for (key, own, shared) in [("labels", &own.labels, &shared.labels), ("annotations", &own.annotations, &shared.annotations)] {
        let all = shared.overlaid(own);
        if !all.is_empty() {
            let entries =
                all.iter().map(|(key, value)| (edit::text(key.value.clone(), key.span), edit::text(value.value.clone(), value.span)));
            edit::set(&mut metadata, key, Node { span, value: Value::Map(entries.collect()) });
        }
    }
    edit::set(&mut object, "metadata", metadata);
    let is_secret = kind == "Secret";
    match &generator.r#type {
        Some(stated) if !is_secret => return Err(invalid(stated.span, "a ConfigMap has no `type`")),
        Some(stated) => edit::set(&mut object, "type", edit::text(stated.value.clone(), stated.span)),
        None if is_secret => edit::set(&mut object, "type", edit::text("Opaque", span)),
        None => {}
    }
    if is_secret {
        edit::set(&mut object, "data", edit::empty_map(span));
    }
    for (key, (bytes, place)) in pairs(reader, folder, generator)? {
        let (field, value) = match String::from_utf8(bytes) {
            Ok(text) if !is_secret => ("data", text),
            Ok(text) => ("data", base64_lines(text.as_bytes())),
            Err(binary) if is_secret => ("data", base64_lines(binary.as_bytes())),
            Err(binary) => ("binaryData", base64_lines(binary.as_bytes())),
        };
        if let Some(data) = edit::map_at(&mut object, field, span) {
            edit::set(data, &key, edit::text(value, place));
        }
    }
    if own.immutable == Some(true) || shared.immutable == Some(true) {
        edit::set(&mut object, "immutable", edit::plain("true", span));
    }
    let mut resource = Resource::new(object)?;
    resource.hashed = own.disable_name_suffix_hash != Some(true) && shared.disable_name_suffix_hash != Some(true);
    resource.behavior = match &generator.behavior {
        None => Behavior::Create,
        Some(stated) => match stated.as_str() {
            "create" => Behavior::Create,
            "merge" => Behavior::Merge,
            "replace" => Behavior::Replace,
            other => {
                return Err(Box::new(
                    invalid(stated.span, format!("`{other}` is no behavior")).help("Write `create`, `merge` or `replace`."),
                ));
            }
        },
    };
    Ok(resource)
}

type Pairs = BTreeMap<String, (Vec<u8>, Span)>;

fn pairs(reader: &mut Reader<'_>, folder: &Folder, generator: &Generator) -> Step<Pairs> {
    let mut pairs = Pairs::new();
    let mut add = |key: String, value: Vec<u8>, span: Span| -> Step<()> {
        let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if key.is_empty() || key.len() > 253 || !key.chars().all(valid) || key == "." || key.starts_with("..") {
            return Err(invalid(span, format!("`{key}` is no key of a ConfigMap or Secret")));
        }
        match pairs.insert(key.clone(), (value, span)) {
            Some((_, first)) => Err(Box::new(invalid(span, format!("the key `{key}` is there twice")).related(first, "the first one"))),
            None => Ok(()),
        }
    };
    for source in generator.envs.iter().chain(&generator.env) {
        let bytes = reader.bytes(folder, source, source.span)?;
        let Ok(text) = String::from_utf8(bytes) else { return Err(invalid(source.span, format!("`{}` is not UTF-8", source.value))) };
        for (at, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let line = if at == 0 { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            if !is_variable(key) {
                let message = format!("`{}` line {}: `{key}` is no name of a variable", source.value, at + 1);
                return Err(invalid(source.span, message));
            }
            add(key.to_owned(), value.as_bytes().to_vec(), source.span)?;
        }
    }
    for literal in &generator.literals {
        let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Box::new(invalid(literal.span, format!("`{}` is no literal", literal.value)).help("Write `KEY=VALUE`.")));
        };
        add(key.to_owned(), without_quotes(value).as_bytes().to_vec(), literal.span)?;
    }
    for source in &generator.files {
        let (key, path) = match source.split('=').collect::<Vec<_>>()[..] {
            [path] => (path.rsplit('/').next().unwrap_or(path), path),
            [key, path] if !key.is_empty() && !path.is_empty() => (key, path),
            _ => {
                return Err(Box::new(invalid(source.span, format!("`{}` is no file", source.value)).help("Write `PATH` or `KEY=PATH`.")));
            }
        };
        let bytes = reader.bytes(folder, path, source.span)?;
        add(key.to_owned(), bytes, source.span)?;
    }
    Ok(pairs)
}

/// What Kubernetes takes for the name of a variable.
fn is_variable(name: &str) -> bool {
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(valid) && name != "." && !name.starts_with("..")
}

fn without_quotes(text: &str) -> &str {
    let quoted = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(text)
}

/// Base64, broken into lines of 70 as kustomize has it where it is as long as that.
fn base64_lines(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| (word << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let index = (word >> (18 - 6 * at)) & 63;
            encoded.push(if at <= chunk.len() { char::from(ALPHABET[index as usize]) } else { '=' });
        }
    }
    if encoded.len() < 70 {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 70 + 1);
    for line in encoded.as_bytes().chunks(70) {
        lines.extend(line.iter().map(|byte| char::from(*byte)));
        lines.push('\n');
    }
    lines
}

/// Puts what a generator makes beside what is there, or into it.
pub fn absorb(resources: &mut Vec<Resource>, mut made: Resource) -> Step<()> {
    let id = made.id();
    let found: Vec<usize> = resources.iter().enumerate().filter(|(_, other)| other.ever(|other| *other == id)).map(|(at, _)| at).collect();
    match (found[..].first(), made.behavior) {
        (None, Behavior::Create) => super::resource::append(resources, made),
        (None, _) => Err(Box::new(
            invalid(made.span(), format!("there is no {} `{}` to merge with or to replace", made.kind(), made.name()))
                .help("Leave `behavior` out to make a new one."),
        )),
        (Some(_), _) if found.len() > 1 => {
            Err(invalid(made.span(), format!("several objects were called {} `{}`", made.kind(), made.name())))
        }
        (Some(at), Behavior::Create) => {
            let diag = invalid(made.span(), format!("the {} `{}` is there already", made.kind(), made.name()));
            Err(Box::new(diag.related(resources[*at].span(), "here").help("Write `behavior: merge` or `behavior: replace` to change it.")))
        }
        (Some(at), behavior) => {
            let old = &resources[*at];
            made.inherit(old);
            if behavior == Behavior::Merge {
                for field in ["data", "binaryData"] {
                    let Some(theirs) = old.node.get(field).filter(|theirs| !edit::entries(theirs).is_empty()) else { continue };
                    let span = made.span();
                    let Some(ours) = edit::map_at(&mut made.node, field, span) else { continue };
                    for (key, value) in edit::entries(theirs) {
                        if let Some(key) = key.text().filter(|key| ours.get(key).is_none()) {
                            edit::set(ours, key, edit::text(value.text().unwrap_or_default(), value.span));
                        }
                    }
                }
            }
            resources[*at] = made;
            Ok(())
        }
    }
}

/// The hash of a ConfigMap or Secret that its name gets.
pub fn hash(resource: &Resource) -> String {
    // Kustomize means to hash the name as well, but looks for it under a key called `metadata/name`.
    let name = "".into();
    let field = |key: &str| resource.node.get(key).map(crate::schema::json);
    let data = field("data").unwrap_or_else(|| "".into());
    let mut parts = BTreeMap::from([("kind", resource.kind().into()), ("name", name), ("data", data)]);
    if resource.kind() == "Secret" {
        parts.insert("type", field("type").unwrap_or_else(|| "".into()));
    }
    let more = if resource.kind() == "Secret" { "stringData" } else { "binaryData" };
    if let Some(more_data) = field(more).filter(serde_json::Value::is_object) {
        parts.insert(more, more_data);
    }
    let parts: serde_json::Map<String, serde_json::Value> = parts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let hex = Digest::of(go_json(&parts.into())).to_string();
    let letter = |digit| match digit {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    };
    hex.chars().take(10).map(letter).collect()
}

/// JSON as Go writes it, which escapes what HTML would read.
fn go_json(value: &serde_json::Value) -> String {
    let mut escaped = String::new();
    let text = value.to_string();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => drop(write!(escaped, "\\u{:04x}", c as u32)),
            '\u{7f}' => escaped.push(c),
            // Escaped by both; Go 1.22 and later write backspace and form feed as serde does.
            '\\' => {
                escaped.push(c);
                escaped.extend(rest.next());
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::base64_lines;

    #[test]
    fn base64_is_broken_into_lines_of_seventy() {
        assert_eq!(base64_lines(b""), "");
        assert_eq!(base64_lines(b"a"), "YQ==");
        assert_eq!(base64_lines(b"ab"), "YWI=");
        assert_eq!(base64_lines(b"abc\xff"), "YWJj/w==");
        let long = base64_lines(&[b'x'; 60]);
        assert_eq!(long.lines().map(str::len).collect::<Vec<_>>(), [70, 10]);
        assert!(long.ends_with('\n'));
    }
}

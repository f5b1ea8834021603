//! Every kind has cases: `cases/CASE/view.yaml` is what the templates see, `expected.*` what they write. `UPDATE=1` rewrites the latter.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ringfence::catalog::{self, Catalog, Kind, Language};
use ringfence::render::{Engine, View, ViewValue};
use ringfence::source::Files;
use serde_json::Value;

fn kinds_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("blueprints/kinds")
}

fn shipped() -> (Catalog, Engine) {
    let (mut files, mut findings) = (Files::default(), ringfence::diag::Findings::new());
    let catalog = catalog::load(&mut files, &[], &mut findings);
    let (engine, errors) = Engine::new(&catalog);
    findings.extend(errors);
    let told: Vec<String> = findings
        .iter()
        .map(|diag| format!("{}:{}: {}", files.path(diag.primary.span.file), files.line_col(diag.primary.span).line, diag.message))
        .collect();
    assert!(told.is_empty(), "the shipped blueprints have findings:\n{}", told.join("\n"));
    (catalog, engine)
}

/// The views of a kind's cases, by name.
fn views(kind: &Kind) -> BTreeMap<String, Value> {
    let folder = kinds_folder().join(&kind.id).join("cases");
    let Ok(entries) = fs::read_dir(&folder) else { return BTreeMap::new() };
    let view = |case: PathBuf| {
        let text = fs::read_to_string(case.join("view.yaml")).unwrap_or_else(|error| panic!("{}/view.yaml: {error}", case.display()));
        let view = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}/view.yaml: {error}", case.display()));
        (case.file_name().unwrap().to_string_lossy().into_owned(), view)
    };
    entries.map(|entry| view(entry.unwrap().path())).collect()
}

/// Everything that a kind makes of a view, each object after a line with its path.
fn made(engine: &Engine, kind: &Kind, view: View) -> String {
    if !engine.condition(kind, &view).unwrap_or_else(|failure| panic!("{}: when: {failure:?}", kind.id)) {
        return "--- # not made\n".to_owned();
    }
    let items = engine.items(kind, &view).unwrap_or_else(|failure| panic!("{}: forEach: {failure:?}", kind.id));
    let views = if kind.for_each.is_none() {
        vec![view]
    } else {
        let each = |(index, item)| view.clone().with("item", item).with("index", ViewValue::new(Value::from(index)));
        items.into_iter().enumerate().map(each).collect()
    };
    let mut all = String::new();
    for view in views {
        let path = engine.path(kind, &view).unwrap_or_else(|failure| panic!("{}: path: {failure:?}", kind.id));
        for (number, template) in kind.templates.iter().enumerate() {
            let text = engine.render(kind, number, &view).unwrap_or_else(|failure| panic!("{}: {failure:?}", template.path));
            writeln!(all, "--- # {path}\n{}", text.trim_end()).unwrap();
        }
    }
    all
}

#[test]
fn every_case_of_every_kind_renders_what_it_expects() {
    let (catalog, engine) = shipped();
    let mut wrong = Vec::new();
    for kind in &catalog.kinds {
        let views = views(kind);
        if views.is_empty() {
            wrong.push(format!("{}: a kind without a case", kind.id));
        }
        let output = kind.templates[0].name().rsplit('.').nth(1).unwrap_or("txt");
        for (case, view) in views {
            let view = View::from_json(view).unwrap_or_else(|| panic!("{}/{case}: a view has the names {:?}", kind.id, View::NAMES));
            let made = made(&engine, kind, view);
            let path = kinds_folder().join(&kind.id).join("cases").join(&case).join(format!("expected.{output}"));
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&path, &made).unwrap();
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            if expected != made {
                wrong.push(format!("{}/{case}: expected\n{expected}\nbut it is\n{made}\n(UPDATE=1 takes it over)", kind.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Whether a dotted path leads to something in a view; beyond a null nothing can be told.
fn leads_somewhere(view: &Value, path: &str) -> bool {
    let mut value = view;
    for name in path.split('.') {
        match value {
            Value::Null => return true,
            Value::Object(entries) => match entries.get(name) {
                Some(next) => value = next,
                None => return false,
            },
            _ => return false,
        }
    }
    true
}

#[test]
fn what_a_template_reads_is_in_the_view_of_one_of_its_cases() {
    let (catalog, _) = shipped();
    let environment = minijinja::Environment::new();
    let mut wrong = Vec::new();
    for kind in &catalog.kinds {
        let views: Vec<Value> = views(kind).into_values().collect();
        for template in kind.templates.iter().chain(&kind.partials).filter(|template| template.language == Language::Jinja) {
            let read = environment.template_from_str(&template.text).unwrap().undeclared_variables(true);
            let nowhere = |path: &&String| {
                // `forEach` puts these into the view.
                let given = ["item", "index", "range", "dict"].contains(&path.split('.').next().unwrap_or_default())
                    || path.as_str() == "namespace";
                !given && !views.iter().any(|view| leads_somewhere(view, path))
            };
            wrong.extend(read.iter().filter(nowhere).map(|path| format!("{}: no case has `{path}`", template.path)));
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! Both engines under the same rules: what is escaped, what is refused, what is bounded.

use std::fs;
use std::time::{Duration, Instant};

use ringfence::catalog;
use ringfence::diag::Code;
use ringfence::render::{Engine, Failure, View};
use ringfence::source::Files;
use ringfence::yaml::manifest;
use serde_json::{Value, json};

/// Renders one template of a kind of its own; `name` says in which language and to what.
fn render(name: &str, template: &str, view: Value) -> Result<String, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let kind = folder.path().join("kinds/probe");
    fs::create_dir_all(&kind).unwrap();
    fs::write(kind.join("kind.yaml"), "title: t\nwhy: w\nscope: fleet\npath: probe.txt\n").unwrap();
    fs::write(kind.join(name), template).unwrap();
    fs::write(kind.join("_part.yaml.j2"), "part: {{ fleet.name }}\n").unwrap();
    fs::write(kind.join("_part.yaml.tera"), "part: {{ fleet.name }}\n").unwrap();
    let (mut files, mut findings) = (Files::default(), ringfence::diag::Findings::new());
    let catalog = catalog::load_only(&mut files, &[("blueprints".to_owned(), folder.path().to_owned())], &mut findings);
    assert!(findings.is_empty(), "the blueprint itself: {findings:?}");
    let (engine, findings) = Engine::new(&catalog);
    let view = View::from_json(view).unwrap();
    match findings.into_iter().next() {
        Some(diag) => Err(Failure { code: diag.code, span: diag.primary.span, message: diag.message, help: None, related: None }),
        None => engine.render(&catalog.kinds[0], 0, &view),
    }
}

/// The same template in both languages.
fn both(template: &str, view: &Value) -> [Result<String, Failure>; 2] {
    ["probe.yaml.j2", "probe.yaml.tera"].map(|name| render(name, template, view.clone()))
}

const HOSTILE: &[&str] = &[
    "a\n  evil: true # \"q\"",
    "yes",
    "1.10",
    "{{ x }}",
    "{% raw %}",
    "${X}",
    "'",
    "\"",
    "\\",
    "#",
    ": ",
    "- a",
    "\t",
    "\u{2028}",
    "\u{85}",
    "\u{feff}",
    "ä😀",
    "",
    " ",
    "null",
    "</script>",
    "`",
];

#[test]
fn hostile_values_arrive_from_both_engines_as_they_are() {
    for text in HOSTILE {
        for rendered in
            both("a: {{ fleet.name }}\n{{ fleet.name }}: b\nc:\n- {{ fleet.name ~ \"-x\" }}\n", &json!({ "fleet": { "name": text } }))
        {
            let rendered = rendered.unwrap();
            let value = manifest::read(&rendered).unwrap_or_else(|problem| panic!("{text:?}: {problem:?}\n{rendered}"));
            let mut expected = json!({ "a": text, "c": [format!("{text}-x")] });
            expected[text] = "b".into();
            assert_eq!(value, [expected], "{text:?}");
        }
    }
}

#[test]
fn both_engines_write_the_same_bytes() {
    let view = json!({ "fleet": { "name": "acme", "level": 7, "on": true, "list": [{ "a": 1 }, { "a": "x" }], "map": { "k": ["v", null, false] } } });
    let template = "a: {{ fleet.name }}\nb: {{ fleet.level }}\nc: {{ fleet.on }}\nd: {{ fleet.map }}\n{% for item in fleet.list %}- {{ item.a }}\n{% endfor %}{% if fleet.on %}e: 1\n{% endif %}{% include \"_part.yaml.EXT\" %}";
    let [jinja, tera] = [("probe.yaml.j2", "j2"), ("probe.yaml.tera", "tera")]
        .map(|(name, extension)| render(name, &template.replace("EXT", extension), view.clone()).unwrap());
    assert_eq!(jinja, tera);
    assert!(jinja.ends_with("part: \"acme\"\n"), "{jinja}");
}

#[test]
fn what_is_undefined_is_an_error_with_a_name() {
    for failure in both("a: {{ fleet.nmae }}\n", &json!({ "fleet": { "name": "x" } })) {
        let failure = failure.unwrap_err();
        assert_eq!(failure.code, Code::TemplateError);
        assert!(failure.message.contains("nmae"), "{}", failure.message);
    }
}

#[test]
fn no_escape_can_be_switched_off() {
    let view = json!({ "fleet": { "name": "a\nb: c" } });
    for template in ["a: {{ fleet.name | safe }}\n", "{% autoescape false %}a: {{ fleet.name }}\n{% endautoescape %}"] {
        for rendered in both(template, &view) {
            assert!(rendered.is_err(), "{template}: {rendered:?}");
        }
    }
}

#[test]
fn nothing_from_outside_the_view_can_be_seen() {
    let outside = [
        "{{ now() }}",
        "{{ get_env(name=\"PATH\") }}",
        "{{ get_random(start=0, end=9) }}",
        "{% include \"/etc/passwd\" %}",
        "{% include \"../../../etc/passwd\" %}",
        "{{ debug() }}",
    ];
    for template in outside {
        for rendered in both(template, &json!({ "fleet": { "name": "x" } })) {
            assert!(rendered.is_err(), "{template}: {rendered:?}");
        }
    }
}

#[test]
fn endless_loops_and_bombs_end_in_a_clear_error() {
    let view = json!({ "fleet": { "name": "0123456789" } });
    let cases = [
        ("probe.yaml.j2", "{% for a in range(9000) %}{% for b in range(9000) %}{% endfor %}{% endfor %}"),
        ("probe.yaml.j2", "{% set x = fleet.name * 100000000 %}{{ x }}"),
        ("probe.yaml.j2", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
        ("probe.yaml.tera", "{% for a in range(end=90000) %}{% for b in range(end=90000) %}{%- set x = 1 -%}{% endfor %}{% endfor %}"),
        ("probe.yaml.tera", "{% for a in range(end=90000) %}{% for b in range(end=90000) %}{{ fleet.name }}{% endfor %}{% endfor %}"),
    ];
    for (name, template) in cases {
        let started = Instant::now();
        let failure = render(name, template, view.clone()).unwrap_err();
        assert_eq!(failure.code, Code::TemplateLimit, "{template}: {}", failure.message);
        // Not a measurement: it ends at all, where without a bound it would run for hours.
        assert!(started.elapsed() < Duration::from_secs(60), "{template}");
    }
}

#[test]
fn each_output_has_its_own_escaping() {
    let view = json!({ "fleet": { "name": "<b>&'`$(x)" } });
    for (name, expected) in [("probe.html", "&lt;b&gt;&amp;"), ("probe.sh", "'<b>&'\\''`$(x)'"), ("probe.txt", "<b>&'`$(x)")] {
        for language in ["j2", "tera"] {
            let rendered = render(&format!("{name}.{language}"), "{{ fleet.name }}", view.clone()).unwrap();
            assert!(rendered.starts_with(expected), "{name}.{language}: {rendered}");
        }
    }
    for language in ["j2", "tera"] {
        let rendered =
            render(&format!("probe.md.{language}"), "{{ fleet.name }}", json!({ "fleet": { "name": "[a](http://x) | b\n# c" } })).unwrap();
        assert!(!rendered.contains('\n') && rendered.contains("\\[") && rendered.contains("\\|"), "{rendered}");
    }
}

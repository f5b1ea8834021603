//! Both engines keep the same rules.

use ringfence::diag::Code;
use serde_json::{Value, json};

use super::site::{KIND, Site, view};

/// One text in both languages.
fn both(name: &str, text: &str) -> [Site; 2] {
    [Site::template(&format!("{name}.j2"), text), Site::template(&format!("{name}.tera"), text)]
}

const LAYOUT: &str = "\
{# laid out #}
name: {{ workload.name }}
{{ workload.key }}: {{ workload.flag }}
{% if workload.scale and workload.replicas > 1 %}scale: {{ workload.scale }}
{% else %}replicas: {{ workload.replicas }}
{% endif -%}
none: {{ workload.scale }}
joined: {{ workload.name ~ \"-\" ~ workload.replicas }}
labels: {{ workload.labels }}
ports:
{%- for port in workload.ports %}
  - name: {{ port.name }}
    port: {{ port.port }}
    first: {{ loop.first }}
{%- endfor %}
labelled:
{%- for key, value in workload.labels %}
  {{ key }}: {{ value }}
{%- endfor %}
{% set kept = workload.name -%}
kept: {{ kept }}
{% set captured -%}
inside: {{ workload.name }}
{%- endset -%}
{{ captured }}
raw: {% raw %}\"{{ not.a.value }}\"{% endraw %}
";

fn workload() -> Value {
    json!({"workload": {
        "name": "a\n  evil: true # \"q\" 'r' {{ workload }}",
        "key": "yes: {",
        "flag": false,
        "replicas": 18_446_744_073_709_551_615_u64,
        "scale": null,
        "labels": {"z/no": "1e3", "a.b/c": "~"},
        "ports": [{"name": "http", "port": 80}, {"name": "0x1F", "port": 1.5}],
    }})
}

#[test]
fn the_same_layout_gives_the_same_bytes_in_both_languages() {
    // A loop over a mapping is the one thing that the two spell differently.
    let jinja = Site::template("a.yaml.j2", &LAYOUT.replace("in workload.labels", "in workload.labels | items"));
    let tera = Site::template("a.yaml.tera", LAYOUT);
    let view = workload().to_string();
    let (jinja, tera) = (jinja.render(&view).unwrap(), tera.render(&view).unwrap());
    assert_eq!(jinja, tera);
    let read: Value = serde_yaml::from_str(&jinja).unwrap();
    let name = &workload()["workload"]["name"];
    assert_eq!(read["name"], *name);
    assert_eq!(read["yes: {"], false);
    assert_eq!(read["replicas"], 18_446_744_073_709_551_615_u64);
    assert_eq!(read["none"], Value::Null);
    assert_eq!(read["joined"], format!("{}-18446744073709551615", name.as_str().unwrap()));
    assert_eq!(read["labels"], json!({"z/no": "1e3", "a.b/c": "~"}));
    assert_eq!(read["labelled"], read["labels"]);
    assert_eq!(read["ports"], json!([{"name": "http", "port": 80, "first": true}, {"name": "0x1F", "port": 1.5, "first": false}]));
    assert_eq!(read["inside"], *name);
    assert_eq!(read["raw"], "{{ not.a.value }}");
}

#[test]
fn hostile_texts_arrive_as_they_are_as_values_and_as_keys() {
    let texts = [
        "",
        " ",
        "null",
        "~",
        "yes",
        "No",
        "1.10",
        "0777",
        "1e3",
        "12:30:45",
        "2024-01-01",
        "a: b",
        "a #b",
        "- a",
        "? a",
        "! a",
        "&a *b",
        "%a",
        "@a",
        "`a",
        "{a",
        "[a",
        "}",
        "]",
        ",",
        "\"",
        "'",
        "\\",
        "\\n",
        "a\nb",
        "a\r\nb\n",
        "\t",
        "|",
        ">-",
        "---",
        "...",
        "<<",
        "=",
        "{{ a }}",
        "{% a %}",
        "${a}",
        "\u{0}\u{1}\u{1b}\u{7f}",
        "\u{85}\u{a0}\u{2028}\u{2029}\u{feff}",
        "日本語",
        "\u{1f600}",
        "\u{fffe}\u{ffff}",
        "é",
    ];
    for site in both("a.yaml", "v: {{ workload.v }}\nm:\n  {{ workload.v }}: {{ workload.l }}\n") {
        for text in texts {
            let rendered = site.render(&json!({"workload": {"v": text, "l": [text]}}).to_string()).unwrap();
            let libyaml: Value = serde_yaml::from_str(&rendered).unwrap_or_else(|error| panic!("{text:?}: {error}\n{rendered}"));
            assert_eq!(libyaml, json!({"v": text, "m": {text: [text]}}), "{rendered}");
            let saphyr: Value = serde_saphyr::from_str(&rendered).unwrap_or_else(|error| panic!("{text:?}: {error}\n{rendered}"));
            assert_eq!(saphyr, libyaml, "{rendered}");
        }
    }
}

#[test]
fn the_name_of_the_output_decides_the_escaping() {
    let text = "x {{ workload.v }} y\n";
    let view = r#"{"workload": {"v": "<b> *c* 'd'\n$(e)"}}"#;
    for (name, expected) in [
        ("a.md", "x &lt;b&gt; \\*c\\* &#39;d&#39; \\$\\(e\\) y\n"),
        ("a.html", "x &lt;b&gt; *c* &#39;d&#39;\n$(e) y\n"),
        ("a.sh", "x '<b> *c* '\\''d'\\''\n$(e)' y\n"),
        ("a.txt", "x <b> *c* 'd' $(e) y\n"),
    ] {
        for site in both(name, text) {
            assert_eq!(site.render(view).unwrap(), expected, "{name}");
        }
    }
}

#[test]
fn code_of_markdown_is_shown_as_it_is_or_refused() {
    for site in both("a.md", "`{{ workload.v | code }}`\n```sh\n{{ workload.v | code }}\n```\n") {
        assert_eq!(site.render(r#"{"workload": {"v": "a_b\n*c*"}}"#).unwrap(), "`a_b *c*`\n```sh\na_b *c*\n```\n");
        let failure = site.render(r#"{"workload": {"v": "a` <b>"}}"#).unwrap_err();
        assert_eq!(failure.message, "a backtick would end the code that the value stands in");
    }
}

#[test]
fn json_within_a_text_is_a_text() {
    for site in both("a.yaml", "a: {{ workload.v | json }}\n") {
        assert_eq!(site.render(r#"{"workload": {"v": {"b": ["c"]}}}"#).unwrap(), "a: \"{\\\"b\\\": [\\\"c\\\"]}\"\n");
    }
}

#[test]
fn what_a_block_lays_out_becomes_a_value_and_nothing_else_does() {
    let layout = "{% set x %}\na: {{ workload.v }}\n{% for n in [1, 2] %}\n{{ \"n\" ~ n }}:\n- {{ n }}\n{% endfor %}\n{% endset %}\n";
    let site = Site::template("a.yaml.j2", &format!("{layout}text: {{{{ x | data | json(lines=true) }}}}\n"));
    for hostile in ["b\"\n- c: d", "{{ x }}", "*a", "\u{2028}"] {
        let rendered = site.render(&json!({ "workload": { "v": hostile } }).to_string()).unwrap();
        let outer = ringfence::yaml::manifest::read(&rendered).unwrap();
        let inner: Value = serde_json::from_str(outer[0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(inner, json!({ "a": hostile, "n1": [1], "n2": [2] }));
    }
    for (template, message) in [
        ("a: {{ workload.v | data }}\n", "`data` takes what a `set` block"),
        ("{% set x %}a: &b 1{% endset %}\na: {{ x | data }}\n", "line 1 of what was captured"),
        ("{% set x %}a: 1\n---\nb: 1\n{% endset %}\na: {{ x | data }}\n", "`data` takes one document"),
        ("a: {{ workload.v | json(line=true) }}\n", "line"),
    ] {
        let failure = Site::template("a.yaml.j2", template).render(r#"{"workload": {"v": "a: b"}}"#).expect_err(template);
        assert!(failure.message.contains(message), "{template}: {}", failure.message);
    }
    let site = Site::template("a.md.j2", "{% set x %}a: 1{% endset %}{{ x | data }}\n");
    assert!(site.render("{}").is_err(), "Markdown is no data");
}

#[test]
fn what_is_undefined_is_shown_where_it_stands_with_the_nearest_name() {
    let view = r#"{"workload": {"name": "a", "ports": [{"name": "b"}], "none": null}, "tier": {}}"#;
    for (text, place, message, help) in [
        ("a: b\nc: {{ workload.nmae }}\n", "2:7 `workload.nmae`", "`workload.nmae` is undefined", "Did you mean `name`?"),
        ("c: {{ worklod.name }}\n", "1:7 `worklod", "`worklod", "Did you mean `workload`?"),
        ("c: {{ gateway }}\n", "1:7 `gateway`", "`gateway` is undefined", "Here are: "),
        ("{% if workload.nmae %}a: 1\n{% endif %}", "1:7 `workload.nmae`", "`workload.nmae` is undefined", "Did you mean `name`?"),
        ("{% if not workload.nmae %}a: 1\n{% endif %}", "1:", "`workload.nmae` is undefined", "Did you mean `name`?"),
        ("a: {{ \"x\" ~ workload.nmae }}\n", "1:", "`workload.nmae` is undefined", "Did you mean `name`?"),
        ("{% set x = workload.nmae %}a: {{ x }}\n", "1:", "`workload.nmae` is undefined", "Did you mean `name`?"),
        ("{% for x in workload.nmae %}{% endfor %}", "1:13 `workload.nmae`", "", ""),
    ] {
        for site in both("a.yaml", text) {
            let failure = site.render(view).expect_err(text);
            let language = site.catalog.kinds[0].templates[0].name().to_owned();
            let shown = site.place(failure.span);
            assert_eq!(failure.code, Code::TemplateError);
            assert!(shown.starts_with(&format!("site/kinds/k/{language}:{place}")), "{language} {text:?}: {shown}");
            assert!(failure.message.contains(message), "{language} {text:?}: {}", failure.message);
            assert!(failure.help.clone().unwrap_or_default().contains(help), "{language} {text:?}: {:?}", failure.help);
        }
    }
    for site in both("a.yaml", "a: {% if workload.scale is defined %}1{% else %}2{% endif %}\n") {
        assert_eq!(site.render(view).unwrap(), "a: 2\n");
    }
}

#[test]
fn what_does_not_compile_is_shown_where_it_stands() {
    for (text, place) in [
        ("a: 1\nb: {{ a b }}\n", ":2:"),
        ("a: {% if x %}", ":1:"),
        ("a: {{ x | uper }}\n", ":1:11 `uper`"),
        ("{% nonsense %}", ":1:"),
        ("a: {{ x\n", ":"),
    ] {
        for site in both("a.yaml", text) {
            assert_eq!(site.findings.len(), 1, "{text}: {:?}", site.told());
            assert_eq!(site.findings[0].code, Code::TemplateError);
            assert!(site.told()[0].contains(place), "{text:?}: {:?}", site.told());
        }
    }
}

#[test]
fn every_way_around_the_escaping_is_refused_before_anything_is_rendered() {
    for text in [
        "a: {{ workload.v | safe }}\n",
        "{% set x = workload.v | safe %}a: {{ x }}\n",
        "{% filter safe %}a{% endfilter %}",
        "a: {{ workload.v | escape }}\n",
        "{{ __tera_context }}",
        "{{ workload | __data }}",
        "a: '{{ workload.v }}'\n",
        "a: {{ workload.v | code }}\n",
    ] {
        for site in both("a.yaml", text) {
            assert_eq!(site.findings.iter().filter(|diag| diag.code == Code::TemplateError).count(), site.findings.len());
            assert!(!site.findings.is_empty(), "{text}");
        }
    }
    for text in ["{% autoescape false %}a: {{ workload.v }}{% endautoescape %}", "{% autoescape 'html' %}{% endautoescape %}"] {
        let site = Site::template("a.yaml.j2", text);
        assert!(site.told()[0].contains("`autoescape` cannot be changed"), "{:?}", site.told());
    }
}

const PARTS: &[(&str, &str)] = &[
    ("kinds/k/kind.yaml", KIND),
    ("kinds/k/_own.yaml.j2", "own: {{ workload.name }}\n"),
    ("shared/_all.yaml.j2", "all: {{ workload.name }}\n{% include '_deep.yaml.j2' %}"),
    ("shared/_deep.yaml.j2", "deep: {{ workload.name }}\n"),
    ("shared/_macros.yaml.j2", "{% macro entry(key, value) %}{{ key }}: {{ value }}{% endmacro %}"),
    ("kinds/k/_own.yaml.tera", "own: {{ workload.name }}\n"),
    ("shared/_all.yaml.tera", "all: {{ workload.name }}\n{% include \"shared/_deep.yaml.tera\" %}"),
    ("shared/_deep.yaml.tera", "deep: {{ workload.name }}\n"),
    ("shared/_macros.yaml.tera", "{% component entry(key, value) %}{{ key }}: {{ value }}{% endcomponent entry %}"),
];

#[test]
fn includes_macros_and_components_are_escaped_once() {
    let jinja = "{% from 'shared/_macros.yaml.j2' import entry %}{% include '_own.yaml.j2' %}{% include 'shared/_all.yaml.j2' %}{{ entry('k', workload.name) }}\n";
    let tera = "{% include \"_own.yaml.tera\" %}{% include \"shared/_all.yaml.tera\" %}{{<entry key=\"k\" value={workload.name} />}}\n";
    let view = r#"{"workload": {"name": "a\"b"}}"#;
    for (name, text, key) in [("kinds/k/a.yaml.j2", jinja, "k"), ("kinds/k/a.yaml.tera", tera, "k")] {
        let site = Site::new(&[PARTS, &[(name, text)]].concat());
        let expected = format!("own: \"a\\\"b\"\nall: \"a\\\"b\"\ndeep: \"a\\\"b\"\n\"{key}\": \"a\\\"b\"\n");
        assert_eq!(site.render(view).unwrap(), expected, "{name}");
        let failure = site.render(r#"{"workload": {"nme": "a"}}"#).unwrap_err();
        let shown = site.place(failure.span);
        assert_eq!(shown, format!("site/kinds/k/_own.yaml.{}:1:9 `workload.name`", name.rsplit('.').next().unwrap()));
    }
}

#[test]
fn what_leads_out_of_the_blueprints_is_not_there() {
    for (name, text) in [
        ("a.yaml.j2", "{% include '../../secret.yaml.j2' %}"),
        ("a.yaml.j2", "{% include '/etc/passwd' %}"),
        ("a.yaml.tera", "{% include \"/etc/passwd\" %}"),
        ("a.yaml.j2", "a: {{ debug() }}\n"),
        ("a.yaml.tera", "a: {{ now() }}\n"),
        ("a.yaml.tera", "a: {{ get_env(name=\"HOME\") }}\n"),
        ("a.yaml.tera", "a: {{ get_random(start=0, end=9) }}\n"),
    ] {
        let site = Site::template(name, text);
        assert!(!site.findings.is_empty() || site.render("{}").is_err(), "{text}");
    }
}

#[test]
fn no_message_holds_a_value() {
    let view = r#"{"workload": {"token": "hunter2", "list": ["hunter2"], "map": {"a": "hunter2"}}}"#;
    for text in [
        "a: {{ workload.token.nothing }}\n",
        "a: {{ workload.token + 1 }}\n",
        "a: {{ workload.map + workload.list }}\n",
        "a: {{ workload.token | round }}\n",
        "a: {{ workload.list | upper | abs }}\n",
        "a: {{ workload.map < workload.token }}\n",
        "{% for a, b in workload.list %}{% endfor %}",
        "{% for a in workload.token.b %}{% endfor %}",
        "a: {{ nothing(workload.token) }}\n",
        "a: {{ -workload.token }}\n",
        "a: {{ workload.token | int }}\n",
        "a: {{ workload.map[workload.token] }}\n",
        "a: {{ 1 in workload.token }}\n",
    ] {
        for site in both("a.yaml", text) {
            let Err(failure) = (if site.findings.is_empty() { site.render(view) } else { continue }) else { continue };
            let told = format!("{} {:?}", failure.message, failure.help);
            assert!(!told.contains("hunter2"), "{text}: {told}");
        }
    }
}

#[test]
fn the_rules_of_a_kind_are_expressions_over_the_view() {
    let kind = format!(
        "{}when: workload.ports\nforEach: workload.ports | selectattr('scrape')\n",
        KIND.replace("a.yaml", "\"{{ workload.name }}/{{ item.port }}.yaml\"")
    );
    let site = Site::new(&[("kinds/k/kind.yaml", &kind), ("kinds/k/a.yaml.j2", "a: 1\n")]);
    assert!(site.findings.is_empty(), "{:?}", site.told());
    let kind = &site.catalog.kinds[0];
    let some = view(r#"{"workload": {"name": "w", "ports": [{"port": 80, "scrape": false}, {"port": 90, "scrape": true}]}}"#);
    assert!(site.engine.condition(kind, &some).unwrap());
    assert!(!site.engine.condition(kind, &view(r#"{"workload": {"ports": []}}"#)).unwrap());
    let items = site.engine.items(kind, &some).unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(site.engine.path(kind, &some.clone().with("item", items[0].clone())).unwrap(), "w/90.yaml");

    let failure = site.engine.condition(kind, &view(r#"{"workload": {"prots": []}}"#)).unwrap_err();
    assert_eq!(site.place(failure.span), "site/kinds/k/kind.yaml:5:7 `workload.ports`");
    assert_eq!(failure.help.as_deref(), Some("Did you mean `prots`?"));
    for name in ["../up", "a/b", "", ".", "..", "a\nb"] {
        let hostile = view(&json!({"workload": {"name": name}, "item": {"port": 1}}).to_string());
        let failure = site.engine.path(kind, &hostile).unwrap_err();
        assert!(site.place(failure.span).starts_with("site/kinds/k/kind.yaml:4:11 `workload.name`"), "{}", site.place(failure.span));
    }
}

#[test]
fn a_rule_that_does_not_compile_is_shown_within_kind_yaml() {
    for (rule, place) in [("when: workload.a b", ":5:18"), ("when: a) or (b", ":5:"), ("forEach: '[1'", ":5:")] {
        let site = Site::new(&[("kinds/k/kind.yaml", &format!("{KIND}{rule}\n")), ("kinds/k/a.yaml.j2", "a: 1\n")]);
        assert_eq!(site.findings.len(), 1);
        assert!(site.told()[0].contains(&format!("site/kinds/k/kind.yaml{place}")), "{:?}", site.told());
    }
    let site = Site::new(&[("kinds/k/kind.yaml", &format!("{KIND}forEach: workload.name\n")), ("kinds/k/a.yaml.j2", "a: 1\n")]);
    let failure = site.engine.items(&site.catalog.kinds[0], &view(r#"{"workload": {"name": "a"}}"#)).unwrap_err();
    assert_eq!(failure.message, "`forEach` takes a list, not a value of type string");
}

#[test]
fn what_is_wrong_with_the_output_is_found_in_the_template() {
    let jinja = "{% set kept -%}\nkept: 1\n{%- endset -%}\na: {{ workload.name }}\n{% if workload.name -%}\n  replica: 3\n{%- endif %}\n\
                 {% include '_part.yaml.j2' %}{{ kept }}\n{% for p in workload.ports %}port: {{ p }}\n{% endfor %}end: 1\n";
    let tera = jinja.replace("'_part.yaml.j2'", "\"_part.yaml.tera\"");
    for (name, text) in [("j2", jinja), ("tera", tera.as_str())] {
        let template = format!("kinds/k/a.yaml.{name}");
        let part = format!("kinds/k/_part.yaml.{name}");
        let site = Site::new(&[("kinds/k/kind.yaml", KIND), (&template, text), (&part, "part: {{ workload.name }}\npart2: 2\n")]);
        let shown = r#"{"workload": {"name": "n", "ports": [80, 81]}}"#;
        let rendered = site.render(shown).unwrap();
        for (wrong, place) in [
            ("replica", format!("site/{template}:6:3 `replica`")),
            ("replica: 3", format!("site/{template}:6:3 `replica: 3`")),
            ("end", format!("site/{template}:10:13 `end`")),
            ("81", format!("site/{template}:9:39 `p`")),
            ("port: 81", format!("site/{template}:9:30 `port: {{{{ p`")),
            ("part", format!("site/{part}:1:1 `part`")),
            ("part2", format!("site/{part}:2:1 `part2`")),
            ("\"n\"", format!("site/{template}:4:7 `workload.name`")),
            ("kept: 1", format!("site/{template}:8:{} `kept`", if name == "j2" { 33 } else { 35 })),
        ] {
            let start = rendered.find(wrong).unwrap_or_else(|| panic!("{wrong} in {rendered}"));
            let span = site.engine.locate(&site.catalog.kinds[0], 0, &view(shown), &(start..start + wrong.len()));
            assert_eq!(site.place(span), place, "{name} {wrong}");
        }
        let failing = site.engine.locate(&site.catalog.kinds[0], 0, &view(r#"{"workload": {}}"#), &(0..1));
        assert_eq!(site.place(failing), format!("site/{template}:1:1 ``"));
    }
}

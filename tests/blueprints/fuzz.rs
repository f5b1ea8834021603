//! What is put into a Tera template must not change what it is.

use proptest::prelude::*;
use tera::{Context, Tera};

use super::site::Site;

/// Pieces that are most likely to be taken for something else.
const PIECES: &[&str] = &[
    "{{ item }}",
    "{{- index -}}",
    "{{ item ~ \"}}\" }}",
    "{{ '{{' }}",
    "{{ `%}` }}",
    "{{ \"\\\"}}\" }}",
    "{{ [i for i in item] }}",
    "{{ [[j] for j in [k for k in item]] }}",
    "{{ item[0].a?.b }}",
    "{{ item[item[0]] is defined }}",
    "{{ item.a if index else none }}",
    "{{ {\"a\": item, \"b\": 1} }}",
    "{{ {...item, \"b\": index} }}",
    "{{ item | default(value=index) }}",
    "{{ not item and index or item == 1 }}",
    "{{ item is not containing(index) }}",
    "{{ range(end=index)[1:2] }}",
    "{{ 1.5 + index // 2 }}",
    "{{<c x={item} y=\"}}\" />}}",
    "{{<c x={{\"a\": item}} y={[i for i in item]} {...item} />}}",
    "{% <c x={index}> %}",
    "{% </c> %}",
    "{% component c(x, y=1, ...rest) -%}",
    "{% endcomponent c %}",
    "{% set a = item %}",
    "{%- set_global a = [i for k, i in item] -%}",
    "{% set a | upper -%}",
    "{% set_global a %}",
    "{%- endset -%}",
    "{% for i in item %}",
    "{%- for k, v in item | pairs -%}",
    "{% else %}",
    "{%- endfor -%}",
    "{% if a == item %}",
    "{% elif item in index and item not in a %}",
    "{% endif %}",
    "{% break %}",
    "{% filter indent(width=2) %}",
    "{% endfilter %}",
    "{% raw %}",
    "{% endraw %}",
    "{%- raw -%}{{ x }}{% endraw -%}",
    "{# {{ x }} #}",
    "{#- -#}",
    "{% block b %}",
    "{% endblock %}",
    "{{ super() }}",
    "text",
    " ",
    "\n",
    "}}",
    "%}",
    "{ {",
    "é\u{1f600}",
    "{{",
    "{%",
    "\"",
    "'",
];

/// What stands by itself.
const LEAVES: &[&str] = &[
    "{{ item }}",
    "{{- index -}}",
    "{{ index ~ \"}}\" }}",
    "{{ '{{' }}",
    "{{ `%}` }}",
    "{{ \"\\\"}}\" }}",
    "{{ [i for i in item] }}",
    "{{ [[j] for j in [k for k in item]] }}",
    "{{ item[0] }}",
    "{{ item?.a?.b | default(value=1) }}",
    "{{ item[item[0]] is defined }}",
    "{{ item[index] if index else none }}",
    "{{ {\"a\": item, \"b\": 1 } }}",
    "{{ {...fleet } }}",
    "{{ gone | default(value=index) }}",
    "{{ not item and index or item == 1 }}",
    "{{ item is not containing(pat=index) }}",
    "{{ range(end=index)[0:2] }}",
    "{{ 1.5 + index // 2 }}",
    "{{ item[0] + index * 2 }}",
    "{{<c x={item} y=\"}}\" />}}",
    "{{<c x={[i for i in item]} y=\"{{\" />}}",
    "{% set a = index %}",
    "{%- set_global a = [i for i in item] -%}",
    "{% raw %}{{ x }} {%{% endraw %}",
    "{%- raw -%} {{ x }} {%- endraw -%}",
    "{# {{ x }} #}",
    "{#- {% if -#}",
    "text",
    " ",
    "\n",
    "}}",
    "%}",
    "é\u{1f600}",
    "{{ fleet.a }}",
    "{{ fleet[\"a\"] }}",
    "{{ item | join(sep=\",\") | upper }}",
];

/// What stands around others.
const AROUND: &[(&str, &str)] = &[
    ("{% for i in item %}{{ i }}{{ loop.index }}", "{% endfor %}"),
    ("{%- for k, v in fleet -%} {{ k }}", "{%- else -%}none{%- endfor -%}"),
    ("{% for i in item %}{% if i == 2 %}{% break %}{% endif %}", "{% endfor %}"),
    ("{% if index == item[0] %}", "{% elif index in item and 7 not in item %}b{% else %}c{% endif %}"),
    ("{%- if not fleet.a -%}", "{%- endif -%}"),
    ("{% set b %}", "{% endset %}{{ b }}"),
    ("{%- set_global b | trim -%} ", " {%- endset -%} {{ b }}"),
    ("{% filter upper %}", "{% endfilter %}"),
    ("{% <d x={index}> %}", "{% </d> %}"),
];

const COMPONENTS: &str = "{% component c(x, y=\"1\", ...rest) -%} [{{ x }}{{ y }}] {%- endcomponent c %}\
                          {% component d(x) %}({{ x }}{{ body }}){% endcomponent d %}";

fn template() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(LEAVES).prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inner| {
        (prop::sample::select(AROUND), prop::collection::vec(inner, 1..4))
            .prop_map(|((before, after), parts)| format!("{before}{}{after}", parts.concat()))
    })
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn what_does_not_compile_by_itself_does_not_with_what_is_put_in(pieces in prop::collection::vec(prop::sample::select(PIECES), 1..9)) {
        let text = pieces.concat();
        let alone = Tera::new().add_raw_template("kinds/k/a.txt.tera", &text);
        let site = Site::template("a.txt.tera", &text);
        prop_assert_eq!(alone.is_ok(), site.findings.is_empty(), "{}\n{:?}\n{:?}", text, alone.err(), site.told());
    }

    #[test]
    fn harmless_values_come_out_as_if_nothing_were_put_in(parts in prop::collection::vec(template(), 1..4)) {
        let text = parts.concat();
        let source = format!("{text}{COMPONENTS}");
        let view = r#"{"item": [1, 2, 3], "index": 1, "fleet": {"a": 5, "b": 6}}"#;
        let context = Context::from_serialize(&serde_json::from_str::<serde_json::Value>(view).unwrap()).unwrap();
        let mut alone = Tera::new();
        alone.autoescape_on(Vec::<&str>::new());
        let expected = alone.add_raw_template("a", &source).and_then(|()| alone.render("a", &context));
        let expected = expected.map_err(|error| TestCaseError::reject(error.to_string()))?;
        let rendered = Site::template("a.txt.tera", &source).render(view);
        prop_assert_eq!(rendered.as_deref(), Ok(expected.as_str()), "{}", source);
    }
}

//! Whatever a template does, it ends: in its output, or in a finding.

use std::time::{Duration, Instant};

use ringfence::diag::Code;

use super::site::Site;

const DOUBLED: &str = concat!(
    "{% set a = [1] %}{% set b = [1] %}",
    "{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}",
    "{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}",
    "{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}",
    "{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}",
    "{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}",
    "{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}",
    "{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}",
    "{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}",
    "{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}{% set a = [a, a] %}{% set b = [b, b] %}",
    "{% if a == b %}x{% endif %}",
);

/// Every way to go on for ever, or to make much of little, that the languages have.
const BOMBS: &[(&str, &str, &str)] = &[
    (
        "nested loops",
        "a.yaml.j2",
        "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}",
    ),
    (
        "a list that holds itself many times over",
        "a.yaml.j2",
        // Forty-five lines of doubling, and one comparison of two lists of 2^45 items that are made of ninety.
        DOUBLED,
    ),
    ("10^8 bytes", "a.yaml.j2", "{{ 'a' * 100000000 }}"),
    ("a macro that calls itself", "a.yaml.j2", "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}"),
    ("a block that calls itself", "a.yaml.j2", "{% block a %}{{ self.a() }}{% endblock %}"),
    ("a list repeated without end", "a.yaml.j2", "{{ [1] * 1000000000 }}"),
    ("an include of itself", "a.yaml.j2", "{% include 'a.yaml.j2' %}"),
    (
        "an output without end",
        "a.txt.j2",
        "{% for a in range(9999) %}{% for b in range(9999) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}{% endfor %}",
    ),
    (
        "nested loops",
        "a.yaml.tera",
        "{% for a in range(end=99999) %}{% for b in range(end=99999) %}{% for c in range(end=99999) %}{% endfor %}{% endfor %}{% endfor %}",
    ),
    (
        "a text doubled in a loop",
        "a.yaml.tera",
        "{% set_global s = 'aaaa' %}{% for a in range(end=99999) %}{% set_global s = s ~ s %}{% endfor %}",
    ),
    (
        "a list doubled in a loop",
        "a.yaml.tera",
        "{% set_global s = [1] %}{% for a in range(end=99999) %}{% set_global s = [s, s] %}{% endfor %}",
    ),
    (
        "a list within a list in a loop",
        "a.yaml.tera",
        "{% set_global s = [1] %}{% for a in range(end=99999) %}{% set_global s = [s] %}{% endfor %}",
    ),
    (
        "loops that nest lists",
        "a.yaml.tera",
        "{% for a in [[1, 2]] %}{% for b in [[a, a]] %}{% for c in [[b, b]] %}{% for d in [[c, c]] %}{% for e in [[d, d]] %}{% for f in [[e, e]] %}\
         {% for g in [[f, f, f, f, f, f, f, f, f, f, f, f, f]] %}{% for h in [[g, g, g, g, g, g, g, g, g, g, g, g, g, g]] %}\
         {% for i in [[h, h, h, h, h, h, h, h, h, h, h, h, h]] %}{{ i }}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}\
         {% endfor %}{% endfor %}{% endfor %}",
    ),
    (
        "a list spread in a loop",
        "a.yaml.tera",
        "{% set_global s = [1] %}{% for a in range(end=99999) %}{% set_global s = [...s, ...s] %}{% endfor %}",
    ),
    (
        "a capture that grows",
        "a.txt.tera",
        "{% set_global s = 'a' %}{% for a in range(end=99999) %}{% set_global s %}{{ s }}{{ s }}{% endset %}{% endfor %}",
    ),
    (
        "a replacement that multiplies",
        "a.yaml.tera",
        "{% set s = [i for i in range(end=30000)] | join(sep='aaaaaaaaaaa') %}{{ s | replace(from='', to=s) }}",
    ),
    (
        "an indentation that multiplies",
        "a.yaml.tera",
        "{% set s = range(end=20000) | join(sep='\n') %}{{ s | indent(width=100000000000) }}",
    ),
    ("nested comprehensions", "a.yaml.tera", "{% if [[j for j in range(end=99999)] for i in range(end=99999)] %}{% endif %}"),
    (
        "a component that calls itself",
        "a.yaml.tera",
        "{% component c(x) %}{{<c x={x} />}}{{<c x={x} />}}{% endcomponent c %}{{<c x=\"1\" />}}",
    ),
    (
        "components in a row",
        "a.yaml.tera",
        "{% component c(n) %}{% if n > 0 %}{{<c n={n - 1} />}}{{<c n={n - 1} />}}{{<c n={n - 1} />}}{{<c n={n - 1} />}}{{<c n={n - 1} />}}{% endif %}\
         {% endcomponent c %}{{<c n={18} />}}",
    ),
    (
        "an argument that doubles",
        "a.yaml.tera",
        "{% component c(n, s) %}{% if n > 0 %}{{<c n={n - 1} s={s ~ s ~ s ~ s ~ s ~ s ~ s ~ s} />}}{% endif %}{% endcomponent c %}{{<c n={18} s=\"aaaa\" />}}",
    ),
    (
        "an output without end",
        "a.txt.tera",
        "{% for a in range(end=9999) %}{% for b in range(end=9999) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}{% endfor %}",
    ),
    (
        "long steps",
        "a.yaml.tera",
        "{% set s = range(end=60000) | join(sep='a') %}{% for i in range(end=99999) %}{% if s ~ s ~ s ~ s == 'b' %}{% endif %}{% endfor %}",
    ),
    ("unlike items", "a.yaml.tera", "{% if range(end=99999) | unique %}{% endif %}"),
];

#[test]
fn every_bomb_ends_in_a_finding() {
    for (what, name, text) in BOMBS {
        let site = Site::template(name, text);
        assert!(site.findings.is_empty(), "{what} in {name}: {:?}", site.told());
        let started = Instant::now();
        let failure = site.render("{}").expect_err(what);
        let took = started.elapsed();
        assert_eq!(failure.code, Code::TemplateLimit, "{what} in {name}: {}", failure.message);
        assert!(failure.help.is_some(), "{what}: {failure:?}");
        assert!(took < Duration::from_secs(5), "{what} in {name} took {took:?}");
    }
}

/// What makes an engine go in one step further each time it stands there: before it, itself, after it.
const STEPS: &[(&str, &str, &str)] = &[
    ("{{ ", "not ", "true }}"),
    ("{{ 1", "+1", " }}"),
    ("{{ \"a\"", "|upper", " }}"),
    ("{{ fleet", ".a", " }}"),
    ("{{ fleet", "[0]", " }}"),
    ("{{ fleet", "()", " }}"),
    ("{{ \"a\"", " ~ \"a\"", " }}"),
    ("{{ 1", " if true else 1", " }}"),
    ("{{ 1", " == 1", " }}"),
    ("{{ 1", " is defined", " }}"),
    ("{{ true", " and true", " }}"),
    ("{{ ", "-", "1 }}"),
    ("{{ 2", " ** 2", " }}"),
    ("{{ ", "(", "1 }}"),
    ("{{ ", "[1, ", " }}"),
    ("{{ ", "{\"a\": ", " }}"),
    ("{{ ", "f(", " }}"),
    ("{% set a = 1", "+1", " %}"),
    ("{% if true", " and true", " %}{% endif %}"),
    ("{% for a in [1]", "[0]", " %}{% endfor %}"),
    ("{{ 1", "+1", ""),
    ("{{ \"", "\\\"", "\" }}"),
    ("{% if false %}", "{% elif false %}", "{% endif %}"),
    ("", "{% if false %}{% elif false %}", ""),
    ("", "{% if true %}", ""),
    ("", "{% for a in [1] %}", ""),
    ("", "{% set a %}", ""),
    ("", "{% filter upper %}", ""),
    ("", "{% block a %}", ""),
    ("", "{% macro a() %}", ""),
    ("", "{% component a() %}", ""),
    ("", "{% <a> %}", ""),
    ("", "{% call a() %}", ""),
    ("", "{% with a = 1 %}", ""),
    ("", "{% if false %}{% else %}", ""),
];

/// Tests run on threads with two megabytes of stack, as rendering does: an overflow would end them all.
#[test]
fn however_deep_a_template_goes_no_stack_overflows() {
    for name in ["a.yaml.j2", "a.yaml.tera"] {
        for (before, step, after) in STEPS {
            for count in [39, 60, 99, 124, 249, 5_000, 60_000] {
                let site = Site::template(name, &format!("{before}{}{after}", step.repeat(count)));
                if site.findings.is_empty() {
                    // What fits is rendered, or fails with words.
                    let _ = site.render("{\"fleet\": {\"a\": 1}}");
                }
            }
        }
    }
}

#[test]
fn what_goes_too_deep_is_shown_where_it_does() {
    for (name, text, place) in [
        ("a.yaml.j2", format!("a: 1\n# {{{{ 1{} }}}}\n", "+1".repeat(30_000)), "2:"),
        ("a.yaml.tera", format!("{{% if false %}}\n{}{{% endif %}}", "{% elif false %}\n".repeat(4_000)), "102:1"),
        ("a.yaml.j2", format!("{{% if false %}}\n{}{{% endif %}}", "{% elif false %}\n".repeat(8_000)), "102:1"),
    ] {
        let site = Site::template(name, &text);
        let [finding] = &site.findings[..] else { panic!("{:?}", site.told()) };
        assert_eq!(finding.code, Code::TemplateLimit);
        assert!(site.place(finding.primary.span).starts_with(&format!("site/kinds/k/{name}:{place}")), "{:?}", site.told());
        assert!(!finding.help.is_empty());
    }
    for rule in ["when", "forEach", "path"] {
        let deep = "not ".repeat(100_000);
        let text = if rule == "path" { format!("{{{{ {deep}a }}}}") } else { format!("{deep}a") };
        let kind = format!("title: T\nwhy: W\nscope: workload\n{}{rule}: \"{text}\"\n", if rule == "path" { "" } else { "path: a.yaml\n" });
        let site = Site::new(&[("kinds/k/kind.yaml", &kind), ("kinds/k/a.yaml.j2", "a: 1\n")]);
        assert_eq!(site.findings.iter().map(|diag| diag.code).collect::<Vec<_>>(), [Code::TemplateLimit], "{rule}: {}", site.told().len());
    }
}

#[test]
fn templates_as_deep_as_is_allowed_work() {
    for name in ["a.yaml.j2", "a.yaml.tera"] {
        let branches = format!("{{% if false %}}{}{{% elif true %}}a: 1\n{{% endif %}}", "{% elif false %}".repeat(99));
        assert_eq!(Site::template(name, &branches).render("{}").unwrap(), "a: 1\n", "{name}");
        // All at once.
        let sum = format!("a: {{{{ {}1{}{} }}}}\n", "(".repeat(20), ")".repeat(20), " + 1".repeat(100));
        let branches = format!("{{% if false %}}{}{{% else %}}{sum}{{% endif %}}", "{% elif false %}".repeat(99));
        let nested = format!("{}{branches}{}", "{% if true %}".repeat(38), "{% endif %}".repeat(38));
        assert_eq!(Site::template(name, &nested).render("{}").unwrap(), "a: 101\n", "{name}");
    }
    let sum = format!("a: {{{{ 1{} }}}}\n", " + 1".repeat(120));
    assert_eq!(Site::template("a.yaml.j2", &sum).render("{}").unwrap(), "a: 121\n");
}

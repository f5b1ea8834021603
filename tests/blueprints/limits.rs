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

//! Loading: what is embedded, what a site puts over it, and what is wrong with either.

use std::fs;

use ringfence::catalog::{self, Catalog};
use ringfence::diag::Code;
use ringfence::source::Files;

use super::site::{KIND, Site, written};

/// The embedded blueprints with a site's own over them.
fn overlaid(sources: &[(&str, &str)]) -> (Catalog, Vec<String>) {
    let folder = written(sources);
    let (mut files, mut findings) = (Files::default(), ringfence::diag::Findings::new());
    let catalog = catalog::load(&mut files, &[("site".to_owned(), folder.path().to_owned())], &mut findings);
    (catalog, findings.iter().map(|diag| format!("{} {}", files.path(diag.primary.span.file), diag.message)).collect())
}

#[test]
fn a_site_replaces_adds_and_takes_out_kinds_file_by_file() {
    let (catalog, told) = overlaid(&[
        ("kinds/namespace/namespace.yaml.j2", "kind: Mine\n"),
        ("kinds/priority-class/kind.yaml", "disabled: true\n"),
        ("kinds/new/kind.yaml", KIND),
        ("kinds/new/new.yaml.j2", "kind: New\n"),
        ("kinds/new/_part.yaml.j2", "a: 1\n"),
        (
            "kinds/new/schema.yaml",
            "apiVersion: a.example/v1\nkind: New\nnamespaced: true\nschema: {type: object}\n---\napiVersion: a.example/v1\nkind: Other\nnamespaced: false\nschema: {type: object}\n",
        ),
        ("kinds/new/README.md", "# For people\n"),
        ("kinds/new/cases/one/view.yaml", "{}\n"),
        ("kinds/new/.swp", "\u{0}"),
        ("controls/mine/control.yaml", "title: T\nwhy: W\nexemptible: [workload]\n"),
        (
            "packs/house-rules.yaml",
            "title: T\ncite: H\nrequirements: [{id: \"1\", title: T, controls: [mine]}, {id: \"2\", title: T, note: none}]\n",
        ),
    ]);
    assert_eq!(told, Vec::<String>::new());
    assert!(catalog.kinds.is_sorted_by_key(|kind| kind.id.clone()));
    assert_eq!(catalog.kind("namespace").unwrap().templates[0].text, "kind: Mine\n");
    assert!(catalog.kind("priority-class").is_none());
    let new = catalog.kind("new").unwrap();
    assert_eq!((new.templates.len(), new.partials.len(), new.title.as_str(), new.order), (1, 1, "T", 0));
    let schemas = catalog.custom_schemas.iter().filter(|schema| schema.owner.as_deref() == Some("new")).map(|schema| schema.kind.as_str());
    assert_eq!(schemas.collect::<Vec<_>>(), ["New", "Other"]);
    assert_eq!(catalog.controls["mine"].title, "T");
    assert_eq!(catalog.packs["house-rules"].cited("mine").collect::<Vec<_>>(), ["H 1"]);
}

#[test]
fn every_control_is_served_by_a_kind_and_asked_for_by_a_framework() {
    let (catalog, told) = overlaid(&[]);
    assert_eq!(told, Vec::<String>::new());
    let packs = ["cis-kubernetes-1.12", "nsa-cisa-1.2", "sp-800-190"];
    assert_eq!(catalog.packs.keys().collect::<Vec<_>>(), packs);
    for name in catalog.controls.keys() {
        assert!(catalog.kinds.iter().any(|kind| kind.serves.iter().any(|served| served.value == *name)), "no kind serves {name}");
        assert!(catalog.packs.values().any(|pack| pack.cited(name).next().is_some()), "no framework asks for {name}");
    }
    for kind in &catalog.kinds {
        assert!(!kind.serves.is_empty(), "{} serves nothing", kind.id);
    }
}

#[test]
fn what_sources_bring_along_is_stated_without_a_kind_of_its_own() {
    let stated = "apiVersion: a.example/v1\nkind: Redis\nplural: redis\nnamespaced: true\n";
    let (catalog, told) = overlaid(&[("schemas/redis.yaml", stated), ("schemas/README.md", "# For people\n")]);
    assert_eq!(told, Vec::<String>::new());
    let schemas = catalog.custom_schemas.iter().filter(|schema| schema.owner.is_none());
    assert_eq!(schemas.map(|schema| schema.plural.as_deref()).collect::<Vec<_>>(), [Some("redis")]);
    let site = Site::new(&[
        ("schemas/a.yaml", &stated.replace("plural: redis\n", "")),
        ("schemas/b.yaml", &stated.replace("plural: redis", "plural: Redis")),
        ("schemas/c.json", "{}"),
        ("kinds/d/kind.yaml", KIND),
        ("kinds/d/d.yaml.j2", "a: 1\n"),
        ("kinds/d/schema.yaml", stated),
    ]);
    let told = site.told();
    for expected in [
        "site/schemas/a.yaml:1:1 `apiVersion` a custom schema needs the key `plural` here Roles name a resource by it: `spec.names.plural` of the custom resource definition.",
        "site/schemas/b.yaml:3:9 `Redis` `Redis` holds `R`; names are lower case letters, digits and `-` An example: `card-vault`.",
        "site/schemas/c.json:1:1 `` `c.json` has no meaning among schemas A schema's file ends in `.yaml`, as in `rollout.yaml`.",
        "site/kinds/d/schema.yaml:1:1 `apiVersion` a custom schema needs the key `schema` here What a template makes is checked against it.",
    ] {
        assert!(told.iter().any(|told| told == expected), "{expected} is not among {told:#?}");
    }
}

#[test]
fn an_empty_file_takes_nothing_out_in_silence() {
    let (_, told) = overlaid(&[("kinds/namespace/kind.yaml", "\n")]);
    assert_eq!(told, ["site/kinds/namespace/kind.yaml `kind.yaml` is empty"]);
}

#[test]
fn everything_wrong_with_blueprints_is_told_at_once() {
    let site = Site::new(&[
        ("kinds/a/kind.yaml", "title: A\nscope: wokload\nlayer: 40-workloads\npath: a.yaml\nforeach: x\n"),
        ("kinds/a/a.yaml.j2", "a: 1\n"),
        ("kinds/b/b.yaml.j2", "a: 1\n"),
        ("kinds/c/kind.yaml", KIND),
        ("kinds/d/kind.yaml", &KIND.replace("path:", "layer: 40-workloads\npath:")),
        ("kinds/d/d.md.tera", "d\n"),
        ("kinds/d/kind.yml", "d\n"),
        ("kinds/Big/kind.yaml", KIND),
        ("kinds/e/kind.yaml", "title: [\n"),
        ("shared/whole.yaml.j2", "a: 1\n"),
        ("controls/f/contrl.yaml", "a: 1\n"),
        ("packs/Mine.yml", "a: 1\n"),
        ("packs/p.yaml", "title: T\ncite: P\nrequirements: [{id: \"1\", title: T, controls: [f]}, {id: \"2\", title: T}]\n"),
        ("kinds/h/kind.yaml", &format!("{KIND}serves: [nothing]\n")),
        ("kinds/h/h.yaml.j2", "a: 1\n"),
        ("kind/g/kind.yaml", KIND),
    ]);
    let told = site.told();
    for expected in [
        "site/kinds/a/kind.yaml:2:8 `wokload` `wokload` is not allowed here Did you mean `workload`?",
        "site/kinds/a/kind.yaml:5:1 `foreach` a kind has no key `foreach` Did you mean `forEach`?",
        "site/kinds/a/kind.yaml:1:1 `title` a kind needs the key `why` ",
        "site/kinds/b/b.yaml.j2:1:1 `` the kind `b` has no `kind.yaml` ",
        "site/kinds/c/kind.yaml:1:1 `` the kind `c` has no template Add `NAME.yaml.j2`, or `disabled: true` where the kind is to go.",
        "site/kinds/d/d.md.tera:1:1 `` `d.md.tera` is no manifest, but the kind has a layer Name it",
        "site/kinds/d/kind.yml:1:1 `` `kind.yml` has no meaning in a blueprint Did you mean `kind.yaml`?",
        "site/kinds/Big/kind.yaml:1:1 `` `Big` is no name of a blueprint",
        "site/kinds/e/kind.yaml:",
        "site/packs/Mine.yml:1:1 `` `Mine.yml` is no name of a pack Name it `PACK.yaml`",
        "site/packs/p.yaml:3:47 `f` there is no control `f` Add `controls/NAME/control.yaml`",
        "site/packs/p.yaml:3:52 `{id: \"2\", title: T}` nothing is said of `P 2` Name its `controls`",
        "site/kinds/h/kind.yaml:5:10 `nothing` there is no control `nothing` Add `controls/NAME/control.yaml`",
        "site/shared/whole.yaml.j2:1:1 `` `whole.yaml.j2` makes no object: what is shared is only included Begin its name with an underscore.",
        "site/controls/f/contrl.yaml:1:1 `` the control `f` has no `control.yaml` ",
        "site/kind/g/kind.yaml:1:1 `` this file has no meaning here Blueprints are",
    ] {
        assert!(told.iter().any(|line| line.starts_with(expected)), "{expected}\nis not in\n{}", told.join("\n"));
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_path() {
    let site = Site::new(&[("kinds/k/kind.yaml", KIND), ("kinds/k/a.yaml.j2", "a: 1\n")]);
    let root = site.folder.path();
    fs::write(root.join("kinds/k/latin.yaml.j2"), b"a: \xe9\n").unwrap();
    fs::write(root.join("kinds/k/large.yaml.j2"), vec![b'a'; (1 << 20) + 1]).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("a.yaml.j2", root.join("kinds/k/inside.yaml.j2")).unwrap();
        std::os::unix::fs::symlink("/", root.join("kinds/k/outside.yaml.j2")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("kinds/k/dangling.yaml.j2")).unwrap();
    }
    let (mut files, mut findings) = (Files::default(), ringfence::diag::Findings::new());
    let overlays = [("site".to_owned(), root.to_owned()), ("none".to_owned(), root.join("none"))];
    let catalog = catalog::load_only(&mut files, &overlays, &mut findings);
    let told: Vec<_> = findings
        .iter()
        .map(|diag| {
            let at = files.line_col(diag.primary.span);
            (diag.code, format!("{}:{}:{} {}", files.path(diag.primary.span.file), at.line, at.column, diag.message))
        })
        .collect();
    let has = |code: Code, expected: &str| {
        assert!(told.iter().any(|(c, line)| *c == code && line.starts_with(expected)), "{expected}: {told:#?}");
    };
    has(Code::NotUtf8, "site/kinds/k/latin.yaml.j2:1:4 ");
    has(Code::FileTooLarge, "site/kinds/k/large.yaml.j2:1:1 ");
    has(Code::FileUnreadable, "none:1:1 ");
    #[cfg(unix)]
    {
        has(Code::FileUnreadable, "site/kinds/k/outside.yaml.j2:1:1 it is a link that leads out");
        has(Code::FileUnreadable, "site/kinds/k/dangling.yaml.j2:1:1 ");
        let names: Vec<&str> = catalog.kinds[0].templates.iter().map(catalog::Template::name).collect();
        assert_eq!(names, ["a.yaml.j2", "inside.yaml.j2"]);
    }
    assert_eq!(told.len(), if cfg!(unix) { 5 } else { 3 }, "{told:#?}");
}

//! The keys of a `kustomization.yaml`, as far as they are taken over.

use super::{Step, invalid, unsupported};
use crate::decode::{Decode, Entries, Findings, mapping};
use crate::record;
use crate::source::{FileId, Files, Spanned};
use crate::yaml::{Node, Value, read};

/// Keys that kustomize has and that are not taken over.
const REFUSED: &[&str] = &[
    "buildMetadata",
    "configurations",
    "crds",
    "generators",
    "helmChartInflationGenerator",
    "helmCharts",
    "helmGlobals",
    "imageTags",
    "openapi",
    "replacements",
    "sortOptions",
    "transformers",
    "validators",
    "vars",
];

record! {
    "a kustomization"
    /// A kustomization or a component.
    pub struct Kustomization {
        pub api_version: Option<Spanned<String>>,
        pub kind: Option<Spanned<String>>,
        pub metadata: Option<Node>,
        pub resources: Vec<Spanned<String>>,
        pub bases: Vec<Spanned<String>>,
        pub components: Vec<Spanned<String>>,
        pub name_prefix: Option<Spanned<String>>,
        pub name_suffix: Option<Spanned<String>>,
        pub namespace: Option<Spanned<String>>,
        pub labels: Vec<Spanned<Label>>,
        pub common_labels: Entries<Spanned<String>>,
        pub common_annotations: Entries<Spanned<String>>,
        pub patches: Vec<Spanned<StatedPatch>>,
        pub patches_strategic_merge: Vec<Node>,
        pub patches_json6902: Vec<Spanned<StatedPatch>>,
        pub images: Vec<Spanned<Image>>,
        pub replicas: Vec<Spanned<Replica>>,
        pub config_map_generator: Vec<Spanned<Generator>>,
        pub secret_generator: Vec<Spanned<Generator>>,
        pub generator_options: Option<Spanned<GeneratorOptions>>,
    }
}

record! {
    "an entry of `labels`"
    /// Labels, and where they go.
    pub struct Label {
        pub pairs: Entries<Spanned<String>>,
        pub include_selectors: Option<bool>,
        pub include_templates: Option<bool>,
        pub fields: Option<Node>,
    }
}

record! {
    "a patch"
    /// A patch and whom it means.
    pub struct StatedPatch {
        pub path: Option<Spanned<String>>,
        pub patch: Option<Node>,
        pub target: Option<Spanned<Target>>,
        pub options: Option<PatchOptions>,
    }
}

record! {
    "the options of a patch"
    /// What else a patch may change.
    pub struct PatchOptions {
        pub allow_name_change: Option<bool>,
        pub allow_kind_change: Option<bool>,
    }
}

record! {
    "a target"
    /// Whom a patch means: patterns that match whole values.
    pub struct Target {
        pub group: Option<Spanned<String>>,
        pub version: Option<Spanned<String>>,
        pub kind: Option<Spanned<String>>,
        pub name: Option<Spanned<String>>,
        pub namespace: Option<Spanned<String>>,
        pub label_selector: Option<Spanned<String>>,
        pub annotation_selector: Option<Spanned<String>>,
    }
}

record! {
    "an entry of `images`"
    /// What an image becomes.
    pub struct Image {
        pub name: Spanned<String>,
        pub new_name: Option<Spanned<String>>,
        pub new_tag: Option<Spanned<String>>,
        pub tag_suffix: Option<Spanned<String>>,
        pub digest: Option<Spanned<String>>,
    }
}

record! {
    "an entry of `replicas`"
    /// How many of a controller.
    pub struct Replica {
        pub name: Spanned<String>,
        pub count: Spanned<u32>,
    }
}

record! {
    "a generator"
    /// What a ConfigMap or Secret is made of.
    pub struct Generator {
        pub name: Spanned<String>,
        pub namespace: Option<Spanned<String>>,
        pub behavior: Option<Spanned<String>>,
        pub literals: Vec<Spanned<String>>,
        pub files: Vec<Spanned<String>>,
        pub envs: Vec<Spanned<String>>,
        pub env: Option<Spanned<String>>,
        pub options: Option<GeneratorOptions>,
        pub r#type as "type": Option<Spanned<String>>,
    }
}

record! {
    "the options of a generator"
    /// How what is generated is named and labelled.
    #[derive(Default)]
    pub struct GeneratorOptions {
        pub labels: Entries<Spanned<String>>,
        pub annotations: Entries<Spanned<String>>,
        pub disable_name_suffix_hash: Option<bool>,
        pub immutable: Option<bool>,
    }
}

impl Kustomization {
    /// Whether it is a component.
    pub fn is_component(&self) -> bool {
        self.kind.as_ref().is_some_and(|kind| kind.value == "Component")
    }
}

/// Reads a kustomization. An empty list or mapping, or nothing at a key, is what kustomize takes it for: nothing.
pub fn read(files: &Files, file: FileId) -> Step<Kustomization> {
    let mut findings = Findings::new();
    let mut documents = read::read(files.text(file), file, &mut findings);
    if let Some(diag) = findings.into_iter().next() {
        return Err(Box::new(diag));
    }
    if documents.len() > 1 {
        return Err(invalid(documents[1].span, "a kustomization is one document, and this is another one"));
    }
    let Some(mut node) = documents.pop() else { return Err(invalid(files.start(file), "the kustomization is empty")) };
    drop_nulls(&mut node);
    let mut findings = Findings::new();
    let entries = mapping(&node, &mut findings).unwrap_or_default();
    for (key, _) in entries {
        let name = key.text().unwrap_or_default();
        if REFUSED.contains(&name) {
            let diag = unsupported(key.span, format!("`{name}` of a kustomization is not taken over"));
            return Err(Box::new(diag.help("Write out what it makes, or describe the workload in the inventory itself.")));
        }
    }
    let kustomization = Kustomization::decode(&node, &mut findings);
    if let Some(diag) = findings.into_iter().next() {
        return Err(Box::new(diag));
    }
    let Some(kustomization) = kustomization else { return Err(invalid(node.span, "this is no kustomization")) };
    check_type(&kustomization)?;
    let stated = |name: &str| name != "apiVersion" && name != "kind";
    if !super::edit::entries(&node).iter().any(|(key, _)| key.text().is_some_and(stated)) {
        return Err(Box::new(invalid(node.span, "the kustomization is empty").help("Name what belongs to it under `resources`.")));
    }
    Ok(kustomization)
}

fn check_type(kustomization: &Kustomization) -> Step<()> {
    let version = if kustomization.is_component() { "kustomize.config.k8s.io/v1alpha1" } else { "kustomize.config.k8s.io/v1beta1" };
    if let Some(kind) = kustomization.kind.as_ref().filter(|kind| kind.value != "Kustomization" && kind.value != "Component") {
        return Err(invalid(kind.span, format!("`{}` is neither `Kustomization` nor `Component`", kind.value)));
    }
    match &kustomization.api_version {
        Some(stated) if stated.value != version => Err(invalid(stated.span, format!("`{}` is not `{version}`", stated.value))),
        _ => Ok(()),
    }
}

fn drop_nulls(node: &mut Node) {
    match &mut node.value {
        Value::Map(entries) => {
            entries.retain(|(_, value)| !value.is_null());
            for (_, value) in entries {
                drop_nulls(value);
            }
        }
        Value::Seq(items) => items.iter_mut().for_each(drop_nulls),
        Value::Scalar { .. } => {}
    }
}

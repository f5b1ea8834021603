//! A kind of object: a folder with `kind.yaml`, its templates, and the schema of its objects where Kubernetes does not state one.

use crate::decode::{Decode, Findings, mapping, unknown_keys};
use crate::diag::{Code, Diag};
use crate::source::{FileId, Files, Span, Spanned};
use crate::yaml::Node;

use super::template::{Output, Template};

crate::words! {
    /// What a kind repeats over: it makes one object, or one for each item of `forEach`, for every one of these.
    pub enum Scope {
        /// Once.
        Fleet = "fleet",
        /// For every tier.
        Tier = "tier",
        /// For every cluster.
        Cluster = "cluster",
        /// For every node pool of every cluster.
        NodePool = "node-pool",
        /// For every namespace of every cluster.
        Namespace = "namespace",
        /// For every workload in every of its clusters.
        Workload = "workload",
        /// For every gateway, in every cluster that it touches.
        Gateway = "gateway",
        /// For every instance of Argo CD.
        ArgocdInstance = "argocd-instance",
    }
}

crate::words! {
    /// The layer of a cluster's tree that an object belongs to; a later one waits for the earlier ones.
    pub enum Layer {
        /// Policies, cluster roles, priority classes: before anything they guard.
        Guardrails = "10-guardrails",
        /// Namespaces and what closes them.
        Namespaces = "20-namespaces",
        /// Roles, quotas, the declared flows.
        Access = "30-access",
        /// The workloads, a folder for each namespace.
        Workloads = "40-workloads",
        /// What scrapes and watches; nothing waits for it.
        Monitoring = "50-monitoring",
    }
}

crate::words! {
    /// What must be planned before a kind is, because its templates see what that holds.
    pub enum After {
        /// The workloads: `contents` are the kinds of object in the namespace's folder of workloads.
        Workloads = "workloads",
        /// All layers: `units` are what is applied as one. Such objects are in no layer, but apply the layers.
        Layers = "layers",
    }
}

crate::record! {
    "a kind"
    /// `kind.yaml` as it is written.
    pub struct KindFile {
        /// What the object is, in a few words.
        pub title: String,
        /// Why it is there, for people who read a report.
        pub why: String,
        /// What it repeats over.
        pub scope: Scope,
        /// The layer of its objects; left out for a document.
        pub layer: Option<Spanned<Layer>>,
        /// What must be planned before; nothing, if left out.
        pub after: Option<Spanned<After>>,
        /// Where it is written: a template, below the layer's folder, or below the output's root where there is no layer.
        pub path: Spanned<String>,
        /// Whether it is made at all: an expression; always, if left out.
        pub when: Option<Spanned<String>>,
        /// One object for each item of a list: an expression; the item is `item`, its number from 0 is `index`.
        pub for_each: Option<Spanned<String>>,
        /// The order of objects within one file; equal ones go by the kind's name. 0 if left out.
        pub order: Option<i32>,
        /// The controls it serves, by name.
        pub serves: Vec<Spanned<String>>,
        /// The keys of the inventory that it makes objects of.
        pub needs: Vec<Spanned<String>>,
        /// `true` takes the kind out; meant for a site's own folder over the embedded one.
        pub disabled: Option<bool>,
    }
}

/// Text in `kind.yaml` that a template engine reads.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name within the engine: `kinds/namespace/kind.yaml#path`.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Where in the file its first byte stands, where the file holds the text as it is, without escapes or folded lines.
    pub offset: Option<u32>,
}

/// A kind of object.
#[derive(Clone, Debug)]
pub struct Kind {
    /// The folder's name.
    pub id: String,
    /// What the object is, in a few words.
    pub title: String,
    /// Why it is there.
    pub why: String,
    /// What it repeats over.
    pub scope: Scope,
    /// The layer; none for a document, and for what applies the layers.
    pub layer: Option<Layer>,
    /// Where the layer is stated, or else the path.
    pub layer_span: Span,
    /// What must be planned before.
    pub after: Option<After>,
    /// Where it is written: a template.
    pub path: Rule,
    /// Whether it is made: an expression.
    pub when: Option<Rule>,
    /// The list it is made for each item of: an expression.
    pub for_each: Option<Rule>,
    /// The order within one file.
    pub order: i32,
    /// The controls it serves, by name.
    pub serves: Vec<Spanned<String>>,
    /// The keys of the inventory that it makes objects of.
    pub needs: Vec<Spanned<String>>,
    /// One object each, by name.
    pub templates: Vec<Template>,
    /// What these include.
    pub partials: Vec<Template>,
    /// Its `kind.yaml`.
    pub file: FileId,
    /// Whether a site wrote the `kind.yaml` itself.
    pub own: bool,
}

/// What each key that a `kind.yaml` must have says.
const REQUIRED: &[(&str, &str)] = &[
    ("path", "Where the object is written, below the layer's folder: `path: \"{{ namespace.name }}/quota.all.yaml\"`."),
    ("scope", "What it repeats over: `scope: namespace` makes one for every namespace of every cluster."),
    ("title", "What the object is, in a few words: `title: ResourceQuota`."),
    ("why", "Why it is there, for people who read a report: `why: limits what a namespace uses`."),
];

/// Says what to write for a key that is missing.
pub(super) fn explain_missing(finding: &mut Diag) {
    if finding.code == Code::MissingKey {
        let key = finding.message.split('`').nth(1).unwrap_or_default();
        if let Some((_, help)) = REQUIRED.iter().find(|(name, _)| *name == key) {
            finding.help = vec![(*help).to_owned()];
        }
    }
}

impl Kind {
    /// Reads `kind.yaml`; the templates are added by the caller.
    pub(super) fn decode(id: &str, own: bool, node: &Node, files: &Files, findings: &mut Findings) -> Option<Self> {
        let file = KindFile::decode(node, findings)?;
        let layer = file.layer.as_ref().map(|layer| layer.value);
        let fits = |after: &Spanned<After>| match after.value {
            After::Layers => layer.is_none(),
            After::Workloads => layer.is_some_and(|layer| layer != Layer::Workloads),
        };
        if let Some(after) = file.after.as_ref().filter(|after| !fits(after)) {
            let diag =
                Diag::new(Code::BlueprintInvalid, after.span, format!("`after: {}` does not fit the kind's layer", after.value.as_str()));
            findings
                .push(diag.help("What comes after the layers is in none; what comes after the workloads is in another layer than theirs."));
            return None;
        }
        let rule = |key: &str, text: Spanned<String>| Rule {
            name: format!("kinds/{id}/kind.yaml#{key}"),
            offset: files.slice(text.span).find(text.as_str()).map(|at| text.span.start + u32::try_from(at).unwrap_or(0)),
            span: text.span,
            text: text.value,
        };
        Some(Self {
            id: id.to_owned(),
            title: file.title,
            why: file.why,
            scope: file.scope,
            layer,
            layer_span: file.layer.map_or(file.path.span, |layer| layer.span),
            after: file.after.map(|after| after.value),
            path: rule("path", file.path),
            when: file.when.map(|text| rule("when", text)),
            for_each: file.for_each.map(|text| rule("forEach", text)),
            order: file.order.unwrap_or_default(),
            serves: file.serves,
            needs: file.needs,
            templates: Vec::new(),
            partials: Vec::new(),
            file: node.span.file,
            own,
        })
    }

    /// What of its `kind.yaml` an engine reads.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        std::iter::once(&self.path).chain(&self.when).chain(&self.for_each)
    }

    /// Whether it makes objects of Kubernetes that are applied, not a document.
    pub fn is_manifest(&self) -> bool {
        self.layer.is_some() || self.after == Some(After::Layers)
    }

    /// Reads whether a `kind.yaml` takes its kind out; `None` after a finding. It may have what it had before, and nothing else.
    pub(super) fn is_disabled(node: &Node, findings: &mut Findings) -> Option<bool> {
        let Some(flag) = node.get("disabled") else { return Some(false) };
        let mut found = Findings::new();
        let disabled = bool::decode(flag, &mut found);
        findings.extend(found.into_iter().map(|mut finding| {
            finding.help = vec!["Write `disabled: true` to take the kind out, or leave the key out.".to_owned()];
            finding
        }));
        let disabled = disabled?;
        if disabled {
            let keys: Vec<&str> = KindFile::keys().iter().map(String::as_str).collect();
            unknown_keys(mapping(node, findings)?, &keys, "a kind", findings);
        }
        Some(disabled)
    }

    /// Takes a template of the folder.
    pub(super) fn take(&mut self, template: Template, files: &Files, findings: &mut Findings) {
        if template.is_partial() {
            self.partials.push(template);
        } else if self.is_manifest() && template.output != Output::Data {
            let message = format!("`{}` is no manifest, but the kind has a layer", template.name());
            let diag = Diag::new(Code::BlueprintInvalid, files.start(template.file), message);
            findings.push(diag.help("Name it `*.yaml.j2` or `*.yaml.tera`, or leave `layer` out of `kind.yaml` where it is a document."));
        } else {
            self.templates.push(template);
        }
    }
}

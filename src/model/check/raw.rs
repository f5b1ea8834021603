//! What a person wrote under `pod` and `spec`: not what isolation owns, only what Kubernetes has, and under the same rules as the short forms.

use std::collections::BTreeSet;

use super::Subject;
use crate::decode::{Findings, head};
use crate::diag::{Code, Diag};
use crate::inventory::workload::WorkloadKind;
use crate::model::{images, owned, pod, storage};
use crate::source::Span;
use crate::yaml::{Node, Value};

/// The definition of a kind's spec in Kubernetes' OpenAPI document.
pub(crate) fn spec_definition(kind: WorkloadKind) -> &'static str {
    kind.spec_definition()
}

pub(super) fn check(subject: &Subject<'_, '_>, findings: &mut Findings) {
    let kind = subject.workload.identity.kind.value;
    for spec in &subject.cascade.specs {
        owned::check_spec(spec, kind, findings);
        unsaid(subject.schemas.check_node(subject.minor, spec_definition(kind), spec, true), findings);
    }
    let settings = &subject.cascade.settings;
    for layer in &subject.cascade.pods {
        owned::check_pod(layer, kind, findings);
        unsaid(subject.schemas.check_node(subject.minor, pod::POD_SPEC, layer, true), findings);
        for image in images::in_pod(layer, findings) {
            images::check(&image, image.span, subject.tier, subject.place, subject.exemptions, findings);
        }
        literals(subject, layer, findings);
        storage::check_within(subject, layer, findings);
        for container in containers(layer) {
            let is_main = container.get("name").and_then(Node::text) == Some(pod::MAIN);
            let within =
                |span: Span| span.file == container.span.file && container.span.start <= span.start && span.end <= container.span.end;
            let is_wrong = findings.iter().any(|diag| diag.code == Code::KubernetesField && within(diag.primary.span));
            if !is_main && !is_wrong && container.get("image").is_none() {
                let diag = Diag::new(Code::MissingKey, head(container), "a container needs an `image`");
                findings.push(diag.help("Write its `image`; what belongs to the workload's own container is under `name: main`."));
            }
        }
    }
    match &settings.image {
        Some(image) => images::check(image, image.span, subject.tier, subject.place, subject.exemptions, findings),
        None if subject.inventory.misspelt.may_mean(subject.workload.span, "image") => {}
        None => {
            let name = &subject.workload.identity.name;
            let diag = Diag::new(Code::MissingKey, name.span, format!("`{}` has no `image`", name.value));
            findings.push(diag.help("Write `image: REGISTRY/PATH:TAG`."));
        }
    }
}

/// Takes what the schema says of places at which nothing is said yet: a field that is not for a person to write need not be written well.
fn unsaid(diags: Vec<Diag>, findings: &mut Findings) {
    let said: BTreeSet<Span> =
        findings.iter().filter(|diag| matches!(diag.code, Code::IsolationOwned | Code::SetTwice)).map(|diag| diag.primary.span).collect();
    findings.extend(diags.into_iter().filter(|diag| !said.contains(&diag.primary.span)));
}

fn containers(pod: &Node) -> impl Iterator<Item = &Node> {
    ["containers", "initContainers"].into_iter().filter_map(|list| pod.get(list)).flat_map(|list| match &list.value {
        Value::Seq(items) => items.as_slice(),
        _ => &[],
    })
}

/// Literal secrets in the variables of containers under `pod`.
fn literals(subject: &Subject<'_, '_>, layer: &Node, findings: &mut Findings) {
    use crate::model::exemptions::control::LITERAL_SECRET;
    for list in containers(layer).filter_map(|container| container.get("env")) {
        let Value::Seq(variables) = &list.value else { continue };
        for variable in variables {
            let name = variable.get("name").and_then(Node::text);
            let Some((value, text)) = variable.get("value").and_then(|value| Some((value, value.text()?))) else { continue };
            if let Some(why) = crate::model::secrets::suspicion(name, text)
                && !subject.exemptions.excuse(LITERAL_SECRET, subject.place)
            {
                let message = format!("the value of `{}` looks like a secret", name.unwrap_or_default());
                findings.push(Diag::new(Code::LiteralSecret, value.span, message).label(why).help("Refer to a Secret with `valueFrom`."));
            }
        }
    }
}

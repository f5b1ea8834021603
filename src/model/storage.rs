//! Volumes: of their tier's own StorageClass, whose encryption follows the data (SP 800-190 4.3.2).

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::Subject;
use super::exemptions::control;
use super::instance::Instance;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::tier::Tier;
use crate::source::Span;
use crate::yaml::{Node, Value as Yaml};

/// Checks the class that a volume asks for, if it asks for one, against its tier's. Where none is asked for, the tier's is written.
pub fn check(subject: &Subject<'_, '_>, class: Option<&str>, written: Span, findings: &mut Findings) {
    let Some((stated, class)) = subject.tier.storage_class.as_ref().zip(class) else { return };
    let (tier, own) = (&subject.tier.name.value, stated.name.as_str());
    if class == own || subject.exemptions.excuse(control::STORAGE_CLASS, subject.place) {
        return;
    }
    let diag = Diag::new(Code::ControlViolated, written, format!("the class `{class}` is not that of the tier `{tier}`"));
    let help = format!("Leave it out or write `{own}`; or ask for an exemption from `{}`.", control::STORAGE_CLASS);
    findings.push(diag.related(stated.name.span, "the tier's storage class").help(help));
}

/// Checks every class that is asked for somewhere in a pod or an object, as a person wrote it.
pub fn check_within(subject: &Subject<'_, '_>, written: &Node, findings: &mut Findings) {
    match &written.value {
        Yaml::Map(entries) => {
            for (key, value) in entries {
                if key.text() == Some("storageClassName") {
                    check(subject, value.text(), value.span, findings);
                }
                check_within(subject, value, findings);
            }
        }
        Yaml::Seq(items) => items.iter().for_each(|item| check_within(subject, item, findings)),
        Yaml::Scalar { .. } => {}
    }
}

/// Gives a claim the tier's class where it asks for none.
pub fn fill(tier: &Tier, claim: &mut Value) {
    if let (Some(class), true) = (&tier.storage_class, claim["spec"]["storageClassName"].is_null()) {
        claim["spec"]["storageClassName"] = class.name.as_str().into();
    }
}

/// Gives the claims that are made for a pod alone the tier's class where they ask for none.
pub fn fill_pod(tier: &Tier, pod: &mut Value) {
    let volumes = pod.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten();
    volumes.filter_map(|volume| volume.get_mut("ephemeral")?.get_mut("volumeClaimTemplate")).for_each(|claim| fill(tier, claim));
}

/// The classes that a workload's volumes ask for by themselves.
pub fn asked_for(instance: &Instance<'_>) -> BTreeSet<String> {
    let claims = instance.cascade.settings.volumes.iter().flatten().filter_map(|volume| volume.claim.as_ref()?.storage_class.as_ref());
    let adopted = instance.adopted.iter().flat_map(|adopted| &adopted.objects);
    let whole = adopted.clone().filter(|object| object["kind"] == "PersistentVolumeClaim");
    let templates = adopted.flat_map(|object| object["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten());
    let volumes = instance.pods().into_iter().flat_map(|pod| pod["volumes"].as_array().into_iter().flatten());
    let ephemeral = volumes.map(|volume| &volume["ephemeral"]["volumeClaimTemplate"]);
    let written = whole.chain(templates).chain(ephemeral).filter_map(|claim| claim["spec"]["storageClassName"].as_str());
    claims.map(|class| class.as_str()).chain(written).map(str::to_owned).collect()
}

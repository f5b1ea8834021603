//! Volumes: of their tier's own StorageClass, whose encryption follows the data (SP 800-190 4.3.2).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::check::Subject;
use super::exemptions::{Exemptions, Place, control};
use super::instance::Instance;
use super::secrets::suspicion;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::LabelKey;
use crate::inventory::Inventory;
use crate::inventory::cluster::Cluster;
use crate::inventory::tier::{StorageClass, Tier};
use crate::source::{Span, Spanned};
use crate::yaml::{Node, Value as Yaml};

/// Where a claim says its class, and the annotation of old that comes before it.
const FIELD: &str = "storageClassName";
const ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

/// Checks the class that a volume asks for against its tier's. Where none is asked for, the tier's is written.
pub fn check(subject: &Subject<'_, '_>, class: &str, written: Span, findings: &mut Findings) {
    let Some(stated) = &subject.tier.storage_class else { return };
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
                let is_class = key.text().is_some_and(|key| key == FIELD || key == ANNOTATION);
                if let Some(class) = value.text().filter(|_| is_class) {
                    check(subject, class, value.span, findings);
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
    if let (Some(class), true) = (&tier.storage_class, claim["spec"][FIELD].is_null()) {
        claim["spec"][FIELD] = class.name.as_str().into();
    }
}

/// Gives the claims that are made for a pod alone the tier's class where they ask for none.
pub fn fill_pod(tier: &Tier, pod: &mut Value) {
    let volumes = pod.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten();
    volumes.filter_map(|volume| volume.get_mut("ephemeral")?.get_mut("volumeClaimTemplate")).for_each(|claim| fill(tier, claim));
}

/// The classes that a workload's volumes ask for by themselves.
pub fn asked_for<'i>(instance: &'i Instance<'_>) -> BTreeSet<String> {
    let claims = instance.cascade.settings.volumes.iter().flatten().filter_map(|volume| volume.claim.as_ref()?.storage_class.as_ref());
    let adopted = instance.adopted.iter().flat_map(|adopted| &adopted.objects);
    let whole = adopted.clone().filter(|object| object["kind"] == "PersistentVolumeClaim");
    let templates = adopted.flat_map(|object| object["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten());
    let volumes = instance.pods().into_iter().flat_map(|pod| pod["volumes"].as_array().into_iter().flatten());
    let ephemeral = volumes.map(|volume| &volume["ephemeral"]["volumeClaimTemplate"]);
    let classes = |claim: &'i Value| [&claim["spec"][FIELD], &claim["metadata"]["annotations"][ANNOTATION]];
    let written = whole.chain(templates).chain(ephemeral).flat_map(classes).filter_map(Value::as_str);
    claims.map(|class| class.as_str()).chain(written).map(str::to_owned).collect()
}

/// By what a driver encrypts a volume: the parameter, and the value that turns it on; any where it is a key's name.
const ENCRYPTS: [(&str, &str, Option<&str>); 5] = [
    ("driver.longhorn.io", "encrypted", Some("true")),
    ("ebs.csi.aws.com", "encrypted", Some("true")),
    ("pd.csi.storage.gke.io", "disk-encryption-kms-key", None),
    ("rbd.csi.ceph.com", "encrypted", Some("true")),
    ("rook-ceph.rbd.csi.ceph.com", "encrypted", Some("true")),
];

/// Checks the classes of the tiers themselves: what the API server refuses, what no git is to hold, and that a driver that is known encrypts.
pub fn check_classes(inventory: &Inventory, exemptions: &Exemptions<'_>, findings: &mut Findings) {
    for tier in &inventory.tiers {
        let Some(class) = &tier.storage_class else { continue };
        if LabelKey::new(class.provisioner.as_str()).is_err() {
            let message = format!("`{}` is no name of a driver", class.provisioner.value);
            findings
                .push(Diag::new(Code::InvalidName, class.provisioner.span, message).help("Write the driver's name: `driver.longhorn.io`."));
        }
        for (name, value) in &class.parameters {
            if name.is_empty() {
                findings
                    .push(Diag::new(Code::InvalidName, name.span, "a parameter has a name").help("Write the name that the driver knows."));
            }
            if let Some(why) = suspicion(Some(name), value) {
                let message = format!("the value of `{}` looks like a secret", name.value);
                let diag = Diag::new(Code::LiteralSecret, value.span, message).label(why);
                findings.push(diag.help("Drivers read Secrets: name one by `csi.storage.k8s.io/*-secret-name` and `-namespace`."));
            }
        }
        check_encryption(class, Place { tier: tier.name.as_str(), ..Place::default() }, exemptions, findings);
    }
    for cluster in &inventory.clusters {
        same_name(inventory, cluster, findings);
    }
}

fn check_encryption(class: &StorageClass, place: Place<'_>, exemptions: &Exemptions<'_>, findings: &mut Findings) {
    let known = ENCRYPTS.iter().find(|(driver, _, _)| class.provisioner.as_str() == *driver);
    let Some((driver, parameter, wanted)) = known else { return };
    let stated = class.parameters.get(parameter);
    let encrypts = stated.is_some_and(|value| wanted.map_or(!value.is_empty(), |wanted| value.as_str() == wanted));
    if encrypts || exemptions.excuse(control::STORAGE_ENCRYPTION, place) {
        return;
    }
    let span = stated.map_or(class.provisioner.span, |value| value.span);
    let message = format!("what lies on volumes of `{}` is not encrypted by `{driver}`", class.name.value);
    let wanted = wanted.map_or("a key".to_owned(), |wanted| format!("\"{wanted}\""));
    let help = format!(
        "Write `{parameter}: {wanted}` under `parameters`; or, where something below encrypts, ask for an exemption from `{}`.",
        control::STORAGE_ENCRYPTION
    );
    findings.push(Diag::new(Code::ControlViolated, span, message).help(help));
}

/// Reports two tiers of a cluster whose classes have one name: a cluster has one class of that name.
fn same_name(inventory: &Inventory, cluster: &Cluster, findings: &mut Findings) {
    let hosted = |tier: &&Spanned<Tier>| cluster.tiers.iter().any(|name| name.as_str() == tier.name.as_str());
    let mut seen = BTreeMap::new();
    for class in inventory.tiers.iter().filter(hosted).filter_map(|tier| tier.storage_class.as_ref()) {
        if let Some(first) = seen.insert(class.name.as_str(), class.name.span).filter(|first| *first != class.name.span) {
            let message = format!("two tiers of `{}` have a storage class `{}`", cluster.name.value, class.name.value);
            let diag = Diag::new(Code::DuplicateEntry, class.name.span, message).related(first, "the first one");
            findings.push(diag.help("Give each tier a class of its own: what lies on it is then known by it."));
        }
    }
}

/// The Secrets that a class's driver is told of: namespace and name.
pub fn secrets(class: &StorageClass) -> BTreeSet<(&str, &str)> {
    let names = class.parameters.iter().filter_map(|(key, value)| {
        let stem = key.strip_prefix("csi.storage.k8s.io/")?.strip_suffix("-secret-name")?;
        Some((class.parameters.get(&format!("csi.storage.k8s.io/{stem}-secret-namespace"))?.as_str(), value.as_str()))
    });
    // Names with a variable in them are those of many Secrets, one for each volume.
    names.filter(|(namespace, name)| !namespace.contains('$') && !name.contains('$')).collect()
}

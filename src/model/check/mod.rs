//! What a workload's settings must obey, one file a topic. Each looks at the settings that hold on one cluster and reports on the line that
//! wrote them; the same finding from several clusters is reported once.

mod access;
mod env;
mod expose;
mod finished;
mod governing;
mod kind;
mod labels;
mod ports;
mod probes;
mod raw;
mod scaling;
mod security;
mod twice;
mod volumes;

pub(super) use env::{data as config_data, is_resource_field, is_variable_field, resource_fields, variable_fields};
pub(super) use finished::finished;
pub(super) use governing::governing;
pub use kind::own_keys;
pub(super) use labels::check_annotation_value;
pub(super) use raw::spec_definition;
pub use security::{key_of_pod, needed_level};
pub(super) use twice::twice;

use super::exemptions::{Exemptions, Place};
use super::settings::Cascade;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;
use crate::inventory::cluster::Cluster;
use crate::inventory::tier::Tier;
use crate::inventory::workload::{Settings, Workload};
use crate::schema::{Minor, Schemas};
use crate::source::{Span, Spanned};

/// Everything that a check may look at.
#[derive(Debug)]
pub struct Subject<'a, 'i> {
    /// The whole inventory.
    pub inventory: &'i Inventory,
    /// The workload.
    pub workload: &'i Spanned<Workload>,
    /// Its settings on the cluster.
    pub cascade: &'a Cascade<'i>,
    /// Its tier.
    pub tier: &'i Spanned<Tier>,
    /// The cluster.
    pub cluster: &'i Spanned<Cluster>,
    /// The cluster's minor.
    pub minor: Minor,
    /// Where exemptions look.
    pub place: Place<'a>,
    /// The exemptions.
    pub exemptions: &'a Exemptions<'i>,
    /// Kubernetes' schemas.
    pub schemas: &'a Schemas,
}

/// Checks everything that can be seen before the pod is built.
pub fn settings(subject: &Subject<'_, '_>, findings: &mut Findings) {
    labels::check(subject, findings);
    env::check(subject, findings);
    ports::check(subject, findings);
    probes::check(subject, findings);
    volumes::check(subject, findings);
    scaling::check(subject, findings);
    security::numbers(subject, findings);
    expose::check(subject, findings);
    access::check(subject, findings);
    raw::check(subject, findings);
}

/// Checks what an adopted workload states beside its source.
pub fn adopted(subject: &Subject<'_, '_>, findings: &mut Findings) {
    labels::check(subject, findings);
    ports::check(subject, findings);
    access::check(subject, findings);
}

/// Checks the final PodSpec.
pub fn pod(subject: &Subject<'_, '_>, pod: &serde_json::Value, findings: &mut Findings) {
    security::check(subject, pod, findings);
}

impl<'i> Subject<'_, 'i> {
    /// Whether a layer has an unknown key in a record that layers make together: it may be what the record lacks.
    fn is_misspelt<T: 'i>(&self, record: impl Fn(&'i Settings) -> &'i Option<Spanned<T>>) -> bool {
        let misspelt = &self.inventory.misspelt;
        self.cascade.layers.iter().filter_map(|layer| record(layer).as_ref()).any(|record| misspelt.has(record.span))
    }

    /// The finding that no layer states a key that has no default.
    fn incomplete(&self, span: Span, record: &str, key: &str) -> Diag {
        let name = &self.workload.identity.name;
        let message = format!("`{record}` of the workload `{}` needs the key `{key}`", name.value);
        let diag = Diag::new(Code::MissingKey, span, message).related(name.span, "the workload");
        diag.help(format!(
            "Write `{key}` in the workload's `{record}`, or in that of a layer beneath or above it: they are merged key by key, and none has it."
        ))
    }
}

/// The finding that a path of a URL has no slash before it.
fn no_path(path: &Spanned<String>) -> Diag {
    let diag = Diag::new(Code::InvalidValue, path.span, format!("`{}` is no path: it begins with `/`", path.value));
    diag.help(format!("Write `/{}`.", path.value))
}

/// The finding that a port is 0, which Kubernetes refuses.
pub(super) fn no_port(span: Span) -> Diag {
    Diag::new(Code::InvalidPort, span, "0 is no port: ports are 1 to 65535").help("Write the number that the process listens on.")
}

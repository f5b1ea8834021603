//! Labels and annotations.

use super::Subject;
use crate::decode::{Entries, Findings};
use crate::diag::{Code, Diag};
use crate::formats::{LabelKey, LabelValue, NOT_CARRIED, check_annotation, is_reserved, is_steering};
use crate::source::Spanned;

pub(super) fn check(subject: &Subject<'_, '_>, findings: &mut Findings) {
    let settings = &subject.cascade.settings;
    let domain = subject.inventory.fleet.as_ref().map_or("", |fleet| fleet.label_domain.as_str());
    let account = settings.service_account.as_ref().map(|account| &account.annotations);
    let expose = settings.expose.as_ref().map(|expose| &expose.annotations);
    for (key, value) in &settings.labels {
        check_key(key, domain, is_reserved, findings);
        if let Err(rule) = LabelValue::new(value) {
            findings.push(LabelValue::broken(value.span, rule));
        }
    }
    for (key, value) in &settings.annotations {
        check_key(key, domain, is_reserved, findings);
        check_annotation_value(value, findings);
    }
    for more in [None, account, expose] {
        check_size(&settings.annotations, more, findings);
    }
    // A cloud identity or an ingress controller has annotations below domains that are reserved elsewhere.
    for (key, value) in account.into_iter().chain(expose).flatten() {
        check_key(key, domain, is_steering, findings);
        check_annotation_value(value, findings);
    }
}

/// Reports annotations of one object that are larger than the API server takes: `k8s.io/apimachinery/pkg/api/validation`, `ValidateAnnotationsSize`.
fn check_size(annotations: &Entries<Spanned<String>>, more: Option<&Entries<Spanned<String>>>, findings: &mut Findings) {
    const MOST: usize = 256 << 10;
    // Ours come beside them.
    const RESERVED: usize = 1 << 10;
    let all = more.map_or_else(|| annotations.clone(), |more| annotations.overlaid(more));
    let length = |(key, value): &(Spanned<String>, Spanned<String>)| key.len() + value.len();
    let size: usize = all.iter().map(length).sum();
    if let Some((key, _)) = all.iter().max_by_key(|entry| length(entry)).filter(|_| size > MOST - RESERVED) {
        let message = format!("the annotations of one object have {size} bytes; they may have {}", MOST - RESERVED);
        let diag = Diag::new(Code::KubernetesRefuses, key.span, message).label("the largest of them");
        findings.push(diag.help("Put what is large into `config`: Kubernetes takes 256 KiB of annotations, and a few are added to these."));
    }
}

/// Reports an annotation that a tree cannot hold.
pub(in crate::model) fn check_annotation_value(value: &Spanned<String>, findings: &mut Findings) {
    if let Err(rule) = check_annotation(value) {
        findings.push(Diag::new(Code::InvalidValue, value.span, rule).help(NOT_CARRIED));
    }
}

fn check_key(key: &Spanned<String>, domain: &str, reserved: fn(&str, &str) -> bool, findings: &mut Findings) {
    if let Err(rule) = LabelKey::new(key) {
        findings.push(LabelKey::broken(key.span, rule));
    } else if reserved(key, domain) {
        let diag = Diag::new(Code::ReservedLabel, key.span, format!("`{}` is not for workloads to set", key.value));
        findings.push(
            diag.help("Use a domain of your own: Kubernetes, network plugins, the delivery and isolation trust labels below this one."),
        );
    }
}

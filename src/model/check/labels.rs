//! Labels and annotations.

use super::Subject;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::{LabelKey, LabelValue, is_reserved, is_steering};
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
    for (key, _) in &settings.annotations {
        check_key(key, domain, is_reserved, findings);
    }
    // A cloud identity or an ingress controller has annotations below domains that are reserved elsewhere.
    for (key, _) in account.into_iter().chain(expose).flatten() {
        check_key(key, domain, is_steering, findings);
    }
}

fn check_key(key: &Spanned<String>, domain: &str, reserved: fn(&str, &str) -> bool, findings: &mut Findings) {
    if let Err(rule) = LabelKey::new(key) {
        findings.push(LabelKey::broken(key.span, rule));
    } else if reserved(key, domain) {
        let diag = Diag::new(Code::ReservedLabel, key.span, format!("`{}` is not for workloads to set", key.value));
        findings.push(diag.help("Use a domain of your own: Kubernetes, the delivery and isolation trust labels below this one."));
    }
}

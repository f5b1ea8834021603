//! The headless Service that governs a StatefulSet, where `spec` names it: names of pods that an application already dials, such as `kafka-0.kafka`.

use super::Subject;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::check_service_name;
use crate::inventory::pod::ExposeType;

/// Checks the stated name; one that is the workload's own makes its one Service headless, which neither has an address nor maps ports.
pub fn governing(subject: &Subject<'_, '_>, findings: &mut Findings) {
    let Some(stated) = subject.cascade.specs.iter().rev().find_map(|layer| layer.get("serviceName")) else { return };
    let Some(name) = stated.text() else { return };
    if let Err(rule) = check_service_name(name) {
        findings.push(Diag::new(Code::InvalidName, stated.span, rule).help("Write the name by which the application dials its pods."));
        return;
    }
    if name != subject.workload.identity.name.as_str() {
        return;
    }
    let settings = &subject.cascade.settings;
    if let Some(expose) = settings.expose.as_ref().filter(|expose| expose.r#type.is_some_and(|kind| kind.value == ExposeType::LoadBalancer))
    {
        let message = format!("the Service `{name}` cannot be headless, which `serviceName` asks for, and a load balancer");
        let diag = Diag::new(Code::SetTwice, stated.span, message).related(expose.span, "the load balancer");
        findings.push(diag.help("Name another one: the workload then has two Services."));
    }
    for port in settings.service_ports() {
        if let Some(mapped) = port.service_port.filter(|mapped| mapped.value != port.port.value) {
            let message = format!("the Service `{name}` is headless, and maps no port: who dials {} reaches nobody", mapped.value);
            let diag = Diag::new(Code::SetTwice, mapped.span, message).related(stated.span, "makes it headless");
            findings.push(diag.help("Remove `servicePort`, and dial the port itself; or name another Service."));
        }
    }
}

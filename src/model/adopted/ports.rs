//! Ports of a source: those that the inventory states for flows, and those by which the pods of one source reach one another.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::Subject;
use super::{Adopted, at, kind_of, name_of, pods};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::pod::Port;
use crate::kustomize::Build;
use crate::model::pod::containers;
use crate::source::Span;
use crate::yaml::{Node, Value as Yaml};

/// Ports that the inventory states for flows must be those of a Service of the workload's name, since that is whom a flow reaches; and what the
/// inventory states of the pods is what network policies open, so the Service must send there.
pub(super) fn check(subject: &Subject<'_, '_>, source: &Build, findings: &mut Findings) {
    let name = &subject.workload.identity.name;
    let is_service = |object: &&Node| kind_of(object) == "Service" && name_of(object) == name.as_str();
    let service = source.objects.iter().find(is_service);
    let ports = service.map_or(&[][..], |service| sequence(at(service, &["spec", "ports"])));
    let stated = || subject.cascade.settings.ports.iter().flatten();
    for port in stated().filter(|port| port.service.is_none_or(|service| service.value)) {
        let number = port.service_port.as_ref().unwrap_or(&port.port).value.to_string();
        let Some(found) = ports.iter().find(|found| found.get("port").and_then(Node::text) == Some(&number)) else {
            let message = format!(
                "the source has no Service `{}` with the port {number}, which flows to `{}` would reach",
                name.value, port.name.value
            );
            let diag = Diag::new(Code::InvalidPort, port.service_port.as_ref().unwrap_or(&port.port).span, message);
            findings.push(diag.help("State ports as the source's Service of the workload's name has them."));
            continue;
        };
        let target = found.get("targetPort").and_then(Node::text).unwrap_or(&number);
        let behind = target.parse().ok().or_else(|| container_port(source, target));
        if behind != Some(port.port.value) {
            let whither = behind.map_or_else(|| format!("`{target}`, which none of its containers names"), |behind| behind.to_string());
            let message = format!("the source's Service sends the port {number} to {whither}, not to {}", port.port.value);
            let diag = Diag::new(Code::InvalidPort, port.port.span, message);
            let place = found.get("targetPort").map_or(found.span, |target| target.span);
            findings
                .push(diag.related(place, "the Service").help("Write `port` as the pod has it, and `servicePort` as the Service does."));
        }
    }
    for (port, scrape) in stated().filter_map(|port| Some((port, port.scrape.as_ref()?))) {
        check_scraped(port, scrape.span, source, findings);
    }
}

/// Prometheus finds a port by its name among those that containers declare: the source must call it as the inventory does, and no other port so.
fn check_scraped(port: &Port, scrape: Span, source: &Build, findings: &mut Findings) {
    let (name, number) = (port.name.as_str(), port.port.value);
    let mut report = |message: String, place: Option<&Node>, help: String| {
        let diag = Diag::new(Code::InvalidPort, scrape, message);
        let diag = place.into_iter().fold(diag, |diag, place| diag.related(place.span, "the container's port"));
        findings.push(diag.help(help));
    };
    let named = |declared: &Node| declared.get("name").and_then(Node::text) == Some(name);
    for other in declared_ports(source).filter(|declared| named(declared) && number_of(declared) != Some(number)) {
        report(
            format!("the source gives another port the name `{name}`, by which Prometheus finds the port {number}"),
            Some(other),
            format!(
                "Give the other one another name in the source, else it is scraped as well; or write its number here, instead of {number}."
            ),
        );
    }
    let numbered: Vec<&Node> = declared_ports(source).filter(|declared| number_of(declared) == Some(number)).collect();
    if numbered.iter().any(|declared| named(declared)) {
        return;
    }
    let help = format!("Write `{{name: {name}, containerPort: {number}}}` under `ports` of the container in the source");
    match numbered.first().map(|declared| (declared, declared.get("name").and_then(Node::text))) {
        None => report(
            format!("no container of the source declares the port {number}, which Prometheus finds by the name `{name}`"),
            None,
            format!("{help}."),
        ),
        Some((declared, None)) => report(
            format!("the source gives the port {number} no name, and Prometheus finds it by the name `{name}`"),
            Some(declared),
            format!("{help}."),
        ),
        Some((declared, Some(other))) => report(
            format!("the source calls the port {number} `{other}`, and Prometheus finds it by the name `{name}`"),
            Some(declared),
            format!("{help}, or call the port `{other}` here."),
        ),
    }
}

/// The number of a container's port by its name.
fn container_port(source: &Build, name: &str) -> Option<u16> {
    declared_ports(source).find(|port| port.get("name").and_then(Node::text) == Some(name)).and_then(number_of)
}

/// The ports that containers of a source's pods declare.
fn declared_ports(source: &Build) -> impl Iterator<Item = &Node> {
    let pods = source.objects.iter().filter_map(|object| at(object, pods::path(kind_of(object))?));
    let containers = pods.flat_map(|pod| ["containers", "initContainers"].map(|list| sequence(pod.get(list)))).flatten();
    containers.flat_map(|container| sequence(container.get("ports")))
}

fn number_of(port: &Node) -> Option<u16> {
    port.get("containerPort").and_then(Node::text)?.parse().ok()
}

fn sequence(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Yaml::Seq(items)) => items,
        _ => &[],
    }
}

impl Adopted {
    /// The ports at which pods of a source that has several controllers answer one another: those behind its Services. None where there is
    /// one controller.
    pub fn ports_within(&self) -> BTreeSet<(u16, &'static str)> {
        let pods: Vec<&Value> = self.objects.iter().filter_map(pods::of).collect();
        let mut within = BTreeSet::new();
        if pods.len() < 2 {
            return within;
        }
        for service in self.objects.iter().filter(|object| object["kind"] == "Service") {
            for port in service["spec"]["ports"].as_array().into_iter().flatten() {
                let protocol = match port["protocol"].as_str() {
                    Some("UDP") => "UDP",
                    Some("SCTP") => "SCTP",
                    _ => "TCP",
                };
                let target = if port["targetPort"].is_null() { &port["port"] } else { &port["targetPort"] };
                let numbers = match target.as_str() {
                    None => vec![target.as_u64()],
                    Some(name) => pods
                        .iter()
                        .flat_map(|pod| container_ports(pod))
                        .filter(|(named, _)| *named == name)
                        .map(|(_, number)| number)
                        .collect(),
                };
                within.extend(numbers.into_iter().flatten().filter_map(|number| Some((u16::try_from(number).ok()?, protocol))));
            }
        }
        within
    }
}

/// Name and number of every port of a pod's containers.
fn container_ports(pod: &Value) -> impl Iterator<Item = (&str, Option<u64>)> {
    let ports = containers(pod).filter_map(|container| container["ports"].as_array()).flatten();
    ports.filter_map(|port| Some((port["name"].as_str()?, port["containerPort"].as_u64())))
}

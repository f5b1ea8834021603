//! Aliases: the names that applications already use, each a Service in the caller's namespace that leads to the target wherever it is now.
//!
//! A name leads to a name where there is one: an ExternalName Service, which costs no address and follows the target. It maps names, not
//! ports. Where only an address is known, the name that it leads to is that of a second Service, which an EndpointSlice leads on. The alias itself
//! has no endpoints: those of a Service that had its name before would stay, and mix with ours.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::listeners::{ListenerService, addressed, check_family};
use super::{Flow, Resolver, full_name, service_port};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::check_service_name;
use crate::inventory::flow::Connect;
use crate::inventory::gateway::PortRef;
use crate::model::names::check_composed;
use crate::model::{Clusters, Instance};
use crate::source::{Span, Spanned};

/// Where an alias leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To a name.
    Name(String),
    /// To an address.
    Address(IpAddr),
}

/// A name in the callers' namespace.
#[derive(Clone, Debug)]
pub struct Alias {
    /// Where it leads.
    pub destination: Destination,
    /// What it stands for: `<team>/<workload>`, or a name outside the fleet.
    pub target: String,
    /// The ports that its callers dial: number and protocol, with the target's name for each.
    pub ports: BTreeMap<(u16, &'static str), String>,
    /// Where a caller asks for it.
    pub origin: Span,
}

/// The Service between an alias and the address that it leads to.
pub fn between(alias: &str, address: &IpAddr) -> String {
    addressed(alias, address)
}

/// What one flow says of an alias.
#[derive(Debug)]
pub(super) struct Claim {
    caller: usize,
    name: Spanned<String>,
    alias: Alias,
}

/// The alias of a flow that leads to no workload: a name outside has one, a range of addresses and pods of the platform have none.
pub(super) fn of_something_else(caller: usize, connect: &Spanned<Connect>, findings: &mut Findings) -> Option<Claim> {
    let alias = connect.alias.as_ref()?;
    let name = alias.name.as_str();
    let nowhere = |why: &str, help: &str| {
        Diag::new(Code::AliasNowhere, alias.name.span, format!("the alias `{name}` can lead nowhere: {why}")).help(help)
    };
    let Some(external) = &connect.external else {
        findings
            .push(nowhere("`platform` names pods, not a Service", "Leave the alias out: the Services of the platform keep their names."));
        return None;
    };
    let Some(dns) = &external.dns else {
        findings.push(nowhere("a range of addresses has no name", "Write `external: {dns: ...}`, or leave the alias out."));
        return None;
    };
    if dns.as_str().starts_with('*') {
        findings.push(nowhere("a wildcard is many names", "Name the one host that the application calls."));
        return None;
    }
    // By name it is a finding already.
    let PortRef::Number(number) = connect.port.value else { return None };
    if let Some(dialled) = alias.port.filter(|dialled| dialled.value != number) {
        let message = format!("the application dials `{name}:{}`, but the flow goes to the port {number}", dialled.value);
        let diag = Diag::new(Code::AliasPort, dialled.span, message).related(connect.port.span, "the port that is allowed");
        findings.push(diag.help("An alias maps names, not ports: make the two equal."));
    }
    let protocol = connect.protocol.map_or("TCP", |protocol| protocol.as_str());
    let alias = Alias {
        destination: Destination::Name(dns.as_str().to_owned()),
        target: dns.as_str().to_owned(),
        ports: BTreeMap::from([((number, protocol), format!("{}-{number}", protocol.to_ascii_lowercase()))]),
        origin: alias.name.span,
    };
    Some(Claim { caller, name: Spanned::new(name.to_owned(), alias.origin), alias })
}

impl<'i> Resolver<'_, 'i> {
    /// What a flow says of its alias; nothing where it has none, or calls the target by the name that it has there.
    pub(super) fn claim(&self, flow: &Flow<'i>, connect: &Spanned<Connect>, findings: &mut Findings) -> Option<Claim> {
        let alias = connect.alias.as_ref()?;
        let name = alias.name.as_str();
        let (caller, target) = (&self.instances[flow.caller], &self.instances[flow.target]);
        let target_name = target.workload.identity.name.as_str();
        let real = service_port(&flow.port);
        let offered = flow.listener.map_or(real, |listener| Some(listener.port.value));
        let dialled = alias.port.map(|port| port.value).or(real).or(offered);
        let place = alias.port.map_or(alias.name.span, |port| port.span);
        match (dialled, offered) {
            (Some(dialled), Some(offered)) if dialled != offered => {
                let who = if flow.listener.is_some() { "the listener" } else { "the target's Service" };
                let message = format!("the application dials `{name}:{dialled}`, but {who} has the port {offered}");
                let other = flow.listener.map_or(flow.port.port.span, |listener| listener.port.span);
                let diag = Diag::new(Code::AliasPort, place, message).related(other, "the port that is there");
                findings.push(diag.help("An alias maps names, not ports: make the two equal."));
            }
            (_, None) => {
                let message = format!("the Service of `{target_name}` lacks the port `{}`", flow.port.name.value);
                let diag = Diag::new(Code::AliasPort, place, message).related(flow.port.name.span, "`service: false`");
                findings.push(diag.help("Let the Service have it, or leave the alias out."));
            }
            _ => {}
        }
        if target.cluster == caller.cluster && target.namespace == caller.namespace && target_name == name {
            return None;
        }
        let protocol = flow.port.protocol.map_or("TCP", |protocol| protocol.as_str());
        let alias = Alias {
            destination: self.destination(flow, &alias.name.as_ref().map(crate::formats::DnsLabel::as_str), findings),
            target: full_name(target),
            ports: BTreeMap::from([((offered?, protocol), flow.port.name.to_string())]),
            origin: alias.name.span,
        };
        Some(Claim { caller: flow.caller, name: Spanned::new(name.to_owned(), alias.origin), alias })
    }

    /// Where the alias of a flow leads: to the target's Service, to the listener's name, or else to its address.
    fn destination(&self, flow: &Flow<'i>, alias: &Spanned<&str>, findings: &mut Findings) -> Destination {
        let (caller, target) = (&self.instances[flow.caller], &self.instances[flow.target]);
        let host = &self.clusters.all[caller.cluster];
        let Some(listener) = flow.listener else {
            return Destination::Name(format!("{}.{}.svc.{}", target.workload.identity.name.value, target.namespace, host.domain()));
        };
        if let Some(name) = &listener.host {
            return Destination::Name(name.as_str().to_owned());
        }
        let argocd = self.deliveries.of(caller.cluster).and_then(|delivery| delivery.argocd.as_ref());
        if argocd.is_some_and(|argocd| !argocd.endpoint_slices) {
            let message = format!("the alias `{}` would need an EndpointSlice, which Argo CD leaves out", alias.value);
            let diag = Diag::new(Code::AliasNowhere, alias.span, message).related(listener.span, "an address alone");
            findings.push(diag.help("Give the listener a `host`, or say `endpointSlices: true` of the Argo CD instance."));
        }
        let services = host.raw.network.services.iter();
        check_family(listener, services, &format!("`{}` has no Services", host.raw.name.value), findings);
        Destination::Address(listener.address.ip())
    }
}

/// What else a name is in a namespace: what to call it, and where it comes from.
type Taken = BTreeMap<(usize, String, String), (&'static str, Span)>;

/// The aliases of every namespace, of what the flows from it say. Callers of one namespace share a name, and so must mean one thing by it.
pub(super) fn settle(
    claims: Vec<Claim>,
    instances: &[Instance<'_>],
    clusters: &Clusters<'_>,
    listeners: &BTreeMap<usize, Vec<ListenerService>>,
    findings: &mut Findings,
) -> BTreeMap<(usize, String), BTreeMap<String, Alias>> {
    let mut said: BTreeMap<(usize, String, String, u16, &str), Span> = BTreeMap::new();
    let taken = if claims.is_empty() { Taken::new() } else { taken(instances, listeners) };
    let mut settled: BTreeMap<(usize, String), BTreeMap<String, Alias>> = BTreeMap::new();
    for Claim { caller, name, alias } in claims {
        for (number, protocol) in alias.ports.keys() {
            if let Some(first) = said.insert((caller, name.value.clone(), alias.target.clone(), *number, protocol), name.span) {
                let message = format!("`{}` is twice an alias for the port {number}", name.value);
                let diag = Diag::new(Code::DuplicateEntry, name.span, message).related(first, "the other one");
                findings.push(diag.help("Remove one of the flows, or give it an alias of its own."));
            }
        }
        let caller = &instances[caller];
        if let Err(rule) = check_service_name(&name) {
            findings.push(Diag::new(Code::InvalidName, name.span, rule).help("Use another alias: it is the name of a Service."));
            continue;
        }
        if let Destination::Name(to) = &alias.destination
            && means_itself(&name, to, caller, clusters)
        {
            let diag = Diag::new(
                Code::AliasNowhere,
                name.span,
                format!("the alias `{}` would lead to itself: `{to}` is its own name", name.value),
            );
            findings.push(diag.help("Give the listener, or what is outside, the name by which the world knows it; or use another alias."));
            continue;
        }
        if let Some((what, place)) = taken.get(&(caller.cluster, caller.namespace.clone(), name.value.clone())) {
            let message = format!("`{}` is already a {what} in the namespace `{}`", name.value, caller.namespace);
            let diag = Diag::new(Code::AliasClash, name.span, message).related(*place, format!("the {what}"));
            findings.push(diag.help("Use another alias, or rename the workload."));
            continue;
        }
        let names = settled.entry((caller.cluster, caller.namespace.clone())).or_default();
        match names.get_mut(&name.value) {
            None => drop(names.insert(name.value, alias)),
            Some(first) if first.destination == alias.destination && first.target == alias.target => first.ports.extend(alias.ports),
            Some(first) => {
                let (one, other) = if first.target == alias.target {
                    (first.destination.to_string(), alias.destination.to_string())
                } else {
                    (first.target.clone(), alias.target)
                };
                let message = format!("`{}` means both `{one}` and `{other}` in `{}`", name.value, caller.namespace);
                let diag = Diag::new(Code::AliasClash, name.span, message).related(first.origin, "the other one");
                findings.push(diag.help("Use another alias for one of them."));
            }
        }
    }
    for ((cluster, namespace), names) in &settled {
        for (name, alias) in names {
            let Destination::Address(address) = alias.destination else { continue };
            let between = between(name, &address);
            check_composed("Service", &between, 63, alias.origin, findings);
            let service = taken.get(&(*cluster, namespace.clone(), between.clone())).copied();
            if let Some((what, place)) = service.or_else(|| names.get(&between).map(|other| ("caller's alias", other.origin))) {
                let message = format!("`{name}` needs the Service `{between}`, which is already a {what} in the namespace `{namespace}`");
                let diag = Diag::new(Code::AliasClash, alias.origin, message).related(place, format!("the {what}"));
                findings.push(diag.help("Use another alias, or give the listener a `host`."));
            }
        }
    }
    settled
}

/// Whether a pod of the caller's namespace that looks a name up gets the alias of that name: by itself, or with the suffixes that are searched.
fn means_itself(alias: &str, name: &str, caller: &Instance<'_>, clusters: &Clusters<'_>) -> bool {
    let within = format!(".{}.svc.{}", caller.namespace, clusters.all[caller.cluster].domain());
    let suffixes = within.match_indices('.').map(|(at, _)| &within[..at]).chain([within.as_str()]);
    suffixes.into_iter().any(|suffix| name.eq_ignore_ascii_case(&format!("{alias}{suffix}")))
}

/// Every name of a Service that is no alias, and of workloads that have none: nobody should take an alias for one of them.
fn taken(instances: &[Instance<'_>], listeners: &BTreeMap<usize, Vec<ListenerService>>) -> Taken {
    let mut taken = Taken::new();
    for (at, instance) in instances.iter().enumerate() {
        let identity = &instance.workload.identity;
        let mut take = |name: String, what| {
            taken.entry((instance.cluster, instance.namespace.clone(), name)).or_insert((what, identity.name.span));
        };
        take(identity.name.to_string(), "workload");
        if let Some(service) = &instance.governing_service {
            take(service.clone(), "StatefulSet's headless Service");
        }
        for listener in listeners.get(&at).into_iter().flatten() {
            take(listener.name.clone(), "gateway's Service");
        }
    }
    taken
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

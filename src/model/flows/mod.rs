//! Flows between workloads: whether each may be, through which gateway and listener, to which Service, and under what name
//! (SP 800-190 4.3.3).

mod aliases;
mod gateways;
mod listeners;

use std::collections::{BTreeMap, BTreeSet};

pub use aliases::{Alias, Destination, between};
pub use listeners::{ListenerService, family};

use super::clusters::Clusters;
use super::delivery::Deliveries;
use super::index::Index;
use super::instance::Instance;
use super::tiers::Tiers;
use crate::decode::Findings;
use crate::diag::{Code, Diag, did_you_mean};
use crate::inventory::Inventory;
use crate::inventory::flow::Connect;
use crate::inventory::gateway::{Gateway, Listener, PortRef};
use crate::inventory::pod::Port;
use crate::source::{Span, Spanned};
use aliases::Claim;

/// A flow from a workload on one cluster to another workload, there or on the cluster that serves it. Workloads are positions among the
/// model's instances.
#[derive(Debug)]
pub struct Flow<'i> {
    /// Who begins it.
    pub caller: usize,
    /// Who answers.
    pub target: usize,
    /// The target's port.
    pub port: Spanned<Port>,
    /// The gateway that allows it; none within one tier of one cluster.
    pub gateway: Option<&'i Spanned<Gateway>>,
    /// Where the target listens for it; none within one cluster.
    pub listener: Option<&'i Spanned<Listener>>,
}

/// Every flow between workloads, and what is made so that it finds its way.
#[derive(Debug)]
pub struct Flows<'i> {
    /// The flows, by caller.
    pub all: Vec<Flow<'i>>,
    /// The names that callers use, by their cluster and namespace, then by name.
    pub aliases: BTreeMap<(usize, String), BTreeMap<String, Alias>>,
    /// The Services at which a workload listens for callers of other clusters, by its position.
    pub listeners: BTreeMap<usize, Vec<ListenerService>>,
}

/// What flows are resolved against, and what was found so far.
struct Resolver<'a, 'i> {
    inventory: &'i Inventory,
    tiers: &'a Tiers<'i>,
    clusters: &'a Clusters<'i>,
    deliveries: &'a Deliveries,
    workloads: &'a Index<'i>,
    instances: &'a [Instance<'i>],
    /// Positions of the instances of each workload, by its position in the inventory.
    by_workload: BTreeMap<usize, Vec<usize>>,
    flows: Vec<Flow<'i>>,
    claims: Vec<Claim>,
    /// Gateways that a flow uses, and the clusters whose flows do.
    used_gateways: BTreeSet<(usize, usize)>,
    used_listeners: BTreeSet<(usize, &'i str)>,
    /// Gateways of which it is not clear what serves a caller: what nothing reaches there is not known either.
    unclear_gateways: BTreeSet<usize>,
}

/// Resolves every flow of every instance, with every finding about flows, gateways and aliases.
pub fn resolve<'i>(
    inventory: &'i Inventory,
    tiers: &Tiers<'i>,
    clusters: &Clusters<'i>,
    deliveries: &Deliveries,
    workloads: &Index<'i>,
    instances: &[Instance<'i>],
    findings: &mut Findings,
) -> Flows<'i> {
    let mut by_workload: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, instance) in instances.iter().enumerate() {
        if let Some(workload) = workloads.get(&full_name(instance)) {
            by_workload.entry(workload).or_default().push(at);
        }
    }
    let mut resolver = Resolver {
        inventory,
        tiers,
        clusters,
        deliveries,
        workloads,
        instances,
        by_workload,
        flows: Vec::new(),
        claims: Vec::new(),
        used_gateways: BTreeSet::new(),
        used_listeners: BTreeSet::new(),
        unclear_gateways: BTreeSet::new(),
    };
    for gateway in &inventory.gateways {
        resolver.check_gateway(gateway, findings);
    }
    for (caller, instance) in instances.iter().enumerate() {
        for connect in instance.cascade.settings.connects.iter().flatten() {
            resolver.connect(caller, connect, findings);
        }
    }
    resolver.report_unused(findings);
    let Resolver { flows, claims, .. } = resolver;
    let listeners = listeners::services(&flows, instances, clusters, findings);
    let aliases = aliases::settle(claims, instances, clusters, &listeners, findings);
    Flows { all: flows, aliases, listeners }
}

/// A workload's name as references have it: `<team>/<workload>`.
pub fn full_name(instance: &Instance<'_>) -> String {
    instance.workload.identity.full_name()
}

/// The Service's number of a port; `None` where the Service does not have it.
fn service_port(port: &Port) -> Option<u16> {
    port.service.is_none_or(|service| service.value).then(|| port.service_port.as_ref().unwrap_or(&port.port).value)
}

/// The declared port that a reference means: by name, or by its number at the Service.
fn find_port<'p>(ports: &'p [Spanned<Port>], wanted: &PortRef) -> Option<&'p Spanned<Port>> {
    ports.iter().find(|port| match wanted {
        PortRef::Name(name) => port.name.as_str() == name,
        PortRef::Number(number) => service_port(port) == Some(*number),
    })
}

/// Ports by name, each with its number at the Service where it is there.
fn described(ports: &[Spanned<Port>]) -> String {
    let described = ports.iter().map(|port| match service_port(port) {
        Some(number) => format!("{} ({number})", port.name.value),
        None => format!("{} (not in the Service)", port.name.value),
    });
    described.collect::<Vec<_>>().join(", ")
}

impl<'i> Resolver<'_, 'i> {
    fn connect(&mut self, caller: usize, connect: &Spanned<Connect>, findings: &mut Findings) {
        let ways = [connect.to.is_some(), connect.external.is_some(), connect.platform.is_some()];
        let stated = ways.iter().filter(|stated| **stated).count();
        let misspelt = &self.inventory.misspelt;
        if stated == 0 && misspelt.has(connect.span) {
            return;
        }
        if stated != 1 {
            let diag = Diag::new(Code::InvalidValue, connect.span, "a flow goes to exactly one of `to`, `external` and `platform`");
            findings.push(diag.help("Write one of them; for several targets, an entry of `connects` each."));
            return;
        }
        if let Some(external) = &connect.external {
            let neither = external.cidr.is_none() && external.dns.is_none();
            if external.cidr.is_some() == external.dns.is_some() && !(neither && misspelt.has(external.span)) {
                let diag = Diag::new(Code::InvalidValue, external.span, "`external` takes exactly one of `cidr` and `dns`");
                findings.push(diag.help("An example: `external: {cidr: 203.0.113.0/24}`; names need Cilium."));
            }
            if connect.reason.is_none() && !misspelt.has(connect.span) && !misspelt.has(external.span) {
                let diag = Diag::new(Code::MissingKey, external.span, "a flow out of the fleet needs a `reason`");
                findings.push(diag.help("Say what it is for: a reviewer decides by it."));
            }
            if let PortRef::Name(name) = &connect.port.value {
                let diag =
                    Diag::new(Code::InvalidPort, connect.port.span, format!("`{name}` names no port of something outside the fleet"));
                findings.push(diag.help("Write its number."));
            }
        }
        if let (Some(platform), PortRef::Name(name)) = (&connect.platform, &connect.port.value) {
            let diag = Diag::new(Code::InvalidPort, connect.port.span, format!("`{name}` names no port of `{}`", platform.namespace.value));
            findings.push(diag.help("Write the number that the pods have: not every network plugin knows ports by name."));
        }
        if let (Some(to), Some(protocol)) = (&connect.to, &connect.protocol) {
            let message = format!("a flow to `{}` has no `protocol`: its port says it", to.value);
            let diag = Diag::new(Code::KeyNotForKind, protocol.span, message).related(to.span, "a workload");
            findings.push(diag.help("Remove it; the target states its protocol under `ports`."));
        }
        match &connect.to {
            Some(to) => self.flow(caller, connect, to, findings),
            None => self.claims.extend(aliases::of_something_else(caller, connect, findings)),
        }
    }

    /// The workload that a reference means: `<team>/<workload>`, or a workload of the caller's own team.
    fn target(&self, caller: &Instance<'i>, to: &Spanned<String>, findings: &mut Findings) -> Option<usize> {
        if to.contains('/') {
            return self.workloads.resolve(to, to.span, findings);
        }
        self.workloads.resolve(&format!("{}/{}", caller.team.name.value, to.value), to.span, findings)
    }

    fn flow(&mut self, caller: usize, connect: &Spanned<Connect>, to: &Spanned<String>, findings: &mut Findings) {
        let from = &self.instances[caller];
        let Some(workload) = self.target(from, to, findings) else { return };
        let Some(targets) = self.by_workload.get(&workload) else { return };
        let Some(first) = targets.first().copied() else { return };
        let here = targets.iter().copied().find(|at| self.instances[*at].cluster == from.cluster);
        let nearest = here.unwrap_or(first);
        let Some(port) = known_port(&self.instances[nearest], &connect.port, findings) else { return };
        let mut flow = Flow { caller, target: nearest, port: port.clone(), gateway: None, listener: None };
        if here.is_none_or(|here| self.instances[here].tier != from.tier) {
            let Some((at, gateway)) = self.gateway(from, workload, port) else {
                let caller = full_name(from);
                let target = full_name(&self.instances[first]);
                let broken = &self.inventory.broken.gateways;
                let is_broken = broken.iter().any(|(callers, to)| {
                    to.as_ref().is_none_or(|to| *to == target) && callers.as_ref().is_none_or(|callers| callers.contains(&caller))
                });
                if !is_broken && !self.may_be_meant(from, workload) {
                    findings.push(self.without_gateway(from, targets, port, connect.span, to));
                }
                return;
            };
            self.used_gateways.insert((at, from.cluster));
            flow.gateway = Some(gateway);
            if here.is_none() {
                let Some((cluster, listener)) = self.listener(from, at, gateway, connect.span, findings) else { return };
                let Some(there) = self.by_workload[&workload].iter().copied().find(|at| self.instances[*at].cluster == cluster) else {
                    return;
                };
                // An override may have changed the ports on that cluster.
                let Some(port) = known_port(&self.instances[there], &connect.port, findings) else { return };
                flow = Flow { target: there, port: port.clone(), listener: Some(listener), ..flow };
            }
        }
        self.claims.extend(self.claim(&flow, connect, findings));
        self.flows.push(flow);
    }

    fn without_gateway(&self, caller: &Instance<'i>, targets: &[usize], port: &Port, span: Span, to: &Spanned<String>) -> Diag {
        let target = &self.instances[targets[0]];
        let here = targets.iter().any(|at| self.instances[*at].cluster == caller.cluster);
        let (from_tier, to_tier) = (self.tiers.name(caller.tier), self.tiers.name(target.tier));
        let from = full_name(caller);
        let how = if here || caller.tier != target.tier {
            format!("from the tier `{from_tier}` to `{to_tier}`")
        } else {
            format!("out of the cluster `{}`, where `{}` does not run", self.clusters.name(caller.cluster), to.value)
        };
        let diag = Diag::new(
            Code::FlowWithoutGateway,
            span,
            format!("the flow from `{from}` to `{}` goes {how}, and no gateway allows it", to.value),
        );
        let diag = diag.related(target.workload.identity.name.span, "the target").rests_on(&["gateways"]);
        let (target, port) = (full_name(target), &port.name.value);
        let listen = (!here).then(|| self.where_to_listen(caller, targets));
        let diag = diag.help(format!(
            "Declare one under `gateways`: `{{name: NAME, from: {from}, to: {target}, port: {port}, owner: WHO, reason: WHY, expires: YYYY-MM-DD}}`."
        ));
        diag.maybe_help(listen)
    }
}

fn known_port<'a>(target: &'a Instance<'_>, wanted: &Spanned<PortRef>, findings: &mut Findings) -> Option<&'a Spanned<Port>> {
    let ports = target.cascade.settings.ports.as_deref().unwrap_or_default();
    let found = find_port(ports, wanted);
    if found.is_none() {
        let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
        let name = &target.workload.identity.name;
        let diag = Diag::new(Code::FlowUnknownPort, wanted.span, format!("`{}` has no port `{}`", name.value, wanted.value));
        let all = if names.is_empty() { "It declares no ports.".to_owned() } else { format!("Its ports are: {}.", described(ports)) };
        let hint = match &wanted.value {
            PortRef::Name(wanted) => did_you_mean(wanted, names.iter().copied()),
            PortRef::Number(_) => None,
        };
        findings.push(diag.related(name.span, "the target").help(hint.unwrap_or(all)));
    }
    found
}

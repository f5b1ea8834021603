//! Gateways: which one allows a flow, which of its listeners serves a caller, and whether each is what it has to be.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Resolver, find_port, full_name, known_port};
use crate::decode::Findings;
use crate::diag::{Code, Diag, did_you_mean};
use crate::formats::{Address, LabelKey, is_address, is_domain_within, is_steering};
use crate::inventory::PLACEMENT;
use crate::inventory::gateway::{Gateway, Listener};
use crate::inventory::pod::Port;
use crate::model::Instance;
use crate::model::check::check_annotation_value;
use crate::source::{Span, Spanned};

/// Annotations that would let in more than the callers.
const WIDENING: [&str; 3] = [
    "service.beta.kubernetes.io/load-balancer-source-ranges",
    "service.beta.kubernetes.io/azure-allowed-ip-ranges",
    "service.beta.kubernetes.io/azure-allowed-service-tags",
];

impl<'i> Resolver<'_, 'i> {
    /// The gateway that allows a caller a port of a workload, and its position.
    pub(super) fn gateway(&self, caller: &Instance<'i>, target: usize, port: &Spanned<Port>) -> Option<(usize, &'i Spanned<Gateway>)> {
        let name = full_name(caller);
        self.inventory.gateways.iter().enumerate().find(|(_, gateway)| {
            self.workloads.get(&gateway.to) == Some(target)
                && gateway.from.0.iter().any(|from| from.value == name)
                && find_port(std::slice::from_ref(port), &gateway.port).is_some()
        })
    }

    /// The listener that serves the caller's cluster, and its cluster: as `via` says, else the one in its environment, then in its region.
    pub(super) fn listener(
        &mut self,
        caller: &Instance<'i>,
        at: usize,
        gateway: &'i Spanned<Gateway>,
        flow: Span,
        findings: &mut Findings,
    ) -> Option<(usize, &'i Spanned<Listener>)> {
        let host = self.clusters.all[caller.cluster].raw;
        let cluster_of = |name: &str| self.clusters.index.get(name).map(|at| self.clusters.all[at].raw);
        if let Some(via) = gateway.via.get(host.name.as_str()) {
            let found = gateway.listen.iter().find(|(name, _)| name.value == via.value);
            self.used_listeners.extend(found.map(|(name, _)| (at, name.as_str())));
            let wrong = found.is_none() || self.leaves_environment(gateway, host.name.as_str(), via).is_some();
            self.unclear_gateways.extend(wrong.then_some(at));
            return found.and_then(|(name, listener)| Some((self.clusters.index.get(name)?, listener)));
        }
        let same_environment: Vec<_> = gateway
            .listen
            .iter()
            .filter(|(name, _)| cluster_of(name).is_some_and(|target| target.environment.value == host.environment.value))
            .collect();
        let region = host.region.as_ref().map(|region| region.as_str());
        let same_region: Vec<_> = same_environment
            .iter()
            .filter(|(name, _)| {
                cluster_of(name).is_some_and(|target| region.is_some() && target.region.as_ref().map(|region| region.as_str()) == region)
            })
            .copied()
            .collect();
        let chosen = match (&same_environment[..], &same_region[..]) {
            ([only], _) | (_, [only]) => Some(*only),
            _ => None,
        };
        if let Some((name, listener)) = chosen {
            self.used_listeners.insert((at, name.as_str()));
            return self.clusters.index.get(name).map(|cluster| (cluster, listener));
        }
        self.unclear_gateways.insert(at);
        if self.inventory.misspelt.has(gateway.span) {
            return None;
        }
        let environment = host.environment.as_str();
        let (why, help) = if same_environment.is_empty() {
            (
                format!("has no listener in the environment `{environment}` of `{}`", host.name.value),
                format!("Add one under `listen`, or write `via: {{{}: CLUSTER}}` where it may leave its environment.", host.name.value),
            )
        } else {
            let names: Vec<&str> = same_environment.iter().map(|(name, _)| name.as_str()).collect();
            (
                format!("leaves open which listener serves `{}`", host.name.value),
                format!("Write `via: {{{}: ...}}` with one of: {}.", host.name.value, names.join(", ")),
            )
        };
        let diag = Diag::new(Code::GatewayWithoutListener, gateway.name.span, format!("the gateway `{}` {why}", gateway.name.value));
        findings.push(diag.related(flow, "for this flow").help(help).rests_on(&["clusters"]));
        None
    }

    /// What a gateway needs beside its callers, target and port where the target does not run on the caller's cluster: a listener where it does, which
    /// [`Self::listener`] finds.
    pub(super) fn where_to_listen(&self, caller: &Instance<'i>, targets: &[usize]) -> String {
        let host = self.clusters.all[caller.cluster].raw;
        let all: Vec<_> = targets.iter().map(|at| self.clusters.all[self.instances[*at].cluster].raw).collect();
        let near: Vec<&str> =
            all.iter().filter(|there| there.environment.value == host.environment.value).map(|there| there.name.as_str()).collect();
        let leaves = near.is_empty();
        let names = if leaves { all.iter().map(|there| there.name.as_str()).collect() } else { near };
        let one = if let [only] = names[..] { only } else { "CLUSTER" };
        let here = &host.name.value;
        let via = if leaves { format!(", and `via: {{{here}: {one}}}`, since the flow leaves its environment") } else { String::new() };
        let which = if names.len() > 1 { format!(" `CLUSTER` is one of: {}.", names.join(", ")) } else { String::new() };
        format!(
            "The target does not run on `{here}`: add where it listens, `listen: {{{one}: {{address: ADDRESS, port: PORT}}}}`{via}.{which}"
        )
    }

    /// Whether a gateway's `from`, `to` or `port` means nothing: what is wrong there is reported, and what follows from it is not.
    fn is_doubtful(&self, gateway: &Gateway) -> bool {
        let runs = |name: &str| self.workloads.get(name).and_then(|workload| self.by_workload.get(&workload)?.first());
        let target = runs(&gateway.to).map(|at| self.instances[*at].cascade.settings.ports.as_deref().unwrap_or_default());
        let has_port = target.is_some_and(|ports| find_port(ports, &gateway.port).is_some());
        !has_port || gateway.from.0.iter().any(|from| runs(from).is_none())
    }

    /// Whether a gateway of which something means nothing would be the one of a flow, by what is left of it.
    pub(super) fn may_be_meant(&self, caller: &Instance<'i>, target: usize) -> bool {
        let name = full_name(caller);
        self.inventory.gateways.iter().filter(|gateway| self.is_doubtful(gateway)).any(|gateway| {
            let to = self.workloads.get(&gateway.to);
            let unclear = |from: &Spanned<String>| self.workloads.get(from).is_none();
            to.is_none_or(|to| to == target) && gateway.from.0.iter().any(|from| from.value == name || unclear(from))
        })
    }

    pub(super) fn check_gateway(&self, gateway: &'i Spanned<Gateway>, findings: &mut Findings) {
        for from in &gateway.from.0 {
            self.workloads.resolve(from, from.span, findings);
        }
        if let Some(target) = self.workloads.resolve(&gateway.to, gateway.to.span, findings)
            && let Some(instances) = self.by_workload.get(&target)
            && let Some(first) = instances.first()
        {
            known_port(&self.instances[*first], &gateway.port, findings);
            let hosts: BTreeSet<&str> = instances.iter().map(|at| self.clusters.name(self.instances[*at].cluster)).collect();
            for (cluster, _) in &gateway.listen {
                if self.clusters.index.resolve(cluster, cluster.span, findings).is_some() && !hosts.contains(cluster.as_str()) {
                    let message = format!("`{}` does not run on `{}`", gateway.to.value, cluster.value);
                    let names: Vec<&str> = hosts.iter().copied().collect();
                    findings.push(
                        Diag::new(Code::GatewayListenUnused, cluster.span, message).help(format!("It runs on: {}.", names.join(", "))),
                    );
                }
            }
        }
        for (caller, target) in &gateway.via {
            self.clusters.index.resolve(caller, caller.span, findings);
            findings.extend(self.leaves_environment(gateway, caller, target));
            if !gateway.listen.iter().any(|(name, _)| name.value == target.value) {
                let known: Vec<&str> = gateway.listen.iter().map(|(name, _)| name.as_str()).collect();
                let diag =
                    Diag::new(Code::GatewayWithoutListener, target.span, format!("the gateway has no listener in `{}`", target.value));
                let all = format!("Its listeners are in: {}.", if known.is_empty() { "none".to_owned() } else { known.join(", ") });
                findings.push(diag.help(did_you_mean(target, known.iter().copied()).unwrap_or(all)));
            }
        }
        for (_, listener) in &gateway.listen {
            self.check_listener(listener, findings);
            for host in &self.clusters.all {
                let network = &host.raw.network;
                let ranges = network.pods.iter().chain(network.services.iter()).chain(network.nodes.iter());
                for range in ranges.filter(|range| range.holds(&listener.address)) {
                    let message =
                        format!("the listener `{}` is inside a range of the cluster `{}`", listener.address.value, host.raw.name.value);
                    let diag = Diag::new(Code::GatewayListenerInside, listener.address.span, message).related(range.span, "the range");
                    findings.push(diag.help("A listener is an address of the network between clusters: that of a load balancer."));
                }
            }
        }
    }

    /// The finding that `via` sends a caller out of its environment although a listener is in it: staging and production meet where nothing
    /// else is there alone, and `via` chooses among what is left open.
    fn leaves_environment(&self, gateway: &Gateway, caller: &str, target: &Spanned<String>) -> Option<Diag> {
        let environment = |name: &str| self.clusters.index.get(name).map(|at| self.clusters.all[at].raw.environment.as_str());
        let own = environment(caller)?;
        let of_target = environment(target).filter(|of_target| *of_target != own)?;
        let near: Vec<&Spanned<String>> =
            gateway.listen.iter().map(|(name, _)| name).filter(|name| environment(name) == Some(own)).collect();
        let names: Vec<&str> = near.iter().map(|name| name.as_str()).collect();
        let first = near.first()?;
        let message = format!("`via` sends `{caller}` from the environment `{own}` to `{of_target}`, though a listener is in its own");
        let diag = Diag::new(Code::GatewayLeavesEnvironment, target.span, message).related(first.span, "in its own environment");
        let help = match &names[..] {
            [only] => format!("Remove the entry: `{only}` serves it."),
            _ => format!("Name one of: {}.", names.join(", ")),
        };
        Some(diag.help(help))
    }

    /// What can be said of a listener alone.
    fn check_listener(&self, listener: &Listener, findings: &mut Findings) {
        let domain = self.inventory.fleet.as_ref().map_or("", |fleet| fleet.label_domain.as_str());
        if listener.port.value == 0 {
            findings.push(crate::model::check::no_port(listener.port.span));
        }
        if let Some(why) = never_a_listener(&listener.address) {
            let diag = Diag::new(Code::InvalidAddress, listener.address.span, format!("`{}` {why}", listener.address.value));
            findings.push(diag.help("A listener is an address of the network between clusters: that of a load balancer."));
        }
        if let Some(host) = &listener.host
            && let Some(why) = never_a_host(host.as_str())
        {
            let diag = Diag::new(Code::InvalidName, host.span, format!("`{}` is {why}", host.value));
            findings.push(diag.help("Write one DNS name, or leave `host` out: `address` is enough."));
        }
        let within = |host: &str| self.clusters.all.iter().find(|cluster| is_domain_within(host, cluster.domain()));
        if let Some(host) = &listener.host
            && let Some(cluster) = within(host.as_str())
        {
            let message = format!("`{}` is a name within the cluster `{}`, which no other resolves", host.value, cluster.raw.name.value);
            let stated =
                cluster.raw.network.dns.as_ref().and_then(|dns| dns.domain.as_ref()).map_or(cluster.raw.name.span, |domain| domain.span);
            let diag = Diag::new(Code::InvalidName, host.span, message).related(stated, format!("its domain is `{}`", cluster.domain()));
            findings.push(diag.help("Write a name of the network between clusters, or leave `host` out: `address` is enough."));
        }
        for (key, value) in &listener.annotations {
            check_annotation_value(value, findings);
            if let Err(rule) = LabelKey::new(key) {
                findings.push(LabelKey::broken(key.span, rule));
            } else if is_steering(key, domain) {
                let diag = Diag::new(Code::ReservedLabel, key.span, format!("`{}` is not for listeners to set", key.value));
                findings.push(diag.help("Use another domain: the delivery and isolation trust what stands below this one."));
            } else if WIDENING.contains(&key.as_str()) {
                let diag = Diag::new(
                    Code::IsolationOwned,
                    key.span,
                    format!("`{}` says who is let in, which follows from the callers", key.value),
                );
                findings.push(diag.help("Remove it: the callers' `network.egress` is what may reach the listener."));
            }
        }
    }

    /// Reports gateways, listeners and entries of `via` that no flow needs.
    pub(super) fn report_unused(&self, findings: &mut Findings) {
        // Where it is open what is where, it is open which flows there are.
        let unclear = |diag: &Diag| {
            matches!(
                diag.code,
                Code::DuplicateDefinition
                    | Code::TierBelowData
                    | Code::TierIncomparable
                    | Code::TierUnclear
                    | Code::UnknownReference
                    | Code::FlowUnknownPort
            )
        };
        let misspelt = &self.inventory.misspelt;
        let flows = || self.instances.iter().flat_map(|instance| instance.cascade.settings.connects.iter().flatten());
        let all_read = self.inventory.lost.is_empty()
            && !findings.iter().any(unclear)
            && !flows().any(|connect| misspelt.has(connect.span))
            && !self.inventory.workloads.iter().any(|workload| misspelt.may_mean(workload.span, "connects"));
        for (at, gateway) in self.inventory.gateways.iter().enumerate().filter(|_| all_read) {
            if !self.used_gateways.iter().any(|(used, _)| *used == at) {
                let diag = Diag::new(Code::GatewayUnused, gateway.name.span, format!("no flow uses the gateway `{}`", gateway.name.value));
                findings.push(diag.rests_on(PLACEMENT).help("Declare the flow under `connects` of its callers, or remove the gateway."));
                continue;
            }
            for (caller, _) in &gateway.via {
                if self.clusters.index.get(caller).is_some_and(|cluster| !self.used_gateways.contains(&(at, cluster))) {
                    let message = format!("no flow from `{}` uses the gateway `{}`", caller.value, gateway.name.value);
                    findings.push(Diag::new(Code::GatewayListenUnused, caller.span, message).help("Remove it.").rests_on(PLACEMENT));
                }
            }
            if self.unclear_gateways.contains(&at) {
                continue;
            }
            for (cluster, _) in gateway.listen.iter().filter(|(cluster, _)| !self.used_listeners.contains(&(at, cluster.as_str()))) {
                let never = !self.used_listeners.iter().any(|(gateway, _)| *gateway == at);
                let message = if never {
                    format!("the gateway `{}` never leaves a cluster, and `listen` is for those that do", gateway.name.value)
                } else {
                    format!("no caller reaches the listener in `{}`", cluster.value)
                };
                findings.push(Diag::new(Code::GatewayListenUnused, cluster.span, message).help("Remove it.").rests_on(PLACEMENT));
            }
        }
    }
}

/// Why a name can be no listener's.
fn never_a_host(host: &str) -> Option<&'static str> {
    if host.starts_with('*') {
        return Some("many names");
    }
    if is_address(host) {
        return Some("an address, not a name");
    }
    // A resolver in a pod tries the cluster's own domains first.
    (!host.contains('.')).then_some("a name of one part, which a cluster takes for one of its own Services")
}

/// Why an address can be no load balancer's: the API server refuses such endpoints, too.
fn never_a_listener(address: &Address) -> Option<&'static str> {
    let ip: IpAddr = address.as_str().parse().ok()?;
    if ip != address.ip() {
        return Some("is an IPv4 address in IPv6's notation");
    }
    if ip.is_unspecified() || ip == IpAddr::V4(std::net::Ipv4Addr::BROADCAST) {
        return Some("is the address of no machine");
    }
    if ip.is_loopback() {
        return Some("is every machine's own address");
    }
    if ip.is_multicast() {
        return Some("is an address of many machines");
    }
    match ip {
        IpAddr::V4(ip) if ip.is_link_local() => Some("is known on one link alone"),
        IpAddr::V6(ip) if ip.is_unicast_link_local() => Some("is known on one link alone"),
        _ => None,
    }
}

//! Flows, gateways and aliases: whether each flow may be, which listener serves it, and what name the caller may use (SP 800-190 4.3.3).
//!
//! No object is made of them yet; their rules hold already, so that an inventory which passes today passes then.

use std::collections::{BTreeMap, BTreeSet};

use super::clusters::Clusters;
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

/// What flows are checked against.
struct Flows<'a, 'i> {
    inventory: &'i Inventory,
    tiers: &'a Tiers<'i>,
    clusters: &'a Clusters<'i>,
    workloads: &'a Index<'i>,
    /// Instances of each workload, by its position in the inventory.
    instances: BTreeMap<usize, Vec<&'a Instance<'i>>>,
    /// Aliases taken so far: cluster, namespace, name -> target and place.
    aliases: BTreeMap<(usize, String, String), (&'i str, Span)>,
    used_gateways: BTreeSet<usize>,
    used_listeners: BTreeSet<(usize, &'i str)>,
    /// Gateways of which it is not clear what serves a caller: what nothing reaches there is not known either.
    unclear_gateways: BTreeSet<usize>,
    /// Whether Argo CD delivers, which leaves EndpointSlices out unless told otherwise.
    needs_host: bool,
}

/// Checks every flow of every instance, and every gateway.
pub fn check<'i>(
    inventory: &'i Inventory,
    tiers: &Tiers<'i>,
    clusters: &Clusters<'i>,
    workloads: &Index<'i>,
    instances: &[Instance<'i>],
    findings: &mut Findings,
) {
    let mut by_workload: BTreeMap<usize, Vec<&Instance<'i>>> = BTreeMap::new();
    for instance in instances {
        if let Some(at) = workloads.get(&full_name(instance)) {
            by_workload.entry(at).or_default().push(instance);
        }
    }
    let argocd = inventory.fleet.as_ref().and_then(|fleet| fleet.delivery.as_ref()).and_then(|delivery| delivery.argocd.as_ref());
    let needs_host = argocd.is_some_and(|argocd| !argocd.endpoint_slices.is_some_and(|managed| managed.value));
    let mut flows = Flows {
        inventory,
        tiers,
        clusters,
        workloads,
        instances: by_workload,
        aliases: BTreeMap::new(),
        used_gateways: BTreeSet::new(),
        used_listeners: BTreeSet::new(),
        unclear_gateways: BTreeSet::new(),
        needs_host,
    };
    for gateway in &inventory.gateways {
        flows.check_gateway(gateway, findings);
    }
    for instance in instances {
        for connect in instance.cascade.settings.connects.iter().flatten() {
            flows.check_connect(instance, connect, findings);
        }
    }
    flows.report_unused(findings);
}

fn full_name(instance: &Instance<'_>) -> String {
    format!("{}/{}", instance.team.name.value, instance.workload.identity.name.value)
}

/// The Service's number of a port; `None` where the Service does not have it.
fn service_port(port: &Port) -> Option<u16> {
    port.service.is_none_or(|service| service.value).then(|| port.service_port.as_ref().unwrap_or(&port.port).value)
}

/// The declared port that a reference means: by name, by its number in the pod, or by its number at the Service.
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

impl<'a, 'i> Flows<'a, 'i> {
    fn check_connect(&mut self, caller: &'a Instance<'i>, connect: &Spanned<Connect>, findings: &mut Findings) {
        let ways = [connect.to.is_some(), connect.external.is_some(), connect.platform.is_some()];
        if ways.iter().filter(|stated| **stated).count() != 1 {
            findings.push(Diag::new(Code::InvalidValue, connect.span, "a flow goes to exactly one of `to`, `external` and `platform`"));
            return;
        }
        if let Some(external) = &connect.external {
            if external.cidr.is_some() == external.dns.is_some() {
                findings.push(Diag::new(Code::InvalidValue, external.span, "`external` takes exactly one of `cidr` and `dns`"));
            }
            if connect.reason.is_none() {
                let diag = Diag::new(Code::MissingKey, external.span, "a flow out of the fleet needs a `reason`");
                findings.push(diag.help("Say what it is for: a reviewer decides by it."));
            }
        }
        if connect.external.is_some() || connect.platform.is_some() {
            if let (Some(alias), PortRef::Name(_)) = (&connect.alias, &connect.port.value) {
                findings.push(Diag::new(
                    Code::AliasPort,
                    alias.name.span,
                    "an alias of something outside the inventory needs a port by number",
                ));
            }
            if let PortRef::Name(name) = &connect.port.value
                && connect.external.is_some()
            {
                let diag =
                    Diag::new(Code::InvalidPort, connect.port.span, format!("`{name}` names no port of something outside the fleet"));
                findings.push(diag.help("Write its number."));
            }
            return;
        }
        let Some(to) = &connect.to else { return };
        self.check_flow(caller, connect, to, findings);
    }

    /// The workload that a reference means: `<team>/<workload>`, or a workload of the caller's own team.
    fn target(&self, caller: &Instance<'i>, to: &Spanned<String>, findings: &mut Findings) -> Option<usize> {
        if to.contains('/') {
            return self.workloads.resolve(to, to.span, findings);
        }
        self.workloads.resolve(&format!("{}/{}", caller.team.name.value, to.value), to.span, findings)
    }

    fn check_flow(&mut self, caller: &'a Instance<'i>, connect: &Spanned<Connect>, to: &Spanned<String>, findings: &mut Findings) {
        let Some(target) = self.target(caller, to, findings) else { return };
        let Some(targets) = self.instances.get(&target).cloned() else { return };
        let Some(first) = targets.first() else { return };
        let here = targets.iter().find(|instance| instance.cluster == caller.cluster).copied();
        let Some(port) = Self::known_port(here.unwrap_or(first), &connect.port, findings) else { return };
        if let Some(here) = here.filter(|here| here.tier == caller.tier) {
            self.check_alias(caller, here, connect, port, None, findings);
            return;
        }
        let Some((at, gateway)) = self.gateway(caller, target, port) else {
            findings.push(self.without_gateway(caller, first, here.is_some(), connect.span, to));
            return;
        };
        self.used_gateways.insert(at);
        match here {
            Some(here) => self.check_alias(caller, here, connect, port, None, findings),
            None => {
                if let Some(listener) = self.listener(caller, at, gateway, connect.span, findings) {
                    self.check_alias(caller, first, connect, port, Some(listener), findings);
                }
            }
        }
    }

    fn known_port(target: &'a Instance<'i>, wanted: &Spanned<PortRef>, findings: &mut Findings) -> Option<&'a Spanned<Port>> {
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

    fn gateway(&self, caller: &Instance<'i>, target: usize, port: &Spanned<Port>) -> Option<(usize, &'i Spanned<Gateway>)> {
        let name = full_name(caller);
        self.inventory.gateways.iter().enumerate().find(|(_, gateway)| {
            self.workloads.get(&gateway.to) == Some(target)
                && gateway.from.0.iter().any(|from| from.value == name)
                && find_port(std::slice::from_ref(port), &gateway.port).is_some()
        })
    }

    fn without_gateway(&self, caller: &Instance<'i>, target: &Instance<'i>, here: bool, span: Span, to: &Spanned<String>) -> Diag {
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
        let diag = diag.related(target.workload.identity.name.span, "the target");
        diag.help(format!("Declare one under `gateways`, with an owner, a reason and an end: from {from}, to {}.", full_name(target)))
    }

    /// The listener that serves the caller's cluster: as `via` says, else the one in its environment, then in its region.
    fn listener(
        &mut self,
        caller: &Instance<'i>,
        at: usize,
        gateway: &'i Spanned<Gateway>,
        flow: Span,
        findings: &mut Findings,
    ) -> Option<&'i Spanned<Listener>> {
        let host = self.clusters.all[caller.cluster].raw;
        let cluster_of = |name: &str| self.clusters.index.get(name).map(|at| self.clusters.all[at].raw);
        if let Some(via) = gateway.via.get(host.name.as_str()) {
            let found = gateway.listen.iter().find(|(name, _)| name.value == via.value);
            self.used_listeners.extend(found.map(|(name, _)| (at, name.as_str())));
            self.unclear_gateways.extend(found.is_none().then_some(at));
            return found.map(|(_, listener)| listener);
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
            return Some(listener);
        }
        self.unclear_gateways.insert(at);
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
        findings.push(diag.related(flow, "for this flow").help(help));
        None
    }

    fn check_alias(
        &mut self,
        caller: &'a Instance<'i>,
        target: &'a Instance<'i>,
        connect: &Spanned<Connect>,
        port: &Spanned<Port>,
        listener: Option<&'i Spanned<Listener>>,
        findings: &mut Findings,
    ) {
        let Some(alias) = &connect.alias else { return };
        let name = alias.name.as_str();
        let target_name = target.workload.identity.name.as_str();
        let real = service_port(port);
        let dialled = alias.port.map(|port| port.value).or(real);
        let offered = listener.map_or(real, |listener| Some(listener.port.value));
        let place = alias.port.map_or(alias.name.span, |port| port.span);
        match (dialled, offered) {
            (Some(dialled), Some(offered)) if dialled != offered => {
                let who = if listener.is_some() { "the listener" } else { "the target's Service" };
                let diag = Diag::new(
                    Code::AliasPort,
                    place,
                    format!("the application dials `{name}:{dialled}`, but {who} has the port {offered}"),
                );
                let other = listener.map_or(port.port.span, |listener| listener.port.span);
                findings.push(diag.related(other, "the port that is there").help("An alias maps names, not ports: make the two equal."));
            }
            (_, None) => {
                let diag =
                    Diag::new(Code::AliasPort, place, format!("the Service of `{target_name}` lacks the port `{}`", port.name.value));
                findings.push(diag.related(port.name.span, "`service: false`").help("Let the Service have it, or leave the alias out."));
            }
            _ => {}
        }
        if let Some(listener) = listener.filter(|listener| listener.host.is_none() && self.needs_host) {
            let diag = Diag::new(
                Code::AliasPort,
                alias.name.span,
                format!("the alias `{name}` would be an EndpointSlice, which Argo CD leaves out"),
            );
            let help = "Give the listener a `host`, or say `endpointSlices: true` of the Argo CD instance.";
            findings.push(diag.related(listener.span, "an address alone").help(help));
        }
        let is_itself = target.cluster == caller.cluster && target.namespace == caller.namespace && target_name == name;
        if is_itself {
            return;
        }
        let services =
            self.instances.values().flatten().filter(|other| other.cluster == caller.cluster && other.namespace == caller.namespace);
        let real = services.map(|other| &other.workload.identity).find(|identity| identity.name.as_str() == name);
        if let Some(real) = real {
            let diag = Diag::new(
                Code::AliasClash,
                alias.name.span,
                format!("`{name}` is already a workload in the namespace `{}`", caller.namespace),
            );
            findings.push(diag.related(real.name.span, "the workload").help("Use another alias, or rename the workload."));
            return;
        }
        let key = (caller.cluster, caller.namespace.clone(), name.to_owned());
        if let Some((other, first)) = self.aliases.insert(key, (target_name, alias.name.span))
            && other != target_name
        {
            let diag = Diag::new(
                Code::AliasClash,
                alias.name.span,
                format!("`{name}` means both `{other}` and `{target_name}` in `{}`", caller.namespace),
            );
            findings.push(diag.related(first, "the other one").help("Use another alias for one of them."));
        }
    }

    fn check_gateway(&self, gateway: &'i Spanned<Gateway>, findings: &mut Findings) {
        for from in &gateway.from.0 {
            self.workloads.resolve(from, from.span, findings);
        }
        if let Some(target) = self.workloads.resolve(&gateway.to, gateway.to.span, findings)
            && let Some(first) = self.instances.get(&target).and_then(|instances| instances.first().copied())
        {
            Self::known_port(first, &gateway.port, findings);
            let hosts: BTreeSet<&str> = self.instances[&target].iter().map(|instance| self.clusters.name(instance.cluster)).collect();
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
            if !gateway.listen.iter().any(|(name, _)| name.value == target.value) {
                let known: Vec<&str> = gateway.listen.iter().map(|(name, _)| name.as_str()).collect();
                let diag =
                    Diag::new(Code::GatewayWithoutListener, target.span, format!("the gateway has no listener in `{}`", target.value));
                let all = format!("Its listeners are in: {}.", if known.is_empty() { "none".to_owned() } else { known.join(", ") });
                findings.push(diag.help(did_you_mean(target, known.iter().copied()).unwrap_or(all)));
            }
        }
        for (_, listener) in &gateway.listen {
            if listener.port.value == 0 {
                findings.push(Diag::new(Code::InvalidPort, listener.port.span, "0 is no port: ports are 1 to 65535"));
            }
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

    fn report_unused(&self, findings: &mut Findings) {
        let all_read = self.inventory.lost.is_empty();
        for (at, gateway) in self.inventory.gateways.iter().enumerate().filter(|_| all_read) {
            if !self.used_gateways.contains(&at) {
                let diag = Diag::new(Code::GatewayUnused, gateway.name.span, format!("no flow uses the gateway `{}`", gateway.name.value));
                findings.push(diag.help("Declare the flow under `connects` of its callers, or remove the gateway."));
                continue;
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
                findings.push(Diag::new(Code::GatewayListenUnused, cluster.span, message).help("Remove it."));
            }
        }
    }
}

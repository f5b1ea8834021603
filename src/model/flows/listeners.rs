//! Listeners: the Services at which a workload can be reached from other clusters.
//!
//! Each listener is one Service of the type LoadBalancer for one port, so that what it lets in is exactly what its gateways' callers need.
//! Gateways to one port that name the same listener share it. Its name is made of the workload and the address: controllers do not move a
//! load balancer to another address, so another address is another Service.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use super::Flow;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::Cidr;
use crate::inventory::gateway::{Gateway, Listener};
use crate::inventory::pod::Port;
use crate::inventory::provider::Distribution;
use crate::model::{Clusters, Host, Instance};
use crate::source::{Span, Spanned};

/// A Service at which a workload listens for callers of other clusters.
#[derive(Clone, Debug)]
pub struct ListenerService {
    /// Its name.
    pub name: String,
    /// The address that it asks for.
    pub address: IpAddr,
    /// Its port.
    pub number: u16,
    /// The workload's port behind it.
    pub port: Spanned<Port>,
    /// The names that callers have for it.
    pub hosts: BTreeSet<String>,
    /// The gateways that share it, by name.
    pub gateways: BTreeSet<String>,
    /// What the callers' packets come from, and nothing else: of the address' family.
    pub source_ranges: BTreeSet<IpNet>,
    /// Annotations for the load balancer's controller, with where each is stated.
    pub annotations: BTreeMap<String, Spanned<String>>,
    /// Whether the cluster has Services of both families, so that it has to be said which one this is of.
    pub dual_stack: bool,
    /// Where it is stated first.
    pub origin: Span,
}

impl ListenerService {
    /// Whether an annotation asks for the address already. Some controllers take either that or the field, and refuse both.
    pub fn asks_by_annotation(&self) -> bool {
        let is_address = |text: &str| text.trim().parse::<IpAddr>().is_ok_and(|ip| ip == self.address);
        self.annotations.values().any(|value| value.split(',').any(is_address))
    }
}

/// The family of an address, as Kubernetes calls it.
pub fn family(address: &IpAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}

/// Every Service that the flows through listeners need, by the target's position; with every finding about what two say of one listener.
pub(super) fn services(
    flows: &[Flow<'_>],
    instances: &[Instance<'_>],
    clusters: &Clusters<'_>,
    findings: &mut Findings,
) -> BTreeMap<usize, Vec<ListenerService>> {
    let mut services: BTreeMap<IpAddr, (usize, ListenerService)> = BTreeMap::new();
    for flow in flows {
        let (Some(listener), Some(gateway)) = (flow.listener, flow.gateway) else { continue };
        let target = &instances[flow.target];
        let (from, to) = (&clusters.all[instances[flow.caller].cluster], &clusters.all[target.cluster]);
        check_family(listener, egress(from), &format!("nothing of `{}` leaves", from.raw.name.value), findings);
        check_family(listener, to.raw.network.services.iter(), &format!("`{}` has no Services", to.raw.name.value), findings);
        let address = listener.address.ip();
        let service = match services.entry(address) {
            Entry::Vacant(free) => &mut free.insert((flow.target, service(flow, listener, target, to))).1,
            Entry::Occupied(found) => {
                let (owner, service) = found.into_mut();
                if *owner != flow.target || service.number != listener.port.value || service.port.name.value != flow.port.name.value {
                    findings.push(clash(listener, service, &instances[*owner], clusters));
                    continue;
                }
                service
            }
        };
        service.gateways.insert(gateway.name.to_string());
        service.hosts.extend(listener.host.iter().map(|host| host.to_string()));
        let ranges = egress(from).map(|range| range.net()).filter(|range| range.addr().is_ipv4() == address.is_ipv4());
        service.source_ranges.extend(ranges);
        annotate(service, gateway, listener, findings);
    }
    let mut by_target: BTreeMap<usize, Vec<ListenerService>> = BTreeMap::new();
    for (target, service) in services.into_values() {
        let host = clusters.all[instances[target].cluster].raw;
        if host.provider.distribution == Distribution::Eks && service.annotations.is_empty() {
            let message = format!("nothing on `{}` gives a load balancer the address `{}`", host.name.value, service.address);
            let diag = Diag::new(Code::GatewayListenerUnasked, service.origin, message).related(host.provider.span, "its load balancers");
            findings.push(diag.help("Say it under `annotations` of the listener, as the AWS Load Balancer Controller takes it."));
        }
        by_target.entry(target).or_default().push(service);
    }
    by_target
}

/// What other networks see a cluster's pods as.
fn egress<'i>(host: &Host<'i>) -> impl Iterator<Item = &'i Spanned<Cidr>> {
    let network = &host.raw.network;
    network.egress.as_ref().unwrap_or(&network.nodes).iter()
}

fn service(flow: &Flow<'_>, listener: &Spanned<Listener>, target: &Instance<'_>, host: &Host<'_>) -> ListenerService {
    let address = listener.address.ip();
    ListenerService {
        name: addressed(target.workload.identity.name.as_str(), &address),
        address,
        number: listener.port.value,
        port: flow.port.clone(),
        hosts: BTreeSet::new(),
        gateways: BTreeSet::new(),
        source_ranges: BTreeSet::new(),
        annotations: BTreeMap::new(),
        dual_stack: host.is_dual_stack(),
        origin: listener.span,
    }
}

/// The name of a Service that is there for one address.
pub(super) fn addressed(name: &str, address: &IpAddr) -> String {
    let address = address.to_string().replace(['.', ':'], "-");
    // A network's own address ends in two colons, and no name may end in a dash.
    if address.ends_with('-') { format!("{name}-{address}0") } else { format!("{name}-{address}") }
}

fn clash(listener: &Listener, first: &ListenerService, owner: &Instance<'_>, clusters: &Clusters<'_>) -> Diag {
    let message = format!(
        "the listener `{}` is already that of the port `{}` of `{}` on `{}`, at {}",
        listener.address.value,
        first.port.name.value,
        super::full_name(owner),
        clusters.name(owner.cluster),
        first.number,
    );
    let diag = Diag::new(Code::GatewayListenerClash, listener.address.span, message).related(first.origin, "the other one");
    diag.help("Give each port an address of its own: a load balancer's address belongs to one Service.")
}

/// Adds what a listener says to its controller; two gateways that share it must say the same.
fn annotate(service: &mut ListenerService, gateway: &Gateway, listener: &Listener, findings: &mut Findings) {
    for (key, value) in &listener.annotations {
        match service.annotations.get(&key.value) {
            Some(other) if other.value != value.value => {
                let message =
                    format!("the gateway `{}` shares its listener with one that says otherwise of `{}`", gateway.name.value, key.value);
                let diag = Diag::new(Code::GatewayListenerClash, value.span, message).related(other.span, "what that one says");
                findings.push(diag.help("Make the two equal: they are one Service."));
            }
            Some(_) => {}
            None => drop(service.annotations.insert(key.value.clone(), value.clone())),
        }
    }
}

/// Checks that a listener's family is among those of some ranges; `without` says what it would mean if it were not.
pub(super) fn check_family<'r>(
    listener: &Listener,
    ranges: impl Iterator<Item = &'r Spanned<Cidr>>,
    without: &str,
    findings: &mut Findings,
) {
    let address = listener.address.ip();
    let ranges: Vec<_> = ranges.collect();
    if ranges.iter().any(|range| range.net().addr().is_ipv4() == address.is_ipv4()) {
        return;
    }
    let family = family(&address);
    let message = format!("the listener `{}` is {family}, and {without} by {family}", listener.address.value);
    let diag = Diag::new(Code::GatewayListenerFamily, listener.address.span, message);
    let diag = ranges.first().map(|range| diag.clone().related(range.span, "what there is")).unwrap_or(diag);
    findings.push(diag.help("Use an address of the other family, or give the cluster both."));
}

#[cfg(test)]
mod tests {
    use super::addressed;

    #[test]
    fn a_name_is_one_for_every_address() {
        for (address, expected) in [
            ("192.0.2.10", "vault-192-0-2-10"),
            ("2001:db8::10", "vault-2001-db8--10"),
            ("2001:db8::", "vault-2001-db8--0"),
            ("2001:0DB8:0:0::10", "vault-2001-db8--10"),
        ] {
            assert_eq!(addressed("vault", &address.parse().unwrap()), expected);
            assert!(crate::formats::check_service_name(expected).is_ok());
        }
    }
}

//! The policies of each namespace: what each workload declares, one policy at either end of a flow; and name resolution for all.

mod outside;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::ranges::{METADATA, everything, one};
use super::{Direction, Ground, NAME_SERVERS, Peer, Policy, api_port, is_managed, reaches_metadata};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::cluster::CniName;
use crate::inventory::pod::ExposeType;
use crate::model::exemptions::control;
use crate::model::flows::full_name;
use crate::model::monitoring::{Watch, scraped};
use crate::model::{Instance, namespaces_on, platform};
use crate::source::Span;

/// The pods that answer for names, wherever CoreDNS or kube-dns is.
const NAME_SERVER: (&str, &str) = ("k8s-app", "kube-dns");
/// Those of a cache on every node, where these are pods of their own, as with Cilium.
const NAME_CACHE: (&str, &str) = ("k8s-app", "node-local-dns");
/// The class of Ingress and Gateway objects that Cilium serves itself, without pods.
const CILIUM_CLASS: &str = "cilium";

/// The policies of each namespace by cluster and name.
type All = BTreeMap<(usize, String), BTreeMap<String, Policy>>;

/// Every policy, by namespace, sorted by name.
pub(super) fn all(ground: Ground<'_, '_>, findings: &mut Findings) -> BTreeMap<(usize, String), Vec<Policy>> {
    let mut policies = Policies { ground, all: All::new() };
    for namespace in ground.namespaces.values() {
        policies.name_resolution(namespace.cluster, &namespace.name, namespace.origin);
    }
    policies.between_workloads();
    for (at, instance) in ground.instances.iter().enumerate() {
        for connect in instance.cascade.settings.connects.iter().flatten() {
            policies.open_something_else(instance, connect, findings);
        }
        policies.open_api_server(instance, findings);
        policies.open_exposed(instance);
        policies.open_listeners(at, instance);
        policies.open_monitoring(instance);
        policies.within_a_source(instance);
        policies.waived(instance);
    }
    policies.all.into_iter().map(|(namespace, policies)| (namespace, policies.into_values().collect())).collect()
}

struct Policies<'a, 'i> {
    ground: Ground<'a, 'i>,
    all: All,
}

/// The protocol of a flow, TCP where none is stated.
fn protocol(stated: Option<crate::inventory::pod::Protocol>) -> &'static str {
    stated.map_or("TCP", |protocol| protocol.as_str())
}

/// What a port is called in names of policies: `tcp-443`.
fn port_name(number: u16, protocol: &str) -> String {
    format!("{}-{number}", protocol.to_ascii_lowercase())
}

/// Text of an address that a name may hold.
fn in_name(text: &str) -> String {
    text.replace(['.', ':', '/'], "-")
}

impl<'i> Policies<'_, 'i> {
    /// Adds one end of a flow; what is declared twice is one policy.
    fn add(&mut self, cluster: usize, namespace: &str, policy: Policy) {
        let policies = self.all.entry((cluster, namespace.to_owned())).or_default();
        match policies.get_mut(&policy.name) {
            None => drop(policies.insert(policy.name.clone(), policy)),
            Some(first) => {
                first.peers.extend(policy.peers);
                first.ports.extend(policy.ports);
                first.gateways.extend(policy.gateways);
            }
        }
    }

    /// The same, of a workload's pods.
    fn add_to(&mut self, instance: &Instance<'i>, end: End) {
        let name = instance.workload.identity.name.as_str();
        let policy = Policy {
            name: format!("{name}.{}", end.name),
            workload: Some(name.to_owned()),
            direction: end.direction,
            peers: end.peers,
            ports: end.ports.into_iter().collect(),
            purpose: end.purpose,
            gateways: end.gateways,
            origin: end.origin,
        };
        self.add(instance.cluster, &instance.namespace, policy);
    }

    /// Names are resolved by the pods of the cluster's DNS, and by a cache on the node where there is one. On Cilium that cache is pods of its
    /// own, or the node, which no range matches there.
    fn name_resolution(&mut self, cluster: usize, namespace: &str, origin: Span) {
        let host = self.ground.host(cluster);
        let pods = |(key, value): (&str, &str)| Peer::Pods {
            namespace: NAME_SERVERS.to_owned(),
            labels: BTreeMap::from([(key.to_owned(), value.to_owned())]),
        };
        let mut peers = BTreeSet::from([pods(NAME_SERVER)]);
        let cache = host.raw.network.dns.as_ref().and_then(|dns| dns.node_local.as_ref());
        let ports = BTreeSet::from([(53, "UDP"), (53, "TCP")]);
        let policy = |name: &str, peers, purpose: &str| Policy {
            name: name.to_owned(),
            workload: None,
            direction: Direction::Egress,
            peers,
            ports: ports.clone(),
            purpose: purpose.to_owned(),
            gateways: BTreeSet::new(),
            origin,
        };
        if let Some(address) = cache {
            peers.insert(Peer::Range { range: one(address), except: Vec::new() });
            if host.raw.cni.name.value == CniName::Cilium {
                peers.insert(pods(NAME_CACHE));
                let node = BTreeSet::from([Peer::Entity("host")]);
                self.add(cluster, namespace, policy("name-cache", node, "names are resolved by a cache on the node"));
            }
        }
        self.add(cluster, namespace, policy("name-resolution", peers, "names are resolved"));
    }

    /// A pair of policies within a cluster; the caller's alone to another, where the listener has the other one.
    fn between_workloads(&mut self) {
        for flow in &self.ground.flows.all {
            let (caller, target) = (&self.ground.instances[flow.caller], &self.ground.instances[flow.target]);
            let (from, to) = (caller.workload.identity.name.as_str(), target.workload.identity.name.as_str());
            let port = flow.port.name.as_str();
            let spoken = protocol(flow.port.protocol.as_ref().map(|protocol| protocol.value));
            let gateways: BTreeSet<String> = flow.gateway.iter().map(|gateway| gateway.name.to_string()).collect();
            let purpose = format!("{} calls {}, port {port}", full_name(caller), full_name(target));
            if let Some(listener) = flow.listener {
                let number = listener.port.value;
                let end = End {
                    name: format!("to.listener.{}.{}", in_name(&listener.address.ip().to_string()), port_name(number, spoken)),
                    direction: Direction::Egress,
                    peers: BTreeSet::from([Peer::Range { range: one(&listener.address), except: Vec::new() }]),
                    ports: vec![(number, spoken)],
                    purpose: format!("{purpose}, on {}", self.ground.clusters.name(target.cluster)),
                    gateways,
                    origin: listener.span,
                };
                self.add_to(caller, end);
                continue;
            }
            let peer = |of: &Instance<'_>, name: &str| {
                BTreeSet::from([Peer::Workload { namespace: of.namespace.clone(), workload: name.to_owned() }])
            };
            let ports = vec![(flow.port.port.value, spoken)];
            let origin = flow.port.span;
            let egress = End {
                name: format!("to.{}.{to}.{port}", target.namespace),
                direction: Direction::Egress,
                peers: peer(target, to),
                ports: ports.clone(),
                purpose: purpose.clone(),
                gateways: gateways.clone(),
                origin,
            };
            let ingress = End {
                name: format!("from.{}.{from}.{port}", caller.namespace),
                direction: Direction::Ingress,
                peers: peer(caller, from),
                ports,
                purpose,
                gateways,
                origin,
            };
            self.add_to(caller, egress);
            self.add_to(target, ingress);
        }
    }

    /// The API server, for whom may ask it something. On Cilium it is known by what it is, since no range matches a node there.
    fn open_api_server(&mut self, instance: &Instance<'i>, findings: &mut Findings) {
        let Some(first) = instance.cascade.settings.api_access.iter().flatten().next() else { return };
        let host = self.ground.host(instance.cluster);
        let network = &host.raw.network;
        let stated: Vec<IpNet> = network.api_server.iter().flat_map(|server| &server.endpoints).map(|range| range.net()).collect();
        let peers: BTreeSet<Peer> =
            if host.raw.cni.name.value == CniName::Cilium {
                BTreeSet::from([Peer::Entity("kube-apiserver")])
            } else {
                if stated.is_empty() && is_managed(host) {
                    let message = format!("it is not known where the API server of `{}` answers", host.raw.name.value);
                    let diag = Diag::new(Code::MissingKey, host.raw.network.span, message).related(first.span, "asked for here");
                    findings.push(diag.help(
                        "Write `apiServer: {endpoints: [...], port: 443}` under `network`: the provider runs it on none of the nodes.",
                    ));
                    return;
                }
                let ranges = if stated.is_empty() { network.nodes.iter().map(|range| range.net()).collect() } else { stated };
                ranges.into_iter().map(|range| Peer::Range { range, except: Vec::new() }).collect()
            };
        let end = End {
            name: "to.api-server".to_owned(),
            direction: Direction::Egress,
            peers,
            ports: vec![(api_port(host), "TCP")],
            purpose: format!("{} asks the API server", full_name(instance)),
            gateways: BTreeSet::new(),
            origin: first.span,
        };
        self.add_to(instance, end);
    }

    /// What lets traffic in: the pods that serve Ingress and Gateway objects, or everybody but the fleet itself for a load balancer.
    fn open_exposed(&mut self, instance: &Instance<'i>) {
        let settings = &instance.cascade.settings;
        let (Some(expose), Some(port)) = (&settings.expose, settings.exposed_port()) else { return };
        let host = self.ground.host(instance.cluster);
        let (name, peers, purpose) = if expose.is(ExposeType::LoadBalancer) {
            let families =
                [true, false].into_iter().filter(|ipv4| host.raw.network.pods.iter().any(|range| range.net().addr().is_ipv4() == *ipv4));
            let range = |ipv4| Peer::Range { range: everything(ipv4), except: self.ground.ranges.except_from(&everything(ipv4)) };
            ("from.internet", families.map(range).collect(), "everybody outside the fleet calls")
        } else {
            // Without one it is a finding already.
            let Some(ingress) = &host.raw.ingress else { return };
            let served_by_cilium = host.raw.cni.name.value == CniName::Cilium && ingress.class.as_str() == CILIUM_CLASS;
            let peer = if served_by_cilium {
                Peer::Entity("ingress")
            } else {
                Peer::Pods { namespace: ingress.namespace.as_str().to_owned(), labels: BTreeMap::new() }
            };
            ("from.ingress", BTreeSet::from([peer]), "what serves Ingress and Gateway objects calls")
        };
        let spoken = protocol(port.protocol.as_ref().map(|protocol| protocol.value));
        let end = End {
            name: format!("{name}.{}", port.name.value),
            direction: Direction::Ingress,
            peers,
            ports: vec![(port.port.value, spoken)],
            purpose: format!("{purpose} {}, port {}", full_name(instance), port.name.value),
            gateways: BTreeSet::new(),
            origin: expose.span,
        };
        self.add_to(instance, end);
    }

    /// What a listener lets in: what the callers' clusters leave by, which `externalTrafficPolicy: Local` keeps.
    fn open_listeners(&mut self, at: usize, instance: &Instance<'i>) {
        for listener in self.ground.flows.listeners.get(&at).into_iter().flatten() {
            let spoken = protocol(listener.port.protocol.as_ref().map(|protocol| protocol.value));
            let end = End {
                name: format!("from.listener.{}.{}", in_name(&listener.address.to_string()), listener.port.name.value),
                direction: Direction::Ingress,
                peers: listener.source_ranges.iter().map(|range| Peer::Range { range: *range, except: Vec::new() }).collect(),
                ports: vec![(listener.port.port.value, spoken)],
                purpose: format!("other clusters call {}, port {}, at {}", full_name(instance), listener.port.name.value, listener.address),
                gateways: listener.gateways.clone(),
                origin: listener.origin,
            };
            self.add_to(instance, end);
        }
    }

    /// The Prometheus of the workload's tier, for ports that say where their metrics are.
    fn open_monitoring(&mut self, instance: &Instance<'i>) {
        let host = self.ground.host(instance.cluster);
        let Some(watch) = Watch::of(self.ground.inventory, host) else { return };
        let labels = watch.pod_labels(watch.scraper_of(instance.tier));
        for (port, scrape) in scraped(instance) {
            let end = End {
                name: format!("from.monitoring.{}", port.name.value),
                direction: Direction::Ingress,
                peers: BTreeSet::from([Peer::Pods { namespace: watch.namespace.to_owned(), labels: labels.clone() }]),
                ports: vec![(port.port.value, protocol(port.protocol.as_ref().map(|protocol| protocol.value)))],
                purpose: format!("Prometheus scrapes {}, port {}", full_name(instance), port.name.value),
                gateways: BTreeSet::new(),
                origin: scrape.span,
            };
            self.add_to(instance, end);
        }
    }

    /// A source that has several controllers is one workload all the same: its pods reach one another at the ports of its own Services.
    fn within_a_source(&mut self, instance: &Instance<'i>) {
        let Some(adopted) = &instance.adopted else { return };
        let ports = adopted.ports_within();
        if ports.is_empty() {
            return;
        }
        let name = instance.workload.identity.name.as_str();
        let origin = instance.workload.identity.name.span;
        let itself = BTreeSet::from([Peer::Workload { namespace: instance.namespace.clone(), workload: name.to_owned() }]);
        for (end, direction) in [("to.itself", Direction::Egress), ("from.itself", Direction::Ingress)] {
            let end = End {
                name: end.to_owned(),
                direction,
                peers: itself.clone(),
                ports: ports.iter().copied().collect(),
                purpose: format!("the pods of {} call one another", full_name(instance)),
                gateways: BTreeSet::new(),
                origin,
            };
            self.add_to(instance, end);
        }
    }

    /// What exemptions open: the metadata service; or everything but other tiers and other clusters.
    fn waived(&mut self, instance: &Instance<'i>) {
        let origin = instance.workload.identity.name.span;
        let ipv6 = self.ground.host(instance.cluster).raw.network.pods.iter().any(|range| range.net().addr().is_ipv6());
        if reaches_metadata(self.ground, instance) {
            let ranges = METADATA.into_iter().filter(|range| ipv6 || range.addr().is_ipv4());
            let end = End {
                name: "to.metadata-service".to_owned(),
                direction: Direction::Egress,
                peers: ranges.map(|range| Peer::Range { range, except: Vec::new() }).collect(),
                ports: vec![(80, "TCP")],
                purpose: format!("{} is exempt from `{}`", full_name(instance), control::METADATA_SERVICE),
                gateways: BTreeSet::new(),
                origin,
            };
            self.add_to(instance, end);
        }
        if !self.ground.is_exempt(control::DEFAULT_DENY, instance) {
            return;
        }
        let ground = self.ground;
        let of_tier = namespaces_on(ground.namespaces, instance.cluster).filter(|namespace| namespace.tier == instance.tier);
        let of_platform = platform::namespaces(ground.inventory, ground.host(instance.cluster), ground.deliveries.of(instance.cluster));
        let of_platform = of_platform.into_iter().filter(|namespace| namespace.present).map(|namespace| namespace.name);
        let near = Peer::Namespaces(of_tier.map(|namespace| namespace.name.clone()).chain(of_platform).collect());
        let families = || [true, false].into_iter().filter(|ipv4| *ipv4 || ipv6).map(everything);
        let to = families().map(|range| Peer::Range { range, except: ground.ranges.except_to(&range) });
        let from = families().map(|range| Peer::Range { range, except: ground.ranges.except_from(&range) });
        let ends = [("to.anything", Direction::Egress, to.collect::<BTreeSet<_>>()), ("from.anything", Direction::Ingress, from.collect())];
        for (name, direction, mut peers) in ends {
            peers.insert(near.clone());
            let end = End {
                name: name.to_owned(),
                direction,
                peers,
                ports: Vec::new(),
                purpose: format!("{} is exempt from `{}`", full_name(instance), control::DEFAULT_DENY),
                gateways: BTreeSet::new(),
                origin,
            };
            self.add_to(instance, end);
        }
    }
}

/// One end of a flow of a workload.
struct End {
    /// What follows the workload's name in that of the policy.
    name: String,
    direction: Direction,
    peers: BTreeSet<Peer>,
    ports: Vec<(u16, &'static str)>,
    purpose: String,
    gateways: BTreeSet<String>,
    origin: Span,
}

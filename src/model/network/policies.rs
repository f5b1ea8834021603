//! The policies of each namespace: what each workload declares, one policy at either end of a flow; and name resolution for all.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::cni::{Encryption, capabilities};
use super::ranges::{METADATA, everything, one};
use super::{Direction, Ground, NAME_SERVERS, Peer, Policy, api_port, is_managed, reaches_metadata};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::{Cidr, HostName};
use crate::inventory::cluster::CniName;
use crate::inventory::flow::{Connect, PlatformTarget};
use crate::inventory::gateway::PortRef;
use crate::inventory::pod::ExposeType;
use crate::model::exemptions::control;
use crate::model::flows::full_name;
use crate::model::monitoring::{Watch, scraped};
use crate::model::{Host, Instance, namespaces_on, platform};
use crate::source::{Span, Spanned};

/// The pods that answer for names, wherever CoreDNS or kube-dns is.
const NAME_SERVER: (&str, &str) = ("k8s-app", "kube-dns");
/// Those of a cache on every node, where these are pods of their own, as with Cilium.
const NAME_CACHE: (&str, &str) = ("k8s-app", "node-local-dns");
/// The class of Ingress and Gateway objects that Cilium serves itself, without pods.
const CILIUM_CLASS: &str = "cilium";
/// The control plane's own domain of names within a cluster.
const SERVICES: &str = "svc";

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

/// What an inventory asks of a cluster's network plugin that it cannot do.
pub(super) fn check_plugin(host: &Host<'_>, findings: &mut Findings) {
    let (cni, can) = (&host.raw.cni, capabilities(&host.raw.cni));
    let mut cannot = |place: Span, what: String, help: &str| {
        let diag = Diag::new(Code::CniUnsupported, place, format!("{what}, and `{}` runs {}", host.raw.name.value, can.title));
        findings.push(diag.related(cni.name.span, "the network plugin").help(help));
    };
    let network = &host.raw.network;
    for range in network.pods.iter().chain(network.services.iter()).filter(|range| !can.ipv6 && range.net().addr().is_ipv6()) {
        cannot(range.span, format!("`{}` is a range of IPv6", range.value), "Use ranges of IPv4, or a plugin that has IPv6.");
    }
    if let Some(secret) = cni.encryption_secret.as_ref().filter(|_| can.encryption == Encryption::OwnKeys) {
        cannot(
            secret.span,
            format!("`encryptionSecret` names the Secret `{}`", secret.value),
            "Remove it: each node makes its own WireGuard key. `bootstrap/<cluster>/network.md` says how that is turned on.",
        );
    }
    if let Some(version) = &cni.version {
        if cni.name.value != CniName::Calico {
            cannot(version.span, "`version` decides only what Calico can do".to_owned(), "Remove it.");
        } else if super::cni::minor(version).is_none() {
            let diag = Diag::new(Code::InvalidValue, version.span, format!("`{}` is no version of Calico", version.value));
            findings.push(diag.help("Write a minor in quotes, such as \"3.32\"."));
        }
    }
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

    /// A flow to what is no workload: outside the fleet, or the platform's.
    fn open_something_else(&mut self, caller: &Instance<'i>, connect: &Spanned<Connect>, findings: &mut Findings) {
        // By name it is a finding already.
        let PortRef::Number(number) = connect.port.value else { return };
        let spoken = protocol(connect.protocol.as_ref().map(|protocol| protocol.value));
        let port = port_name(number, spoken);
        let reason = connect.reason.as_ref().map_or(String::new(), |reason| format!(": {}", reason.value));
        let caller_name = full_name(caller);
        let (name, peer, what) = if let Some(range) = connect.external.as_ref().and_then(|external| external.cidr.as_ref()) {
            if !self.is_outside(range, findings) {
                return;
            }
            let except = self.ground.ranges.except_to(&range.net());
            (format!("to.range.{}", in_name(range.as_str())), Peer::Range { range: range.net(), except }, range.to_string())
        } else if let Some(dns) = connect.external.as_ref().and_then(|external| external.dns.as_ref()) {
            if !self.is_a_name_outside(caller, dns, findings) {
                return;
            }
            let name = match dns.as_str().strip_prefix("*.") {
                Some(domain) => format!("to.names.{domain}"),
                None => format!("to.name.{}", dns.as_str()),
            };
            (name, Peer::Name(dns.as_str().to_owned()), dns.to_string())
        } else if let Some(target) = &connect.platform {
            if !self.is_platform(caller, target, findings) {
                return;
            }
            let labels: BTreeMap<String, String> =
                target.labels.iter().map(|(key, value)| (key.value.clone(), value.as_str().to_owned())).collect();
            let chosen = labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
            let digest = crate::tree::Digest::of(&chosen).to_string();
            let suffix = if labels.is_empty() { String::new() } else { format!(".{}", &digest[..8]) };
            let what = format!("{}{}{chosen}", target.namespace.value, if chosen.is_empty() { "" } else { " " });
            let namespace = target.namespace.as_str().to_owned();
            (format!("to.platform.{namespace}{suffix}"), Peer::Pods { namespace, labels }, what)
        } else {
            return;
        };
        let end = End {
            name: format!("{name}.{port}"),
            direction: Direction::Egress,
            peers: BTreeSet::from([peer]),
            ports: vec![(number, spoken)],
            purpose: format!("{caller_name} calls {what}, {port}{reason}"),
            gateways: BTreeSet::new(),
            origin: connect.span,
        };
        crate::model::names::check_composed_subdomain(
            "policy",
            &format!("{}.{}", caller.workload.identity.name.value, end.name),
            connect.span,
            findings,
        );
        self.add_to(caller, end);
    }

    /// Whether a range is outside the fleet; what it holds of the fleet is left out of it.
    fn is_outside(&self, range: &Spanned<Cidr>, findings: &mut Findings) -> bool {
        let Some(own) = self.ground.ranges.holding(&range.net()) else { return true };
        let message = format!("`{}` is not outside the fleet: it belongs to {}", range.value, own.what);
        let diag = Diag::new(Code::ExternalInside, range.span, message);
        let diag = own.stated.map_or(diag.clone(), |stated| diag.related(stated, own.what.clone()));
        findings.push(diag.help(match own.what.as_str() {
            "the metadata service" => {
                "Leave it out: no workload reaches it, because it hands out the node's own identity. A cloud identity of the workload's own is \
                 written as annotations of its `serviceAccount`."
            }
            "the node itself" => "Leave it out: what listens on the node alone is not for workloads.",
            _ => "Write `to: TEAM/WORKLOAD` for a workload, `platform` for what the platform runs, `apiAccess` for the API server.",
        }));
        false
    }

    /// Whether a name is outside the fleet, on a cluster that can tell flows by names.
    fn is_a_name_outside(&self, caller: &Instance<'i>, dns: &Spanned<HostName>, findings: &mut Findings) -> bool {
        let host = self.ground.host(caller.cluster);
        let can = capabilities(&host.raw.cni);
        if !can.names {
            let message = format!("a flow to a name, and `{}` runs {}, which knows addresses alone", host.raw.name.value, can.title);
            let diag = Diag::new(Code::CniUnsupported, dns.span, message).related(host.raw.cni.name.span, "the network plugin");
            findings.push(diag.help("Write `external: {cidr: ...}` with the addresses, or an override for this cluster."));
            return false;
        }
        let (wildcard, name) = dns.as_str().strip_prefix("*.").map_or((false, dns.as_str()), |domain| (true, domain));
        let covers = |other: &str| other == name || (wildcard && other.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')));
        let services = format!("{SERVICES}.{}", host.domain());
        let own = if name == services || name.ends_with(&format!(".{services}")) || covers(&services) {
            Some((format!("the Services of `{}`", host.raw.name.value), None))
        } else {
            let listeners = self
                .ground
                .inventory
                .gateways
                .iter()
                .flat_map(|gateway| gateway.listen.iter().map(move |(_, listener)| (gateway, listener)));
            let mut hosts = listeners.filter_map(|(gateway, listener)| Some((gateway, listener.host.as_ref()?)));
            let found = hosts.find(|(_, host)| covers(host.as_str()));
            found.map(|(gateway, host)| (format!("the listener of the gateway `{}`", gateway.name.value), Some(host.span)))
        };
        let Some((what, stated)) = own else { return true };
        let diag = Diag::new(Code::ExternalInside, dns.span, format!("`{}` is not outside the fleet: it belongs to {what}", dns.value));
        let diag = stated.map_or(diag.clone(), |stated| diag.related(stated, "the listener"));
        findings.push(diag.help("Write `to: TEAM/WORKLOAD`; through a gateway where it crosses tiers or clusters."));
        false
    }

    /// Whether a namespace is one of the platform: any other is reached through `to`, and so under the rules of tiers.
    fn is_platform(&self, caller: &Instance<'i>, target: &PlatformTarget, findings: &mut Findings) -> bool {
        let host = self.ground.host(caller.cluster);
        let known = platform::namespaces(self.ground.inventory, host, self.ground.deliveries.of(caller.cluster));
        let names: Vec<&str> = known.iter().filter(|namespace| namespace.present).map(|namespace| namespace.name.as_str()).collect();
        if names.contains(&target.namespace.as_str()) {
            return true;
        }
        let message = format!("`{}` is no namespace of the platform of `{}`", target.namespace.value, host.raw.name.value);
        let hint = crate::diag::did_you_mean(target.namespace.as_str(), names.iter().copied());
        let all =
            format!("There are: {}. Add it under `platform.namespaces` of the cluster; a workload is reached by `to`.", names.join(", "));
        findings.push(Diag::new(Code::UnknownReference, target.namespace.span, message).help(hint.unwrap_or(all)));
        false
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

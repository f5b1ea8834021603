//! Flows to what is no workload: addresses and names outside the fleet, and what the platform runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Direction, End, Peer, Policies, in_name, port_name, protocol};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::{Cidr, HostName};
use crate::inventory::flow::{Connect, PlatformTarget};
use crate::inventory::gateway::PortRef;
use crate::model::flows::full_name;
use crate::model::network::cni::capabilities;
use crate::model::{Instance, platform};
use crate::source::Spanned;

/// The control plane's own domain of names within a cluster.
const SERVICES: &str = "svc";

impl<'i> Policies<'_, 'i> {
    /// A flow to what is no workload: outside the fleet, or the platform's.
    pub(super) fn open_something_else(&mut self, caller: &Instance<'i>, connect: &Spanned<Connect>, findings: &mut Findings) {
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
}

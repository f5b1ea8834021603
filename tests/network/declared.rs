//! What the inventory declares, read from its text alone: which flows there are, for every pair of ends and every port.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use serde::Deserialize as _;
use serde_json::Value;

use crate::endpoints::Endpoint;
use crate::policies::{Port, list, text};
use crate::program::files;

/// An inventory as it is written.
pub struct Inventory {
    fleet: Value,
    /// The clusters.
    pub clusters: Vec<Value>,
    workloads: Vec<Value>,
    gateways: Vec<Value>,
    /// Which workload runs on which cluster, and has how many controllers there.
    places: BTreeMap<(String, String), usize>,
}

impl Inventory {
    /// The inventory in a folder. Where workloads run is read from the tree: placement is the business of other tests.
    pub fn of(folder: &Path, places: BTreeMap<(String, String), usize>) -> Self {
        let mut inventory = Self { fleet: Value::Null, clusters: Vec::new(), workloads: Vec::new(), gateways: Vec::new(), places };
        for (path, bytes) in files(folder) {
            if Path::new(&path).extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            for document in serde_yaml::Deserializer::from_slice(&bytes).map(|document| Value::deserialize(document).unwrap()) {
                if !document["fleet"].is_null() {
                    inventory.fleet = document["fleet"].clone();
                }
                inventory.clusters.extend(list(&document["clusters"]).iter().cloned());
                inventory.workloads.extend(list(&document["workloads"]).iter().cloned());
                inventory.gateways.extend(list(&document["gateways"]).iter().cloned());
            }
        }
        inventory
    }

    /// The prefix of labels.
    pub fn label_domain(&self) -> &str {
        text(&self.fleet["labelDomain"])
    }

    /// The network plugin of a cluster.
    pub fn plugin(cluster: &Value) -> &str {
        cluster["cni"].as_str().unwrap_or_else(|| text(&cluster["cni"]["name"]))
    }

    /// Every range and address that the inventory states.
    pub fn ranges(&self) -> BTreeSet<IpNet> {
        let mut found = BTreeSet::new();
        let everything = self.clusters.iter().chain(&self.workloads).chain(&self.gateways);
        everything.for_each(|value| collect(value, &mut found));
        found.into_iter().filter(|range| range.addr().is_ipv4()).collect()
    }

    /// A host for every name that a flow may go to, and one that none may.
    pub fn names(&self) -> BTreeSet<String> {
        let connects = self.workloads.iter().flat_map(|workload| list(&workload["connects"]));
        let names = connects.filter_map(|connect| connect["external"]["dns"].as_str()).map(|name| name.replace('*', "one"));
        names.chain(["nowhere.example".to_owned()]).collect()
    }

    /// Every port that the inventory mentions, each with its neighbour.
    pub fn ports(&self) -> BTreeSet<Port> {
        let mut numbers = BTreeSet::from([53, 80, 443, 6443, 10250]);
        for workload in &self.workloads {
            for port in list(&workload["ports"]) {
                numbers.extend([number(&port["port"]), number(&port["servicePort"])]);
            }
            numbers.extend(list(&workload["connects"]).iter().map(|connect| number(&connect["port"])));
        }
        for listener in
            self.gateways.iter().flat_map(|gateway| gateway["listen"].as_object().into_iter().flat_map(|listen| listen.values()))
        {
            numbers.insert(number(&listener["port"]));
        }
        numbers.remove(&0);
        numbers.into_iter().flat_map(|port| [(port, "TCP"), (port, "UDP"), (port + 1, "TCP")]).collect()
    }

    /// The ports at which the inventory lets a pod begin connections.
    pub fn lets_out(&self, cluster: &Value, pod: &Endpoint, other: &Endpoint) -> BTreeSet<Port> {
        let mut declared = BTreeSet::new();
        let network = &cluster["network"];
        let cilium = Self::plugin(cluster) == "cilium";
        let server = other.is_in("kube-system") && other.has("k8s-app", "kube-dns");
        let cache = network["dns"]["nodeLocal"].as_str().is_some_and(|cache| {
            let pods = other.is_in("kube-system") && other.has("k8s-app", "node-local-dns");
            let by_address = other.namespace.is_none() && other.address.to_string() == cache;
            by_address || (cilium && (pods || other.entities.contains("host")))
        });
        if (server || cache) && !pod.is_in("default") {
            declared.extend([(53, "TCP"), (53, "UDP")]);
        }
        let Some(name) = &pod.workload else { return declared };
        for connect in list(&self.setting(name, cluster, "connects")) {
            declared.extend(self.goes_to(connect, name, cluster, other));
        }
        if !self.setting(name, cluster, "apiAccess").is_null() {
            let stated = number(&network["apiServer"]["port"]);
            let endpoints = list(&network["apiServer"]["endpoints"]);
            let endpoints = if endpoints.is_empty() { list(&network["nodes"]) } else { endpoints };
            let there = other.namespace.is_none() && endpoints.iter().any(|range| holds(text(range), other.address));
            let asked = if cilium { other.entities.contains("kube-apiserver") } else { there };
            declared.extend(asked.then_some((if stated == 0 { 6443 } else { stated }, "TCP")));
        }
        declared.extend(self.within_a_source(name, cluster, other));
        declared
    }

    /// The ports at which the inventory lets a pod answer.
    pub fn lets_in(&self, cluster: &Value, pod: &Endpoint, other: &Endpoint) -> BTreeSet<Port> {
        let mut declared = BTreeSet::new();
        let Some(name) = &pod.workload else { return declared };
        if let Some(caller) = &other.workload {
            for connect in list(&self.setting(caller, cluster, "connects")) {
                if target(connect, caller).as_ref() == Some(name) {
                    declared.extend(self.port_of(name, &connect["port"], cluster));
                }
            }
        }
        let reached_by_range = other.is_outside() || (other.namespace.is_none() && Self::plugin(cluster) != "cilium");
        if reached_by_range {
            declared.extend(self.comes_by_listener(name, cluster, other));
        }
        let ports = self.setting(name, cluster, "ports");
        let expose = self.setting(name, cluster, "expose");
        if let Some(first) = list(&ports).iter().find(|port| port["service"] != false && !expose.is_null()) {
            let by_pods = other.is_in(text(&cluster["ingress"]["namespace"]));
            let lets = if expose["type"] == "LoadBalancer" { reached_by_range && self.is_stranger(other.address) } else { by_pods };
            declared.extend(lets.then(|| in_the_pod(first)));
        }
        declared.extend(self.scrapes(cluster, pod, other));
        declared.extend(self.within_a_source(name, cluster, other));
        declared
    }

    /// The ports of a pod that another scrapes: the Prometheus of its tier, where that has one, else any, or the one whose name is stated.
    pub fn scrapes(&self, cluster: &Value, pod: &Endpoint, other: &Endpoint) -> BTreeSet<Port> {
        let stated = [&cluster["monitoring"], &self.fleet["monitoring"]];
        let key = |key: &str| stated.iter().map(|monitoring| &monitoring[key]).find(|value| !value.is_null()).unwrap_or(&Value::Null);
        let (Some(name), false) = (&pod.workload, stated.iter().all(|monitoring| monitoring.is_null())) else { return BTreeSet::new() };
        let tier = &pod.labels[&format!("{}/tier", self.label_domain())];
        let of_tier = list(key("tiers")).iter().find(|own| own["tier"] == tier.as_str()).map(|own| &own["instance"]);
        let by_name = if key("flavor") == "plain" { "app.kubernetes.io/instance" } else { "operator.prometheus.io/name" };
        let is_it = of_tier.unwrap_or(key("instance")).as_str().is_none_or(|instance| other.has(by_name, instance));
        let there = other.is_in(key("namespace").as_str().unwrap_or("monitoring")) && other.has("app.kubernetes.io/name", "prometheus");
        let ports = self.setting(name, cluster, "ports");
        list(&ports).iter().filter(|port| there && is_it && !port["scrape"].is_null()).map(in_the_pod).collect()
    }

    /// The names of all Prometheuses.
    pub fn scrapers(&self) -> BTreeSet<&str> {
        let stated = self.clusters.iter().chain([&self.fleet]).map(|of| &of["monitoring"]);
        stated
            .flat_map(|monitoring| list(&monitoring["tiers"]).iter().chain([monitoring]))
            .filter_map(|one| one["instance"].as_str())
            .collect()
    }

    /// Whether a gateway leads from one workload to another within a cluster: what stands above namespaces then lets it through.
    pub fn crosses(&self, cluster: &Value, pod: &Endpoint, other: &Endpoint) -> bool {
        let (Some(from), Some(to)) = (&pod.workload, &other.workload) else { return false };
        list(&self.setting(from, cluster, "connects")).iter().any(|connect| target(connect, from).as_ref() == Some(to))
    }

    fn goes_to(&self, connect: &Value, caller: &str, cluster: &Value, other: &Endpoint) -> Option<Port> {
        if let Some(target) = target(connect, caller) {
            if self.runs_on(&target, cluster) {
                return if other.workload.as_ref() == Some(&target) { self.port_of(&target, &connect["port"], cluster) } else { None };
            }
            let (there, listener) = self.listener(connect, caller, cluster)?;
            let spoken = self.port_of(&target, &connect["port"], self.cluster(there))?.1;
            let is = other.namespace.is_none() && listener["address"] == other.address.to_string();
            return is.then(|| (number(&listener["port"]), spoken));
        }
        let is = if let Some(range) = connect["external"]["cidr"].as_str() {
            let outside = Self::plugin(cluster) != "cilium" || other.is_outside();
            outside && other.namespace.is_none() && holds(range, other.address) && !self.is_own(other.address)
        } else if let Some(name) = connect["external"]["dns"].as_str() {
            other.names.iter().any(|found| found == name || name.strip_prefix('*').is_some_and(|end| found.ends_with(end)))
        } else {
            let platform = &connect["platform"];
            let mut labels = platform["labels"].as_object().into_iter().flatten();
            other.is_in(text(&platform["namespace"])) && labels.all(|(key, value)| other.has(key, text(value)))
        };
        is.then(|| (number(&connect["port"]), protocol(&connect["protocol"])))
    }

    /// The ports at which callers of other clusters come so: from what their cluster leaves by, to a listener here.
    fn comes_by_listener(&self, name: &str, cluster: &Value, other: &Endpoint) -> BTreeSet<Port> {
        let mut declared = BTreeSet::new();
        for (caller, place) in self.places.keys().filter(|(_, place)| cluster["name"] != place.as_str()) {
            let from = self.cluster(place);
            let leaves_by = if from["network"]["egress"].is_null() { &from["network"]["nodes"] } else { &from["network"]["egress"] };
            if self.runs_on(name, from) || !list(leaves_by).iter().any(|range| holds(text(range), other.address)) {
                continue;
            }
            for connect in list(&self.setting(caller, from, "connects")) {
                let comes = target(connect, caller).as_deref() == Some(name)
                    && self.listener(connect, caller, from).is_some_and(|(there, _)| cluster["name"] == there);
                declared.extend(comes.then(|| self.port_of(name, &connect["port"], cluster)).flatten());
            }
        }
        declared
    }

    /// The listener that serves a cluster's caller, and its cluster: as `via` says, else the one of its environment, then of its region.
    fn listener(&self, connect: &Value, caller: &str, from: &Value) -> Option<(&str, &Value)> {
        let target = target(connect, caller)?;
        let port = |reference: &Value| {
            self.places
                .keys()
                .filter(|(name, _)| *name == target)
                .find_map(|(_, place)| self.port_of(&target, reference, self.cluster(place)))
        };
        let gateway = self.gateways.iter().find(|gateway| {
            let callers = if gateway["from"].is_array() { list(&gateway["from"]) } else { std::slice::from_ref(&gateway["from"]) };
            gateway["to"] == target && callers.iter().any(|from| from == caller) && port(&gateway["port"]) == port(&connect["port"])
        })?;
        let listen: Vec<_> = gateway["listen"].as_object()?.iter().collect();
        let like = |key: &str, name: &str| self.cluster(name)[key] == from[key];
        let near: Vec<_> = listen.iter().filter(|(name, _)| like("environment", name)).copied().collect();
        let nearest: Vec<_> = near.iter().filter(|(name, _)| like("region", name)).copied().collect();
        let via = gateway["via"][text(&from["name"])].as_str();
        let by_via = listen.iter().find(|(name, _)| via == Some(name.as_str())).copied();
        let chosen = by_via.or(if near.len() == 1 { near.first().copied() } else { nearest.first().copied() });
        chosen.map(|(name, listener)| (name.as_str(), listener))
    }

    /// A workload's port by its name, or by its number at the Service: what it is in the pod.
    fn port_of(&self, name: &str, wanted: &Value, cluster: &Value) -> Option<Port> {
        let ports = self.setting(name, cluster, "ports");
        let at_service = |port: &Value| if port["servicePort"].is_null() { number(&port["port"]) } else { number(&port["servicePort"]) };
        let is = |port: &&Value| port["name"] == *wanted || (wanted.is_u64() && at_service(port) == number(wanted));
        list(&ports).iter().find(is).map(in_the_pod)
    }

    /// What a workload says on a cluster: the last override that says it, else itself.
    fn setting(&self, name: &str, cluster: &Value, key: &str) -> Value {
        let workload = self.workload(name);
        let fits = |change: &&Value| {
            let is = |(of, wanted): (&String, &Value)| &cluster[if of == "cluster" { "name" } else { of }] == wanted;
            change["match"].as_object().unwrap().iter().all(is) && !change["set"][key].is_null()
        };
        let changed = list(&workload["overrides"]).iter().rfind(fits).map(|change| change["set"][key].clone());
        changed.unwrap_or_else(|| workload[key].clone())
    }

    /// Pods of one source that has several controllers reach one another where its Services lead.
    fn within_a_source(&self, name: &str, cluster: &Value, other: &Endpoint) -> Vec<Port> {
        let several = self.places[&(name.to_owned(), text(&cluster["name"]).to_owned())] > 1;
        if self.workload(name)["source"].is_null() || !several || other.workload.as_deref() != Some(name) {
            return Vec::new();
        }
        list(&self.setting(name, cluster, "ports")).iter().map(in_the_pod).collect()
    }

    /// Whether an address is the fleet's own, the node's or the metadata service's.
    fn is_own(&self, address: IpAddr) -> bool {
        let within = |cluster: &Value| {
            ["pods", "services", "nodes"]
                .into_iter()
                .any(|key| list(&cluster["network"][key]).iter().any(|range| holds(text(range), address)))
        };
        let listeners = self.gateways.iter().filter_map(|gateway| gateway["listen"].as_object()).flat_map(|listen| listen.values());
        holds("169.254.0.0/16", address)
            || self.clusters.iter().any(within)
            || listeners.into_iter().any(|listener| listener["address"] == address.to_string())
    }

    /// Whether an address is nobody's of the fleet.
    fn is_stranger(&self, address: IpAddr) -> bool {
        let within = |cluster: &Value| {
            let keys = ["pods", "services", "nodes", "egress"];
            keys.into_iter().any(|key| list(&cluster["network"][key]).iter().any(|range| holds(text(range), address)))
        };
        !holds("169.254.0.0/16", address) && !self.clusters.iter().any(within)
    }

    fn runs_on(&self, name: &str, cluster: &Value) -> bool {
        self.places.contains_key(&(name.to_owned(), text(&cluster["name"]).to_owned()))
    }

    fn workload(&self, name: &str) -> &Value {
        let found = self.workloads.iter().find(|workload| format!("{}/{}", text(&workload["team"]), text(&workload["name"])) == name);
        found.unwrap_or_else(|| panic!("no workload {name}"))
    }

    fn cluster(&self, name: &str) -> &Value {
        self.clusters.iter().find(|cluster| cluster["name"] == name).unwrap()
    }
}

/// The workload that a flow goes to: one of the caller's team where it names none.
fn target(connect: &Value, caller: &str) -> Option<String> {
    let to = connect["to"].as_str()?;
    Some(if to.contains('/') { to.to_owned() } else { format!("{}/{to}", caller.split_once('/')?.0) })
}

fn in_the_pod(port: &Value) -> Port {
    (number(&port["port"]), protocol(&port["protocol"]))
}

fn number(value: &Value) -> u16 {
    u16::try_from(value.as_u64().unwrap_or_default()).unwrap()
}

fn protocol(value: &Value) -> &'static str {
    match value.as_str() {
        Some("UDP") => "UDP",
        Some("SCTP") => "SCTP",
        _ => "TCP",
    }
}

fn holds(range: &str, address: IpAddr) -> bool {
    range.parse::<IpNet>().unwrap().contains(&address)
}

/// Every range and address in a value.
fn collect(value: &Value, found: &mut BTreeSet<IpNet>) {
    match value {
        Value::String(text) => found.extend(text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(entries) => entries.values().for_each(|item| collect(item, found)),
        _ => {}
    }
}

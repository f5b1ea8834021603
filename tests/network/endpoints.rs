//! Who may want to talk on a cluster: every pod of the tree, pods of the platform, pods that nobody declared, impostors, and addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde_json::Value;

use crate::declared::Inventory;
use crate::policies::{list, text};

/// One end of a connection.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// What it is, for people.
    pub what: String,
    /// Its namespace, of a pod.
    pub namespace: Option<String>,
    /// Its labels, of a pod.
    pub labels: BTreeMap<String, String>,
    /// Its address.
    pub address: IpAddr,
    /// What Cilium knows it as.
    pub entities: BTreeSet<&'static str>,
    /// Names that its address has.
    pub names: Vec<String>,
    /// The workload, `<team>/<workload>`, whose pod it is.
    pub workload: Option<String>,
}

impl Endpoint {
    /// Whether it is neither a pod nor a node of the cluster.
    pub fn is_outside(&self) -> bool {
        self.entities.contains("world")
    }

    /// Whether it has a label.
    pub fn has(&self, key: &str, value: &str) -> bool {
        self.labels.get(key).is_some_and(|found| found == value)
    }

    /// Whether it is a pod in a namespace.
    pub fn is_in(&self, namespace: &str) -> bool {
        self.namespace.as_deref() == Some(namespace)
    }
}

/// Every end on a cluster, of its objects and of what the inventory says.
pub fn on(inventory: &Inventory, cluster: &Value, objects: &[Value]) -> Vec<Endpoint> {
    let domain = inventory.label_domain();
    let range: IpNet = text(&cluster["network"]["pods"][0]).parse().unwrap();
    let mut addresses = range.hosts().filter(IpAddr::is_ipv4);
    let mut all = Vec::new();
    let mut pod = |namespace: &str, labels: BTreeMap<String, String>, workload: Option<String>, what: &str| Endpoint {
        what: format!("{what} in {namespace}"),
        namespace: Some(namespace.to_owned()),
        labels,
        address: addresses.next().unwrap(),
        entities: BTreeSet::new(),
        names: Vec::new(),
        workload,
    };
    let label = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    for object in objects {
        let Some(template) = template(object) else { continue };
        let labels: BTreeMap<String, String> =
            template["metadata"]["labels"].as_object().unwrap().iter().map(|(key, value)| (key.clone(), text(value).to_owned())).collect();
        let name = object["metadata"]["labels"][format!("{domain}/workload")].as_str().unwrap();
        let full = format!("{}/{name}", labels[&format!("{domain}/team")]);
        all.push(pod(text(&object["metadata"]["namespace"]), labels, Some(full), &format!("{} {name}", text(&object["kind"]))));
    }
    let namespaces: BTreeSet<String> = all.iter().filter_map(|end: &Endpoint| end.namespace.clone()).collect();
    for namespace in namespaces.iter().map(String::as_str).chain(["default"]) {
        all.push(pod(namespace, label("app", "stray"), None, "a stray pod"));
    }
    let platform = [
        ("kube-system", "k8s-app", "kube-dns"),
        ("kube-system", "k8s-app", "node-local-dns"),
        ("kube-system", "app", "something"),
        ("monitoring", "app.kubernetes.io/name", "prometheus"),
        ("monitoring", "app.kubernetes.io/name", "tempo"),
        ("monitoring", "app", "something"),
        ("traefik", "app", "traefik"),
    ];
    for (namespace, key, value) in platform {
        all.push(pod(namespace, label(key, value), None, value));
    }
    for name in inventory.scrapers() {
        for by_name in ["operator.prometheus.io/name", "app.kubernetes.io/instance"] {
            let labels = [("app.kubernetes.io/name", "prometheus"), (by_name, name)].map(|(key, value)| (key.to_owned(), value.to_owned()));
            all.push(pod("monitoring", BTreeMap::from(labels), None, &format!("prometheus with {by_name}={name}")));
        }
    }
    // The labels of each, in a namespace that nobody declared.
    let labels: BTreeSet<BTreeMap<String, String>> = all.iter().map(|end| end.labels.clone()).collect();
    all.extend(labels.into_iter().map(|labels| pod("elsewhere", labels, None, "an impostor")));
    all.extend(addresses_of(inventory, cluster));
    all
}

/// Addresses that are no pods: inside of every range that the inventory states and beside it, and a few that it does not.
fn addresses_of(inventory: &Inventory, cluster: &Value) -> Vec<Endpoint> {
    let ranges = |value: &Value| list(value).iter().map(|range| text(range).parse::<IpNet>().unwrap()).collect::<Vec<_>>();
    let network = &cluster["network"];
    let cilium = Inventory::plugin(cluster) == "cilium";
    let (nodes, servers) = (ranges(&network["nodes"]), ranges(&network["apiServer"]["endpoints"]));
    let own: Vec<IpNet> = nodes.iter().copied().chain(ranges(&network["pods"])).chain(ranges(&network["services"])).collect();
    let mut all: BTreeMap<IpAddr, Endpoint> = BTreeMap::new();
    let mut add = |address: IpAddr, name: Option<&str>| {
        // Whatever is a pod or a Service here is asked as such.
        if !address.is_ipv4() || own.iter().skip(nodes.len()).any(|range| range.contains(&address)) {
            return;
        }
        let is_node = nodes.iter().any(|range| range.contains(&address));
        let is_server = servers.iter().any(|range| range.contains(&address)) || (servers.is_empty() && is_node);
        let entities: &[&str] = match (is_server, is_node) {
            (true, _) => &["kube-apiserver", "remote-node"],
            (false, true) => &["remote-node"],
            (false, false) => &["world"],
        };
        let end = all.entry(address).or_insert_with(|| Endpoint {
            what: format!("{address}"),
            namespace: None,
            labels: BTreeMap::new(),
            address,
            entities: entities.iter().copied().collect(),
            names: Vec::new(),
            workload: None,
        });
        end.names.extend(name.map(str::to_owned));
    };
    for range in inventory.ranges() {
        add(range.network(), None);
        add(beside(range), None);
    }
    for name in inventory.names() {
        let number = u8::try_from(name.len()).unwrap();
        add(IpAddr::V4(Ipv4Addr::new(192, 88, 99, number)), Some(&name));
    }
    for address in ["169.254.169.254", "169.254.0.1", "8.8.8.8", "223.255.255.254"] {
        add(address.parse().unwrap(), None);
    }
    let mut all: Vec<Endpoint> = all.into_values().collect();
    if cilium {
        let entity = |name: &'static str| Endpoint {
            what: format!("Cilium's {name}"),
            namespace: None,
            labels: BTreeMap::new(),
            address: nodes[0].network(),
            entities: BTreeSet::from([name]),
            names: Vec::new(),
            workload: None,
        };
        all.extend(["host", "ingress"].map(entity));
    }
    all
}

/// The first address of the range that would join with it to one twice as large.
fn beside(range: IpNet) -> IpAddr {
    match range {
        IpNet::V4(range) if range.prefix_len() > 0 => {
            let bit = 1 << (32 - u32::from(range.prefix_len()));
            IpAddr::V4(Ipv4Addr::from_bits(range.network().to_bits() ^ bit))
        }
        _ => range.network(),
    }
}

/// The pod template of a controller.
pub fn template(object: &Value) -> Option<&Value> {
    let template = &object["spec"]["template"];
    let cron = &object["spec"]["jobTemplate"]["spec"]["template"];
    [template, cron].into_iter().find(|template| template["spec"]["containers"].is_array())
}

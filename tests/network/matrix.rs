//! Every pair of ends and every port, held against what the inventory declares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::declared::Inventory;
use crate::endpoints::{self, Endpoint, template};
use crate::policies::{Direction, Policies, Port, text};
use crate::program::files;

/// A fleet's trees beside its inventory.
pub struct Fleet {
    /// What is declared.
    pub inventory: Inventory,
    /// Every cluster.
    pub clusters: Vec<Cluster>,
}

/// A cluster with everybody who may want to talk on it.
pub struct Cluster {
    /// As the inventory has it.
    pub stated: Value,
    /// The tier of each namespace of workloads.
    tiers: BTreeMap<String, String>,
    /// Who is there.
    ends: Vec<Endpoint>,
    /// What the tree says may flow.
    pub policies: Policies,
    ports: BTreeSet<Port>,
}

/// What is not as declared.
pub type Surprise = String;

impl Fleet {
    /// That of a project which was generated.
    pub fn of(root: &Path) -> Self {
        let mut objects: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (path, bytes) in files(&root.join("output/clusters")) {
            let (cluster, rest) = path.split_once('/').unwrap();
            if !rest.ends_with("kustomization.yaml") {
                let documents = serde_yaml::Deserializer::from_slice(&bytes).map(|document| Value::deserialize(document).unwrap());
                objects.entry(cluster.to_owned()).or_default().extend(documents);
            }
        }
        let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (cluster, objects) in &objects {
            for labels in objects.iter().filter_map(template).map(|template| &template["metadata"]["labels"]) {
                let label = |key: &str| labels.as_object().unwrap().iter().find(|(name, _)| name.ends_with(key)).map(|(_, value)| text(value)).unwrap();
                *places.entry((format!("{}/{}", label("/team"), label("/workload")), cluster.clone())).or_default() += 1;
            }
        }
        let inventory = Inventory::of(&root.join("inventory"), places);
        let cluster = |stated: &Value| {
            let objects = &objects[text(&stated["name"])];
            let tier = format!("{}/tier", inventory.label_domain());
            let namespaces = objects.iter().filter(|object| object["kind"] == "Namespace");
            Cluster {
                tiers: namespaces
                    .map(|namespace| (text(&namespace["metadata"]["name"]).to_owned(), text(&namespace["metadata"]["labels"][&tier]).to_owned()))
                    .collect(),
                ends: endpoints::on(&inventory, stated, objects),
                policies: Policies::of(Inventory::plugin(stated), objects.iter()),
                ports: inventory.ports(),
                stated: stated.clone(),
            }
        };
        let clusters = inventory.clusters.iter().map(cluster).collect();
        Self { clusters, inventory }
    }
}

impl Cluster {
    /// Who is there.
    pub fn end(&self, what: &str) -> &Endpoint {
        self.ends.iter().find(|end| end.what == what).unwrap_or_else(|| panic!("nobody is `{what}`: {:?}", self.ends.iter().map(|end| &end.what).collect::<Vec<_>>()))
    }

    /// The first thing that some policies let through and nobody declared, or that was declared and is not let through; and how much was asked.
    pub fn surprise(&self, inventory: &Inventory, policies: &Policies) -> (Option<Surprise>, usize) {
        let mut asked = 0;
        let ours = |end: &&Endpoint| end.namespace.as_ref().is_some_and(|namespace| self.tiers.contains_key(namespace) || namespace == "default");
        for pod in self.ends.iter().filter(ours) {
            for other in self.ends.iter().filter(|other| other.what != pod.what) {
                for direction in [Direction::Egress, Direction::Ingress] {
                    let declared = match direction {
                        Direction::Egress => inventory.lets_out(&self.stated, pod, other),
                        Direction::Ingress => inventory.lets_in(&self.stated, pod, other),
                    };
                    assert!(declared.is_subset(&self.ports));
                    asked += self.ports.len();
                    let open = policies.open(direction, pod, other, &self.ports);
                    if open != declared {
                        return (Some(self.tell(direction, pod, other, &open, &declared)), asked);
                    }
                }
            }
        }
        (None, asked)
    }

    /// The same with every namespace opened by mistake: what stands above namespaces then keeps the tiers apart, and the metadata service shut.
    pub fn surprise_when_open(&self, inventory: &Inventory, policies: &Policies) -> Option<Surprise> {
        let mut opened = policies.clone();
        for namespace in self.tiers.keys() {
            opened.of_namespaces.entry(namespace.clone()).or_default().push(json!({
                "kind": "NetworkPolicy",
                "spec": { "podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}] },
            }));
        }
        let tier = |end: &Endpoint| end.namespace.as_ref().and_then(|namespace| self.tiers.get(namespace));
        for pod in self.ends.iter().filter(|end| tier(end).is_some()) {
            for other in self.ends.iter().filter(|other| other.what != pod.what) {
                let elsewhere = tier(other).is_some_and(|of| tier(pod) != Some(of));
                let declared = if other.address.to_string() == "169.254.169.254" {
                    BTreeSet::new()
                } else if !elsewhere {
                    self.ports.clone()
                } else if Inventory::plugin(&self.stated) != "cilium" {
                    inventory.lets_out(&self.stated, pod, other)
                } else if inventory.crosses(&self.stated, pod, other) {
                    self.ports.clone()
                } else {
                    BTreeSet::new()
                };
                let open = opened.open(Direction::Egress, pod, other, &self.ports);
                if open != declared {
                    return Some(format!("in open namespaces: {}", self.tell(Direction::Egress, pod, other, &open, &declared)));
                }
            }
        }
        None
    }

    /// Whether the plugin has anything above namespaces.
    pub fn is_guarded(&self) -> bool {
        let cni = &self.stated["cni"];
        Inventory::plugin(&self.stated) == "cilium" || cni["version"] == "3.32"
    }

    fn tell(&self, direction: Direction, pod: &Endpoint, other: &Endpoint, open: &BTreeSet<Port>, declared: &BTreeSet<Port>) -> Surprise {
        let way = if direction == Direction::Egress { "to" } else { "from" };
        let (more, less): (Vec<_>, Vec<_>) = (open.difference(declared).collect(), declared.difference(open).collect());
        format!("{}: {} {way} {}: open but not declared {more:?}, declared but shut {less:?}", text(&self.stated["name"]), pod.what, other.what)
    }
}

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

/// What the inventory declares of a pod, an end that it may want to talk to, and a direction.
pub struct Declared<'a> {
    /// The pod.
    pub pod: &'a Endpoint,
    /// The other end.
    pub other: &'a Endpoint,
    /// Which way.
    pub direction: Direction,
    /// At which ports.
    pub ports: BTreeSet<Port>,
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
                let label = |key: &str| {
                    labels.as_object().unwrap().iter().find(|(name, _)| name.ends_with(key)).map(|(_, value)| text(value)).unwrap()
                };
                *places.entry((format!("{}/{}", label("/team"), label("/workload")), cluster.clone())).or_default() += 1;
            }
        }
        let inventory = Inventory::of(&root.join("inventory"), places);
        let cluster = |stated: &Value| {
            let objects = &objects[text(&stated["name"])];
            let tier = format!("{}/tier", inventory.label_domain());
            // Those of the platform have no tier, and are nobody's to close.
            let namespaces =
                objects.iter().filter(|object| object["kind"] == "Namespace" && object["metadata"]["labels"][&tier].is_string());
            Cluster {
                tiers: namespaces
                    .map(|namespace| {
                        (text(&namespace["metadata"]["name"]).to_owned(), text(&namespace["metadata"]["labels"][&tier]).to_owned())
                    })
                    .collect(),
                ends: endpoints::on(&inventory, stated, objects),
                policies: Policies::of(Inventory::plugin(stated), objects.iter()),
                ports: inventory.ports(),
                stated: stated.clone(),
            }
        };
        let clusters = inventory.clusters.iter().map(cluster).collect();
        Self { inventory, clusters }
    }
}

impl Cluster {
    /// Who is there, by what it is.
    pub fn end(&self, what: &str) -> &Endpoint {
        self.ends.iter().find(|end| end.what == what).unwrap_or_else(|| panic!("nobody is `{what}`"))
    }

    /// What the inventory declares of every pod that policies are for, with every other end.
    pub fn declared(&self, inventory: &Inventory) -> Vec<Declared<'_>> {
        let ours =
            |end: &&Endpoint| end.namespace.as_ref().is_some_and(|namespace| self.tiers.contains_key(namespace) || namespace == "default");
        let mut all = Vec::new();
        for pod in self.ends.iter().filter(ours) {
            for other in self.ends.iter().filter(|other| other.what != pod.what) {
                for direction in [Direction::Egress, Direction::Ingress] {
                    let ports = match direction {
                        Direction::Egress => inventory.lets_out(&self.stated, pod, other),
                        Direction::Ingress => inventory.lets_in(&self.stated, pod, other),
                    };
                    assert!(ports.is_subset(&self.ports));
                    all.push(Declared { pod, other, direction, ports });
                }
            }
        }
        all
    }

    /// What is declared with every namespace opened by mistake: what stands above namespaces then keeps the tiers apart, and the metadata
    /// service shut.
    pub fn declared_when_open(&self, inventory: &Inventory) -> Vec<Declared<'_>> {
        let tier = |end: &Endpoint| end.namespace.as_ref().and_then(|namespace| self.tiers.get(namespace));
        let mut all = Vec::new();
        for pod in self.ends.iter().filter(|end| tier(end).is_some()) {
            for other in self.ends.iter().filter(|other| other.what != pod.what) {
                let elsewhere = tier(other).is_some_and(|of| tier(pod) != Some(of));
                let ports = if other.address.to_string() == "169.254.169.254" {
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
                all.push(Declared { pod, other, direction: Direction::Egress, ports });
            }
        }
        all
    }

    /// Policies with every namespace opened by mistake.
    pub fn opened(&self, policies: &Policies) -> Policies {
        let mut opened = policies.clone();
        for namespace in self.tiers.keys() {
            opened.of_namespaces.entry(namespace.clone()).or_default().push(json!({
                "kind": "NetworkPolicy",
                "spec": { "podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}] },
            }));
        }
        opened
    }

    /// The first thing that policies let through and nobody declared, or that was declared and is shut; of pods in one namespace where that
    /// is given.
    pub fn surprise(&self, policies: &Policies, declared: &[Declared<'_>], namespace: Option<&str>) -> Option<Surprise> {
        declared.iter().filter(|declared| namespace.is_none_or(|namespace| declared.pod.is_in(namespace))).find_map(|declared| {
            let open = policies.open(declared.direction, declared.pod, declared.other, &self.ports);
            (open != declared.ports).then(|| self.tell(declared, &open))
        })
    }

    /// What scraping opens: exactly the scraped ports of each pod to exactly its Prometheus, and nothing the other way. How many pairs of a pod
    /// and a Prometheus there are; or the first surprise.
    pub fn opened_by_scraping(&self, inventory: &Inventory) -> Result<usize, Surprise> {
        let mut without = self.policies.clone();
        for policies in without.of_namespaces.values_mut() {
            policies.retain(|policy| !text(&policy["metadata"]["name"]).contains(".from.monitoring."));
        }
        let mut pairs = 0;
        for mut declared in self.declared(inventory) {
            let scraped = match declared.direction {
                Direction::Ingress => inventory.scrapes(&self.stated, declared.pod, declared.other),
                Direction::Egress => BTreeSet::new(),
            };
            pairs += usize::from(!scraped.is_empty());
            declared.ports = without.open(declared.direction, declared.pod, declared.other, &self.ports);
            declared.ports.extend(scraped);
            let open = self.policies.open(declared.direction, declared.pod, declared.other, &self.ports);
            if open != declared.ports {
                return Err(self.tell(&declared, &open));
            }
        }
        Ok(pairs)
    }

    /// How many ports each end is asked for.
    pub fn ports(&self) -> usize {
        self.ports.len()
    }

    /// Whether the plugin has anything above namespaces.
    pub fn is_guarded(&self) -> bool {
        let cni = &self.stated["cni"];
        Inventory::plugin(&self.stated) == "cilium" || cni["version"] == "3.32"
    }

    fn tell(&self, declared: &Declared<'_>, open: &BTreeSet<Port>) -> Surprise {
        let way = if declared.direction == Direction::Egress { "to" } else { "from" };
        let (more, less): (Vec<_>, Vec<_>) = (open.difference(&declared.ports).collect(), declared.ports.difference(open).collect());
        let (cluster, pod, other) = (text(&self.stated["name"]), &declared.pod.what, &declared.other.what);
        format!("{cluster}: {pod} {way} {other}: open but not declared {more:?}, declared but shut {less:?}")
    }
}

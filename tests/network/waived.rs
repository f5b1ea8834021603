//! What exemptions open, and nothing else; and load balancers, which let in everybody but the fleet.

use std::collections::BTreeMap;

use crate::matrix::{Cluster, Fleet};
use crate::policies::Direction::{self, Egress, Ingress};
use crate::program::Project;

const INVENTORY: &str = r#"
fleet: {apiVersion: ringfence/v1, name: acme, labelDomain: tier.acme.example}
tiers:
- {name: low, level: 10, podSecurity: restricted, isolation: pool}
- {name: high, level: 20, podSecurity: restricted, isolation: pool}
clusters:
- name: one
  tiers: [low, high]
  environment: production
  cni: PLUGIN
  provider: k3s
  network: {pods: [10.1.0.0/16], services: [10.2.0.0/16], nodes: [10.3.0.0/24], egress: [198.51.100.0/28]}
  nodePools: [{name: system, role: system}, {name: low, tier: low}, {name: high, tier: high}]
- name: two
  tiers: [low]
  environment: staging
  cni: weave
  provider: k3s
  network: {pods: [10.5.0.0/16], services: [10.6.0.0/16], nodes: [10.7.0.0/24], egress: [198.51.100.16/28]}
  nodePools: [{name: system, role: system}, {name: low, tier: low}]
teams: [{name: shop, clusters: [one]}, {name: bank}]
workloads:
- {name: free, team: shop, tier: low, kind: Deployment, image: "registry.acme.example/free:1", ports: [{name: http, port: 8080}]}
- {name: held, team: shop, tier: low, kind: Deployment, image: "registry.acme.example/held:1", ports: [{name: http, port: 8080}]}
- {name: files, team: bank, tier: low, clusters: [one, two], kind: Deployment, image: "registry.acme.example/files:1", ports: [{name: ftp, port: 2121}], expose: {type: LoadBalancer}}
- {name: ledger, team: bank, tier: high, kind: Deployment, image: "registry.acme.example/ledger:1", ports: [{name: http, port: 8080}]}
"#;

fn fleet(plugin: &str, exemptions: &[(&str, &str)]) -> Fleet {
    let waiver = |(rule, scope): &(&str, &str)| {
        format!("- {{rule: {rule}, scope: {{{scope}}}, owner: sre, approvedBy: board, reason: it is old, expires: 2099-12-31}}\n")
    };
    let waivers: String = exemptions.iter().map(waiver).collect();
    let waivers = if waivers.is_empty() { waivers } else { format!("exemptions:\n{waivers}") };
    let inventory = format!("{}{waivers}", INVENTORY.replace("PLUGIN", plugin));
    let project = Project::new(&BTreeMap::from([("inventory.yaml".to_owned(), inventory)]));
    project.generate();
    Fleet::of(&project.root)
}

const FREE: &str = "Deployment free in shop-low";
const HELD: &str = "Deployment held in shop-low";
const LEDGER: &str = "Deployment ledger in bank-high";
const FILES: &str = "Deployment files in bank-low";
const PLUGINS: [&str; 4] = ["weave", "cilium", "{name: calico, version: \"3.32\"}", "calico"];

/// Whether the port 8080 or 80 is open between two ends.
fn is_open(cluster: &Cluster, direction: Direction, pod: &str, other: &str) -> bool {
    let ports = [(80, "TCP"), (8080, "TCP")].into();
    !cluster.policies.open(direction, cluster.end(pod), cluster.end(other), &ports).is_empty()
}

#[test]
fn a_load_balancer_lets_in_everybody_but_the_fleet() {
    for plugin in PLUGINS {
        let fleet = fleet(plugin, &[]);
        for cluster in &fleet.clusters {
            assert_eq!(cluster.surprise(&cluster.policies, &cluster.declared(&fleet.inventory), None), None, "{plugin}");
        }
    }
}

#[test]
fn an_exemption_from_default_deny_opens_one_workload_within_its_tier() {
    for plugin in PLUGINS {
        let fleet = fleet(plugin, &[("default-deny", "workload: shop/free")]);
        let cluster = &fleet.clusters[0];
        for direction in [Egress, Ingress] {
            for other in [HELD, FILES, "something in kube-system", "8.8.8.8"] {
                assert!(is_open(cluster, direction, FREE, other), "{plugin}: {direction:?} {other}");
            }
            for other in [LEDGER, "an impostor in elsewhere", "169.254.169.254", "10.3.0.0", "10.5.0.0", "10.7.0.0"] {
                assert!(!is_open(cluster, direction, FREE, other), "{plugin}: {direction:?} {other}");
            }
            for other in [FREE, FILES, LEDGER, "8.8.8.8"] {
                assert!(!is_open(cluster, direction, HELD, other), "{plugin}: {direction:?} {other} of another workload");
            }
        }
        assert!(is_open(&fleet.clusters[0], Egress, FREE, "198.51.100.16"), "{plugin}: to an address like any other");
        assert!(!is_open(&fleet.clusters[0], Ingress, FREE, "198.51.100.16"), "{plugin}: from another cluster");
    }
}

#[test]
fn an_exemption_of_a_namespace_opens_its_workloads_and_no_pod_that_nobody_declared() {
    let fleet = fleet("weave", &[("default-deny", "namespace: shop-low")]);
    let cluster = &fleet.clusters[0];
    for pod in [FREE, HELD] {
        assert!(is_open(cluster, Egress, pod, "8.8.8.8") && is_open(cluster, Ingress, pod, FILES), "{pod}");
    }
    for pod in [LEDGER, "a stray pod in shop-low", FILES] {
        assert!(!is_open(cluster, Egress, pod, "8.8.8.8"), "{pod}");
    }
}

#[test]
fn an_exemption_from_the_metadata_service_opens_that_to_one_workload() {
    for plugin in PLUGINS {
        let fleet = fleet(plugin, &[("metadata-service", "workload: shop/free")]);
        let cluster = &fleet.clusters[0];
        assert!(is_open(cluster, Egress, FREE, "169.254.169.254"), "{plugin}");
        assert!(!is_open(cluster, Egress, HELD, "169.254.169.254"), "{plugin}");
        assert!(!is_open(cluster, Egress, FREE, "169.254.0.1"), "{plugin}");
        assert!(!is_open(cluster, Egress, FREE, "8.8.8.8"), "{plugin}");
        let at_other_ports =
            cluster.policies.open(Egress, cluster.end(FREE), cluster.end("169.254.169.254"), &[(443, "TCP"), (80, "UDP")].into());
        assert!(at_other_ports.is_empty(), "{plugin}");
        // The guard has exactly that hole.
        let opened = cluster.opened(&cluster.policies);
        let reaches = |pod| !opened.open(Egress, cluster.end(pod), cluster.end("169.254.169.254"), &[(80, "TCP")].into()).is_empty();
        assert!(reaches(FREE) && reaches(HELD) != cluster.is_guarded(), "{plugin}");
    }
}

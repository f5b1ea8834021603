//! The matrix notices what it is there for: every policy that is missing, and every one that says a little more than it should.

use serde_json::{Value, json};

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::declared::Inventory;
use crate::matrix::{Cluster, Fleet};
use crate::policies::{Policies, list, text};
use crate::program::{Project, repository};
use crate::small_fleet::fleet;

/// So many random fleets beside the sample: shared clusters with guards of both kinds are among them.
const FLEETS: usize = 6;

#[test]
fn a_policy_that_is_missing_or_too_wide_is_noticed() {
    let sample = Project::of(&repository().join("inventory"));
    sample.generate();
    let mut tried = check(&Fleet::of(&sample.root));
    assert!(tried > 300, "{tried}");
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[12; 32]));
    for _ in 0..FLEETS {
        let project = Project::new(&fleet(3, 2).new_tree(&mut runner).unwrap().current().inventory());
        project.generate();
        tried += check(&Fleet::of(&project.root));
    }
    assert!(tried > 500, "{tried}");
}

/// Tries every mutant of every policy of a fleet: how many there were.
fn check(fleet: &Fleet) -> usize {
    let mut tried = 0;
    let mut unnoticed = Vec::new();
    for cluster in &fleet.clusters {
        let declared = cluster.declared(&fleet.inventory);
        // Alone: what stands above namespaces would hide some of what is wrong in them.
        let mut alone = cluster.policies.clone();
        alone.of_cluster.clear();
        assert_eq!(cluster.surprise(&alone, &declared, None), None, "by the policies of namespaces alone");
        for (namespace, policies) in &cluster.policies.of_namespaces {
            for at in 0..policies.len() {
                for (what, mutant) in mutants(&policies[at], &unseen(cluster)) {
                    let mut changed = alone.clone();
                    let policies = changed.of_namespaces.get_mut(namespace).unwrap();
                    put(policies, at, mutant);
                    tried += 1;
                    if cluster.surprise(&changed, &declared, Some(namespace)).is_none() {
                        unnoticed.push(told(cluster, &cluster.policies.of_namespaces[namespace][at], &what));
                    }
                }
            }
        }
        let declared = cluster.declared_when_open(&fleet.inventory);
        for at in 0..cluster.policies.of_cluster.len() {
            for (what, mutant) in guards(&cluster.policies.of_cluster[at]) {
                let mut changed: Policies = cluster.opened(&cluster.policies);
                put(&mut changed.of_cluster, at, mutant);
                tried += 1;
                if cluster.surprise(&changed, &declared, None).is_none() {
                    unnoticed.push(told(cluster, &cluster.policies.of_cluster[at], &what));
                }
            }
        }
    }
    assert!(unnoticed.is_empty(), "{} of {tried} are not noticed:\n{}", unnoticed.len(), unnoticed.join("\n"));
    tried
}

fn put(policies: &mut Vec<Value>, at: usize, mutant: Option<Value>) {
    match mutant {
        Some(mutant) => policies[at] = mutant,
        None => drop(policies.remove(at)),
    }
}

fn told(cluster: &Cluster, policy: &Value, what: &str) -> String {
    let name = |key: &str| text(&policy["metadata"][key]).to_owned();
    format!("{} on {}: {} {}/{}", what, text(&cluster.stated["name"]), text(&policy["kind"]), name("namespace"), name("name"))
}

/// Ranges that a policy may as well not except: what goes to a Service arrives at its pods, and Cilium never takes a range for its own pods and
/// nodes.
fn unseen(cluster: &Cluster) -> Vec<Value> {
    let own: &[&str] = if Inventory::plugin(&cluster.stated) == "cilium" { &["services", "pods", "nodes"] } else { &["services"] };
    own.iter().flat_map(|key| list(&cluster.stated["network"][*key])).cloned().collect()
}

/// A policy of a namespace without it, and a little wider in every way.
fn mutants(policy: &Value, unseen: &[Value]) -> Vec<(String, Option<Value>)> {
    let mut all = vec![("without it".to_owned(), None)];
    let mut add = |what: &str, change: &dyn Fn(&mut Value)| {
        let mut mutant = policy.clone();
        change(&mut mutant["spec"]);
        if mutant != *policy {
            all.push((what.to_owned(), Some(mutant)));
        }
    };
    let selector = if policy["kind"] == "NetworkPolicy" { "podSelector" } else { "endpointSelector" };
    add("for every pod", &|spec| spec[selector] = json!({}));
    for (rules, ends) in [("ingress", "from"), ("egress", "to")] {
        for at in 0..list(&policy["spec"][rules]).len() {
            if policy["kind"] == "NetworkPolicy" {
                add("at every port", &|spec| drop(spec[rules][at].as_object_mut().unwrap().remove("ports")));
                add("at another port", &|spec| {
                    let more = json!({ "port": spec[rules][at]["ports"][0]["port"].as_u64().unwrap() + 1, "protocol": "TCP" });
                    spec[rules][at]["ports"].as_array_mut().unwrap().push(more);
                });
                add("with everybody", &|spec| drop(spec[rules][at].as_object_mut().unwrap().remove(ends)));
                for peer in 0..list(&policy["spec"][rules][at][ends]).len() {
                    let is_range = !policy["spec"][rules][at][ends][peer]["ipBlock"].is_null();
                    if is_range {
                        add("with a range twice as large", &|spec| widen(&mut spec[rules][at][ends][peer]["ipBlock"]["cidr"]));
                        add("with all of a range", &|spec| {
                            drop(spec[rules][at][ends][peer]["ipBlock"].as_object_mut().unwrap().remove("except"));
                        });
                        let excepted = list(&policy["spec"][rules][at][ends][peer]["ipBlock"]["except"]);
                        for except in (0..excepted.len()).filter(|at| !unseen.contains(&excepted[*at])) {
                            add(&format!("without the exception {}", excepted[except]), &|spec| {
                                drop(spec[rules][at][ends][peer]["ipBlock"]["except"].as_array_mut().unwrap().remove(except));
                            });
                        }
                    } else {
                        add("with pods of every namespace", &|spec| spec[rules][at][ends][peer]["namespaceSelector"] = json!({}));
                        add("with all pods of a namespace", &|spec| spec[rules][at][ends][peer]["podSelector"] = json!({}));
                    }
                }
            } else {
                add("at every port", &|spec| drop(spec[rules][at].as_object_mut().unwrap().remove("toPorts")));
                add("with everybody", &|spec| spec[rules][at][format!("{ends}Entities")] = json!(["all"]));
            }
        }
    }
    all
}

/// What stands above namespaces without it, and a little weaker in every way.
fn guards(policy: &Value) -> Vec<(String, Option<Value>)> {
    let mut all = vec![("without it".to_owned(), None)];
    let mut add = |what: String, change: &dyn Fn(&mut Value)| {
        let mut mutant = policy.clone();
        change(&mut mutant);
        all.push((what, Some(mutant)));
    };
    for at in 0..list(&policy["specs"]).len() {
        add(format!("without its part {at}"), &|policy| drop(policy["specs"].as_array_mut().unwrap().remove(at)));
    }
    for at in 0..list(&policy["spec"]["egress"]).len() {
        add(format!("without its rule {at}"), &|policy| drop(policy["spec"]["egress"].as_array_mut().unwrap().remove(at)));
        if policy["spec"]["egress"][at]["action"] == "Pass" {
            add(format!("with every port in its rule {at}"), &|policy| {
                drop(policy["spec"]["egress"][at].as_object_mut().unwrap().remove("protocols"));
            });
        }
    }
    all
}

fn widen(range: &mut Value) {
    let net: ipnet::IpNet = text(range).parse().unwrap();
    *range = net.supernet().map_or_else(|| range.clone(), |wider| wider.to_string().into());
}

#[test]
fn random_fleets_have_every_plugin() {
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[12; 32]));
    let mut found = std::collections::BTreeSet::new();
    for _ in 0..FLEETS {
        let project = Project::new(&fleet(3, 2).new_tree(&mut runner).unwrap().current().inventory());
        let inventory = Inventory::of(&project.root.join("inventory"), std::collections::BTreeMap::new());
        found.extend(inventory.clusters.iter().map(|cluster| Inventory::plugin(cluster).to_owned()));
    }
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["calico", "cilium", "weave"]);
}

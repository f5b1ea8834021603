//! Every name that an application dials leads to its target, and to nothing else: followed through the trees as a pod's packets go, from the
//! name's Service to the pods that are selected.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use serde_json::Value;

use crate::program::{Project, repository};
use crate::small_fleet::flows::environment;
use crate::small_fleet::{Fleet, fleet};
use crate::world::{End, World};

/// So many fleets.
const FLEETS: u32 = 80;

/// What the sample names but does not run: it must be set, even where no assistant runs.
const ABSENT: &str = "shoppingassistantservice:80";

#[test]
fn every_flow_of_any_small_fleet_ends_at_its_target_and_nothing_else_is_made() {
    let config = Config { cases: FLEETS, max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[10; 32]));
    let followed = RefCell::new([0_usize; 3]);
    let result = runner.run(&fleet(4, 2), |fleet| {
        holds(&fleet, &mut followed.borrow_mut());
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, fleet)) => panic!("{reason}\nthe smallest inventory that fails:\n{}", text(&fleet)),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
    let followed = followed.into_inner();
    assert!(followed.iter().all(|count| *count >= 20), "too few flows of a kind to prove anything: {followed:?}");
}

/// Counts the aliases within a cluster, through a listener's name, and through its address.
fn holds(fleet: &Fleet, followed: &mut [usize; 3]) {
    let project = Project::new(&fleet.inventory());
    project.run(["check", "--deny-warnings"]).expect(0);
    project.generate();
    let world = World::of(&project.root);
    let (mut aliases, mut addresses, mut callers) =
        (BTreeSet::new(), BTreeSet::new(), BTreeMap::<(String, String, String), BTreeSet<usize>>::new());
    for call in fleet.calls() {
        let target = call.pair.1;
        let cluster = format!("c{}", call.from);
        if call.from != call.to {
            let place = (format!("c{}", call.to), call.namespaces.1.clone(), format!("app-{target}"));
            callers.entry(place).or_default().insert(call.from);
            let stated = world.via(&format!("to-app-{target}"), &cluster);
            assert!(environment(call.from) == environment(call.to) || stated.is_some(), "{call:?} leaves its environment unasked");
        }
        let Some(alias) = &call.alias else { continue };
        let (namespace, target_namespace) = call.namespaces.clone();
        aliases.insert((cluster.clone(), namespace.clone(), alias.clone()));
        if let Some(address) = call.address() {
            addresses.insert((cluster.clone(), namespace.clone(), format!("{alias}-{}", address.replace('.', "-"))));
        }
        let end = world.follow(&cluster, &namespace, alias, call.port).unwrap_or_else(|why| panic!("{call:?}: {why}"));
        let expected = End { cluster: format!("c{}", call.to), namespace: target_namespace, workload: format!("app-{target}") };
        assert_eq!(end, expected, "{call:?}");
        followed[if call.from == call.to { 0 } else { 1 + target % 2 }] += 1;
    }
    assert_eq!(world.aliases("ExternalName"), aliases, "exactly the aliases that are asked for");
    assert_eq!(world.aliases("ClusterIP"), addresses, "exactly the addresses that aliases lead to");
    let ranges = callers.into_iter().map(|(place, callers)| {
        let ranges = callers.into_iter().flat_map(|caller| world.egress(&format!("c{caller}")));
        (place, ranges.collect::<BTreeSet<String>>())
    });
    let ranges: BTreeMap<_, _> = ranges.collect();
    assert_eq!(world.listeners(), ranges, "exactly the listeners that callers need, for exactly these");
}

#[test]
fn every_host_that_the_sample_s_configuration_names_leads_to_the_workload_of_that_name() {
    let project = Project::of(&repository().join("inventory"));
    project.generate();
    let world = World::of(&project.root);
    let (mut followed, mut absent) = (0, 0);
    for (cluster, namespace, workload, values) in world.configuration() {
        for value in values {
            let Some((host, port)) = value.split_once(':').filter(|(host, _)| host.starts_with(|c: char| c.is_ascii_lowercase())) else {
                continue;
            };
            let Ok(port) = port.parse() else { continue };
            let found = world.follow(&cluster, &namespace, host, port);
            if value == ABSENT {
                absent += usize::from(found.is_err());
                continue;
            }
            let end = found.unwrap_or_else(|why| panic!("`{value}` of {workload} @{cluster}: {why}"));
            assert_eq!(end.workload, host, "`{value}` of {workload} @{cluster}");
            assert_eq!(world.environment(&cluster), world.environment(&end.cluster), "`{value}` of {workload} @{cluster}");
            followed += 1;
        }
    }
    // On each of three clusters: 7 of the shop window and 6 of the checkout; beside them those of one namespace, and the settlement's.
    assert!(followed > 3 * (7 + 6), "{followed}");
    assert_eq!(absent, 3, "the assistant that does not run");
}

fn text(fleet: &Fleet) -> String {
    fleet.inventory().into_values().collect()
}

/// The texts within a value.
pub fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(entries) => entries.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

//! The sample and random fleets.

use std::cell::Cell;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::matrix::Fleet;
use crate::program::{Project, repository};
use crate::small_fleet::fleet;

/// So many fleets.
const FLEETS: u32 = 40;

/// So many of which only scraping is looked at.
const SCRAPED: u32 = 36;

/// Asks everything of every cluster: how much was asked.
fn holds(fleet: &Fleet) -> usize {
    let mut asked = 0;
    for cluster in &fleet.clusters {
        let declared = cluster.declared(&fleet.inventory);
        assert_eq!(cluster.surprise(&cluster.policies, &declared, None), None);
        asked += declared.len() * cluster.ports();
        if cluster.is_guarded() {
            let declared = cluster.declared_when_open(&fleet.inventory);
            assert_eq!(cluster.surprise(&cluster.opened(&cluster.policies), &declared, None), None, "in namespaces that are open");
        }
    }
    asked
}

#[test]
fn exactly_the_declared_flows_of_the_sample_are_open() {
    let project = Project::of(&repository().join("inventory"));
    project.generate();
    let asked = holds(&Fleet::of(&project.root));
    assert!(asked > 100_000, "{asked}");
}

/// What scraping opens on every cluster: so many pairs of a pod and a Prometheus.
fn scraped(fleet: &Fleet) -> usize {
    fleet.clusters.iter().map(|cluster| cluster.opened_by_scraping(&fleet.inventory).unwrap()).sum()
}

#[test]
fn scraping_opens_each_scraped_port_to_its_prometheus_and_nothing_else() {
    let sample = Project::of(&repository().join("inventory"));
    sample.generate();
    // One workload on three clusters; on two of them whatever is called Prometheus may come, and there are six.
    let sample = scraped(&Fleet::of(&sample.root));
    assert!(sample > 3, "{sample}");
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[13; 32]));
    let mut pairs = 0;
    for _ in 0..SCRAPED {
        let project = Project::new(&fleet(4, 2).new_tree(&mut runner).unwrap().current().inventory());
        project.generate();
        pairs += scraped(&Fleet::of(&project.root));
    }
    assert!(pairs > 10, "{pairs}");
}

#[test]
fn exactly_the_declared_flows_of_any_small_fleet_are_open() {
    let config = Config { cases: FLEETS, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]));
    let asked = Cell::new(0);
    let result = runner.run(&fleet(4, 2), |fleet| {
        let project = Project::new(&fleet.inventory());
        project.generate();
        asked.set(asked.get() + holds(&Fleet::of(&project.root)));
        Ok(())
    });
    match result {
        Ok(()) => assert!(asked.get() > 1_000_000, "{}", asked.get()),
        Err(TestError::Fail(reason, fleet)) => {
            panic!("{reason}\nthe smallest inventory that fails:\n{}", fleet.inventory().into_values().collect::<String>())
        }
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

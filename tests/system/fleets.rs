//! Any small valid inventory is taken, generated, called clean and built.

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::judge::{builds, judge};
use crate::program::Project;
use crate::small_fleet::{Fleet, fleet};

/// So many fleets.
const FLEETS: u32 = 32;

#[test]
fn any_small_fleet_checks_clean_generates_and_builds() {
    let judge = judge();
    let config = Config { cases: FLEETS, max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[8; 32]));
    let result = runner.run(&fleet(4, 2), |fleet| {
        let project = Project::new(&fleet.inventory());
        project.run(["check"]).expect(0);
        let tree = project.generate();
        project.run(["generate", "--check", "--jobs", "1"]).expect(0);
        assert_eq!(project.generate(), tree, "the second run changed something");
        if let Some(judge) = &judge {
            builds(judge, &project);
        }
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, fleet)) => panic!("{reason}\nthe smallest inventory that fails:\n{}", text(&fleet)),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

fn text(fleet: &Fleet) -> String {
    fleet.inventory().into_values().collect()
}

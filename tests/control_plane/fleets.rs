//! Inventories beside the sample: random ones, and applications of the real world. The real programs take their trees, and act on them as
//! the inventory says.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::apply;
use crate::etcd::Etcd;
use crate::judges::Judges;
use crate::plane::Plane;
use crate::program::Project;
use crate::runner::Verdict;
use crate::session::{accepted, guarded, none};
use crate::small_fleet::fleet;
use crate::stated::Cluster;
use crate::{mistakes, nodes, permissions, scheduling};

/// So many fleets.
const FLEETS: u32 = 4;
/// So many mistakes in the objects of each cluster.
const MISTAKES: usize = 30;
/// A failing fleet is made smaller at most so often.
const SHRINKS: u32 = 12;

/// Random fleets, the same in every run; one that fails is made as small as it goes.
pub fn random(judges: &Judges, etcd: &Etcd) -> Verdict {
    let config = Config { cases: FLEETS, max_shrink_iters: SHRINKS, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]));
    let result = runner.run(&fleet(3, 1), |fleet| {
        guarded(|| holds(judges, etcd, &Project::new(&fleet.inventory()))).map_err(proptest::test_runner::TestCaseError::fail)
    });
    result.map_err(|error| match error {
        TestError::Fail(why, fleet) => {
            format!("{why}\nthe smallest inventory that fails:\n{}", fleet.inventory().into_values().collect::<String>())
        }
        TestError::Abort(why) => why.to_string(),
    })
}

/// The project in a folder.
pub fn application(judges: &Judges, etcd: &Etcd, folder: &Path) -> Verdict {
    holds(judges, etcd, &Project::of(&folder.join("inventory")))
}

fn holds(judges: &Judges, etcd: &Etcd, project: &Project) -> Verdict {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    project.generate();
    let built = judges.build(&project.output())?;
    for cluster in Cluster::all(&project.root).into_iter().filter(|cluster| !cluster.workloads.is_empty()) {
        let layers = apply::layers(&built, &cluster.name);
        let plane = Plane::start(
            judges,
            etcd,
            &format!("fleet-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            &apply::groups(layers.values().flatten()),
        );
        accepted(&plane, &layers)?;
        plane.start_components();
        nodes::add(&plane, &cluster);
        none("pods are not on their tier's nodes", &scheduling::misplaced(&plane, &cluster))?;
        permissions::verdict(&plane, &cluster)?;
        mistakes::verdict(&plane, &cluster, &layers.values().flatten().cloned().collect::<Vec<_>>(), MISTAKES)?;
        none("pods without placement are on a tier's nodes", &scheduling::strays(&plane, &cluster))?;
    }
    Ok(())
}

//! Kubernetes' own programs on generated trees: a real API server, scheduler, authorizer and controllers.
//!
//! `cargo test --test control_plane FILTER` runs those whose name has the filter in it. `tests/live/build` makes the programs,
//! `RINGFENCE_JUDGE` says where they are.

#![allow(clippy::unwrap_used, reason = "a test fails where its setting does")]

#[path = "control_plane/apply.rs"]
mod apply;
#[path = "control_plane/attempt.rs"]
mod attempt;
#[path = "control_plane/attempts.rs"]
mod attempts;
#[path = "control_plane/client.rs"]
mod client;
#[path = "control_plane/daemon.rs"]
mod daemon;
#[path = "control_plane/definitions.rs"]
mod definitions;
#[path = "control_plane/etcd.rs"]
mod etcd;
#[path = "control_plane/fleets.rs"]
mod fleets;
#[path = "control_plane/guardrails.rs"]
mod guardrails;
#[path = "control_plane/judges.rs"]
mod judges;
#[path = "control_plane/mistakes.rs"]
mod mistakes;
#[path = "control_plane/moved.rs"]
mod moved;
#[path = "control_plane/nodes.rs"]
mod nodes;
#[path = "control_plane/permissions.rs"]
mod permissions;
#[path = "control_plane/plane.rs"]
mod plane;
#[path = "control_plane/resources.rs"]
mod resources;
#[path = "control_plane/restart.rs"]
mod restart;
#[path = "control_plane/scheduling.rs"]
mod scheduling;
#[path = "control_plane/session.rs"]
mod session;
#[path = "control_plane/stated.rs"]
mod stated;
#[path = "control_plane/waiting.rs"]
mod waiting;

#[path = "support/arguments.rs"]
mod arguments;
#[path = "support/program.rs"]
mod program;
#[path = "support/random.rs"]
mod random;
#[path = "support/runner.rs"]
mod runner;
#[path = "support/small_fleet.rs"]
mod small_fleet;

use std::process::ExitCode;

use arguments::Arguments;
use etcd::Etcd;
use judges::Judges;
use program::{Project, repository};
use runner::Verdict;
use session::{Session, guarded};
use stated::Cluster;

/// How many control planes live at a time.
const THREADS: usize = 3;
/// The test of random fleets.
const FLEETS: &str = "random/fleets";
/// The test of workloads that move.
const MOVED: &str = "moved/accepted";

/// What a thread does at a time.
enum Unit<'a> {
    Cluster(Box<Session<'a>>),
    Fleets,
    Moved,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse(std::env::args().skip(1));
    let Some(judges) = Judges::find() else {
        if arguments.list {
            return runner::list([]);
        }
        program::not_run("Kubernetes' own programs on generated trees: RINGFENCE_JUDGE names no judge (tests/live/build makes one)");
        return runner::run::<()>(&[], 0, 0, 0, |(), _| {});
    };
    let project = Project::of(&repository().join("inventory"));
    project.generate();
    let built = judges.build(&project.output()).unwrap();
    let [attacks, uses] = ["attacks", "uses"].map(|folder| attempt::all(&repository().join("tests").join(folder)));
    let controls = attempt::controls(&repository().join("tests/attacks"));
    let sessions = Cluster::all(&project.root).into_iter().map(|cluster| Session {
        name: format!("sample/{}", cluster.name),
        layers: apply::layers(&built, &cluster.name),
        attacks: attacks.iter().filter(|attack| attack.cluster == cluster.name).collect(),
        uses: uses.iter().filter(|attempt| attempt.cluster == cluster.name).collect(),
        controls: &controls,
        cluster,
    });
    // What takes longest begins first.
    let mut sessions: Vec<_> = sessions.collect();
    sessions.sort_by_key(|session| std::cmp::Reverse(session.attacks.len()));
    let units: Vec<Unit<'_>> =
        [Unit::Fleets, Unit::Moved].into_iter().chain(sessions.into_iter().map(|session| Unit::Cluster(Box::new(session)))).collect();
    let total = units.iter().flat_map(Unit::names).count();
    let wanted = |name: &str| arguments.want(name);
    let units: Vec<_> = units.into_iter().filter(|unit| unit.names().iter().any(|name| wanted(name))).collect();
    let names: Vec<String> = units.iter().flat_map(Unit::names).filter(|name| wanted(name)).collect();
    if arguments.list {
        return runner::list(names.iter().map(String::as_str));
    }
    let etcd = Etcd::start(&judges);
    definitions::install(&judges, &etcd);
    session::keep_panics();
    runner::run(&units, THREADS, names.len(), total - names.len(), |unit, say| unit.run(&judges, &etcd, &wanted, say))
}

impl Unit<'_> {
    fn names(&self) -> Vec<String> {
        match self {
            Self::Cluster(session) => session.names(),
            Self::Fleets => vec![FLEETS.to_owned()],
            Self::Moved => vec![MOVED.to_owned()],
        }
    }

    fn run(&self, judges: &Judges, etcd: &Etcd, wanted: &dyn Fn(&str) -> bool, say: &dyn Fn(&str, Verdict)) {
        match self {
            Self::Cluster(session) => session.run(judges, etcd, wanted, say),
            Self::Fleets => say(FLEETS, guarded(|| fleets::verdict(judges, etcd))),
            Self::Moved => say(MOVED, guarded(|| moved::verdict(judges, etcd))),
        }
    }
}

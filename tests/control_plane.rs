//! Kubernetes' own programs on generated trees: a real API server, scheduler, authorizer and controllers.
//!
//! `cargo test --test control_plane FILTER` runs those whose name has the filter in it. `tests/live/build` makes the programs,
//! `RINGFENCE_JUDGE` says where they are.

#![allow(clippy::unwrap_used, reason = "a test fails where its setting does")]

#[path = "control_plane/alerts.rs"]
mod alerts;
#[path = "control_plane/appliers.rs"]
mod appliers;
#[path = "control_plane/apply.rs"]
mod apply;
#[path = "control_plane/archives.rs"]
mod archives;
#[path = "control_plane/attempt.rs"]
mod attempt;
#[path = "control_plane/attempts.rs"]
mod attempts;
#[path = "control_plane/audit.rs"]
mod audit;
#[path = "control_plane/bootstrap.rs"]
mod bootstrap;
#[path = "control_plane/client.rs"]
mod client;
#[path = "control_plane/costs.rs"]
mod costs;
#[path = "control_plane/daemon.rs"]
mod daemon;
#[path = "control_plane/dashboards.rs"]
mod dashboards;
#[path = "control_plane/definitions.rs"]
mod definitions;
#[path = "control_plane/delivery.rs"]
mod delivery;
#[path = "control_plane/emergency.rs"]
mod emergency;
#[path = "control_plane/emitted.rs"]
mod emitted;
#[path = "control_plane/etcd.rs"]
mod etcd;
#[path = "control_plane/expressions.rs"]
mod expressions;
#[path = "control_plane/fleets.rs"]
mod fleets;
#[path = "control_plane/flux.rs"]
mod flux;
#[path = "control_plane/guardrails.rs"]
mod guardrails;
#[path = "control_plane/issuer.rs"]
mod issuer;
#[path = "control_plane/judges.rs"]
mod judges;
#[path = "control_plane/kms.rs"]
mod kms;
#[path = "control_plane/kubelets.rs"]
mod kubelets;
#[path = "control_plane/large_roles.rs"]
mod large_roles;
#[path = "control_plane/lifetime.rs"]
mod lifetime;
#[path = "control_plane/loopback.rs"]
mod loopback;
#[path = "control_plane/metrics.rs"]
mod metrics;
#[path = "control_plane/mistakes.rs"]
mod mistakes;
#[path = "control_plane/moved.rs"]
mod moved;
#[path = "control_plane/names.rs"]
mod names;
#[path = "control_plane/nodes.rs"]
mod nodes;
#[path = "control_plane/obedience.rs"]
mod obedience;
#[path = "control_plane/permissions.rs"]
mod permissions;
#[path = "control_plane/plain.rs"]
mod plain;
#[path = "control_plane/plane.rs"]
mod plane;
#[path = "control_plane/prometheus.rs"]
mod prometheus;
#[path = "control_plane/refusals.rs"]
mod refusals;
#[path = "control_plane/resources.rs"]
mod resources;
#[path = "control_plane/restart.rs"]
mod restart;
#[path = "control_plane/roles.rs"]
mod roles;
#[path = "control_plane/scheduling.rs"]
mod scheduling;
#[path = "control_plane/scraping.rs"]
mod scraping;
#[path = "control_plane/server.rs"]
mod server;
#[path = "control_plane/session.rs"]
mod session;
#[path = "control_plane/stand_ins.rs"]
mod stand_ins;
#[path = "control_plane/stated.rs"]
mod stated;
#[path = "control_plane/waiting.rs"]
mod waiting;

#[path = "support/arguments.rs"]
mod arguments;
#[allow(dead_code, reason = "shared; this uses a part")]
#[path = "support/program.rs"]
mod program;
#[path = "support/random.rs"]
mod random;
#[path = "support/runner.rs"]
mod runner;
#[path = "support/small_fleet.rs"]
mod small_fleet;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::Value;

use arguments::Arguments;
use etcd::Etcd;
use judges::Judges;
use plane::Plane;
use program::{Project, repository};
use runner::Verdict;
use session::{Session, guarded};
use stated::Cluster;

/// How many control planes live at a time: each waits more than it works.
const THREADS: usize = 3;
const FLEETS: &str = "random/fleets";
/// The test of workloads that move.
const MOVED: &str = "moved/accepted";
const RULES: &str = "sample/rules";
const ALERTS: &str = "sample/alerts";
/// The test of a Prometheus without an operator.
const PLAIN: &str = "sample/plain";
const DASHBOARDS: &str = "sample/dashboards";
const LIFETIME: &str = "lifetime";
/// The test of a roll-out.
const AUDIT: &str = "audit/attacks";

/// What a thread does at a time.
enum Unit<'a> {
    Fleets,
    Cluster(Box<Session<'a>>),
    Flux(Box<Cluster>),
    Delivery,
    Bootstrap(String),
    ArgocdApplier,
    Emergency,
    LargeRoles,
    Moved,
    Refusals,
    Audit,
    Application(PathBuf),
    Scraping,
    Rules,
    Alerts,
    Plain,
    Dashboards,
    Lifetime,
}

/// What all units share.
struct Suite {
    judges: Judges,
    etcd: Etcd,
    /// The sample, generated.
    project: Project,
    /// The sample for the server's own minor, where its nodes and control planes are looked at.
    own: Option<Project>,
    /// Its trees, as kustomize builds them.
    built: BTreeMap<String, Vec<Value>>,
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
    let built = match judges.build(&project.output()) {
        Ok(built) => built,
        Err(why) => return runner::fail(&why),
    };
    let [attacks, uses] = ["attacks", "uses"].map(|folder| attempt::all(&repository().join("tests").join(folder)));
    let controls = attempt::controls(&repository().join("tests/attacks"));
    let clusters = Cluster::all(&project.root);
    let flux = clusters.iter().cloned().map(Box::new).map(Unit::Flux);
    let bootstrap: Vec<_> = clusters.iter().map(|cluster| Unit::Bootstrap(cluster.name.clone())).collect();
    let mut sessions: Vec<_> = clusters
        .iter()
        .cloned()
        .map(|cluster| Session {
            name: format!("sample/{}", cluster.name),
            layers: apply::layers(&built, &cluster.name),
            attacks: attacks.iter().filter(|attack| attack.cluster == cluster.name).collect(),
            uses: uses.iter().filter(|attempt| attempt.cluster == cluster.name).collect(),
            controls: &controls,
            cluster,
        })
        .collect();
    let tried: usize = sessions.iter().map(|session| session.attacks.len() + session.uses.len()).sum();
    if tried != attacks.len() + uses.len() {
        return runner::fail("an attempt names a cluster that the sample fleet does not have");
    }
    // What takes longest begins first.
    sessions.sort_by_key(|session| std::cmp::Reverse(session.attacks.len()));
    let sessions = sessions.into_iter().map(|session| Unit::Cluster(Box::new(session)));
    let applications = attempt::folders(&repository().join("tests/system/applications")).into_iter().map(Unit::Application);
    let units: Vec<Unit<'_>> = [
        Unit::Fleets,
        Unit::Audit,
        Unit::Delivery,
        Unit::ArgocdApplier,
        Unit::Emergency,
        Unit::LargeRoles,
        Unit::Moved,
        Unit::Refusals,
        Unit::Scraping,
    ]
    .into_iter()
    .chain(sessions)
    .chain(flux)
    .chain(bootstrap)
    .chain(applications)
    .chain([Unit::Rules, Unit::Alerts, Unit::Plain, Unit::Dashboards, Unit::Lifetime])
    .collect();
    let total = units.iter().flat_map(Unit::names).count();
    let wanted = |name: &str| arguments.want(name);
    let names: Vec<String> = units.iter().flat_map(Unit::names).filter(|name| wanted(name)).collect();
    if arguments.list {
        return runner::list(names.iter().map(String::as_str));
    }
    let units: Vec<_> = units.into_iter().filter(|unit| unit.names().iter().any(|name| wanted(name))).collect();
    let is_bootstrap = |unit: &Unit<'_>| matches!(unit, Unit::Bootstrap(_));
    let own = units.iter().any(is_bootstrap).then(|| bootstrap::project(&judges));
    let suite = Suite { etcd: Etcd::start(&judges), judges, project, own, built };
    definitions::install(&suite.judges, &suite.etcd);
    session::keep_panics();
    runner::run(&units, THREADS, names.len(), total - names.len(), |unit, say| unit.run(&suite, &wanted, say))
}

impl Unit<'_> {
    fn names(&self) -> Vec<String> {
        match self {
            Self::Fleets => vec![FLEETS.to_owned()],
            Self::Cluster(session) => session.names(),
            Self::Flux(cluster) => vec![format!("flux/{}", cluster.name)],
            Self::Delivery => delivery::NAMES.map(str::to_owned).to_vec(),
            Self::Bootstrap(cluster) => bootstrap::names(cluster),
            Self::ArgocdApplier => vec![appliers::ARGOCD.to_owned()],
            Self::Emergency => vec![emergency::NAME.to_owned()],
            Self::LargeRoles => vec![large_roles::NAME.to_owned()],
            Self::Moved => vec![MOVED.to_owned()],
            Self::Refusals => vec![refusals::NAME.to_owned()],
            Self::Audit => vec![AUDIT.to_owned()],
            Self::Application(folder) => vec![format!("application/{}", attempt::name(folder))],
            Self::Scraping => scraping::names(),
            Self::Rules => vec![RULES.to_owned()],
            Self::Alerts => vec![ALERTS.to_owned()],
            Self::Plain => vec![PLAIN.to_owned()],
            Self::Dashboards => vec![DASHBOARDS.to_owned()],
            Self::Lifetime => vec![LIFETIME.to_owned()],
        }
    }

    fn run(&self, suite: &Suite, wanted: &dyn Fn(&str) -> bool, say: &dyn Fn(&str, Verdict)) {
        match self {
            Self::Fleets => say(FLEETS, guarded(|| fleets::random(&suite.judges, &suite.etcd))),
            Self::Cluster(session) => session.run(&suite.judges, &suite.etcd, wanted, say),
            Self::Flux(cluster) => say(&self.names()[0], guarded(|| suite.flux(cluster))),
            Self::Delivery => delivery::run(&suite.judges, &suite.etcd, &suite.built, wanted, say),
            Self::Audit => say(AUDIT, guarded(|| suite.audit())),
            Self::Bootstrap(cluster) => {
                let project = suite.own.as_ref().expect("it is made where such a test is wanted");
                bootstrap::run(&suite.judges, &suite.etcd, project, cluster, wanted, say);
            }
            Self::ArgocdApplier => {
                let layers = |cluster: &str| apply::layers(&suite.built, cluster);
                say(appliers::ARGOCD, guarded(|| appliers::argocd(&suite.judges, &suite.etcd, &suite.project, &layers)));
            }
            Self::Emergency => {
                let steady = apply::layers(&suite.built, "restricted-tokyo");
                say(emergency::NAME, guarded(|| emergency::verdict(&suite.judges, &suite.etcd, &suite.project, &steady)));
            }
            Self::LargeRoles => {
                let layers = apply::layers(&suite.built, "shared-tokyo");
                say(large_roles::NAME, guarded(|| large_roles::verdict(&suite.judges, &suite.etcd, &layers)));
            }
            Self::Moved => say(MOVED, guarded(|| moved::verdict(&suite.judges, &suite.etcd))),
            Self::Refusals => say(refusals::NAME, guarded(|| refusals::verdict(&suite.judges, &suite.etcd))),
            Self::Application(folder) => say(&self.names()[0], guarded(|| fleets::application(&suite.judges, &suite.etcd, folder))),
            Self::Scraping => scraping::run(&suite.judges, &suite.etcd, say),
            Self::Rules => say(RULES, guarded(|| prometheus::verdict(&suite.judges, suite.built.values().flatten()))),
            Self::Alerts => {
                let plain = plain::rules(&suite.project.output());
                say(ALERTS, guarded(|| alerts::verdict(&suite.judges, repository(), suite.built.values().flatten().chain(&plain))));
            }
            Self::Plain => say(PLAIN, guarded(|| plain::verdict(&suite.judges, &suite.project, &suite.built))),
            Self::Dashboards => {
                say(DASHBOARDS, guarded(|| dashboards::verdict(&suite.judges, repository(), suite.built.values().flatten())));
            }
            Self::Lifetime => say(LIFETIME, guarded(|| lifetime::verdict(&suite.judges))),
        }
    }
}

impl Suite {
    /// What policies would refuse on a cluster on which they only warn and log.
    fn audit(&self) -> Verdict {
        let tests = repository().join("tests");
        let attacks = attempt::all(&tests.join("attacks"));
        audit::verdict(&self.judges, &self.etcd, &self.project, &attacks, &attempt::controls(&tests.join("attacks")))
    }

    /// Flux brings a cluster of the sample up from nothing.
    fn flux(&self, cluster: &Cluster) -> Verdict {
        let layers = apply::layers(&self.built, &cluster.name);
        let sync = self.built.get(&format!("delivery/flux/{}", cluster.name)).ok_or("there are no sync objects for it")?;
        let groups = apply::groups(layers.values().flatten().chain(sync));
        let plane = Plane::start(&self.judges, &self.etcd, &format!("flux-{}", cluster.name), &groups);
        flux::verdict(&plane, &self.judges, &self.project, cluster, &layers, sync)
    }
}

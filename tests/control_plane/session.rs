//! One cluster's tree on one control plane: applied, scheduled, asked about, used, attacked, restarted.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use crate::apply::{self, Layers};
use crate::attempt::{Attempt, Without};
use crate::attempts::Ground;
use crate::client::User;
use crate::etcd::Etcd;
use crate::judges::Judges;
use crate::plane::Plane;
use crate::runner::Verdict;
use crate::stated::Cluster;
use crate::{costs, expressions, metrics, mistakes, names, nodes, permissions, restart, scheduling};

/// How many mistakes are made in the objects of a cluster.
const MISTAKES: usize = 150;

/// Those of its tests that look at what is refused: where everything is let in and logged, `audit/attacks` looks instead.
const REFUSALS: [&str; 4] = ["metrics", "strays", "costs", "names"];

/// The last test of a session: the control plane has outlived all of it, with every control put back.
const ALIVE: &str = "alive";

/// A cluster, its tree and what is to be tried on it.
pub struct Session<'a> {
    /// What begins the names of its tests.
    pub name: String,
    /// What its inventory states.
    pub cluster: Cluster,
    /// Its tree.
    pub layers: Layers,
    /// Attacks on it.
    pub attacks: Vec<&'a Attempt>,
    /// Honest uses of it.
    pub uses: Vec<&'a Attempt>,
    /// How each control is taken away.
    pub controls: &'a BTreeMap<String, Without>,
}

impl Session<'_> {
    /// The names of its tests.
    pub fn names(&self) -> Vec<String> {
        let fixed = [
            "accepted",
            "expressions",
            "guard-costs",
            "metrics",
            "scheduled",
            "strays",
            "permissions",
            "mistakes",
            "costs",
            "names",
            "restart",
            ALIVE,
        ]
        .into_iter()
        .filter(|test| self.cluster.enforced || !REFUSALS.contains(test))
        .map(str::to_owned);
        let attacks = self.attacks.iter().map(|attack| attack_name(attack));
        let uses = self.uses.iter().map(|attempt| use_name(attempt));
        fixed.chain(uses).chain(attacks).map(|test| format!("{}/{test}", self.name)).collect()
    }

    /// Runs those of its tests that are wanted, and says their verdicts.
    pub fn run(&self, judges: &Judges, etcd: &Etcd, wanted: &dyn Fn(&str) -> bool, say: &dyn Fn(&str, Verdict)) {
        let tests = Tests { session: &self.name, wanted, say, said: RefCell::default() };
        let start = || Plane::start(judges, etcd, &self.name.replace('/', "-"), &apply::groups(self.layers.values().flatten()));
        let stopped = guarded(|| self.run_on(&start(), &tests));
        // Whatever stopped the session has stopped all tests that were still to come.
        for name in self.names() {
            tests.say(&name[self.name.len() + 1..], || stopped.clone().and(Err("it was never tried".to_owned())));
        }
    }

    fn run_on(&self, plane: &Plane<'_>, tests: &Tests<'_>) -> Verdict {
        let accepted = guarded(|| accepted(plane, &self.layers));
        tests.say("accepted", || accepted.clone());
        if accepted.is_err() {
            return Err("the tree was not accepted".to_owned());
        }
        plane.start_components();
        nodes::add(plane, &self.cluster);
        tests.say("expressions", || expressions::verdict(plane));
        tests.say("guard-costs", || expressions::costs(plane, &self.cluster));
        tests.say("scheduled", || none("pods are not on their tier's nodes", &scheduling::misplaced(plane, &self.cluster)));
        tests.say("permissions", || permissions::verdict(plane, &self.cluster));
        tests.say("mistakes", || mistakes::verdict(plane, &self.cluster, &self.objects(), MISTAKES));
        if self.cluster.enforced {
            tests.say("metrics", || metrics::of_api_server(plane, &self.cluster));
            tests.say("strays", || none("pods without placement are on a tier's nodes", &scheduling::strays(plane, &self.cluster)));
            tests.say("costs", || costs::verdict(plane, &self.cluster));
            tests.say("names", || names::verdict(plane, &self.cluster));
        }
        crate::attempts::appoint_administrator(plane)?;
        let ground = Ground { plane, cluster: &self.cluster, layers: &self.layers, controls: self.controls };
        for attempt in &self.uses {
            tests.say(&use_name(attempt), || ground.goes_through(attempt).map_err(|why| attempt.says(&why)));
        }
        self.attack(&ground, tests)?;
        tests.say("restart", || restart::survives(plane));
        plane.assert_alive();
        tests.say(ALIVE, || Ok(()));
        Ok(())
    }

    /// Tries attacks: each with every control in place, then all that one control stops without it.
    fn attack(&self, ground: &Ground<'_>, tests: &Tests<'_>) -> Verdict {
        let mut by_control: BTreeMap<&str, Vec<&Attempt>> = BTreeMap::new();
        for attack in self.attacks.iter().filter(|attack| tests.want(&attack_name(attack))) {
            let stopped = guarded(|| ground.stopped(attack));
            match stopped {
                Ok(()) => by_control.entry(attack.control()).or_default().push(attack),
                Err(why) => tests.say(&attack_name(attack), || Err(attack.says(&why))),
            }
        }
        for (name, attacks) in by_control {
            let control = self.controls.get(name).ok_or_else(|| format!("controls.yaml has no `{name}`"))?;
            let mut by: Vec<User> = Vec::new();
            for attack in &attacks {
                if !by.contains(&attack.by) {
                    by.push(attack.by.clone());
                }
            }
            ground.take_away(control, &by);
            for attack in &attacks {
                tests.say(&attack_name(attack), || ground.succeeds(attack).map_err(|why| attack.says(&why)));
            }
            ground.put_back(control, &by);
        }
        Ok(())
    }

    fn objects(&self) -> Vec<Value> {
        self.layers.values().flatten().cloned().collect()
    }
}

/// The tests of a session: which are wanted, and which have their verdict.
struct Tests<'a> {
    session: &'a str,
    wanted: &'a dyn Fn(&str) -> bool,
    say: &'a dyn Fn(&str, Verdict),
    said: RefCell<BTreeSet<String>>,
}

impl Tests<'_> {
    fn want(&self, test: &str) -> bool {
        (self.wanted)(&format!("{}/{test}", self.session))
    }

    /// Looks for the verdict of a test that is wanted and has none yet, and says it.
    fn say(&self, test: &str, look: impl FnOnce() -> Verdict) {
        if self.want(test) && self.said.borrow_mut().insert(test.to_owned()) {
            (self.say)(&format!("{}/{test}", self.session), guarded(look));
        }
    }
}

/// Every object is accepted without a warning, layer after layer, and a second time nothing changes.
pub fn accepted(plane: &Plane<'_>, layers: &Layers) -> Verdict {
    let first = apply::apply(plane, layers);
    none("objects are not accepted as they are", &first.complaints)?;
    if first.objects.is_empty() {
        return Err("there is no object in the tree".to_owned());
    }
    let second = apply::apply(plane, layers);
    none("objects are not accepted a second time", &second.complaints)?;
    let changed = first.objects.iter().filter(|(path, object)| content(object) != content(&second.objects[*path]));
    let changed = changed.map(|(path, object)| format!("{path}\n{object}\n{}", second.objects[path]));
    none("objects change when they are applied again", &changed.collect::<Vec<_>>())
}

/// An object without its version: the server writes some claims a second time though nothing in them is other than before.
pub fn content(object: &Value) -> Value {
    let mut object = object.clone();
    object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    object
}

/// A verdict from what was found, which should be nothing.
pub fn none(what: &str, found: &[String]) -> Verdict {
    if found.is_empty() { Ok(()) } else { Err(format!("{} {what}:\n{}", found.len(), found.join("\n"))) }
}

thread_local! {
    /// Where and why this thread has panicked last.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what panics say for [`guarded`], which makes verdicts of them.
pub fn keep_panics() {
    std::panic::set_hook(Box::new(|info| PANIC.set(info.to_string())));
}

/// A panic of a test is its failure, not that of the others.
pub fn guarded<T>(look: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(look)).unwrap_or_else(|_| Err(PANIC.take()))
}

fn attack_name(attack: &Attempt) -> String {
    format!("attacks/{}", attack.name)
}

fn use_name(attempt: &Attempt) -> String {
    format!("uses/{}", attempt.name)
}

//! One cluster's tree on one control plane: applied, scheduled, asked about, used, attacked, restarted.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use crate::apply::{self, Layers};
use crate::attempt::{Attempt, Without, administrator};
use crate::attempts::{Ground, unlimited};
use crate::client::User;
use crate::etcd::Etcd;
use crate::judges::Judges;
use crate::plane::Plane;
use crate::runner::Verdict;
use crate::stated::Cluster;
use crate::{mistakes, nodes, permissions, restart, scheduling};

/// How many mistakes are made in the objects of a cluster.
const MISTAKES: usize = 150;

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
        let fixed = ["accepted", "scheduled", "strays", "permissions", "mistakes", "restart"].map(str::to_owned).into_iter();
        let attacks = self.attacks.iter().map(|attack| attack_name(attack));
        let uses = self.uses.iter().map(|attempt| use_name(attempt));
        fixed.chain(uses).chain(attacks).map(|test| format!("{}/{test}", self.name)).collect()
    }

    /// Runs those of its tests that are wanted, and says their verdicts.
    pub fn run(&self, judges: &Judges, etcd: &Etcd, wanted: &dyn Fn(&str) -> bool, say: &dyn Fn(&str, Verdict)) {
        let wanted = |test: &str| wanted(&format!("{}/{test}", self.name));
        let said = |test: &str, verdict: Verdict| {
            if wanted(test) {
                say(&format!("{}/{test}", self.name), verdict);
            }
        };
        let plane = match guarded(|| Ok(Plane::start(judges, etcd, &self.name.replace('/', "-")))) {
            Ok(plane) => plane,
            Err(why) => return self.names().iter().filter(|name| wanted(name)).for_each(|name| say(name, Err(why.clone()))),
        };
        let accepted = guarded(|| accepted(&plane, &self.layers));
        let usable = accepted.is_ok();
        said("accepted", accepted);
        if !usable {
            let prefix = format!("{}/", self.name);
            let others = self.names().into_iter().filter(|name| !name.ends_with("/accepted"));
            return others.for_each(|name| said(name.trim_start_matches(&prefix), Err("the tree was not accepted".to_owned())));
        }
        plane.start_components();
        nodes::add(&plane, &self.cluster);
        let test = |test: &str, look: &dyn Fn() -> Verdict| {
            if wanted(test) {
                said(test, guarded(look));
            }
        };
        test("scheduled", &|| none("pods are not on their tier's nodes", scheduling::misplaced(&plane, &self.cluster)));
        test("strays", &|| none("pods without placement are on a tier's nodes", scheduling::strays(&plane, &self.cluster)));
        test("permissions", &|| permissions::verdict(&plane, &self.cluster));
        test("mistakes", &|| mistakes::verdict(&plane, &self.cluster, &self.objects(), MISTAKES));
        plane.masters.post(crate::attempts::BINDINGS, &unlimited(&administrator())).ok().unwrap();
        let ground = Ground { plane: &plane, cluster: &self.cluster, layers: &self.layers };
        for attempt in &self.uses {
            test(&use_name(attempt), &|| ground.goes_through(attempt));
        }
        let attacks = self.attacks.iter().filter(|attack| wanted(&attack_name(attack))).copied().collect();
        self.attack(&ground, attacks, &said);
        test("restart", &|| restart::survives(&plane));
        plane.assert_alive();
    }

    /// Tries attacks: each with every control in place, then all that one control stops without it.
    fn attack(&self, ground: &Ground<'_>, attacks: Vec<&Attempt>, said: &dyn Fn(&str, Verdict)) {
        let mut by_control: BTreeMap<&str, Vec<&Attempt>> = BTreeMap::new();
        for attack in attacks {
            match guarded(|| ground.stopped(attack)) {
                Ok(()) => by_control.entry(attack.control()).or_default().push(attack),
                failed => said(&attack_name(attack), failed),
            }
        }
        for (name, attacks) in by_control {
            let Some(control) = self.controls.get(name) else {
                attacks.iter().for_each(|attack| said(&attack_name(attack), Err(format!("controls.yaml has no `{name}`"))));
                continue;
            };
            let by: Vec<User> = attacks.iter().map(|attack| attack.by.clone()).fold(Vec::new(), |mut by, user| {
                if !by.contains(&user) {
                    by.push(user);
                }
                by
            });
            ground.take_away(control, &by);
            for attack in &attacks {
                said(&attack_name(attack), guarded(|| ground.succeeds(attack)));
            }
            ground.put_back(control, &by);
        }
    }

    fn objects(&self) -> Vec<Value> {
        self.layers.values().flatten().cloned().collect()
    }
}

/// Every object is accepted without a warning, layer after layer, and a second time nothing changes.
pub fn accepted(plane: &Plane<'_>, layers: &Layers) -> Verdict {
    let first = apply::apply(plane, layers);
    none("objects are not accepted as they are", first.complaints)?;
    if first.versions.is_empty() {
        return Err("there is no object in the tree".to_owned());
    }
    let second = apply::apply(plane, layers);
    none("objects are not accepted a second time", second.complaints)?;
    let changed = first.versions.iter().filter(|(path, version)| second.versions.get(*path) != Some(version));
    none("objects change when they are applied again", changed.map(|(path, _)| path.clone()).collect())
}

/// A verdict from what was found, which should be nothing.
pub fn none(what: &str, found: Vec<String>) -> Verdict {
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

//! Tries attacks and honest uses on a control plane that has a cluster's tree.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::apply::{self, Layers};
use crate::attempt::{Attempt, PodRef, Request, Stopped, Without};
use crate::client::{Answer, Client, Patch, User};
use crate::guardrails;
use crate::nodes;
use crate::obedience;
use crate::plane::Plane;
use crate::resources::describe;
use crate::scheduling::{Verdict, verdict};
use crate::stated::Cluster;
use crate::waiting::{eventually, until};

/// How an honest use says that a pod is on a node of no tier.
const SYSTEM: &str = "system";

/// Where attempts are made.
pub struct Ground<'a> {
    /// The control plane.
    pub plane: &'a Plane<'a>,
    /// What its inventory states.
    pub cluster: &'a Cluster,
    /// The tree that was applied.
    pub layers: &'a Layers,
    /// How each control is taken away.
    pub controls: &'a BTreeMap<String, Without>,
}

/// What an attempt changed, to be undone.
#[derive(Default)]
struct Traces {
    /// Paths of what was made.
    made: Vec<String>,
    /// What stood at a path before.
    before: Vec<(String, Value)>,
}

impl Ground<'_> {
    /// An attack with every control in place: it must be stopped, by the control that it names and as it says.
    pub fn stopped(&self, attack: &Attempt) -> Result<(), String> {
        let stopped = attack.stopped.as_ref().ok_or("an attack says what stops it")?;
        self.with_attempt(attack, |answer| self.is_stopped(attack, stopped, answer))
    }

    /// The same attack with the control taken away: it must succeed, or the first verdict shows nothing.
    pub fn succeeds(&self, attack: &Attempt) -> Result<(), String> {
        let stopped = attack.stopped.as_ref().ok_or("an attack says what stops it")?;
        let mut last = Ok(());
        // A control goes some time after it was taken away.
        let went_through = eventually(|| {
            last = self.with_attempt(attack, |answer| self.is_through(attack, stopped, answer));
            last.is_ok().then_some(())
        });
        went_through.ok_or_else(|| format!("without the control `{}` it does not succeed either: {}", stopped.by, last.unwrap_err()))
    }

    /// An honest use: it must go through.
    pub fn goes_through(&self, attempt: &Attempt) -> Result<(), String> {
        self.with_attempt(attempt, |answer| {
            let warnings = answer.warnings.join("; ");
            answer.ok()?;
            match &attempt.pod {
                None => {}
                Some(pods) => self.is_placed(pods)?,
            }
            if warnings.is_empty() { Ok(()) } else { Err(format!("warned: {warnings}")) }
        })
    }

    /// An attack where policies only warn and log: it goes through, with a warning that has such a text in it.
    pub fn is_warned_of(&self, attack: &Attempt, text: &str) -> Result<(), String> {
        self.with_attempt(attack, |answer| {
            let warnings = answer.warnings.join("; ");
            answer.ok()?;
            if warnings.contains(text) { Ok(()) } else { Err(format!("`{text}` is not in the warnings: {warnings}")) }
        })
    }

    /// Takes a control away.
    pub fn take_away(&self, control: &Without, by: &[User]) {
        let namespaces = || self.objects().filter(|object| object["kind"] == "Namespace");
        if let Some(prefix) = &control.namespace_labels {
            for namespace in namespaces() {
                let labels = namespace["metadata"]["labels"].as_object().unwrap().keys().filter(|key| key.starts_with(prefix.as_str()));
                let change =
                    json!({ "metadata": { "labels": labels.map(|key| (key.clone(), Value::Null)).collect::<serde_json::Map<_, _>>() } });
                self.plane.masters.patch(&self.path(namespace), Patch::Merge, &change).ok().unwrap();
            }
        }
        if control.taints {
            self.each_node(|node, _| nodes::set_taints(self.plane, node, &json!([])));
        }
        let mut deleted = 0;
        for object in self.chosen(control) {
            self.plane.masters.delete(&self.path(object)).ok().unwrap();
            deleted += 1;
        }
        assert!(control.objects.is_none() || deleted > 0, "the tree of {} has none of {:?}", self.cluster.name, control.objects);
        if let Some(plugin) = &control.plugin {
            self.plane.restart(&[plugin]);
        }
        if control.limits {
            for user in by {
                self.plane.masters.post(BINDINGS, &unlimited(user)).ok().unwrap();
            }
        }
        guardrails::settle(self.plane);
    }

    /// Puts it back.
    pub fn put_back(&self, control: &Without, by: &[User]) {
        if control.taints {
            self.each_node(|node, taints| nodes::set_taints(self.plane, node, taints));
        }
        if control.plugin.is_some() {
            self.plane.restart(&[]);
        }
        if control.limits {
            for user in by {
                self.plane.masters.delete(&format!("{BINDINGS}/{}", unlimited(user)["metadata"]["name"].as_str().unwrap())).ok().unwrap();
            }
        }
        if control.namespace_labels.is_some() || control.objects.is_some() {
            let applied = apply::apply(self.plane, self.layers);
            assert!(applied.complaints.is_empty(), "{:?}", applied.complaints);
        }
        guardrails::settle(self.plane);
    }

    /// Makes an attempt, looks at what came of it, and undoes it.
    fn with_attempt(&self, attempt: &Attempt, look: impl FnOnce(Answer) -> Result<(), String>) -> Result<(), String> {
        let mut traces = Traces::default();
        let administrator = self.plane.client(&crate::attempt::administrator());
        let older = attempt.older_than.as_ref().map(|control| &self.controls[control]);
        older.inspect(|control| self.take_away(control, &[]));
        let mut result = Ok(());
        for request in &attempt.before {
            let client = request.by.as_ref().map_or_else(|| administrator.clone(), |by| self.plane.client(by));
            result = result
                .and_then(|()| self.send(&client, attempt, request, &mut traces).ok().map(drop))
                .map_err(|why| format!("before: {why}"));
        }
        older.inspect(|control| self.put_back(control, &[]));
        let result = result.and_then(|()| look(self.send(&self.plane.client(&attempt.by), attempt, &attempt.request, &mut traces)));
        let pods = attempt.pod.iter().chain(attempt.stopped.iter().filter_map(|stopped| stopped.pods.as_ref()));
        self.undo(&traces, pods);
        result
    }

    fn send(&self, client: &Client, attempt: &Attempt, request: &Request, traces: &mut Traces) -> Answer {
        let masters = &self.plane.masters;
        let at = |object: &Value, own: &dyn Fn() -> String| -> String {
            assert!(object["kind"].is_string(), "the request says no kind");
            request.at.clone().unwrap_or_else(own)
        };
        // What lives at a subresource alone, such as a Scale, is kept as the object that has the subresource.
        let place = |object: &Value| match (&request.at, self.plane.resources.path(object)) {
            (Some(at), Err(_)) => at.rsplit_once('/').unwrap().0.to_owned(),
            _ => self.path(object),
        };
        let keep = |object: &Value, traces: &mut Traces| {
            let path = place(object);
            if let Ok(before) = masters.get(&path).ok() {
                traces.before.push((path, before));
            }
        };
        let Request { read, create, merge, replace, delete, .. } = request;
        match (read, create, merge, replace, delete) {
            (Some(path), None, None, None, None) => client.get(path),
            (None, Some(object), None, None, None) => {
                if request.at.is_none() {
                    traces.made.push(self.path(object));
                }
                let mut object = object.clone();
                if let Some(tier) = &attempt.tier {
                    obedience::complete(&mut object, &self.cluster.label_domain, tier, &self.cluster.rules[tier]);
                }
                client.post(&at(&object, &|| self.plane.resources.collection(&object).unwrap()), &object)
            }
            (None, None, Some(object), None, None) => {
                keep(object, traces);
                client.patch(&at(object, &|| place(object)), Patch::Merge, object)
            }
            (None, None, None, Some(object), None) => {
                keep(object, traces);
                client.put(&at(object, &|| place(object)), object)
            }
            (None, None, None, None, Some(object)) => {
                keep(object, traces);
                client.delete(&at(object, &|| place(object)))
            }
            _ => panic!("a request is one of read, create, merge, replace, delete"),
        }
    }

    fn undo<'p>(&self, traces: &Traces, pods: impl Iterator<Item = &'p PodRef>) {
        let masters = &self.plane.masters;
        for path in traces.made.iter().rev() {
            if path.contains("/pods/") {
                masters.patch(path, Patch::Merge, &json!({ "metadata": { "finalizers": null } }));
            }
            masters.delete(path);
        }
        for (path, object) in traces.before.iter().rev().filter(|(path, _)| !traces.made.contains(path)) {
            let mut object = object.clone();
            for key in ["resourceVersion", "uid", "managedFields", "creationTimestamp", "generation"] {
                object["metadata"].as_object_mut().unwrap().remove(key);
            }
            let now = masters.get(path);
            let mut back = if now.is_ok() { masters.put(path, &object) } else { masters.post(path.rsplit_once('/').unwrap().0, &object) };
            // A custom resource is not replaced without it.
            if back.message().contains("metadata.resourceVersion") {
                object["metadata"]["resourceVersion"] = now.body["metadata"]["resourceVersion"].clone();
                back = masters.put(path, &object);
            }
            assert!(back.is_ok(), "{path} cannot be put back: {}", back.message());
        }
        for path in &traces.made {
            until(&format!("{path} is gone"), || {
                let gone = masters.get(path).status == 404;
                if !gone {
                    self.end_pods();
                }
                gone.then_some(())
            });
        }
        // Those of the tree's own workloads stay.
        for pods in pods.filter(|_| !traces.made.is_empty()) {
            until("its pods are gone", || {
                let left = self.all_pods(pods);
                for pod in &left {
                    masters.delete(&self.path(pod));
                }
                left.is_empty().then_some(())
            });
        }
    }

    /// Stands in for the kubelets: pods that are bound and were told to end have ended. A namespace does not go before they have.
    fn end_pods(&self) {
        let told = |pod: &Value| !pod["metadata"]["deletionTimestamp"].is_null();
        for pod in self.plane.masters.list("/api/v1/pods").into_iter().filter(told) {
            self.plane.masters.delete(&self.path(&with_kind(pod)));
        }
    }

    fn is_stopped(&self, attack: &Attempt, stopped: &Stopped, answer: Answer) -> Result<(), String> {
        match stopped {
            Stopped { refused: Some(text), without_pods: None, never_on: None, .. } => match answer.ok() {
                Ok(_) => Err("it was admitted".to_owned()),
                Err(why) if why.contains(text.as_str()) => Ok(()),
                Err(why) => Err(format!("it was refused, but `{text}` is not in: {why}")),
            },
            Stopped { without_pods: Some(text), refused: None, never_on: None, .. } => {
                let object = answer.ok()?;
                let path = format!("/api/v1/namespaces/{}/events", object["metadata"]["namespace"].as_str().unwrap());
                let name = object["metadata"]["name"].as_str().unwrap();
                let said = until("a controller was refused pods", || {
                    let events = self.plane.masters.list(&path);
                    let about = |event: &&Value| event["involvedObject"]["name"].as_str().is_some_and(|about| about.starts_with(name));
                    events.iter().filter(about).find(|event| event["reason"] == "FailedCreate").map(|event| event["message"].to_string())
                });
                if said.contains(text.as_str()) { Ok(()) } else { Err(format!("no pods, but `{text}` is not in: {said}")) }
            }
            Stopped { never_on: Some(tier), refused: None, without_pods: None, .. } => {
                answer.ok()?;
                let verdicts = self.verdicts(&attack.pods(stopped));
                let there = verdicts.iter().find(|verdict| self.tier_of(verdict) == Some(tier));
                there.map_or(Ok(()), |verdict| Err(format!("a pod is there: {verdict:?}")))
            }
            _ => panic!("{}: `stopped` says exactly one of refused, withoutPods, neverOn", attack.name),
        }
    }

    fn is_through(&self, attack: &Attempt, stopped: &Stopped, answer: Answer) -> Result<(), String> {
        answer.ok()?;
        if stopped.without_pods.is_some() {
            let pods = attack.pods(stopped);
            eventually(|| (!self.pods(&pods).is_empty()).then_some(())).ok_or("no pods")?;
        }
        if let Some(tier) = &stopped.never_on {
            let pods = attack.pods(stopped);
            let there = |pod: &Value| verdict(pod).is_some_and(|verdict| self.tier_of(&verdict) == Some(tier));
            let arrived = eventually(|| self.pods(&pods).iter().any(there).then_some(()));
            arrived.ok_or_else(|| format!("no pod is there: {:?}", self.verdicts(&pods)))?;
        }
        Ok(())
    }

    fn is_placed(&self, pods: &PodRef) -> Result<(), String> {
        let verdicts = self.verdicts(pods);
        let Some(tier) = &pods.on else { return Ok(()) };
        let there = |verdict: &Verdict| match tier.as_str() {
            SYSTEM => matches!(verdict, Verdict::On(_)) && self.tier_of(verdict).is_none(),
            tier => self.tier_of(verdict) == Some(tier),
        };
        let elsewhere = verdicts.iter().find(|verdict| !there(verdict));
        elsewhere.map_or(Ok(()), |verdict| Err(format!("a pod is not on a node of the tier {tier}: {verdict:?}")))
    }

    /// Waits until there are such pods and each has its verdict.
    fn verdicts(&self, pods: &PodRef) -> Vec<Verdict> {
        until("the pods have their verdicts", || {
            let verdicts: Option<Vec<Verdict>> = self.pods(pods).iter().map(verdict).collect();
            verdicts.filter(|verdicts| !verdicts.is_empty())
        })
    }

    /// The pods that are meant, those aside that are about to go.
    fn pods(&self, pods: &PodRef) -> Vec<Value> {
        self.all_pods(pods).into_iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).collect()
    }

    fn all_pods(&self, pods: &PodRef) -> Vec<Value> {
        let namespace = format!("/api/v1/namespaces/{}/pods", pods.namespace);
        let found: Vec<Value> = match (&pods.name, &pods.label) {
            (Some(name), None) => self.plane.masters.get(&format!("{namespace}/{name}")).ok().into_iter().collect(),
            (None, Some(label)) => self.plane.masters.list(&format!("{namespace}?labelSelector={label}")),
            _ => panic!("pods are meant by a name or by a label"),
        };
        found.into_iter().map(with_kind).collect()
    }

    fn tier_of(&self, verdict: &Verdict) -> Option<&str> {
        match verdict {
            Verdict::On(node) => self.cluster.tier_of_node(node),
            Verdict::Unschedulable(_) => None,
        }
    }

    fn chosen<'a>(&'a self, control: &'a Without) -> impl Iterator<Item = &'a Value> {
        let chosen = |object: &Value| {
            control.objects.iter().flatten().any(|which| {
                object["kind"] == which.kind.as_str() && which.name.as_ref().is_none_or(|name| object["metadata"]["name"] == name.as_str())
            })
        };
        self.objects().filter(move |object| chosen(object))
    }

    fn objects(&self) -> impl Iterator<Item = &Value> {
        self.layers.values().flatten()
    }

    fn each_node(&self, mut act: impl FnMut(&str, &Value)) {
        for pool in &self.cluster.pools {
            let taints = nodes::taints(self.cluster, pool);
            pool.nodes.iter().for_each(|node| act(node, &taints));
        }
    }

    fn path(&self, object: &Value) -> String {
        self.plane.resources.path(object).unwrap_or_else(|why| panic!("{}: {why}", describe(object)))
    }
}

impl Attempt {
    /// A message with what was tried.
    pub fn says(&self, why: &str) -> String {
        format!("{}\n{why}", self.title)
    }

    /// The control that stops it.
    pub fn control(&self) -> &str {
        self.stopped.as_ref().map_or("", |stopped| stopped.by.as_str())
    }

    /// The pods that an attack is about: those that it names, or the one that it creates.
    fn pods(&self, stopped: &Stopped) -> PodRef {
        let created = || {
            let metadata = &self.request.create.as_ref().expect("the attack names its pods")["metadata"];
            let text = |key: &str| metadata[key].as_str().unwrap().to_owned();
            PodRef { namespace: text("namespace"), name: Some(text("name")), label: None, on: None }
        };
        stopped.pods.clone().unwrap_or_else(created)
    }
}

/// Where bindings of cluster-wide roles live.
pub const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";

/// Makes somebody an administrator.
fn unlimited(user: &User) -> Value {
    let (kind, name) =
        user.groups.first().filter(|_| !user.user.starts_with("system:")).map_or(("User", &user.user), |group| ("Group", group));
    administers(name, &json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name }))
}

/// Appoints the administrator of the attempts, and waits until the server has heard of it.
pub fn appoint_administrator(plane: &Plane<'_>) -> Result<(), String> {
    let user = crate::attempt::administrator();
    plane.masters.post(BINDINGS, &unlimited(&user)).ok()?;
    let question = json!({ "verb": "create", "group": "", "resource": "pods", "namespace": "default" });
    until("the administrator is one", || plane.masters.may(&user, &question).then_some(()));
    Ok(())
}

/// The binding that makes a subject `cluster-admin`.
pub fn administers(name: &str, subject: &Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": { "name": format!("tests:{name}") },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [subject],
    })
}

/// Objects of a list do not say their kind.
fn with_kind(mut pod: Value) -> Value {
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod
}

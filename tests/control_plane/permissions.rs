//! The permission matrix: what the inventory grants, held against the real authorizer, yes and no.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::client::User;
use crate::plane::Plane;
use crate::roles;
use crate::runner::Verdict;
use crate::session::none;
use crate::stated::{Cluster, Rule};

/// What is worth asking about anybody, as `verbs group/resource`; nothing before the slash is the core group.
const OF_INTEREST: [&str; 57] = [
    "get,list,watch,create,update,patch,delete,deletecollection /pods",
    "get /pods/log",
    "get,create /pods/exec",
    "get,create /pods/attach",
    "get,create /pods/portforward",
    "get,create /pods/proxy",
    "create /pods/binding",
    "create /pods/eviction",
    "patch /pods/status",
    "patch /pods/ephemeralcontainers",
    "create /bindings",
    "get,list,update,delete /configmaps",
    "get,list,watch,create,update,patch,delete /secrets",
    "get,create,delete /services",
    "get /services/proxy",
    "get,create,delete /persistentvolumeclaims",
    "get,create,impersonate /serviceaccounts",
    "create /serviceaccounts/token",
    "create,update,delete /resourcequotas",
    "create,update,delete /limitranges",
    "list /events",
    "get,patch,delete /namespaces",
    "update /namespaces/status",
    "update /namespaces/finalize",
    "get,list,create,patch,delete /nodes",
    "patch /nodes/status",
    "get,create /nodes/proxy",
    "get /nodes/metrics",
    "get,create,delete /persistentvolumes",
    "impersonate /users",
    "impersonate /groups",
    "get,create,patch,delete apps/deployments",
    "patch apps/deployments/scale",
    "create,patch apps/statefulsets",
    "patch apps/statefulsets/scale",
    "create,patch apps/daemonsets",
    "create,delete batch/jobs",
    "create,patch batch/cronjobs",
    "get,create,update,delete networking.k8s.io/networkpolicies",
    "create,update networking.k8s.io/ingresses",
    "get,create,update,patch,delete,bind,escalate rbac.authorization.k8s.io/roles",
    "get,create,update,patch,delete rbac.authorization.k8s.io/rolebindings",
    "get,create,update,patch,delete,bind,escalate rbac.authorization.k8s.io/clusterroles",
    "create,update,delete rbac.authorization.k8s.io/clusterrolebindings",
    "create,update certificates.k8s.io/certificatesigningrequests/approval",
    "approve,sign certificates.k8s.io/signers",
    "create,update,delete admissionregistration.k8s.io/validatingadmissionpolicies",
    "create,update,delete admissionregistration.k8s.io/validatingadmissionpolicybindings",
    "create,update,delete admissionregistration.k8s.io/mutatingwebhookconfigurations",
    "create,delete scheduling.k8s.io/priorityclasses",
    "create,delete storage.k8s.io/storageclasses",
    "get,patch,create,delete cluster.x-k8s.io/machinedeployments",
    "get,patch cluster.x-k8s.io/machinedeployments/scale",
    "get,patch cluster.x-k8s.io/clusters",
    "patch karpenter.sh/nodepools",
    "create kustomize.toolkit.fluxcd.io/kustomizations",
    "create argoproj.io/applications",
];
/// Namespaces outside the tiers that are asked about beside those of workloads.
const OTHERS: [&str; 3] = ["kube-system", "kube-public", "default"];

/// Somebody, and what the inventory grants them.
struct Subject {
    user: User,
    /// What holds on the whole cluster.
    everywhere: Vec<Rule>,
    /// What holds in a namespace.
    within: BTreeMap<String, Vec<Rule>>,
}

impl Subject {
    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.everywhere.iter().chain(self.within.values().flatten())
    }

    fn may(&self, question: &Value) -> bool {
        let within = self.within.get(question["namespace"].as_str().unwrap_or_default());
        self.everywhere.iter().chain(within.into_iter().flatten()).any(|rule| rule.covers(question))
    }
}

/// What came of asking.
#[derive(Default)]
struct Outcome {
    /// How many questions were answered yes.
    yes: usize,
    /// How many were answered no.
    no: usize,
    /// The answers that are not what the inventory says.
    wrong: Vec<String>,
}

/// Every answer is what the inventory says. There must be a yes where it grants something, and a no always.
pub fn verdict(plane: &Plane<'_>, cluster: &Cluster) -> Verdict {
    let outcome = ask(plane, cluster);
    none("answers of the authorizer are not what the inventory grants", &outcome.wrong)?;
    let granted = subjects(cluster).iter().any(|subject| subject.rules().next().is_some());
    if outcome.no == 0 || granted == (outcome.yes == 0) {
        return Err(format!("this shows nothing: {} times yes, {} times no", outcome.yes, outcome.no));
    }
    Ok(())
}

/// Asks about every group of the inventory and every workload's identity, in every namespace.
fn ask(plane: &Plane<'_>, cluster: &Cluster) -> Outcome {
    let mut outcome = Outcome::default();
    let all = cluster.namespaces.keys().chain(&cluster.looked_at).map(String::as_str).chain(OTHERS);
    let namespaces: BTreeSet<&str> = all.collect();
    for subject in subjects(cluster) {
        for namespace in &namespaces {
            let own = subject.rules().flat_map(questions_of);
            for question in OF_INTEREST.iter().flat_map(|line| questions(line)).chain(own) {
                let mut question = question;
                question["namespace"] = (*namespace).into();
                let expected = subject.may(&question);
                let answer = plane.masters.may(&subject.user, &question);
                if answer {
                    outcome.yes += 1;
                } else {
                    outcome.no += 1;
                }
                if answer != expected {
                    let may = if answer { "may" } else { "may not" };
                    outcome.wrong.push(format!("{:?} {may}: {question}", subject.user));
                }
            }
        }
    }
    outcome
}

/// Everybody whom the inventory names: every group, one at a time, every workload's account, and every Prometheus.
fn subjects(cluster: &Cluster) -> Vec<Subject> {
    let people = cluster.groups.iter().map(|group| person(cluster, group));
    let accounts =
        cluster.workloads.iter().map(|workload| (workload.namespace.as_str(), workload.name.as_str(), workload.api_access.clone()));
    let defaults = cluster.namespaces.keys().map(|namespace| (namespace.as_str(), "default", Vec::new()));
    let accounts = accounts.chain(defaults).map(|(namespace, name, rules)| Subject {
        user: account(namespace, name),
        everywhere: Vec::new(),
        within: BTreeMap::from([(namespace.to_owned(), rules)]),
    });
    let scrapers = cluster.scrapers.iter().map(|scraper| {
        let everywhere = [
            (scraper.plain && scraper.tier.is_none()).then_some("scraper-of-nodes"),
            scraper.tier.is_none().then_some("scraper-of-the-cluster"),
        ];
        let platform = scraper.platform.iter().map(|namespace| (namespace.clone(), roles::rules("scraper-of-the-platform", false)));
        let tiers = scraper.tiers.iter().map(|namespace| (namespace.clone(), roles::rules("scraper", false)));
        Subject {
            user: account(&scraper.namespace, &scraper.account),
            everywhere: everywhere.into_iter().flatten().flat_map(|role| roles::rules(role, false)).collect(),
            within: platform.chain(tiers).collect(),
        }
    });
    people.chain(accounts).chain(scrapers).collect()
}

fn account(namespace: &str, name: &str) -> User {
    User {
        user: format!("system:serviceaccount:{namespace}:{name}"),
        groups: vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")],
    }
}

fn person(cluster: &Cluster, group: &str) -> Subject {
    let user = User { user: format!("somebody of {group}"), groups: vec![group.to_owned()] };
    let (mut everywhere, mut within) = (Vec::new(), BTreeMap::<String, Vec<Rule>>::new());
    for grant in cluster.grants.iter().filter(|grant| grant.group == group) {
        let Some(namespaces) = &grant.namespaces else {
            everywhere.extend(roles::rules(&grant.role, false));
            continue;
        };
        for namespace in namespaces {
            let exec = cluster.namespaces.get(namespace).is_some_and(|tier| grant.exec.contains(tier));
            within.entry(namespace.clone()).or_default().extend(roles::rules(&grant.role, exec));
        }
    }
    Subject { user, everywhere, within }
}

/// The questions of a line of [`OF_INTEREST`].
fn questions(line: &str) -> impl Iterator<Item = Value> {
    let (verbs, what) = line.split_once(' ').unwrap();
    let (group, resource) = what.split_once('/').unwrap();
    verbs.split(',').map(move |verb| question(verb, group, resource))
}

/// A question for everything that a rule grants.
fn questions_of(rule: &Rule) -> impl Iterator<Item = Value> {
    let names: Vec<Option<&str>> = rule.names.as_ref().map_or(vec![None], |names| names.iter().map(|name| Some(name.as_str())).collect());
    rule.verbs.iter().flat_map(move |verb| {
        let names = names.clone();
        rule.groups.iter().flat_map(move |group| {
            let names = names.clone();
            rule.resources.iter().flat_map(move |resource| {
                names.clone().into_iter().map(move |name| {
                    let mut question = question(verb, group, resource);
                    if let Some(name) = name {
                        question["name"] = name.into();
                    }
                    question
                })
            })
        })
    })
}

fn question(verb: &str, group: &str, resource: &str) -> Value {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    json!({ "verb": verb, "group": group, "resource": resource, "subresource": subresource })
}

//! Who applies each cluster's tree: the Flux in it, an Argo CD instance, the repository and the revision that both read.
//!
//! The most specific `delivery` (the cluster's, else the one of its tiers, else the fleet's) says which tools there are; a key that it leaves
//! out of a tool is as the less specific one says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::clusters::{Clusters, Host};
use super::tiers::Tiers;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;
use crate::inventory::fleet::{self, FluxSource, Repository};
use crate::source::{Span, Spanned};

/// Annotations by which both delivery tools never prune an object, whatever goes missing from git.
pub fn never_pruned() -> Map<String, Value> {
    let annotations = [("argocd.argoproj.io/sync-options", "Delete=false,Prune=false"), ("kustomize.toolkit.fluxcd.io/prune", "disabled")];
    annotations.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect()
}

/// How a cluster's tree gets into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The Flux in it.
    pub flux: Option<Flux>,
    /// The Argo CD instance that serves it.
    pub argocd: Option<ArgoCd>,
    /// The repository's address; empty where none is stated and none is needed.
    pub url: String,
    /// Where in the repository the trees are, with `/` at its end; empty for its root.
    pub path: String,
    /// The Secret with which Flux reads the repository.
    pub secret: Option<String>,
    /// The branch or reference that its environment follows.
    pub revision: String,
    /// The `delivery` that says which tools there are.
    pub origin: Span,
}

/// The Flux in a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flux {
    /// The namespace of its controllers, and of every object that we write for it.
    pub namespace: String,
    /// The `GitRepository` that it reads.
    pub source: String,
    /// Whether we write that.
    pub written: bool,
}

/// The Argo CD instance that serves a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgoCd {
    /// Its name.
    pub instance: String,
    /// The namespace of its Applications.
    pub namespace: String,
    /// Whether it runs in this cluster.
    pub in_cluster: bool,
    /// Whether it manages `EndpointSlice`s.
    pub endpoint_slices: bool,
    /// The user as whom it acts in this cluster.
    pub applier: String,
}

/// The delivery of every cluster.
#[derive(Debug)]
pub struct Deliveries {
    /// By the cluster's position; none where nothing delivers it, and after a finding.
    of: Vec<Option<Delivery>>,
}

impl Deliveries {
    /// Resolves the delivery of every cluster and checks each instance against itself.
    pub fn new(inventory: &Inventory, tiers: &Tiers<'_>, clusters: &Clusters<'_>, findings: &mut Findings) -> Self {
        let mut seen = BTreeSet::new();
        let mut once = |diag: Diag, findings: &mut Findings| {
            if seen.insert((diag.primary.span, diag.message.clone())) {
                findings.push(diag);
            }
        };
        let mut report = |diag| once(diag, findings);
        for revision in inventory.fleet.iter().flat_map(|fleet| &fleet.environments).flat_map(|all| all.iter()) {
            check_revision(revision.1.revision.as_ref(), &mut report);
        }
        let of = clusters.all.iter().map(|host| delivery(inventory, tiers, host, &mut report)).collect();
        let deliveries = Self { of };
        deliveries.check_instances(clusters, findings);
        deliveries
    }

    /// The delivery of a cluster.
    pub fn of(&self, cluster: usize) -> Option<&Delivery> {
        self.of.get(cluster)?.as_ref()
    }

    /// The Argo CD instances by name, each with its clusters.
    pub fn instances(&self) -> BTreeMap<&str, Vec<usize>> {
        let mut instances: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, delivery) in self.of.iter().enumerate() {
            if let Some(argocd) = delivery.as_ref().and_then(|delivery| delivery.argocd.as_ref()) {
                instances.entry(&argocd.instance).or_default().push(at);
            }
        }
        instances
    }

    /// An instance is one program in one place.
    fn check_instances(&self, clusters: &Clusters<'_>, findings: &mut Findings) {
        for (instance, served) in self.instances() {
            let settings = |at: usize| self.of(at).and_then(|delivery| Some((delivery.argocd.as_ref()?, delivery.origin)));
            let all: Vec<_> = served.iter().filter_map(|at| settings(*at).map(|(argocd, origin)| (*at, argocd, origin))).collect();
            let Some((first, rest)) = all.split_first() else { continue };
            for (at, argocd, origin) in rest {
                let differs = |what: &str, a: &dyn std::fmt::Display, b: &dyn std::fmt::Display| {
                    format!(
                        "the Argo CD instance `{instance}` has the {what} `{a}` for `{}` and `{b}` for `{}`",
                        clusters.name(first.0),
                        clusters.name(*at)
                    )
                };
                let message = if first.1.namespace != argocd.namespace {
                    differs("namespace", &first.1.namespace, &argocd.namespace)
                } else if first.1.endpoint_slices != argocd.endpoint_slices {
                    differs("`endpointSlices`", &first.1.endpoint_slices, &argocd.endpoint_slices)
                } else {
                    continue;
                };
                let diag = Diag::new(Code::DeliveryContradiction, *origin, message);
                let diag = if *origin == first.2 { diag } else { diag.related(first.2, format!("for `{}`", clusters.name(first.0))) };
                findings.push(diag.help("Say the same of it everywhere, or give one of them an instance of another name."));
            }
            let mut within = all.iter().filter(|(_, argocd, _)| argocd.in_cluster);
            let Some((home, _, first)) = within.next() else { continue };
            for (at, _, origin) in within {
                let (home, other) = (clusters.name(*home), clusters.name(*at));
                let message = format!("the Argo CD instance `{instance}` cannot run in both `{home}` and `{other}`");
                let diag = Diag::new(Code::DeliveryContradiction, *origin, message);
                let diag = if origin == first { diag } else { diag.related(*first, format!("in `{home}`")) };
                findings.push(diag.help(
                    "Write `inCluster: true` at the one cluster that it runs in, or name an instance of its own for each: \
                     it would apply the tree of the one to the other.",
                ));
            }
        }
    }
}

/// The tools, as the levels from the fleet's to the cluster's say.
fn tools(levels: &[&Spanned<fleet::Delivery>]) -> Option<(Option<Flux>, Option<ArgoCd>, Span)> {
    let last = levels.last()?;
    let flux = || levels.iter().rev().filter_map(|level| level.flux.as_ref());
    let argocd = || levels.iter().rev().filter_map(|level| level.argocd.as_ref());
    let name = |stated: Option<String>, default: &str| stated.unwrap_or_else(|| default.to_owned());
    let source = flux().find_map(|flux| flux.source.as_ref());
    let (source, written) = match source {
        Some(FluxSource::Existing(name)) => (name.to_string(), false),
        Some(FluxSource::Written(name)) => (name.to_string(), true),
        None => ("fleet".to_owned(), true),
    };
    let namespace = name(flux().find_map(|flux| flux.namespace.as_ref()).map(|name| name.to_string()), "flux-system");
    let flux = last.flux.as_ref().map(|_| Flux { namespace, source, written });
    let argocd = last.argocd.as_ref().map(|_| {
        let namespace = name(argocd().find_map(|argocd| argocd.namespace.as_ref()).map(|name| name.to_string()), "argocd");
        let in_cluster = argocd().find_map(|argocd| argocd.in_cluster).is_some_and(|stated| stated.value);
        let usual = if in_cluster { (namespace.as_str(), "argocd-application-controller") } else { ("kube-system", "argocd-manager") };
        let applier = argocd().find_map(|argocd| argocd.applier.as_ref()).map(|applier| applier.value.clone());
        ArgoCd {
            instance: name(argocd().find_map(|argocd| argocd.instance.as_ref()).map(|name| name.to_string()), "main"),
            in_cluster,
            endpoint_slices: argocd().find_map(|argocd| argocd.endpoint_slices).is_some_and(|stated| stated.value),
            applier: name(applier, &format!("system:serviceaccount:{}:{}", usual.0, usual.1)),
            namespace,
        }
    });
    Some((flux, argocd, last.span))
}

fn delivery(inventory: &Inventory, tiers: &Tiers<'_>, host: &Host<'_>, report: &mut dyn FnMut(Diag)) -> Option<Delivery> {
    let raw = host.raw;
    let fleet = inventory.fleet.as_ref()?;
    let of_tiers: Vec<(usize, Option<&Spanned<fleet::Delivery>>)> =
        host.tiers.iter().map(|tier| (*tier, tiers.all[*tier].delivery.as_ref())).collect();
    let at_most = |of_tier: Option<&'_ Spanned<fleet::Delivery>>| {
        let levels: Vec<_> = [fleet.delivery.as_ref(), of_tier].into_iter().flatten().collect();
        (tools(&levels).map(|(flux, argocd, _)| (flux, argocd)), repository(&levels, fleet.repository.as_ref()).cloned())
    };
    let (first, of_tier) = *of_tiers.first()?;
    let other = of_tiers.iter().find(|(_, other)| !same(&at_most(*other), &at_most(of_tier)));
    if let Some((other, of_other)) = other.filter(|_| raw.delivery.is_none()) {
        let (a, b) = (tiers.name(first), tiers.name(*other));
        let message = format!("the tiers `{a}` and `{b}` of `{}` are delivered in different ways", raw.name.value);
        let mut diag = Diag::new(Code::DeliveryContradiction, raw.name.span, message);
        for (name, stated) in [(a, of_tier), (b, *of_other)] {
            diag = stated.iter().fold(diag, |diag, stated| diag.related(stated.span, format!("of `{name}`")));
        }
        report(diag.help("Write `delivery` at the cluster: one tool, or one instance, applies all of a cluster."));
        return None;
    }
    // Tiers that disagree have no say where the cluster speaks for itself.
    let of_tier = of_tier.filter(|_| other.is_none());
    let levels: Vec<_> = [fleet.delivery.as_ref(), of_tier, raw.delivery.as_ref()].into_iter().flatten().collect();
    let (flux, argocd, origin) = tools(&levels)?;
    let repository = repository(&levels, fleet.repository.as_ref());
    let needed = argocd.is_some() || flux.as_ref().is_some_and(|flux| flux.written);
    if repository.is_none() && needed {
        let diag = Diag::new(Code::MissingKey, origin, "`delivery` needs a repository to read");
        let help = "Write `repository: {url: ...}` at the fleet, or in this `delivery`; Flux alone may use `source: {existing: NAME}`.";
        report(diag.help(help));
    }
    if let Some(repository) = repository {
        check_repository(repository, report);
    }
    let revision = fleet.environments.as_ref().and_then(|all| all.get(raw.environment.as_str())).and_then(|found| found.revision.as_ref());
    let path = repository.and_then(|repository| repository.path.as_ref()).map_or("output", |path| path.as_str());
    Some(Delivery {
        flux,
        argocd,
        url: repository.map_or_else(String::new, |repository| repository.url.to_string()),
        path: if path == "." { String::new() } else { format!("{path}/") },
        secret: repository.and_then(|repository| repository.secret.as_ref()).map(|secret| secret.to_string()),
        revision: revision.map_or_else(|| "main".to_owned(), |revision| revision.value.clone()),
        origin,
    })
}

type Ways = (Option<(Option<Flux>, Option<ArgoCd>)>, Option<Repository>);

fn same(a: &Ways, b: &Ways) -> bool {
    let text = |ways: &Ways| ways.1.as_ref().map(|it| (it.url.to_string(), it.path.as_ref().map(|path| path.value.clone())));
    a.0 == b.0 && text(a) == text(b)
}

fn repository<'a>(levels: &[&'a Spanned<fleet::Delivery>], fleet: Option<&'a Repository>) -> Option<&'a Repository> {
    levels.iter().rev().find_map(|level| level.repository.as_ref()).or(fleet)
}

fn check_repository(repository: &Repository, report: &mut dyn FnMut(Diag)) {
    let url = &repository.url;
    if !["https://", "http://", "ssh://"].iter().any(|scheme| url.as_str().starts_with(scheme)) {
        let diag = Diag::new(Code::InvalidValue, url.span, format!("`{}` is no git repository by https, http or ssh", url.value));
        report(diag.help("Write the address with which `git clone` gets it, such as `ssh://git@git.acme.example/platform/fleet.git`."));
    }
    let portable = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    if let Some(path) = repository.path.as_ref().filter(|path| path.as_str() != "." && !path.split('/').all(portable)) {
        let diag = Diag::new(Code::InvalidValue, path.span, format!("`{}` is no folder within the repository", path.value));
        report(diag.help("Write the path from the repository's root, such as `output`; letters, digits, `-`, `_` and `.` in each part."));
    }
}

/// A branch or a reference, and nothing that a tool would take for a range of versions.
fn check_revision(revision: Option<&Spanned<String>>, report: &mut dyn FnMut(Diag)) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '+' | '#' | '@');
    let valid = |text: &str| {
        let parts = || text.split('/');
        text.chars().all(plain)
            && !text.starts_with('-')
            && !text.contains("..")
            && !text.contains("@{")
            && text != "@"
            && parts().all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.'))
    };
    if let Some(revision) = revision.filter(|revision| !valid(revision)) {
        let diag = Diag::new(Code::InvalidValue, revision.span, format!("`{}` is no branch", revision.value));
        report(diag.help("Write the name of a branch, or a whole reference such as `refs/tags/v1`."));
    }
}

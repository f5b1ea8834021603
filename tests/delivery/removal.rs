//! What leaves the inventory leaves the cluster: for each live object of it, whether Argo CD would still delete it under the tree that comes after.
//! Where a person has to do something, what `prerequisites.md` says of that is held against the trees.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::argocd::{Application, Delivered, allows_destination, may_delete};
use crate::program::Project;
use crate::sample::{Placed, objects_of, text};

/// A workload: team, tier, name, whether it has a namespace of its own, and its clusters.
type Workload = (&'static str, &'static str, &'static str, bool, &'static [&'static str]);

/// What the inventories of these tests differ in.
#[derive(Clone)]
struct Fleet {
    teams: Vec<&'static str>,
    /// From the lowest.
    tiers: Vec<&'static str>,
    /// Each with the tiers that it hosts.
    clusters: Vec<(&'static str, Vec<&'static str>)>,
    workloads: Vec<Workload>,
    /// The namespace of Argo CD.
    argocd: &'static str,
}

impl Fleet {
    fn inventory(&self) -> Value {
        let name = |name: &&str| json!({ "name": name });
        let tier =
            |(at, name): (usize, &&str)| json!({ "name": name, "level": 10 * (at + 1), "podSecurity": "restricted", "isolation": "pool" });
        let pool = |name: &&str| json!({ "name": name, "tier": name });
        let cluster = |(at, (name, tiers)): (usize, &(&str, Vec<&str>))| {
            let pools: Vec<Value> = [json!({ "name": "system", "role": "system" })].into_iter().chain(tiers.iter().map(pool)).collect();
            let network = json!({ "pods": [format!("10.{at}.0.0/16")], "services": [format!("10.{}.0.0/16", at + 50)], "nodes": [format!("10.{}.0.0/16", at + 100)] });
            json!({ "name": name, "tiers": tiers, "environment": "production", "cni": "cilium", "provider": "rke2", "network": network, "nodePools": pools })
        };
        let workload = |(team, tier, name, own, clusters): &Workload| {
            json!({
                "name": name, "team": team, "tier": tier, "kind": "StatefulSet", "image": "registry.acme.example/a/b:1", "clusters": clusters,
                "ownNamespace": own, "ports": [{ "name": "http", "port": 8080 }], "apiAccess": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }],
            })
        };
        json!({
            "fleet": {
                "apiVersion": "ringfence/v1", "name": "acme", "labelDomain": "tier.acme.example", "delivery": { "argocd": { "namespace": self.argocd } },
                "repository": { "url": "https://git.acme.example/fleet.git" },
            },
            "tiers": self.tiers.iter().enumerate().map(tier).collect::<Vec<_>>(),
            "clusters": self.clusters.iter().enumerate().map(cluster).collect::<Vec<_>>(),
            "teams": self.teams.iter().map(name).collect::<Vec<_>>(),
            "workloads": self.workloads.iter().map(workload).collect::<Vec<_>>(),
        })
    }

    fn tree(&self) -> Tree {
        let project = Project::new(&[("fleet.yaml".to_owned(), self.inventory().to_string())].into());
        let files = project.generate();
        let prerequisites = files.iter().filter_map(|(path, text)| {
            let cluster = path.strip_prefix("bootstrap/")?.strip_suffix("/prerequisites.md")?;
            Some((cluster.to_owned(), String::from_utf8(text.clone()).unwrap()))
        });
        let prerequisites = prerequisites.collect();
        let objects = objects_of(files);
        Tree { delivered: Delivered::of(&objects), objects, prerequisites }
    }

    fn without(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut less = self.clone();
        change(&mut less);
        less
    }
}

/// What a fleet's trees hold.
struct Tree {
    objects: Vec<Placed>,
    delivered: Delivered,
    prerequisites: BTreeMap<String, String>,
}

impl Tree {
    /// The namespaces of each tier, by cluster.
    fn namespaces(&self) -> BTreeSet<(String, String, String)> {
        let namespaces = self.objects.iter().filter(|placed| placed.object["kind"] == "Namespace");
        let tier = |object: &Value| text(object, "/metadata/labels/tier.acme.example~1tier").to_owned();
        let all =
            namespaces.map(|placed| (cluster_of(&placed.path), text(&placed.object, "/metadata/name").to_owned(), tier(&placed.object)));
        all.collect()
    }
}

fn cluster_of(path: &str) -> String {
    path.split('/').nth(1).unwrap().to_owned()
}

fn identity(placed: &Placed) -> (String, String, String, String) {
    let field = |pointer: &str| text(&placed.object, pointer).to_owned();
    (cluster_of(&placed.path), field("/kind"), field("/metadata/namespace"), field("/metadata/name"))
}

/// What becomes of an object that left the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// Argo CD deletes it.
    Deleted,
    /// It says of itself that it stays, or its Application does: a person deletes it with its Namespace.
    Stays,
    /// Argo CD would delete it, but the project does not permit it any more.
    LeftBehind,
}

fn says_it_stays(application: &Application, object: &Value) -> bool {
    text(object, "/metadata/annotations/argocd.argoproj.io~1sync-options").contains("Prune=false")
        || application.name.ends_with(".20-namespaces")
}

fn fate(before: &Tree, after: &Tree, placed: &Placed) -> Fate {
    let application = before.delivered.application_of(&placed.path).unwrap();
    let project = after.delivered.project_of(application);
    if says_it_stays(application, &placed.object) {
        return Fate::Stays;
    }
    let there_still =
        after.delivered.applications.iter().any(|other| other.name == application.name && other.instance == application.instance);
    let project = match (&application.set, project) {
        // Pruned by the Application.
        _ if there_still => project.unwrap(),
        // No finalizer: it goes alone.
        (None, _) => return Fate::Stays,
        // Deleted with the Application, which waits for it.
        (Some(_), Some(project)) => project,
        // The project goes as well: after the set, whose deletion waits for all that it owns.
        (Some(set), None) => {
            assert!(!after.delivered.sets.contains_key(&(application.instance.clone(), set.clone())), "{set} has no project");
            let set = &before.delivered.sets[&(application.instance.clone(), set.clone())];
            let project = before.delivered.project_of(application).unwrap();
            assert!(wave(set) > wave(project), "the project of {} would go before it", application.name);
            project
        }
    };
    if may_delete(project, application, &placed.object) { Fate::Deleted } else { Fate::LeftBehind }
}

fn wave(object: &Value) -> i32 {
    let stated = text(object, "/metadata/annotations/argocd.argoproj.io~1sync-wave");
    if stated.is_empty() { 0 } else { stated.parse().unwrap() }
}

/// The fates of what left, by layer.
fn fates(before: &Tree, after: &Tree) -> BTreeMap<(String, Fate), usize> {
    let kept: BTreeSet<_> = after.objects.iter().map(identity).collect();
    let mut fates = BTreeMap::new();
    let gone = before.objects.iter().filter(|placed| placed.path.starts_with("clusters/") && !kept.contains(&identity(placed)));
    for placed in gone {
        let layer = placed.path.split('/').nth(2).unwrap().to_owned();
        *fates.entry((layer, fate(before, after, placed))).or_default() += 1;
    }
    foreign(before, after);
    fates
}

/// No project permits a namespace of another tier, neither one that is there nor one that just left.
fn foreign(before: &Tree, after: &Tree) {
    let all: BTreeSet<_> = before.namespaces().into_iter().chain(after.namespaces()).collect();
    for ((_, name), project) in &after.delivered.projects {
        let Some(tier) = project["metadata"]["labels"]["tier.acme.example/tier"].as_str() else { continue };
        for (cluster, namespace, owner) in all.iter().filter(|(_, _, owner)| owner != tier) {
            assert!(!allows_destination(project, cluster, namespace), "{name} permits {namespace} of {owner} on {cluster}");
        }
        for cluster in all.iter().map(|(cluster, _, _)| cluster).collect::<BTreeSet<_>>() {
            for namespace in ["kube-system", "default", "argocd", "monitoring"] {
                assert!(!allows_destination(project, cluster, namespace), "{name} permits {namespace}");
            }
        }
    }
}

fn count(fates: &BTreeMap<(String, Fate), usize>, layer: &str, fate: Fate) -> usize {
    fates.get(&(layer.to_owned(), fate)).copied().unwrap_or_default()
}

const BOTH: &[&str] = &["tokyo", "osaka"];

fn shop() -> Fleet {
    Fleet {
        teams: vec!["shop", "pay"],
        tiers: vec!["low", "high"],
        clusters: vec![("tokyo", vec!["low", "high"]), ("osaka", vec!["low", "high"])],
        workloads: vec![
            ("shop", "low", "carts", false, BOTH),
            ("shop", "low", "orders", false, BOTH),
            ("shop", "low", "search", true, BOTH),
            ("pay", "low", "front", false, &["tokyo"]),
            ("pay", "high", "vault", false, BOTH),
        ],
        argocd: "argocd",
    }
}

/// Removes something in one step; every workload of it must be deleted.
#[track_caller]
fn removed(before: &Fleet, after: &Fleet) -> BTreeMap<(String, Fate), usize> {
    let fates = fates(&before.tree(), &after.tree());
    assert_eq!(count(&fates, "40-workloads", Fate::LeftBehind), 0, "{fates:?}");
    assert!(count(&fates, "40-workloads", Fate::Deleted) > 0, "nothing left: {fates:?}");
    fates
}

#[test]
fn a_workload_that_leaves_is_deleted_with_what_it_had_in_other_layers() {
    let before = shop();
    let fates = removed(&before, &before.without(|fleet| fleet.workloads.retain(|workload| workload.2 != "carts")));
    assert!(count(&fates, "30-access", Fate::Deleted) > 0, "the Role of its apiAccess stays: {fates:?}");
}

#[test]
fn a_namespace_that_leaves_is_emptied_and_stays_closed() {
    let before = shop();
    for gone in ["search", "front"] {
        let fates = removed(&before, &before.without(|fleet| fleet.workloads.retain(|workload| workload.2 != gone)));
        for layer in ["20-namespaces", "30-access"] {
            assert!(count(&fates, layer, Fate::Stays) > 0 && count(&fates, layer, Fate::Deleted) == 0, "{gone}: {fates:?}");
        }
    }
    // The last of the tier on a cluster, and in all.
    removed(&before, &before.without(|fleet| fleet.workloads[4].4 = &["tokyo"]));
    removed(&before, &before.without(|fleet| fleet.workloads.retain(|workload| workload.1 != "high")));
}

#[test]
fn a_tier_that_leaves_takes_its_workloads_with_it_in_one_step() {
    let before = shop();
    let after = before.without(|fleet| {
        fleet.tiers = vec!["low"];
        fleet.clusters = vec![("tokyo", vec!["low"]), ("osaka", vec!["low"])];
        fleet.workloads.retain(|workload| workload.1 == "low");
    });
    removed(&before, &after);
    let project = |tree: &Tree| tree.delivered.projects.keys().any(|(_, name)| name == "acme-tier-high");
    assert!(project(&before.tree()) && !project(&after.tree()));
}

type Change<'a> = &'a dyn Fn(&mut Fleet);

/// What the prerequisites say a person has to do, and that it is so.
#[test]
fn a_team_a_cluster_and_a_tier_of_a_cluster_leave_in_two_steps_and_not_in_one() {
    let before = shop();
    let statement =
        "Workloads\n  that leave in one step with their team, their cluster or their tier run on until somebody deletes their Namespaces";
    let normal = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let stated = before.tree();
    for text in stated.prerequisites.values() {
        assert!(normal(text).contains(&normal(statement)), "{text}");
    }
    let team = |fleet: &mut Fleet| fleet.teams.retain(|team| *team != "shop");
    let cluster = |fleet: &mut Fleet| fleet.clusters.retain(|cluster| cluster.0 != "osaka");
    let hosted = |fleet: &mut Fleet| fleet.clusters[1].1 = vec!["low"];
    let without_team = |fleet: &mut Fleet| fleet.workloads.retain(|workload| workload.0 != "shop");
    let without_cluster = |fleet: &mut Fleet| fleet.workloads.iter_mut().for_each(|workload| workload.4 = &["tokyo"]);
    let without_tier = |fleet: &mut Fleet| fleet.workloads[4].4 = &["tokyo"];
    let cases: [(&str, Change<'_>, Change<'_>); 3] =
        [("team", &without_team, &team), ("cluster", &without_cluster, &cluster), ("tier of a cluster", &without_tier, &hosted)];
    for (what, empty, remove) in cases {
        let emptied = before.without(empty);
        removed(&before, &emptied);
        let gone = emptied.without(remove);
        let rest = fates(&emptied.tree(), &gone.tree());
        // What was the tier's own among the guardrails goes once nothing needs it.
        let expected = |layer: &str, fate: Fate| layer != "40-workloads" && (fate == Fate::Stays || layer == "10-guardrails");
        assert!(rest.keys().all(|(layer, fate)| expected(layer, *fate)), "{what}: {rest:?}");
        let at_once = fates(&before.tree(), &gone.tree());
        assert!(count(&at_once, "40-workloads", Fate::LeftBehind) > 0, "{what} may leave in one step, and the document says it may not");
    }
}

/// Names that two tiers could own are nobody's when they leave; the document names them.
#[test]
fn names_that_two_tiers_could_own_are_permitted_while_they_are_there_and_named_for_a_person() {
    let both: &[&str] = &["tokyo"];
    let before = Fleet {
        teams: vec!["shop", "shop-low"],
        tiers: vec!["low", "low-eu", "eu"],
        clusters: vec![("tokyo", vec!["low", "low-eu", "eu"])],
        workloads: vec![
            ("shop", "low", "carts", false, both),
            ("shop", "low", "tax", true, both),
            ("shop", "low-eu", "orders", false, both),
            ("shop", "eu", "search", false, both),
            ("shop-low", "low", "mail", true, both),
            ("shop-low", "low-eu", "post", false, both),
            ("shop-low", "eu", "news", true, both),
        ],
        argocd: "argocd",
    };
    let tree = before.tree();
    let document = &tree.prerequisites["tokyo"];
    let named = |name: &str| document.contains(&format!("`{name}`"));
    for workload in &before.workloads {
        let (team, tier, name, own, _) = workload;
        let namespace = if *own { format!("{team}-{tier}-*") } else { format!("{team}-{tier}") };
        let after = before.without(|fleet| fleet.workloads.retain(|other| other != workload));
        let fates = fates(&tree, &after.tree());
        let (deleted, left) = (count(&fates, "40-workloads", Fate::Deleted), count(&fates, "40-workloads", Fate::LeftBehind));
        assert_eq!((deleted == 0, left > 0), (named(&namespace), named(&namespace)), "{namespace} of {name}: {fates:?}\n{document}");
    }
    assert!(named("shop-low-eu") && !named("shop-low") && named("shop-low-*") && !named("shop-eu"), "{document}");
    // One that the platform has.
    let shop = shop();
    let taken = shop.without(|fleet| fleet.argocd = "shop-low-cd").tree();
    assert!(taken.prerequisites.values().all(|text| text.contains("`shop-low-*`") && !text.contains("`shop-low`")));
    assert!(!taken.delivered.projects.values().any(|project| allows_destination(project, "tokyo", "shop-low-cd")));
    // Plain names need no such list.
    assert!(shop.tree().prerequisites.values().all(|text| text.contains("Two things")), "a list for names that nobody shares");
}

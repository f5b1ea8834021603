//! A real Prometheus finds, through a real API server and as the account that the tree gives rights to, exactly what the inventory says is scraped; and
//! Weave Net's alerts fire by what it scrapes.
//!
//! Nothing runs on the nodes and nothing listens at the pods' addresses: [`Kubelets`] and [`StandIns`] play these.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::apply::{self, Layers};
use crate::etcd::Etcd;
use crate::judges::{Judges, documents};
use crate::kubelets::Kubelets;
use crate::nodes;
use crate::plane::Plane;
use crate::program::{Project, repository};
use crate::runner::Verdict;
use crate::server::Server;
use crate::session::{guarded, none};
use crate::stand_ins::StandIns;
use crate::stated::{Cluster, Scraper};
use crate::waiting::{eventually, until};

/// The clusters of `tests/scraping`: one whose Prometheus has an operator, and one without.
const CLUSTERS: [&str; 2] = ["operated", "plain"];
/// How often everything is scraped and evaluated.
const OFTEN: &str = "1s";
/// How far alerts look back at whether Prometheus was there, instead of ten minutes: it was not, before the test.
const BACK: Duration = Duration::from_secs(20);
/// Nodes on which Weave Net does badly: what its router says, its controller of policies that is away, its router that is away.
const ILL: [&str; 3] = ["internal-1", "internal-2", "public-1"];
const ROUTER: &str = "6782";
const CONTROLLER: &str = "6781";

/// The names of its tests.
pub fn names() -> Vec<String> {
    CLUSTERS.iter().flat_map(|cluster| ["targets", "weave-alerts"].map(|test| format!("scraping/{cluster}/{test}"))).collect()
}

/// Runs them.
pub fn run(judges: &Judges, etcd: &Etcd, say: &dyn Fn(&str, Verdict)) {
    let project = Project::of(&repository().join("tests/scraping/inventory"));
    project.generate();
    let built = judges.build(&project.output());
    for cluster in Cluster::all(&project.root) {
        let test = |what: &str| format!("scraping/{}/{what}", cluster.name);
        let ground = guarded(|| {
            Ground::start(judges, etcd, &project, &cluster, &apply::layers(built.as_ref().map_err(Clone::clone)?, &cluster.name))
        });
        let ground = ground.as_ref().map_err(Clone::clone);
        say(&test("targets"), guarded(|| ground.clone()?.targets()));
        say(&test("weave-alerts"), guarded(|| ground.clone()?.alerts()));
    }
}

/// A cluster on which everything runs that is scraped, and each Prometheus of it.
struct Ground<'a> {
    cluster: &'a Cluster,
    plane: Plane<'a>,
    pods: Vec<Value>,
    network: StandIns,
    ill: Arc<AtomicBool>,
    /// Each with what it is to scrape.
    servers: Vec<(&'a Scraper, Server)>,
}

impl<'a> Ground<'a> {
    fn start(judges: &'a Judges, etcd: &'a Etcd, project: &Project, cluster: &'a Cluster, layers: &Layers) -> Result<Self, String> {
        let groups = apply::groups(layers.values().flatten());
        let plane = Plane::start(
            judges,
            etcd,
            &format!("scraping-{}", cluster.name),
            &groups.into_iter().chain(["monitoring.coreos.com"]).collect(),
        );
        plane.start_components();
        nodes::add(&plane, cluster);
        none("objects are not accepted", &apply::apply(&plane, layers).complaints)?;
        for object in documents(&fs::read_to_string(repository().join("tests/scraping/weave-net.yaml")).unwrap()) {
            apply::apply_object(&plane, &object)?;
        }
        let (pods, ill, network) = running(&plane, cluster)?;
        let mut servers = Vec::new();
        for scraper in &cluster.scrapers {
            let name = format!("{}-{}", cluster.name, scraper.account);
            let account = format!("/api/v1/namespaces/{}/serviceaccounts", scraper.namespace);
            plane.masters.post(&account, &json!({ "metadata": { "name": scraper.account } })).ok()?;
            let asked = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": { "audiences": [] } });
            let token = plane.masters.post(&format!("{account}/{}/token", scraper.account), &asked).ok()?["status"]["token"].clone();
            let mut config = if scraper.plain {
                let mut folder = project.output().join("bootstrap").join(&cluster.name).join("prometheus");
                scraper.tier.iter().for_each(|tier| folder.push(tier));
                plain(&folder, &etcd.scratch.path().join(&name))
            } else {
                operated(&plane, scraper, layers, &etcd.scratch.path().join(&name))?
            };
            for job in config["scrape_configs"].as_array_mut().unwrap() {
                job["proxy_url"] = network.proxy().into();
                for discovery in job["kubernetes_sd_configs"].as_array_mut().ok_or("a job discovers nothing")? {
                    discovery["api_server"] = plane.address().into();
                    discovery["authorization"] = json!({ "type": "Bearer", "credentials": token });
                    discovery["tls_config"] = json!({ "ca_file": plane.certificate() });
                }
            }
            servers.push((scraper, Server::start(judges, &name, &config, etcd.scratch.path())));
        }
        Ok(Self { cluster, plane, pods, network, ill, servers })
    }

    /// Each Prometheus scrapes what it should and nothing else, with the labels that alerts and dashboards go by.
    fn targets(&self) -> Verdict {
        let mut wrong = Vec::new();
        let mut all = BTreeSet::new();
        for (scraper, server) in &self.servers {
            let expected = expected(self.cluster, scraper, &self.pods);
            if expected.is_empty() {
                return Err(format!("{} has nothing to scrape: nothing is shown", scraper.account));
            }
            let found = || server.targets().iter().map(target).collect::<BTreeSet<_>>();
            let up = || server.targets().iter().all(|target| target["health"] == "up");
            eventually(|| (found() == expected && up()).then_some(()));
            let found = found();
            wrong.extend(found.difference(&expected).map(|more| format!("{} scrapes {more:?}", scraper.account)));
            wrong.extend(expected.difference(&found).map(|less| format!("{} does not scrape {less:?}", scraper.account)));
            wrong.extend(server.targets().iter().filter(|target| target["health"] != "up").map(Value::to_string));
            all.extend(expected.into_iter().map(|target| target[0].clone()));
        }
        let asked = self.network.asked();
        wrong.extend(asked.difference(&all).map(|more| format!("somebody asked for {more}")));
        self.plane.assert_alive();
        none("targets are not those of the inventory", &wrong)
    }

    /// While all is well none of Weave Net's alerts fires; then every one of them does.
    fn alerts(&self) -> Verdict {
        let (_, server) = self.servers.iter().find(|(scraper, _)| scraper.tier.is_none()).ok_or("nobody watches the cluster")?;
        let is_weave = |name: &str| name.starts_with("Weave");
        let rules = || server.rules().into_iter().filter(|rule| rule["name"].as_str().is_some_and(is_weave));
        let names: BTreeSet<String> = rules().map(|rule| rule["name"].as_str().unwrap().to_owned()).collect();
        if names.len() < 13 {
            return Err(format!("Weave Net's alerts are {names:?}"));
        }
        until("every target was scraped", || server.targets().iter().all(|target| target["health"] == "up").then_some(()));
        // By now each has seen a cluster of which nothing had been scraped yet.
        let mut evaluations = BTreeSet::new();
        let begun = Instant::now();
        until("every rule was evaluated again", || {
            evaluations.insert(rules().map(|rule| rule["lastEvaluation"].to_string()).min());
            (evaluations.len() > 4).then_some(())
        });
        let failed: Vec<String> = rules().filter(|rule| rule["health"] != "ok").map(|rule| rule.to_string()).collect();
        none("rules cannot be evaluated", &failed)?;
        let firing = || server.firing().into_iter().filter(|name| is_weave(name)).collect::<BTreeSet<_>>();
        none("alerts fire though all is well", &firing().into_iter().collect::<Vec<_>>())?;
        until("Prometheus can look back", || (begun.elapsed() > BACK).then_some(()));
        none("alerts fire though all is still well", &firing().into_iter().collect::<Vec<_>>())?;
        self.ill.store(true, Ordering::SeqCst);
        eventually(|| (firing() == names).then_some(()));
        none("alerts do not fire", &names.difference(&firing()).cloned().collect::<Vec<_>>())
    }
}

/// Waits until every pod runs, and has what is scraped of them answer.
fn running(plane: &Plane<'_>, cluster: &Cluster) -> Result<(Vec<Value>, Arc<AtomicBool>, StandIns), String> {
    let kubelets = Kubelets::new(plane);
    let nodes = plane.masters.list("/api/v1/nodes").len();
    let mut pods = Vec::new();
    let complete = eventually(|| {
        pods = kubelets.run();
        let agents = pods.iter().filter(|pod| pod["metadata"]["labels"]["name"] == "weave-net").count();
        (all_ready(plane) == cluster.workloads.len() && agents == nodes).then_some(())
    });
    complete.ok_or_else(|| format!("of {nodes} nodes and {:?} only these run: {pods:?}", cluster.workloads))?;
    let ill = Arc::new(AtomicBool::new(false));
    let is_ill = Arc::clone(&ill);
    let terminations = AtomicUsize::new(0);
    let ill_nodes = ILL.map(|node| kubelets.of_node(node));
    let network = StandIns::serve(move |address| {
        let host = address.strip_prefix("http://")?.split('/').next()?;
        let (host, port) = host.split_once(':')?;
        let is_ill = |at: usize| is_ill.load(Ordering::SeqCst) && host == ill_nodes[at];
        match port {
            ROUTER if is_ill(2) => None,
            ROUTER if is_ill(0) => Some(ill_router(terminations.fetch_add(5, Ordering::SeqCst))),
            ROUTER => Some(router(nodes - 1)),
            CONTROLLER if is_ill(1) => None,
            CONTROLLER if is_ill(0) => {
                Some(format!("{}weavenpc_blocked_connections_total{{protocol=\"tcp\",dport=\"5432\"}} 1\n", controller(1)))
            }
            CONTROLLER => Some(controller(0)),
            _ => Some("up_and_running 1\n".to_owned()),
        }
    });
    Ok((pods, ill, network))
}

/// How many controllers have all of their pods ready; none where one has not.
fn all_ready(plane: &Plane<'_>) -> usize {
    let controllers: Vec<Value> =
        ["deployments", "statefulsets"].iter().flat_map(|kind| plane.masters.list(&format!("/apis/apps/v1/{kind}"))).collect();
    let ready = |one: &&Value| one["status"]["readyReplicas"] == one["spec"]["replicas"];
    if controllers.iter().all(|one| ready(&one)) { controllers.len() } else { 0 }
}

/// What a router says that sees all of its peers.
fn router(peers: usize) -> String {
    format!(
        "weave_connections{{state=\"established\",type=\"fastdp\",encryption=\"yes\"}} {peers}\n\
         weave_connections{{state=\"established\",type=\"fastdp\",encryption=\"\"}} 0\n\
         weave_connection_terminations_total 3\nweave_ips{{state=\"local-used\"}} 12\nweave_max_ips 1048576\nweave_flows 9\n\
         weave_ipam_unreachable_count 0\nweave_ipam_unreachable_percentage 0\nweave_ipam_pending_allocates 0\nweave_ipam_pending_claims 0\n"
    )
}

/// What one says with which everything is wrong that can be.
fn ill_router(terminations: usize) -> String {
    format!(
        "weave_connections{{state=\"established\",type=\"sleeve\",encryption=\"\"}} 1\nweave_connection_terminations_total {terminations}\n\
         weave_ips{{state=\"local-used\"}} 900000\nweave_max_ips 1048576\nweave_ipam_unreachable_count 1\nweave_ipam_unreachable_percentage 30\n\
         weave_ipam_pending_allocates 1\nweave_ipam_pending_claims 0\n"
    )
}

fn controller(errors: usize) -> String {
    format!("weavenpc_policy_enforcement_errors {errors}\n")
}

/// What is scraped, by address, and the labels that say what it is: job, namespace, pod, tier, node.
type Target = [String; 6];

fn target(found: &Value) -> Target {
    let label = |name: &str| found["labels"][name].as_str().unwrap_or_default().to_owned();
    let url = found["scrapeUrl"].as_str().unwrap().to_owned();
    let weave = label("job").starts_with("weave");
    // Which node a workload is on is nothing that both flavours say.
    [url, label("job"), label("namespace"), label("pod"), label("tier"), if weave { label("node") } else { String::new() }]
}

/// What a Prometheus is to scrape, from the inventory and the pods that there are.
fn expected(cluster: &Cluster, scraper: &Scraper, pods: &[Value]) -> BTreeSet<Target> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut expected = BTreeSet::new();
    for pod in pods {
        let (metadata, address) = (&pod["metadata"], text(&pod["status"]["podIP"]));
        let (namespace, name) = (text(&metadata["namespace"]), text(&metadata["name"]));
        if scraper.tier.is_none() && metadata["labels"]["name"] == "weave-net" {
            for (job, port) in [("weave", ROUTER), ("weave-npc", CONTROLLER)] {
                let url = format!("http://{address}:{port}/metrics");
                expected.insert([url, job.to_owned(), namespace.clone(), name.clone(), String::new(), text(&pod["spec"]["nodeName"])]);
            }
        }
        let is_of = |workload: &&crate::stated::Workload| {
            workload.namespace == namespace
                && metadata["labels"]["app.kubernetes.io/name"] == workload.name
                && scraper.tiers.contains(&namespace)
        };
        for workload in cluster.workloads.iter().filter(is_of) {
            for (port, path) in &workload.scraped {
                let url = format!("http://{address}:{port}{path}");
                expected.insert([url, workload.name.clone(), namespace.clone(), name.clone(), workload.tier.clone(), String::new()]);
            }
        }
    }
    expected
}

/// What a plain Prometheus is told, with the files that the tree has for it.
fn plain(folder: &Path, scratch: &Path) -> Value {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok().map(|text| documents(&text).remove(0));
    let mut config = read("scrape.yaml").unwrap();
    config["global"] = json!({ "scrape_interval": OFTEN, "scrape_timeout": OFTEN, "evaluation_interval": OFTEN });
    if let Some(rules) = read("rules.yaml") {
        config["rule_files"] = json!([at_once(&rules, scratch, "rules")]);
    }
    config
}

/// What the real operator makes for a Prometheus of the monitors and rules that are in the cluster.
fn operated(plane: &Plane<'_>, scraper: &Scraper, layers: &Layers, scratch: &Path) -> Result<Value, String> {
    let name = scraper.account.strip_prefix("prometheus-").ok_or("the fleet names its Prometheus otherwise")?;
    let selects = json!({ "matchLabels": { "prometheus": name } });
    let everywhere = json!({});
    plane.start_prometheus_operator();
    let prometheus = json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": { "name": name, "namespace": scraper.namespace },
        "spec": {
            "serviceAccountName": scraper.account, "scrapeInterval": OFTEN, "scrapeTimeout": OFTEN, "evaluationInterval": OFTEN,
            "serviceMonitorSelector": selects, "serviceMonitorNamespaceSelector": everywhere,
            "podMonitorSelector": selects, "podMonitorNamespaceSelector": everywhere,
            "ruleSelector": selects, "ruleNamespaceSelector": everywhere,
        },
    });
    apply::apply_object(plane, &prometheus)?;
    let selected = |kinds: &[&str]| -> Vec<&Value> {
        let all = layers.values().flatten().filter(|object| object["metadata"]["labels"]["prometheus"] == name);
        all.filter(|object| kinds.iter().any(|kind| object["kind"] == *kind)).collect()
    };
    let endpoints = |monitor: &&Value| {
        ["endpoints", "podMetricsEndpoints"].iter().filter_map(|key| monitor["spec"][key].as_array()).map(Vec::len).sum::<usize>()
    };
    let jobs: usize = selected(&["ServiceMonitor", "PodMonitor"]).iter().map(endpoints).sum();
    let rules = selected(&["PrometheusRule"]).len();
    let secrets = format!("/api/v1/namespaces/{}/secrets/prometheus-{name}", scraper.namespace);
    let mut config = Value::Null;
    eventually(|| {
        config = unpacked(plane.masters.get(&secrets).ok().ok()?["data"]["prometheus.yaml.gz"].as_str()?, scratch);
        (config["scrape_configs"].as_array().map_or(0, Vec::len) == jobs).then_some(())
    })
    .ok_or_else(|| format!("the operator makes not {jobs} jobs for {name}: {config}"))?;
    let files = format!("/api/v1/namespaces/{}/configmaps/prometheus-{name}-rulefiles-0", scraper.namespace);
    let mut data = Value::Null;
    let found = eventually(|| {
        data = plane.masters.get(&files).ok().ok()?["data"].take();
        (data.as_object().map_or(0, serde_json::Map::len) == rules).then_some(())
    });
    found.ok_or_else(|| format!("the operator has not {rules} files of rules for {name}: {data}"))?;
    let files = data.as_object().into_iter().flatten().map(|(file, text)| at_once(&documents(text.as_str().unwrap())[0], scratch, file));
    config["rule_files"] = files.collect();
    Ok(config)
}

/// A configuration out of the Secret that the operator keeps it in, with the one variable that its reloader beside Prometheus fills in.
fn unpacked(text: &str, scratch: &Path) -> Value {
    fs::create_dir_all(scratch).unwrap();
    let path = scratch.join("prometheus.yaml.gz");
    fs::write(&path, BASE64.decode(text).unwrap()).unwrap();
    let output = std::process::Command::new("gzip").arg("-dc").arg(&path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap().replace("$(SHARD)", "0");
    Value::deserialize(serde_yaml::Deserializer::from_str(&text)).unwrap_or_default()
}

/// Writes rules whose alerts fire without waiting, and look back less far; that they wait as long as they should is promtool's to judge (`tests/alerts`).
fn at_once(rules: &Value, scratch: &Path, name: &str) -> Value {
    let mut rules = rules.clone();
    for group in rules["groups"].as_array_mut().unwrap() {
        for rule in group["rules"].as_array_mut().unwrap() {
            rule.as_object_mut().unwrap().remove("for");
            rule["expr"] = rule["expr"].as_str().unwrap().replace("offset 10m", &format!("offset {}s", BACK.as_secs())).into();
        }
    }
    fs::create_dir_all(scratch).unwrap();
    let path = scratch.join(format!("{name}.json.yaml"));
    fs::write(&path, rules.to_string()).unwrap();
    path.to_str().unwrap().into()
}

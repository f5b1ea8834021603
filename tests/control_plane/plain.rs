//! What a Prometheus without an operator reads: its own tool takes the files, and finds by them exactly what the inventory says is scraped.
//!
//! Kubernetes' part is played here: from the pods that the tree makes, and those of network plugins, targets with the labels that Prometheus' discovery gives them are
//! put in the place of the discovery itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::apply;
use crate::judges::Judges;
use crate::program::Project;
use crate::prometheus;
use crate::runner::Verdict;
use crate::session::none;
use crate::small_fleet::fleet;
use crate::stated::{Cluster, Scraper};

/// So many random fleets beside the sample.
const FLEETS: usize = 8;
/// What discovery calls all that it knows.
const META: &str = "__meta_kubernetes_";

/// A pod as discovery sees it.
struct Pod {
    namespace: String,
    name: String,
    node: String,
    address: String,
    phase: &'static str,
    labels: BTreeMap<String, String>,
    containers: Vec<Container>,
}

/// A container of it.
#[derive(Clone)]
struct Container {
    name: String,
    /// Its ports by name.
    ports: Vec<(String, u16)>,
    /// Whether it only begins the pod.
    begins: bool,
}

/// The labels of a target, with its address and path.
type Target = BTreeMap<String, String>;

/// The sample's files and those of random fleets.
pub fn verdict(judges: &Judges, sample: &Project, built: &BTreeMap<String, Vec<Value>>) -> Verdict {
    let mut found = project(judges, sample, built)?;
    if found.workloads == 0 || found.plugins == 0 {
        return Err(format!("the sample shows nothing: {found:?}"));
    }
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[14; 32]));
    for _ in 0..FLEETS {
        let small = Project::new(&fleet(3, 1).new_tree(&mut runner).unwrap().current().inventory());
        small.generate();
        let more = project(judges, &small, &judges.build(&small.output())?)?;
        found = Found {
            workloads: found.workloads + more.workloads,
            of_tiers: found.of_tiers + more.of_tiers,
            plugins: found.plugins + more.plugins,
        };
    }
    if found.of_tiers == 0 { Err(format!("no tier's own Prometheus finds anything: {found:?}")) } else { Ok(()) }
}

/// The files of rules, as the objects of prometheus-operator hold them.
pub fn rules(output: &Path) -> Vec<Value> {
    let files = walkdir::WalkDir::new(output.join("bootstrap")).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = files.filter(|file| file.path().ends_with("prometheus/rules.yaml"));
    let object = |path: &Path| json!({ "kind": "PrometheusRule", "metadata": { "name": path.display().to_string() }, "spec": read(path) });
    files.map(|file| object(file.path())).collect()
}

/// How many targets were found.
#[derive(Debug, Default)]
struct Found {
    workloads: usize,
    of_tiers: usize,
    plugins: usize,
}

fn project(judges: &Judges, project: &Project, built: &BTreeMap<String, Vec<Value>>) -> Result<Found, String> {
    let (mut found, mut wrong) = (Found::default(), Vec::new());
    for cluster in Cluster::all(&project.root).iter().filter(|cluster| cluster.scrapers.iter().any(|scraper| scraper.plain)) {
        let pods = pods(cluster, built);
        for scraper in &cluster.scrapers {
            let mut folder = project.output().join("bootstrap").join(&cluster.name).join("prometheus");
            scraper.tier.iter().for_each(|tier| folder.push(tier));
            let what = format!("{} {}", cluster.name, scraper.account);
            wrong.extend(files(judges, &folder, scraper.tier.is_none()).err().map(|why| format!("{what}: {why}")));
            let jobs = read(&folder.join("scrape.yaml"))["scrape_configs"].as_array().cloned().unwrap_or_default();
            let mut kept = BTreeSet::new();
            for job in &jobs {
                let targets = discovered(judges, job, &pods)?;
                if targets.is_empty() {
                    wrong.push(format!("{what}: the job {} finds nothing", job["job_name"]));
                }
                wrong.extend(
                    targets.into_iter().filter_map(|target| kept.replace(target)).map(|twice| format!("{what}: found twice: {twice:?}")),
                );
            }
            let (workloads, plugins) = expected(cluster, scraper, &pods);
            found.workloads += workloads.len();
            found.of_tiers += if scraper.tier.is_some() { workloads.len() } else { 0 };
            found.plugins += plugins.len();
            let expected: BTreeSet<Target> = workloads.into_iter().chain(plugins).collect();
            wrong.extend(kept.difference(&expected).map(|more| format!("{what}: finds what is not declared: {more:?}")));
            wrong.extend(expected.difference(&kept).map(|less| format!("{what}: does not find: {less:?}")));
        }
    }
    none("things that a plain Prometheus reads or finds are wrong", &wrong).map(|()| found)
}

/// promtool takes the files as the page says that they are used, and the bare list is the same jobs.
fn files(judges: &Judges, folder: &Path, with_rules: bool) -> Verdict {
    let (scrape, additional) = (folder.join("scrape.yaml"), folder.join("additional-scrape-configs.yaml"));
    let jobs = read(&scrape)["scrape_configs"].clone();
    if jobs != read(&additional) || !jobs.is_array() {
        return Err("the two files hold different jobs".to_owned());
    }
    let site = json!([{ "job_name": "site", "static_configs": [{ "targets": ["127.0.0.1:9090"] }] }]);
    let mut config = json!({ "scrape_config_files": [scrape], "scrape_configs": site });
    if with_rules {
        let rules = folder.join("rules.yaml");
        prometheus::check(judges, &read(&rules))?;
        config["rule_files"] = json!([rules]);
    }
    check_config(judges, &config)?;
    check_config(judges, &json!({ "scrape_configs": jobs }))?;
    // A name that is no file's is no error to it: else nothing was read.
    let broken = broken(&jobs);
    for refused in
        [json!({ "scrape_config_files": [broken.path()] }), json!({ "scrape_configs": site, "scrape_config_files": [scrape, scrape] })]
    {
        let empty = jobs == json!([]) && refused["scrape_configs"].is_array();
        if !empty && check_config(judges, &refused).is_ok() {
            return Err(format!("promtool takes {refused}"));
        }
    }
    Ok(())
}

/// The jobs with one key that is none.
fn broken(jobs: &Value) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    let jobs = [jobs.as_array().unwrap().as_slice(), &[json!({ "job_name": "broken", "relabel": [] })]].concat();
    fs::write(file.path(), json!({ "scrape_configs": jobs }).to_string()).unwrap();
    file
}

fn check_config(judges: &Judges, config: &Value) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prometheus.yml");
    fs::write(&path, config.to_string()).unwrap();
    let output = judges.promtool().args(["check", "config", "--lint=all", "--lint-fatal"]).arg(&path).output().unwrap();
    if output.status.success() {
        Ok(())
    } else {
        Err([output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).join(""))
    }
}

/// What a job keeps of all that is in its namespaces.
fn discovered(judges: &Judges, job: &Value, pods: &[Pod]) -> Result<BTreeSet<Target>, String> {
    let mut job = job.clone();
    let discovery = job.as_object_mut().unwrap().remove("kubernetes_sd_configs").unwrap_or_default();
    let names = discovery[0]["namespaces"]["names"].as_array().cloned().unwrap_or_default();
    if discovery[0]["role"] != "pod" || discovery[1] != Value::Null || names.is_empty() {
        return Err(format!("{}: it does not look for pods in stated namespaces: {discovery}", job["job_name"]));
    }
    let here = pods.iter().filter(|pod| names.iter().any(|name| name == pod.namespace.as_str()));
    let targets: Vec<Value> = here.flat_map(Pod::targets).collect();
    let all = targets.len();
    job["static_configs"] = targets.into();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prometheus.yml");
    fs::write(&path, json!({ "scrape_configs": [job] }).to_string()).unwrap();
    let output = judges
        .promtool()
        .args(["check", "service-discovery", "--timeout=1s"])
        .arg(&path)
        .arg(job["job_name"].as_str().unwrap())
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let answer = answer.as_array().cloned().unwrap_or_default();
    if answer.len() != all {
        return Err(format!("{}: promtool was given {all} targets and tells of {}", job["job_name"], answer.len()));
    }
    let seen = |key: &str| !key.starts_with("__") || key == "__address__" || key == "__metrics_path__";
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let kept = answer.iter().filter_map(|target| target["labels"].as_object().filter(|labels| !labels.is_empty()));
    Ok(kept.map(|labels| labels.iter().filter(|(key, _)| seen(key)).map(|(key, value)| (key.clone(), text(value))).collect()).collect())
}

/// What the inventory says that a Prometheus scrapes: of workloads, and of the network plugin.
fn expected(cluster: &Cluster, scraper: &Scraper, pods: &[Pod]) -> (Vec<Target>, Vec<Target>) {
    let running = || pods.iter().filter(|pod| pod.phase == "Running");
    let mut of_workloads = Vec::new();
    for workload in cluster.workloads.iter().filter(|workload| scraper.tiers.contains(&workload.namespace)) {
        let own = |pod: &&Pod| pod.namespace == workload.namespace && pod.labels.get("app.kubernetes.io/name") == Some(&workload.name);
        for pod in running().filter(own) {
            for (number, path) in &workload.scraped {
                let declares = |ports: &[(String, u16)]| ports.iter().find(|(_, port)| port == number).map(|(name, _)| name.clone());
                let (container, port) = pod.containers.iter().find_map(|one| Some((one.name.clone(), declares(&one.ports)?))).unwrap();
                let mut target = pod.target(*number, path, &container, &port);
                target.extend([("job".to_owned(), workload.name.clone()), ("tier".to_owned(), workload.tier.clone())]);
                of_workloads.push(target);
            }
        }
    }
    let mut of_plugin = Vec::new();
    for pod in running().filter(|pod| scraper.tier.is_none() && pod.namespace == "kube-system") {
        for (_, _, containers) in plugin(cluster.cni).iter().filter(|(name, _, _)| pod.name.starts_with(&format!("{name}:"))) {
            for (container, _, answers) in *containers {
                for (job, port) in *answers {
                    let mut target = pod.target(*port, "/metrics", container, job);
                    target.insert("job".to_owned(), (*job).to_owned());
                    // Where the job is each node's, it says whose.
                    if *job != "calico-kube-controllers" {
                        target.insert("node".to_owned(), pod.node.clone());
                    }
                    of_plugin.push(target);
                }
            }
        }
    }
    (of_workloads, of_plugin)
}

/// A kind of pods: what their names begin with, their labels, and their containers with the ports that these declare, by name, and the jobs and ports at which they
/// answer. One that only begins the pod answers nothing, as does one of somebody else.
type Kind = (&'static str, &'static [(&'static str, &'static str)], &'static [ContainerOf]);
type ContainerOf = (&'static str, &'static [(&'static str, u16)], &'static [(&'static str, u16)]);

/// The pods of a network plugin as its manifest or chart makes them.
fn plugin(cni: &str) -> &'static [Kind] {
    match cni {
        "weave" => &[(
            "weave-net",
            &[("name", "weave-net")],
            &[("weave", &[], &[("weave", 6782)]), ("weave-npc", &[], &[("weave-npc", 6781)]), ("weave-init", &[], &[])],
        )],
        "cilium" => &[
            (
                "cilium",
                &[("k8s-app", "cilium"), ("app.kubernetes.io/part-of", "cilium")],
                &[
                    (
                        "cilium-agent",
                        &[("peer-service", 4244), ("prometheus", 9962), ("hubble-metrics", 9965)],
                        &[("cilium", 9962), ("hubble", 9965)],
                    ),
                    ("mount-cgroup", &[], &[]),
                ],
            ),
            ("cilium-envoy", &[("k8s-app", "cilium-envoy")], &[("cilium-envoy", &[("envoy-metrics", 9964)], &[("cilium-envoy", 9964)])]),
            (
                "cilium-operator",
                &[("io.cilium/app", "operator"), ("name", "cilium-operator")],
                &[("cilium-operator", &[], &[("cilium-operator", 9963)])],
            ),
            ("hubble-relay", &[("k8s-app", "hubble-relay")], &[("hubble-relay", &[("grpc", 4245)], &[])]),
        ],
        "calico" => &[
            (
                "calico-node",
                &[("k8s-app", "calico-node")],
                &[("calico-node", &[], &[("calico-felix", 9091)]), ("install-cni", &[], &[]), ("mount-bpffs", &[], &[])],
            ),
            ("calico-typha", &[("k8s-app", "calico-typha")], &[("calico-typha", &[("calico-typha", 5473)], &[("calico-typha", 9093)])]),
            (
                "calico-kube-controllers",
                &[("k8s-app", "calico-kube-controllers")],
                &[("calico-kube-controllers", &[], &[("calico-kube-controllers", 9094)])],
            ),
        ],
        other => panic!("{other} is no network plugin"),
    }
}

/// Somebody else's in the same namespace, who answers at a port as well.
const DNS: Kind = ("coredns", &[("k8s-app", "kube-dns")], &[("coredns", &[("metrics", 9153)], &[])]);

/// The pods on a cluster: of each template of the tree one that runs, one with an address of IPv6, one that has ended; and those of kube-system.
fn pods(cluster: &Cluster, built: &BTreeMap<String, Vec<Value>>) -> Vec<Pod> {
    let mut pods = Vec::new();
    for object in apply::layers(built, &cluster.name).values().flatten() {
        let spec = &object["spec"];
        let template = [&spec["template"], &spec["jobTemplate"]["spec"]["template"]]
            .into_iter()
            .find(|template| template["spec"]["containers"].is_array());
        let Some(template) = template else { continue };
        let containers = |key: &str, begins: bool| -> Vec<Container> {
            let all = template["spec"][key].as_array().cloned().unwrap_or_default();
            all.iter().map(|container| Container { name: text(&container["name"]), ports: ports(container), begins }).collect()
        };
        for (number, (address, phase)) in
            [("10.200.0.1", "Running"), ("fd00::1", "Running"), ("10.200.0.2", "Succeeded")].into_iter().enumerate()
        {
            let labels = template["metadata"]["labels"].as_object().unwrap();
            pods.push(Pod {
                namespace: text(&object["metadata"]["namespace"]),
                name: format!("{}-{number}", text(&object["metadata"]["name"])),
                node: "node-1".to_owned(),
                address: address.to_owned(),
                phase,
                labels: labels.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
                containers: [containers("containers", false), containers("initContainers", true)].concat(),
            });
        }
    }
    for kind in plugin(cluster.cni).iter().chain([&DNS]) {
        // Not every plugin has IPv6; what makes addresses of numbers does.
        for (node, address) in [("1", "10.200.1.1"), ("2", "10.200.1.2"), ("3", "fd00::3")] {
            pods.push(of_kube_system(kind, node, address));
        }
    }
    pods
}

fn of_kube_system((name, labels, containers): &Kind, node: &str, address: &str) -> Pod {
    const BEGIN: [&str; 4] = ["weave-init", "mount-cgroup", "install-cni", "mount-bpffs"];
    let text = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let container = |(name, ports, _): &ContainerOf| Container {
        name: (*name).to_owned(),
        ports: ports.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect(),
        begins: BEGIN.contains(name),
    };
    Pod {
        namespace: "kube-system".to_owned(),
        name: format!("{name}:{node}"),
        node: format!("node-{node}"),
        address: address.to_owned(),
        phase: "Running",
        labels: labels.iter().map(text).collect(),
        containers: containers.iter().map(container).collect(),
    }
}

impl Pod {
    /// A target for each port of each container, and one without a port for a container that declares none, as Prometheus' discovery makes them.
    fn targets(&self) -> Vec<Value> {
        let mut labels = Map::new();
        let mut set = |key: String, value: &str| drop(labels.insert(format!("{META}{key}"), value.into()));
        let own = [("namespace", &self.namespace), ("pod_name", &self.name), ("pod_ip", &self.address), ("pod_node_name", &self.node)];
        for (key, value) in own {
            set(key.to_owned(), value);
        }
        set("pod_phase".to_owned(), self.phase);
        for (key, value) in &self.labels {
            let key: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            set(format!("pod_label_{key}"), value);
            set(format!("pod_labelpresent_{key}"), "true");
        }
        let mut targets = Vec::new();
        for Container { name, ports, begins } in &self.containers {
            let mut of_container = labels.clone();
            of_container.insert(format!("{META}pod_container_name"), name.as_str().into());
            of_container.insert(format!("{META}pod_container_init"), begins.to_string().into());
            if ports.is_empty() {
                targets.push(json!({ "targets": [self.address], "labels": of_container }));
            }
            for (port, number) in ports {
                let mut of_port = of_container.clone();
                of_port.insert(format!("{META}pod_container_port_name"), port.as_str().into());
                of_port.insert(format!("{META}pod_container_port_number"), number.to_string().into());
                targets.push(json!({ "targets": [self.at(*number)], "labels": of_port }));
            }
        }
        targets
    }

    /// What every target of it has, whoever it is found by.
    fn target(&self, number: u16, path: &str, container: &str, endpoint: &str) -> Target {
        let at = self.at(number);
        let labels = [
            ("__address__", at.as_str()),
            ("__metrics_path__", path),
            ("instance", &at),
            ("namespace", &self.namespace),
            ("pod", &self.name),
            ("container", container),
            ("endpoint", endpoint),
        ];
        labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    fn at(&self, number: u16) -> String {
        if self.address.contains(':') { format!("[{}]:{number}", self.address) } else { format!("{}:{number}", self.address) }
    }
}

fn ports(container: &Value) -> Vec<(String, u16)> {
    let all = container["ports"].as_array().into_iter().flatten();
    all.map(|port| (text(&port["name"]), u16::try_from(port["containerPort"].as_u64().unwrap()).unwrap())).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

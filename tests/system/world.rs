//! Trees as the packets of pods see them: names, Services, endpoints, load balancers.
//!
//! It knows Kubernetes' rules and nothing of the program: what the program decided is read from what it wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize as _;
use serde_json::Value;

use crate::flows::texts;
use crate::program::files;

/// Where a flow ends.
#[derive(Debug, PartialEq, Eq)]
pub struct End {
    /// The cluster.
    pub cluster: String,
    /// The namespace.
    pub namespace: String,
    /// The one workload whose pods are selected.
    pub workload: String,
}

/// A fleet's trees, and of its inventory what is outside them: names of listeners, addresses of clusters.
pub struct World {
    /// Objects by cluster.
    objects: BTreeMap<String, Vec<Value>>,
    clusters: Vec<Value>,
    gateways: Vec<Value>,
}

type Place = (String, String, String);

impl World {
    /// That of a project which was generated.
    pub fn of(root: &Path) -> Self {
        let (mut objects, mut clusters, mut gateways) = (BTreeMap::<String, Vec<Value>>::new(), Vec::new(), Vec::new());
        for (path, bytes) in files(&root.join("output/clusters")) {
            let (cluster, rest) = path.split_once('/').unwrap();
            if !rest.ends_with("kustomization.yaml") {
                objects.entry(cluster.to_owned()).or_default().extend(documents(&bytes));
            }
        }
        for (path, bytes) in files(&root.join("inventory")) {
            let read = Path::new(&path).extension().is_some_and(|extension| extension == "yaml");
            for document in if read { documents(&bytes) } else { Vec::new() } {
                clusters.extend(document["clusters"].as_array().into_iter().flatten().cloned());
                gateways.extend(document["gateways"].as_array().into_iter().flatten().cloned());
            }
        }
        Self { objects, clusters, gateways }
    }

    /// Follows a host and a port that a pod dials.
    pub fn follow(&self, cluster: &str, namespace: &str, host: &str, port: u16) -> Result<End, String> {
        let parts: Vec<&str> = host.split('.').collect();
        match parts[..] {
            [name] => self.service(cluster, namespace, name, port),
            [name, namespace, "svc", "cluster", "local"] => self.service(cluster, namespace, name, port),
            _ => self.listener(cluster, self.address(host)?, port),
        }
    }

    /// The target cluster that a gateway states for a caller's.
    pub fn via(&self, gateway: &str, cluster: &str) -> Option<&str> {
        self.gateways.iter().find(|found| found["name"] == gateway)?["via"][cluster].as_str()
    }

    /// The environment of a cluster.
    pub fn environment(&self, cluster: &str) -> &str {
        self.cluster(cluster)["environment"].as_str().unwrap()
    }

    /// What a cluster's pods are seen as.
    pub fn egress(&self, cluster: &str) -> Vec<String> {
        let network = &self.cluster(cluster)["network"];
        let ranges = if network["egress"].is_null() { &network["nodes"] } else { &network["egress"] };
        ranges.as_array().unwrap().iter().map(|range| range.as_str().unwrap().to_owned()).collect()
    }

    /// Every Service of a type that selects no pods: by cluster, namespace and name.
    pub fn aliases(&self, kind: &str) -> BTreeSet<Place> {
        let place = |(cluster, object): (&String, &Value)| {
            (cluster.clone(), text(&object["metadata"]["namespace"]).to_owned(), text(&object["metadata"]["name"]).to_owned())
        };
        self.all("Service")
            .filter(|(_, object)| object["spec"]["selector"].is_null() && object["spec"]["type"] == kind)
            .map(place)
            .collect()
    }

    /// Whom every load balancer lets in: by cluster, namespace and the workload that it selects.
    pub fn listeners(&self) -> BTreeMap<Place, BTreeSet<String>> {
        let balancers = self.all("Service").filter(|(_, object)| object["spec"]["type"] == "LoadBalancer");
        let mut all = BTreeMap::new();
        for (cluster, object) in balancers {
            let workload = text(&object["spec"]["selector"]["app.kubernetes.io/name"]).to_owned();
            let place = (cluster.clone(), text(&object["metadata"]["namespace"]).to_owned(), workload);
            let ranges = object["spec"]["loadBalancerSourceRanges"].as_array().unwrap();
            let before = all.insert(place, ranges.iter().map(|range| text(range).to_owned()).collect());
            assert!(before.is_none(), "two listeners of one workload on {cluster}");
        }
        all
    }

    /// The values of every workload's variables, its own and those of ConfigMaps: cluster, namespace, name, values.
    pub fn configuration(&self) -> Vec<(String, String, String, Vec<String>)> {
        let controllers = self.objects.iter().flat_map(|(cluster, objects)| objects.iter().map(move |object| (cluster, object)));
        let mut all = Vec::new();
        for (cluster, object) in controllers {
            let Some(pod) = template(object).map(|template| &template["spec"]) else { continue };
            let namespace = text(&object["metadata"]["namespace"]);
            let mut values = Vec::new();
            for container in [&pod["containers"], &pod["initContainers"]].into_iter().filter_map(Value::as_array).flatten() {
                values.extend(texts(&container["env"]).into_iter().map(str::to_owned));
                for from in container["envFrom"].as_array().into_iter().flatten() {
                    if let Some(config) = self.object(cluster, "ConfigMap", namespace, text(&from["configMapRef"]["name"])) {
                        values.extend(texts(&config["data"]).into_iter().map(str::to_owned));
                    }
                }
            }
            all.push((cluster.clone(), namespace.to_owned(), text(&object["metadata"]["name"]).to_owned(), values));
        }
        all
    }

    fn service(&self, cluster: &str, namespace: &str, name: &str, number: u16) -> Result<End, String> {
        let service = self.object(cluster, "Service", namespace, name).ok_or_else(|| format!("no Service {namespace}/{name}"))?;
        let spec = &service["spec"];
        let ports = spec["ports"].as_array().into_iter().flatten();
        let port =
            ports.into_iter().find(|port| port["port"] == number).ok_or_else(|| format!("{namespace}/{name} has no port {number}"))?;
        if spec["type"] == "ExternalName" {
            return self.follow(cluster, namespace, text(&spec["externalName"]), number);
        }
        if spec["selector"].is_null() {
            return self.endpoint(cluster, namespace, name, port);
        }
        self.selected(cluster, namespace, spec, port)
    }

    /// The one endpoint behind a Service without a selector.
    fn endpoint(&self, cluster: &str, namespace: &str, service: &str, port: &Value) -> Result<End, String> {
        let of_service = |object: &&Value| {
            let metadata = &object["metadata"];
            metadata["namespace"] == namespace && metadata["labels"]["kubernetes.io/service-name"] == service
        };
        let slices: Vec<&Value> =
            self.all("EndpointSlice").filter(|(at, _)| *at == cluster).map(|(_, object)| object).filter(of_service).collect();
        let [slice] = slices[..] else { return Err(format!("{} EndpointSlices of {namespace}/{service}", slices.len())) };
        let [endpoint] = &slice["endpoints"].as_array().unwrap()[..] else { return Err("not one endpoint".to_owned()) };
        let named = slice["ports"].as_array().unwrap().iter().find(|found| found["name"] == port["name"]);
        let number = named.ok_or("no port of that name in the EndpointSlice")?["port"].as_u64().unwrap();
        self.listener(cluster, text(&endpoint["addresses"][0]), u16::try_from(number).unwrap())
    }

    /// The load balancer at an address, which must let the caller's cluster in.
    fn listener(&self, from: &str, address: &str, number: u16) -> Result<End, String> {
        let balancers: Vec<_> = self.all("Service").filter(|(_, object)| object["spec"]["loadBalancerIP"] == address).collect();
        let [(cluster, service)] = balancers[..] else { return Err(format!("{} load balancers at {address}", balancers.len())) };
        let spec = &service["spec"];
        if spec["type"] != "LoadBalancer" || spec["externalTrafficPolicy"] != "Local" {
            return Err(format!("{address} does not keep the caller's address"));
        }
        let lets_in = texts(&spec["loadBalancerSourceRanges"]);
        if let Some(range) = self.egress(from).iter().find(|range| !lets_in.contains(&range.as_str())) {
            return Err(format!("{address} does not let {range} in"));
        }
        let port = spec["ports"].as_array().unwrap().iter().find(|port| port["port"] == number);
        let port = port.ok_or_else(|| format!("{address} has no port {number}"))?;
        self.selected(cluster, text(&service["metadata"]["namespace"]), spec, port)
    }

    /// The one workload that a Service selects; its pods must have the port.
    fn selected(&self, cluster: &str, namespace: &str, spec: &Value, port: &Value) -> Result<End, String> {
        let selector = spec["selector"].as_object().unwrap();
        let selects = |template: &Value| selector.iter().all(|(key, value)| template["metadata"]["labels"][key] == *value);
        let here = self.objects[cluster].iter().filter(|object| object["metadata"]["namespace"] == namespace);
        let found: Vec<&Value> = here.filter(|object| template(object).is_some_and(selects)).collect();
        let [controller] = found[..] else { return Err(format!("{} workloads are selected", found.len())) };
        let containers = template(controller).unwrap()["spec"]["containers"].as_array().unwrap();
        let has = |container: &Value| {
            container["ports"].as_array().is_some_and(|ports| ports.iter().any(|found| found["name"] == port["targetPort"]))
        };
        if !containers.iter().any(has) {
            return Err(format!("the pods have no port {}", port["targetPort"]));
        }
        let workload = text(&selector["app.kubernetes.io/name"]).to_owned();
        Ok(End { cluster: cluster.to_owned(), namespace: namespace.to_owned(), workload })
    }

    /// The address that a listener's name has.
    fn address(&self, host: &str) -> Result<&str, String> {
        let listeners = self.gateways.iter().filter_map(|gateway| gateway["listen"].as_object()).flat_map(|listen| listen.values());
        let found: BTreeSet<&str> =
            listeners.filter(|listener| listener["host"] == host).map(|listener| text(&listener["address"])).collect();
        match found.len() {
            1 => found.into_iter().next().ok_or_else(String::new),
            count => Err(format!("`{host}` has {count} addresses")),
        }
    }

    fn cluster(&self, name: &str) -> &Value {
        self.clusters.iter().find(|cluster| cluster["name"] == name).unwrap()
    }

    fn all<'w>(&'w self, kind: &'w str) -> impl Iterator<Item = (&'w String, &'w Value)> {
        let all = self.objects.iter().flat_map(|(cluster, objects)| objects.iter().map(move |object| (cluster, object)));
        all.filter(move |(_, object)| object["kind"] == kind)
    }

    fn object(&self, cluster: &str, kind: &str, namespace: &str, name: &str) -> Option<&Value> {
        let is =
            |object: &&Value| object["kind"] == kind && object["metadata"]["namespace"] == namespace && object["metadata"]["name"] == name;
        self.objects.get(cluster)?.iter().find(is)
    }
}

/// The pod template of a controller.
fn template(object: &Value) -> Option<&Value> {
    let template = &object["spec"]["template"];
    let cron = &object["spec"]["jobTemplate"]["spec"]["template"];
    [template, cron].into_iter().find(|template| template["spec"]["containers"].is_array())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn documents(bytes: &[u8]) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_slice(bytes).map(|document| Value::deserialize(document).unwrap());
    documents.filter(|document| !document.is_null()).collect()
}

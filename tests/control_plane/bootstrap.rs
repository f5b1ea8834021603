//! What makes control planes and nodes: a real API server starts with the emitted files and flags, and holds what they say.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::apply::{self, Layers};
use crate::client::{Client, Patch, User};
use crate::emitted::{self, Flag};
use crate::etcd::Etcd;
use crate::issuer::Issuer;
use crate::judges::{Judges, documents};
use crate::kms::Kms;
use crate::plane::Plane;
use crate::program::{Project, repository};
use crate::runner::Verdict;
use crate::session::{accepted, guarded, none};
use crate::waiting::eventually;

/// The tests of every cluster.
const TESTS: [&str; 6] = ["files", "tokens", "anonymous", "admission", "audit", "encryption"];
/// That of the clusters that Cluster API makes.
const MACHINES: &str = "machines";
const REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const MARK: &str = "a-word-that-is-nowhere-else";

/// The sample, for the minor of the server that is asked: what it reads depends on its minor.
pub fn project(judges: &Judges) -> Project {
    let project = Project::of(&repository().join("inventory"));
    let minor = judges.minor();
    for entry in walkdir::WalkDir::new(project.root.join("inventory")) {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.replace("kubernetes: \"1.35\"", &format!("kubernetes: \"{minor}\""));
            let text = text.replace("kubernetes: \"1.36\"", &format!("kubernetes: \"{minor}\""));
            fs::write(&path, text.replace("version: v1.35.4", &format!("version: v{minor}.0"))).unwrap();
        }
    }
    project.generate();
    project
}

/// The names of the tests of a cluster.
pub fn names(cluster: &str) -> Vec<String> {
    let machines = (cluster == "shared-osaka").then_some(MACHINES);
    TESTS.into_iter().chain(machines).map(|test| format!("bootstrap/{cluster}/{test}")).collect()
}

/// Runs those of them that are wanted.
pub fn run(judges: &Judges, etcd: &Etcd, project: &Project, cluster: &str, wanted: &dyn Fn(&str) -> bool, say: &dyn Fn(&str, Verdict)) {
    let bootstrap = project.output().join("bootstrap").join(cluster);
    let name = |test: &str| format!("bootstrap/{cluster}/{test}");
    if wanted(&name("files")) {
        say(&name("files"), guarded(|| files(judges, &bootstrap)));
    }
    if names(cluster).contains(&name(MACHINES)) && wanted(&name(MACHINES)) {
        say(&name(MACHINES), guarded(|| machines(judges, etcd, cluster, &bootstrap)));
    }
    let tests: Vec<&str> = TESTS[1..].iter().copied().filter(|test| wanted(&name(test))).collect();
    if tests.is_empty() {
        return;
    }
    let said = RefCell::new(Vec::new());
    let ended = guarded(|| {
        let ground = Ground::start(judges, etcd, cluster, &bootstrap);
        let look = |test: &str, with: bool| match test {
            "tokens" => ground.tokens(with),
            "anonymous" => ground.anonymous(with),
            "admission" => ground.admission(with),
            "encryption" => ground.encryption(with),
            _ => ground.audit(),
        };
        let mut stopped: Vec<(&str, Verdict)> = tests.iter().map(|test| (*test, guarded(|| look(test, true)))).collect();
        // What nothing would have stopped anyway shows nothing.
        ground.plane.restart_with(&flags(&emitted::without(&ground.folder, &ground.flags)));
        for (test, verdict) in stopped.iter_mut().filter(|(test, verdict)| verdict.is_ok() && *test != "audit") {
            *verdict = guarded(|| look(test, false)).map_err(|why| format!("without the control: {why}"));
        }
        for (test, verdict) in stopped {
            said.borrow_mut().push(test);
            say(&name(test), verdict);
        }
        Ok(())
    });
    for test in tests.iter().filter(|test| !said.borrow().contains(test)) {
        say(&name(test), ended.clone().and(Err("it was never tried".to_owned())));
    }
}

/// Files for kubelets, kubeadm and the store's encryption are what these programs read.
fn files(judges: &Judges, bootstrap: &Path) -> Verdict {
    let files: Vec<PathBuf> = walkdir::WalkDir::new(bootstrap)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| {
            let text = if path.is_file() { fs::read_to_string(path).unwrap() } else { String::new() };
            ["kubelet.config.k8s.io/", "kubeadm.k8s.io/", "kind: EncryptionConfiguration"].iter().any(|kind| {
                path.extension().is_some_and(|extension| extension != "md") && text.contains(kind) && !text.contains("cluster.x-k8s.io/")
            })
        })
        .collect();
    if files.is_empty() {
        return Ok(());
    }
    let output = judges.program("validate-config").args(&files).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// The objects of Cluster API are taken as they are, and applying them again changes nothing.
fn machines(judges: &Judges, etcd: &Etcd, cluster: &str, bootstrap: &Path) -> Verdict {
    let files =
        walkdir::WalkDir::new(bootstrap.join("cluster-api")).sort_by_file_name().into_iter().map(|entry| entry.unwrap().into_path());
    let texts = files.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap());
    let objects: Vec<Value> = texts
        .flat_map(|text| documents(&text))
        .filter(|object| object["apiVersion"].as_str().is_some_and(|version| version.contains("cluster.x-k8s.io/")))
        .collect();
    let groups = apply::groups(objects.iter());
    let plane = Plane::start(judges, etcd, &format!("machines-{cluster}"), &groups);
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": cluster } });
    apply::apply_object(&plane, &namespace)?;
    let deployments: Vec<&Value> = objects.iter().filter(|object| object["kind"] == "MachineDeployment").collect();
    let of_tiers =
        deployments.iter().filter(|one| one["spec"]["template"]["metadata"]["labels"]["node-restriction.kubernetes.io/tier"].is_string());
    if (deployments.len(), of_tiers.count()) != (3, 2) {
        return Err(format!("three pools, two of them of tiers, are not: {deployments:?}"));
    }
    accepted(&plane, &Layers::from([("cluster-api".to_owned(), objects)]))
}

/// An API server that was started with a cluster's files, and an issuer that it believes.
struct Ground<'a> {
    plane: Plane<'a>,
    issuer: Issuer,
    kms: Option<Kms>,
    folder: PathBuf,
    flags: Vec<Flag>,
    audience: String,
    joins_by_token: bool,
}

fn flags(flags: &[Flag]) -> Vec<String> {
    flags.iter().map(|(name, value)| format!("--{name}={value}")).collect()
}

impl<'a> Ground<'a> {
    fn start(judges: &'a Judges, etcd: &'a Etcd, cluster: &str, bootstrap: &Path) -> Self {
        let name = format!("bootstrap-{cluster}");
        let folder = etcd.scratch.path().join(format!("{name}-files"));
        fs::create_dir_all(&folder).unwrap();
        let issuer = Issuer::start(judges, &name, &folder, etcd.scratch.path());
        let installed = emitted::installed(bootstrap, &folder, &issuer);
        let kms = Kms::start(judges, &name, &folder, &installed, etcd.scratch.path());
        assert_eq!(kms.is_some(), folder.join("encryption.yaml").exists(), "the flags do not name the configuration of the encryption");
        let plane = Plane::start_with(judges, etcd, &name, &flags(&installed));
        let joins_by_token = bootstrap.join("cluster-api").is_dir();
        Self { plane, issuer, kms, folder, flags: installed, audience: format!("boutique-{cluster}"), joins_by_token }
    }

    fn claims(&self) -> Value {
        let now = now();
        json!({
            "iss": self.issuer.address, "aud": self.audience, "sub": "alice", "groups": ["payments", "platform"],
            "amr": ["pwd", "mfa"], "iat": now, "exp": now + 600,
        })
    }

    /// Who the server takes the bearer of a token for; the status where it takes them for nobody.
    fn review(&self, claims: &Value, forged: bool) -> Result<Value, u16> {
        let client = self.plane.with_token(&self.issuer.token(claims, forged));
        let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
        let answer = client.post(REVIEWS, &review);
        if answer.is_ok() { Ok(answer.body["status"]["userInfo"].clone()) } else { Err(answer.status) }
    }

    /// A token opens the cluster for who it says, and for nobody where a rule is against it.
    fn tokens(&self, with: bool) -> Verdict {
        let good = self.claims();
        // The server asks for the issuer's keys once it runs.
        let user = eventually(|| self.review(&self.claims(), false).ok()).ok_or("a good token is refused")?;
        let groups = ["oidc:payments", "oidc:platform", "system:authenticated"];
        if user["username"] != "oidc:alice" || user["groups"] != json!(groups) {
            return Err(format!("a good token is taken for {user}"));
        }
        let changed = |key: &str, value: Value| {
            let mut claims = good.clone();
            claims[key] = value;
            claims
        };
        let less = |key: &str| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().remove(key);
            claims
        };
        let issued = now();
        let mut long = changed("exp", json!(issued + 7200));
        long["iat"] = json!(issued);
        let mut expired = changed("exp", json!(issued - 60));
        expired["iat"] = json!(issued - 660);
        self.review(&changed("amr", json!("mfa")), false).map_err(|status| format!("one method that is no list: {status}"))?;
        // What the rules stop, and what no rule is needed for.
        let by_rule = [
            ("without a second factor", less("amr")),
            ("with other methods", changed("amr", json!(["pwd", "otp"]))),
            ("with a method that only begins so", changed("amr", json!("mfa-was-skipped"))),
            ("with the administrators' group", changed("groups", json!(["payments", "system:masters"]))),
            ("with the nodes' group", changed("groups", json!(["system:nodes"]))),
            ("with a name of Kubernetes' own", changed("sub", json!("system:admin"))),
            ("for two hours", long),
            ("that does not say since when", less("iat")),
        ];
        let always = [
            ("that has expired", expired, false),
            ("for another cluster", changed("aud", json!("boutique-elsewhere")), false),
            ("of another issuer", changed("iss", json!("https://login.elsewhere.example")), false),
            ("with a signature of somebody else", good.clone(), true),
            ("for nobody in particular", less("aud"), false),
        ];
        let mut wrong = Vec::new();
        for (what, claims) in &by_rule {
            match (with, self.review(claims, false)) {
                (true, Err(401)) | (false, Ok(_)) => {}
                (_, verdict) => wrong.push(format!("a token {what}: {verdict:?}")),
            }
        }
        for (what, claims, forged) in &always {
            match self.review(claims, *forged) {
                Err(401) => {}
                verdict => wrong.push(format!("a token {what}: {verdict:?}")),
            }
        }
        none("tokens are not seen as they are", &wrong)
    }

    /// What the server stores is encrypted where the cluster has a KMS, and is read by nobody who reads the disk; elsewhere it lies there in the clear,
    /// which `nodes.md` says.
    fn encryption(&self, with: bool) -> Verdict {
        let name = if with { "at-rest" } else { "at-rest-in-the-clear" };
        let resources = self.kms.as_ref().map_or_else(|| vec!["secrets".to_owned()], |kms| kms.resources.clone());
        for resource in &resources {
            let at = format!("/api/v1/namespaces/default/{resource}");
            let object = json!({ "metadata": { "name": name, "annotations": { "mark": MARK } } });
            self.plane.masters.post(&at, &object).ok()?;
            let stored = self.plane.stored(&format!("{resource}/default/{name}")).ok_or(format!("{resource}: nothing is stored"))?;
            let stored = String::from_utf8_lossy(&stored);
            let prefix = self.kms.as_ref().filter(|_| with).map_or("k8s\0".to_owned(), |kms| format!("k8s:enc:kms:v2:{}:", kms.name));
            let in_the_clear = !with || self.kms.is_none();
            if !stored.starts_with(&prefix) || stored.contains(MARK) != in_the_clear {
                return Err(format!("{resource} lie in the store as {stored:?}, not as {prefix:?}"));
            }
            let read = self.plane.masters.get(&format!("{at}/{name}")).ok()?;
            if read["metadata"]["annotations"]["mark"] != MARK {
                return Err(format!("{resource} are not read as they were written: {read}"));
            }
        }
        Ok(())
    }

    /// Without a token nothing is answered but for the health endpoints.
    fn anonymous(&self, with: bool) -> Verdict {
        let nobody = self.plane.with_token("");
        let mut wrong = Vec::new();
        for path in ["/livez", "/readyz", "/healthz"] {
            let status = nobody.get(path).status;
            if status != 200 {
                wrong.push(format!("{path}: {status}"));
            }
        }
        let info = "/api/v1/namespaces/kube-public/configmaps/cluster-info";
        for path in ["/api", "/apis", "/version", "/openapi/v3", "/livez/ping", "/api/v1/nodes", info] {
            let refused = nobody.get(path).status == 401;
            if refused != (with && !(self.joins_by_token && path == info)) {
                wrong.push(format!("{path}: {}", nobody.get(path).status));
            }
        }
        none("paths are not answered as they should be", &wrong)
    }

    /// The plugins that are turned on, and the defaults of Pod Security.
    fn admission(&self, with: bool) -> Verdict {
        let masters = &self.plane.masters;
        let mut wrong = Vec::new();
        let mut expect = |what: &str, answer: crate::client::Answer, said: &str| {
            let message = answer.message();
            let refused = !answer.is_ok() && message.contains(said);
            if refused != with || (!with && !answer.is_ok()) {
                wrong.push(format!("{what}: {message}"));
            }
        };
        for namespace in ["unlabelled", "kube-system"] {
            masters.post("/api/v1/namespaces", &json!({ "metadata": { "name": namespace } }));
            let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
            masters.post(&accounts, &json!({ "metadata": { "name": "default" } }));
        }
        let pod = json!({ "metadata": { "name": "pod" }, "spec": { "containers": [
            { "name": "main", "image": "registry.acme.example/pod:1", "securityContext": { "privileged": true } },
        ]}});
        let pods = |namespace: &str| format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
        let answer = masters.post(&pods("unlabelled"), &pod);
        if fs::read_to_string(self.folder.join("admission.yaml")).unwrap().contains("enforce: privileged") {
            // A cluster that is rolled out: what is refused later is noted now.
            answer.ok().map_err(|why| format!("a privileged pod where nothing is refused yet: {why}"))?;
        } else {
            expect("a privileged pod where no label is", answer, "violates PodSecurity");
        }
        masters.post(&pods("kube-system"), &pod).ok().map_err(|why| format!("a privileged pod of the platform: {why}"))?;
        let service = json!({ "metadata": { "name": "taken" }, "spec": { "ports": [{ "port": 80 }], "externalIPs": ["192.0.2.1"] } });
        let services = "/api/v1/namespaces/unlabelled/services?dryRun=All";
        expect("a Service with somebody else's address", masters.post(services, &service), "external IPs is denied");
        self.owner_references(&mut expect)?;
        none("requests are not admitted as they should be", &wrong)
    }

    /// Who may not delete a thing may not have the garbage collector delete it either; a node least of all itself.
    fn owner_references(&self, expect: &mut dyn FnMut(&str, crate::client::Answer, &str)) -> Verdict {
        let masters = &self.plane.masters;
        let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/unlabelled";
        let patcher = User { user: "patcher".to_owned(), groups: Vec::new() };
        let rule = json!([{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "patch"] }]);
        masters.post(&format!("{rbac}/roles"), &json!({ "metadata": { "name": "patcher" }, "rules": rule }));
        masters.post(
            &format!("{rbac}/rolebindings"),
            &json!({
                "metadata": { "name": "patcher" },
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "patcher" },
                "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "patcher" }],
            }),
        );
        masters.post("/api/v1/namespaces/unlabelled/configmaps", &json!({ "metadata": { "name": "kept" } }));
        masters.post("/api/v1/nodes", &json!({ "metadata": { "name": "node-1" } }));
        let owner = json!({ "metadata": { "ownerReferences": [
            { "apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "00000000-0000-0000-0000-000000000000" },
        ]}});
        let patched = |client: &Client, path: &str| client.patch(&format!("{path}?dryRun=All"), Patch::Merge, &owner);
        let kept = "/api/v1/namespaces/unlabelled/configmaps/kept";
        let may = eventually(|| {
            let change = json!({ "metadata": { "labels": { "seen": "yes" } } });
            self.plane.client(&patcher).patch(kept, Patch::Merge, &change).is_ok().then_some(())
        });
        may.ok_or("who may change it cannot")?;
        expect("an owner of what may not be deleted", patched(&self.plane.client(&patcher), kept), "can't delete");
        let node = User { user: "system:node:node-1".to_owned(), groups: vec!["system:nodes".to_owned()] };
        expect("a node that gives itself an owner", patched(&self.plane.client(&node), "/api/v1/nodes/node-1"), "");
        Ok(())
    }

    /// What is logged: changes of the isolation whole, Secrets never, everything of who has broken the glass.
    fn audit(&self) -> Verdict {
        let masters = &self.plane.masters;
        let emergency = "oidc:platform-emergency";
        let binding = json!({
            "metadata": { "name": "emergency" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": emergency }],
        });
        masters.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding);
        let mut claims = self.claims();
        claims["groups"] = json!(["platform-emergency"]);
        let glass = self.plane.with_token(&self.issuer.token(&claims, false));
        let at = "/api/v1/namespaces/default";
        let limit = |name: &str| json!({ "metadata": { "name": name, "annotations": { "mark": MARK } }, "spec": { "limits": [] } });
        let secret = json!({ "metadata": { "name": "audit-secret" }, "stringData": { "password": MARK } });
        let role = json!({ "metadata": { "name": "audit-role", "annotations": { "mark": MARK } }, "rules": [] });
        masters.post(&format!("{at}/secrets"), &secret).ok()?;
        masters.post(&format!("{at}/configmaps"), &json!({ "metadata": { "name": "audit-config" }, "data": { "key": MARK } })).ok()?;
        masters.post(&format!("{at}/limitranges"), &limit("audit-limit")).ok()?;
        masters.post("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", &role).ok()?;
        let broken = eventually(|| glass.post(&format!("{at}/limitranges"), &limit("audit-glass")).is_ok().then_some(()));
        broken.ok_or("who may do everything in an emergency cannot")?;
        glass.get(&format!("{at}/secrets/audit-secret")).ok()?;
        masters.get("/livez");
        let log = fs::read_to_string(self.folder.join("audit.log")).unwrap();
        let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let logged = |name: &str, level: &str, with_body: bool| {
            let of =
                |event: &&Value| event["objectRef"]["name"] == name && event["level"] == level && event["responseStatus"]["code"] != 403;
            let found: Vec<&Value> = events.iter().filter(of).collect();
            (found.is_empty() || found.iter().any(|event| event.to_string().contains(MARK) != with_body))
                .then(|| format!("{name} is not logged as {level}: {found:?}"))
        };
        let mut wrong: Vec<String> = [
            logged("audit-secret", "Metadata", false),
            logged("audit-config", "Metadata", false),
            logged("audit-limit", "Metadata", false),
            logged("audit-role", "RequestResponse", true),
            logged("audit-glass", "Request", true),
        ]
        .into_iter()
        .flatten()
        .collect();
        let noise = events.iter().filter(|event| event["requestURI"].as_str().is_some_and(|uri| uri.starts_with("/livez")));
        wrong.extend(noise.map(|event| format!("health is logged: {event}")).take(1));
        wrong.extend(events.iter().filter(|event| event["stage"] == "RequestReceived").map(|event| format!("twice: {event}")).take(1));
        none("events are not logged as they should be", &wrong)
    }
}

#[expect(clippy::disallowed_methods, reason = "a token holds for some time from now on")]
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

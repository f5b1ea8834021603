//! A control plane: a real API server, scheduler and controller manager. There are no kubelets, so nothing ever runs.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::client::{Client, User};
use crate::daemon::Daemon;
use crate::definitions::{self, BASE};
use crate::etcd::Etcd;
use crate::judges::Judges;
use crate::resources::Resources;
use crate::waiting::{eventually, free_port};

const ADMINISTRATOR_TOKEN: &str = "masters-token";
const SCHEDULER: &str = "kube-scheduler";
const CONTROLLERS: &str = "kube-controller-manager";
/// Nodes neither come nor go by themselves here: there is no kubelet that would report to these.
const CONTROLLERS_THAT_RUN: &str = "*,-node-lifecycle-controller,-node-ipam-controller";

/// Who changed what, and what admission noted.
const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, verbs: [get, list, watch]}
- {level: Metadata}
";

/// A running control plane.
pub struct Plane<'a> {
    judges: &'a Judges,
    etcd: &'a Etcd,
    /// Its name, which is its prefix in etcd.
    name: String,
    folder: PathBuf,
    port: u16,
    server: RefCell<Option<Daemon>>,
    components: RefCell<Vec<Daemon>>,
    /// A connection as a member of `system:masters`, whom no authorizer refuses anything.
    pub masters: Client,
    /// Where objects of each kind live.
    pub resources: Resources,
}

impl<'a> Plane<'a> {
    /// What lies in the store at a key.
    pub fn stored(&self, key: &str) -> Option<Vec<u8>> {
        self.etcd.read(&self.name, key)
    }

    /// Starts an API server of that name that has the definitions of these API groups, taken from [`install`](crate::definitions::install).
    pub fn start(judges: &'a Judges, etcd: &'a Etcd, name: &str, groups: &BTreeSet<&str>) -> Self {
        etcd.copy(BASE, name, |key| definitions::group(key).is_none_or(|group| groups.contains(group)));
        Self::start_empty(judges, etcd, name)
    }

    /// The same, with a log of every change and of what admission noted beside it.
    pub fn start_audited(judges: &'a Judges, etcd: &'a Etcd, name: &str, groups: &BTreeSet<&str>) -> Self {
        etcd.copy(BASE, name, |key| definitions::group(key).is_none_or(|group| groups.contains(group)));
        Self::start_as(judges, etcd, name, |folder, port| {
            fs::write(folder.join("audit.yaml"), AUDIT_POLICY).unwrap();
            let file = |flag: &str, name: &str| format!("--{flag}={}", folder.join(name).display());
            let flags = [NODE_RESTRICTION.to_owned(), file("audit-policy-file", "audit.yaml"), file("audit-log-path", "audit.log")];
            serve_with(judges, etcd, name, folder, port, &flags)
        })
    }

    /// Starts an API server of that name that has nothing yet.
    pub fn start_empty(judges: &'a Judges, etcd: &'a Etcd, name: &str) -> Self {
        Self::start_as(judges, etcd, name, |folder, port| serve(judges, etcd, name, folder, port, &[]))
    }

    /// Starts an API server that has nothing yet, with flags beside those that every one here has; admission plugins are among them.
    pub fn start_with(judges: &'a Judges, etcd: &'a Etcd, name: &str, flags: &[String]) -> Self {
        Self::start_as(judges, etcd, name, |folder, port| serve_with(judges, etcd, name, folder, port, flags))
    }

    fn start_as(judges: &'a Judges, etcd: &'a Etcd, name: &str, serve: impl FnOnce(&Path, u16) -> Daemon) -> Self {
        let folder = etcd.scratch.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        let key = judges.program("private-key").output().unwrap();
        assert!(key.status.success(), "{}", String::from_utf8_lossy(&key.stderr));
        fs::write(folder.join("accounts.key"), key.stdout).unwrap();
        let users = [("masters", ADMINISTRATOR_TOKEN, "system:masters"), (SCHEDULER, SCHEDULER, ""), (CONTROLLERS, CONTROLLERS, "")];
        let users = users.map(|(user, token, groups)| match groups {
            "" => format!("{token},system:{user},{user}\n"),
            groups => format!("{token},{user},{user},{groups}\n"),
        });
        fs::write(folder.join("tokens.csv"), users.concat()).unwrap();
        let port = free_port();
        let server = serve(&folder, port);
        let (masters, server) = wait_until_ready(&folder, port, server);
        let resources = Resources::new(masters.clone());
        let (name, server, components) = (name.to_owned(), RefCell::new(Some(server)), RefCell::default());
        Self { judges, etcd, name, folder, port, server, components, masters, resources }
    }

    /// Starts the scheduler and the controllers, as the identities that they have everywhere.
    pub fn start_components(&self) {
        let mut components = self.components.borrow_mut();
        for name in [SCHEDULER, CONTROLLERS] {
            let mut command = self.judges.program(name);
            command.arg("--kubeconfig").arg(self.kubeconfig(name)).args(["--leader-elect=false", "--secure-port=0"]);
            if name == CONTROLLERS {
                command.arg(format!("--controllers={CONTROLLERS_THAT_RUN}")).arg("--use-service-account-credentials");
                command.arg("--service-account-private-key-file").arg(self.folder.join("accounts.key"));
                // A namespace is gone once every kind was asked for in it: by default twenty requests a second, of all controllers together.
                command.args(["--kube-api-qps=500", "--kube-api-burst=1000"]);
            }
            components.push(Daemon::start(&format!("{}.{name}", self.name), command, self.etcd.scratch.path()));
        }
    }

    /// Starts Flux' controller as its installation for several tenants does, which applies everything as somebody else.
    pub fn start_flux(&self, namespace: &str) {
        let mut command = self.judges.kustomize_controller();
        command.env("KUBECONFIG", self.kubeconfig(ADMINISTRATOR_TOKEN)).env("RUNTIME_NAMESPACE", namespace);
        command.env("TMPDIR", &self.folder);
        command.args(["--watch-all-namespaces", "--no-cross-namespace-refs", "--no-remote-bases", "--default-service-account=default"]);
        // Sooner than in earnest.
        command.args(["--requeue-dependency=1s", "--metrics-addr=0", "--log-level=info"]);
        command.arg(format!("--health-addr=127.0.0.1:{}", free_port()));
        let daemon = Daemon::start_tied(&format!("{}.kustomize-controller", self.name), command, self.etcd.scratch.path());
        self.components.borrow_mut().push(daemon);
    }

    /// Starts prometheus-operator, once, as whoever installs it does: it may do everything.
    pub fn start_prometheus_operator(&self) {
        let name = format!("{}.prometheus-operator", self.name);
        let mut components = self.components.borrow_mut();
        if components.iter().any(|component| component.name() == name) {
            return;
        }
        let mut command = self.judges.prometheus_operator();
        command.env("KUBECONFIG", self.kubeconfig(ADMINISTRATOR_TOKEN)).arg(format!("--web.listen-address=127.0.0.1:{}", free_port()));
        components.push(Daemon::start_tied(&name, command, self.etcd.scratch.path()));
    }

    /// The server's address.
    pub fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The file with the certificate that the server shows.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("apiserver.crt")
    }

    /// Stops the API server, and starts it again on the same objects without some of its admission plugins.
    pub fn restart(&self, without_plugins: &[&str]) {
        // The old one first: both would listen on the same port.
        drop(self.server.borrow_mut().take());
        let server = serve(self.judges, self.etcd, &self.name, &self.folder, self.port, without_plugins);
        *self.server.borrow_mut() = Some(wait_until_ready(&self.folder, self.port, server).1);
    }

    /// Stops the API server, and starts it again on the same objects with other flags than it had.
    pub fn restart_with(&self, flags: &[String]) {
        drop(self.server.borrow_mut().take());
        let server = serve_with(self.judges, self.etcd, &self.name, &self.folder, self.port, flags);
        *self.server.borrow_mut() = Some(wait_until_ready(&self.folder, self.port, server).1);
    }

    /// A connection with a token; with an empty one, without any.
    pub fn with_token(&self, token: &str) -> Client {
        Client::new(self.port, &fs::read(self.folder.join("apiserver.crt")).unwrap(), token)
    }

    /// A connection as somebody.
    pub fn client(&self, user: &User) -> Client {
        self.masters.as_user(user)
    }

    /// The events in the log of an audited server.
    pub fn audit_log(&self) -> Vec<serde_json::Value> {
        let log = fs::read_to_string(self.folder.join("audit.log")).unwrap();
        // The last line may still be written.
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Fails the test if a program of the control plane has ended.
    pub fn assert_alive(&self) {
        let mut components = self.components.borrow_mut();
        let ended = self.server.borrow_mut().iter_mut().chain(components.iter_mut()).find_map(Daemon::ended);
        assert_eq!(ended, None);
    }

    fn kubeconfig(&self, token: &str) -> PathBuf {
        let path = self.folder.join(format!("{token}.kubeconfig"));
        let config = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "it", "cluster": {
                "server": format!("https://127.0.0.1:{}", self.port),
                "certificate-authority": self.folder.join("apiserver.crt"),
            }}],
            "users": [{ "name": "it", "user": { "token": token } }],
            "contexts": [{ "name": "it", "context": { "cluster": "it", "user": "it" } }],
            "current-context": "it",
        });
        fs::write(&path, config.to_string()).unwrap();
        path
    }
}

/// What every distribution that the trees are written for turns on, and the server alone does not.
const NODE_RESTRICTION: &str = "--enable-admission-plugins=NodeRestriction";

fn serve(judges: &Judges, etcd: &Etcd, name: &str, folder: &Path, port: u16, without_plugins: &[&str]) -> Daemon {
    let mut flags = Vec::new();
    if !without_plugins.contains(&"NodeRestriction") {
        flags.push(NODE_RESTRICTION.to_owned());
    }
    let off: Vec<&str> = without_plugins.iter().copied().filter(|plugin| *plugin != "NodeRestriction").collect();
    if !off.is_empty() {
        flags.push(format!("--disable-admission-plugins={}", off.join(",")));
    }
    serve_with(judges, etcd, name, folder, port, &flags)
}

fn serve_with(judges: &Judges, etcd: &Etcd, name: &str, folder: &Path, port: u16, flags: &[String]) -> Daemon {
    let key = folder.join("accounts.key");
    let mut command = judges.program("kube-apiserver");
    command.args(["--etcd-servers", &etcd.address, "--etcd-prefix", &format!("/{name}")]);
    command.args(["--bind-address", "127.0.0.1", "--secure-port", &port.to_string()]);
    command.arg("--cert-dir").arg(folder).arg("--token-auth-file").arg(folder.join("tokens.csv"));
    command.arg("--service-account-key-file").arg(&key).arg("--service-account-signing-key-file").arg(&key);
    command.args(["--service-account-issuer", "https://kubernetes.default.svc", "--authorization-mode", "Node,RBAC"]);
    command.args(["--service-cluster-ip-range", "10.96.0.0/16", "--endpoint-reconciler-type", "none"]);
    // What every distribution that the trees are written for turns on, and the server alone does not.
    command.arg("--allow-privileged").args(flags);
    Daemon::start(&format!("{name}.kube-apiserver"), command, etcd.scratch.path())
}

/// Waits until a server has done all that it does at its start, and gives a connection to it.
fn wait_until_ready(folder: &Path, port: u16, mut server: Daemon) -> (Client, Daemon) {
    let mut said = String::new();
    let client = eventually(|| {
        if let Some(end) = server.ended() {
            panic!("{end}");
        }
        let certificates = fs::read(folder.join("apiserver.crt")).ok()?;
        let client = Client::new(port, &certificates, ADMINISTRATOR_TOKEN);
        let answer = client.get("/readyz");
        said = answer.message();
        answer.is_ok().then_some(client)
    });
    let client = client.unwrap_or_else(|| panic!("the API server is not ready: {said}\n{}", server.tail()));
    (client, server)
}

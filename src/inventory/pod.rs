//! The short forms of what nearly every pod needs.

use super::gateway::PortRef;
use crate::decode::{Decode, Entries, Findings};
use crate::diag::{Code, Diag, did_you_mean};
use crate::formats::{DnsSubdomain, HostName, PortName, Quantity, SecretKey};
use crate::source::Spanned;
use crate::yaml::read::{Node, Value};
use crate::{record, words};

/// The value of an environment variable.
#[derive(Clone, Debug, PartialEq)]
pub enum EnvValue {
    /// A plain value; no secret.
    Text(Spanned<String>),
    /// From somewhere else.
    From(Spanned<EnvSource>),
}

record! {
    "a variable"
    /// Where a variable's value comes from: exactly one of a field, a Secret's key, a ConfigMap's key.
    pub struct EnvSource {
        /// A field of the pod, such as `metadata.namespace`.
        pub field_ref: Option<Spanned<String>>,
        /// A request or limit of the main container, such as `limits.memory`.
        pub resource_field_ref: Option<Spanned<String>>,
        /// A Secret; taken to exist in the namespace.
        pub secret: Option<Spanned<DnsSubdomain>>,
        /// A ConfigMap.
        pub config_map: Option<Spanned<DnsSubdomain>>,
        /// The key in the Secret or ConfigMap.
        pub key: Option<Spanned<SecretKey>>,
        /// Whether the pod starts without it; not, if left out.
        pub optional: Option<Spanned<bool>>,
    }
}

impl Decode for EnvValue {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        match node.value {
            Value::Map(_) => Decode::decode(node, findings).map(Self::From),
            _ => Decode::decode(node, findings).map(Self::Text),
        }
    }
}

impl schemars::JsonSchema for EnvValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EnvValue".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        super::shape::either::<String, EnvSource>(generator)
    }
}

record! {
    "`envFrom`"
    /// All keys of one ConfigMap or Secret as variables.
    pub struct EnvFrom {
        /// A ConfigMap.
        pub config_map: Option<Spanned<DnsSubdomain>>,
        /// A Secret.
        pub secret: Option<Spanned<DnsSubdomain>>,
        /// Put before each key.
        pub prefix: Option<Spanned<String>>,
        /// Whether the pod starts without it; not, if left out.
        pub optional: Option<Spanned<bool>>,
    }
}

words! {
    /// Transport protocols.
    pub enum Protocol {
        /// TCP.
        Tcp = "TCP",
        /// UDP.
        Udp = "UDP",
        /// SCTP.
        Sctp = "SCTP",
    }
}

record! {
    "a port"
    /// A port of the main container.
    pub struct Port {
        /// Its name.
        pub name: Spanned<PortName>,
        /// Its number in the pod.
        pub port: Spanned<u16>,
        /// Its number at the Service; the pod's if left out.
        pub service_port: Option<Spanned<u16>>,
        /// Whether the Service has it; yes, if left out.
        pub service: Option<Spanned<bool>>,
        /// Its protocol; TCP if left out.
        pub protocol: Option<Spanned<Protocol>>,
        /// What is spoken on it, for meshes and gateways.
        pub app_protocol: Option<Spanned<String>>,
        /// The path, without a query, at which Prometheus reads metrics: by plain HTTP, within the cluster.
        pub scrape: Option<Spanned<String>>,
    }
}

record! {
    "`expose`"
    /// How traffic from outside the cluster comes in; never implied.
    pub struct Expose {
        /// By which object. A layer that states another one keeps nothing of those below it.
        pub r#type as "type": Option<Spanned<ExposeType>>,
        /// The host name, which an Ingress and a route need.
        pub host: Option<Spanned<HostName>>,
        /// The path; `/` if left out.
        pub path: Option<Spanned<String>>,
        /// The Ingress class; the cluster's `ingress.class` if left out.
        pub class: Option<Spanned<DnsSubdomain>>,
        /// The Secret with the certificate; taken to exist in the namespace.
        pub tls: Option<Spanned<DnsSubdomain>>,
        /// The port; the Service's first if left out. A load balancer opens no other, so that its Service has no other.
        pub port: Option<Spanned<PortRef>>,
        /// The Gateway, for `type: Gateway`.
        pub gateway: Option<Spanned<GatewayRef>>,
        /// Annotations of the Ingress, the route or the Service.
        pub annotations: Entries<Spanned<String>>,
    }
}

impl Expose {
    /// Whether it is by an object of this type.
    pub fn is(&self, wanted: ExposeType) -> bool {
        self.r#type.is_some_and(|stated| stated.value == wanted)
    }
}

words! {
    /// Objects that bring traffic in.
    pub enum ExposeType {
        /// An Ingress.
        Ingress = "Ingress",
        /// The Service itself.
        LoadBalancer = "LoadBalancer",
        /// An HTTPRoute of the Gateway API.
        Gateway = "Gateway",
    }
}

record! {
    "`gateway`"
    /// A Gateway of the Gateway API.
    pub struct GatewayRef {
        /// Its name.
        pub name: Spanned<DnsSubdomain>,
        /// Its namespace; the cluster's `ingress.namespace` if left out.
        pub namespace: Option<Spanned<crate::formats::DnsLabel>>,
        /// One of its listeners.
        pub listener: Option<Spanned<DnsSubdomain>>,
    }
}

record! {
    "`probes`"
    /// Probes of the main container.
    pub struct Probes {
        /// Until it succeeds the other two wait.
        pub startup: Option<Spanned<Probe>>,
        /// While it fails the pod gets no traffic.
        pub readiness: Option<Spanned<Probe>>,
        /// When it fails the container starts anew.
        pub liveness: Option<Spanned<Probe>>,
    }
}

record! {
    "a probe"
    /// Exactly one of `httpGet`, `tcpSocket`, `grpc` and `exec`, and Kubernetes' timings.
    pub struct Probe {
        /// The path of an HTTP request.
        pub http_get: Option<Spanned<String>>,
        /// A port that must take a connection.
        pub tcp_socket: Option<Spanned<PortRef>>,
        /// A port that must answer gRPC's health check.
        pub grpc: Option<Spanned<PortRef>>,
        /// A command that must succeed.
        pub exec: Option<Spanned<Vec<Spanned<String>>>>,
        /// The port of `httpGet`; the first one if left out.
        pub port: Option<Spanned<PortRef>>,
        /// The scheme of `httpGet`; `HTTP` if left out.
        pub scheme: Option<Spanned<Scheme>>,
        /// The headers of `httpGet`.
        pub http_headers: Entries<Spanned<String>>,
        /// The service that `grpc` asks for.
        pub service: Option<Spanned<String>>,
        /// Seconds before the first try; 0 if left out.
        pub initial_delay_seconds: Option<Spanned<u32>>,
        /// Seconds between tries; 10 if left out.
        pub period_seconds: Option<Spanned<u32>>,
        /// Seconds until a try has failed; 1 if left out.
        pub timeout_seconds: Option<Spanned<u32>>,
        /// Successes in a row until it succeeds; 1 if left out.
        pub success_threshold: Option<Spanned<u32>>,
        /// Failures in a row until it fails; 3 if left out.
        pub failure_threshold: Option<Spanned<u32>>,
        /// Seconds that a container which failed may take to end; the pod's own if left out.
        pub termination_grace_period_seconds: Option<Spanned<u32>>,
    }
}

words! {
    /// Schemes of HTTP.
    pub enum Scheme {
        /// Plain.
        Http = "HTTP",
        /// With TLS; the certificate is not looked at.
        Https = "HTTPS",
    }
}

/// Requests of a container by resource, and its limits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resources {
    /// Requests.
    pub requests: Entries<Spanned<Quantity>>,
    /// Limits.
    pub limits: Entries<Spanned<Quantity>>,
}

impl Decode for Resources {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let entries = crate::decode::mapping(node, findings)?;
        let (mut resources, mut is_whole) = (Self::default(), true);
        for (key, value) in entries {
            let name = key.text().unwrap_or_default();
            if name == "limits" {
                resources.limits = Entries::decode(value, findings)?;
                check_resource_names(&mut resources.limits, findings);
            } else if name == "requests" {
                let diag = Diag::new(Code::UnknownKey, key.span, "requests stand directly under `resources`");
                findings.push(diag.help("Write `resources: {cpu: 100m, memory: 128Mi, limits: {memory: 256Mi}}`."));
                return None;
            } else if let Some(quantity) = Decode::decode(value, findings) {
                resources.requests.0.push((Spanned::new(name.to_owned(), key.span), quantity));
            } else {
                is_whole = false;
            }
        }
        check_resource_names(&mut resources.requests, findings);
        is_whole.then_some(resources)
    }
}

/// Takes out, with a finding, what is no resource.
fn check_resource_names(amounts: &mut Entries<Spanned<Quantity>>, findings: &mut Findings) {
    const NATIVE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
    amounts.0.retain(|(name, _)| {
        let is_known = NATIVE.contains(&name.as_str()) || name.contains('/') || name.starts_with("hugepages-");
        if !is_known {
            let diag = Diag::new(Code::UnknownKey, name.span, format!("`{}` is no resource", name.value));
            let hint = did_you_mean(name, NATIVE.into_iter().chain(["limits"]));
            let all = "Resources are cpu, memory, ephemeral-storage, hugepages-* and extended ones such as nvidia.com/gpu; limits stand below `limits`.";
            findings.push(diag.help(hint.unwrap_or_else(|| all.to_owned())));
        }
        is_known
    });
}

impl schemars::JsonSchema for Resources {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Resources".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let quantity = generator.subschema_for::<Quantity>();
        let of = |what: &str| {
            let mut quantity = quantity.clone();
            quantity.insert("description".to_owned(), format!("How much {what} it asks for.").into());
            quantity
        };
        schemars::json_schema!({
            "type": "object",
            "description": "Requests by resource; limits below `limits`.",
            "properties": {
                "cpu": of("of a processor"), "memory": of("memory"), "ephemeral-storage": of("space on the node's disk"),
                "limits": { "type": "object", "description": "How much it may use at most, by resource.", "additionalProperties": quantity }
            },
            "additionalProperties": quantity
        })
    }
}

record! {
    "a volume"
    /// A volume and where it is mounted: exactly one of `emptyDir`, `secret`, `configMap` and `claim`.
    pub struct Volume {
        /// Its name.
        pub name: Spanned<crate::formats::DnsLabel>,
        /// Where it is mounted.
        pub mount_path: Spanned<String>,
        /// The part of it that is mounted.
        pub sub_path: Option<Spanned<String>>,
        /// Whether it is mounted for reading alone; not, if left out.
        pub read_only: Option<Spanned<bool>>,
        /// Scratch space.
        pub empty_dir: Option<Spanned<EmptyDir>>,
        /// A Secret; taken to exist in the namespace.
        pub secret: Option<Spanned<DnsSubdomain>>,
        /// A ConfigMap.
        pub config_map: Option<Spanned<DnsSubdomain>>,
        /// Which keys of the Secret or ConfigMap become which files: key to path.
        pub items: Entries<Spanned<String>>,
        /// Whether the pod starts without the Secret or ConfigMap; not, if left out.
        pub optional: Option<Spanned<bool>>,
        /// A claim of its own; kept when the workload goes.
        pub claim: Option<Spanned<Claim>>,
    }
}

record! {
    "`emptyDir`"
    /// Scratch space.
    pub struct EmptyDir {
        /// `Memory` for a file system in memory.
        pub medium: Option<Spanned<Medium>>,
        /// How large it may grow.
        pub size_limit: Option<Spanned<Quantity>>,
    }
}

words! {
    /// What scratch space is made of.
    pub enum Medium {
        /// Memory.
        Memory = "Memory",
    }
}

record! {
    "`claim`"
    /// A PersistentVolumeClaim.
    pub struct Claim {
        /// How much.
        pub size: Spanned<Quantity>,
        /// The StorageClass; the tier's if it has one, else the cluster's default.
        pub storage_class: Option<Spanned<DnsSubdomain>>,
        /// How it may be mounted; `[ReadWriteOnce]` if left out.
        pub access_modes: Option<Vec<Spanned<AccessMode>>>,
    }
}

words! {
    /// How a claim may be mounted.
    pub enum AccessMode {
        /// By the pods of one node.
        ReadWriteOnce = "ReadWriteOnce",
        /// By one pod.
        ReadWriteOncePod = "ReadWriteOncePod",
        /// By many, for reading.
        ReadOnlyMany = "ReadOnlyMany",
        /// By many.
        ReadWriteMany = "ReadWriteMany",
    }
}

record! {
    "`security`"
    /// The security context of the pod and its main container.
    pub struct Security {
        /// The numeric user; 65532 if left out.
        pub run_as_user: Option<Spanned<i64>>,
        /// The numeric group; the number of the user if left out.
        pub run_as_group: Option<Spanned<i64>>,
        /// The group of mounted volumes; `runAsGroup` if left out.
        pub fs_group: Option<Spanned<i64>>,
        /// More groups.
        pub supplemental_groups: Option<Vec<Spanned<i64>>>,
        /// Whether the user may not be root; so it is if left out, unless the user is 0.
        pub run_as_non_root: Option<Spanned<bool>>,
        /// Capabilities added after all were dropped.
        pub capabilities: Option<Vec<Spanned<String>>>,
        /// Whether the root file system is read-only; yes, if left out.
        pub read_only_root_filesystem: Option<Spanned<bool>>,
        /// Whether a process may gain more privileges than its parent; not, if left out.
        pub allow_privilege_escalation: Option<Spanned<bool>>,
        /// Whether the container is as root on the node; not, if left out.
        pub privileged: Option<Spanned<bool>>,
    }
}

record! {
    "`serviceAccount`"
    /// The workload's own ServiceAccount.
    pub struct ServiceAccount {
        /// Its annotations, such as a cloud identity.
        pub annotations: Entries<Spanned<String>>,
        /// A token for another audience than the Kubernetes API.
        pub token: Option<Spanned<Token>>,
    }
}

record! {
    "`token`"
    /// A projected token, mounted at `/var/run/secrets/tokens/<audience>`.
    pub struct Token {
        /// For whom.
        pub audience: Spanned<String>,
        /// How long it holds, in seconds, at least 600; 3600 if left out.
        pub expiration_seconds: Option<Spanned<u32>>,
    }
}

record! {
    "a rule"
    /// What a workload may do at the Kubernetes API, in its own namespace.
    pub struct ApiRule {
        /// API groups; `""` is the core group.
        pub api_groups: Vec<Spanned<String>>,
        /// Resources.
        pub resources: Vec<Spanned<String>>,
        /// Verbs.
        pub verbs: Vec<Spanned<String>>,
        /// Only the objects of these names.
        pub resource_names: Option<Vec<Spanned<String>>>,
    }
}

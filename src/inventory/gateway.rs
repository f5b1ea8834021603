//! Gateways, tokens and exemptions: whatever has an owner, a reason and an end.

use super::shape::{OneOrMany, Shorthand};
use crate::decode::{Decode, Entries, Findings};
use crate::formats::{Address, Date, DnsLabel, DnsSubdomain, HostName};
use crate::record;
use crate::source::Spanned;
use crate::yaml::read::{Node, Value};

record! {
    "a gateway"
    /// The only way a flow may cross tiers or clusters (SP 800-190 4.3.3).
    pub struct Gateway {
        /// Its name.
        pub name: Spanned<DnsLabel>,
        /// The callers, each `<team>/<workload>`.
        pub from: OneOrMany<Spanned<String>>,
        /// The target, `<team>/<workload>`.
        pub to: Spanned<String>,
        /// The target's port.
        pub port: Spanned<PortRef>,
        /// Where the target listens for callers of other clusters, by target cluster.
        pub listen: Entries<Spanned<Listener>>,
        /// Which target cluster serves a caller's cluster, where environment and region leave it open.
        pub via: Entries<Spanned<String>>,
        /// Who answers for it.
        pub owner: Spanned<String>,
        /// Why it is there.
        pub reason: Spanned<String>,
        /// The last day on which it holds.
        pub expires: Spanned<Date>,
    }
}

record! {
    "a listener"
    /// Where a gateway's target can be reached from other clusters.
    pub struct Listener {
        /// Its name; becomes the alias of callers where given.
        pub host: Option<Spanned<HostName>>,
        /// Its address; the load balancer is asked for it in `spec.loadBalancerIP`, unless an annotation states it.
        pub address: Spanned<Address>,
        /// Its port.
        pub port: Spanned<u16>,
        /// Annotations of its Service, for the load balancer's controller.
        pub annotations: Entries<Spanned<String>>,
    }
}

record! {
    "a token"
    /// An access token that a provider's console still hands out.
    pub struct Token {
        /// Its name.
        pub name: Spanned<DnsLabel>,
        /// The cluster that it opens.
        pub cluster: Spanned<String>,
        /// Who holds it.
        pub holder: Spanned<String>,
        /// As whom it authenticates.
        pub identity: Spanned<String>,
        /// What it is for.
        pub purpose: Spanned<String>,
        /// The last day on which it holds.
        pub expires: Spanned<Date>,
    }
}

record! {
    "an exemption"
    /// A waiver of one control, in one scope, with an end.
    pub struct Exemption {
        /// The control that is waived.
        pub rule: Spanned<String>,
        /// Where it is waived.
        pub scope: Spanned<ExemptionScope>,
        /// Who answers for it.
        pub owner: Spanned<String>,
        /// Who allowed it.
        pub approved_by: Spanned<String>,
        /// Where it was discussed.
        pub ticket: Option<Spanned<String>>,
        /// Why it is needed.
        pub reason: Spanned<String>,
        /// The last day on which it holds.
        pub expires: Spanned<Date>,
    }
}

record! {
    "a scope"
    /// Exactly one of these; an exemption is never wider.
    pub struct ExemptionScope {
        /// One workload, `<team>/<workload>`.
        pub workload: Option<Spanned<String>>,
        /// One namespace.
        pub namespace: Option<Spanned<String>>,
        /// One cluster.
        pub cluster: Option<Spanned<String>>,
        /// One tier.
        pub tier: Option<Spanned<String>>,
    }
}

impl ExemptionScope {
    /// What is stated, whichever it is.
    pub fn places(&self) -> impl Iterator<Item = &Spanned<String>> {
        [&self.workload, &self.namespace, &self.cluster, &self.tier].into_iter().flatten()
    }
}

/// A port by number or by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PortRef {
    /// A number from 1 to 65535.
    Number(u16),
    /// The name of a declared port.
    Name(String),
}

impl std::fmt::Display for PortRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Decode for PortRef {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        use crate::diag::{Code, Diag};
        match &node.value {
            Value::Scalar { text, quoted: false } if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                match u16::decode(node, &mut Findings::new()).filter(|port| *port > 0) {
                    Some(port) => Some(Self::Number(port)),
                    None => {
                        let diag = Diag::new(Code::InvalidPort, node.span, format!("`{text}` is no port: a number from 1 to 65535"));
                        findings.push(diag.help("Write the number, or the name of a declared port."));
                        None
                    }
                }
            }
            _ => crate::formats::PortName::decode(node, findings).map(|name| Self::Name(name.as_str().to_owned())),
        }
    }
}

impl schemars::JsonSchema for PortRef {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PortRef".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["integer", "string"], "description": "A port's number, or the name of a declared port." })
    }
}

record! {
    "`as`"
    /// The host name that an application already uses for a flow's target.
    pub struct Alias {
        /// The name.
        pub name: Spanned<DnsLabel>,
        /// The port that the application dials; the target Service's own if left out.
        pub port: Option<Spanned<u16>>,
    }
}

impl Shorthand for Alias {
    type Word = DnsLabel;

    fn from_word(name: Spanned<DnsLabel>) -> Self {
        Self { name, port: None }
    }
}

record! {
    "a shared ConfigMap"
    /// A ConfigMap that several workloads share, written into each namespace that refers to it.
    pub struct SharedConfig {
        /// Its name.
        pub name: Spanned<DnsSubdomain>,
        /// Its content.
        pub data: Entries<Spanned<String>>,
    }
}

//! Who authenticates people on a cluster (SP 800-190 4.3.2): what the cluster states, key by key over what the fleet does.

use super::bootstrap::is_self_managed;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;
use crate::inventory::cluster::Cluster;
use crate::inventory::fleet;
use crate::source::{Span, Spanned};

/// The prefix of people's names and groups where none is stated: never empty, so that no token can name what is Kubernetes' own.
const PREFIX: &str = "oidc:";
/// What Kubernetes' own names and groups begin with.
const RESERVED: &str = "system:";
/// For how many seconds a token may be issued where nothing is stated, and at most.
const TOKEN_SECONDS: u32 = 3600;
const MOST_TOKEN_SECONDS: u32 = 86400;

/// The identity provider of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The issuer's address.
    pub issuer: String,
    /// The certificate, as PEM, that signed the issuer's; none where the server's system knows it.
    pub certificate_authority: Option<String>,
    /// Whom tokens are for: this cluster and no other.
    pub audience: String,
    /// The claim that names a person.
    pub username_claim: String,
    /// What stands before a person's name.
    pub username_prefix: String,
    /// The claim with a person's groups.
    pub groups_claim: String,
    /// What stands before a group's name.
    pub groups_prefix: String,
    /// The claim that proves a second factor, and what it holds.
    pub mfa: Option<(String, String)>,
    /// For how many seconds a token may be issued.
    pub token_seconds: u32,
}

/// What stands before a group's name on a cluster: in what its API server reads, in grants and in guards alike. Nothing where nothing is said of
/// who authenticates people.
pub fn groups_prefix<'i>(inventory: &'i Inventory, cluster: &'i Cluster) -> &'i str {
    let stated = Stated::of(inventory, cluster);
    let unstated = if stated.is_any() { PREFIX } else { "" };
    stated.find(|identity| &identity.groups_prefix).map_or(unstated, |prefix| prefix.as_str())
}

/// The identity provider of a cluster; none where no issuer is stated.
pub fn of(inventory: &Inventory, cluster: &Cluster) -> Option<Identity> {
    let stated = Stated::of(inventory, cluster);
    let text = |value: Option<&Spanned<String>>, default: &str| value.map_or(default, |value| value.as_str()).to_owned();
    let groups_prefix = groups_prefix(inventory, cluster).to_owned();
    Some(Identity {
        issuer: stated.find(|identity| &identity.issuer)?.as_str().to_owned(),
        certificate_authority: stated.find(|identity| &identity.certificate_authority).map(|text| text.value.clone()),
        audience: audience(inventory, cluster)?.value,
        username_claim: text(stated.find(|identity| &identity.username_claim), "sub"),
        username_prefix: text(stated.find(|identity| &identity.username_prefix), &groups_prefix),
        groups_claim: text(stated.find(|identity| &identity.groups_claim), "groups"),
        groups_prefix,
        mfa: stated.find(|identity| &identity.mfa).map(|mfa| (mfa.claim.value.clone(), mfa.value.value.clone())),
        token_seconds: stated.find(|identity| &identity.token_seconds).map_or(TOKEN_SECONDS, |seconds| seconds.value),
    })
}

/// Whom the tokens of a cluster are for: what is stated, else `<fleet>-<cluster>`; none where nothing is said of identity.
pub fn audience(inventory: &Inventory, cluster: &Cluster) -> Option<Spanned<String>> {
    let stated = Stated::of(inventory, cluster);
    let fleet = inventory.fleet.as_ref()?;
    let own = || Spanned::new(format!("{}-{}", fleet.name.value, cluster.name.value), cluster.name.span);
    stated.is_any().then(|| stated.find(|identity| &identity.audience).cloned().unwrap_or_else(own))
}

/// The records that a cluster's identity is made of, the most specific first.
struct Stated<'i>([Option<&'i Spanned<fleet::Identity>>; 2]);

impl<'i> Stated<'i> {
    fn of(inventory: &'i Inventory, cluster: &'i Cluster) -> Self {
        Self([cluster.identity.as_ref(), inventory.fleet.as_ref().and_then(|fleet| fleet.identity.as_ref())])
    }

    fn is_any(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }

    fn is_misspelt(&self, inventory: &Inventory) -> bool {
        self.0.iter().flatten().any(|identity| inventory.misspelt.has(identity.span))
    }

    fn find<T>(&self, key: impl Fn(&'i fleet::Identity) -> &'i Option<T>) -> Option<&'i T> {
        self.0.iter().flatten().find_map(|identity| key(&identity.value).as_ref())
    }
}

/// Whether a key of a cluster's identity is stated, by itself or by the fleet.
pub fn states(inventory: &Inventory, cluster: &Cluster, key: impl Fn(&fleet::Identity) -> bool) -> bool {
    Stated::of(inventory, cluster).0.into_iter().flatten().any(|identity| key(identity))
}

/// Checks what is stated of identity, at the fleet and at every cluster.
pub fn check(inventory: &Inventory, findings: &mut Findings) {
    for identity in inventory.fleet.iter().filter_map(|fleet| fleet.identity.as_ref()) {
        check_one(identity, true, findings);
    }
    for cluster in &inventory.clusters {
        if let Some(identity) = &cluster.identity {
            check_one(identity, is_self_managed(cluster.provider.distribution), findings);
        }
        let stated = Stated::of(inventory, cluster);
        let lacks = stated.find(|identity| &identity.issuer).is_none() && !stated.is_misspelt(inventory);
        if let Some(identity) = cluster.identity.as_ref().filter(|_| lacks) {
            let message = format!("nothing says who issues the tokens of `{}`", cluster.name.value);
            findings.push(Diag::new(Code::MissingKey, identity.span, message).help("Write `issuer` here, or at the fleet's `identity`."));
        }
    }
    if let Some(identity) = inventory.fleet.as_ref().and_then(|fleet| fleet.identity.as_ref())
        && identity.issuer.is_none()
        && !inventory.misspelt.has(identity.span)
        && inventory.clusters.iter().any(|cluster| cluster.identity.is_none())
    {
        let diag = Diag::new(Code::MissingKey, identity.span, "nothing says who issues tokens");
        findings.push(diag.help("Write `issuer`: the https address of the identity provider."));
    }
}

/// `ours`: whether the API server takes people's names from what is written here. A provider that names people and groups itself, and keeps those of
/// Kubernetes apart, may do without a prefix.
fn check_one(identity: &fleet::Identity, ours: bool, findings: &mut Findings) {
    let mut wrong = |span: Span, message: &str, help: &str| {
        findings.push(Diag::new(Code::InvalidValue, span, message).help(help));
    };
    if let Some(issuer) = identity.issuer.as_ref().filter(|issuer| !issuer.as_str().starts_with("https://")) {
        wrong(issuer.span, "the API server asks an issuer by https alone", "Write its https address, as its tokens have it in `iss`.");
    }
    for prefix in [&identity.groups_prefix, &identity.username_prefix].into_iter().flatten() {
        if prefix.is_empty() && ours {
            let help = "Write one such as `oidc:`, with which no other name of the cluster begins.";
            wrong(prefix.span, "without a prefix a token could name any user or group, `system:masters` among them", help);
        } else if prefix.starts_with(RESERVED) {
            wrong(prefix.span, "names that begin with `system:` are Kubernetes' own", "Write another prefix, such as `oidc:`.");
        }
    }
    let claims = [&identity.username_claim, &identity.groups_claim].into_iter().flatten();
    let second = identity.mfa.iter().flat_map(|mfa| [&mfa.claim, &mfa.value]);
    for claim in claims.chain(second).filter(|claim| claim.is_empty()) {
        wrong(claim.span, "the text is empty", "Write the claim's name, or value, as tokens have it.");
    }
    if let Some(seconds) = identity.token_seconds.filter(|seconds| !(60..=MOST_TOKEN_SECONDS).contains(&seconds.value)) {
        wrong(seconds.span, "a token holds for a minute at least, and for a day at most", "Write a number of seconds from 60 to 86400.");
    }
    let is_certificate =
        |text: &str| text.starts_with("-----BEGIN CERTIFICATE-----") && text.trim_end().ends_with("-----END CERTIFICATE-----");
    if let Some(pem) = identity.certificate_authority.as_ref().filter(|pem| !is_certificate(pem)) {
        wrong(pem.span, "this is no certificate in PEM", "Write the whole block, from `-----BEGIN CERTIFICATE-----` on; it is no secret.");
    }
}

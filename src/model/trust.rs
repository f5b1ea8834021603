//! What two clusters must not share, and what the references to it must be (SP 800-190 4.3.5): whoever has it in one could use it in the other.

use std::collections::{BTreeMap, BTreeSet};

use super::identity;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;
use crate::source::Span;

/// Reports what two clusters share, and references that cannot be what they are named.
pub fn check(inventory: &Inventory, findings: &mut Findings) {
    let mut seen: BTreeMap<(&str, String), (Span, &str)> = BTreeMap::new();
    let mut names = BTreeSet::new();
    // One that is defined twice shares everything with itself, which is no news.
    for cluster in inventory.clusters.iter().filter(|cluster| names.insert(cluster.name.as_str())) {
        let trust = cluster.trust.as_ref();
        let kms = trust.and_then(|trust| trust.kms.as_ref());
        let audience = identity::audience(inventory, cluster);
        let own = [
            ("CNI secret", cluster.cni.encryption_secret.as_ref().map(|secret| (secret.to_string(), secret.span))),
            ("audience", audience.map(|audience| (audience.value, audience.span))),
            ("CA", trust.and_then(|trust| trust.ca.as_ref()).map(|ca| (ca.value.clone(), ca.span))),
            ("join token", trust.and_then(|trust| trust.join_token.as_ref()).map(|token| (token.value.clone(), token.span))),
            ("KMS", kms.map(|kms| (kms.name.value.clone(), kms.name.span))),
            ("KMS endpoint", kms.map(|kms| (kms.endpoint.to_string(), kms.endpoint.span))),
        ];
        for (what, stated) in own {
            let Some((value, span)) = stated else { continue };
            if let Some((first, other)) = seen.insert((what, value.clone()), (span, cluster.name.as_str())) {
                let message = format!("`{}` and `{other}` share the {what} `{value}`", cluster.name.value);
                let mut diag = Diag::new(Code::SharedTrust, span, message);
                if first != span {
                    diag = diag.related(first, format!("of `{other}`"));
                }
                findings.push(diag.help("Give each cluster its own: who breaks one must not have broken the other."));
            }
        }
        if let Some(kms) = kms {
            if kms.name.is_empty() || kms.name.contains(':') {
                let diag = Diag::new(Code::InvalidValue, kms.name.span, format!("`{}` is no name of a KMS provider", kms.name.value));
                findings.push(diag.help("Write one without `:`: it stands before every value that it encrypts."));
            }
            if let Err(why) = check_socket(kms.endpoint.as_str()) {
                let diag = Diag::new(Code::InvalidValue, kms.endpoint.span, why);
                findings.push(diag.help("Write the socket's path in a folder of its own: `unix:///run/kms/plugin.sock`."));
            }
        }
    }
}

/// Whether the API server can be told of a socket, and its folder be mounted where it is a pod: an absolute path in a folder, said in one way.
fn check_socket(endpoint: &str) -> Result<(), &'static str> {
    let Some(path) = endpoint.strip_prefix("unix:///") else {
        return Err("the API server reaches a KMS plugin by a socket beside it alone");
    };
    let segments: Vec<&str> = path.split('/').collect();
    if segments.len() < 2 {
        return Err("the socket has no folder of its own, which the API server could be given");
    }
    if segments.iter().any(|segment| segment.is_empty() || *segment == "." || *segment == "..") {
        return Err("the path leads round about");
    }
    if !path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c)) {
        return Err("the path holds what cannot be mounted: letters, digits, `.`, `_` and `-` are for certain");
    }
    if FOLDERS.iter().any(|folder| path.starts_with(folder)) {
        return Err("the socket is below a folder of the API server's own files, which it may only read");
    }
    Ok(())
}

/// Where the files lie that this program writes for API servers.
const FOLDERS: [&str; 3] = ["etc/rancher/rke2/ringfence/", "etc/rancher/k3s/ringfence/", "etc/kubernetes/"];

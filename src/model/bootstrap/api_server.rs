//! The flags of the control plane (CIS 1.2, 1.3, 1.4): those that the server does not have by itself.

use crate::inventory::provider::Distribution;

/// A flag without its dashes, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

/// Admission plugins beside the server's own defaults.
///
/// `NodeRestriction` keeps a kubelet from the tier's label; `OwnerReferencesPermissionEnforcement` from making its own Node go away and come
/// back as another (CVE-2025-5187); `DenyServiceExternalIPs` keeps a Service from taking foreign addresses (CVE-2020-8554); `EventRateLimit`
/// keeps the store from drowning. `AlwaysPullImages` is not among them: nodes are of one tier, from 1.35 on kubelets check pull secrets
/// themselves, and a cluster that begins from images on disk would not come up.
const PLUGINS: &str = "NodeRestriction,OwnerReferencesPermissionEnforcement,DenyServiceExternalIPs,EventRateLimit";

fn flag(name: &'static str, value: impl Into<String>) -> Flag {
    Flag { name, value: value.into() }
}

/// The API server's flags, by name. `folder` is where the files lie that some of these name.
pub fn flags(distribution: Distribution, folder: &str, authentication: bool, encryption: bool) -> Vec<Flag> {
    let file = |name: &str| format!("{folder}/{name}");
    let mut flags = vec![
        flag("audit-log-maxage", "30"),
        flag("audit-log-maxbackup", "10"),
        flag("audit-log-maxsize", "100"),
        flag("enable-admission-plugins", PLUGINS),
        flag("profiling", "false"),
        flag("service-account-extend-token-expiration", "false"),
        flag("tls-min-version", "VersionTLS12"),
    ];
    if authentication {
        flags.push(flag("authentication-config", file("authentication.yaml")));
    }
    if encryption {
        flags.push(flag("encryption-provider-config", file("encryption.yaml")));
    }
    // RKE2 has keys of its own for these, since it mounts the files.
    if distribution != Distribution::Rke2 {
        flags.push(flag("admission-control-config-file", file("admission.yaml")));
        flags.push(flag("audit-log-path", audit_log(distribution)));
        flags.push(flag("audit-policy-file", file("audit-policy.yaml")));
    }
    // RKE2 and K3s set this by themselves: they sign the serving certificates of their kubelets.
    if distribution == Distribution::Kubeadm {
        flags.push(flag("kubelet-certificate-authority", "/etc/kubernetes/pki/ca.crt"));
    }
    flags.sort_by_key(|flag| flag.name);
    flags
}

fn audit_log(distribution: Distribution) -> &'static str {
    match distribution {
        Distribution::K3s => "/var/lib/rancher/k3s/server/logs/audit.log",
        _ => "/var/log/kubernetes/audit/audit.log",
    }
}

/// Flags of the controller manager and of the scheduler. A kubelet's certificate is signed for a month, since none can be revoked.
pub fn component_flags(distribution: Distribution) -> (Vec<Flag>, Vec<Flag>) {
    let mut controllers = vec![flag("profiling", "false"), flag("terminated-pod-gc-threshold", "1000")];
    if distribution == Distribution::Kubeadm {
        controllers.insert(0, flag("cluster-signing-duration", "720h"));
    }
    (controllers, vec![flag("profiling", "false")])
}

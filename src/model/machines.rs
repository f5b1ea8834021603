//! Machines of Cluster API: what is stated of them fits the cluster.

use super::clusters::Host;
use super::names::check_composed;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::provider::{Distribution, Provisioner};
use crate::source::Spanned;

/// The most machines that etcd is run on.
const MOST_REPLICAS: u32 = 7;

/// Checks what a cluster's `provider` states of its machines.
pub fn check(host: &Host<'_>, findings: &mut Findings) {
    let provider = &host.raw.provider;
    let Some(machines) = &provider.machines else { return };
    if provider.provisioner != Provisioner::ClusterApi || provider.distribution != Distribution::Kubeadm {
        let diag = Diag::new(Code::InvalidValue, machines.span, "`machines` are those that Cluster API makes with kubeadm")
            .related(provider.span, format!("{} by {}", provider.distribution.as_str(), provider.provisioner.as_str()));
        findings.push(diag.help("Remove the key, or write `provisioner: cluster-api`."));
        return;
    }
    let version = &machines.version;
    let patch = version.strip_prefix(&format!("v{}.", host.minor));
    if !patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit())) {
        let diag =
            Diag::new(Code::KubernetesVersion, version.span, format!("`{}` is no release of Kubernetes {}", version.value, host.minor));
        findings.push(diag.help(format!("Write one such as `v{}.4`.", host.minor)));
    }
    if let Some(replicas) = machines.control_plane_replicas.filter(|replicas| replicas.value % 2 == 0 || replicas.value > MOST_REPLICAS) {
        let diag = Diag::new(Code::InvalidValue, replicas.span, format!("etcd does not run on {} machines", replicas.value));
        findings.push(diag.help("Write 1, 3, 5 or 7: an even number survives no more failures than the odd one below it."));
    }
    for kind in [&machines.infrastructure.cluster, &machines.infrastructure.machine_template] {
        check_kind(kind, findings);
    }
    for pool in host.raw.node_pools.iter() {
        let name = format!("{}-{}", host.raw.name.value, pool.name.value);
        check_composed("MachineDeployment", &name, 63, pool.name.span, findings);
    }
}

fn check_kind(kind: &Spanned<String>, findings: &mut Findings) {
    let is_kind = kind.starts_with(|first: char| first.is_ascii_uppercase()) && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_kind {
        let diag = Diag::new(Code::InvalidValue, kind.span, format!("`{}` is no kind of object", kind.value));
        findings.push(diag.help("Write it as its definition spells it: `VSphereMachineTemplate`."));
    }
}

//! Fields that isolation owns: what a person must not write under `pod` and `spec`, why, and the way that exists. They derive from the workload's tier,
//! and from nothing else (I1).

use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::workload::WorkloadKind;
use crate::yaml::{Node, Value};

/// A field and what to do instead.
pub(super) type Owned = (&'static str, &'static str);

pub(super) const POD: &[Owned] = &[
    ("nodeSelector", "It follows from the tier; `placement: {pool: NAME}` chooses among the tier's pools."),
    ("tolerations", "They follow from the tier; nobody writes a toleration by hand."),
    ("nodeName", "It would go around the scheduler; `placement: {pool: NAME}` chooses among the tier's pools."),
    ("schedulerName", "Another scheduler would not know the tiers."),
    ("priorityClassName", "It follows from the tier."),
    ("priority", "It follows from the tier."),
    ("preemptionPolicy", "It follows from the tier's PriorityClass."),
    ("overhead", "It follows from the RuntimeClass: write `runtimeClassName`."),
    ("serviceAccountName", "Every workload has a ServiceAccount of its own; annotate it under `serviceAccount`."),
    ("serviceAccount", "Every workload has a ServiceAccount of its own; annotate it under the workload's `serviceAccount`."),
    ("automountServiceAccountToken", "It follows from `apiAccess`."),
    ("hostNetwork", "Network isolation does not hold for the node's own network."),
    ("hostPID", "It would see every process of the node."),
    ("hostIPC", "It would share memory with the node."),
    ("ephemeralContainers", "They are for people, at run time."),
];

const CONTROLLER: &[Owned] = &[
    ("selector", "It follows from the workload's name and could never be changed."),
    ("manualSelector", "The selector of a Job is Kubernetes' own."),
];

/// What isolation does not own, and has a keyword of the workload: with two places for it, one would win in silence.
const HAVE_A_KEYWORD: &[Owned] = &[
    ("template", "Write what the pod needs under `pod`."),
    ("replicas", "Write `replicas` or `scale` at the workload."),
    ("volumeClaimTemplates", "Write a volume with a `claim`."),
    ("schedule", "Write it at the workload itself."),
    ("timeZone", "Write it at the workload itself."),
    ("concurrencyPolicy", "Write it at the workload itself."),
    ("suspend", "Write it at the workload itself."),
];

/// Whether a field is one of [`POD`]: wherever it is written it is a finding, and no exemption allows it.
pub fn is_owned(field: &str) -> bool {
    POD.iter().any(|(owned, _)| *owned == field)
}

/// Reports owned fields of a partial PodSpec.
pub fn check_pod(pod: &Node, kind: WorkloadKind, findings: &mut Findings) {
    report(pod, POD, "pod", findings);
    if !matches!(kind, WorkloadKind::Job | WorkloadKind::CronJob) {
        report(pod, &[("restartPolicy", "Only a Job or CronJob chooses; what runs for good is always started anew.")], "pod", findings);
    }
    check_tokens(pod, findings);
}

/// Reports tokens for the Kubernetes API that a pod mounts by itself.
pub fn check_tokens(pod: &Node, findings: &mut Findings) {
    if let Some(Node { value: Value::Seq(volumes), .. }) = pod.get("volumes") {
        for source in volumes.iter().filter_map(|volume| volume.get("projected")?.get("sources")) {
            let Value::Seq(sources) = &source.value else { continue };
            for token in sources.iter().filter_map(|source| source.entry("serviceAccountToken")) {
                let audience = token.1.get("audience");
                if audience.is_none_or(|audience| audience.text().is_none_or(is_for_the_api)) {
                    let span = audience.map_or(token.0.span, |audience| audience.span);
                    let diag = Diag::new(Code::IsolationOwned, span, "a token for the Kubernetes API is not for `pod` to mount");
                    findings
                        .push(diag.help("Write `apiAccess`, which also says what the token may do; or give the token another `audience`."));
                }
            }
        }
    }
}

/// Whether the API server takes a token of an audience for its own. Where nothing else is set that is its issuer: `https://kubernetes.default.svc`, on
/// RKE2, K3s and kubeadm with the cluster's domain behind it, on GKE the cluster's address; RKE2 and K3s add a word of theirs. An audience that is left
/// empty means just these.
pub fn is_for_the_api(audience: &str) -> bool {
    const OWN: &str = "kubernetes.default.svc";
    let host = audience.strip_prefix("https://").unwrap_or(audience);
    let by_name = host.strip_prefix(OWN).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':', '/']));
    by_name || matches!(host, "" | "k3s" | "rke2") || host.starts_with("container.googleapis.com/v1/projects/")
}

/// Reports owned fields of a controller's partial spec.
pub fn check_spec(spec: &Node, kind: WorkloadKind, findings: &mut Findings) {
    check_controller(spec, "spec", findings);
    if kind == WorkloadKind::CronJob
        && let Some(template) = spec.get("jobTemplate")
    {
        report(template, &[("metadata", "Write `labels` and `annotations` at the workload.")], "spec.jobTemplate", findings);
        if let Some(job) = template.get("spec") {
            check_controller(job, "spec.jobTemplate.spec", findings);
        }
    }
    // The garbage collector would delete the claims with their StatefulSet, whatever keeps Flux and Argo CD from pruning them.
    if let Some(when) = spec.get("persistentVolumeClaimRetentionPolicy").and_then(|policy| policy.get("whenDeleted"))
        && when.text() == Some("Delete")
    {
        let diag = Diag::new(Code::IsolationOwned, when.span, "claims outlive their workload");
        findings.push(diag.help("Leave it out, and delete by hand the claims that are not needed any more."));
    }
}

fn check_controller(spec: &Node, place: &str, findings: &mut Findings) {
    report(spec, CONTROLLER, place, findings);
    for (field, instead) in HAVE_A_KEYWORD {
        if let Some((key, _)) = spec.entry(field) {
            let diag = Diag::new(Code::SetTwice, key.span, format!("`{field}` has a key of its own, and is not for `{place}` to set"));
            findings.push(diag.help(*instead));
        }
    }
}

fn report(node: &Node, owned: &[Owned], place: &str, findings: &mut Findings) {
    for (field, instead) in owned {
        if let Some((key, _)) = node.entry(field) {
            let diag = Diag::new(Code::IsolationOwned, key.span, format!("`{field}` is not for `{place}` to set"));
            findings.push(diag.help(*instead));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_for_the_api;

    #[test]
    fn audiences_of_the_api_server_are_known_and_look_alikes_are_not() {
        for own in [
            "",
            "https://kubernetes.default.svc",
            "https://kubernetes.default.svc.cluster.local",
            "https://kubernetes.default.svc.acme.internal",
            "kubernetes.default.svc",
            "k3s",
            "rke2",
            "https://container.googleapis.com/v1/projects/acme/locations/tokyo/clusters/a",
        ] {
            assert!(is_for_the_api(own), "{own}");
        }
        for other in ["vault", "sts.amazonaws.com", "https://kubernetes.default.svcs.example", "https://vault.acme.example"] {
            assert!(!is_for_the_api(other), "{other}");
        }
    }
}

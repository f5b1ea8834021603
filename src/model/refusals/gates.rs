//! Fields that Kubernetes' schema has and its API server does not take yet: while their feature gate is off, which it is unless somebody turns it on, the server
//! drops them without a word, or refuses them (`pkg/api/pod/util.go`, `DropDisabledPodFields`).

use serde_json::Value;

use super::Report;
use crate::diag::Code;
use crate::schema::Minor;

/// A field, and the first minor 1.x whose API server takes it as it comes; `None` where none does so far.
type Gated = (&'static str, Option<u8>);

const POD: &[Gated] = &[
    // HostnameOverride
    ("hostnameOverride", Some(35)),
    // DynamicResourceAllocation
    ("resourceClaims", Some(34)),
    // PodLevelResources
    ("resources", Some(34)),
    // GenericWorkload
    ("schedulingGroup", None),
    ("workloadRef", None),
];
// ContainerRestartRules
const CONTAINER: &[Gated] = &[("restartPolicyRules", Some(35))];
// An init container has had it before: it makes a sidecar of it.
const MAIN_CONTAINER: &[Gated] = &[("restartPolicy", Some(35))];
// ContainerStopSignals
const LIFECYCLE: &[Gated] = &[("stopSignal", None)];
// EnvFiles
const VARIABLE: &[Gated] = &[("fileKeyRef", Some(35))];
// ImageVolume
const VOLUME: &[Gated] = &[("image", Some(35))];
// ClusterTrustBundleProjection, PodCertificateRequest
const PROJECTED: &[Gated] = &[("clusterTrustBundle", Some(36)), ("podCertificate", Some(36))];
// MaxUnavailableStatefulSet
const ROLLING_UPDATE: &[Gated] = &[("maxUnavailable", Some(35))];

/// Looks at a pod.
pub(super) fn pod(pod: &Value, minor: Minor, report: &mut Report) {
    fields(pod, POD, minor, report);
    for list in ["initContainers", "containers"] {
        report.each(pod, list, |container, report| {
            fields(container, CONTAINER, minor, report);
            if list == "containers" {
                fields(container, MAIN_CONTAINER, minor, report);
            }
            report.key(container, "lifecycle", |lifecycle, report| fields(lifecycle, LIFECYCLE, minor, report));
            report.each(container, "env", |variable, report| {
                report.key(variable, "valueFrom", |source, report| fields(source, VARIABLE, minor, report));
            });
        });
    }
    report.each(pod, "volumes", |volume, report| {
        fields(volume, VOLUME, minor, report);
        report.key(volume, "projected", |projected, report| {
            report.each(projected, "sources", |source, report| fields(source, PROJECTED, minor, report));
        });
    });
}

/// Looks at how the pods of a StatefulSet are replaced.
pub(super) fn rolling_update(update: &Value, minor: Minor, report: &mut Report) {
    fields(update, ROLLING_UPDATE, minor, report);
}

fn fields(value: &Value, gated: &[Gated], minor: Minor, report: &mut Report) {
    for (field, since) in gated.iter().filter(|(field, _)| !value[*field].is_null()) {
        let message = format!("Kubernetes {minor} does not take `{field}` here as it comes: its feature gate is off");
        match since {
            Some(since) if minor.number() >= *since => {}
            Some(since) => {
                let help =
                    format!("Leave it out: the API server would drop it without a word, or refuse it. Kubernetes 1.{since} takes it.");
                report.refuse_key(field, Code::NeedsNewerKubernetes, message, help);
            }
            None => {
                let help = "Leave it out: the API server would drop it without a word. No Kubernetes takes it so far unless it is told to.";
                report.refuse_key(field, Code::KubernetesRefuses, message, help);
            }
        }
    }
}

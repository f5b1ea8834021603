//! What a controller does on behalf of whoever writes an object, although they may not do it themselves: the one list of kinds through which a workload would
//! leave its identity, its namespace's rules or its tier (CIS 5.1.4, 5.1.8, 5.1.13). `apiAccess` gives nobody the right to write them; what is adopted may have
//! those that a review of the source can judge.

use crate::formats::is_domain_within;
use crate::schema::plural;

/// What follows from the right to write an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Its controller applies what it says with rights of its own.
    Delivers,
    /// It decides which packets pass.
    Network,
    /// It decides what is admitted.
    Admits,
    /// Pods are made of it.
    Pods,
    /// Secrets are made of it, or handed out.
    Secrets,
    /// It gives an identity, or rights.
    Identity,
    /// It is what the namespace is kept apart by.
    Namespace,
    /// It decides where a name or a request leads.
    Traffic,
    /// Its controller makes things outside of the cluster.
    Provider,
}

impl Power {
    /// What it is, as a sentence.
    pub fn why(self) -> &'static str {
        match self {
            Self::Delivers => "A controller would apply what it says, with rights of its own.",
            Self::Network => "It decides which packets pass, for every pod of the namespace.",
            Self::Admits => "It decides what is admitted, for every pod of the namespace.",
            Self::Pods => "Pods are made of it, which may mount every Secret of the namespace and act as any of its ServiceAccounts.",
            Self::Secrets => "A controller would make Secrets of it, or hand them out, with rights of its own.",
            Self::Identity => "It gives an identity, or rights, that are another's.",
            Self::Namespace => "It is what the whole namespace is kept apart or limited by.",
            Self::Traffic => "It leads what is sent to others, or what others send, to where it likes.",
            Self::Provider => "A controller would make things of the provider of it, with rights of its own.",
        }
    }

    /// Why a source may not bring such a kind along, and the way that exists; `None` where a review of the source can judge it.
    fn not_adopted(self) -> Option<&'static str> {
        match self {
            Self::Delivers => Some("It would have the delivery apply what it likes, as somebody else."),
            Self::Network => Some("Write `connects` at the workload: policies follow from it."),
            Self::Admits => Some("What is admitted is decided for all workloads of a tier together."),
            _ => None,
        }
    }
}

/// Resources of Kubernetes, and what follows from the right to write them. Some controllers name theirs alike (`jobs` of Volcano), with the same power: they
/// hold in every group.
const RESOURCES: &[(&str, Power)] = &[
    ("bindings", Power::Pods),
    // Pods of a revision are made of what it holds.
    ("controllerrevisions", Power::Pods),
    ("cronjobs", Power::Pods),
    ("daemonsets", Power::Pods),
    ("deployments", Power::Pods),
    // The guard of endpoints refuses what is written by hand.
    ("endpoints", Power::Traffic),
    ("endpointslices", Power::Traffic),
    ("jobs", Power::Pods),
    ("limitranges", Power::Namespace),
    // A Role holds on its own namespace, too, whose labels are what it is kept apart by; a status is written together with the labels.
    ("namespaces", Power::Namespace),
    ("namespaces/finalize", Power::Namespace),
    ("namespaces/status", Power::Namespace),
    ("networkpolicies", Power::Network),
    // A request names the pod that the certificate is for.
    ("podcertificaterequests", Power::Identity),
    ("pods", Power::Pods),
    ("pods/binding", Power::Pods),
    ("pods/ephemeralcontainers", Power::Pods),
    // Network policies select by the labels, and Services lead to the addresses.
    ("pods/status", Power::Network),
    ("replicasets", Power::Pods),
    ("replicationcontrollers", Power::Pods),
    ("resourcequotas", Power::Namespace),
    // What is admitted is counted against the status.
    ("resourcequotas/status", Power::Namespace),
    ("rolebindings", Power::Identity),
    ("roles", Power::Identity),
    ("secrets", Power::Secrets),
    ("serviceaccounts", Power::Identity),
    ("serviceaccounts/token", Power::Identity),
    // Its addresses are those at which every node hands over what is sent to them (CVE-2020-8554).
    ("services/status", Power::Traffic),
    ("statefulsets", Power::Pods),
];

/// Custom kinds by the domain of their API groups: those named, or where none is all that there are below it.
const CUSTOM: &[(&str, &[&str], Power)] = &[
    // ---- who applies things ----
    // The controllers of Flux act as themselves where nothing holds them to a ServiceAccount.
    ("fluxcd.io", &[], Power::Delivers),
    ("argoproj.io", &["Application", "ApplicationSet", "AppProject"], Power::Delivers),
    // K3s and RKE2 come with it: it installs charts of any namespace as `cluster-admin`. So does Rancher's Fleet.
    ("cattle.io", &[], Power::Delivers),
    ("operators.coreos.com", &[], Power::Delivers),
    ("carvel.dev", &[], Power::Delivers),
    ("k14s.io", &[], Power::Delivers),
    ("oam.dev", &[], Power::Delivers),
    ("open-cluster-management.io", &[], Power::Delivers),
    // ---- networks ----
    ("cilium.io", &[], Power::Network),
    ("projectcalico.org", &[], Power::Network),
    ("policy.networking.k8s.io", &[], Power::Network),
    // A network beside the one that policies hold on.
    ("k8s.cni.cncf.io", &[], Power::Network),
    // ---- admission ----
    ("kyverno.io", &[], Power::Admits),
    ("gatekeeper.sh", &[], Power::Admits),
    // ---- pods ----
    // Not what the steps of a workflow report with (`workflowtaskresults`).
    (
        "argoproj.io",
        &[
            "AnalysisRun",
            "AnalysisTemplate",
            "CronWorkflow",
            "EventBus",
            "EventSource",
            "Experiment",
            "Rollout",
            "Sensor",
            "Workflow",
            "WorkflowTemplate",
        ],
        Power::Pods,
    ),
    ("monitoring.coreos.com", &["Alertmanager", "Prometheus", "PrometheusAgent", "ThanosRuler"], Power::Pods),
    ("actions.github.com", &[], Power::Pods),
    ("actions.summerwind.dev", &[], Power::Pods),
    ("batch.volcano.sh", &[], Power::Pods),
    ("camel.apache.org", &[], Power::Pods),
    ("flink.apache.org", &[], Power::Pods),
    ("jobset.x-k8s.io", &[], Power::Pods),
    ("keda.sh", &["ScaledJob"], Power::Pods),
    ("knative.dev", &[], Power::Pods),
    ("kruise.io", &[], Power::Pods),
    ("kubeflow.org", &[], Power::Pods),
    ("kubevirt.io", &[], Power::Pods),
    ("leaderworkerset.x-k8s.io", &[], Power::Pods),
    ("opentelemetry.io", &[], Power::Pods),
    ("ray.io", &[], Power::Pods),
    ("sparkoperator.k8s.io", &[], Power::Pods),
    ("tekton.dev", &[], Power::Pods),
    // ---- Secrets and certificates ----
    ("bitnami.com", &["SealedSecret"], Power::Secrets),
    ("cert-manager.io", &[], Power::Secrets),
    ("external-secrets.io", &[], Power::Secrets),
    ("isindir.github.com", &["SopsSecret"], Power::Secrets),
    // With the credentials that it names, an autoscaler asks others.
    ("keda.sh", &["TriggerAuthentication"], Power::Secrets),
    ("onepassword.com", &["OnePasswordItem"], Power::Secrets),
    ("secrets-store.csi.x-k8s.io", &[], Power::Secrets),
    ("secrets.hashicorp.com", &[], Power::Secrets),
    // ---- where requests lead ----
    ("istio.io", &[], Power::Traffic),
    ("linkerd.io", &[], Power::Traffic),
    // Prometheus calls whatever address they state.
    ("monitoring.coreos.com", &["Probe", "ScrapeConfig"], Power::Traffic),
    // ---- things outside of the cluster: nodes, users, permissions, networks ----
    ("cluster.x-k8s.io", &[], Power::Provider),
    ("cnrm.cloud.google.com", &[], Power::Provider),
    ("crossplane.io", &[], Power::Provider),
    ("services.k8s.aws", &[], Power::Provider),
    ("upbound.io", &[], Power::Provider),
];

/// What follows from the right to write a resource of any of these API groups.
pub fn of_resource<'g>(groups: impl IntoIterator<Item = &'g str>, resource: &str) -> Option<Power> {
    if let Some((_, power)) = RESOURCES.iter().find(|(known, _)| *known == resource) {
        return Some(*power);
    }
    let (name, part) = resource.split_once('/').unwrap_or((resource, ""));
    // A controller acts upon neither: one is what it says itself, the other who may own its objects.
    if matches!(part, "status" | "finalizers") {
        return None;
    }
    groups.into_iter().find_map(|group| custom(group, |kind| plural(kind) == name))
}

/// Why a custom kind is not for a source to bring along, and the way that exists.
pub fn not_adopted(group: &str, kind: &str) -> Option<&'static str> {
    custom(group, |known| known == kind)?.not_adopted()
}

fn custom(group: &str, is_kind: impl Fn(&str) -> bool) -> Option<Power> {
    let mut rows = CUSTOM.iter().filter(|(domain, ..)| is_domain_within(group, domain));
    rows.find(|(_, kinds, _)| kinds.is_empty() || kinds.iter().any(|kind| is_kind(kind))).map(|(.., power)| *power)
}

#[cfg(test)]
mod tests {
    use super::{Power, not_adopted, of_resource};

    #[test]
    fn what_leads_out_is_known_in_its_group_and_nothing_else_is() {
        for (group, resource, power) in [
            ("cilium.io", "ciliumnetworkpolicies", Power::Network),
            ("crd.projectcalico.org", "globalnetworksets", Power::Network),
            ("kustomize.toolkit.fluxcd.io", "kustomizations", Power::Delivers),
            ("helm.cattle.io", "helmcharts", Power::Delivers),
            ("argoproj.io", "applicationsets", Power::Delivers),
            ("argoproj.io", "workflows", Power::Pods),
            ("monitoring.coreos.com", "prometheuses", Power::Pods),
            ("acme.cert-manager.io", "orders", Power::Secrets),
            ("subresources.kubevirt.io", "virtualmachineinstances/console", Power::Pods),
            ("batch.volcano.sh", "jobs", Power::Pods),
        ] {
            assert_eq!(of_resource([group], resource), Some(power), "{group}/{resource}");
        }
        for (group, resource) in [
            ("", "configmaps"),
            ("", "pods/eviction"),
            ("coordination.k8s.io", "leases"),
            ("kafka.strimzi.io", "kafkas"),
            ("kafka.strimzi.io", "kafkas/status"),
            ("apps", "deployments/scale"),
            ("apps", "deployments/finalizers"),
            ("argoproj.io", "workflowtaskresults"),
            ("monitoring.coreos.com", "servicemonitors"),
            ("notcilium.io", "ciliumnetworkpolicies"),
        ] {
            assert_eq!(of_resource([group], resource), None, "{group}/{resource}");
        }
    }

    #[test]
    fn a_source_may_have_what_a_review_can_judge() {
        assert!(not_adopted("helm.cattle.io", "HelmChart").is_some());
        assert!(not_adopted("argoproj.io", "Application").is_some());
        assert!(not_adopted("argoproj.io", "Rollout").is_none());
        assert!(not_adopted("cert-manager.io", "Certificate").is_none());
        assert!(not_adopted("kafka.strimzi.io", "Kafka").is_none());
    }
}

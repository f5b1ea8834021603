//! The order of keys: what says what an object is comes first, then the order in which Kubernetes' own documentation writes fields.

/// The fields that have a place. One list serves every kind, since a field's neighbours hardly differ from kind to kind; what is not in
/// it follows in the order of bytes.
#[rustfmt::skip]
const ORDER: &[&str] = &[
    // Any object, and what refers to one.
    "apiVersion", "apiGroup", "kind", "metadata", "name", "generateName", "namespace",
    // Rules of Prometheus.
    "alert", "record", "expr", "for",
    "labels", "annotations", "spec",
    // Access: roles and bindings.
    "roleRef", "subjects", "apiGroups", "resourceNames",
    // Admission policies.
    "policyName", "paramRef", "paramKind", "failurePolicy", "matchConstraints", "matchConditions", "variables", "validations",
    "expression", "message", "messageExpression", "reason",
    // Network policies and services.
    "type", "clusterIP", "podSelector", "policyTypes", "ingress", "egress", "from", "to", "ipBlock", "namespaceSelector", "cidr", "except",
    // Workloads.
    "schedule", "timeZone", "concurrencyPolicy", "jobTemplate",
    "scaleTargetRef", "minReplicas", "maxReplicas", "metrics",
    "replicas", "revisionHistoryLimit", "minReadySeconds", "strategy", "updateStrategy", "serviceName", "podManagementPolicy",
    "minAvailable", "maxUnavailable", "selector", "matchLabels", "matchExpressions", "template", "volumeClaimTemplates",
    // Pods.
    "serviceAccountName", "automountServiceAccountToken", "priorityClassName", "runtimeClassName", "nodeSelector", "tolerations",
    "affinity", "topologySpreadConstraints", "restartPolicy",
    // Taints, tolerations, selectors, variables.
    "key", "operator", "value", "valueFrom", "values", "effect",
    // Containers.
    "image", "imagePullPolicy", "command", "args", "workingDir", "envFrom", "env", "path", "ports", "port", "endPort", "targetPort",
    "containerPort", "nodePort", "protocol", "startupProbe", "livenessProbe", "readinessProbe", "lifecycle", "resources", "verbs",
    "securityContext", "mountPath", "subPath", "volumeMounts", "initContainers", "containers", "volumes",
    "data", "stringData",
];

/// The keys below which keys are data: sorted by bytes, whatever they look like.
const FREE: &[&str] =
    &["annotations", "binaryData", "commonAnnotations", "data", "labels", "matchLabels", "nodeSelector", "properties", "stringData"];

const SLOTS: usize = 256;

/// [`ORDER`] as a hash table with open addressing, made when the program is compiled: each slot holds a place in `ORDER`, from 1.
static TABLE: [u8; SLOTS] = {
    let mut table = [0; SLOTS];
    let mut place = 0;
    while place < ORDER.len() {
        let mut slot = first_slot(ORDER[place].as_bytes());
        while table[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        place += 1;
        table[slot] = place as u8;
    }
    table
};

/// The place of a field among its neighbours; the same for all that have none.
pub(super) fn rank(key: &str) -> u8 {
    let mut slot = first_slot(key.as_bytes());
    loop {
        match TABLE[slot] {
            0 => return u8::MAX,
            place if ORDER[usize::from(place) - 1] == key => return place,
            _ => slot = (slot + 1) % SLOTS,
        }
    }
}

/// Whether the keys below a key are data rather than fields.
pub(super) fn is_free(key: &str) -> bool {
    FREE.contains(&key)
}

const fn first_slot(key: &[u8]) -> usize {
    if key.is_empty() {
        return 0;
    }
    (key.len() * 37 + key[0] as usize * 5 + key[key.len() - 1] as usize * 3 + key[key.len() / 2] as usize) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::{ORDER, SLOTS, rank};

    #[test]
    fn every_field_has_its_own_place_and_nothing_else_has_one() {
        assert!(ORDER.len() < SLOTS / 2, "the table stays sparse");
        for (index, field) in ORDER.iter().enumerate() {
            assert_eq!(usize::from(rank(field)), index + 1, "{field} is in the list once");
        }
        for other in ["", "k", "Kind", "app.kubernetes.io/name", "podselector"] {
            assert_eq!(rank(other), u8::MAX);
        }
    }
}

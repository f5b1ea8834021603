//! The Pod Security Standards on a final PodSpec: the checks of `k8s.io/pod-security-admission`, so that a pod which the API server would
//! refuse is a finding on the inventory's line. The API server stays the judge.

use serde_json::Value;

use crate::inventory::tier::PodSecurity;
use crate::schema::Minor;

/// What a pod does that a level forbids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The container of which it is; none where it is the pod's own.
    pub container: Option<String>,
    /// The field that does it.
    pub field: String,
    /// In words.
    pub what: String,
    /// The strictest level that would allow it.
    pub allowed_by: PodSecurity,
}

/// Everything that keeps a pod out of a level.
pub fn violations(level: PodSecurity, pod: &Value, minor: Minor) -> Vec<Violation> {
    let mut found = Vec::new();
    if level == PodSecurity::Privileged {
        return found;
    }
    let mut report = |container: Option<&str>, field: &str, what, allowed_by| {
        found.push(Violation { container: container.map(str::to_owned), field: field.to_owned(), what, allowed_by });
    };
    baseline(pod, minor, &mut |container, field, what| report(container, field, what, PodSecurity::Privileged));
    if level == PodSecurity::Restricted {
        restricted(pod, &mut |container, field, what| report(container, field, what, PodSecurity::Baseline));
    }
    found
}

/// Every container of a pod with the name that people know it by.
pub fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers", "ephemeralContainers"].into_iter().flat_map(|list| pod[list].as_array().into_iter().flatten())
}

fn name(container: &Value) -> &str {
    container["name"].as_str().unwrap_or_default()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

const BASELINE_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

const SAFE_SYSCTLS: [&str; 11] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
];

/// Takes the container, the field and what it does.
type Report<'r> = dyn FnMut(Option<&str>, &str, String) + 'r;

fn baseline(pod: &Value, minor: Minor, report: &mut Report<'_>) {
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if pod[field] == true {
            report(None, field, format!("sets `{field}`"));
        }
    }
    for volume in pod["volumes"].as_array().into_iter().flatten().filter(|volume| !volume["hostPath"].is_null()) {
        report(None, "hostPath", format!("mounts a path of the node (`hostPath`) as the volume `{}`", name(volume)));
    }
    for sysctl in pod["securityContext"]["sysctls"].as_array().into_iter().flatten() {
        if !SAFE_SYSCTLS.contains(&name(sysctl)) {
            report(None, "sysctls", format!("sets the sysctl `{}`", name(sysctl)));
        }
    }
    contexts(pod, &mut |container, context| {
        let who = container.map_or("the pod".to_owned(), |name| format!("the container `{name}`"));
        if context["windowsOptions"]["hostProcess"] == true {
            report(container, "hostProcess", format!("{who} is a process of the host"));
        }
        if context["seccompProfile"]["type"] == "Unconfined" {
            report(container, "seccompProfile", format!("{who} is without seccomp"));
        }
        if context["appArmorProfile"]["type"] == "Unconfined" {
            report(container, "appArmorProfile", format!("{who} is without AppArmor"));
        }
        let selinux = &context["seLinuxOptions"];
        let known = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
        let set = |field: &str| selinux[field].as_str().is_some_and(|value| !value.is_empty());
        if selinux["type"].as_str().is_some_and(|value| !known.contains(&value)) || set("user") || set("role") {
            report(container, "seLinuxOptions", format!("{who} sets SELinux options"));
        }
    });
    for container in containers(pod) {
        let context = &container["securityContext"];
        let who = name(container);
        if context["privileged"] == true {
            report(Some(who), "privileged", format!("the container `{who}` is privileged"));
        }
        for capability in strings(&context["capabilities"]["add"]).filter(|added| !BASELINE_CAPABILITIES.contains(added)) {
            report(Some(who), "capabilities", format!("the container `{who}` adds the capability `{capability}`"));
        }
        if context["procMount"].as_str().is_some_and(|mount| mount != "Default") {
            report(Some(who), "procMount", format!("the container `{who}` unmasks /proc"));
        }
        for port in container["ports"].as_array().into_iter().flatten() {
            if port["hostPort"].as_u64().is_some_and(|port| port != 0) {
                report(Some(who), "hostPort", format!("the container `{who}` takes a port of the node (`hostPort`)"));
            }
        }
        // Since 1.34.
        if minor >= Minor::ALL[1] {
            for handler in ["livenessProbe", "readinessProbe", "startupProbe"]
                .map(|probe| &container[probe])
                .into_iter()
                .chain(["postStart", "preStop"].map(|hook| &container["lifecycle"][hook]))
            {
                if ["httpGet", "tcpSocket"].iter().any(|kind| handler[kind]["host"].as_str().is_some_and(|host| !host.is_empty())) {
                    report(Some(who), "host", format!("a probe or hook of the container `{who}` names a host"));
                }
            }
        }
    }
}

/// Looks at the security context of the pod, and at that of each container by its name.
fn contexts(pod: &Value, look: &mut dyn FnMut(Option<&str>, &Value)) {
    look(None, &pod["securityContext"]);
    for container in containers(pod) {
        look(Some(name(container)), &container["securityContext"]);
    }
}

fn restricted(pod: &Value, report: &mut Report<'_>) {
    const VOLUMES: [&str; 8] = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];
    for volume in pod["volumes"].as_array().into_iter().flatten() {
        let source = volume.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).find(|key| *key != "name");
        if let Some(source) = source.filter(|source| *source != "hostPath" && !VOLUMES.contains(source)) {
            report(None, source, format!("has a volume of the kind `{source}`"));
        }
    }
    let shared = &pod["securityContext"];
    if shared["runAsUser"] == 0 {
        report(None, "runAsUser", "the pod runs as root (`runAsUser: 0`)".to_owned());
    }
    for container in containers(pod) {
        let context = &container["securityContext"];
        let who = name(container);
        if context["allowPrivilegeEscalation"] != false {
            report(
                Some(who),
                "allowPrivilegeEscalation",
                format!("the container `{who}` may gain privileges (`allowPrivilegeEscalation`)"),
            );
        }
        let non_root = if context["runAsNonRoot"].is_null() { &shared["runAsNonRoot"] } else { &context["runAsNonRoot"] };
        if *non_root != true {
            report(Some(who), "runAsNonRoot", format!("the container `{who}` may run as root (`runAsNonRoot`)"));
        }
        if context["runAsUser"] == 0 {
            report(Some(who), "runAsUser", format!("the container `{who}` runs as root (`runAsUser: 0`)"));
        }
        let seccomp = if context["seccompProfile"].is_null() { &shared["seccompProfile"] } else { &context["seccompProfile"] };
        if !matches!(seccomp["type"].as_str(), Some("RuntimeDefault" | "Localhost")) {
            report(Some(who), "seccompProfile", format!("the container `{who}` has no seccomp profile"));
        }
        if !strings(&context["capabilities"]["drop"]).any(|dropped| dropped == "ALL") {
            report(Some(who), "capabilities", format!("the container `{who}` does not drop all capabilities"));
        }
        let added =
            strings(&context["capabilities"]["add"]).filter(|added| *added != "NET_BIND_SERVICE" && BASELINE_CAPABILITIES.contains(added));
        for capability in added {
            report(Some(who), "capabilities", format!("the container `{who}` adds the capability `{capability}`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::violations;
    use crate::inventory::tier::PodSecurity::{Baseline, Privileged, Restricted};
    use crate::schema::Minor;

    fn good() -> serde_json::Value {
        json!({
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "main", "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}],
        })
    }

    #[test]
    fn a_hardened_pod_is_restricted() {
        assert_eq!(violations(Restricted, &good(), Minor::NEWEST), []);
    }

    #[test]
    fn each_loosening_is_seen_at_its_level() {
        let cases = [
            ("/hostNetwork", json!(true), Privileged),
            ("/volumes", json!([{"name": "x", "hostPath": {"path": "/"}}]), Privileged),
            ("/volumes", json!([{"name": "x", "nfs": {"server": "a", "path": "/"}}]), Baseline),
            ("/containers/0/securityContext/privileged", json!(true), Privileged),
            ("/containers/0/securityContext/allowPrivilegeEscalation", json!(true), Baseline),
            ("/containers/0/securityContext/capabilities/drop", json!([]), Baseline),
            ("/containers/0/securityContext/capabilities/add", json!(["SYS_ADMIN"]), Privileged),
            ("/containers/0/securityContext/capabilities/add", json!(["CHOWN"]), Baseline),
            ("/containers/0/securityContext/runAsUser", json!(0), Baseline),
            ("/containers/0/ports", json!([{"containerPort": 1, "hostPort": 1}]), Privileged),
            ("/securityContext/runAsNonRoot", json!(false), Baseline),
            ("/securityContext/seccompProfile/type", json!("Unconfined"), Privileged),
            ("/initContainers", json!([{"name": "init"}]), Baseline),
        ];
        for (pointer, value, level) in cases {
            let mut pod = good();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            pod.pointer_mut(parent).unwrap()[key] = value;
            let found = violations(Restricted, &pod, Minor::NEWEST);
            assert!(found.iter().any(|violation| violation.allowed_by == level), "{pointer}: {found:?}");
            assert_eq!(violations(Baseline, &pod, Minor::NEWEST).is_empty(), level == Baseline, "{pointer}");
        }
    }
}

//! What a workload may do at the Kubernetes API: never a wildcard, never a verb that escalates (CIS 5.1.3, 5.1.8, 5.1.13).

use super::Subject;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::check_subdomain;
use crate::inventory::pod::ApiRule;

const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// Resources through which one identity becomes another, or a pod leaves its tier, where they are written. Whoever makes pods, or what makes
/// them, may mount every Secret of the namespace and act as any of its ServiceAccounts.
const ESCALATING: [&str; 25] = [
    // A Role holds on its own namespace, too, whose labels are what it is kept apart by; a status is written together with the labels.
    "namespaces",
    "namespaces/finalize",
    "namespaces/status",
    "pods",
    // Whose labels network policies select by, and whose addresses Services lead to.
    "pods/status",
    "pods/ephemeralcontainers",
    "pods/binding",
    "bindings",
    "daemonsets",
    "deployments",
    "replicasets",
    "replicationcontrollers",
    "statefulsets",
    "cronjobs",
    "jobs",
    "serviceaccounts",
    "serviceaccounts/token",
    "roles",
    "rolebindings",
    "networkpolicies",
    "resourcequotas",
    // What is admitted is counted against the status.
    "resourcequotas/status",
    "limitranges",
    "secrets",
    // Its addresses are those at which every node hands over what is sent to them (CVE-2020-8554).
    "services/status",
];

/// Resources that lead into a pod, past its network policies or out of the identity by whatever verb: reading them is enough.
const LEADING: [&str; 7] =
    ["pods/exec", "pods/attach", "pods/portforward", "pods/proxy", "services/proxy", "nodes/proxy", "serviceaccounts/token"];

pub(super) fn check(subject: &Subject<'_, '_>, findings: &mut Findings) {
    for rule in subject.cascade.settings.api_access.iter().flatten() {
        let lacks = rule.resources.is_empty() || rule.verbs.is_empty() || rule.api_groups.is_empty();
        if lacks && !subject.inventory.misspelt.has(rule.span) {
            let diag = Diag::new(Code::InvalidValue, rule.span, "a rule names at least one API group, resource and verb");
            findings.push(diag.help("An example: `{apiGroups: [\"\"], resources: [configmaps], verbs: [get]}`; `\"\"` is the core group."));
        }
        for word in rule.api_groups.iter().chain(&rule.resources).chain(&rule.verbs).filter(|word| word.contains('*')) {
            let diag = Diag::new(Code::ControlViolated, word.span, format!("`{}` is a wildcard", word.value));
            findings.push(diag.help("Name what the workload needs: a wildcard also grants what is added tomorrow."));
        }
        check_names(rule, findings);
        check_scopes(subject, rule, findings);
        for verb in rule.verbs.iter().filter(|verb| !VERBS.contains(&verb.as_str()) && !verb.contains('*')) {
            let diag = Diag::new(Code::ControlViolated, verb.span, format!("the verb `{}` is not for workloads", verb.value));
            findings.push(diag.help(format!("Verbs are: {}.", VERBS.join(", "))));
        }
        let making = rule.verbs.iter().any(|verb| matches!(verb.as_str(), "create" | "update" | "patch"));
        let deleting = rule.verbs.iter().any(|verb| matches!(verb.as_str(), "delete" | "deletecollection"));
        for resource in &rule.resources {
            let all_secrets = resource.as_str() == "secrets" && rule.resource_names.as_ref().is_none_or(Vec::is_empty);
            if all_secrets {
                let diag = Diag::new(Code::ControlViolated, resource.span, "the rule reads every Secret of the namespace");
                findings
                    .push(diag.help("Name them under `resourceNames`, with the verb `get`; or mount the one that is needed (CIS 5.1.2)."));
            }
            let reading = || rule.verbs.iter().find(|verb| matches!(verb.as_str(), "list" | "watch"));
            if let Some(verb) = reading().filter(|_| resource.as_str() == "secrets" && !all_secrets) {
                let message = format!("`{}` of Secrets shows what they hold, whatever names are stated", verb.value);
                let diag = Diag::new(Code::ControlViolated, verb.span, message);
                findings.push(diag.help("Write `get`, with the names under `resourceNames` (CIS 5.1.2)."));
            }
            if LEADING.contains(&resource.as_str()) {
                let message = format!("`{}` leads into a pod or out of the workload's identity, whatever the verb", resource.value);
                let diag = Diag::new(Code::ControlViolated, resource.span, message);
                findings.push(diag.help("Leave it out: people who are on call have it, workloads do not (CIS 5.1.8, 5.1.10, 5.1.13)."));
            } else if ESCALATING.contains(&resource.as_str()) && (making || deleting && resource.as_str() != "pods") {
                let diag = Diag::new(
                    Code::ControlViolated,
                    resource.span,
                    format!("writing `{}` leads out of the workload's identity", resource.value),
                );
                let pods = "Read it, or let the platform team run what writes it. Pods may be deleted: write `delete` without `create`, `update` and `patch`.";
                let other = "Read it, or let the platform team run what writes it.";
                findings.push(diag.help(if resource.as_str() == "pods" { pods } else { other }));
            }
        }
    }
}

/// Whether a text can be a resource, or a part of one: `pods`, `pods/log`.
fn is_resource(text: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'));
    let mut parts = text.split('/');
    parts.next().is_some_and(part) && parts.next().is_none_or(part) && parts.next().is_none()
}

/// Reports what names no API group, resource or object: the API server takes it and it grants nothing.
fn check_names(rule: &ApiRule, findings: &mut Findings) {
    let groups = rule.api_groups.iter().filter(|group| !group.is_empty() && !group.contains('*') && check_subdomain(group).is_err());
    let resources = rule.resources.iter().filter(|resource| !resource.contains('*') && !is_resource(resource));
    let empty = rule.resource_names.iter().flatten().filter(|name| name.trim().is_empty());
    for (what, help, word) in
        groups
            .map(|word| ("API group", "Write one such as `apps`; `\"\"` is the core group.", word))
            .chain(resources.map(|word| {
                ("resource", "Write the plural in lower case, such as `configmaps`, or a part of it, such as `pods/log`.", word)
            }))
            .chain(empty.map(|word| ("object's name", "Name the object, or leave `resourceNames` out.", word)))
    {
        let diag = Diag::new(
            Code::InvalidValue,
            word.span,
            if word.trim().is_empty() { format!("an empty text is no {what}") } else { format!("`{}` is no {what}", word.value) },
        );
        findings.push(diag.help(help));
    }
}

/// Reports resources of the whole cluster: a Role holds in one namespace, and never grants them. Of its own namespace alone it can let the object be read.
fn check_scopes(subject: &Subject<'_, '_>, rule: &ApiRule, findings: &mut Findings) {
    let of_cluster = |resource: &str| {
        let name = resource.split('/').next().unwrap_or(resource);
        let mut known = rule.api_groups.iter().filter_map(|group| subject.schemas.is_namespaced(subject.minor, group, name)).peekable();
        known.peek().is_some() && known.all(|namespaced| !namespaced)
    };
    let is_its_own = |resource: &str| resource == "namespaces" && !rule.verbs.iter().all(|verb| matches!(verb.as_str(), "list" | "watch"));
    let leads = |resource: &str| LEADING.contains(&resource);
    for resource in rule.resources.iter().filter(|name| of_cluster(name) && !is_its_own(name) && !leads(name)) {
        let message = format!("`{}` belongs to the whole cluster, and `apiAccess` holds in the workload's namespace", resource.value);
        let diag = Diag::new(Code::GrantImpossible, resource.span, message);
        findings.push(diag.help(
            "Leave it out. What has to see the whole cluster runs in a platform namespace, with rights that the platform team gives it.",
        ));
    }
}

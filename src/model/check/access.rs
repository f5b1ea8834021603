//! What a workload may do at the Kubernetes API: never a wildcard, never a verb that escalates (CIS 5.1.3, 5.1.8, 5.1.13).

use super::Subject;
use crate::decode::Findings;
use crate::diag::{Code, Diag, did_you_mean};
use crate::formats::check_subdomain;
use crate::inventory::pod::ApiRule;
use crate::model::powers;

const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

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
        check_groups(subject, rule, findings);
        check_limits(rule, findings);
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
            } else if let Some(power) = powers::of_resource(rule.api_groups.iter().map(|group| group.as_str()), resource)
                && (making || deleting && resource.as_str() != "pods")
            {
                let message = format!("writing `{}` leads out of the workload's identity", resource.value);
                let diag = Diag::new(Code::ControlViolated, resource.span, message);
                let instead = "Read it, or let the platform team run what writes it.";
                let pods = if resource.as_str() == "pods" {
                    " Pods may be deleted: write `delete` without `create`, `update` and `patch`."
                } else {
                    ""
                };
                findings.push(diag.help(format!("{} {instead}{pods}", power.why())));
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

/// Reports resources of Kubernetes under a group that does not have them: the API server takes the rule, and it grants nothing.
fn check_groups(subject: &Subject<'_, '_>, rule: &ApiRule, findings: &mut Findings) {
    let (schemas, minor) = (subject.schemas, subject.minor);
    // Those of Kubernetes have no dot, or are known; what others serve is not known in full.
    let all_known = |group: &str| !group.contains('.');
    let groups: Vec<&str> = rule.api_groups.iter().map(|group| group.as_str()).collect();
    if groups.is_empty() || !groups.iter().all(|group| all_known(group) || !schemas.resources(minor, group).is_empty()) {
        return;
    }
    for resource in rule.resources.iter().filter(|resource| is_resource(resource)) {
        let name = resource.split('/').next().unwrap_or(resource);
        if groups.iter().any(|group| schemas.is_namespaced(minor, group, name).is_some()) {
            continue;
        }
        let quoted = |groups: &[&str]| {
            let groups = groups.iter().map(|group| if group.is_empty() { "`\"\"`".to_owned() } else { format!("`{group}`") });
            groups.collect::<Vec<_>>().join(" and ")
        };
        let elsewhere = schemas.groups(minor, name);
        let help = if elsewhere.is_empty() {
            let known: Vec<String> =
                groups.iter().filter(|group| all_known(group)).flat_map(|group| schemas.resources(minor, group)).collect();
            let Some(near) = did_you_mean(name, known.iter().map(String::as_str)) else { continue };
            near
        } else {
            format!("Kubernetes has it in {}.", quoted(&elsewhere))
        };
        let message =
            format!("Kubernetes {minor} has no `{name}` in the API group {}: the rule would grant nothing of it", quoted(&groups));
        findings.push(Diag::new(Code::GrantImpossible, resource.span, message).help(help));
    }
}

/// Reports verbs that no name of an object can be told from: `pkg/endpoints/request/requestinfo.go` of the API server. A `patch` that applies may make the
/// object that it names, and is then asked for `create` with that name.
fn check_limits(rule: &ApiRule, findings: &mut Findings) {
    let Some(first) = rule.resource_names.iter().flatten().next() else { return };
    let applies = rule.verbs.iter().any(|verb| verb.as_str() == "patch");
    // What is made of one object, such as an eviction, is asked for with its name.
    let of_objects = rule.resources.iter().any(|resource| !resource.contains('/'));
    let nameless = |verb: &str| verb == "deletecollection" || (verb == "create" && !applies);
    for verb in rule.verbs.iter().filter(|verb| of_objects && nameless(verb)) {
        let message = format!("`{}` with `resourceNames` grants nothing: no such request says the name", verb.value);
        let diag = Diag::new(Code::GrantImpossible, verb.span, message).related(first.span, "the names");
        findings.push(diag.help(format!("Write `{}` in a rule of its own, without `resourceNames`; or leave it out.", verb.value)));
    }
}

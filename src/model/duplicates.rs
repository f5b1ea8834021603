//! Entries that say again what another one says: one of them was left behind, or was meant to say something else (I2).

use std::collections::BTreeMap;

use super::exemptions::{Place, covers};
use super::flows::full_name;
use super::instance::Instance;
use super::{Clusters, Tiers};
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;
use crate::inventory::flow::Connect;
use crate::source::{Span, Spanned};

/// Reports lists that name one thing twice.
pub fn check(inventory: &Inventory, findings: &mut Findings) {
    for platform in inventory.clusters.iter().filter_map(|cluster| cluster.platform.as_ref()) {
        let names = platform.namespaces.iter().map(|namespace| (namespace.name.to_string(), namespace.name.span));
        twice("the platform's namespace", names, findings);
        twice("the identity", texts(&platform.identities), findings);
        twice("the identity", platform.node_identities.iter().flat_map(|all| texts(all)), findings);
        twice("the group", texts(&platform.operators), findings);
    }
    for workload in &inventory.workloads {
        twice("the kind of data", texts(&workload.identity.data), findings);
        let overrides = workload.identity.overrides.iter().map(|change| &change.set.value.0);
        for settings in std::iter::once(&workload.settings).chain(overrides) {
            twice("the flow", settings.connects.iter().flatten().filter_map(flow), findings);
        }
    }
    for gateway in &inventory.gateways {
        twice("the caller", texts(&gateway.from.0), findings);
    }
    for tier in &inventory.tiers {
        let secrets = tier.pull_secrets.iter().map(|secret| (secret.to_string(), secret.span));
        twice("the pull Secret", secrets, findings);
    }
}

fn texts(all: &[Spanned<String>]) -> impl Iterator<Item = (String, Span)> {
    all.iter().map(|text| (text.value.clone(), text.span))
}

/// Where a flow goes and at which port. What is known by a name of its own is found where names clash.
fn flow(connect: &Spanned<Connect>) -> Option<(String, Span)> {
    if connect.alias.is_some() {
        return None;
    }
    let target = match (&connect.to, &connect.external, &connect.platform) {
        (Some(to), None, None) => to.value.clone(),
        (None, Some(external), None) => match (&external.cidr, &external.dns) {
            (Some(range), None) => range.to_string(),
            (None, Some(name)) => name.to_string(),
            _ => return None,
        },
        (None, None, Some(platform)) => {
            let labels: Vec<String> = platform.labels.iter().map(|(key, value)| format!("{}={}", key.value, value.value)).collect();
            format!("{} {}", platform.namespace.value, labels.join(",")).trim_end().to_owned()
        }
        _ => return None,
    };
    let protocol = connect.protocol.map_or("TCP", |protocol| protocol.as_str());
    Some((format!("to {target}, port {}, {protocol}", connect.port.value), connect.span))
}

fn twice(what: &str, all: impl Iterator<Item = (String, Span)>, findings: &mut Findings) {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for (name, span) in all {
        if let Some(first) = seen.get(&name) {
            let diag = Diag::new(Code::DuplicateEntry, span, format!("{what} `{name}` is named twice")).related(*first, "the first one");
            findings.push(diag.help("Remove one of them."));
        } else {
            seen.insert(name, span);
        }
    }
}

/// Reports an exemption that waives what another one waives as well, in the same scope or a wider one, and at least as long.
pub fn check_exemptions(
    inventory: &Inventory,
    tiers: &Tiers<'_>,
    clusters: &Clusters<'_>,
    instances: &[Instance<'_>],
    findings: &mut Findings,
) {
    let names: Vec<String> = instances.iter().map(full_name).collect();
    let place = |at: usize| Place {
        workload: names[at].as_str(),
        namespace: instances[at].namespace.as_str(),
        cluster: clusters.name(instances[at].cluster),
        tier: tiers.name(instances[at].tier),
    };
    for (at, exemption) in inventory.exemptions.iter().enumerate() {
        let stated = |scope: &crate::inventory::gateway::ExemptionScope| {
            [&scope.workload, &scope.namespace, &scope.cluster, &scope.tier].map(|place| place.as_ref().map(|place| place.value.clone()))
        };
        let same_rule =
            || inventory.exemptions.iter().enumerate().filter(|(other, one)| *other != at && one.rule.value == exemption.rule.value);
        if let Some((_, first)) = same_rule().find(|(other, one)| *other < at && stated(&one.scope) == stated(&exemption.scope)) {
            let message = format!("two exemptions from `{}` have one scope", exemption.rule.value);
            let diag = Diag::new(Code::DuplicateEntry, exemption.scope.span, message).related(first.scope.span, "the first one");
            findings.push(diag.help("Remove one of them: each waiver has one owner, one reason and one end."));
            continue;
        }
        let covered: Vec<usize> = (0..instances.len()).filter(|at| covers(&exemption.scope, place(*at))).collect();
        let wider = same_rule().find(|(other, one)| {
            let all = !covered.is_empty() && covered.iter().all(|at| covers(&one.scope, place(*at)));
            let more = || (0..instances.len()).any(|at| covers(&one.scope, place(at)) && !covers(&exemption.scope, place(at)));
            // Two scopes that hold the same today: the later one says nothing new.
            all && one.expires.day() >= exemption.expires.day() && (*other < at || more())
        });
        if let Some((_, wider)) = wider {
            let message = format!("another exemption from `{}` holds wherever this one does, and as long", exemption.rule.value);
            let diag = Diag::new(Code::ExemptionUnused, exemption.rule.span, message).related(wider.scope.span, "its scope");
            findings.push(diag.help("Remove this one; or narrow the other, if it waives more than is needed."));
        }
    }
}

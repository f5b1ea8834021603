//! Names that we compose, checked once for what Kubernetes takes and for two things that compose to one name.

use std::collections::{BTreeMap, BTreeSet};

use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::formats::{DnsSubdomain, check_label, check_subdomain};
use crate::source::{Span, Spanned};

/// The namespace of a team's workloads of one tier, or of one workload alone.
pub fn namespace(team: &str, tier: &str, own: Option<&str>) -> String {
    match own {
        Some(workload) => format!("{team}-{tier}-{workload}"),
        None => format!("{team}-{tier}"),
    }
}

/// The headless Service of a StatefulSet, unless its `spec` names it.
pub fn headless(workload: &str) -> String {
    format!("{workload}-headless")
}

/// Composed names and who composed them.
#[derive(Debug, Default)]
pub struct Names {
    taken: BTreeMap<(String, String, String), (Span, String)>,
    /// Names and owners of which a clash was reported: what an owner takes again clashes in the same way.
    told: BTreeSet<((String, String, String), String)>,
}

impl Names {
    /// Takes a name of one kind of object in one scope (`<cluster>` or `<cluster>/<namespace>`) for an owner, who is told apart from
    /// other owners by `owner`: the same owner may take it again.
    pub fn take(&mut self, scope: &str, kind: &str, name: &str, owner: &Spanned<String>, findings: &mut Findings) {
        let key = (scope.to_owned(), kind.to_owned(), name.to_owned());
        match self.taken.get(&key) {
            Some((_, taken)) if *taken == owner.value => {}
            Some((first, taken)) => {
                if !self.told.insert((key.clone(), owner.value.clone())) {
                    return;
                }
                let message = format!("{} and {taken} both compose to the {kind} `{name}`", owner.value);
                let diag = Diag::new(Code::ComposedNameClash, owner.span, message).related(*first, "the other one");
                findings.push(diag.help("Rename one of them."));
            }
            None => {
                self.taken.insert(key, (owner.span, owner.value.clone()));
            }
        }
    }
}

/// Checks a composed label-like name and its length; whether Kubernetes takes it.
pub fn check_composed(kind: &str, name: &str, most: usize, span: Span, findings: &mut Findings) -> bool {
    let rule = check_label(name).err().or_else(|| {
        (name.len() > most)
            .then(|| format!("`{name}` has {} characters; the name of a {kind} may have {most}, since names are made from it", name.len()))
    });
    let is_taken = rule.is_none();
    if let Some(rule) = rule {
        let diag = Diag::new(Code::ComposedName, span, format!("the name of the {kind}: {rule}"));
        findings.push(diag.help("Shorten the names that it is composed of."));
    }
    is_taken
}

/// Checks a composed subdomain-like name.
pub fn check_composed_subdomain(kind: &str, name: &str, span: Span, findings: &mut Findings) {
    if let Err(rule) = check_subdomain(name) {
        findings.push(
            Diag::new(Code::ComposedName, span, format!("the name of the {kind}: {rule}"))
                .help("Shorten the names that it is composed of."),
        );
    }
}

/// The longest first parts of the names of policies of a whole cluster, as the templates below `blueprints/kinds` write them:
/// `<part>.<tier>.<domain>` for a tier, and `<part>.<domain>`.
const LONGEST_OF_A_TIER: &str = "service-exposure";
const LONGEST_OF_A_CLUSTER: &str = "pod-security-labels";

/// Checks the longest name that a policy of a whole cluster has: they begin with what it is for and end in the domain of our labels.
pub fn check_policies<'a>(domain: &Spanned<DnsSubdomain>, tiers: impl Iterator<Item = &'a str>, findings: &mut Findings) {
    let of_tiers = tiers.map(|tier| format!("{LONGEST_OF_A_TIER}.{tier}.{}", domain.value));
    let longest = of_tiers.chain([format!("{LONGEST_OF_A_CLUSTER}.{}", domain.value)]).max_by_key(String::len);
    check_composed_subdomain("longest policy", &longest.unwrap_or_default(), domain.span, findings);
}

/// The longest name that Flux can put into a label, as it does with that of a `Kustomization`.
const LONGEST_LABEL: usize = 63;

/// The name of the `Kustomization`, and of the `Application` after the cluster's, of one namespace's part of a layer.
pub fn unit(layer: &str, namespace: &str) -> String {
    format!("{layer}.{namespace}")
}

/// Checks the longest name of a `Kustomization` of a namespace.
pub fn check_kustomization(namespace: &str, span: Span, findings: &mut Findings) {
    let name = unit(crate::catalog::Layer::Workloads.as_str(), namespace);
    if name.len() > LONGEST_LABEL {
        let message = format!(
            "the name of the Kustomization `{name}` has {} characters, and Flux puts it into a label of {LONGEST_LABEL}",
            name.len()
        );
        findings.push(Diag::new(Code::ComposedName, span, message).help("Shorten the names that it is composed of."));
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_OF_A_CLUSTER, LONGEST_OF_A_TIER};
    use crate::catalog;
    use crate::source::Files;

    /// The first part of the names of policies that a template writes, and whether a tier's name stands behind it.
    fn parts(template: &str) -> impl Iterator<Item = (&str, bool)> {
        let names =
            template.lines().filter(|line| line.trim_start().starts_with("name: {{ \"") && line.ends_with("~ fleet.labelDomain }}"));
        names.filter_map(|line| Some((line.split('"').nth(1)?.trim_end_matches('.'), line.matches('~').count() > 1)))
    }

    #[test]
    fn no_policy_has_a_longer_name_than_those_that_are_checked() {
        let mut files = Files::default();
        let catalog = catalog::load(&mut files, &[], &mut crate::decode::Findings::new());
        let templates = catalog.kinds.iter().flat_map(|kind| &kind.templates);
        let all: Vec<(&str, bool)> = templates.flat_map(|template| parts(&template.text)).collect();
        let longest = |of_tier: bool| all.iter().filter(|(_, tier)| *tier == of_tier).map(|(part, _)| part.len()).max();
        assert_eq!(longest(true), Some(LONGEST_OF_A_TIER.len()));
        assert_eq!(longest(false), Some(LONGEST_OF_A_CLUSTER.len()));
    }
}

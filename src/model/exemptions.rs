//! Exemptions: what each waives, whether it still excuses anything, and the ends of whatever has one.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::civil;

use crate::catalog::{Catalog, Control};
use crate::decode::Findings;
use crate::diag::{Code, Diag, Severity, did_you_mean};
use crate::inventory::Inventory;
use crate::inventory::gateway::{Exemption, ExemptionScope};
use crate::source::{Span, Spanned};

/// What may violate a control: exemptions that excuse none of it are not needed.
const JUDGED: &[&str] = &["tiers", "dataClasses", "clusters", "teams", "workloads", "configs", "gateways"];

/// Controls that the program knows by name; each is a folder below `blueprints/controls/`.
pub mod control {
    /// Images come from the tier's registries.
    pub const IMAGE_REGISTRY: &str = "image-registry";
    /// Images have a digest where the tier asks for one.
    pub const IMAGE_DIGEST: &str = "image-digest";
    /// No secret stands in the inventory.
    pub const LITERAL_SECRET: &str = "literal-secret";
    /// Pods fit their tier's Pod Security level.
    pub const POD_SECURITY: &str = "pod-security";
    /// Root file systems are read-only.
    pub const READ_ONLY_ROOT: &str = "read-only-root-filesystem";
    /// Volumes are of their tier's storage class.
    pub const STORAGE_CLASS: &str = "storage-class";
    /// What a tier stores is encrypted.
    pub const STORAGE_ENCRYPTION: &str = "storage-encryption";

    /// Nothing flows that is not declared.
    pub const DEFAULT_DENY: &str = "default-deny";
    /// Nothing reaches the metadata service.
    pub const METADATA_SERVICE: &str = "metadata-service";
    /// Pods go to their tier's nodes.
    pub const PLACEMENT: &str = "placement";
    /// Pods hold the tokens that the inventory declares.
    pub const SERVICE_ACCOUNT_TOKEN: &str = "service-account-token";
    /// System calls are filtered.
    pub const SECCOMP_PROFILE: &str = "seccomp-profile";
    /// Pods outside the tiers stay off their nodes.
    pub const OUTSIDE_TIERS: &str = "outside-tiers";

    /// Those of which the model finds every violation: an exemption from one that excuses none is of no use. What violates another control
    /// is seen by a cluster alone.
    pub const MEASURED: [&str; 7] =
        [IMAGE_REGISTRY, IMAGE_DIGEST, LITERAL_SECRET, POD_SECURITY, READ_ONLY_ROOT, STORAGE_CLASS, STORAGE_ENCRYPTION];
}

/// Where a control is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// `<team>/<workload>`.
    pub workload: &'a str,
    /// The namespace.
    pub namespace: &'a str,
    /// The cluster.
    pub cluster: &'a str,
    /// The tier.
    pub tier: &'a str,
}

#[derive(Debug)]
struct Waiver<'i> {
    raw: &'i Spanned<Exemption>,
    used: AtomicBool,
}

/// The exemptions of a fleet.
#[derive(Debug)]
pub struct Exemptions<'i> {
    all: Vec<Waiver<'i>>,
    controls: BTreeSet<String>,
    /// Those that could not be read: they excuse, so that what is wrong with them is all that is reported.
    broken: &'i [(String, ExemptionScope)],
    /// Whether there may be others, in what could not be read: they may excuse anything.
    are_more: bool,
    /// Those whose rule or scope means nothing: the rule where it is one, else any, and the scope where there is one, else any.
    doubtful: Vec<(Option<&'i str>, Option<&'i ExemptionScope>)>,
}

impl<'i> Exemptions<'i> {
    /// Checks that each names a control and exactly one scope that the control allows.
    pub fn new(inventory: &'i Inventory, catalog: &Catalog, findings: &mut Findings) -> Self {
        let (mut all, mut doubtful) = (Vec::new(), Vec::new());
        for raw in &inventory.exemptions {
            let scope = &raw.scope;
            let stated: Vec<(&str, &Spanned<String>)> =
                [("workload", &scope.workload), ("namespace", &scope.namespace), ("cluster", &scope.cluster), ("tier", &scope.tier)]
                    .into_iter()
                    .filter_map(|(name, value)| value.as_ref().map(|value| (name, value)))
                    .collect();
            let [(kind, place)] = stated[..] else {
                if !stated.is_empty() || !inventory.misspelt.has(scope.span) {
                    let message = format!("an exemption has exactly one scope, not {}", stated.len());
                    let help = "Write one of workload, namespace, cluster, tier; for two places write two exemptions.";
                    findings.push(Diag::new(Code::InvalidValue, scope.span, message).help(help));
                }
                doubtful.push((Some(raw.rule.as_str()), (!stated.is_empty()).then_some(&scope.value)));
                continue;
            };
            let Some(control) = catalog.controls.get(&raw.rule.value) else {
                let diag = Diag::new(Code::UnknownReference, raw.rule.span, format!("there is no control `{}`", raw.rule.value));
                let waivable = catalog.controls.values().filter(|control| control.is_waivable());
                let names: Vec<&str> = waivable.map(|control| control.id.as_str()).collect();
                let hint = did_you_mean(&raw.rule, names.iter().copied());
                findings.push(diag.help(hint.unwrap_or_else(|| format!("Controls that can be waived are: {}.", names.join(", ")))));
                doubtful.push((None, Some(&scope.value)));
                continue;
            };
            if !control.exemptible.iter().any(|allowed| allowed.as_str() == kind) {
                findings.push(cannot_be_waived(control, &raw.rule, kind, place.span));
                doubtful.push((Some(raw.rule.as_str()), Some(&scope.value)));
                continue;
            }
            let is_there = names_something(inventory, kind, place);
            if raw.rule.value == control::POD_SECURITY && kind == "workload" && is_there && !has_own_namespace(inventory, place) {
                let message = format!("Pod Security works on whole namespaces, and `{}` shares its own", place.value);
                let diag = Diag::new(Code::ExemptionNeedsNamespace, place.span, message);
                findings.push(diag.help("Write `ownNamespace: true` at the workload: then its namespace alone is loosened."));
            }
            if !is_there {
                doubtful.push((Some(raw.rule.as_str()), None));
            }
            let measured = control::MEASURED.contains(&raw.rule.as_str());
            all.push(Waiver { raw, used: AtomicBool::new(!measured) });
        }
        let controls = catalog.controls.keys().cloned().collect();
        Self { all, controls, broken: &inventory.broken.exemptions, are_more: inventory.unread.may_hold("exemptions"), doubtful }
    }

    /// The controls by name.
    pub fn controls(&self) -> impl Iterator<Item = &str> {
        self.controls.iter().map(String::as_str)
    }

    /// The scopes in which a control is waived.
    pub fn scopes<'a>(&'a self, control: &'a str) -> impl Iterator<Item = &'i Spanned<ExemptionScope>> + 'a {
        self.all.iter().filter(move |waiver| waiver.raw.rule.value == control).map(|waiver| &waiver.raw.scope)
    }

    /// The exemptions that reach a place, of which what is empty is in no scope.
    pub fn at<'a>(&'a self, place: Place<'a>) -> impl Iterator<Item = &'i Spanned<Exemption>> + 'a {
        self.all.iter().map(|waiver| waiver.raw).filter(move |raw| covers(&raw.scope, place))
    }

    /// Whether a violation of a control is excused here; remembers that the exemption was needed.
    pub fn excuse(&self, control: &str, place: Place<'_>) -> bool {
        let mut excused = self.are_more || self.broken.iter().any(|(rule, scope)| rule == control && covers(scope, place));
        excused |= self
            .doubtful
            .iter()
            .any(|(rule, scope)| rule.is_none_or(|rule| rule == control) && scope.is_none_or(|scope| covers(scope, place)));
        for waiver in self.all.iter().filter(|waiver| waiver.raw.rule.value == control && covers(&waiver.raw.scope, place)) {
            waiver.used.store(true, Ordering::Relaxed);
            excused = true;
        }
        excused
    }

    /// Whether a control is waived at a place, of which what is empty is in no scope.
    pub fn is_waived(&self, control: &str, place: Place<'_>) -> bool {
        self.scopes(control).any(|scope| covers(scope, place))
    }

    /// Reports those that excused nothing; not those whose scope was found to name nothing, or has to do with workloads that could not be judged.
    pub fn report_unused(&self, unjudged: &BTreeSet<String>, findings: &mut Findings) {
        let may_be_needed = |scope: &ExemptionScope| match &scope.workload {
            Some(workload) => unjudged.contains(&workload.value),
            None => !unjudged.is_empty(),
        };
        let dangling: BTreeSet<Span> =
            findings.iter().filter(|diag| diag.code == Code::UnknownReference).map(|diag| diag.primary.span).collect();
        let unused = self.all.iter().filter(|waiver| !waiver.used.load(Ordering::Relaxed));
        let unused = unused.filter(|waiver| !may_be_needed(&waiver.raw.scope));
        for waiver in unused.filter(|waiver| !waiver.raw.scope.places().any(|place| dangling.contains(&place.span))) {
            let rule = &waiver.raw.rule;
            let diag = Diag::new(Code::ExemptionUnused, rule.span, format!("nothing here violates `{}` any more", rule.value));
            let diag = diag.rests_on(JUDGED);
            findings.push(diag.related(waiver.raw.scope.span, "in this scope").help("Remove the exemption."));
        }
    }
}

/// The finding that a control cannot be waived for what an exemption names, or for nothing at all.
fn cannot_be_waived(control: &Control, rule: &Spanned<String>, kind: &str, place: Span) -> Diag {
    if !control.is_waivable() {
        let diag = Diag::new(Code::InvalidValue, rule.span, format!("`{}` cannot be waived", rule.value));
        return diag
            .help("Remove the exemption, and mend what it was to excuse; `ringfence explain` lists the controls that can be waived.");
    }
    let diag = Diag::new(Code::InvalidValue, place, format!("`{}` cannot be waived for a {kind}", rule.value));
    diag.help(format!("Its scopes are: {}.", control.scopes()))
}

/// Whether a place is in a scope.
pub(super) fn covers(scope: &ExemptionScope, place: Place<'_>) -> bool {
    let is = |wanted: &Option<Spanned<String>>, found: &str| wanted.as_ref().is_some_and(|wanted| wanted.value == found);
    is(&scope.workload, place.workload)
        || is(&scope.namespace, place.namespace)
        || is(&scope.cluster, place.cluster)
        || is(&scope.tier, place.tier)
}

/// Whether a scope's place is there. Which namespaces there are is known only later.
fn names_something(inventory: &Inventory, kind: &str, place: &str) -> bool {
    match kind {
        "workload" => inventory.workloads.iter().map(|workload| &workload.identity).any(|identity| {
            place.split_once('/').is_some_and(|(team, name)| identity.team.value == team && identity.name.as_str() == name)
        }),
        "cluster" => inventory.clusters.iter().any(|cluster| cluster.name.as_str() == place),
        "tier" => inventory.tiers.iter().any(|tier| tier.name.as_str() == place),
        _ => true,
    }
}

fn has_own_namespace(inventory: &Inventory, name: &Spanned<String>) -> bool {
    let mut named = inventory.workloads.iter().map(|workload| &workload.identity).filter(|identity| identity.full_name() == name.value);
    named.any(|identity| identity.own_namespace.is_some_and(|own| own.value))
}

/// How many days before its end a thing is warned about.
const WARNING_DAYS: i32 = 30;

/// Reports gateways, tokens and exemptions that are near or past their end; past it, they still stand in the tree.
pub fn check_ends(inventory: &Inventory, as_of: civil::Date, allow_expired: bool, findings: &mut Findings) {
    let gateways = inventory.gateways.iter().map(|g| (format!("the gateway `{}`", g.name.value), g.owner.as_str(), &g.expires));
    let tokens = inventory.tokens.iter().map(|t| (format!("the token `{}`", t.name.value), t.holder.as_str(), &t.expires));
    let exemptions = inventory.exemptions.iter().map(|e| (format!("the exemption from `{}`", e.rule.value), e.owner.as_str(), &e.expires));
    // An emergency has a warning of its own as long as it lasts.
    let emergencies = inventory.tiers.iter().filter_map(|tier| Some((tier.name.as_str(), tier.break_glass.as_ref()?)));
    let emergencies =
        emergencies.map(|(tier, stated)| (format!("the emergency access to `{tier}`"), stated.approved_by.as_str(), &stated.expires));
    let emergencies = emergencies.filter(|(_, _, expires)| expires.days_after(as_of) < 0);
    for (what, owner, expires) in gateways.chain(tokens).chain(exemptions).chain(emergencies) {
        let left = expires.days_after(as_of);
        if left < 0 {
            let mut diag = Diag::new(Code::Expired, expires.span, format!("{what} ended {}", days_ago(-left))).label("its last day");
            if allow_expired {
                diag.severity = Severity::Warning;
            }
            findings.push(
                diag.help(format!("`{owner}` renews or removes it; `--allow-expired` lets a fleet that must be mended today through.")),
            );
        } else if left <= WARNING_DAYS {
            let diag = Diag::new(Code::ExpiresSoon, expires.span, format!("{what} ends {}", in_days(left))).label("its last day");
            findings.push(diag.help(format!("`{owner}` renews or removes it.")));
        }
    }
}

fn in_days(days: i32) -> String {
    match days {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        days => format!("in {days} days"),
    }
}

fn days_ago(days: i32) -> String {
    if days == 1 { "yesterday".to_owned() } else { format!("{days} days ago") }
}

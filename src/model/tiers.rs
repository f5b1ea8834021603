//! Tiers: their order, how each is kept apart, and the least tier that a workload's data demands (I1).

use std::cmp::Ordering;

use super::index::Index;
use super::names::check_policies;
use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::tier::{Isolation, PodSecurity, Tier};
use crate::inventory::workload::Workload;
use crate::inventory::{Inventory, Misspelt};
use crate::source::Spanned;

/// The tiers of a fleet.
#[derive(Debug)]
pub struct Tiers<'i> {
    /// As they were written.
    pub all: &'i [Spanned<Tier>],
    /// By name.
    pub index: Index<'i>,
    isolation: Vec<Isolation>,
    data: Vec<(&'i Spanned<String>, &'i Spanned<String>, Option<usize>)>,
    misspelt: &'i Misspelt,
}

impl<'i> Tiers<'i> {
    /// Orders the tiers and resolves the data classes.
    pub fn new(inventory: &'i Inventory, findings: &mut Findings) -> Self {
        let all = inventory.tiers.as_slice();
        let names = all.iter().map(|tier| tier.name.clone().map(|name| name.as_str().to_owned()));
        let index = Index::new("tier", names, &inventory.lost, findings);
        let isolation = all.iter().map(|tier| tier.isolation.map_or_else(|| default_isolation(tier, all), |stated| stated.value)).collect();
        let data = inventory.data_classes.iter().map(|(class, tier)| (class, tier, index.resolve(tier, tier.span, findings))).collect();
        if let Some(fleet) = &inventory.fleet {
            check_policies(&fleet.label_domain, all.iter().map(|tier| tier.name.as_str()), findings);
        }
        for tier in all.iter().filter(|tier| tier.level.value > MAX_LEVEL) {
            let message = format!("the level {} is above {MAX_LEVEL}", tier.level.value);
            findings.push(Diag::new(Code::InvalidValue, tier.level.span, message).help("Levels only order the tiers: 10, 20, 30 will do."));
        }
        for level in all.iter().map(|tier| &tier.pod_security).filter(|level| level.value == PodSecurity::Privileged) {
            let diag =
                Diag::new(Code::InvalidValue, level.span, "a tier's pods are held to a level: `privileged` lets them own their nodes");
            findings.push(diag.help(
                "Write `baseline` or `restricted`; what needs the host runs in one of the cluster's `platform.namespaces`, or is exempt from `pod-security`.",
            ));
        }
        Self { all, index, isolation, data, misspelt: &inventory.misspelt }
    }

    /// How a tier is kept apart.
    pub fn isolation(&self, tier: usize) -> Isolation {
        self.isolation[tier]
    }

    /// The highest of some tiers.
    pub fn highest(&self, tiers: impl Iterator<Item = usize>) -> Option<usize> {
        tiers.max_by_key(|tier| self.all[*tier].level.value)
    }

    /// Whether no tier is above one.
    pub fn is_highest(&self, tier: usize) -> bool {
        self.all.iter().all(|other| other.level.value <= self.all[tier].level.value)
    }

    /// Whether a tier is the top one: none is above it, and one below. Programs are run in its pods through break-glass alone.
    pub fn is_top(&self, tier: usize) -> bool {
        self.is_highest(tier) && self.all.iter().any(|other| other.level.value < self.all[tier].level.value)
    }

    /// Whether operators may run programs in a tier's pods: as it says, else where it has no clusters of its own (SP 800-190 4.3.1).
    pub fn operators_exec(&self, tier: usize) -> bool {
        let usual = || self.isolation(tier) == Isolation::Pool;
        !self.is_top(tier) && self.all[tier].exec.map_or_else(usual, |stated| stated.value)
    }

    /// A tier's name.
    pub fn name(&self, tier: usize) -> &'i str {
        self.all[tier].name.as_str()
    }

    /// The order of two tiers; `None` where they are incomparable.
    pub fn compare(&self, a: usize, b: usize) -> Option<Ordering> {
        let order = self.all[a].level.value.cmp(&self.all[b].level.value);
        if a != b && order == Ordering::Equal { None } else { Some(order) }
    }

    /// The workload's tier: as stated, if its data may be held there, else the one that its data demands.
    pub fn of_workload(&self, workload: &'i Spanned<Workload>, findings: &mut Findings) -> Option<usize> {
        let identity = &workload.identity;
        let mut demands = Vec::new();
        for class in &identity.data {
            match self.data.iter().find(|(name, _, _)| name.value == class.value) {
                Some((_, written, Some(tier))) => demands.push((class, *written, *tier)),
                Some(_) => {}
                None => {
                    let diag = Diag::new(Code::UnknownReference, class.span, format!("there is no kind of data `{}`", class.value));
                    let diag = diag.rests_on(&["dataClasses"]);
                    let hint = crate::diag::did_you_mean(class, self.data.iter().map(|(name, _, _)| name.as_str()));
                    findings.push(
                        diag.help(hint.unwrap_or_else(|| "Add it to `dataClasses`, with the least tier that may hold it.".to_owned())),
                    );
                }
            }
        }
        let Some(stated) = &identity.tier else { return self.derive(workload, &demands, findings) };
        let tier = self.index.resolve(stated, stated.span, findings)?;
        for (class, written, demanded) in demands {
            let (code, relation) = match self.compare(tier, demanded) {
                Some(Ordering::Less) => (Code::TierBelowData, "below"),
                None => (Code::TierIncomparable, "incomparable with"),
                Some(_) => continue,
            };
            let demanded = self.name(demanded);
            let message =
                format!("`{}` is in the tier `{}`, {relation} `{demanded}`, which its data demands", identity.name.value, stated.value);
            let diag = Diag::new(code, stated.span, message).label(format!("holds `{}`", class.value));
            findings.push(
                diag.related(written.span, "the least tier for it").help(format!("Write `tier: {demanded}`, or leave the tier out.")),
            );
        }
        Some(tier)
    }

    fn derive(
        &self,
        workload: &'i Spanned<Workload>,
        demands: &[(&'i Spanned<String>, &'i Spanned<String>, usize)],
        findings: &mut Findings,
    ) -> Option<usize> {
        let name = &workload.identity.name;
        let Some((_, _, highest)) = demands.iter().max_by_key(|(_, _, tier)| self.all[*tier].level.value) else {
            let is_misspelt = ["tier", "data"].iter().any(|key| self.misspelt.may_mean(workload.span, key));
            if workload.identity.data.is_empty() && !is_misspelt {
                let diag = Diag::new(Code::TierUnclear, name.span, format!("`{}` states neither a tier nor data", name.value));
                findings.push(diag.help("Write its `tier`, or under `data` the kinds of data that it holds."));
            }
            return None;
        };
        if let Some((class, written, other)) = demands.iter().find(|(_, _, tier)| self.compare(*tier, *highest).is_none()) {
            let (a, b) = (self.name(*highest), self.name(*other));
            let message = format!("the data of `{}` demands both `{a}` and `{b}`, which are incomparable", name.value);
            let diag = Diag::new(Code::TierUnclear, class.span, message).related(written.span, format!("demands `{b}`"));
            findings.push(diag.help("Split the workload, or let a tier above both hold this data."));
            return None;
        }
        Some(*highest)
    }
}

/// The highest level: a thousandfold of it is still a value that a `PriorityClass` may have.
const MAX_LEVEL: u32 = 900_000;

/// The higher half of the tiers has clusters of its own unless a tier says otherwise.
fn default_isolation(tier: &Tier, all: &[Spanned<Tier>]) -> Isolation {
    let lower = all.iter().filter(|other| other.level.value < tier.level.value).count();
    if all.len() > 1 && lower * 2 >= all.len() { Isolation::Cluster } else { Isolation::Pool }
}

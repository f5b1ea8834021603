//! What people state for people: who answers for a thing, who allowed it, why it is there. A reviewer decides by it, so that a blank one says as
//! little as none (SP 800-190 4.3.3).

use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;
use crate::inventory::workload::Settings;
use crate::source::Spanned;

/// Reports statements that say nothing.
pub fn check(inventory: &Inventory, findings: &mut Findings) {
    let exemptions = inventory.exemptions.iter().flat_map(|exemption| {
        let stated = [("owner", &exemption.owner), ("approvedBy", &exemption.approved_by), ("reason", &exemption.reason)];
        stated.into_iter().chain(exemption.ticket.iter().map(|ticket| ("ticket", ticket)))
    });
    let gateways = inventory.gateways.iter().flat_map(|gateway| [("owner", &gateway.owner), ("reason", &gateway.reason)]);
    let tokens =
        inventory.tokens.iter().flat_map(|token| [("holder", &token.holder), ("identity", &token.identity), ("purpose", &token.purpose)]);
    let emergencies = inventory.tiers.iter().filter_map(|tier| tier.break_glass.as_ref()).flat_map(|emergency| {
        let stated = [("approvedBy", &emergency.approved_by), ("reason", &emergency.reason)];
        stated.into_iter().chain(emergency.ticket.iter().map(|ticket| ("ticket", ticket)))
    });
    let flows = settings(inventory).flat_map(|settings| settings.connects.iter().flatten());
    let flows = flows.filter_map(|flow| Some(("reason", flow.reason.as_ref()?)));
    let all = exemptions.chain(gateways).chain(tokens).chain(emergencies).chain(flows);
    for (key, text) in all.filter(|(_, text)| says_nothing(text)) {
        let diag = Diag::new(Code::InvalidValue, text.span, format!("`{key}` says nothing"));
        findings.push(diag.help(match key {
            "owner" | "holder" | "approvedBy" => "Name the person or group: they are asked when it ends, or when something goes wrong.",
            "ticket" => "Write where it was discussed, or leave the key out.",
            "identity" => "Name the user or ServiceAccount as the cluster knows it.",
            _ => "Say what it is for: a reviewer decides by it.",
        }));
    }
}

/// Whether a text has no letter or digit in it.
fn says_nothing(text: &Spanned<String>) -> bool {
    !text.chars().any(char::is_alphanumeric)
}

/// The settings of every layer of every workload, as they were written.
fn settings(inventory: &Inventory) -> impl Iterator<Item = &Settings> {
    let fleet = inventory.fleet.iter().filter_map(|fleet| fleet.defaults.as_deref());
    let tiers = inventory.tiers.iter().filter_map(|tier| tier.defaults.as_deref());
    let clusters = inventory.clusters.iter().filter_map(|cluster| cluster.defaults.as_deref());
    let teams = inventory.teams.iter().filter_map(|team| team.defaults.as_deref());
    let workloads = inventory.workloads.iter().flat_map(|workload| {
        std::iter::once(&workload.settings).chain(workload.identity.overrides.iter().map(|change| &change.set.value.0))
    });
    fleet.chain(tiers).chain(clusters).chain(teams).chain(workloads)
}

//! The PriorityClass of a tier. Its value can never be changed, so the value is part of the name: another level is another class.

use crate::inventory::tier::Tier;

/// The value: a thousandfold of the tier's own level, never its place among the others.
pub fn value(tier: &Tier) -> u32 {
    tier.level.value.saturating_mul(1000)
}

/// The name.
pub fn name(tier: &Tier) -> String {
    format!("{}-{}", tier.name.value, value(tier))
}

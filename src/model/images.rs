//! Images: from the tier's registries, with a digest where the tier asks for one (SP 800-190 4.1.5, 4.2.2).

use super::exemptions::{Exemptions, Place, control};
use crate::decode::{Decode, Findings};
use crate::diag::{Code, Diag};
use crate::formats::ImageRef;
use crate::inventory::tier::Tier;
use crate::source::{Span, Spanned};
use crate::yaml::{Node, Value};

/// Checks one image against its tier.
pub fn check(image: &ImageRef, span: Span, tier: &Tier, place: Place<'_>, exemptions: &Exemptions<'_>, findings: &mut Findings) {
    if let Some(registries) = &tier.registries
        && !registries.iter().any(|registry| image.is_below(registry))
        && !exemptions.excuse(control::IMAGE_REGISTRY, place)
    {
        let message = format!("`{}` is outside the registries of the tier `{}`", image.normalised(), tier.name.value);
        let stated = registries.first().map_or(tier.name.span, |first| first.span);
        let names: Vec<&str> = registries.iter().map(|registry| registry.as_str()).collect();
        let help = if names.is_empty() {
            "The tier allows no registry at all.".to_owned()
        } else {
            format!("Use an image below {}.", names.join(" or "))
        };
        findings.push(Diag::new(Code::ImageOutsideRegistries, span, message).related(stated, "the tier's registries").help(help));
    }
    if let Some(required) = tier.require_digest.filter(|required| required.value)
        && !image.has_digest()
        && !exemptions.excuse(control::IMAGE_DIGEST, place)
    {
        let message = format!("`{image}` has no digest, which the tier `{}` asks for", tier.name.value);
        let diag = Diag::new(Code::ImageWithoutDigest, span, message).related(required.span, "asked for here");
        findings.push(diag.help("Pin it: `NAME:TAG@sha256:...`, as the registry prints it."));
    }
}

/// Every image in a partial PodSpec, with its place: of containers of all sorts and of image volumes.
pub fn in_pod(pod: &Node, findings: &mut Findings) -> Vec<Spanned<ImageRef>> {
    let items = |list: &str| match pod.get(list).map(|node| &node.value) {
        Some(Value::Seq(items)) => items.iter().collect(),
        _ => Vec::new(),
    };
    let containers = ["containers", "initContainers"].into_iter().flat_map(items).filter_map(|container| container.get("image"));
    let volumes = items("volumes").into_iter().filter_map(|volume| volume.get("image")?.get("reference"));
    containers.chain(volumes).filter_map(|node| Spanned::decode(node, findings)).collect()
}

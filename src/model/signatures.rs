//! Whose signatures a tier's images need (SP 800-190 4.1.5).

use crate::decode::Findings;
use crate::diag::{Code, Diag};
use crate::inventory::Inventory;
use crate::source::Spanned;

/// Schemes of keys in a key management service, as cosign knows them.
const KMS: [&str; 5] = ["awskms://", "azurekms://", "gcpkms://", "hashivault://", "k8s://"];

/// Whether a key is named rather than written out.
pub fn is_reference(key: &str) -> bool {
    KMS.iter().any(|scheme| key.starts_with(scheme))
}

/// Checks that each tier states one signer, and that a key is a public one.
pub fn check(inventory: &Inventory, findings: &mut Findings) {
    for stated in inventory.tiers.iter().filter_map(|tier| tier.image_signatures.as_ref()) {
        match (&stated.key, &stated.keyless) {
            (Some(key), None) => check_key(key, findings),
            (None, Some(_)) => {}
            _ => {
                let diag = Diag::new(Code::InvalidValue, stated.span, "`imageSignatures` has one signer: a `key`, or a `keyless` identity");
                findings.push(diag.help("Write one of the two; a tier whose images have several signers asks for the one that all have."));
            }
        }
    }
}

fn check_key(key: &Spanned<String>, findings: &mut Findings) {
    let text = key.trim();
    let public = text.starts_with("-----BEGIN PUBLIC KEY-----") && text.ends_with("-----END PUBLIC KEY-----");
    if public || is_reference(text) {
        return;
    }
    let (message, help) = if text.contains("PRIVATE KEY") {
        (
            "a private key stands in the inventory",
            "Treat it as stolen: make a new pair, and write the public key here (`cosign public-key`).".to_owned(),
        )
    } else {
        let help = format!("Write what `cosign public-key` prints, or an address that begins with one of: {}.", KMS.join(", "));
        ("this is no public key", help)
    };
    findings.push(Diag::new(Code::InvalidValue, key.span, message).help(help));
}

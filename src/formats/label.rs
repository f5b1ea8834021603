//! Labels and annotations: `k8s.io/apimachinery/pkg/util/validation`, qualified names.

use super::name::check_subdomain;
use crate::text_type;

text_type! {
    /// A key of a label or annotation: a name, with an optional DNS prefix before a slash.
    pub struct LabelKey; InvalidLabel, "cost-center", text, check_key
}

text_type! {
    /// A value of a label: at most 63 characters.
    pub struct LabelValue; InvalidLabel, "shop-4711", text, |text| {
        if text.is_empty() { Ok(()) } else { check_part(text, "the label value") }
    }
}

fn check_key(text: &str) -> Result<(), String> {
    let name = match text.split_once('/') {
        Some((prefix, name)) => {
            check_subdomain(prefix)?;
            name
        }
        None => text,
    };
    check_part(name, "the name of the label")
}

fn check_part(text: &str, what: &str) -> Result<(), String> {
    let ends = |c: char| c.is_ascii_alphanumeric();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.len() > 63 {
        return Err(format!("{what} has {} characters; it may have 63", text.len()));
    }
    if text.is_empty() || !text.chars().all(fits) || !text.starts_with(ends) || !text.ends_with(ends) {
        return Err(format!("{what} `{text}` must be letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit"));
    }
    Ok(())
}

/// Kubernetes' own domains.
const KUBERNETES: [&str; 2] = ["kubernetes.io", "k8s.io"];

/// Whether a label or annotation key is not for workloads to set: it lies below a domain of Kubernetes, a network plugin acts
/// upon it, or it [steers](is_steering).
pub fn is_reserved(key: &str, label_domain: &str) -> bool {
    KUBERNETES.into_iter().any(|domain| is_below(key, domain)) || is_of_network(key) || is_steering(key, label_domain)
}

/// Domains by which a pod says to its network plugin which networks it is on, and with what address: those of Multus, Calico, Cilium and OVN.
const NETWORK: [&str; 6] = ["k8s.v1.cni.cncf.io", "multus-cni.io", "projectcalico.org", "cilium.io", "io.cilium", "ovn.org"];

/// Whether a network plugin acts upon a label or annotation of a pod: an interface, an address or a way past the policies would follow from it.
pub fn is_of_network(key: &str) -> bool {
    // Cilium has had some without a slash.
    key.starts_with("io.cilium.") || NETWORK.into_iter().any(|domain| is_below(key, domain))
}

/// Whether a fleet may have its labels below a domain: it is nobody else's, to whom they would mean something. The error is a sentence.
pub fn check_label_domain(domain: &str) -> Result<(), String> {
    let taken = KUBERNETES.into_iter().chain(STEERING).chain(NETWORK).find(|taken| is_domain_within(domain, taken));
    match taken {
        Some(taken) => Err(format!("`{domain}` is below `{taken}`, whose labels mean something to others")),
        None if !domain.contains('.') => Err(format!("`{domain}` is no domain of yours: it has one part")),
        None => Ok(()),
    }
}

/// Domains by which an object says to those who apply it what they do with it: the delivery's (Argo CD takes Helm's hooks for its own), kustomize's
/// (`config.kubernetes.io/local-config` takes an object out of a tree) and kubectl's.
const STEERING: [&str; 6] = ["fluxcd.io", "argoproj.io", "helm.sh", "config.kubernetes.io", "config.k8s.io", "kubectl.kubernetes.io"];

/// What kubectl reads where somebody looks at a pod: nobody applies an object otherwise for it.
const LOOKS: [&str; 2] = ["kubectl.kubernetes.io/default-container", "kubectl.kubernetes.io/default-logs-container"];

/// Whether a key takes an object out of the hands of those who apply it, or of isolation, which trusts what lies below the fleet's own domain. No
/// object of a tree has one that a person wrote, also where other keys of Kubernetes' domains are meant for controllers.
pub fn is_steering(key: &str, label_domain: &str) -> bool {
    !LOOKS.contains(&key) && STEERING.into_iter().chain([label_domain]).any(|domain| is_below(key, domain))
}

/// Whether the key of a label or annotation lies below a domain.
pub fn is_below(key: &str, domain: &str) -> bool {
    key.split_once('/').is_some_and(|(prefix, _)| is_domain_within(prefix, domain))
}

/// Whether a domain is another, or one below it; a look-alike that only ends the same is not.
pub fn is_domain_within(name: &str, domain: &str) -> bool {
    name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::{LabelKey, LabelValue, is_reserved, is_steering};

    #[test]
    fn keys_and_values_are_what_kubernetes_takes() {
        for good in ["cost-center", "acme.example/cost_center", "A.b"] {
            assert!(LabelKey::new(good).is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a/b/c", "-a", "a b", "Acme.example/a", &"a".repeat(64)] {
            assert!(LabelKey::new(bad).is_err(), "{bad}");
        }
        assert!(LabelValue::new("").is_ok());
        for bad in ["a b", "-a", &"a".repeat(64)] {
            assert!(LabelValue::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_look_alike_domain_is_not_reserved() {
        let ours = "tier.acme.example";
        for key in [
            "kubernetes.io/a",
            "app.kubernetes.io/name",
            "kustomize.toolkit.fluxcd.io/prune",
            "argocd.argoproj.io/x",
            "tier.acme.example/a",
            "node.k8s.io/a",
            "helm.sh/hook",
        ] {
            assert!(is_reserved(key, ours), "{key}");
        }
        for key in ["app", "notkubernetes.io/a", "acme.example/a", "kubernetes.io.acme.example/a"] {
            assert!(!is_reserved(key, ours), "{key}");
        }
    }

    #[test]
    fn what_steers_is_nobodys_and_what_controllers_read_is_free() {
        let ours = "tier.acme.example";
        for key in [
            "kustomize.toolkit.fluxcd.io/reconcile",
            "argocd.argoproj.io/hook",
            "helm.sh/hook",
            "config.kubernetes.io/local-config",
            "internal.config.kubernetes.io/index",
            "kustomize.config.k8s.io/behavior",
            "kubectl.kubernetes.io/last-applied-configuration",
            "tier.acme.example/tier",
        ] {
            assert!(is_steering(key, ours), "{key}");
        }
        for key in [
            "service.beta.kubernetes.io/aws-load-balancer-type",
            "nginx.ingress.kubernetes.io/rewrite-target",
            "external-dns.alpha.kubernetes.io/hostname",
            "iam.gke.io/gcp-service-account",
            "eks.amazonaws.com/role-arn",
            "kubectl.kubernetes.io/default-container",
        ] {
            assert!(!is_steering(key, ours), "{key}");
        }
    }
}

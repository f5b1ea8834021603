//! Names of images: the policy in the cluster and the model must read each of them the same way.

use ringfence::formats::ImageRef;
use serde_json::json;

use crate::obedience;
use crate::plane::Plane;
use crate::random::Random;
use crate::runner::Verdict;
use crate::session::none;
use crate::stated::{Cluster, Rules};

/// So many names for each namespace.
const NAMES: usize = 400;
/// What names are put together from, beside the tier's own registries.
const PARTS: &[&str] = &[
    "docker.io/",
    "index.docker.io/",
    "registry-1.docker.io/",
    "docker.io.evil.example/",
    "library/",
    "mongo",
    "localhost/",
    "localhost:5000/",
    "host:5000/",
    "Host.example/",
    "host.example./",
    "host/",
    "HOST/",
    "a/",
    "a_b",
    "a.b/",
    "a-b",
    "..",
    "./",
    "/",
    ":",
    ":1",
    ":latest",
    ":.x",
    "@",
    "@sha256:0f",
    "sha256:",
    " ",
    "\n",
    "é",
    "https://",
    "%2f",
    "-",
    "[::1]:5000/",
];

/// Every name is admitted where the model takes it, and refused where it does not.
pub fn verdict(plane: &Plane<'_>, cluster: &Cluster) -> Verdict {
    let mut random = Random::new(cluster.name.len() as u64);
    let mut disagreements = Vec::new();
    for (namespace, tier) in &cluster.namespaces {
        let rules = &cluster.rules[tier];
        let (mut admitted, mut refused) = (0, 0);
        for _ in 0..NAMES {
            let name = name(rules, &mut random);
            let mut pod = json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "named", "namespace": namespace },
                "spec": { "containers": [{ "name": "main", "image": name }] },
            });
            obedience::complete(&mut pod, &cluster.label_domain, tier, rules);
            let answer = plane.masters.post(&format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), &pod);
            // What Kubernetes refuses by itself no policy has seen.
            if answer.status == 422 {
                continue;
            }
            *(if answer.is_ok() { &mut admitted } else { &mut refused }) += 1;
            if answer.is_ok() != takes(rules, &name) {
                disagreements.push(format!(
                    "{namespace}: `{name}`: the model takes it: {}, the cluster: {}",
                    takes(rules, &name),
                    answer.message()
                ));
            }
        }
        if rules.registries.is_some() && (admitted == 0 || refused == 0) {
            return Err(format!("{namespace}: {admitted} names admitted and {refused} refused show nothing"));
        }
    }
    none("names of images are read in two ways", &disagreements)
}

/// Whether the model takes an image into a tier.
fn takes(rules: &Rules, name: &str) -> bool {
    let image = ImageRef::new(name);
    let below =
        rules.registries.as_ref().is_none_or(|all| image.as_ref().is_ok_and(|image| all.iter().any(|prefix| image.is_below(prefix))));
    below && (!rules.digest || image.is_ok_and(|image| image.has_digest()))
}

fn name(rules: &Rules, random: &mut Random) -> String {
    let mut pick = |count: usize| {
        #[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "a fraction is from 0 to 1")]
        let at = (random.fraction() * f64::from(u32::try_from(count).unwrap())) as usize;
        at
    };
    let registries: Vec<&str> = rules.registries.iter().flatten().map(ringfence::formats::RegistryPrefix::as_str).collect();
    let mut name = String::new();
    if pick(3) > 0 && !registries.is_empty() {
        name.push_str(registries[pick(registries.len())]);
    }
    for _ in 0..=pick(4) {
        name.push_str(PARTS[pick(PARTS.len())]);
    }
    if pick(2) == 0 {
        name.extend(["@sha256:", &"0f".repeat(32)]);
    }
    name
}

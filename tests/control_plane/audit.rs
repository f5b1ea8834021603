//! A roll-out on a cluster that lives: with `enforcement: audit` every attack that a policy would stop goes through, with a warning, and stands in the
//! API server's audit log.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::apply;
use crate::attempt::{Attempt, Without};
use crate::attempts::{Ground, appoint_administrator};
use crate::etcd::Etcd;
use crate::judges::Judges;
use crate::nodes;
use crate::plane::Plane;
use crate::program::{self, Project};
use crate::runner::Verdict;
use crate::session::{accepted, none};
use crate::stated::Cluster;
use crate::waiting::eventually;

/// The cluster of the sample that is tried.
const CLUSTER: &str = "shared-tokyo";
/// What the server notes beside a request that a policy would have refused.
const NOTE: &str = "validation.policy.admission.k8s.io/validation_failure";

/// Attacks on what such a cluster does not have: no level of Pod Security but `privileged` is enforced, and nothing is lower.
const NOT_ENFORCED: [&str; 4] =
    ["pod-security-lowered", "pod-security-lowered-by-the-status", "pod-security-of-the-platform-lowered", "pod-security-removed"];
/// Brings up the cluster with `enforcement: audit`, and tries on it every attack that a policy stops there.
pub fn verdict(judges: &Judges, etcd: &Etcd, sample: &Project, attacks: &[Attempt], controls: &BTreeMap<String, Without>) -> Verdict {
    let project = audited(sample);
    let built = judges.build(&project.output())?;
    let cluster = Cluster::all(&project.root).into_iter().find(|cluster| cluster.name == CLUSTER).ok_or("the sample has lost a cluster")?;
    let layers = apply::layers(&built, CLUSTER);
    let plane = Plane::start_audited(judges, etcd, "audit", &apply::groups(layers.values().flatten()));
    accepted(&plane, &layers)?;
    plane.start_components();
    nodes::add(&plane, &cluster);
    appoint_administrator(&plane)?;
    let ground = Ground { plane: &plane, cluster: &cluster, layers: &layers, controls };
    let by_policy = |attack: &&Attempt| {
        let stopped = attack.stopped.as_ref().filter(|stopped| stopped.refused.is_some());
        stopped.is_some_and(|stopped| {
            let Without { namespace_labels, taints, objects, plugin, limits } = &controls[&stopped.by];
            let policies =
                objects.as_ref().is_some_and(|objects| objects.iter().all(|which| which.kind == "ValidatingAdmissionPolicyBinding"));
            policies && namespace_labels.is_none() && !taints && plugin.is_none() && !limits
        })
    };
    let is_there = |attack: &&Attempt| !NOT_ENFORCED.contains(&attack.name.as_str());
    let mut tried = 0;
    let mut wrong = Vec::new();
    for attack in attacks.iter().filter(|attack| attack.cluster == CLUSTER).filter(by_policy).filter(is_there) {
        tried += 1;
        let text = attack.stopped.as_ref().and_then(|stopped| stopped.refused.as_deref()).unwrap_or_default();
        let before = plane.audit_log().len();
        let outcome = ground.is_warned_of(attack, text).and_then(|()| {
            let noted = eventually(|| noted(&plane.audit_log()[before..], text).then_some(()));
            noted.ok_or_else(|| format!("nothing in the audit log says `{text}`"))
        });
        wrong.extend(outcome.err().map(|why| attack.says(&format!("{}: {why}", attack.name))));
    }
    none("attacks are not seen as they should be", &wrong)?;
    if tried == 0 { Err("no attack is stopped by a policy there: this shows nothing".to_owned()) } else { Ok(()) }
}

/// The sample with `enforcement: audit` at the cluster.
fn audited(sample: &Project) -> Project {
    let project = Project::empty();
    program::copy(&sample.root, &project.root);
    let path = project.root.join(format!("inventory/clusters/{CLUSTER}.yaml"));
    let text = fs::read_to_string(&path).unwrap();
    let audited = text.replace("    environment: production\n", "    environment: production\n    enforcement: audit\n");
    assert_ne!(text, audited, "{CLUSTER} is not where it was in the sample");
    fs::write(path, audited).unwrap();
    project.generate();
    project
}

/// Whether an event of the log notes that a policy would have refused with such a text, and that the request was let through.
fn noted(log: &[Value], text: &str) -> bool {
    log.iter().any(|event| {
        let failures = event["annotations"][NOTE].as_str().and_then(|note| serde_json::from_str::<Value>(note).ok());
        let says = |failure: &Value| {
            failure["message"].as_str().is_some_and(|message| message.contains(text))
                && failure["validationActions"].as_array().is_some_and(|actions| actions.iter().any(|action| action == "Audit"))
        };
        failures.is_some_and(|failures| failures.as_array().is_some_and(|failures| failures.iter().any(says)))
            && event["responseStatus"]["code"].as_u64().is_some_and(|code| (200..300).contains(&code))
    })
}

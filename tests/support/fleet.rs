//! Inventories of any size, the same for the same numbers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How many workloads share a team, and with it a file of the inventory and a namespace of a cluster.
const TEAM: usize = 10;

/// Files of an inventory by path below `inventory/`.
pub type Inventory = BTreeMap<String, String>;

/// An inventory of so many workloads on so many clusters, at most 250: every third cluster shared by two tiers, the others of one tier alone.
/// Another `edition` has other images and names for one in seven, as if they had been replaced.
pub fn inventory(workloads: usize, clusters: usize, edition: usize) -> Inventory {
    assert!((1..=250).contains(&clusters), "a cluster's ranges come from its number");
    let mut files = Inventory::from([("fleet.yaml".to_owned(), FLEET.to_owned() + &tiers(clusters))]);
    for number in 0..clusters {
        files.insert(format!("clusters/c{number:03}.yaml"), cluster(number));
    }
    let teams = workloads.div_ceil(TEAM);
    for team in 0..teams {
        // A team lives on one cluster, as most do.
        let at = team % clusters;
        let tier = match at % 3 {
            0 if (team / clusters).is_multiple_of(2) => "public",
            0 => "internal",
            1 => "confidential",
            _ => "restricted",
        };
        let mut text = format!("teams:\n  - name: team-{team:04}\n    clusters: [c{at:03}]\n\nworkloads:\n");
        for index in team * TEAM..workloads.min((team + 1) * TEAM) {
            workload(&mut text, index, team, tier, if index % 7 == 0 { edition } else { 0 });
        }
        files.insert(format!("teams/team-{team:04}.yaml"), text);
    }
    files
}

const FLEET: &str = r#"fleet:
  apiVersion: ringfence/v1
  name: generated
  labelDomain: tier.generated.example
  kubernetes: "1.35"
  defaults: {security: {runAsUser: 1000, fsGroup: 1000}}

configs:
  - {name: region, data: {REGION: tokyo, LOG_FORMAT: json}}

tiers:
  - {name: public, level: 10, podSecurity: baseline, isolation: pool}
  - {name: internal, level: 20, podSecurity: restricted, isolation: pool}
"#;

/// The tiers that need a cluster of their own: as many as there are clusters for.
fn tiers(clusters: usize) -> String {
    let mut text = String::new();
    for (name, level) in ["confidential", "restricted"].into_iter().zip([30, 40]).take(clusters - 1) {
        let _ = writeln!(text, "  - {{name: {name}, level: {level}, podSecurity: restricted, isolation: cluster}}");
    }
    text
}

fn cluster(number: usize) -> String {
    let tiers: &[&str] = match number % 3 {
        0 => &["public", "internal"],
        1 => &["confidential"],
        _ => &["restricted"],
    };
    let mut text = format!(
        "clusters:\n  - name: c{number:03}\n    tiers: [{}]\n    environment: production\n    cni: cilium\n    provider: rke2\n    network: \
         {{pods: [10.{number}.0.0/17], services: [10.{number}.128.0/18], nodes: [10.{number}.192.0/22]}}\n    nodePools:\n      \
         - {{name: system, role: system}}\n",
        tiers.join(", ")
    );
    for tier in tiers {
        let _ = writeln!(text, "      - {{name: {tier}, tier: {tier}, nodes: [c{number:03}-{tier}-01, c{number:03}-{tier}-02]}}");
    }
    text
}

/// One workload: most are Deployments with all that a service has; some are of each other kind.
fn workload(text: &mut String, index: usize, team: usize, tier: &str, edition: usize) {
    let kind = match index % 10 {
        7 => "StatefulSet",
        8 => "CronJob",
        9 => "DaemonSet",
        _ => "Deployment",
    };
    let _ = write!(
        text,
        "  - name: app-{index:05}-{edition}\n    team: team-{team:04}\n    tier: {tier}\n    kind: {kind}\n    image: \
         registry.generated.example/apps/app-{index:05}:1.{edition}.0\n    env:\n      INDEX: \"{index}\"\n      POD: {{fieldRef: \
         metadata.name}}\n      PASSWORD: {{secret: app-{index:05}, key: password}}\n    envFrom: [{{configMap: region}}]\n    config: \
         {{LOG_LEVEL: info}}\n    resources: {{cpu: 100m, memory: 128Mi, limits: {{memory: 256Mi}}}}\n"
    );
    let volume = if kind == "StatefulSet" { "\n      - {name: data, mountPath: /var/lib/data, claim: {size: 10Gi}}" } else { "" };
    let _ = writeln!(text, "    volumes:\n      - {{name: tmp, mountPath: /tmp, emptyDir: {{sizeLimit: 64Mi}}}}{volume}");
    if kind == "CronJob" {
        let _ = writeln!(text, "    schedule: \"{} 3 * * *\"", index % 60);
        return;
    }
    text.push_str("    ports: [{name: http, port: 8080, servicePort: 80}, {name: metrics, port: 9090, scrape: /metrics}]\n");
    text.push_str("    probes: {readiness: {httpGet: /ready, periodSeconds: 5}, liveness: {tcpSocket: http}}\n");
    match index % 10 {
        9 => {}
        4 => text.push_str("    scale: {min: 2, max: 10, cpu: 70}\n"),
        _ => text.push_str("    replicas: 2\n    disruption: {maxUnavailable: 1}\n"),
    }
}

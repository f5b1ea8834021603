//! Folders put together at random, of bases, overlays and components: ours and kustomize's builds are the same, or both refuse.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ringfence::diag::Code;

use crate::judge::judge;
use crate::random::Random;
use crate::sources::{difference, ours, theirs};

/// How many folders.
const FOLDERS: u64 = 80;

const OBJECTS: [&str; 8] = [
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {app: web}}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      serviceAccountName: web\n      containers:\n      - {name: main, image: 'shop/web:1', envFrom: [{configMapRef: {name: conf}}, {secretRef: {name: cred}}], ports: [{containerPort: 80, protocol: TCP}, {containerPort: 81, protocol: TCP}]}\n      - {name: side, image: side}\n      volumes: [{name: c, configMap: {name: conf, optional: true}}]\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: other}\nspec: {selector: {app: web}, ports: [{port: 80, protocol: TCP, name: http}]}\n",
    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, annotations: {a: b}}\nspec: {serviceName: db, template: {spec: {containers: [{name: main, image: 'postgres:16', env: [{name: P, valueFrom: {secretKeyRef: {name: cred, key: p}}}]}], priorityClassName: high}}, volumeClaimTemplates: [{metadata: {name: d}}]}\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {clusterIP: None}\n",
    "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: night}\nspec: {schedule: '1 1 * * *', jobTemplate: {spec: {template: {spec: {containers: [{name: main, image: 'shop/web:1', envFrom: [{configMapRef: {name: conf}}]}]}}}}}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain, labels: {x: w}}\ndata: {a: '1', b: '2'}\n",
    "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: thing}\nspec: {containers: [{name: main, image: side}], list: [1, 2], ref: {name: web}}\n",
    "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n",
];

/// Parts of a kustomization; `N` is its depth.
const PARTS: [&str; 22] = [
    "namePrefix: pN-\n",
    "nameSuffix: -sN\n",
    "namespace: spaceN\n",
    "commonLabels: {level: 'N'}\n",
    "commonAnnotations: {note: 'N'}\n",
    "labels:\n- pairs: {lN: 'N'}\n- pairs: {mN: t}\n  includeTemplates: true\n",
    "labels:\n- pairs: {selN: 'N'}\n  includeSelectors: true\n",
    "images:\n- {name: shop/web, newTag: '1.N'}\n- {name: side, newName: side2, digest: 'sha256:abcN'}\n",
    "images:\n- {name: postgres, newName: registry.example:5000/pg}\n- {name: .*/web, newTag: any}\n",
    "configMapGenerator:\n- {name: conf, literals: [a=N, b=2]}\nsecretGenerator:\n- {name: cred, literals: [p=N]}\n",
    "configMapGenerator:\n- {name: conf, behavior: merge, literals: [cN=N]}\n",
    "configMapGenerator:\n- {name: moreN, literals: [x=1]}\ngeneratorOptions: {disableNameSuffixHash: true, labels: {gen: 'N'}}\n",
    "replicas: [{name: web, count: N}]\n",
    "patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n    spec: {template: {spec: {containers: [{name: newN, image: new}, {name: main, args: ['N'], ports: [{containerPort: 9N, protocol: TCP}]}]}}}\n",
    "patches:\n- target: {kind: Deployment|StatefulSet}\n  patch: |-\n    - {op: add, path: /spec/template/spec/nodeSelector, value: {levelN: a}}\n",
    "patches:\n- target: {name: w.*}\n  patch: |-\n    apiVersion: v1\n    kind: Whatever\n    metadata: {name: any, labels: {patchedN: 'true'}}\n",
    "patches:\n- target: {labelSelector: app=web}\n  patch: '[{\"op\": \"add\", \"path\": \"/metadata/annotations\", \"value\": {\"jN\": \"1\"}}]'\n",
    "patches:\n- target: {kind: CronJob}\n  patch: |-\n    apiVersion: batch/v1\n    kind: CronJob\n    metadata: {name: x}\n    spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: main, $patch: delete}, {name: otherN, image: o}]}}}}}\n",
    "patchesStrategicMerge:\n- |-\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: plain, labels: {smN: 'N'}}\n  data: {a: null, cN: '3'}\n",
    "patchesJson6902:\n- target: {version: v1, kind: ConfigMap, name: plain}\n  patch: '[{\"op\": \"replace\", \"path\": \"/data/b\", \"value\": \"N\"}]'\n",
    "patches:\n- patch: |-\n    apiVersion: v1\n    kind: Service\n    metadata: {name: web, namespace: other}\n    $patch: delete\n",
    "patches:\n- target: {kind: Service, namespace: other}\n  patch: |-\n    apiVersion: v1\n    kind: Service\n    metadata: {name: web}\n    spec: {ports: [{port: 8N, protocol: TCP}, {port: 80, protocol: TCP, targetPort: N}]}\n",
];

/// The part that generates what pods refer to.
const GENERATED: usize = 9;

fn below(random: &mut Random, bound: usize) -> usize {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
    let chosen = (random.fraction() * bound as f64) as usize;
    chosen.min(bound - 1)
}

/// Parts of which no two begin with the same key.
fn parts(random: &mut Random, depth: usize, most: usize) -> String {
    let mut chosen: Vec<&str> = Vec::new();
    for _ in 0..=below(random, most) {
        let at = below(random, PARTS.len());
        // What is generated once can only be merged with, and is refused everywhere else: seldom enough.
        if at == GENERATED && random.fraction() < 0.8 {
            continue;
        }
        let part = PARTS[at];
        let key = |part: &str| {
            part.lines()
                .filter(|line| !line.starts_with([' ', '-']))
                .map(|line| line.split(':').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        if !chosen.iter().any(|other| key(other).iter().any(|taken| key(part).contains(taken))) {
            chosen.push(part);
        }
    }
    at_depth(&chosen.concat(), depth)
}

/// A part with its depth for every `N` that begins no `Name`.
fn at_depth(part: &str, depth: usize) -> String {
    part.replace("Name", "\0").replace('N', &depth.to_string()).replace('\0', "Name")
}

fn write(folder: &Path, random: &mut Random) {
    let make = |path: &str, text: String| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let mut resources = String::new();
    for (at, object) in OBJECTS.iter().enumerate() {
        if random.fraction() < 0.95 {
            make(&format!("base/o{at}.yaml"), (*object).to_owned());
            write!(resources, "o{at}.yaml, ").unwrap();
        }
    }
    let generated = if random.fraction() < 0.9 { at_depth(PARTS[GENERATED], 0) } else { String::new() };
    make("base/kustomization.yaml", format!("resources: [{resources}]\n{generated}"));
    let component = random.fraction() < 0.4;
    if component {
        let head = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";
        make("comp/kustomization.yaml", format!("{head}{}", parts(random, 2, 3)));
    }
    let used = |depth| if component && depth == 4 { "components: [../comp]\n" } else { "" };
    make("mid/kustomization.yaml", format!("resources: [../base]\n{}", parts(random, 3, 4)));
    let second = random.fraction() < 0.3;
    if second {
        make(
            "mid2/kustomization.yaml",
            format!("resources: [../base]\nnamePrefix: second-\n{}", parts(random, 5, 2).replace("namePrefix", "nameSuffix")),
        );
    }
    let bases = if second { "../mid, ../mid2" } else { "../mid" };
    make("top/kustomization.yaml", format!("resources: [{bases}]\n{}{}", used(4), parts(random, 4, 4)));
}

#[test]
fn random_folders_build_as_kustomize_builds_them() {
    let Some(judge) = judge() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let (mut built, mut refused, mut wrong) = (0, 0, Vec::new());
    for seed in 0..FOLDERS {
        let root = scratch.path().join(seed.to_string());
        write(&root, &mut Random::new(seed));
        match (ours(&root, "top"), theirs(&judge, &root.join("top"))) {
            (Ok(ours), Ok(theirs)) => {
                built += 1;
                wrong.extend(difference(ours, theirs).map(|difference| format!("seed {seed}: {difference}")));
            }
            (Err(ours), Err(_)) if ours.code != Code::SourceUnsupported => refused += 1,
            (ours, theirs) => wrong.push(format!("seed {seed}:\nours: {ours:?}\ntheirs: {theirs:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {FOLDERS} differ\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n\n"));
    assert!(built > FOLDERS / 3 && refused > 0, "{built} built, {refused} refused by both: neither may be rare");
}

//! What templates may see of the model: plain values, decided before anything is rendered. A new fact is one line here.
//!
//! Names at the top: `fleet` always; `bootstrap` in the scopes cluster and node-pool; `tier`, `cluster`, `pool`, `namespace`, `workload`, `gateway` as far as the kind's scope has them;
//! `item` and `index` under `forEach`.

pub(super) mod access;
mod admission;
pub mod bootstrap;
mod flows;
mod guards;
mod isolation;
mod monitoring;
mod network;
mod segregation;
mod ways;

use serde_json::{Map, Value, json};

use crate::inventory::cluster::{Enforcement, NodePool};
use crate::inventory::gateway::{Gateway, PortRef};
use crate::inventory::pod::{ExposeType, Port};
use crate::inventory::tier::PodSecurity;
use crate::inventory::workload::{CountOrPercent, Settings, WorkloadKind};
use crate::model::delivery::never_pruned;
use crate::model::{Instance, Model, Namespace, pod, priority_class, storage};
use crate::source::Spanned;

/// `fleet`: name, labelDomain, tiers, clusters, neverPruned (annotations of what must outlive its place in git: nothing removes it but a person).
pub fn fleet(model: &Model<'_>) -> Value {
    json!({
        "name": model.fleet.name.as_str(),
        "labelDomain": model.fleet.label_domain.as_str(),
        "neverPruned": never_pruned(),
        "tiers": (0..model.tiers.all.len()).map(|at| tier(model, at)).collect::<Vec<_>>(),
        "clusters": model.clusters.all.iter().map(|host| host.raw.name.as_str()).collect::<Vec<_>>(),
    })
}

/// `tier`: name, level, isolation, podSecurity, priorityClass, storageClass.
pub fn tier(model: &Model<'_>, at: usize) -> Value {
    let raw = &model.tiers.all[at];
    json!({
        "name": raw.name.as_str(),
        "level": raw.level.value,
        "isolation": model.tiers.isolation(at).as_str(),
        "podSecurity": raw.pod_security.as_str(),
        "priorityClass": {
            "name": priority_class::name(raw),
            "value": priority_class::value(raw),
            "description": format!("Pods of the tier {}.", raw.name.value),
        },
        "storageClass": raw.storage_class.as_ref().map(|class| json!({
            "name": class.name.as_str(),
            "provisioner": class.provisioner.as_str(),
            "parameters": strings(class.parameters.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
        })),
    })
}

/// `cluster`: name, environment, region, kubernetes, minor, cni, tiers (each with its `namespaces` here), namespaces, pools, platform (namespaces,
/// writers), enforcement (deny or audit), validationActions, actions (by control), exempt, admission (what policies on pods hold), access, guards, monitoring, segregation (what watches the tiers), flux, argocd, expected (Secrets and ConfigMaps that are taken to exist),
/// listeners (what its load balancers are asked for), network.
pub fn cluster(model: &Model<'_>, at: usize, instances: &[Instance<'_>]) -> Value {
    let host = &model.clusters.all[at];
    let mut expected: std::collections::BTreeMap<(&str, &str, &str), Vec<&str>> = std::collections::BTreeMap::new();
    for instance in instances {
        for (kind, name) in &instance.expected {
            let users = expected.entry((instance.namespace.as_str(), kind, name.as_str())).or_default();
            users.push(instance.workload.identity.name.as_str());
        }
    }
    for class in host.tiers.iter().filter_map(|tier| model.tiers.all[*tier].storage_class.as_ref()) {
        for (namespace, name) in storage::secrets(class) {
            expected.entry((namespace, "Secret", name)).or_default().push(class.name.as_str());
        }
    }
    if let Some(delivery) = model.deliveries.of(at)
        && let (Some(flux), Some(secret)) = (&delivery.flux, &delivery.secret)
        && flux.written
    {
        expected.entry((&flux.namespace, "Secret", secret)).or_default().push("Flux");
    }
    let namespaces = model.namespaces_on(at);
    let exempt = isolation::exempt(model, at);
    json!({
        "name": host.raw.name.as_str(),
        "environment": host.raw.environment.as_str(),
        "region": host.raw.region.as_ref().map(|region| region.as_str()),
        "kubernetes": host.minor.to_string(),
        "minor": host.minor.number(),
        "cni": host.raw.cni.name.as_str(),
        "tiers": isolation::tiers(model, at),
        "pools": host.raw.node_pools.iter().map(|pool| self::pool(model, pool)).collect::<Vec<_>>(),
        "platform": isolation::platform(model, at),
        "enforcement": host.enforcement().as_str(),
        "validationActions": isolation::validation_actions(model, at),
        "actions": isolation::actions_by_control(model, at, &exempt),
        "monitoring": monitoring::cluster(model, at),
        "segregation": segregation::of_cluster(model, at),
        "guards": guards::of_cluster(model, at),
        "access": access::of_cluster(model, at),
        "admission": admission::admission(model, at, &exempt),
        "exempt": exempt,
        "namespaces": namespaces.map(|namespace| namespace.name.as_str()).collect::<Vec<_>>(),
        "flux": super::delivery::flux(model.deliveries.of(at)),
        "argocd": super::delivery::argocd(model, at),
        "expected": expected.into_iter().map(|((namespace, kind, name), users)| json!({
            "namespace": namespace, "kind": kind, "name": name, "usedBy": users,
        })).collect::<Vec<_>>(),
        "listeners": flows::listeners_of(model, at),
        "network": network::cluster(model, at),
    })
}

/// `pool`: name, system, tier, nodes, replicas, taints (key, value, effect), labels (key, value), registries (hosts).
pub fn pool(model: &Model<'_>, pool: &NodePool) -> Value {
    json!({
        "name": pool.name.as_str(),
        "system": pool.role.is_some(),
        "tier": pool.tier.as_ref().map(|tier| tier.as_str()),
        "nodes": pool.nodes.iter().map(|node| node.as_str()).collect::<Vec<_>>(),
        "replicas": pool.replicas.map(|replicas| replicas.value),
        "taints": bootstrap::taints(model.fleet.label_domain.as_str(), pool),
        "labels": bootstrap::labels(pool),
        "registries": bootstrap::registries(model, pool),
    })
}

/// `namespace`: name, team, tier, labels, annotations, configs (shared ConfigMaps that its workloads refer to), aliases (names that its
/// workloads use for what is elsewhere), endpoints (addresses that some of these lead to), network (`policies` and `ciliumPolicies`), access, scraper, budget (what it
/// and its containers may use; `instances` are those of its cluster).
pub fn namespace(model: &Model<'_>, namespace: &Namespace, instances: &[Instance<'_>]) -> Value {
    let domain = model.fleet.label_domain.as_str();
    let tier = model.tiers.name(namespace.tier);
    let mut labels = labels([
        ("app.kubernetes.io/managed-by".to_owned(), "ringfence"),
        (format!("{domain}/team"), &namespace.team),
        (format!("{domain}/tier"), tier),
    ]);
    labels.extend(pod_security_labels(model, namespace.cluster, namespace.level));
    let configs = model.inventory.configs.iter().filter(|config| namespace.configs.contains(config.name.as_str()));
    json!({
        "name": namespace.name,
        "team": namespace.team,
        "tier": tier,
        "labels": labels,
        "annotations": never_pruned(),
        "configs": configs.map(|config| json!({
            "name": config.name.as_str(),
            "data": strings(config.data.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
        })).collect::<Vec<_>>(),
        "aliases": flows::aliases(model, namespace),
        "endpoints": flows::endpoints(model, namespace),
        "budget": isolation::budget(model, namespace, instances),
        "network": network::namespace(model, namespace),
        "access": access::of_namespace(model, namespace),
        "scraper": monitoring::scraper(model, namespace),
    })
}

/// Labels of Pod Security: a level enforced as the cluster's own minor knows it, and warned about as the next minor will. Where policies only
/// warn and log, so does this one: everything is let in by name, since the API server may enforce a level by default.
fn pod_security_labels(model: &Model<'_>, cluster: usize, level: PodSecurity) -> impl Iterator<Item = (String, Value)> {
    let minor = format!("v{}", model.clusters.all[cluster].minor);
    let enforced = if model.clusters.all[cluster].enforcement() == Enforcement::Deny { level } else { PodSecurity::Privileged };
    [("enforce", enforced, minor.clone()), ("audit", level, minor), ("warn", level, "latest".to_owned())].into_iter().flat_map(
        |(mode, level, version)| {
            let key = format!("pod-security.kubernetes.io/{mode}");
            [(format!("{key}-version"), version.into()), (key, level.as_str().into())]
        },
    )
}

/// `gateway`: name, from, to, port, owner, reason, expires, listen.
pub fn gateway(gateway: &Gateway) -> Value {
    json!({
        "name": gateway.name.as_str(),
        "from": gateway.from.0.iter().map(|from| from.as_str()).collect::<Vec<_>>(),
        "to": gateway.to.as_str(),
        "port": port_ref(&gateway.port),
        "owner": gateway.owner.as_str(),
        "reason": gateway.reason.as_str(),
        "expires": gateway.expires.as_str(),
        "listen": gateway.listen.iter().map(|(cluster, listener)| json!({
            "cluster": cluster.value,
            "host": listener.host.as_ref().map(|host| host.as_str()),
            "address": listener.address.as_str(),
            "port": listener.port.value,
        })).collect::<Vec<_>>(),
    })
}

/// `workload`: everything of a workload on one cluster, in final form, `at` its position in the model. What does not apply is null or empty.
pub fn workload(model: &Model<'_>, at: usize, instance: &Instance<'_>) -> Value {
    let identity = &instance.workload.identity;
    let settings = &instance.cascade.settings;
    let name = identity.name.as_str();
    let kind = identity.kind.value;
    let scale = settings.scale.as_ref();
    let adopted = instance.adopted.as_ref();
    // The objects of a source are all that there is of it: no kind makes another controller or Service beside them.
    let ports: Vec<Value> = settings.service_ports().filter(|_| adopted.is_none()).map(service_port).collect();
    json!({
        "name": name,
        "objectName": instance.object_name,
        "kind": adopted.is_none().then(|| kind.as_str()),
        "objects": adopted.map_or(&[][..], |adopted| &adopted.objects),
        "team": instance.team.name.as_str(),
        "tier": model.tiers.name(instance.tier),
        "labels": instance.labels,
        "annotations": instance.annotations,
        "podAnnotations": instance.pod_annotations,
        "selector": instance.selector,
        "pod": instance.pod,
        "controller": instance.controller,
        "governingService": instance.governing_service,
        "replicas": scale.is_none().then(|| settings.replicas.map_or(1, |replicas| replicas.value)),
        "ports": ports,
        "scrapes": monitoring::scrapes(instance),
        "service": {
            "type": if exposed(settings, ExposeType::LoadBalancer) { "LoadBalancer" } else { "ClusterIP" },
            // Else a node would put its own address in the place of the caller's, which network policies tell apart by it.
            "externalTrafficPolicy": exposed(settings, ExposeType::LoadBalancer).then_some("Local"),
            "annotations": annotations(instance, exposed(settings, ExposeType::LoadBalancer).then_some(settings)),
        },
        "serviceAccount": {
            "annotations": account_annotations(instance),
        },
        "config": (!settings.config.is_empty()).then(|| strings(settings.config.iter().map(|(key, value)| (key.as_str(), value.as_str())))),
        "claims": claims(model, instance),
        "scale": scale.map(|scale| json!({
            "min": settings.bounds().0,
            "max": settings.bounds().1,
            "metrics": metrics(scale.cpu.map(|cpu| cpu.value), scale.memory.map(|memory| memory.value)),
        })),
        "disruption": disruption(kind, settings),
        "listeners": flows::listeners(model, at),
        "ingress": ingress(model, instance),
        "route": route(model, instance),
        "apiAccess": settings.api_access.iter().flatten().map(|rule| {
            let words = |list: &[Spanned<String>]| list.iter().map(|word| word.value.clone()).collect::<Vec<_>>();
            let mut value = json!({ "apiGroups": words(&rule.api_groups), "resources": words(&rule.resources), "verbs": words(&rule.verbs) });
            if let Some(names) = &rule.resource_names {
                value["resourceNames"] = words(names).into();
            }
            value
        }).collect::<Vec<_>>(),
    })
}

fn strings<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> Map<String, Value> {
    entries.map(|(key, value)| (key.to_owned(), value.into())).collect()
}

fn labels<const N: usize>(entries: [(String, &str); N]) -> Map<String, Value> {
    entries.into_iter().map(|(key, value)| (key, value.into())).collect()
}

fn port_ref(port: &PortRef) -> Value {
    match port {
        PortRef::Number(number) => (*number).into(),
        PortRef::Name(name) => name.as_str().into(),
    }
}

fn service_port(port: &Spanned<Port>) -> Value {
    let mut value = json!({
        "name": port.name.as_str(),
        "port": port.service_port.as_ref().unwrap_or(&port.port).value,
        "protocol": port.protocol.map_or("TCP", |protocol| protocol.as_str()),
        "targetPort": port.name.as_str(),
    });
    if let Some(spoken) = &port.app_protocol {
        value["appProtocol"] = spoken.as_str().into();
    }
    value
}

fn exposed(settings: &Settings, wanted: ExposeType) -> bool {
    settings.expose.as_ref().is_some_and(|expose| expose.is(wanted))
}

/// The workload's annotations, and those of `expose` where the object is what exposes it.
fn annotations(instance: &Instance<'_>, exposed: Option<&Settings>) -> Value {
    let mut merged = instance.annotations.clone();
    for (key, value) in exposed.and_then(|settings| settings.expose.as_ref()).iter().flat_map(|expose| expose.annotations.iter()) {
        merged[key.as_str()] = value.as_str().into();
    }
    merged
}

/// The workload's annotations, and those of its ServiceAccount over them.
fn account_annotations(instance: &Instance<'_>) -> Value {
    let mut merged = instance.annotations.clone();
    for (key, value) in instance.cascade.settings.service_account.iter().flat_map(|account| account.annotations.iter()) {
        merged[key.as_str()] = value.as_str().into();
    }
    merged
}

/// Annotations of a claim: the workload's too, but for those of a StatefulSet's claims, which could never be changed.
fn claim_annotations(instance: &Instance<'_>) -> Value {
    let of_a_template = instance.workload.identity.kind.value == WorkloadKind::StatefulSet;
    let mut merged = if of_a_template { json!({}) } else { instance.annotations.clone() };
    for (key, value) in never_pruned() {
        merged[key] = value;
    }
    merged
}

fn claims(model: &Model<'_>, instance: &Instance<'_>) -> Vec<Value> {
    let name = instance.workload.identity.name.as_str();
    let claims = instance.cascade.settings.volumes.iter().flatten().filter_map(|volume| Some((volume, volume.claim.as_ref()?)));
    claims
        .map(|(volume, claim)| {
            let modes: Vec<&str> = claim.access_modes.iter().flatten().map(|mode| mode.as_str()).collect();
            let mut spec = json!({
                "accessModes": if modes.is_empty() { vec!["ReadWriteOnce"] } else { modes },
                "resources": { "requests": { "storage": claim.size.as_str() } },
            });
            if let Some(class) = &claim.storage_class {
                spec["storageClassName"] = class.as_str().into();
            }
            let mut view = json!({
                "volume": volume.name.as_str(),
                "name": pod::claim_name(name, volume.name.as_str()),
                "annotations": claim_annotations(instance),
                "spec": spec,
            });
            storage::fill(&model.tiers.all[instance.tier], &mut view);
            view
        })
        .collect()
}

fn metrics(cpu: Option<u32>, memory: Option<u32>) -> Vec<Value> {
    let cpu = cpu.or_else(|| memory.is_none().then_some(80));
    [("cpu", cpu), ("memory", memory)]
        .into_iter()
        .filter_map(|(resource, percent)| Some(json!({ "resource": resource, "percent": percent? })))
        .collect()
}

/// As stated; one pod at a time where several run and nothing is stated.
fn disruption(kind: WorkloadKind, settings: &Settings) -> Value {
    let value = |amount: &CountOrPercent| match amount {
        CountOrPercent::Count(count) => Value::from(*count),
        CountOrPercent::Percent(percent) => percent.as_str().into(),
    };
    if !matches!(kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet) {
        return Value::Null;
    }
    if let Some(stated) = &settings.disruption {
        return match (&stated.max_unavailable, &stated.min_available) {
            (Some(most), _) => json!({ "maxUnavailable": value(most) }),
            (None, Some(least)) => json!({ "minAvailable": value(least) }),
            (None, None) => Value::Null,
        };
    }
    if settings.bounds().0 > 1 { json!({ "maxUnavailable": 1 }) } else { Value::Null }
}

fn ingress(model: &Model<'_>, instance: &Instance<'_>) -> Value {
    let settings = &instance.cascade.settings;
    let (Some(expose), Some(port)) = (&settings.expose, settings.exposed_port()) else { return Value::Null };
    if !expose.is(ExposeType::Ingress) {
        return Value::Null;
    }
    let default = model.clusters.all[instance.cluster].raw.ingress.as_ref().map(|ingress| ingress.class.as_str());
    json!({
        "class": expose.class.as_ref().map(|class| class.as_str()).or(default),
        "host": expose.host.as_ref().map(|host| host.as_str()),
        "path": expose.path.as_ref().map_or("/", |path| path.as_str()),
        "port": port.name.as_str(),
        "tls": expose.tls.as_ref().map(|tls| tls.as_str()),
        "annotations": annotations(instance, Some(settings)),
    })
}

fn route(model: &Model<'_>, instance: &Instance<'_>) -> Value {
    let settings = &instance.cascade.settings;
    let (Some(expose), Some(port)) = (&settings.expose, settings.exposed_port()) else { return Value::Null };
    let Some(gateway) = expose.gateway.as_ref().filter(|_| expose.is(ExposeType::Gateway)) else { return Value::Null };
    let default = model.clusters.all[instance.cluster].raw.ingress.as_ref().map(|ingress| ingress.namespace.as_str());
    let mut parent =
        json!({ "name": gateway.name.as_str(), "namespace": gateway.namespace.as_ref().map(|namespace| namespace.as_str()).or(default) });
    if let Some(listener) = &gateway.listener {
        parent["sectionName"] = listener.as_str().into();
    }
    json!({
        "parent": parent,
        "host": expose.host.as_ref().map(|host| host.as_str()),
        "path": expose.path.as_ref().map_or("/", |path| path.as_str()),
        "port": port.service_port.as_ref().unwrap_or(&port.port).value,
        "annotations": annotations(instance, Some(settings)),
    })
}

//! What each role of a grant may do, stated a second time: a role that holds more, or less, is found by the authorizer's answers.

use crate::stated::Rule;

/// What everybody who sees a namespace sees.
const VIEWER: [&str; 11] = [
    "get,list,watch /configmaps,endpoints,events,limitranges,persistentvolumeclaims,pods,pods/log,pods/status,replicationcontrollers,resourcequotas,serviceaccounts,services",
    "get,list,watch apps/controllerrevisions,daemonsets,deployments,replicasets,statefulsets",
    "get,list,watch autoscaling/horizontalpodautoscalers",
    "get,list,watch batch/cronjobs,jobs",
    "get,list,watch discovery.k8s.io/endpointslices",
    "get,list,watch events.k8s.io/events",
    "get,list,watch gateway.networking.k8s.io/gateways,grpcroutes,httproutes",
    "get,list metrics.k8s.io/pods",
    "get,list,watch networking.k8s.io/ingresses,networkpolicies",
    "get,list,watch policy/poddisruptionbudgets",
    "get,list,watch rbac.authorization.k8s.io/rolebindings,roles",
];
const OPERATOR: [&str; 3] = ["delete /pods", "create /pods/eviction", "get,patch,update apps/deployments/scale,statefulsets/scale"];
const EXEC: [&str; 1] = ["create,get /pods/attach,pods/exec,pods/portforward"];
const DEBUG: [&str; 1] = ["get,patch,update /pods/ephemeralcontainers"];
const SECURITY: [&str; 3] = [
    "create,delete,patch,update /limitranges,resourcequotas",
    "create,delete,patch,update networking.k8s.io/networkpolicies",
    "create,delete,patch,update rbac.authorization.k8s.io/rolebindings",
];
const BREAK_GLASS: [&str; 9] = [
    "create,delete,get,list,patch,update,watch /secrets",
    "create /pods/eviction",
    "create,delete,patch,update /configmaps,limitranges,persistentvolumeclaims,pods,replicationcontrollers,resourcequotas,services",
    "create,delete,patch,update apps/daemonsets,deployments,replicasets,statefulsets",
    "get,patch,update apps/deployments/scale,replicasets/scale,statefulsets/scale",
    "create,delete,patch,update batch/cronjobs,jobs",
    "create,delete,patch,update networking.k8s.io/ingresses,networkpolicies",
    "create,delete,patch,update autoscaling/horizontalpodautoscalers",
    "create,delete,patch,update policy/poddisruptionbudgets",
];
const PLATFORM_VIEWER: [&str; 6] = [
    "get,list,watch /endpoints,events,persistentvolumeclaims,pods,pods/status,replicationcontrollers,serviceaccounts,services",
    "get,list,watch apps/controllerrevisions,daemonsets,deployments,replicasets,statefulsets",
    "get,list,watch batch/cronjobs,jobs",
    "get,list,watch discovery.k8s.io/endpointslices",
    "get,list,watch events.k8s.io/events",
    "get,list,watch policy/poddisruptionbudgets",
];
const PLATFORM_OPERATOR: [&str; 1] = ["get,list,watch /configmaps,pods/log"];
/// Without ConfigMaps and logs, which are seen where the group is a viewer.
const CLUSTER_VIEWER: [&str; 23] = [
    "get,list,watch /endpoints,events,limitranges,persistentvolumeclaims,pods,pods/status,replicationcontrollers,resourcequotas,serviceaccounts,services",
    "get,list,watch apps/controllerrevisions,daemonsets,deployments,replicasets,statefulsets",
    "get,list,watch autoscaling/horizontalpodautoscalers",
    "get,list,watch batch/cronjobs,jobs",
    "get,list,watch discovery.k8s.io/endpointslices",
    "get,list,watch events.k8s.io/events",
    "get,list,watch gateway.networking.k8s.io/gateways,grpcroutes,httproutes",
    "get,list metrics.k8s.io/pods",
    "get,list,watch networking.k8s.io/ingresses,networkpolicies",
    "get,list,watch policy/poddisruptionbudgets",
    "get,list,watch rbac.authorization.k8s.io/rolebindings,roles",
    "get,list,watch /namespaces,nodes,persistentvolumes",
    "get,list,watch admissionregistration.k8s.io/mutatingadmissionpolicies,mutatingadmissionpolicybindings,mutatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings,validatingwebhookconfigurations",
    "get,list,watch apiextensions.k8s.io/customresourcedefinitions",
    "get,list,watch apiregistration.k8s.io/apiservices",
    "get,list,watch certificates.k8s.io/certificatesigningrequests",
    "get,list,watch flowcontrol.apiserver.k8s.io/flowschemas,prioritylevelconfigurations",
    "get,list metrics.k8s.io/nodes",
    "get,list,watch networking.k8s.io/ingressclasses",
    "get,list,watch node.k8s.io/runtimeclasses",
    "get,list,watch rbac.authorization.k8s.io/clusterrolebindings,clusterroles",
    "get,list,watch scheduling.k8s.io/priorityclasses",
    "get,list,watch storage.k8s.io/csidrivers,csinodes,storageclasses,volumeattachments",
];
const NODE_ADMIN: [&str; 5] = [
    "delete,get,list,patch,update,watch /nodes",
    "get,list,watch /pods",
    "create /pods/eviction",
    "get apps/daemonsets",
    "get,list metrics.k8s.io/nodes",
];
/// A Prometheus where it scrapes workloads, in the platform's namespaces, of nodes, and where no operator lists these for it.
const SCRAPER: [&str; 1] = ["get,list,watch /pods"];
const SCRAPER_OF_THE_PLATFORM: [&str; 2] = ["get,list,watch /endpoints,pods,services", "get,list,watch discovery.k8s.io/endpointslices"];
const SCRAPER_OF_THE_CLUSTER: [&str; 1] = ["get /nodes/metrics"];
const SCRAPER_OF_NODES: [&str; 1] = ["get,list,watch /nodes"];
const NODE_SCALER: [&str; 2] = [
    "get,list,watch cluster.x-k8s.io/machinedeployments,machinepools",
    "get,patch cluster.x-k8s.io/machinedeployments/scale,machinepools/scale",
];

/// The rules of a role; `exec` is whether its tier lets operators run programs in pods.
pub fn rules(role: &str, exec: bool) -> Vec<Rule> {
    let parts: &[&[&str]] = match role {
        "viewer" => &[&VIEWER],
        "operator" if exec => &[&VIEWER, &OPERATOR, &EXEC],
        "operator" => &[&VIEWER, &OPERATOR],
        "on-call" => &[&VIEWER, &EXEC, &DEBUG],
        "namespace-security" => &[&VIEWER, &SECURITY],
        "break-glass" => &[&VIEWER, &EXEC, &DEBUG, &BREAK_GLASS],
        "platform-viewer" => &[&PLATFORM_VIEWER],
        "platform-operator" => &[&PLATFORM_VIEWER, &PLATFORM_OPERATOR, &OPERATOR],
        "cluster-viewer" => &[&CLUSTER_VIEWER],
        "node-admin" => &[&NODE_ADMIN],
        "node-scaler" => &[&NODE_SCALER],
        "scraper" => &[&SCRAPER],
        "scraper-of-the-platform" => &[&SCRAPER_OF_THE_PLATFORM],
        "scraper-of-the-cluster" => &[&SCRAPER_OF_THE_CLUSTER],
        "scraper-of-nodes" => &[&SCRAPER_OF_NODES],
        other => panic!("nothing is known of the role {other}"),
    };
    parts.concat().into_iter().map(Rule::parse).collect()
}

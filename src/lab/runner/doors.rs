//! How kwok, which answers for the kubelet, reaches a real pod: port-forwards end at the pod's own
//! loopback, and logs are read from its file.

use std::collections::BTreeSet;
use std::path::Path;

use k8s_openapi::api::core::v1::{Container, Pod};
use kube::ResourceExt;
use serde_json::{Value, json};

use super::Node;
use crate::lab::inside::KWOK_API;

/// Ports of istiod that its Deployment may not name: debug and readiness, ControlZ, xDS plain and
/// secured, metrics and debug, webhooks.
const UNNAMED: [i32; 6] = [8080, 9876, 15010, 15012, 15014, 15017];

/// The objects that lead to a pod in a network namespace, with their paths.
pub fn objects(
    node: &Node,
    pod: &Pod,
    container: &Container,
    network: &str,
    log: &Path,
) -> Vec<(String, Value)> {
    let named = container.ports.iter().flatten().map(|port| port.container_port);
    let ports: BTreeSet<i32> = UNNAMED.into_iter().chain(named).collect();
    let forwards: Vec<Value> = ports
        .into_iter()
        .map(|port| {
            let program = node.program.to_string_lossy();
            let nsenter = crate::lab::programs::find("nsenter").unwrap_or_else(|| "nsenter".into());
            // Debug endpoints answer without a token only to the pod's own loopback.
            let command = json!([
                nsenter,
                format!("--net={network}"),
                "--",
                program,
                "lab",
                "inside",
                "relay",
                port.to_string()
            ]);
            json!({"ports": [port], "command": command})
        })
        .collect();
    let selector = json!({
        "matchNamespaces": [pod.namespace().unwrap_or_default()],
        "matchNames": [pod.name_any()],
    });
    let logs = json!([{"containers": [container.name], "logsFile": log, "follow": true}]);
    let specs = [
        json!({"selector": selector, "forwards": forwards}),
        json!({"selector": selector, "logs": logs}),
    ];
    paths(pod)
        .into_iter()
        .zip(["ClusterPortForward", "ClusterLogs"])
        .zip(specs)
        .map(|((path, kind), spec)| {
            let object = json!({
                "apiVersion": KWOK_API,
                "kind": kind,
                "metadata": {"name": name(pod)},
                "spec": spec,
            });
            (path, object)
        })
        .collect()
}

/// The paths of those objects.
pub fn paths(pod: &Pod) -> [String; 2] {
    ["clusterportforwards", "clusterlogs"].map(|plural| format!("/apis/{KWOK_API}/{plural}/{}", name(pod)))
}

fn name(pod: &Pod) -> String {
    format!("pod-{}", pod.uid().unwrap_or_default())
}

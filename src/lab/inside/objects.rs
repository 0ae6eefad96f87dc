//! The objects that a cluster of the lab holds from its start: a node, and the kinds by which the
//! runner tells kwok how to reach a real pod.

use serde_json::{Value, json};

use crate::lab::shape::ClusterShape;

/// The group and version of kwok's kinds.
pub const KWOK_API: &str = "kwok.x-k8s.io/v1alpha1";

/// The definitions of the kinds `ClusterPortForward` and `ClusterLogs`: those of whole clusters,
/// so that the lab leaves nothing in its user's namespaces. kwok checks what it reads itself, so
/// their schemas let everything through.
pub fn definitions() -> [Value; 2] {
    [
        definition("clusterportforwards", "clusterportforward", "ClusterPortForward"),
        definition("clusterlogs", "clusterlogs", "ClusterLogs"),
    ]
}

fn definition(plural: &str, singular: &str, kind: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.kwok.x-k8s.io")},
        "spec": {
            "group": "kwok.x-k8s.io",
            "scope": "Cluster",
            "names": {"plural": plural, "singular": singular, "kind": kind, "listKind": format!("{kind}List")},
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "x-kubernetes-preserve-unknown-fields": true,
                }},
            }],
        },
    })
}

/// The one node; its region and zone are the cluster's own, as they are for clusters in real life.
pub fn node(shape: &ClusterShape) -> Value {
    let name = shape.node();
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": architecture,
                "topology.kubernetes.io/region": format!("region-{}", shape.number()),
                "topology.kubernetes.io/zone": format!("region-{}-a", shape.number()),
            },
        },
        "spec": {"podCIDR": shape.pod_range(), "podCIDRs": [shape.pod_range()]},
    })
}

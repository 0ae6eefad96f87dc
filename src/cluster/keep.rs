//! What is kept of an object by a command that only reports: what reports read, and no more. A
//! thousand clusters have to fit into the memory of a small container, and most of an object is
//! bookkeeping (`managedFields` alone is often half of it) or other people's data, such as
//! dashboards in ConfigMaps.

use serde_json::{Map, Value};

use crate::inventory::Object;
use crate::inventory::kind::{
    CONFIG_MAP, DEPLOYMENT, ENDPOINT_SLICE, ISTIO_GATEWAY, MUTATING_WEBHOOK, NAMESPACE, NODE, POD, SECRET,
    SERVICE, VALIDATING_WEBHOOK,
};

/// The fields of an object to keep, as a tree; a list's fields are those of each of its items.
enum Keep {
    /// With all that is in it.
    Whole,
    /// These fields alone.
    Fields(&'static [(&'static str, Keep)]),
}

use Keep::{Fields, Whole};

/// Of every object: who it is, its marks, who wrote it.
const METADATA: Keep = Fields(&[
    ("name", Whole),
    ("namespace", Whole),
    ("uid", Whole),
    ("generation", Whole),
    ("creationTimestamp", Whole),
    ("deletionTimestamp", Whole),
    ("labels", Whole),
    ("annotations", Whole),
    ("ownerReferences", Whole),
    ("managedFields", Fields(&[("manager", Whole)])),
]);

const DEPLOYED: Keep = Fields(&[
    ("replicas", Whole),
    (
        "template",
        Fields(&[
            ("metadata", Fields(&[("labels", Whole)])),
            (
                "spec",
                Fields(&[(
                    "containers",
                    Fields(&[
                        ("name", Whole),
                        ("image", Whole),
                        ("env", Fields(&[("name", Whole), ("value", Whole)])),
                    ]),
                )]),
            ),
        ]),
    ),
]);

const POD_STATUS: Keep = Fields(&[
    ("phase", Whole),
    ("startTime", Whole),
    ("conditions", Fields(&[("type", Whole), ("status", Whole)])),
]);

/// What reports read of ConfigMaps: Istio's (`mesh`, `values`), and authorities.
const DATA: Keep = Fields(&[
    ("mesh", Whole),
    ("values", Whole),
    ("root-cert.pem", Whole),
    ("ca.crt", Whole),
]);

const WEBHOOKS: Keep = Fields(&[
    ("name", Whole),
    ("clientConfig", Whole),
    ("failurePolicy", Whole),
    ("namespaceSelector", Whole),
    ("objectSelector", Whole),
]);

/// Variables of istiod's environment that say who it is; it has dozens.
const ENVIRONMENT: [&str; 2] = ["CLUSTER_ID", "REVISION"];

/// What plans read of nodes, and of pods that are none of istiod's: their addresses. There may be thousands.
pub fn addresses(object: Object) -> Object {
    let of_nodes = [("spec", &NODE_RANGES), ("status", &NODE_ADDRESSES)];
    let of_pods = [("spec", &ON_HOST), ("status", &POD_ADDRESSES)];
    if object.is_of(NODE) {
        kept(object, &of_nodes)
    } else if object.is_of(POD) && object.label("app") != Some("istiod") {
        kept(object, &of_pods)
    } else {
        object
    }
}

const NODE_RANGES: Keep = Fields(&[("podCIDRs", Whole)]);
const NODE_ADDRESSES: Keep = Fields(&[("addresses", Whole)]);
const ON_HOST: Keep = Fields(&[("hostNetwork", Whole)]);
const POD_ADDRESSES: Keep = Fields(&[("podIPs", Whole)]);

/// The object with what reports read of it.
pub fn for_reports(object: Object) -> Object {
    let is = |kind| object.is_of(kind);
    let fields: &[(&str, Keep)] = if is(NAMESPACE) {
        &[]
    } else if is(DEPLOYMENT) {
        &[("spec", DEPLOYED), ("status", Whole)]
    } else if is(POD) {
        &[("status", POD_STATUS)]
    } else if is(CONFIG_MAP) {
        &[("data", DATA)]
    } else if is(SECRET) {
        &[("type", Whole), ("data", Whole)]
    } else if is(MUTATING_WEBHOOK) || is(VALIDATING_WEBHOOK) {
        &[("webhooks", WEBHOOKS)]
    } else if is(SERVICE) || is(ENDPOINT_SLICE) || is(ISTIO_GATEWAY) {
        return Object(without_bookkeeping(object.0));
    } else {
        return object;
    };
    let fields: Vec<(&str, &Keep)> = fields.iter().map(|(name, keep)| (*name, keep)).collect();
    kept(object, &fields)
}

/// The object with these fields beside its metadata.
fn kept(object: Object, fields: &[(&str, &Keep)]) -> Object {
    let mut kept = Map::new();
    if let Value::Object(mut whole) = object.0 {
        for field in ["apiVersion", "kind"] {
            if let Some(value) = whole.remove(field) {
                kept.insert(field.to_owned(), value);
            }
        }
        let all = [("metadata", &METADATA)]
            .into_iter()
            .chain(fields.iter().copied());
        for (name, keep) in all {
            if let Some(value) = whole.remove(name) {
                kept.insert(name.to_owned(), pruned(value, keep));
            }
        }
    }
    let mut kept = Value::Object(kept);
    trim(&mut kept);
    Object(kept)
}

/// The object whole, but for what its metadata keeps books of.
fn without_bookkeeping(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").map(Value::take) {
        object["metadata"] = pruned(metadata, &METADATA);
    }
    trim(&mut object);
    object
}

fn pruned(value: Value, keep: &Keep) -> Value {
    let Fields(fields) = keep else {
        return value;
    };
    match value {
        Value::Object(mut whole) => Value::Object(
            fields
                .iter()
                .filter_map(|(name, keep)| Some(((*name).to_owned(), pruned(whole.remove(*name)?, keep))))
                .collect(),
        ),
        Value::Array(items) => items.into_iter().map(|item| pruned(item, keep)).collect(),
        other => other,
    }
}

/// Takes out what a tree of fields cannot say: the copy of the whole object that `kubectl apply`
/// leaves in an annotation, managers that stand there twice, variables of no interest, webhooks
/// that no istiod answers.
fn trim(object: &mut Value) {
    if let Some(Value::Object(annotations)) = object.pointer_mut("/metadata/annotations") {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    if let Some(Value::Array(managers)) = object.pointer_mut("/metadata/managedFields") {
        let mut seen = Vec::new();
        managers.retain(|entry| {
            let is_new = !seen.contains(&entry["manager"]);
            if is_new {
                seen.push(entry["manager"].clone());
            }
            is_new
        });
        managers.shrink_to_fit();
    }
    if let Some(Value::Array(containers)) = object.pointer_mut("/spec/template/spec/containers") {
        for container in containers {
            if let Some(Value::Array(variables)) = container.get_mut("env") {
                variables.retain(|variable| ENVIRONMENT.iter().any(|name| variable["name"] == *name));
                variables.shrink_to_fit();
            }
        }
    }
    if let Some(Value::Array(webhooks)) = object.get_mut("webhooks") {
        webhooks.retain(|webhook| {
            let service = webhook["clientConfig"]["service"]["name"].as_str();
            service.is_some_and(|name| name.starts_with("istiod"))
        });
        webhooks.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::inventory::{ClusterInventory, InstalledBy, control_planes};

    /// An istiod as `istioctl install` makes it, in short.
    fn istiod() -> Object {
        Object(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "istiod", "namespace": "istio-system", "generation": 3, "resourceVersion": "77",
                "labels": {"app": "istiod", "istio.io/rev": "blue"},
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b"},
                "managedFields": [
                    {"manager": "istio-operator", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                    {"manager": "kube-controller-manager", "fieldsV1": {"f:status": {}}, "subresource": "status"},
                    {"manager": "istio-operator", "operation": "Update", "fieldsV1": {"f:metadata": {}}},
                ],
            },
            "spec": {
                "replicas": 2, "strategy": {"rollingUpdate": {"maxSurge": 1}},
                "template": {
                    "metadata": {"labels": {"app": "istiod"}, "annotations": {"prometheus.io/port": "15014"}},
                    "spec": {"serviceAccountName": "istiod", "containers": [{
                        "name": "discovery", "image": "docker.io/istio/pilot:1.31.2", "args": ["discovery"],
                        "env": [
                            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                            {"name": "CLUSTER_ID", "value": "east"},
                        ],
                    }]},
                },
            },
            "status": {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
        }))
    }

    #[test]
    fn a_report_reads_the_same_of_what_is_kept() {
        let kept = for_reports(istiod());
        assert_eq!(InstalledBy::of(&kept), InstalledBy::of(&istiod()));
        let planes = |object: Object| {
            let seen = ClusterInventory {
                objects: vec![object],
                ..ClusterInventory::default()
            };
            format!("{:?}", control_planes(&seen))
        };
        assert_eq!(planes(kept.clone()), planes(istiod()));
        assert!(planes(kept.clone()).contains("Known(\"east\")"));
        assert_eq!(kept.managers(), ["istio-operator", "kube-controller-manager"]);
        let text = kept.0.to_string();
        for gone in [
            "fieldsV1",
            "resourceVersion",
            "last-applied",
            "POD_NAME",
            "strategy",
        ] {
            assert!(!text.contains(gone), "{gone} is kept: {text}");
        }
    }

    #[test]
    fn other_peoples_data_is_not_kept() {
        let dashboards = Object(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "grafana", "namespace": "istio-system"},
            "data": {"dashboard.json": "a megabyte"}, "binaryData": {"x": "AAAA"},
        }));
        assert_eq!(
            for_reports(dashboards).0,
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "grafana", "namespace": "istio-system"},
                   "data": {}})
        );
        let webhooks = Object(json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "injector"},
            "webhooks": [
                {"name": "istio", "clientConfig": {"service": {"name": "istiod-blue"}, "caBundle": "AA=="},
                 "rules": [{"resources": ["pods"]}], "failurePolicy": "Fail", "namespaceSelector": {"matchLabels": {}}},
                {"name": "other", "clientConfig": {"service": {"name": "cert-manager"}}},
            ],
        }));
        assert_eq!(
            for_reports(webhooks).0["webhooks"],
            json!([{"name": "istio", "clientConfig": {"service": {"name": "istiod-blue"}, "caBundle": "AA=="},
                    "failurePolicy": "Fail", "namespaceSelector": {"matchLabels": {}}}])
        );
    }

    #[test]
    fn a_gateway_service_keeps_its_addresses() {
        let service = Object(json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "east-west", "namespace": "istio-system", "managedFields": [{"manager": "helm", "fieldsV1": {}}],
                         "labels": {"topology.istio.io/network": "net-east"}},
            "spec": {"ports": [{"port": 15443}], "selector": {"app": "gateway"}},
            "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
        }));
        let mut wanted = service.0.clone();
        wanted["metadata"]["managedFields"] = json!([{"manager": "helm"}]);
        assert_eq!(for_reports(service).0, wanted);
    }
}

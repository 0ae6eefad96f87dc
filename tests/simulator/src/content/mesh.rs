//! A small member of a mesh as Istio's documented installation leaves it: control plane, east-west
//! gateway, webhooks, trust, a namespace with sidecars.

use serde_json::{Value, json};

use super::kubernetes::{namespace, namespace_defaults};
use super::{READER, READER_SECRET, SYSTEM, managed};

/// Istio's custom resource definitions: plural, group, kind.
const DEFINITIONS: [(&str, &str, &str); 14] = [
    (
        "authorizationpolicies",
        "security.istio.io",
        "AuthorizationPolicy",
    ),
    ("destinationrules", "networking.istio.io", "DestinationRule"),
    ("envoyfilters", "networking.istio.io", "EnvoyFilter"),
    ("gateways", "networking.istio.io", "Gateway"),
    ("peerauthentications", "security.istio.io", "PeerAuthentication"),
    ("proxyconfigs", "networking.istio.io", "ProxyConfig"),
    (
        "requestauthentications",
        "security.istio.io",
        "RequestAuthentication",
    ),
    ("serviceentries", "networking.istio.io", "ServiceEntry"),
    ("sidecars", "networking.istio.io", "Sidecar"),
    ("telemetries", "telemetry.istio.io", "Telemetry"),
    ("virtualservices", "networking.istio.io", "VirtualService"),
    ("wasmplugins", "extensions.istio.io", "WasmPlugin"),
    ("workloadentries", "networking.istio.io", "WorkloadEntry"),
    ("workloadgroups", "networking.istio.io", "WorkloadGroup"),
];

/// The objects, with or without an istiod.
pub fn objects(with_istiod: bool) -> Vec<Value> {
    let mut objects = vec![
        namespace(SYSTEM, &json!({"topology.istio.io/network": "@@network@@"})),
        namespace("shop", &json!({"istio-injection": "enabled"})),
    ];
    for name in [SYSTEM, "shop"] {
        objects.extend(namespace_defaults(name));
        objects.push(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "istio-ca-root-cert", "namespace": name, "labels": {"istio.io/config": "true"},
                         "managedFields": [managed("pilot-discovery", "Update")]},
            "data": {"root-cert.pem": "@@root@@"},
        }));
    }
    for (name, uid) in [
        (READER, "@@reader-uid@@"),
        ("istiod", ""),
        ("istio-eastwestgateway-service-account", ""),
    ] {
        let mut account = owned(json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": SYSTEM},
        }));
        if !uid.is_empty() {
            account["metadata"]["uid"] = uid.into();
        }
        objects.push(account);
    }
    objects.push(json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "cacerts", "namespace": SYSTEM, "managedFields": [managed("kubectl-create", "Update")]},
        "data": {
            "ca-cert.pem": "@@intermediate-encoded@@", "ca-key.pem": "@@intermediate-key-encoded@@",
            "cert-chain.pem": "@@chain-encoded@@", "root-cert.pem": "@@root-encoded@@",
        },
    }));
    for (plural, group, kind) in DEFINITIONS {
        objects.push(definition(plural, group, kind));
    }
    objects.extend(gateway());
    objects.extend(permissions());
    if with_istiod {
        objects.extend(istiod());
    }
    objects.extend(workload());
    objects
}

/// The Secret of the reader's token, as the token controller leaves it.
pub fn reader_token() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": READER_SECRET, "namespace": SYSTEM,
            "annotations": {
                "kubernetes.io/service-account.name": READER,
                "kubernetes.io/service-account.uid": "@@reader-uid@@",
            },
            "managedFields": [managed("istioctl", "Update"), managed("kube-controller-manager", "Update")],
        },
        "data": {"token": "@@reader-token@@", "ca.crt": "@@authority-encoded@@", "namespace": "aXN0aW8tc3lzdGVt"},
    })
}

/// With the marks that `istioctl install` leaves.
fn owned(mut object: Value) -> Value {
    let metadata = &mut object["metadata"];
    metadata["managedFields"] = json!([managed("istio-operator", "Apply")]);
    for (label, value) in [
        ("app.kubernetes.io/instance", "istio"),
        ("app.kubernetes.io/managed-by", "Helm"),
        ("app.kubernetes.io/part-of", "istio"),
        ("install.operator.istio.io/owning-resource", "unknown"),
        ("install.operator.istio.io/owning-resource-namespace", SYSTEM),
        ("operator.istio.io/managed", "Reconcile"),
        ("release", "istio"),
    ] {
        metadata["labels"][label] = value.into();
    }
    object
}

fn definition(plural: &str, group: &str, kind: &str) -> Value {
    let names = json!({
        "kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase(),
        "categories": ["istio-io"],
    });
    let version = |name: &str, storage: bool| {
        json!({
            "name": name, "served": true, "storage": storage,
            "schema": {"openAPIV3Schema": {"type": "object"}},
            "subresources": {"status": {}},
        })
    };
    owned(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}"), "generation": 1,
                     "annotations": {"helm.sh/resource-policy": "keep"}},
        "spec": {
            "conversion": {"strategy": "None"}, "group": group, "names": names, "scope": "Namespaced",
            "versions": [version("v1", true), version("v1beta1", false)],
        },
        "status": {
            "acceptedNames": names, "storedVersions": ["v1"],
            "conditions": [{"type": "NamesAccepted", "status": "True"}, {"type": "Established", "status": "True"}],
        },
    }))
}

/// A Deployment and its Pod, both in good health.
fn deployed(name: &str, labels: &Value, selector: &Value, containers: &Value) -> [Value; 2] {
    let deployment = owned(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": SYSTEM, "generation": 1, "labels": labels,
                     "annotations": {"deployment.kubernetes.io/revision": "1"}},
        "spec": {
            "progressDeadlineSeconds": 600, "replicas": 1, "revisionHistoryLimit": 10,
            "selector": {"matchLabels": selector},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "100%", "maxUnavailable": "25%"}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": containers, "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
                         "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30},
            },
        },
        "status": {
            "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "conditions": [{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}],
        },
    }));
    let mut labels = labels.clone();
    labels["pod-template-hash"] = "6d8f7b9c5".into();
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("{name}-6d8f7b9c5-x7k2p"), "namespace": SYSTEM, "labels": labels,
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{name}-6d8f7b9c5"),
                                 "uid": "@@uid@@0000000000ff", "controller": true, "blockOwnerDeletion": true}],
            "managedFields": [managed("kube-controller-manager", "Update"), managed("kubelet", "Update")],
        },
        "spec": {"containers": containers, "nodeName": "@@name@@-control-plane", "restartPolicy": "Always",
                 "serviceAccountName": name, "schedulerName": "default-scheduler"},
        "status": {
            "phase": "Running", "podIP": "10.244.0.11", "startTime": "2026-09-01T08:00:05Z",
            "conditions": [
                {"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"},
                {"type": "ContainersReady", "status": "True"}, {"type": "PodScheduled", "status": "True"},
            ],
        },
    });
    [deployment, pod]
}

fn gateway() -> Vec<Value> {
    let labels = json!({
        "app": "istio-eastwestgateway", "istio": "eastwestgateway", "topology.istio.io/network": "@@network@@",
    });
    let containers = json!([{"name": "istio-proxy", "image": "auto", "env": [
        {"name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": "@@network@@"},
    ]}]);
    let port =
        |name: &str, port: u16| json!({"name": name, "port": port, "protocol": "TCP", "targetPort": port});
    let mut objects = deployed("istio-eastwestgateway", &labels, &labels, &containers).to_vec();
    objects.push(owned(json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "istio-eastwestgateway", "namespace": SYSTEM, "labels": labels},
        "spec": {
            "type": "LoadBalancer", "clusterIP": "10.96.7.7", "selector": labels, "sessionAffinity": "None",
            "ports": [
                port("status-port", 15021), port("tls", 15443), port("tls-istiod", 15012), port("tls-webhook", 15017),
            ],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "@@gateway@@", "ipMode": "VIP"}]}},
    })));
    objects.push(json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
        "metadata": {"name": "cross-network-gateway", "namespace": SYSTEM, "generation": 1,
                     "managedFields": [managed("kubectl-client-side-apply", "Update")]},
        "spec": {
            "selector": {"istio": "eastwestgateway"},
            "servers": [{"port": {"number": 15443, "name": "tls", "protocol": "TLS"},
                         "tls": {"mode": "AUTO_PASSTHROUGH"}, "hosts": ["*.local"]}],
        },
    }));
    objects
}

fn permissions() -> Vec<Value> {
    let mut objects = Vec::new();
    for (name, account) in [
        ("istio-reader-clusterrole-istio-system", READER),
        ("istiod-clusterrole-istio-system", "istiod"),
        ("istiod-gateway-controller-istio-system", "istiod"),
    ] {
        objects.push(owned(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
            "rules": [
                {"apiGroups": ["config.istio.io", "security.istio.io", "networking.istio.io", "telemetry.istio.io"],
                 "resources": ["*"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": [""], "resources": ["endpoints", "pods", "services", "nodes", "namespaces", "secrets",
                    "replicationcontrollers"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
                {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
            ],
        })));
        objects.push(owned(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": SYSTEM}],
        })));
    }
    objects
}

fn istiod() -> Vec<Value> {
    let labels = json!({"app": "istiod", "istio": "pilot", "istio.io/rev": "default"});
    let selector = json!({"istio": "pilot"});
    let containers = json!([{
        "name": "discovery", "image": "docker.io/istio/pilot:1.31.2",
        "args": ["discovery", "--monitoringAddr=:15014", "--log_output_level=default:info", "--domain", "cluster.local"],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}, {"containerPort": 15010, "protocol": "TCP"},
                  {"containerPort": 15012, "protocol": "TCP"}, {"containerPort": 15017, "protocol": "TCP"}],
        "env": [
            {"name": "REVISION", "value": "default"},
            {"name": "PILOT_CERT_PROVIDER", "value": "istiod"},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
            {"name": "CLUSTER_ID", "value": "@@name@@"},
        ],
        "resources": {"requests": {"cpu": "500m", "memory": "2Gi"}},
        "volumeMounts": [{"name": "cacerts", "mountPath": "/etc/cacerts", "readOnly": true}],
    }]);
    let mut objects = deployed("istiod", &labels, &selector, &containers).to_vec();
    objects.push(owned(json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "istiod", "namespace": SYSTEM, "labels": labels},
        "spec": {
            "type": "ClusterIP", "clusterIP": "10.96.5.5", "selector": selector, "sessionAffinity": "None",
            "ports": [{"name": "grpc-xds", "port": 15010, "protocol": "TCP", "targetPort": 15010},
                      {"name": "https-dns", "port": 15012, "protocol": "TCP", "targetPort": 15012},
                      {"name": "https-webhook", "port": 443, "protocol": "TCP", "targetPort": 15017},
                      {"name": "http-monitoring", "port": 15014, "protocol": "TCP", "targetPort": 15014}],
        },
        "status": {"loadBalancer": {}},
    })));
    let mesh = "defaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n  meshId: mesh1\ndefaultProviders:\n  \
                metrics:\n  - prometheus\nenablePrometheusMerge: true\nrootNamespace: istio-system\ntrustDomain: \
                cluster.local\n";
    objects.push(owned(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": SYSTEM, "labels": {"istio.io/rev": "default"}},
        "data": {"mesh": mesh, "meshNetworks": "networks: {}"},
    })));
    // As long as Istio's own template: it is the largest object that is read.
    let template = "# A sidecar's template: what it says is not read by whoever lists this.\n".repeat(500);
    let values = "{\"global\":{\"istioNamespace\":\"istio-system\",\"meshID\":\"mesh1\",\"multiCluster\":\
                  {\"clusterName\":\"@@name@@\"},\"network\":\"@@network@@\"},\"revision\":\"\"}";
    objects.push(owned(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "istio-sidecar-injector", "namespace": SYSTEM, "labels": {"istio.io/rev": "default"}},
        "data": {"config": template, "values": values},
    })));
    objects.extend(webhooks());
    objects
}

fn webhooks() -> [Value; 2] {
    let service = |path: &str| {
        json!({"caBundle": "@@root-encoded@@",
               "service": {"name": "istiod", "namespace": SYSTEM, "path": path, "port": 443}})
    };
    let expression = |key: &str, operator: &str, values: &[&str]| {
        let mut expression = json!({"key": key, "operator": operator});
        if !values.is_empty() {
            expression["values"] = values.into();
        }
        expression
    };
    let injector = |name: &str, namespaces: Value| {
        json!({
            "name": name, "admissionReviewVersions": ["v1"], "failurePolicy": "Fail", "matchPolicy": "Equivalent",
            "reinvocationPolicy": "Never", "sideEffects": "None", "timeoutSeconds": 10,
            "clientConfig": service("/inject"),
            "namespaceSelector": {"matchExpressions": namespaces},
            "objectSelector": {"matchExpressions": [expression("sidecar.istio.io/inject", "NotIn", &["false"])]},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"],
                       "scope": "*"}],
        })
    };
    let mutating = owned(json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "istio-sidecar-injector", "generation": 2,
                     "labels": {"app": "sidecar-injector", "istio.io/rev": "default"}},
        "webhooks": [
            injector("rev.namespace.sidecar-injector.istio.io", json!([
                expression("istio.io/rev", "In", &["default"]), expression("istio-injection", "DoesNotExist", &[]),
            ])),
            injector("namespace.sidecar-injector.istio.io",
                     json!([expression("istio-injection", "In", &["enabled"])])),
        ],
    }));
    let validating = owned(json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "istio-validator-istio-system", "generation": 2,
                     "labels": {"app": "istiod", "istio": "istiod", "istio.io/rev": "default"}},
        "webhooks": [{
            "name": "rev.validation.istio.io", "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
            "matchPolicy": "Equivalent", "sideEffects": "None", "timeoutSeconds": 10, "namespaceSelector": {},
            "clientConfig": service("/validate"),
            "objectSelector": {"matchExpressions": [expression("istio.io/rev", "In", &["default"])]},
            "rules": [{"apiGroups": ["security.istio.io", "networking.istio.io", "telemetry.istio.io"],
                       "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": ["*"], "scope": "*"}],
        }],
    }));
    [mutating, validating]
}

/// A workload with sidecars.
fn workload() -> Vec<Value> {
    (1..=5)
        .map(|number| {
            json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {
                    "name": format!("cart-7c9d-{number}"), "namespace": "shop",
                    "labels": {"app": "cart", "security.istio.io/tlsMode": "istio", "istio.io/rev": "default",
                               "service.istio.io/canonical-name": "cart"},
                    "annotations": {"sidecar.istio.io/status": "{\"revision\":\"default\"}"},
                },
                "spec": {"nodeName": "@@name@@-control-plane", "containers": [
                    {"name": "cart", "image": "registry.example/cart:3"},
                    {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.31.2"},
                ]},
                "status": {"phase": "Running", "startTime": "2026-09-02T08:00:00Z",
                           "conditions": [{"type": "Ready", "status": "True"}]},
            })
        })
        .collect()
}

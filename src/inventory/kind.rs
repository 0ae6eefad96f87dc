//! The kinds that this tool reads and writes, with where the API server serves them. A table of
//! data instead of discovery: it saves a round trip per cluster, and a kind that is not here is
//! refused before anything is written.

use super::ObjectReference;

/// One kind as the API server serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// Such as `apps/v1`.
    pub api_version: &'static str,
    /// Such as `Deployment`.
    pub kind: &'static str,
    /// Such as `deployments`.
    pub plural: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
}

const fn kind(api_version: &'static str, kind: &'static str, plural: &'static str, namespaced: bool) -> Kind {
    Kind {
        api_version,
        kind,
        plural,
        namespaced,
    }
}

/// Namespaces.
pub const NAMESPACE: Kind = kind("v1", "Namespace", "namespaces", false);
/// Secrets.
pub const SECRET: Kind = kind("v1", "Secret", "secrets", true);
/// Configuration maps.
pub const CONFIG_MAP: Kind = kind("v1", "ConfigMap", "configmaps", true);
/// Services.
pub const SERVICE: Kind = kind("v1", "Service", "services", true);
/// Pods.
pub const POD: Kind = kind("v1", "Pod", "pods", true);
/// Nodes.
pub const NODE: Kind = kind("v1", "Node", "nodes", false);
/// Service accounts.
pub const SERVICE_ACCOUNT: Kind = kind("v1", "ServiceAccount", "serviceaccounts", true);
/// Deployments.
pub const DEPLOYMENT: Kind = kind("apps/v1", "Deployment", "deployments", true);
/// Daemon sets.
pub const DAEMON_SET: Kind = kind("apps/v1", "DaemonSet", "daemonsets", true);
/// Endpoint slices.
pub const ENDPOINT_SLICE: Kind = kind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", true);
/// Custom resource definitions.
pub const CUSTOM_RESOURCE_DEFINITION: Kind = kind(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    false,
);
/// Cluster roles.
pub const CLUSTER_ROLE: Kind = kind(
    "rbac.authorization.k8s.io/v1",
    "ClusterRole",
    "clusterroles",
    false,
);
/// Cluster role bindings.
pub const CLUSTER_ROLE_BINDING: Kind = kind(
    "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
    false,
);
/// Mutating webhooks.
pub const MUTATING_WEBHOOK: Kind = kind(
    "admissionregistration.k8s.io/v1",
    "MutatingWebhookConfiguration",
    "mutatingwebhookconfigurations",
    false,
);
/// Validating webhooks.
pub const VALIDATING_WEBHOOK: Kind = kind(
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    false,
);
/// Istio's gateways.
pub const ISTIO_GATEWAY: Kind = kind("networking.istio.io/v1", "Gateway", "gateways", true);
/// Istio's routes.
pub const VIRTUAL_SERVICE: Kind = kind(
    "networking.istio.io/v1",
    "VirtualService",
    "virtualservices",
    true,
);
/// Gateways of the Gateway API.
pub const GATEWAY: Kind = kind("gateway.networking.k8s.io/v1", "Gateway", "gateways", true);
/// Classes of gateways of the Gateway API.
pub const GATEWAY_CLASS: Kind = kind(
    "gateway.networking.k8s.io/v1",
    "GatewayClass",
    "gatewayclasses",
    false,
);
/// Horizontal pod autoscalers.
pub const HORIZONTAL_POD_AUTOSCALER: Kind = kind(
    "autoscaling/v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    true,
);
/// Pod disruption budgets.
pub const POD_DISRUPTION_BUDGET: Kind =
    kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", true);
/// Ranges of Services' addresses (KEP-1880).
pub const SERVICE_CIDR: Kind = kind("networking.k8s.io/v1", "ServiceCIDR", "servicecidrs", false);
/// Roles.
pub const ROLE: Kind = kind("rbac.authorization.k8s.io/v1", "Role", "roles", true);
/// Role bindings.
pub const ROLE_BINDING: Kind = kind(
    "rbac.authorization.k8s.io/v1",
    "RoleBinding",
    "rolebindings",
    true,
);

/// Every kind that this tool knows to read and write.
pub const ALL: &[Kind] = &[
    NAMESPACE,
    SECRET,
    CONFIG_MAP,
    SERVICE,
    POD,
    NODE,
    SERVICE_ACCOUNT,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    CUSTOM_RESOURCE_DEFINITION,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    MUTATING_WEBHOOK,
    VALIDATING_WEBHOOK,
    ISTIO_GATEWAY,
    VIRTUAL_SERVICE,
    HORIZONTAL_POD_AUTOSCALER,
    ROLE,
    ROLE_BINDING,
    DAEMON_SET,
    kind("apps/v1", "ReplicaSet", "replicasets", true),
    POD_DISRUPTION_BUDGET,
    SERVICE_CIDR,
    kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true),
    kind(
        "networking.istio.io/v1",
        "DestinationRule",
        "destinationrules",
        true,
    ),
    kind(
        "networking.istio.io/v1alpha3",
        "EnvoyFilter",
        "envoyfilters",
        true,
    ),
    kind("telemetry.istio.io/v1", "Telemetry", "telemetries", true),
    kind(
        "security.istio.io/v1",
        "PeerAuthentication",
        "peerauthentications",
        true,
    ),
    GATEWAY,
    GATEWAY_CLASS,
];

impl Kind {
    /// The kind of an object, where this tool knows it.
    pub fn of(api_version: &str, kind: &str) -> Option<Kind> {
        ALL.iter()
            .copied()
            .find(|known| known.api_version == api_version && known.kind == kind)
    }

    /// An object of the kind; its namespace is empty where it lives in none.
    pub fn reference(self, namespace: impl Into<String>, name: impl Into<String>) -> ObjectReference {
        ObjectReference::new(self.api_version, self.kind, namespace, name)
    }

    /// Whether the kind is one of Istio's own or of the Gateway API, which the server serves once they are
    /// defined.
    pub fn is_custom(self) -> bool {
        let group = self.api_version.split_once('/').map(|(group, _)| group);
        group.is_some_and(|group| group.ends_with(".istio.io") || group == "gateway.networking.k8s.io")
    }

    /// The path of the kind's list: of the whole cluster where the namespace is empty.
    pub fn list_path(self, namespace: &str) -> String {
        let prefix = if self.api_version.contains('/') {
            "apis"
        } else {
            "api"
        };
        if self.namespaced && !namespace.is_empty() {
            format!(
                "/{prefix}/{}/namespaces/{namespace}/{}",
                self.api_version, self.plural
            )
        } else {
            format!("/{prefix}/{}/{}", self.api_version, self.plural)
        }
    }

    /// The path of one object.
    pub fn object_path(self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.list_path(namespace))
    }
}

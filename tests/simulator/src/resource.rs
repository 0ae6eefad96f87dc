//! Which kinds are served and where: Kubernetes' API paths, taken apart.

/// One kind as it is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// Empty for the core group.
    pub group: &'static str,
    /// Such as `v1`.
    pub version: &'static str,
    /// Such as `Deployment`.
    pub kind: &'static str,
    /// Such as `deployments`.
    pub plural: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Whether it is served only while its definition stands: a custom resource.
    pub custom: bool,
    /// Whether a change of its specification counts up `metadata.generation`.
    pub counts_generations: bool,
    /// Whether deleting one answers with the object as it was (the server's `ReturnDeletedObject`).
    pub returns_deleted: bool,
}

/// Its place in [`ALL`], which is what objects are filed under.
pub type Number = usize;

const fn core(kind: &'static str, plural: &'static str, namespaced: bool) -> Resource {
    grouped("", "v1", kind, plural, namespaced)
}

const fn grouped(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
) -> Resource {
    Resource {
        group,
        version,
        kind,
        plural,
        namespaced,
        custom: false,
        counts_generations: false,
        returns_deleted: false,
    }
}

const fn counted(resource: Resource) -> Resource {
    Resource {
        counts_generations: true,
        ..resource
    }
}

const fn returned(resource: Resource) -> Resource {
    Resource {
        returns_deleted: true,
        ..resource
    }
}

const fn custom(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
) -> Resource {
    Resource {
        custom: true,
        ..counted(grouped(group, version, kind, plural, true))
    }
}

/// Every kind that is served.
pub const ALL: &[Resource] = &[
    core("ConfigMap", "configmaps", true),
    core("Endpoints", "endpoints", true),
    core("Event", "events", true),
    core("LimitRange", "limitranges", true),
    core("Namespace", "namespaces", false),
    core("Node", "nodes", false),
    returned(core("PersistentVolumeClaim", "persistentvolumeclaims", true)),
    returned(core("PersistentVolume", "persistentvolumes", false)),
    returned(core("Pod", "pods", true)),
    returned(core("PodTemplate", "podtemplates", true)),
    counted(core("ReplicationController", "replicationcontrollers", true)),
    returned(core("ResourceQuota", "resourcequotas", true)),
    core("Secret", "secrets", true),
    returned(core("ServiceAccount", "serviceaccounts", true)),
    returned(core("Service", "services", true)),
    counted(grouped(
        "admissionregistration.k8s.io",
        "v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        false,
    )),
    counted(grouped(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        false,
    )),
    counted(grouped(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
    )),
    counted(grouped("apps", "v1", "DaemonSet", "daemonsets", true)),
    counted(grouped("apps", "v1", "Deployment", "deployments", true)),
    counted(grouped("apps", "v1", "ReplicaSet", "replicasets", true)),
    counted(grouped("apps", "v1", "StatefulSet", "statefulsets", true)),
    grouped(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        true,
    ),
    counted(grouped("batch", "v1", "CronJob", "cronjobs", true)),
    counted(grouped("batch", "v1", "Job", "jobs", true)),
    grouped("coordination.k8s.io", "v1", "Lease", "leases", true),
    counted(grouped(
        "discovery.k8s.io",
        "v1",
        "EndpointSlice",
        "endpointslices",
        true,
    )),
    counted(grouped("networking.k8s.io", "v1", "Ingress", "ingresses", true)),
    counted(grouped(
        "networking.k8s.io",
        "v1",
        "NetworkPolicy",
        "networkpolicies",
        true,
    )),
    counted(grouped(
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        true,
    )),
    grouped(
        "rbac.authorization.k8s.io",
        "v1",
        "ClusterRole",
        "clusterroles",
        false,
    ),
    grouped(
        "rbac.authorization.k8s.io",
        "v1",
        "ClusterRoleBinding",
        "clusterrolebindings",
        false,
    ),
    grouped("rbac.authorization.k8s.io", "v1", "Role", "roles", true),
    grouped(
        "rbac.authorization.k8s.io",
        "v1",
        "RoleBinding",
        "rolebindings",
        true,
    ),
    custom("networking.istio.io", "v1", "Gateway", "gateways"),
    custom("networking.istio.io", "v1", "VirtualService", "virtualservices"),
    custom("networking.istio.io", "v1", "DestinationRule", "destinationrules"),
    custom("networking.istio.io", "v1alpha3", "EnvoyFilter", "envoyfilters"),
    custom("telemetry.istio.io", "v1", "Telemetry", "telemetries"),
    custom(
        "security.istio.io",
        "v1",
        "PeerAuthentication",
        "peerauthentications",
    ),
];

impl Resource {
    /// Such as `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// As errors call it: `secrets`, `deployments.apps`.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// The number of the kind with an `apiVersion` and a `kind`.
    pub fn number_of(api_version: &str, kind: &str) -> Option<Number> {
        ALL.iter()
            .position(|resource| resource.kind == kind && resource.api_version() == api_version)
    }
}

/// What a path under `/api` or `/apis` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'path> {
    /// The kind's number.
    pub number: Number,
    /// The namespace; empty for all, and for kinds without.
    pub namespace: &'path str,
    /// The object's name; empty for the list.
    pub name: &'path str,
    /// Such as `portforward`; empty for the object itself.
    pub subresource: &'path str,
}

impl<'path> Target<'path> {
    /// Takes a path apart; `None` where no kind is served there.
    pub fn of(path: &'path str) -> Option<Self> {
        let mut parts = path.strip_prefix('/')?.split('/');
        let (group, version) = match parts.next()? {
            "api" => ("", parts.next()?),
            "apis" => (parts.next()?, parts.next()?),
            _ => return None,
        };
        let rest: Vec<&str> = parts.collect();
        let number = |plural: &str| {
            ALL.iter().position(|resource| {
                resource.plural == plural && resource.group == group && resource.version == version
            })
        };
        let (namespace, rest) = match rest.as_slice() {
            ["namespaces", namespace, plural, ..]
                if number(plural).is_some_and(|number| ALL[number].namespaced) =>
            {
                (*namespace, &rest[2..])
            }
            _ => ("", &rest[..]),
        };
        let (plural, name, subresource) = match rest {
            [plural] => (*plural, "", ""),
            [plural, name] => (*plural, *name, ""),
            [plural, name, subresource] => (*plural, *name, *subresource),
            _ => return None,
        };
        Some(Self {
            number: number(plural)?,
            namespace,
            name,
            subresource,
        })
    }

    /// The kind.
    pub fn resource(&self) -> &'static Resource {
        &ALL[self.number]
    }
}

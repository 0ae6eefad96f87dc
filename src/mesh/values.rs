//! What Istio's renderer is asked for, cluster by cluster: an `IstioOperator` document for the
//! control plane, or for a remote what it has in its place, and one for the east-west gateway, as
//! Istio's guides have them (istio.io: "Install Multi-Primary on different networks", "Install
//! Primary-Remote"; the gateway is `samples/multicluster/gen-eastwest-gateway.sh` without its
//! prompts).

use serde_json::{Map, Value, json};

use crate::fleet::spec::{DEFAULT_REVISION, named_revision};
use crate::fleet::{ClusterName, ClusterSpec, DataPlaneMode, Fleet, Role};
use crate::inventory::control_plane::{NETWORK_LABEL, REVISION_LABEL};
use crate::inventory::kind::GATEWAY;
use crate::plan::STAND_IN;

/// What is rendered for one cluster. Equal requests give equal objects.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderRequest {
    /// For which cluster.
    pub cluster: ClusterName,
    /// The version that the fleet file wants, or empty.
    pub version: String,
    /// The `IstioOperator` of the control plane, or of what a remote has in its place.
    pub control_plane: Value,
    /// The east-west gateway's `IstioOperator`; none where somebody else makes it.
    pub gateway: Option<Value>,
    /// The second control plane, where there is one.
    pub other: Option<OtherRequest>,
}

/// What is rendered for a control plane beside the first.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherRequest {
    /// The version that the fleet file wants, or empty.
    pub version: String,
    /// Its `IstioOperator`.
    pub control_plane: Value,
}

/// The name of the east-west gateway's Deployment and Service, as in Istio's guides.
pub const GATEWAY_NAME: &str = "istio-eastwestgateway";
/// The port on which a gateway passes mTLS through to its network (Istio's guides; istiod finds a
/// gateway by it).
pub const GATEWAY_PORT: u16 = 15443;

/// The Service by which other clusters find an external istiod: the one that Istio's charts make offers
/// plaintext and debugging as well.
pub const EXTERNAL_SERVICE: &str = "istiod-external";

/// The VirtualService by which a primary's gateway passes remotes on to istiod, as in Istio's guides.
pub const ISTIOD_ROUTE: &str = "istiod-vs";

/// What has to be rendered for a fleet: one request for each cluster.
pub fn render_requests(fleet: &Fleet) -> Vec<RenderRequest> {
    fleet
        .spec
        .clusters
        .iter()
        .map(|cluster| RenderRequest {
            cluster: cluster.name.clone(),
            version: fleet.version(cluster).to_owned(),
            control_plane: match cluster.role {
                Role::Remote | Role::Config => remote(fleet, cluster, fleet.revision(cluster), true),
                Role::External => external(fleet, cluster),
                Role::Primary => control_plane(fleet, cluster, fleet.revision(cluster), true),
            },
            other: fleet.spec.mesh.other_revision.as_ref().map(|other| OtherRequest {
                version: other.version.clone(),
                control_plane: match cluster.role {
                    Role::Remote => remote(fleet, cluster, &other.revision, false),
                    // Of an external control plane there is no second one.
                    Role::Primary | Role::External | Role::Config => {
                        control_plane(fleet, cluster, &other.revision, false)
                    }
                },
            }),
            // In ambient mode istiod itself makes one of a Gateway of the Gateway API.
            gateway: (needs_gateway(fleet, cluster) && !is_ambient(fleet)).then(|| gateway(fleet, cluster)),
        })
        .collect()
}

/// Whether workloads take part in the mesh by a proxy on each node.
pub fn is_ambient(fleet: &Fleet) -> bool {
    fleet.spec.mesh.data_plane_mode == DataPlaneMode::Ambient
}

/// Whether this fleet makes an east-west gateway in a cluster: wherever others reach the cluster
/// through one, and nobody else makes it.
pub fn needs_gateway(fleet: &Fleet, cluster: &ClusterSpec) -> bool {
    (offers_services(fleet, cluster) || serves_remotes(fleet, cluster)) && !has_external_gateway(cluster)
}

/// Whether somebody else makes what others reach a cluster by.
pub fn has_external_gateway(cluster: &ClusterSpec) -> bool {
    cluster.gateway.as_ref().is_some_and(|gateway| gateway.external)
}

/// Whether other networks reach a cluster's services through its gateway: wherever the clusters are
/// not all on one network. A fleet of one cluster counts as one of several: it is the first of them,
/// or the last, and its gateway's address should not change with its neighbours.
pub fn offers_services(fleet: &Fleet, cluster: &ClusterSpec) -> bool {
    let clusters = fleet.spec.clusters.iter();
    let with_workloads: Vec<_> = clusters.filter(|other| other.role != Role::External).collect();
    let one_network = with_workloads.len() > 1
        && with_workloads
            .iter()
            .all(|other| other.network == cluster.network);
    cluster.role != Role::External && cluster.network.is_some() && !one_network
}

/// Whether remotes find their istiod in a cluster, through its gateway.
pub fn serves_remotes(fleet: &Fleet, cluster: &ClusterSpec) -> bool {
    cluster.role == Role::Primary && remotes(fleet, cluster).next().is_some()
}

/// The remotes of a primary.
pub fn remotes<'fleet>(
    fleet: &'fleet Fleet,
    primary: &'fleet ClusterSpec,
) -> impl Iterator<Item = &'fleet ClusterSpec> {
    let clusters = fleet.spec.clusters.iter();
    clusters.filter(|remote| remote.role == Role::Remote && remote.primary.as_ref() == Some(&primary.name))
}

fn operator(fleet: &Fleet, cluster: &ClusterSpec, revision: &str, name: &str, profile: &str) -> Value {
    let mut spec = json!({"profile": profile});
    if !revision.is_empty() {
        spec["revision"] = revision.into();
    }
    // A name of its own keeps `istioctl install` from pruning what is made here as its leftovers.
    json!({
        "apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator",
        "metadata": {"name": format!("stolos-{}-{name}", fleet.metadata.name),
                     "namespace": cluster.system_namespace()},
        "spec": spec,
    })
}

/// A control plane of a revision. Where it is the mesh's own, it is the default one as well: namespaces
/// that ask for no revision are led to it (Istio's tag `default`), and it judges all resources.
fn control_plane(fleet: &Fleet, cluster: &ClusterSpec, revision: &str, is_default: bool) -> Value {
    let mut global = global(fleet, cluster);
    if serves_remotes(fleet, cluster) {
        global["externalIstiod"] = true.into();
    }
    // Without `defaultRevision` the renderer leaves the default validating webhook out.
    let mut values = json!({"defaultRevision": "", "global": global});
    if is_default {
        values["defaultRevision"] = named_revision(revision).into();
    }
    let mut profile = "minimal";
    if is_ambient(fleet) {
        profile = "ambient";
        values["pilot"] = json!({"env": {"AMBIENT_ENABLE_MULTI_NETWORK": "true"}});
    }
    merge_own(&mut values, fleet, cluster);
    tag(&mut values, fleet, revision, is_default);
    let mut operator = operator(fleet, cluster, revision, "control-plane", profile);
    operator["spec"]["values"] = values;
    with_trust_domain(&mut operator, fleet);
    operator
}

fn with_trust_domain(operator: &mut Value, fleet: &Fleet) {
    if fleet.trust_domain() != "cluster.local" {
        operator["spec"]["meshConfig"] = json!({"trustDomain": fleet.trust_domain()});
    }
}

/// Gives a revision the tags that the fleet file leads to it, beside those among its values. Where it is the
/// mesh's own and has a name, `default` is one: without it nothing injects where no revision is asked for.
fn tag(values: &mut Value, fleet: &Fleet, revision: &str, is_default: bool) {
    let default = (is_default && named_revision(revision) != DEFAULT_REVISION).then_some(DEFAULT_REVISION);
    for tag in fleet.spec.mesh.tags_of(revision).chain(default) {
        match values["revisionTags"].as_array_mut() {
            Some(tags) if tags.iter().any(|has| has == tag) => {}
            Some(tags) => tags.push(tag.into()),
            None => values["revisionTags"] = json!([tag]),
        }
    }
}

/// The name that Istio's charts give to what a revision has of its own.
pub fn of_revision(name: &str, revision: &str) -> String {
    match named_revision(revision) {
        DEFAULT_REVISION => name.to_owned(),
        named => format!("{name}-{named}"),
    }
}

/// A control plane for other clusters, as Istio's own tests install one
/// (`tests/integration/iop-externalistiod-primary-integration-test-defaults.yaml`): it reads its
/// configuration in the config cluster, by whose ID it goes, and of the cluster that it runs in no more than
/// its remote secrets. What else it needs of its own it has in files.
fn external(fleet: &Fleet, cluster: &ClusterSpec) -> Value {
    let revision = fleet.revision(cluster);
    let mut global = global(fleet, fleet.configures(cluster).unwrap_or(cluster));
    global["externalIstiod"] = true.into();
    // Its webhooks stand in the clusters that it serves.
    global["operatorManageWebhooks"] = true.into();
    global["configValidation"] = false.into();
    let [mesh, injector] = ["istio", "istio-sidecar-injector"].map(|name| of_revision(name, revision));
    let volume = |name: &str, of: &str| json!({"name": name, "configMap": {"name": of}});
    let mount = |name: &str, path: &str| json!({"name": name, "mountPath": path});
    let mut values = json!({
        "defaultRevision": "",
        "global": global,
        "pilot": {
            "env": {"LOCAL_CLUSTER_SECRET_WATCHER": "true", "SHARED_MESH_CONFIG": mesh},
            "volumes": [volume("config-volume", &mesh), volume("inject-volume", &injector)],
            "volumeMounts": [
                mount("config-volume", "/etc/istio/config"),
                mount("inject-volume", "/var/lib/istio/inject"),
            ],
        },
    });
    merge_own(&mut values, fleet, cluster);
    let mut operator = operator(fleet, cluster, revision, "external", "minimal");
    operator["spec"]["components"] = json!({"base": {"enabled": false}});
    operator["spec"]["values"] = values;
    with_trust_domain(&mut operator, fleet);
    operator
}

/// What a remote has in place of a control plane: an injector and a Service that lead to its primary. A
/// config cluster has what its istiod reads and writes as, as well (Istio:
/// `tests/integration/iop-externalistiod-config-integration-test-defaults.yaml`).
fn remote(fleet: &Fleet, cluster: &ClusterSpec, revision: &str, is_default: bool) -> Value {
    let mut global = global(fleet, cluster);
    global["remotePilotAddress"] = STAND_IN.to_string().into();
    let part = |text: &str| text.replace('/', "--slash--");
    let network = cluster.network_name();
    // By the path the injector learns for which cluster it injects (Istio: `pkg/kube/inject`).
    let path = format!(
        "/inject/cluster/{}/net/{}",
        part(cluster.name.as_str()),
        part(network)
    );
    let mut values = json!({"global": global, "istiodRemote": {"injectionPath": path}});
    if cluster.role == Role::Config {
        values["global"]["configCluster"] = true.into();
        values["pilot"] = json!({"configMap": true});
        values["defaultRevision"] = named_revision(revision).into();
    }
    merge_own(&mut values, fleet, cluster);
    tag(&mut values, fleet, revision, is_default);
    let mut operator = operator(fleet, cluster, revision, "remote", "remote");
    operator["spec"]["values"] = values;
    operator
}

/// The values `global` that every cluster of a mesh has.
fn global(fleet: &Fleet, cluster: &ClusterSpec) -> Value {
    let mut global = json!({
        "meshID": fleet.mesh_id(),
        "multiCluster": {"clusterName": cluster.name},
    });
    if let Some(network) = &cluster.network {
        global["network"] = network.as_str().into();
    }
    if cluster.system_namespace() != crate::fleet::spec::DEFAULT_SYSTEM_NAMESPACE {
        global["istioNamespace"] = cluster.system_namespace().into();
    }
    global
}

/// Lays the fleet file's own values over what is derived: the mesh's, then the cluster's.
fn merge_own(values: &mut Value, fleet: &Fleet, cluster: &ClusterSpec) {
    merge(values, &Value::Object(fleet.spec.mesh.values.clone()));
    merge(values, &Value::Object(cluster.istio.values.clone()));
}

fn gateway(fleet: &Fleet, cluster: &ClusterSpec) -> Value {
    let network = cluster.network_name();
    let port = |name: &str, port: u16| json!({"name": name, "port": port, "targetPort": port});
    let mut operator = operator(
        fleet,
        cluster,
        fleet.revision(cluster),
        "east-west-gateway",
        "empty",
    );
    operator["spec"]["components"] = json!({"ingressGateways": [{
        "name": GATEWAY_NAME,
        "namespace": cluster.system_namespace(),
        "enabled": true,
        "label": {"istio": "eastwestgateway", "app": GATEWAY_NAME, "topology.istio.io/network": network},
        "k8s": {
            "env": [{"name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": network}],
            "service": {"ports": [
                port("status-port", 15021),
                port("tls", GATEWAY_PORT),
                port("tls-istiod", 15012),
                port("tls-webhook", 15017),
            ]},
        },
    }]});
    let mut global = json!({"network": network});
    if cluster.system_namespace() != crate::fleet::spec::DEFAULT_SYSTEM_NAMESPACE {
        global["istioNamespace"] = cluster.system_namespace().into();
    }
    operator["spec"]["values"] = json!({
        "gateways": {"istio-ingressgateway": {"injectionTemplate": "gateway"}},
        "global": global,
    });
    operator
}

/// The east-west gateway in ambient mode, as `samples/multicluster/gen-eastwest-gateway.sh --ambient`
/// prints it. istiod copies the labels of a Gateway to what it makes of it, unless the Gateway says
/// which: ours would mark what is istiod's.
pub fn ambient_gateway(fleet: &Fleet, cluster: &ClusterSpec) -> Value {
    let network = cluster.network_name();
    let mut labels = json!({NETWORK_LABEL: network});
    let revision = fleet.revision(cluster);
    if !revision.is_empty() {
        labels[REVISION_LABEL] = revision.into();
    }
    json!({
        "apiVersion": GATEWAY.api_version, "kind": GATEWAY.kind,
        "metadata": {"name": GATEWAY_NAME, "namespace": cluster.system_namespace(), "labels": labels},
        "spec": {
            "gatewayClassName": "istio-east-west",
            "infrastructure": {"labels": labels},
            "listeners": [{
                "name": "mesh", "port": 15008, "protocol": "HBONE",
                "tls": {
                    "mode": "Terminate",
                    "options": {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"},
                },
            }],
        },
    })
}

/// Istio's `samples/multicluster/expose-services.yaml`, as data: every service of the cluster is
/// offered through the east-west gateway, by the name in the TLS handshake.
pub fn exposed_services(cluster: &ClusterSpec) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
        "metadata": {"name": "cross-network-gateway", "namespace": cluster.system_namespace()},
        "spec": {
            "selector": {"istio": "eastwestgateway"},
            "servers": [{
                "port": {"number": GATEWAY_PORT, "name": "tls", "protocol": "TLS"},
                "tls": {"mode": "AUTO_PASSTHROUGH"},
                "hosts": ["*.local"],
            }],
        },
    })
}

/// Istio's `samples/multicluster/expose-istiod.yaml`, as data: the east-west gateway passes what
/// remotes ask of istiod through to it, whatever name they ask for; but what they ask of one of the others by its
/// name (its Service's, as remotes have it in the TLS handshake) to that one.
pub fn exposed_istiod(cluster: &ClusterSpec, istiod: &str, others: &[String]) -> [Value; 2] {
    let namespace = cluster.system_namespace();
    // Its ports on the gateway, and on the Service of istiod.
    let ports = [(15012, "tls-istiod", 15012), (15017, "tls-istiodwebhook", 443)];
    let servers = ports.map(|(port, name, _)| {
        json!({
            "port": {"number": port, "name": name, "protocol": "tls"},
            "tls": {"mode": "PASSTHROUGH"},
            "hosts": ["*"],
        })
    });
    let asked = others
        .iter()
        .map(|other| (other.as_str(), format!("{other}.{namespace}.svc")));
    let routes: Vec<Value> = asked
        .chain([(istiod, "*".to_owned())])
        .flat_map(|(istiod, asked)| {
            ports.map(|(port, _, of_service)| {
                json!({
                    "match": [{"port": port, "sniHosts": [asked]}],
                    "route": [{"destination": {
                        "host": format!("{istiod}.{namespace}.svc.cluster.local"),
                        "port": {"number": of_service},
                    }}],
                })
            })
        })
        .collect();
    [
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "Gateway",
            "metadata": {"name": "istiod-gateway", "namespace": namespace},
            "spec": {"selector": {"istio": "eastwestgateway"}, "servers": servers},
        }),
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
            "metadata": {"name": ISTIOD_ROUTE, "namespace": namespace},
            "spec": {"hosts": ["*"], "gateways": ["istiod-gateway"], "tls": routes},
        }),
    ]
}

/// What offers an external istiod to the clusters that it serves: discovery and webhooks, and no more.
pub fn exposed_external(fleet: &Fleet, cluster: &ClusterSpec) -> Value {
    let port =
        |name: &str, port: u16| json!({"name": name, "port": port, "targetPort": port, "protocol": "TCP"});
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": EXTERNAL_SERVICE, "namespace": cluster.system_namespace()},
        "spec": {
            "type": "LoadBalancer",
            "selector": {"app": "istiod", REVISION_LABEL: named_revision(fleet.revision(cluster))},
            "ports": [port("tls-istiod", 15012), port("tls-istiodwebhook", 15017)],
        },
    })
}

/// Lays one document over another, map by map; anything else is replaced.
fn merge(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(
                    under.entry(key.clone()).or_insert(Value::Object(Map::new())),
                    value,
                );
            }
        }
        (under, over) => *under = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_the_clusters_own() {
        let mut under = json!({"global": {"a": 1, "b": {"c": 2}}});
        merge(&mut under, &json!({"global": {"b": {"c": 3}, "d": [1]}}));
        assert_eq!(under, json!({"global": {"a": 1, "b": {"c": 3}, "d": [1]}}));
    }
}

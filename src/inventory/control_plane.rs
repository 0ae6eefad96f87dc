//! What is known of Istio's control planes in one cluster, inferred from what was listed: an
//! istiod Deployment, the ConfigMaps beside it, the label of its namespace. However it was
//! installed; what was not listed is unknown, not absent.

use serde_json::Value;

use super::installer::InstalledBy;
use super::kind::{CONFIG_MAP, DEPLOYMENT, NAMESPACE, POD};
use super::{ClusterInventory, Object, Presence, RemoteSecret, Replica};
use crate::fleet::spec::DEFAULT_REVISION;
use crate::yaml;

/// The label of a system namespace, a gateway's Service or a pod that names its network.
pub const NETWORK_LABEL: &str = "topology.istio.io/network";
/// The annotation on a remote's system namespace that says which clusters' istiods may act as its
/// control plane: cluster IDs with commas between them, or `*` (Istio: `api/annotation`). An istiod
/// reads it once, when it is given the remote's secret.
pub const CONTROL_PLANE_CLUSTERS: &str = "topology.istio.io/controlPlaneClusters";

/// Whether a remote's namespace names a primary so.
pub fn names_primary(remote: &ClusterInventory, namespace: &str, primary: &str) -> bool {
    let system = NAMESPACE.reference("", namespace);
    let live = remote.object(&system);
    let named = live.and_then(|live| live.annotation(CONTROL_PLANE_CLUSTERS));
    named.is_some_and(|named| names_control_plane(named, primary))
}

/// Whether that annotation names a cluster.
pub fn names_control_plane(annotation: &str, cluster_id: &str) -> bool {
    // Blanks count, as in Istio.
    annotation.split(',').any(|one| one == cluster_id || one == "*")
}
/// The label by which an object says which revision it belongs to.
pub const REVISION_LABEL: &str = "istio.io/rev";
/// The label that says of an injector that it is a tag's (Istio: `istioctl/pkg/tag`).
pub const TAG_LABEL: &str = "istio.io/tag";
/// The label by which a namespace asks for sidecars of no revision in particular, or for none.
pub const INJECTION_LABEL: &str = "istio-injection";
/// The cluster ID that an istiod goes by to which none is given.
const DEFAULT_CLUSTER_ID: &str = "Kubernetes";

/// A fact that may have been looked for in vain, or not have been looked for at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fact<T> {
    /// It is this.
    Known(T),
    /// It was looked for and is not there.
    Absent,
    /// It could not be looked for.
    #[default]
    Unknown,
}

impl<T> Fact<T> {
    /// The fact, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Fact::Known(value) => Some(value),
            Fact::Absent | Fact::Unknown => None,
        }
    }

    /// Whether it was looked for and is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Fact::Absent)
    }

    /// Whether it could not be looked for.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Fact::Unknown)
    }
}

/// One istiod Deployment and what is known around it.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlPlane<'inventory> {
    /// Its namespace: Istio's system namespace for it.
    pub namespace: String,
    /// The Deployment's name.
    pub name: String,
    /// Its revision, `default` where it has none.
    pub revision: String,
    /// The version in the Deployment's image tag; absent where the tag is no version.
    pub image_version: Option<String>,
    /// Who installed it, by its marks.
    pub installed_by: InstalledBy,
    /// Whether its rollout is complete and available, in the Deployment's words.
    pub ready: bool,
    /// How many replicas the Deployment wants, and how many it says are ready.
    pub wanted: u64,
    /// How many replicas the Deployment says are ready.
    pub available: u64,
    /// `CLUSTER_ID` of its environment; absent where it is not set (istiod then says `Kubernetes`).
    pub cluster_id: Fact<String>,
    /// `global.multiCluster.clusterName` in the injector's values.
    pub injected_cluster_id: Fact<String>,
    /// `defaultConfig.meshId` in the mesh configuration.
    pub mesh_id: Fact<String>,
    /// `trustDomain` in the mesh configuration.
    pub trust_domain: Fact<String>,
    /// `trustDomainAliases` in the mesh configuration.
    pub trust_domain_aliases: Vec<String>,
    /// The network label of the system namespace.
    pub network: Fact<String>,
    /// `global.network` in the injector's values.
    pub injected_network: Fact<String>,
    /// The whole of the injector's values, where they could be read: how it was installed.
    pub values: Fact<Value>,
    /// What each replica said of itself.
    pub replicas: Vec<&'inventory Replica>,
}

impl ControlPlane<'_> {
    /// The versions that its replicas say they are, each once, in order.
    pub fn running_versions(&self) -> Vec<&str> {
        let mut versions: Vec<&str> = self
            .replicas
            .iter()
            .filter_map(|replica| replica.version.said().map(String::as_str))
            .collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }

    /// The version: what its replicas say where they agree, else its image's.
    pub fn version(&self) -> Option<&str> {
        match self.running_versions().as_slice() {
            [version] => Some(version),
            _ => self.image_version.as_deref(),
        }
    }

    /// The cluster ID that istiod goes by, unless it could not be read.
    pub fn effective_cluster_id(&self) -> Option<&str> {
        match &self.cluster_id {
            Fact::Known(id) => Some(id),
            Fact::Absent => Some(DEFAULT_CLUSTER_ID),
            Fact::Unknown => None,
        }
    }

    /// The network: the namespace's label, which decides, else the injector's.
    pub fn effective_network(&self) -> Option<&str> {
        let network = self.network.known().or_else(|| self.injected_network.known())?;
        Some(network.as_str())
    }
}

/// The control planes of a cluster, by namespace and revision. Absent means that every Deployment
/// of istiod was asked for and there is none.
pub fn control_planes(cluster: &ClusterInventory) -> Fact<Vec<ControlPlane<'_>>> {
    let mut found: Vec<ControlPlane<'_>> = cluster
        .of_kind(DEPLOYMENT)
        .filter(|deployment| deployment.label("app") == Some("istiod"))
        .map(|deployment| control_plane(cluster, deployment))
        .collect();
    found.sort_by(|one, other| (&one.namespace, &one.revision).cmp(&(&other.namespace, &other.revision)));
    if !found.is_empty() {
        Fact::Known(found)
    } else if cluster.was_searched(DEPLOYMENT, "app=istiod", "") {
        Fact::Absent
    } else {
        Fact::Unknown
    }
}

/// The cluster ID that the first of a cluster's control planes goes by, as `control_planes` has it,
/// without all else that is to be known of them.
pub fn first_cluster_id(cluster: &ClusterInventory) -> Option<String> {
    let first = first_istiod(cluster)?;
    // One that is led elsewhere goes by that cluster's.
    match led_by(cluster, first.namespace()) {
        Some(_) => None,
        None => id_of(first),
    }
}

/// The Secret that leads an istiod in a namespace to the cluster that holds its configuration, where one stands.
pub fn led_by<'seen>(cluster: &'seen ClusterInventory, namespace: &str) -> Option<&'seen RemoteSecret> {
    let mut secrets = cluster.istiod_kubeconfigs.iter();
    secrets.find(|secret| secret.namespace == namespace)
}

/// The cluster ID of the cluster in which an istiod reads its configuration, where that is another one.
pub fn configuration_id(cluster: &ClusterInventory, namespace: &str) -> Option<String> {
    cluster.istiods_in(namespace).find_map(id_of)
}

/// An istiod in a namespace that runs since before a time (RFC 3339, UTC, whole seconds).
pub fn istiod_from_before<'seen>(
    cluster: &'seen ClusterInventory,
    namespace: &str,
    time: &str,
) -> Option<&'seen Object> {
    cluster.of_kind(POD).find(|pod| {
        let started = pod.text(&["status", "startTime"]);
        let is_istiod = pod.namespace() == namespace && pod.label("app") == Some("istiod");
        is_istiod && !started.is_empty() && started < time
    })
}

fn first_istiod(cluster: &ClusterInventory) -> Option<&Object> {
    cluster
        .of_kind(DEPLOYMENT)
        .filter(|deployment| deployment.label("app") == Some("istiod"))
        .min_by_key(|deployment| (deployment.namespace(), revision(deployment)))
}

fn id_of(deployment: &Object) -> Option<String> {
    match cluster_id(deployment) {
        Fact::Known(id) => Some(id),
        Fact::Absent => Some(DEFAULT_CLUSTER_ID.to_owned()),
        Fact::Unknown => None,
    }
}

fn cluster_id(deployment: &Object) -> Fact<String> {
    discovery_container(deployment).map_or(Fact::Unknown, |container| {
        environment(Some(container), "CLUSTER_ID")
            .filter(|id| !id.is_empty())
            .map_or(Fact::Absent, |id| Fact::Known(id.to_owned()))
    })
}

fn revision(deployment: &Object) -> &str {
    deployment
        .label(REVISION_LABEL)
        .or_else(|| environment(discovery_container(deployment), "REVISION"))
        .filter(|revision| !revision.is_empty())
        .unwrap_or(DEFAULT_REVISION)
}

fn control_plane<'inventory>(
    cluster: &'inventory ClusterInventory,
    deployment: &'inventory Object,
) -> ControlPlane<'inventory> {
    let namespace = deployment.namespace().to_owned();
    let container = discovery_container(deployment);
    let revision = revision(deployment).to_owned();
    let suffix = if revision == DEFAULT_REVISION {
        String::new()
    } else {
        format!("-{revision}")
    };
    let mesh = config(cluster, &namespace, &format!("istio{suffix}"), "mesh");
    let values = config(
        cluster,
        &namespace,
        &format!("istio-sidecar-injector{suffix}"),
        "values",
    );
    let wanted = deployment
        .at(&["spec", "replicas"])
        .and_then(Value::as_u64)
        .unwrap_or(1);
    let available = status_count(deployment, "availableReplicas");
    ControlPlane {
        name: deployment.name().to_owned(),
        image_version: container
            .and_then(|container| container["image"].as_str())
            .and_then(image_version),
        installed_by: InstalledBy::of(deployment),
        ready: is_rolled_out(deployment),
        wanted,
        available,
        cluster_id: cluster_id(deployment),
        injected_cluster_id: text(&values, "/global/multiCluster/clusterName"),
        mesh_id: text(&mesh, "/defaultConfig/meshId"),
        trust_domain: text(&mesh, "/trustDomain"),
        trust_domain_aliases: mesh
            .known()
            .and_then(|mesh| mesh["trustDomainAliases"].as_array())
            .into_iter()
            .flatten()
            .filter_map(|alias| alias.as_str().map(str::to_owned))
            .collect(),
        network: namespace_network(cluster, &namespace),
        injected_network: text(&values, "/global/network"),
        values,
        replicas: cluster
            .replicas
            .iter()
            .filter(|replica| replica.namespace == namespace && replica.revision == revision)
            .collect(),
        namespace,
        revision,
    }
}

/// Whether a Deployment's current generation is rolled out and available, as `kubectl rollout
/// status` has it.
pub fn is_rolled_out(deployment: &Object) -> bool {
    let generation = deployment
        .at(&["metadata", "generation"])
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let wanted = deployment
        .at(&["spec", "replicas"])
        .and_then(Value::as_u64)
        .unwrap_or(1);
    wanted > 0
        && status_count(deployment, "observedGeneration") >= generation
        && status_count(deployment, "updatedReplicas") >= wanted
        && status_count(deployment, "availableReplicas") >= wanted
        && status_count(deployment, "replicas") <= status_count(deployment, "updatedReplicas")
}

fn status_count(deployment: &Object, field: &str) -> u64 {
    deployment
        .at(&["status", field])
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

fn discovery_container(deployment: &Object) -> Option<&Value> {
    let containers = deployment.list(&["spec", "template", "spec", "containers"]);
    containers
        .iter()
        .find(|container| container["name"] == "discovery")
        .or_else(|| containers.first())
}

fn environment<'object>(container: Option<&'object Value>, name: &str) -> Option<&'object str> {
    container?["env"]
        .as_array()?
        .iter()
        .find(|variable| variable["name"] == name)?["value"]
        .as_str()
}

/// The version in an image's tag: `docker.io/istio/pilot:1.31.2-distroless` is 1.31.2.
fn image_version(image: &str) -> Option<String> {
    let untouched = image.split('@').next().unwrap_or(image);
    let (_, tag) = untouched.rsplit('/').next()?.split_once(':')?;
    let version = ["-distroless", "-debug"]
        .iter()
        .find_map(|variant| tag.strip_suffix(variant))
        .unwrap_or(tag);
    version
        .split_once('.')
        .is_some_and(|(major, _)| !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| version.to_owned())
}

/// The YAML in a ConfigMap's key. What is no YAML is unknown: istiod would not run with it either.
fn config(cluster: &ClusterInventory, namespace: &str, name: &str, key: &str) -> Fact<Value> {
    let reference = CONFIG_MAP.reference(namespace, name);
    match cluster.presence(&reference) {
        Presence::Present(object) => {
            let text = object.text(&["data", key]);
            // Injectors' values are JSON, which is read many times as fast as such.
            let json = serde_json::from_str(text).ok();
            json.or_else(|| yaml::from_str(text).ok())
                .map_or(Fact::Unknown, Fact::Known)
        }
        Presence::Absent => Fact::Absent,
        Presence::Unknown => Fact::Unknown,
    }
}

fn text(document: &Fact<Value>, pointer: &str) -> Fact<String> {
    match document {
        Fact::Known(document) => document
            .pointer(pointer)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map_or(Fact::Absent, |text| Fact::Known(text.to_owned())),
        Fact::Absent => Fact::Absent,
        Fact::Unknown => Fact::Unknown,
    }
}

/// The network label of a namespace.
pub fn namespace_network(cluster: &ClusterInventory, namespace: &str) -> Fact<String> {
    let reference = NAMESPACE.reference("", namespace);
    match cluster.presence(&reference) {
        Presence::Present(object) => object
            .label(NETWORK_LABEL)
            .filter(|network| !network.is_empty())
            .map_or(Fact::Absent, |network| Fact::Known(network.to_owned())),
        Presence::Absent => Fact::Absent,
        Presence::Unknown => Fact::Unknown,
    }
}

#[cfg(test)]
#[path = "control_plane_tests.rs"]
mod tests;

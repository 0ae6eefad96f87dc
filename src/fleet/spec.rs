//! The fleet as data: the shape of the fleet file, one type a level, unknown fields refused.

mod mesh;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::name::{ClusterName, FleetName, NamespaceName, NetworkName};

pub use mesh::{DEFAULT_REVISION, DataPlaneMode, MeshSpec, Model, OtherRevision, named_revision};

/// The fleet file's `apiVersion`.
pub const API_VERSION: &str = "stolos.dev/v1alpha1";
/// The fleet file's `kind`.
pub const KIND: &str = "Fleet";

/// A fleet: the clusters managed together, and the mesh over them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Fleet {
    /// Always [`API_VERSION`].
    pub api_version: String,
    /// Always [`KIND`].
    pub kind: String,
    /// The fleet's name.
    pub metadata: FleetMetadata,
    /// What the fleet should be.
    pub spec: FleetSpec,
}

/// What names a fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FleetMetadata {
    /// The fleet's name; it marks every object that the fleet owns and names the stored root key.
    pub name: FleetName,
}

/// What a fleet should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FleetSpec {
    /// The clusters, in the file's order.
    pub clusters: Vec<ClusterSpec>,
    /// The mesh over them.
    #[serde(default)]
    pub mesh: MeshSpec,
    /// The mesh's root of trust.
    #[serde(default, skip_serializing_if = "is_default")]
    pub trust: TrustSpec,
}

/// One cluster of the fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ClusterSpec {
    /// Its name, which is also Istio's cluster ID.
    pub name: ClusterName,
    /// The kubeconfig context that reaches it; the name where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// The kubeconfig that holds the context (`~` is the home directory, a relative path starts at
    /// the fleet file's folder); `KUBECONFIG`'s merge rules where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<String>,
    /// The UID of the cluster's `kube-system` namespace: what the cluster *is*.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The network that its pods are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkName>,
    /// What the cluster does in the mesh.
    #[serde(default, skip_serializing_if = "is_default")]
    pub role: Role,
    /// A remote's primary, or config cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<ClusterName>,
    /// A config cluster's external cluster, which runs its istiod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control_plane: Option<ClusterName>,
    /// The URL by which peers dial its API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_server: Option<String>,
    /// What this fleet manages in the cluster; all where absent, empty only observes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manage: Option<Vec<Area>>,
    /// This cluster's Istio, over the fleet's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub istio: IstioSpec,
    /// An east-west gateway that is not ours to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<GatewaySpec>,
    /// Labels for selecting clusters with `-l`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl ClusterSpec {
    /// The name of its network, empty where it has none.
    pub fn network_name(&self) -> &str {
        self.network.as_ref().map_or("", NetworkName::as_str)
    }

    /// A cluster of which only the name is said.
    pub fn named(name: ClusterName) -> Self {
        Self {
            name,
            context: None,
            kubeconfig: None,
            uid: None,
            network: None,
            role: Role::Primary,
            primary: None,
            control_plane: None,
            api_server: None,
            manage: None,
            istio: IstioSpec::default(),
            gateway: None,
            labels: BTreeMap::new(),
        }
    }

    /// The kubeconfig context that reaches the cluster.
    pub fn context(&self) -> &str {
        self.context.as_deref().unwrap_or(self.name.as_str())
    }

    /// Whether this fleet manages an area in the cluster.
    pub fn manages(&self, area: Area) -> bool {
        self.manage.as_ref().is_none_or(|areas| areas.contains(&area))
    }

    /// The namespace that Istio's control plane runs in.
    pub fn system_namespace(&self) -> &str {
        self.istio
            .namespace
            .as_ref()
            .map_or(DEFAULT_SYSTEM_NAMESPACE, NamespaceName::as_str)
    }
}

/// Istio's own default for its control plane's namespace.
pub const DEFAULT_SYSTEM_NAMESPACE: &str = "istio-system";

/// What a cluster does in the mesh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs a control plane for itself.
    #[default]
    Primary,
    /// Has its control plane in another cluster.
    Remote,
    /// Runs control planes for other clusters.
    External,
    /// A remote whose istiod runs elsewhere and reads its configuration here.
    Config,
}

impl Role {
    /// Whether istiods run in such a cluster that read others.
    pub fn runs_control_planes(self) -> bool {
        matches!(self, Role::Primary | Role::External)
    }

    /// Whether workloads in such a cluster are served by the istiods of another.
    pub fn is_served_from_afar(self) -> bool {
        matches!(self, Role::Remote | Role::Config)
    }

    /// The role's word in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Primary => "primary",
            Role::Remote => "remote",
            Role::External => "external",
            Role::Config => "config",
        }
    }
}

/// A part of the fleet's work that can be left to somebody else, cluster by cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// The root and each cluster's intermediate.
    Trust,
    /// Istio itself and its east-west gateway.
    Mesh,
    /// Remote secrets, and the account that they read with.
    Links,
}

impl Area {
    /// Every area, in the order in which work is done.
    pub const ALL: [Area; 3] = [Area::Trust, Area::Mesh, Area::Links];

    /// The area's word in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Area::Trust => "trust",
            Area::Mesh => "mesh",
            Area::Links => "links",
        }
    }
}

impl std::fmt::Display for Area {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One cluster's Istio, over the fleet's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct IstioSpec {
    /// The control plane's namespace; `istio-system` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NamespaceName>,
    /// This cluster's version, where it differs from the mesh's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// This cluster's revision, where it differs from the mesh's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Istio values for this cluster, over the mesh's.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
}

/// An east-west gateway that somebody else makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GatewaySpec {
    /// True: this fleet makes none in the cluster.
    #[serde(default)]
    pub external: bool,
    /// IP addresses or host names at which peers reach it.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Its mTLS passthrough port.
    #[serde(default = "default_gateway_port")]
    pub port: u16,
}

fn default_gateway_port() -> u16 {
    15443
}

/// The mesh's root of trust.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TrustSpec {
    /// Who holds the root.
    #[serde(default)]
    pub root: Root,
    /// For `root: files`: the root certificate's path (PEM).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_file: Option<String>,
    /// For `root: files`: the root key's path (PEM); without it nothing can be signed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// Pins: lower-case hex SHA-256 of each accepted root's DER.
    #[serde(default, rename = "rootSha256", skip_serializing_if = "Vec::is_empty")]
    pub root_sha256: Vec<String>,
}

/// Who holds the root.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Root {
    /// This tool, on this machine.
    #[default]
    Managed,
    /// Existing files.
    Files,
    /// Somebody who signs requests elsewhere.
    Csr,
    /// Somebody else entirely: audited only.
    External,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Fleet {
    /// The fleet's mesh ID.
    pub fn mesh_id(&self) -> &str {
        if self.spec.mesh.mesh_id.is_empty() {
            self.metadata.name.as_str()
        } else {
            &self.spec.mesh.mesh_id
        }
    }

    /// The mesh's SPIFFE trust domain.
    pub fn trust_domain(&self) -> &str {
        if self.spec.mesh.trust_domain.is_empty() {
            "cluster.local"
        } else {
            &self.spec.mesh.trust_domain
        }
    }

    /// A cluster by its name.
    pub fn cluster(&self, name: &ClusterName) -> Option<&ClusterSpec> {
        self.spec.clusters.iter().find(|cluster| cluster.name == *name)
    }

    /// The cluster whose istiods serve the workloads of a cluster: itself, its primary, or the external
    /// cluster that runs its control plane. None where nobody is named, or none run there.
    pub fn served_by<'fleet>(&'fleet self, cluster: &'fleet ClusterSpec) -> Option<&'fleet ClusterSpec> {
        match cluster.role {
            Role::Primary => Some(cluster),
            Role::External => None,
            Role::Config => self.cluster(cluster.control_plane.as_ref()?),
            Role::Remote => {
                let primary = self.cluster(cluster.primary.as_ref()?)?;
                // A remote's primary is no remote itself.
                (primary.role != Role::Remote).then(|| self.served_by(primary))?
            }
        }
    }

    /// The cluster from which the istiods of a cluster read Istio's configuration, and by whose ID they go:
    /// itself, or where it is an external one its config cluster.
    pub fn configures<'fleet>(&'fleet self, cluster: &'fleet ClusterSpec) -> Option<&'fleet ClusterSpec> {
        let mut clusters = self.spec.clusters.iter();
        match cluster.role {
            Role::Primary => Some(cluster),
            Role::External => clusters.find(|other| {
                other.role == Role::Config && other.control_plane.as_ref() == Some(&cluster.name)
            }),
            Role::Remote | Role::Config => None,
        }
    }

    /// The revision that runs in a cluster; empty is the default one.
    pub fn revision<'fleet>(&'fleet self, cluster: &'fleet ClusterSpec) -> &'fleet str {
        if cluster.istio.revision.is_empty() {
            &self.spec.mesh.revision
        } else {
            &cluster.istio.revision
        }
    }

    /// The version that is wanted in a cluster; empty where none is.
    pub fn version<'fleet>(&'fleet self, cluster: &'fleet ClusterSpec) -> &'fleet str {
        if cluster.istio.version.is_empty() {
            &self.spec.mesh.version
        } else {
            &cluster.istio.version
        }
    }
}

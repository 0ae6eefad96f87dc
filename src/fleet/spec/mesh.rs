//! The mesh over the fleet's clusters, as the fleet file has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::NamespaceName;

/// The mesh over the fleet's clusters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MeshSpec {
    /// Istio's mesh ID; the fleet's name where empty.
    #[serde(default, rename = "meshID", skip_serializing_if = "String::is_empty")]
    pub mesh_id: String,
    /// Istio's version; where empty, what istioctl brings at the first install, then what runs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The deployment model.
    #[serde(default)]
    pub model: Model,
    /// Sidecars or ambient.
    #[serde(default)]
    pub data_plane_mode: DataPlaneMode,
    /// The SPIFFE trust domain; `cluster.local` where empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trust_domain: String,
    /// Istio's revision; empty is the default one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Istio's tags, by their names: names that namespaces ask for (`istio.io/rev: TAG`) and that lead to a
    /// revision of the mesh, which is `default` where it has no name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// A second control plane beside the first, while a mesh goes from one to the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_revision: Option<OtherRevision>,
    /// Istio values for all clusters: the last word over what the fleet derives.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
}

impl Default for MeshSpec {
    fn default() -> Self {
        Self {
            mesh_id: String::new(),
            version: String::new(),
            model: Model::MultiPrimary,
            data_plane_mode: DataPlaneMode::Sidecar,
            trust_domain: String::new(),
            revision: String::new(),
            tags: BTreeMap::new(),
            other_revision: None,
            values: Map::new(),
        }
    }
}

/// A revision that runs beside the one that `istio-injection=enabled` leads to: one that is to come, or
/// one that goes. It serves namespaces that ask for it (`istio.io/rev`), and the proxies that it has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OtherRevision {
    /// Istio's revision; empty is the default one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Its version; where empty, what istioctl brings.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Namespaces that are led to it, in every cluster that has them, whatever their owners' labels said; what
    /// those said comes back when a namespace is no longer named here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<NamespaceName>,
}

/// Istio's word for the revision without a name.
pub const DEFAULT_REVISION: &str = "default";

/// A revision as its pods and proxies name it: the one without a name is `default`.
pub fn named_revision(revision: &str) -> &str {
    match revision {
        "" => DEFAULT_REVISION,
        named => named,
    }
}

impl MeshSpec {
    /// The tags that lead to a revision.
    pub fn tags_of<'mesh>(&'mesh self, revision: &'mesh str) -> impl Iterator<Item = &'mesh str> {
        let leading = self.tags.iter();
        let leading = leading.filter(move |(_, to)| named_revision(to) == named_revision(revision));
        leading.map(|(tag, _)| tag.as_str())
    }

    /// Whether the mesh has a revision: its own, or the one beside it.
    pub fn has_revision(&self, revision: &str) -> bool {
        let other = self.other_revision.iter().map(|other| other.revision.as_str());
        let mut revisions = std::iter::once(self.revision.as_str()).chain(other);
        revisions.any(|of_mesh| named_revision(of_mesh) == named_revision(revision))
    }
}

/// Istio's deployment model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Every cluster runs a control plane and reads every other's API server.
    #[default]
    MultiPrimary,
    /// Remotes hang on a primary's control plane.
    PrimaryRemote,
    /// The control plane runs outside the mesh's clusters.
    ExternalControlPlane,
}

impl Model {
    /// The model's word in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            Model::MultiPrimary => "multi-primary",
            Model::PrimaryRemote => "primary-remote",
            Model::ExternalControlPlane => "external-control-plane",
        }
    }
}

/// How workloads take part in the mesh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataPlaneMode {
    /// A proxy in every pod.
    #[default]
    Sidecar,
    /// A proxy on every node.
    Ambient,
}

impl DataPlaneMode {
    /// The mode's word in the fleet file.
    pub fn as_str(self) -> &'static str {
        match self {
            DataPlaneMode::Sidecar => "sidecar",
            DataPlaneMode::Ambient => "ambient",
        }
    }
}

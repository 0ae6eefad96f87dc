//! The report as data: the contract's `StatusReport`. Each fact stands under the name of whose word
//! it is: istiod's under `replicas` and `observed`, an object's beside them, ours in `state`.

use serde::Serialize;

use super::catalogue::Severity;
use super::link_report::Links;
use crate::document::Body;
use crate::error::ErrorKind;
use crate::fleet::Role;
use crate::inventory::InstalledBy;

/// The state of a mesh, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusReport {
    /// Everything that should be read was, no finding is an error, and each link is synced or set aside.
    pub healthy: bool,
    /// Every cluster, by name.
    pub clusters: Vec<ClusterReport>,
    /// Every link that should be or is there.
    pub links: Links,
    /// What is wrong or worth knowing, the worst first.
    pub findings: Vec<Finding>,
    /// Whether everything that should be read was; the envelope says it in documents.
    #[serde(skip)]
    pub complete: bool,
}

impl Body for StatusReport {
    const KIND: &'static str = "StatusReport";
}

/// One cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterReport {
    /// Its name in the fleet, or the one that was inferred.
    pub name: String,
    /// The kubeconfig context that it is reached by.
    pub context: String,
    /// The API server's URL in the kubeconfig.
    pub server: Option<String>,
    /// The UID of its `kube-system` namespace.
    pub uid: Option<String>,
    /// Whether it answered.
    pub reachable: bool,
    /// Why it did not.
    pub error: Option<String>,
    /// Whether everything that should be read of it was; where not, what is absent here is not known.
    pub complete: bool,
    /// What its API server says of itself.
    pub kubernetes: Kubernetes,
    /// What it does in the mesh.
    pub role: Option<Role>,
    /// The network of its pods.
    pub network: Option<String>,
    /// Which of the fields that a fleet file declares were inferred from the cluster.
    pub inferred: Vec<&'static str>,
    /// Every istiod Deployment.
    pub control_planes: Vec<ControlPlaneReport>,
    /// Whom its workloads trust, and who signs for them.
    pub trust: TrustReport,
    /// Its cross-network gateways.
    pub gateways: Vec<GatewayReport>,
}

/// What an API server says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Kubernetes {
    /// `gitVersion`.
    pub version: Option<String>,
}

/// One istiod Deployment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlPlaneReport {
    /// `default` where it has no name of its own.
    pub revision: String,
    /// What its replicas say where they agree, else its image's tag.
    pub version: Option<String>,
    /// Its namespace.
    pub namespace: String,
    /// Who installed it, by the marks on the Deployment.
    pub installed_by: InstalledBy,
    /// Whether the Deployment is rolled out and available, in its own words.
    pub ready: bool,
    /// `CLUSTER_ID` in the Deployment.
    pub cluster_id: Option<String>,
    /// In the mesh configuration.
    pub mesh_id: Option<String>,
    /// In the mesh configuration.
    pub trust_domain: Option<String>,
    /// Each istiod pod, in its own words.
    pub replicas: Vec<ReplicaReport>,
}

/// One istiod pod.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaReport {
    /// Its name.
    pub pod: String,
    /// Whether it is Ready, in the API server's words.
    pub ready: bool,
    /// istiod's `/version`.
    pub version: Option<String>,
    /// istiod's `/debug/clusterz`.
    pub clusters: Vec<ReplicaCluster>,
    /// Why it said nothing, where it did not.
    pub error: Option<String>,
}

/// One cluster in a replica's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaCluster {
    /// The cluster ID.
    pub id: String,
    /// `namespace/name` of the remote secret; absent for its own cluster.
    pub secret_name: Option<String>,
    /// `synced` says only that the first synchronisation was finished once.
    pub sync_status: String,
}

/// Whom a cluster's workloads trust, and who signs for them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrustReport {
    /// In the ConfigMap `istio-ca-root-cert` of the system namespace: what workloads are given.
    pub roots: Vec<CertificateReport>,
    /// The certificate that istiod signs with, from its Secret.
    pub issuers: Vec<CertificateReport>,
    /// `stolos`, `istiod` (self-signed), another writer of `cacerts`, or absent where unknown.
    pub managed_by: Option<String>,
}

/// A certificate in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateReport {
    /// Lower-case hex SHA-256 of the DER.
    pub sha256: String,
    /// RFC 3339, UTC.
    pub not_after: String,
}

/// One cross-network gateway.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayReport {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `Service`.
    pub kind: &'static str,
    /// The network that its label says is behind it.
    pub network: String,
    /// Where peers reach it.
    pub addresses: Vec<Address>,
    /// The ports that it listens on.
    pub ports: Vec<u64>,
}

/// Where a gateway is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Address {
    /// What the value is.
    #[serde(rename = "type")]
    pub kind: AddressKind,
    /// The address.
    pub value: String,
}

/// Gateway API's words for addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AddressKind {
    /// An IP address.
    #[serde(rename = "IPAddress")]
    IpAddress,
    /// A host name, which istiod resolves.
    Hostname,
}

/// Something that is wrong or worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Stable; `stolos explain CODE` says more.
    pub code: &'static str,
    /// The catalogue's.
    pub severity: Severity,
    /// The cluster it was found in; absent where it concerns none alone.
    pub cluster: Option<String>,
    /// What was found: names, namespaces, numbers.
    pub message: String,
    /// What to do or type next.
    pub hint: String,
    /// It only restates that a cluster could not be read: exit code 4, not 3.
    #[serde(skip)]
    pub restates_unread: bool,
}

/// The links alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinkList {
    /// As in the report.
    pub links: Links,
}

/// The control planes alone: the body of `kind: ControlPlaneList`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ControlPlaneList {
    /// Every istiod Deployment.
    pub control_planes: Vec<ShownControlPlane>,
}

/// A control plane, and where it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownControlPlane {
    /// The cluster's name.
    pub cluster: String,
    /// The kubeconfig context that it is reached by.
    pub context: String,
    /// What it is.
    #[serde(flatten)]
    pub control_plane: ControlPlaneReport,
}

impl Body for ControlPlaneList {
    const KIND: &'static str = "ControlPlaneList";
}

impl Body for LinkList {
    const KIND: &'static str = "LinkList";
}

impl StatusReport {
    /// The kind of failure that the report is, which picks the exit code; none where all is well.
    pub fn failure(&self) -> Option<ErrorKind> {
        let differs = self
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Error && !finding.restates_unread);
        self.failure_if(differs)
    }

    /// The same of the links alone.
    pub fn links_failure(&self) -> Option<ErrorKind> {
        self.failure_if(
            self.links
                .groups()
                .iter()
                .any(|group| group.facts().state.is_error()),
        )
    }

    /// Where several hold: no cluster at all, then what is wrong, then what is unread.
    fn failure_if(&self, differs: bool) -> Option<ErrorKind> {
        if !self.clusters.is_empty() && self.clusters.iter().all(|cluster| !cluster.reachable) {
            Some(ErrorKind::Unreachable)
        } else if differs {
            Some(ErrorKind::Differs)
        } else if !self.complete {
            Some(ErrorKind::Partial)
        } else {
            None
        }
    }

    /// The exit code that goes with a report of the control planes alone: none may be wrong that was read.
    pub fn control_planes_failure(&self) -> Option<ErrorKind> {
        self.failure_if(false)
    }

    /// The control planes alone.
    pub fn control_plane_list(self) -> ControlPlaneList {
        let clusters = self.clusters.into_iter();
        let control_planes = clusters.flat_map(|cluster| {
            let (name, context) = (cluster.name, cluster.context);
            cluster
                .control_planes
                .into_iter()
                .map(move |control_plane| ShownControlPlane {
                    cluster: name.clone(),
                    context: context.clone(),
                    control_plane,
                })
        });
        ControlPlaneList {
            control_planes: control_planes.collect(),
        }
    }

    /// The links alone.
    pub fn link_list(self) -> LinkList {
        LinkList { links: self.links }
    }
}

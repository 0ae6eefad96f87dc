//! Status: an inventory becomes a report with findings, whoever made the mesh. Pure. `view` infers
//! what the checks need, `links` weighs what speaks for and against each link, `catalogue` and
//! `check` say what is wrong.

pub mod catalogue;
pub mod check;
pub mod credential;
pub mod links;
pub mod report;
pub mod trust_view;
pub mod view;

use jiff::Timestamp;

pub use catalogue::{Entry, Severity};
pub use report::{Finding, LinkReport, LinkState, StatusReport};

use crate::document::{DocumentError, time};
use crate::fleet::{ClusterName, Fleet};
use crate::inventory::{ControlPlane, Inventory, Observation, Replica};
use crate::trust::{Certificate, RootOnHand};
use report::{
    CertificateReport, ClusterReport, ControlPlaneReport, GatewayReport, Kubernetes, ReplicaCluster,
    ReplicaReport, TrustReport,
};
use trust_view::{Authority, Trust};
use view::{ClusterView, View};

/// The report of what was seen, at a time. Without a fleet file, what one would declare is inferred.
/// `root` is the root on this machine, where somebody looked.
pub fn report(
    inventory: &Inventory,
    fleet: Option<&Fleet>,
    root: Option<&RootOnHand>,
    at: Timestamp,
) -> StatusReport {
    let view = View::new(inventory, fleet, root, at);
    let findings = catalogue::findings(&view);
    let errors = DocumentError::of(inventory);
    let complete = errors.is_empty();
    StatusReport {
        healthy: complete
            && !findings.iter().any(|finding| finding.severity == Severity::Error)
            && view.links.iter().all(|link| link.state >= LinkState::Paused),
        clusters: view.clusters.iter().map(|seen| cluster(seen, &errors)).collect(),
        findings,
        complete,
        links: view.links,
    }
}

/// The reports of clusters alone, as far as they have been read: what can be said of each before all
/// of them are known.
pub fn clusters<'inventory>(
    clusters: impl IntoIterator<Item = (&'inventory ClusterName, &'inventory Observation)>,
    fleet: Option<&Fleet>,
) -> Vec<ClusterReport> {
    clusters
        .into_iter()
        .map(|(name, observation)| {
            let errors = DocumentError::of_cluster(name.as_str(), observation);
            cluster(&ClusterView::new(name, observation, fleet), &errors)
        })
        .collect()
}

fn cluster(cluster: &ClusterView<'_>, errors: &[DocumentError]) -> ClusterReport {
    let stated = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let seen = cluster.seen.ok();
    let role = cluster.role();
    let declared = [("role", role.is_some()), ("network", cluster.network().is_some())];
    let inferred = declared
        .into_iter()
        .filter(|(_, is_there)| *is_there && cluster.spec.is_none())
        .map(|(field, _)| field)
        .collect();
    ClusterReport {
        name: cluster.name.to_string(),
        context: cluster.context.to_owned(),
        server: seen.and_then(|inventory| stated(&inventory.server)),
        uid: seen.and_then(|inventory| stated(&inventory.uid)),
        reachable: seen.is_some(),
        error: cluster.seen.err().map(ToString::to_string),
        complete: !errors.iter().any(|error| error.cluster == cluster.name.as_str()),
        kubernetes: Kubernetes {
            version: seen.and_then(|inventory| stated(&inventory.kubernetes_version)),
        },
        role,
        network: cluster.network().map(str::to_owned),
        inferred,
        control_planes: cluster.planes().iter().map(control_plane).collect(),
        trust: trust(&cluster.trust),
        gateways: cluster
            .known_gateways()
            .iter()
            .map(|gateway| GatewayReport {
                namespace: gateway.namespace.clone(),
                name: gateway.name.clone(),
                kind: "Service",
                network: gateway.network.clone(),
                addresses: gateway.addresses.clone(),
                ports: gateway.ports.clone(),
            })
            .collect(),
    }
}

fn control_plane(plane: &ControlPlane<'_>) -> ControlPlaneReport {
    ControlPlaneReport {
        revision: plane.revision.clone(),
        version: plane.version().map(str::to_owned),
        namespace: plane.namespace.clone(),
        installed_by: plane.installed_by,
        ready: plane.ready,
        cluster_id: plane.effective_cluster_id().map(str::to_owned),
        mesh_id: plane.mesh_id.known().cloned(),
        trust_domain: plane.trust_domain.known().cloned(),
        replicas: plane.replicas.iter().map(|said| replica(said)).collect(),
    }
}

fn replica(replica: &Replica) -> ReplicaReport {
    let clusters = replica.clusterz.said().into_iter().flatten();
    let failure = replica.clusterz.failure().or_else(|| replica.version.failure());
    ReplicaReport {
        pod: replica.pod.clone(),
        ready: replica.ready,
        version: replica.version.said().cloned(),
        clusters: clusters
            .map(|entry| ReplicaCluster {
                id: entry.id.clone(),
                secret_name: (!entry.secret_name.is_empty()).then(|| entry.secret_name.clone()),
                sync_status: entry.sync_status.clone(),
            })
            .collect(),
        error: failure.map(ToString::to_string),
    }
}

fn trust(trust: &Trust<'_>) -> TrustReport {
    let certificate = |certificate: &Certificate| CertificateReport {
        sha256: certificate.sha256.clone(),
        not_after: time(certificate.not_after),
    };
    let signer = trust.signer();
    let signing = signer.and_then(|signer| signer.signing.as_ref());
    TrustReport {
        roots: trust
            .roots
            .known()
            .into_iter()
            .flatten()
            .map(certificate)
            .collect(),
        issuers: signing.map(certificate).into_iter().collect(),
        managed_by: signer.map(Authority::managed_by),
    }
}

//! Status: an inventory becomes a report with findings, whoever made the mesh. Pure. `view` infers
//! what the checks need; `links` weighs what speaks for and against each link, by what its `reader`
//! has, and keeps them as `link_report` says; `catalogue` and `check` say what is wrong, `told` puts
//! links together for people.

pub mod bundles;
pub mod catalogue;
pub mod check;
pub mod credential;
pub mod link_report;
pub mod link_state;
pub mod links;
pub mod reader;
pub mod report;
pub mod told;
pub mod trust_view;
pub mod view;

use std::collections::BTreeSet;

use jiff::Timestamp;

pub use catalogue::{Entry, Severity};
pub use link_report::{LinkReport, Links};
pub use link_state::LinkState;
pub use report::{Finding, StatusReport};

use crate::document::{DocumentError, is_whole, time};
use crate::fleet::{ClusterName, Fleet};
use crate::inventory::{ControlPlane, Inventory, Observation, Replica};
use crate::trust::{Certificate, RootOnHand};
use bundles::Bundles;
use report::{
    CertificateReport, ClusterReport, ControlPlaneReport, GatewayReport, Kubernetes, ReplicaCluster,
    ReplicaReport, TrustReport,
};
use trust_view::{Authority, Trust};
use view::{ClusterView, View, specs};

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
    let incomplete: BTreeSet<&str> = errors.iter().map(|error| error.cluster.as_str()).collect();
    StatusReport {
        healthy: complete
            && !findings.iter().any(|finding| finding.severity == Severity::Error)
            && view
                .links
                .groups()
                .iter()
                .all(|group| group.facts().state >= LinkState::Paused),
        clusters: view
            .clusters
            .iter()
            .map(|seen| cluster(seen, !incomplete.contains(seen.name.as_str())))
            .collect(),
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
    let specs = specs(fleet);
    let bundles = Bundles::default();
    clusters
        .into_iter()
        .map(|(name, observation)| {
            let is_complete = is_whole(observation);
            let spec = specs.get(name).copied();
            cluster(&ClusterView::new(name, observation, spec, &bundles), is_complete)
        })
        .collect()
}

fn cluster(cluster: &ClusterView<'_>, is_complete: bool) -> ClusterReport {
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
        complete: is_complete,
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

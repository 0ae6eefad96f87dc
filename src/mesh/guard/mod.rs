//! The topology guard: a mesh that cannot work is refused before anything is written, with the reason
//! and where Istio gives it. What the fleet file alone shows is refused before anything is read.

mod ranges;
pub mod table;

use std::collections::{BTreeMap, BTreeSet};

use table::{
    COMBINATIONS, Combination, Minor, Networks, RELEASES, RELEASES_REFERENCE, Support, Verdict, release_of,
};

pub use ranges::shares_networks;

use super::objects::Rendering;
use super::values::is_ambient;
use crate::fleet::spec::{DEFAULT_REVISION, named_revision};
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet, Model, Role};
use crate::inventory::control_plane::{REVISION_LABEL, led_by};
use crate::inventory::hint::quoted;
use crate::inventory::{ClusterInventory, ControlPlane, Fact, Inventory, Object, control_planes};
use crate::plan::Blocked;
use crate::plan::ownership::Ownership;

/// What a fleet file asks for that is not to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is refused, and why.
    pub reason: String,
    /// What to write instead, or where to read on.
    pub hint: String,
}

/// Why the mesh that a fleet file describes is not built, by the file alone: everything that speaks
/// against it. A mesh of any shape that others manage can be described and observed.
pub fn refusals(fleet: &Fleet) -> Vec<Refusal> {
    let clusters = &fleet.spec.clusters;
    if !clusters.iter().any(|cluster| cluster.manages(Area::Mesh)) {
        return Vec::new();
    }
    let mut refusals: Vec<Refusal> = combination(fleet).and_then(refused).into_iter().collect();
    refusals.extend(
        clusters
            .iter()
            .filter_map(|cluster| role_does_not_fit(fleet, cluster)),
    );
    refusals.extend(
        clusters
            .iter()
            .filter_map(|cluster| unlike_its_primary(fleet, cluster)),
    );
    refusals.extend(two_revisions(fleet));
    refusals.extend(two_control_planes(fleet));
    let managed = clusters.iter().filter(|cluster| cluster.manages(Area::Mesh));
    let mut versions: BTreeSet<&str> = managed.map(|cluster| fleet.version(cluster)).collect();
    versions.extend(
        fleet
            .spec
            .mesh
            .other_revision
            .iter()
            .map(|other| other.version.as_str()),
    );
    refusals.extend(versions.into_iter().filter_map(too_old));
    refusals
}

/// The table's row for a fleet's mesh.
fn combination(fleet: &Fleet) -> Option<&'static Combination> {
    let (mesh, networks) = (&fleet.spec.mesh, networks(fleet));
    COMBINATIONS.iter().find(|row| {
        row.model == mesh.model
            && row.data_plane_mode == mesh.data_plane_mode
            && row.networks.contains(&networks)
    })
}

/// How the fleet's networks lie. An external cluster runs no workloads of the mesh.
fn networks(fleet: &Fleet) -> Networks {
    let clusters = fleet.spec.clusters.iter();
    let with_workloads = clusters.filter(|cluster| cluster.role != Role::External);
    let named: Vec<_> = with_workloads
        .filter_map(|cluster| cluster.network.as_ref())
        .collect();
    let distinct: BTreeSet<_> = named.iter().collect();
    if distinct.len() == named.len() {
        Networks::OneEach
    } else if distinct.len() == 1 {
        Networks::One
    } else {
        Networks::SomeShared
    }
}

fn refused(row: &Combination) -> Option<Refusal> {
    let wanted = format!(
        "`model: {}` with `dataPlaneMode: {}`",
        row.model.as_str(),
        row.data_plane_mode.as_str()
    );
    match row.verdict {
        Verdict::Supported => None,
        Verdict::Refused => Some(Refusal {
            reason: format!("{wanted}: {} ({})", row.reason, row.reference),
            hint: row.hint.to_owned(),
        }),
    }
}

/// A role that the model does not have.
fn role_does_not_fit(fleet: &Fleet, cluster: &ClusterSpec) -> Option<Refusal> {
    let model = fleet.spec.mesh.model;
    let fits = match model {
        Model::MultiPrimary => cluster.role == Role::Primary,
        Model::PrimaryRemote => matches!(cluster.role, Role::Primary | Role::Remote),
        Model::ExternalControlPlane => cluster.role != Role::Primary,
    };
    (!fits).then(|| Refusal {
        reason: format!(
            "the cluster {} has the role {}, which the model {} does not have",
            cluster.name,
            cluster.role.as_str(),
            model.as_str()
        ),
        hint: "write another `role` for it, or another `spec.mesh.model`".to_owned(),
    })
}

/// A remote whose control plane would not serve it: istiod leads in its own namespace's name alone, and
/// gives a CA bundle to the injector of its own revision alone (Istio:
/// `pilot/pkg/serviceregistry/kube/controller/multicluster.go`).
fn unlike_its_primary(fleet: &Fleet, remote: &ClusterSpec) -> Option<Refusal> {
    let of_remote = remote.role.is_served_from_afar() && remote.manages(Area::Mesh);
    let primary = fleet.served_by(remote).filter(|_| of_remote)?;
    let revision = |cluster| named_revision(fleet.revision(cluster));
    let (what, of_remote, of_primary) = [
        ("namespace", remote.system_namespace(), primary.system_namespace()),
        ("revision", revision(remote), revision(primary)),
    ]
    .into_iter()
    .find(|(_, of_remote, of_primary)| of_remote != of_primary)?;
    Some(Refusal {
        reason: format!(
            "the {} {} has the Istio {what} {of_remote}, and {} {} has {of_primary}: an istiod serves remotes of its \
             own {what} alone",
            match remote.role {
                Role::Config => "config cluster",
                _ => "remote",
            },
            remote.name,
            match primary.role {
                Role::External => "its control plane in",
                _ => "its primary",
            },
            primary.name
        ),
        hint: format!("write the same `istio: {{{what}: …}}` for both, or for neither"),
    })
}

/// A second control plane beside the first, where they would not keep apart: both would write ambient's proxies
/// on the nodes, or read what leads one external istiod to its configuration.
fn two_revisions(fleet: &Fleet) -> Option<Refusal> {
    fleet.spec.mesh.other_revision.as_ref()?;
    let why = if is_ambient(fleet) {
        "ambient has one proxy on a node, and no second beside it"
    } else if fleet.spec.mesh.model == Model::ExternalControlPlane {
        "an external control plane is one, for all that it serves"
    } else {
        return None;
    };
    Some(Refusal {
        reason: format!("`spec.mesh.otherRevision`: two revisions of such a mesh are not built yet: {why}"),
        hint: "take it out, and upgrade in place: `spec.mesh.version`".to_owned(),
    })
}

/// What an external control plane is not built for: several of them in one mesh, or one that reads its
/// configuration in several clusters.
fn two_control_planes(fleet: &Fleet) -> Option<Refusal> {
    if fleet.spec.mesh.model != Model::ExternalControlPlane {
        return None;
    }
    [Role::External, Role::Config].into_iter().find_map(|role| {
        let clusters = fleet.spec.clusters.iter();
        let of_role: Vec<&str> = clusters
            .filter(|cluster| cluster.role == role)
            .map(|cluster| cluster.name.as_str())
            .collect();
        (of_role.len() != 1).then(|| Refusal {
            reason: match of_role.as_slice() {
                [] => format!("there is no cluster with the role {}", role.as_str()),
                several => format!(
                    "{} have the role {}: several in one mesh are not built yet",
                    several.join(" and "),
                    role.as_str()
                ),
            },
            hint: "give one cluster the role external, one the role config, and all others the role remote with the \
                   config cluster for their `primary`"
                .to_owned(),
        })
    })
}

/// A version that is no longer installed. Of one that is newer than this program nothing is known
/// that speaks against it.
fn too_old(version: &str) -> Option<Refusal> {
    let minor = Minor::of(version)?;
    let managed = RELEASES
        .iter()
        .filter(|release| release.support == Support::Managed);
    let (oldest, newest) = (managed.clone().next_back()?, managed.clone().next()?);
    (minor < oldest.istio).then(|| Refusal {
        reason: format!(
            "Istio {version} is older than the releases that this version installs, {} to {} \
             ({RELEASES_REFERENCE})",
            oldest.istio, newest.istio
        ),
        hint: "write a newer `version`, or leave it out".to_owned(),
    })
}

/// Why clusters, as they were seen, cannot be one mesh: each refusal in the cluster that it is about.
/// `renderings` say which version is to run, where one is to be installed; `adopts` is whether what `istioctl
/// install` made is taken over.
pub fn refused_by_what_stands(
    fleet: &Fleet,
    inventory: &Inventory,
    renderings: &BTreeMap<ClusterName, Rendering>,
    adopts: bool,
) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    for cluster in &fleet.spec.clusters {
        let Some(seen) = inventory.seen(&cluster.name) else {
            continue;
        };
        if cluster.manages(Area::Mesh) {
            let rendering = renderings.get(&cluster.name).into_iter();
            let mut versions = rendering.flat_map(Rendering::versions);
            blocked.extend(versions.find_map(|version| kubernetes_too_old(cluster, seen, version)));
            blocked.extend(another_configuration(fleet, cluster, seen));
            let foreign = seen
                .istiods_in(cluster.system_namespace())
                .filter(|istiod| Ownership::of(istiod, &fleet.metadata.name) != Ownership::Ours);
            let foreign: Vec<&Object> = foreign.filter(|_| adopts).collect();
            if !foreign.is_empty() {
                // What its proxies, and others' links, know it by is not changed under them.
                blocked.extend(another_identity(fleet, cluster, seen, Area::Mesh));
            }
            blocked.extend(
                foreign
                    .into_iter()
                    .find_map(|istiod| another_revision(fleet, cluster, istiod)),
            );
        } else if cluster.manages(Area::Links) {
            // What others installed is linked as it is.
            blocked.extend(another_identity(fleet, cluster, seen, Area::Links));
        }
    }
    blocked.extend(ranges::overlapping(fleet, inventory));
    blocked
}

/// An istiod that reads, or would read, its configuration in another cluster than the fleet file says: its
/// proxies know it by that cluster's ID, and what it did there would stay.
fn another_configuration(fleet: &Fleet, cluster: &ClusterSpec, seen: &ClusterInventory) -> Option<Blocked> {
    let wanted = &fleet.configures(cluster)?.name;
    let namespace = cluster.system_namespace();
    let led = led_by(seen, namespace);
    if cluster.role == Role::Primary && led.is_none() {
        return None;
    }
    let planes = control_planes(seen);
    let mut planes = planes.known().into_iter().flatten();
    let standing = planes.find(|plane| plane.namespace == namespace);
    let id = standing.and_then(ControlPlane::effective_cluster_id);
    let (reason, hint) = match (id, led) {
        (Some(id), _) if id != wanted.as_str() => (
            format!(
                "its istiod goes by {id}, and is to go by {wanted}: where an istiod reads its configuration is not \
                 changed in place"
            ),
            "write the roles as they were, or take the mesh out first: `stolos mesh uninstall`, then `stolos apply`"
                .to_owned(),
        ),
        (None, Some(secret)) if cluster.role == Role::Primary => (
            format!(
                "the Secret {namespace}/{} would lead its istiod to the configuration of another cluster",
                secret.name
            ),
            format!(
                "take it out: `kubectl --context {} -n {namespace} delete secret {}`",
                quoted(cluster.context()),
                secret.name
            ),
        ),
        _ => return None,
    };
    Some(Blocked {
        cluster: cluster.name.clone(),
        area: Area::Mesh,
        reason,
        hint: Some(hint),
        unreachable: false,
    })
}

/// An istiod that would not be taken over with the rest: the fleet file does not name its revision, so that
/// another would be installed beside it.
fn another_revision(fleet: &Fleet, cluster: &ClusterSpec, istiod: &Object) -> Option<Blocked> {
    let revision = istiod.label(REVISION_LABEL).unwrap_or(DEFAULT_REVISION);
    let is_own = named_revision(fleet.revision(cluster)) == revision;
    (!is_own && !fleet.spec.mesh.has_revision(revision)).then(|| Blocked {
        cluster: cluster.name.clone(),
        area: Area::Mesh,
        reason: format!(
            "{} is of the revision {revision}, and the fleet file names {}: another control plane would be installed \
             beside it",
            istiod.reference(),
            named_revision(fleet.revision(cluster))
        ),
        hint: Some(format!("write `spec.mesh.revision: {revision}`")),
        unreachable: false,
    })
}

fn kubernetes_too_old(cluster: &ClusterSpec, seen: &ClusterInventory, version: &str) -> Option<Blocked> {
    let (oldest, _) = release_of(version)?.kubernetes;
    (Minor::of(&seen.kubernetes_version)? < oldest).then(|| Blocked {
        cluster: cluster.name.clone(),
        area: Area::Mesh,
        reason: format!(
            "Istio {version} needs Kubernetes {oldest} or later, and this is {} ({RELEASES_REFERENCE})",
            seen.kubernetes_version
        ),
        hint: Some(
            "upgrade the cluster, or choose an older Istio: `istio: {version: …}` of the cluster".to_owned(),
        ),
        unreachable: false,
    })
}

/// An istiod that goes by another cluster ID than the fleet's name for the cluster, or belongs to
/// another mesh: who links it links a stranger.
fn another_identity(
    fleet: &Fleet,
    cluster: &ClusterSpec,
    seen: &ClusterInventory,
    area: Area,
) -> Vec<Blocked> {
    let Fact::Known(planes) = control_planes(seen) else {
        return Vec::new();
    };
    let blocked = |reason: String, hint: String| Blocked {
        cluster: cluster.name.clone(),
        area,
        reason,
        hint: Some(hint),
        unreachable: false,
    };
    let here = planes
        .iter()
        .filter(|plane| plane.namespace == cluster.system_namespace());
    let mut refused = Vec::new();
    let name = &fleet.configures(cluster).unwrap_or(cluster).name;
    for plane in here {
        if let Some(id) = plane.effective_cluster_id()
            && id != name.as_str()
        {
            let taken = fleet.spec.clusters.iter().any(|other| other.name.as_str() == id);
            let is_taken = if taken {
                ", which is another cluster of the fleet"
            } else {
                ""
            };
            refused.push(blocked(
                format!(
                    "its istiod {}/{} goes by the cluster ID {id}{is_taken}, and the fleet file calls it {}: \
                     istiods match links and proxies by that ID",
                    plane.namespace, plane.name, cluster.name
                ),
                format!(
                    "set `global.multiCluster.clusterName: {}` where it is installed",
                    cluster.name
                ),
            ));
        }
        if let Some(mesh) = plane
            .mesh_id
            .known()
            .filter(|mesh| mesh.as_str() != fleet.mesh_id())
        {
            refused.push(blocked(
                format!(
                    "its istiod {}/{} belongs to the mesh {mesh}, and the fleet's is {}",
                    plane.namespace,
                    plane.name,
                    fleet.mesh_id()
                ),
                format!("write `spec.mesh.meshID: {mesh}`, or set `global.meshID` where it is installed"),
            ));
        }
    }
    refused
}

//! From a mesh that runs to the fleet file that describes it, however it was made. What somebody
//! else manages is only observed (`manage: []`), so the plan of what is written here is empty.

use std::collections::BTreeSet;

use super::name::{ClusterName, FleetName, NetworkName};
use super::propose::{Proposal, ProposalError, each_another, managed_by_others, uid};
use super::spec::{
    API_VERSION, ClusterSpec, DEFAULT_SYSTEM_NAMESPACE, Fleet, FleetMetadata, FleetSpec, IstioSpec, KIND,
    MeshSpec, Model, Role, Root, TrustSpec,
};
use crate::fleet::spec::DEFAULT_REVISION;
use crate::inventory::control_plane::{ControlPlane, Fact, control_planes, led_by};
use crate::inventory::kind::CONFIG_MAP;
use crate::inventory::{ClusterInventory, Observation};
use crate::trust::parse_bundle;

/// The fleet of a mesh that runs over these contexts, and what the reader should know of it.
///
/// # Errors
/// Two contexts reach the same cluster.
pub fn from_mesh(
    seen: &[(String, Observation)],
    name: &FleetName,
) -> Result<(Fleet, Vec<String>), ProposalError> {
    each_another(seen, None, &[])?;
    let mut proposal = Proposal::default();
    let mut facts = MeshFacts::default();
    for (context, observation) in seen {
        let cluster = match observation {
            Observation::Unreachable { failure, .. } => {
                proposal.warnings.push(format!(
                    "{context:?} does not answer now ({failure}): it is kept, and only observed"
                ));
                let mut cluster = ClusterSpec::named(proposed(context, &proposal));
                cluster.manage = Some(Vec::new());
                cluster
            }
            Observation::Seen(inventory) => one_cluster(context, inventory, seen, &mut proposal, &mut facts),
        };
        proposal.clusters.push(ClusterSpec {
            context: (cluster.name.as_str() != context).then(|| context.clone()),
            ..cluster
        });
    }
    let mesh = facts.agree(&mut proposal);
    hang_remotes(&mut proposal, &facts.remotes);
    name_networks(&mut proposal);
    let foreign = proposal.clusters.iter().any(|cluster| cluster.manage.is_some());
    let mut fleet = Fleet {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        metadata: FleetMetadata { name: name.clone() },
        spec: FleetSpec {
            mesh,
            trust: TrustSpec {
                root: if foreign { Root::External } else { Root::Managed },
                root_sha256: facts.roots.into_iter().collect(),
                ..TrustSpec::default()
            },
            clusters: proposal.clusters,
        },
    };
    if fleet
        .spec
        .clusters
        .iter()
        .any(|cluster| cluster.role == Role::Remote)
    {
        fleet.spec.mesh.model = Model::PrimaryRemote;
    }
    Ok((fleet, proposal.warnings))
}

/// What clusters say of the mesh, each with its cluster.
#[derive(Default)]
struct MeshFacts {
    mesh_ids: Vec<String>,
    trust_domains: Vec<String>,
    versions: Vec<(ClusterName, String)>,
    revisions: Vec<(ClusterName, String)>,
    roots: BTreeSet<String>,
    /// Clusters without an istiod, with the context of the cluster whose istiod reads them.
    remotes: Vec<(ClusterName, String)>,
}

fn proposed(context: &str, proposal: &Proposal) -> ClusterName {
    ClusterName::proposed_for(context).made_unique(|name| is_taken(proposal, name))
}

fn is_taken(proposal: &Proposal, name: &ClusterName) -> bool {
    proposal.clusters.iter().any(|cluster| cluster.name == *name)
}

fn one_cluster(
    context: &str,
    inventory: &ClusterInventory,
    all: &[(String, Observation)],
    proposal: &mut Proposal,
    facts: &mut MeshFacts,
) -> ClusterSpec {
    facts.roots.extend(roots(inventory));
    let planes = match control_planes(inventory) {
        Fact::Known(planes) => planes,
        Fact::Absent => Vec::new(),
        Fact::Unknown => {
            proposal.warnings.push(format!(
                "{context:?}: its Deployments may not be listed, so whether an istiod runs there is not known"
            ));
            Vec::new()
        }
    };
    let Some(plane) = planes
        .iter()
        .find(|plane| plane.revision == DEFAULT_REVISION)
        .or(planes.first())
    else {
        return without_control_plane(context, inventory, all, proposal, facts);
    };
    if planes.len() > 1 {
        proposal.warnings.push(format!(
            "{context:?} runs {} control planes; the file describes the one of revision {}",
            planes.len(),
            plane.revision
        ));
    }
    let is_led = led_by(inventory, &plane.namespace).is_some();
    let mut cluster = match is_led {
        true => ClusterSpec::named(proposed(context, proposal)),
        false => ClusterSpec::named(name_of(context, plane, proposal)),
    };
    if is_led {
        proposal.warnings.push(format!(
            "{context:?} runs an istiod for another cluster, which this version does not describe by itself: write \
             `role: external` for it, and `role: config` with `controlPlane: {}` for that one",
            cluster.name
        ));
        cluster.manage = Some(Vec::new());
    }
    cluster.uid = uid(inventory);
    cluster.network = plane.effective_network().and_then(|network| network.parse().ok());
    if plane.namespace != DEFAULT_SYSTEM_NAMESPACE {
        cluster.istio.namespace = plane.namespace.parse().ok();
    }
    if !managed_by_others(inventory, None).is_empty() {
        cluster.manage = Some(Vec::new());
    }
    facts.mesh_ids.extend(plane.mesh_id.known().cloned());
    facts.trust_domains.extend(plane.trust_domain.known().cloned());
    if let Some(version) = plane.version() {
        facts.versions.push((cluster.name.clone(), version.to_owned()));
    }
    let revision = if plane.revision == DEFAULT_REVISION {
        ""
    } else {
        &plane.revision
    };
    facts.revisions.push((cluster.name.clone(), revision.to_owned()));
    cluster
}

/// The cluster ID is the name, where it can be one.
fn name_of(context: &str, plane: &ControlPlane<'_>, proposal: &mut Proposal) -> ClusterName {
    let id = plane.effective_cluster_id().unwrap_or_default();
    match id.parse::<ClusterName>() {
        Ok(name) if !is_taken(proposal, &name) => name,
        Ok(name) => {
            proposal.warnings.push(format!(
                "{context:?}: its istiod goes by the cluster ID {name}, as another one does: Istio takes them for one cluster"
            ));
            proposed(context, proposal)
        }
        Err(_) => {
            let name = proposed(context, proposal);
            let said = if id.is_empty() {
                "could not be read".to_owned()
            } else {
                format!("is {id:?}")
            };
            proposal.warnings.push(format!(
                "{context:?}: the cluster ID of its istiod {said}, which is no name here; the file calls it {name}"
            ));
            name
        }
    }
}

/// A cluster without an istiod: a remote of whoever holds a remote secret for it, else a cluster
/// that is only observed.
fn without_control_plane(
    context: &str,
    inventory: &ClusterInventory,
    all: &[(String, Observation)],
    proposal: &mut Proposal,
    facts: &mut MeshFacts,
) -> ClusterSpec {
    let own = fingerprints(&inventory.kubeconfig_authority);
    let found = all.iter().find_map(|(other, observation)| {
        let Observation::Seen(reader) = observation else {
            return None;
        };
        let entries = reader.remote_secrets.iter().flat_map(|secret| &secret.entries);
        let entry = entries
            .filter(|entry| !entry.cluster_id.is_empty())
            .find(|entry| !own.is_empty() && fingerprints(&entry.authority) == own)?;
        (other != context).then(|| (other.clone(), entry.cluster_id.clone()))
    });
    let mut cluster = ClusterSpec::named(proposed(context, proposal));
    cluster.uid = uid(inventory);
    cluster.manage = Some(Vec::new());
    match found {
        Some((reader, id)) => {
            if let Ok(name) = id.parse::<ClusterName>()
                && !is_taken(proposal, &name)
            {
                cluster.name = name;
            }
            cluster.role = Role::Remote;
            facts.remotes.push((cluster.name.clone(), reader));
        }
        None => proposal.warnings.push(format!(
            "{context:?} has no istiod, and none is seen to read it: it is only observed"
        )),
    }
    cluster
}

/// Gives each remote the name of the cluster that reads it.
fn hang_remotes(proposal: &mut Proposal, remotes: &[(ClusterName, String)]) {
    for (remote, reader) in remotes {
        let primary = proposal
            .clusters
            .iter()
            .find(|cluster| cluster.role == Role::Primary && cluster.context() == reader)
            .map(|cluster| cluster.name.clone());
        if let Some(cluster) = proposal
            .clusters
            .iter_mut()
            .find(|cluster| cluster.name == *remote)
        {
            if primary.is_none() {
                cluster.role = Role::Primary;
            }
            cluster.primary = primary;
        }
    }
}

/// Workloads run in a network: where Istio names none at all, all clusters share one; where it
/// names some, a cluster without one is in its own.
fn name_networks(proposal: &mut Proposal) {
    let several = proposal.clusters.len() > 1;
    let none_named = proposal.clusters.iter().all(|cluster| cluster.network.is_none());
    for cluster in &mut proposal.clusters {
        if cluster.network.is_none() {
            let shared: Option<NetworkName> = "default".parse().ok();
            let own: Option<NetworkName> = cluster.name.as_str().parse().ok();
            cluster.network = if none_named && several { shared } else { own };
            if several && let Some(network) = &cluster.network {
                proposal.warnings.push(format!(
                    "{} says nothing of its network; the file calls it {network}: check that before you manage the mesh with it",
                    cluster.name
                ));
            }
        }
    }
}

impl MeshFacts {
    /// What holds for the whole mesh; where clusters differ, what a cluster says by itself.
    fn agree(&self, proposal: &mut Proposal) -> MeshSpec {
        let trust_domain = one_of("trust domain", &self.trust_domains, proposal);
        let mut mesh = MeshSpec {
            mesh_id: one_of("mesh ID", &self.mesh_ids, proposal),
            trust_domain: if trust_domain == "cluster.local" {
                String::new()
            } else {
                trust_domain
            },
            ..MeshSpec::default()
        };
        mesh.version = over_mesh(&self.versions, proposal, |istio| &mut istio.version);
        mesh.revision = over_mesh(&self.revisions, proposal, |istio| &mut istio.revision);
        mesh
    }
}

/// A fact that must be the same everywhere: the first cluster's, with a warning where others differ.
fn one_of(what: &str, values: &[String], proposal: &mut Proposal) -> String {
    let distinct: BTreeSet<&String> = values.iter().collect();
    if distinct.len() > 1 {
        let all: Vec<&str> = distinct.into_iter().map(String::as_str).collect();
        proposal.warnings.push(format!(
            "the clusters differ in their {what}: {}; the file says {}",
            all.join(", "),
            values[0]
        ));
    }
    values.first().cloned().unwrap_or_default()
}

/// A fact that a cluster can have of its own: the mesh's is the first, and who differs says so.
fn over_mesh(
    values: &[(ClusterName, String)],
    proposal: &mut Proposal,
    field: impl Fn(&mut IstioSpec) -> &mut String,
) -> String {
    // A cluster cannot say "nothing" over the mesh's word, so nothing is the mesh's where one has it.
    let nothing = values.iter().find(|(_, value)| value.is_empty());
    let Some((_, first)) = nothing.or(values.first()) else {
        return String::new();
    };
    for (name, value) in values {
        if value != first
            && let Some(cluster) = proposal.clusters.iter_mut().find(|cluster| cluster.name == *name)
        {
            field(&mut cluster.istio).clone_from(value);
        }
    }
    first.clone()
}

/// The roots that a cluster's control planes sign under, or give to workloads.
fn roots(inventory: &ClusterInventory) -> BTreeSet<String> {
    let mut roots = BTreeSet::new();
    let namespaces: BTreeSet<&str> = inventory
        .authorities
        .iter()
        .map(|secret| secret.namespace.as_str())
        .collect();
    for namespace in namespaces {
        let of = |name: &str| {
            inventory
                .authorities
                .iter()
                .find(|secret| secret.namespace == namespace && secret.name == name)
        };
        if let Some(secret) = of("cacerts").or_else(|| of("istio-ca-secret")) {
            let pem = if secret.roots.is_empty() {
                &secret.signing_certificate
            } else {
                &secret.roots
            };
            roots.extend(fingerprints(pem));
        }
    }
    if roots.is_empty() {
        // Whoever may not read Secrets sees what is given to workloads.
        let given = inventory
            .of_kind(CONFIG_MAP)
            .filter(|object| object.name() == "istio-ca-root-cert")
            .map(|object| object.text(&["data", "root-cert.pem"]));
        roots.extend(given.flat_map(fingerprints));
    }
    roots
}

fn fingerprints(pem: &str) -> BTreeSet<String> {
    parse_bundle(pem)
        .unwrap_or_default()
        .into_iter()
        .map(|certificate| certificate.sha256)
        .collect()
}

#[cfg(test)]
#[path = "infer_tests.rs"]
mod tests;

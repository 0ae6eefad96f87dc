//! What contexts become as clusters of a fleet: names, networks, identities, and what is left to
//! those who manage it already. Nothing is guessed silently: what could not be read is a warning.

use thiserror::Error;

use super::name::{ClusterName, FleetName, NetworkName};
use super::spec::{Area, ClusterSpec, Fleet, Role};
use crate::inventory::control_plane::{ControlPlane, Fact, control_planes, namespace_network};
use crate::inventory::installer::InstalledBy;
use crate::inventory::kind::DEPLOYMENT;
use crate::inventory::{ClusterInventory, Observation};
use crate::plan::ownership::FLEET_LABEL;

use super::spec::DEFAULT_SYSTEM_NAMESPACE;

/// Why contexts cannot become clusters of one fleet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProposalError {
    /// Two contexts reach one cluster.
    #[error("the contexts {one:?} and {other:?} reach the same cluster (kube-system has the UID {uid})")]
    SameCluster {
        /// The first.
        one: String,
        /// The second.
        other: String,
        /// The cluster.
        uid: String,
    },
    /// The fleet has the cluster already.
    #[error(
        "the context {context:?} reaches the cluster {cluster} of the fleet (kube-system has the UID {uid})"
    )]
    InFleet {
        /// The context.
        context: String,
        /// The cluster's name in the fleet.
        cluster: ClusterName,
        /// The cluster.
        uid: String,
    },
    /// The fleet has a cluster that is reached by this context.
    #[error("the fleet's cluster {cluster} is reached by the context {context:?} already")]
    ContextInFleet {
        /// The context.
        context: String,
        /// The cluster's name in the fleet.
        cluster: ClusterName,
    },
    /// The fleet has a cluster of that name.
    #[error("the fleet has a cluster {0} already")]
    NameTaken(ClusterName),
}

impl From<ProposalError> for crate::error::Error {
    fn from(error: ProposalError) -> Self {
        let shown = crate::error::Error::request(error.to_string());
        match error {
            ProposalError::SameCluster { other, .. } => shown.hint(format!(
                "name one of the two, or leave one out with --exclude {other:?}"
            )),
            ProposalError::InFleet { .. } | ProposalError::ContextInFleet { .. } => {
                shown.hint("`stolos clusters` lists the fleet's clusters")
            }
            ProposalError::NameTaken(_) => shown.hint("give it another one with --name"),
        }
    }
}

/// What contexts would be in a fleet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposal {
    /// One for each context, in their order.
    pub clusters: Vec<ClusterSpec>,
    /// What the reader should know.
    pub warnings: Vec<String>,
}

/// What is wanted of a proposal.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// The name, where one context is proposed.
    pub name: Option<ClusterName>,
    /// The network of all of them, instead of one each.
    pub network: Option<NetworkName>,
}

/// What contexts would be as clusters of a fleet that may have clusters already. `known` are the
/// UIDs of those that pin none, as they were read now.
///
/// # Errors
/// Two contexts, or a context and a cluster of the fleet, are the same cluster; a name is taken.
pub fn propose(
    seen: &[(String, Observation)],
    name: &FleetName,
    fleet: Option<&Fleet>,
    known: &[(ClusterName, String)],
    wishes: &Wishes,
) -> Result<Proposal, ProposalError> {
    each_another(seen, fleet, known)?;
    let mut proposal = Proposal::default();
    for (context, observation) in seen {
        let taken = |name: &ClusterName| {
            fleet.is_some_and(|fleet| fleet.cluster(name).is_some())
                || proposal.clusters.iter().any(|cluster| cluster.name == *name)
        };
        let cluster_name = match &wishes.name {
            Some(name) if taken(name) => return Err(ProposalError::NameTaken(name.clone())),
            Some(name) => name.clone(),
            None => ClusterName::proposed_for(context).made_unique(taken),
        };
        let mut cluster = ClusterSpec::named(cluster_name);
        cluster.context = (cluster.name.as_str() != context).then(|| context.clone());
        cluster.network.clone_from(&wishes.network);
        // Of an external control plane there is one: whoever joins is served by it.
        let mut others = fleet.into_iter().flat_map(|fleet| &fleet.spec.clusters);
        if let Some(config) = others.find(|other| other.role == Role::Config) {
            cluster.role = Role::Remote;
            cluster.primary = Some(config.name.clone());
        }
        match observation {
            Observation::Unreachable { failure, .. } => proposal.warnings.push(format!(
                "{context:?} does not answer now ({failure}): it is kept without its UID, and asked again by every plan"
            )),
            Observation::Seen(inventory) => {
                cluster.uid = uid(inventory);
                if cluster.uid.is_none() {
                    proposal.warnings.push(format!(
                        "{context:?}: the UID of its kube-system namespace may not be read, so it is not pinned"
                    ));
                }
                if cluster.network.is_none() {
                    let network = namespace_network(inventory, DEFAULT_SYSTEM_NAMESPACE);
                    cluster.network = network.known().and_then(|network| network.parse().ok());
                }
                let others = managed_by_others(inventory, Some(name));
                let mut reasons: Vec<&String> = others.iter().map(|(_, reason)| reason).collect();
                reasons.dedup();
                for reason in reasons {
                    let areas: Vec<&str> = others
                        .iter()
                        .filter(|(_, other)| other == reason)
                        .map(|(area, _)| area.as_str())
                        .collect();
                    proposal.warnings.push(format!(
                        "{context:?}: `manage` leaves out {}, since {reason}",
                        areas.join(" and ")
                    ));
                }
                cluster.manage = remaining(&others);
            }
        }
        if cluster.network.is_none() {
            // A label value takes every DNS label.
            cluster.network = cluster.name.as_str().parse().ok();
        }
        proposal.clusters.push(cluster);
    }
    Ok(proposal)
}

/// No cluster may be in a fleet twice.
pub(super) fn each_another(
    seen: &[(String, Observation)],
    fleet: Option<&Fleet>,
    known: &[(ClusterName, String)],
) -> Result<(), ProposalError> {
    let in_fleet = fleet.map_or(&[][..], |fleet| &fleet.spec.clusters);
    let mut met: Vec<(&str, String)> = Vec::new();
    for (context, observation) in seen {
        if let Some(cluster) = in_fleet
            .iter()
            .find(|cluster| cluster.kubeconfig.is_none() && cluster.context() == context)
        {
            return Err(ProposalError::ContextInFleet {
                context: context.clone(),
                cluster: cluster.name.clone(),
            });
        }
        let Observation::Seen(inventory) = observation else {
            continue;
        };
        let Some(uid) = uid(inventory) else { continue };
        if let Some((one, _)) = met.iter().find(|(_, other)| *other == uid) {
            return Err(ProposalError::SameCluster {
                one: (*one).to_owned(),
                other: context.clone(),
                uid,
            });
        }
        let pinned = in_fleet
            .iter()
            .filter_map(|cluster| Some((&cluster.name, cluster.uid.as_ref()?)));
        let read = known.iter().map(|(name, uid)| (name, uid));
        if let Some((cluster, _)) = pinned.chain(read).find(|(_, other)| **other == uid) {
            return Err(ProposalError::InFleet {
                context: context.clone(),
                cluster: cluster.clone(),
                uid,
            });
        }
        met.push((context, uid));
    }
    Ok(())
}

pub(super) fn uid(inventory: &ClusterInventory) -> Option<String> {
    (!inventory.uid.is_empty()).then(|| inventory.uid.clone())
}

/// The areas that somebody else manages in a cluster, with who, in words.
pub fn managed_by_others(inventory: &ClusterInventory, name: Option<&FleetName>) -> Vec<(Area, String)> {
    let mut others = Vec::new();
    if let Fact::Known(planes) = control_planes(inventory)
        && let Some(plane) = planes.iter().find(|plane| !is_ours(inventory, plane, name))
    {
        let owner = match plane.installed_by {
            InstalledBy::Stolos => "another fleet of stolos".to_owned(),
            InstalledBy::Unknown => "somebody else".to_owned(),
            installer => installer.as_str().to_owned(),
        };
        let said = format!("Istio in {} was installed by {owner}", plane.namespace);
        // Whoever runs an istiod has its workloads trust its root, self-signed or not.
        others.push((Area::Trust, said.clone()));
        others.push((Area::Mesh, said));
    } else if let Some(secret) = inventory.authorities.iter().find(|secret| {
        secret.name == "cacerts" && !(secret.managed_by_stolos && is_fleet(&secret.fleet, name))
    }) {
        let said = format!("the Secret {}/cacerts stands and is not ours", secret.namespace);
        others.push((Area::Trust, said));
    }
    if let Some(secret) = inventory
        .remote_secrets
        .iter()
        .chain(&inventory.istiod_kubeconfigs)
        .find(|secret| !(secret.managed_by_stolos && is_fleet(&secret.fleet, name)))
    {
        let said = format!(
            "the remote secret {}/{} is not ours",
            secret.namespace, secret.name
        );
        others.push((Area::Links, said));
    }
    others
}

/// What is left to manage; `None` where everything is.
fn remaining(others: &[(Area, String)]) -> Option<Vec<Area>> {
    if others.is_empty() {
        return None;
    }
    let free = |area: &Area| !others.iter().any(|(taken, _)| taken == area);
    Some(Area::ALL.into_iter().filter(free).collect())
}

fn is_ours(inventory: &ClusterInventory, plane: &ControlPlane<'_>, name: Option<&FleetName>) -> bool {
    plane.installed_by == InstalledBy::Stolos
        && inventory
            .of_kind(DEPLOYMENT)
            .filter(|deployment| deployment.namespace() == plane.namespace && deployment.name() == plane.name)
            .all(|deployment| is_fleet(deployment.label(FLEET_LABEL).unwrap_or_default(), name))
}

fn is_fleet(label: &str, name: Option<&FleetName>) -> bool {
    name.is_none_or(|name| name.as_str() == label)
}

#[cfg(test)]
#[path = "propose_tests.rs"]
mod tests;

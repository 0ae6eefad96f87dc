//! How a cluster leaves: unlinked from all others first, then what the fleet put there is taken
//! out, in the reverse of the order in which it was put, and nothing else. What stays is named.

mod definitions;
mod going;

use std::collections::BTreeSet;

use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet, Role};
use crate::inventory::{ClusterInventory, Inventory, Observation, kind};
use crate::link::secret::{self, LinkSecret};
use crate::mesh::istiod_deployment;
use crate::plan::draft::{Draft, unread};
use crate::plan::{Action, Blocked, Content, Gate, Plan, StepId};
use crate::reconcile::settle;
use going::Before;

/// The selector by which remote secrets are searched.
const REMOTE_SECRETS: &str = "istio/multiCluster=true";

/// What leaving is to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// Only unlink: the mesh stays.
    pub keep_mesh: bool,
    /// Go on although proxies run there.
    pub allow_disruption: bool,
    /// Take Istio's definitions out as well, where no resource of somebody else's goes with them.
    pub definitions: bool,
    /// Whatever goes with them.
    pub allow_loss: bool,
    /// Clusters that give no answer are left as they are, for good.
    pub forget: bool,
}

/// How clusters leave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Leaving {
    /// What is to be done.
    pub plan: Plan,
    /// What stays in each cluster, and why.
    pub remains: Vec<Remains>,
    /// Clusters of which nothing could be read: their peers are unlinked, they themselves are as
    /// they were.
    pub unreachable: Vec<ClusterName>,
}

/// Something that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remains {
    /// Where.
    pub cluster: ClusterName,
    /// What, and why.
    pub what: String,
}

/// Plans how clusters leave a fleet.
pub fn plan(
    fleet: &Fleet,
    inventory: &Inventory,
    leaving: &BTreeSet<ClusterName>,
    choice: Choice,
) -> Leaving {
    let mut result = Leaving::default();
    let mut unlinked = Vec::new();
    for peer in fleet
        .spec
        .clusters
        .iter()
        .filter(|peer| !leaving.contains(&peer.name))
    {
        match inventory.clusters.get(&peer.name) {
            Some(Observation::Seen(seen)) => {
                let steps = unlink(fleet, peer, seen, leaving, &mut result.remains);
                unlinked.extend(steps.steps.iter().map(|step| step.id.clone()));
                result.plan.extend(steps);
            }
            Some(Observation::Unreachable { failure, .. }) => result.plan.blocked.push(Blocked {
                cluster: peer.name.clone(),
                area: Area::Links,
                reason: format!("whether it reads a cluster that leaves is not known: {failure}"),
                hint: Some("`stolos apply` takes out what it still reads, when it answers".to_owned()),
                unreachable: true,
            }),
            None => {}
        }
    }
    for name in leaving {
        let Some(cluster) = fleet.cluster(name) else {
            continue;
        };
        let stays = |remote: &ClusterName| {
            !leaving.contains(remote) || (inventory.seen(remote).is_none() && !choice.forget)
        };
        if let Some(blocked) = left_alone(fleet, cluster, stays) {
            result.plan.blocked.push(blocked);
            continue;
        }
        match inventory.seen(name) {
            None => result.unreachable.push(name.clone()),
            Some(seen) => {
                let mut unlinked = unlinked.clone();
                unlinked.extend(unasked(fleet, cluster, inventory, leaving));
                let before = Before {
                    unlinked,
                    released: released(fleet, cluster, leaving),
                };
                let (plan, remains) = going::take_out(fleet, cluster, seen, &before, choice);
                result.plan.extend(plan);
                result.remains.extend(remains);
            }
        }
    }
    result.plan = settle(result.plan);
    result
}

/// Why a cluster cannot leave: one that hangs on it, and stays, would be left without a control plane or
/// without its configuration, and the fleet file without whom it names.
fn left_alone(fleet: &Fleet, cluster: &ClusterSpec, stays: impl Fn(&ClusterName) -> bool) -> Option<Blocked> {
    let mut clusters = fleet.spec.clusters.iter();
    let blocked = |reason: String, hint: String| {
        Some(Blocked {
            cluster: cluster.name.clone(),
            area: Area::Mesh,
            reason,
            hint: Some(hint),
            unreachable: false,
        })
    };
    if let Some(other) = clusters.find(|other| names(other, cluster) && stays(&other.name)) {
        let (what, field) = match other.role {
            Role::Config => ("has it run its control plane", "controlPlane"),
            _ => ("has it for its primary", "primary"),
        };
        return blocked(
            format!("{}, which stays, {what}", other.name),
            format!(
                "have {0} leave as well, with --forget where it does not answer, or give it another `{field}` and \
                 `stolos apply` first",
                other.name
            ),
        );
    }
    let runs = fleet
        .served_by(cluster)
        .filter(|_| cluster.role == Role::Config)?;
    if !stays(&runs.name) {
        return None;
    }
    blocked(
        format!("{}, which stays, reads its configuration there", runs.name),
        format!("have {} leave as well", runs.name),
    )
}

/// Whether a cluster names another as the one that it hangs on.
fn names(cluster: &ClusterSpec, other: &ClusterSpec) -> bool {
    let named = [&cluster.primary, &cluster.control_plane];
    named.into_iter().flatten().any(|name| *name == other.name)
}

/// The step after which an istiod that leaves as well writes no more in a cluster that it serves: it no
/// longer reads it, or is gone where its configuration is there.
fn released(fleet: &Fleet, served: &ClusterSpec, leaving: &BTreeSet<ClusterName>) -> Option<StepId> {
    let server = fleet
        .served_by(served)
        .filter(|server| server.name != served.name && leaving.contains(&server.name))?;
    Some(match served.role {
        Role::Config => {
            let istiod = istiod_deployment(server, fleet.revision(server));
            StepId::awaiting(&server.name, Area::Mesh, &istiod, &Gate::Gone)
        }
        _ => {
            let link = LinkSecret::of(fleet, server, served).reference(server.system_namespace());
            StepId::of(&server.name, Area::Links, Action::Delete, &link)
        }
    })
}

/// The steps after which nobody asks a cluster's istiods from afar: the webhooks of those that they serve
/// are gone.
fn unasked(
    fleet: &Fleet,
    server: &ClusterSpec,
    inventory: &Inventory,
    leaving: &BTreeSet<ClusterName>,
) -> Vec<StepId> {
    let is_served = |other: &&ClusterSpec| {
        other.name != server.name
            && leaving.contains(&other.name)
            && fleet.served_by(other).is_some_and(|by| by.name == server.name)
    };
    let served = fleet.spec.clusters.iter().filter(is_served);
    let steps = served.filter_map(|served| Some((served, inventory.seen(&served.name)?)));
    let steps = steps.flat_map(|(served, seen)| {
        let webhooks = seen.objects.iter().filter(|object| object.is_webhook());
        webhooks.map(|object| StepId::of(&served.name, Area::Mesh, Action::Delete, &object.reference()))
    });
    steps.collect()
}

/// Takes the links to clusters that leave out of a peer.
fn unlink(
    fleet: &Fleet,
    peer: &ClusterSpec,
    seen: &ClusterInventory,
    leaving: &BTreeSet<ClusterName>,
    remains: &mut Vec<Remains>,
) -> Plan {
    let mut draft = Draft::new(&peer.name, Area::Links, seen, &fleet.metadata.name);
    let namespace = peer.system_namespace();
    if !seen.was_searched(kind::SECRET, REMOTE_SECRETS, namespace) {
        let any = kind::SECRET.reference(namespace, "any");
        let reason = format!(
            "whether it reads a cluster that leaves is not known: the Secrets of {namespace} could not be read"
        );
        let blocked = unread(&peer.name, Area::Links, seen, &any, &reason);
        draft.plan.blocked.push(blocked);
        return draft.plan;
    }
    for name in leaving {
        for remote in &seen.remote_secrets {
            if !remote
                .entries
                .iter()
                .any(|entry| entry.cluster_id == name.as_str())
            {
                continue;
            }
            let reference = kind::SECRET.reference(&remote.namespace, &remote.name);
            let ours = remote.managed_by_stolos && remote.fleet == fleet.metadata.name.as_str();
            if !ours || remote.name != secret::name(name.as_str()) {
                remains.push(Remains {
                    cluster: peer.name.clone(),
                    what: format!(
                        "{reference} still holds {name}: it is not this fleet's ({})",
                        remote.managers.join(", ")
                    ),
                });
                continue;
            }
            let uid = seen
                .object(&reference)
                .map(|object| object.uid().to_owned())
                .unwrap_or_default();
            let reason = format!("{name} leaves");
            draft.step(Action::Delete, reference, reason, &[], Content::Delete { uid });
        }
    }
    draft.plan
}

#[cfg(test)]
mod tests;

//! Plans Istio in each cluster, in waves: the namespace, the definitions, the control plane, its
//! webhooks once it serves, the gateway once it can be injected, its address, what is offered through
//! it. A remote has no control plane; it waits for its primary's.

mod injection;
mod namespace;
mod primary;
mod remote;
mod waves;

use std::collections::{BTreeMap, BTreeSet};

pub use injection::given_back;
pub use primary::without_configuration;
pub use remote::unserved;

use waves::Waves;

use super::objects::Rendering;
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet, NamespaceName, Role};
use crate::inventory::{Inventory, Presence, kind};
use crate::plan::{Action, Blocked, Plan, StepId, Warning};

/// Plans the mesh in every cluster whose mesh the fleet manages. `signing` are the clusters whose
/// istiod will have its intermediate, by this plan's trust steps or already: an istiod that starts
/// without one signs for itself, and stays so. `adopts` is whether what `istioctl install` made is taken over.
pub fn plan(
    fleet: &Fleet,
    inventory: &Inventory,
    renderings: &BTreeMap<ClusterName, Rendering>,
    signing: &BTreeSet<ClusterName>,
    adopts: bool,
) -> Plan {
    let mut plan = Plan::default();
    for cluster in &fleet.spec.clusters {
        let (Some(seen), Some(rendering)) = (inventory.seen(&cluster.name), renderings.get(&cluster.name))
        else {
            continue;
        };
        if !cluster.manages(Area::Mesh) {
            continue;
        }
        let mut waves = Waves::new(fleet, cluster, seen);
        waves.draft.adopts = adopts;
        plan.extend(match cluster.role {
            Role::Primary | Role::External => {
                primary::plan(waves, rendering, signing.contains(&cluster.name))
            }
            Role::Remote | Role::Config => remote::plan(waves, inventory, rendering),
        });
    }
    keep_what_is_needed(&mut plan, fleet, inventory);
    plan.warnings.extend(in_no_cluster(fleet, inventory));
    plan
}

/// What leads a remote to an istiod stays where that one should go and does not by this plan: what blocks its
/// primary says why.
fn keep_what_is_needed(plan: &mut Plan, fleet: &Fleet, inventory: &Inventory) {
    let planned: BTreeSet<StepId> = plan.steps.iter().map(|step| step.id.clone()).collect();
    for remote in fleet
        .spec
        .clusters
        .iter()
        .filter(|cluster| cluster.role == Role::Remote)
    {
        let Some(primary) = fleet.served_by(remote) else {
            continue;
        };
        let going = remote::istiods_going(fleet, primary, inventory);
        let staying: Vec<StepId> = going.into_iter().filter(|step| !planned.contains(step)).collect();
        plan.steps.retain(|step| {
            let waits = step.needs.iter().any(|need| staying.contains(need));
            step.cluster != remote.name || step.action != Action::Delete || !waits
        });
    }
}

/// Says which namespaces are to be led to the other revision and are nowhere.
fn in_no_cluster(fleet: &Fleet, inventory: &Inventory) -> Option<Warning> {
    let stands = |name: &NamespaceName| {
        let reference = kind::NAMESPACE.reference("", name.as_str());
        let mut clusters = fleet.spec.clusters.iter();
        // Where a cluster gave no answer, it may be there.
        clusters.any(|cluster| {
            let seen = inventory.seen(&cluster.name);
            seen.is_none_or(|seen| !matches!(seen.presence(&reference), Presence::Absent))
        })
    };
    let named = &fleet.spec.mesh.other_revision.as_ref()?.namespaces;
    let nowhere: Vec<&str> = named
        .iter()
        .filter(|name| !stands(name))
        .map(NamespaceName::as_str)
        .collect();
    let cluster = fleet.spec.clusters.first().filter(|_| !nowhere.is_empty())?;
    Some(Warning {
        cluster: cluster.name.clone(),
        message: format!(
            "no cluster of the fleet has the namespace that `spec.mesh.otherRevision.namespaces` names: {}",
            nowhere.join(", ")
        ),
    })
}

fn blocked(cluster: &ClusterSpec, reason: String, hint: &str) -> Plan {
    Plan {
        blocked: vec![Blocked {
            cluster: cluster.name.clone(),
            area: Area::Mesh,
            reason,
            hint: Some(hint.to_owned()),
            unreachable: false,
        }],
        ..Plan::default()
    }
}

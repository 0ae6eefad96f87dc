//! Plans Istio in each cluster, in waves: the namespace, the definitions, the control plane, its
//! webhooks once it serves, the gateway once it can be injected, its address, what is offered through
//! it. A remote has no control plane; it waits for its primary's.

mod namespace;
mod primary;
mod remote;
mod waves;

use std::collections::{BTreeMap, BTreeSet};

pub use primary::without_configuration;
pub use remote::unserved;

use super::objects::Rendering;
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet, Role};
use crate::inventory::Inventory;
use crate::plan::{Blocked, Plan};

/// Plans the mesh in every cluster whose mesh the fleet manages. `signing` are the clusters whose
/// istiod will have its intermediate, by this plan's trust steps or already: an istiod that starts
/// without one signs for itself, and stays so.
pub fn plan(
    fleet: &Fleet,
    inventory: &Inventory,
    renderings: &BTreeMap<ClusterName, Rendering>,
    signing: &BTreeSet<ClusterName>,
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
        plan.extend(match cluster.role {
            Role::Primary | Role::External => {
                let signs = signing.contains(&cluster.name);
                primary::plan(fleet, cluster, seen, rendering, signs)
            }
            Role::Remote | Role::Config => remote::plan(fleet, cluster, inventory, seen, rendering),
        });
    }
    plan
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

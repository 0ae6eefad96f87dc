//! A remote: no control plane of its own, but a Service that leads to its primary's, and webhooks that
//! its primary's istiod answers once it reads the cluster.

use super::blocked;
use super::waves::{Ground, Waves, is_webhook};
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet};
use crate::inventory::{ClusterInventory, Inventory, Object, ObjectReference};
use crate::link::secret;
use crate::mesh::discovery::{Discovery, at_addresses, discovery, has_stand_in};
use crate::mesh::objects::{Desired, Rendering, desired};
use crate::plan::{Content, Gate, Plan, StepId};

/// Plans a remote; `links` says whether links are planned as well.
pub fn plan(
    fleet: &Fleet,
    cluster: &ClusterSpec,
    inventory: &Inventory,
    seen: &ClusterInventory,
    rendering: &Rendering,
    links: bool,
) -> Plan {
    let discovery = match discovery(fleet, cluster, inventory) {
        Ok(discovery) => discovery,
        Err(blocked) => {
            return Plan {
                blocked: vec![blocked],
                ..Plan::default()
            };
        }
    };
    let primary = cluster.primary.as_ref().and_then(|name| fleet.cluster(name));
    let read = Gate::Synced(cluster.name.to_string());
    if let Some(primary) = primary.filter(|_| !links) {
        let replicas = inventory.seen(&primary.name).map(|seen| &seen.replicas[..]);
        if let Some(missing) = read.missing_of_replicas(replicas.unwrap_or_default()) {
            let reason = format!(
                "no istiod answers its webhooks before its primary {} reads it: {missing}",
                primary.name
            );
            return blocked(cluster, reason, "`stolos apply` makes both");
        }
    }
    let mut waves = Waves::new(fleet, cluster, seen);
    let read = primary.map(|primary| {
        let name = secret::name(cluster.name.as_str());
        let link = ObjectReference::new("v1", "Secret", primary.system_namespace(), name);
        StepId::awaiting(&primary.name, Area::Links, &link, &read)
    });
    waves.remote(desired(fleet, cluster, rendering), &discovery, read);
    waves.draft.finish()
}

impl Waves<'_> {
    fn remote(&mut self, desired: Desired, discovery: &Discovery, read: Option<StepId>) {
        let ground = self.ground(&desired);
        let (webhooks, base): (Vec<_>, Vec<_>) = desired.control_plane.into_iter().partition(is_webhook);
        let mut before = ground.all();
        for object in base {
            let step = self.at_its_primary(object, discovery, &ground);
            before.extend(step);
        }
        // Before its primary reads the cluster, nobody gives the webhooks a CA bundle, and no pod
        // that they want could be made.
        before.extend(read);
        let hooked = self.webhooks(webhooks, &before);
        self.gateway(desired.gateway, desired.exposure, &ground, &hooked);
        self.prune(ground);
    }

    /// An object of a remote, with its primary's address where it has one.
    fn at_its_primary(&mut self, object: Object, discovery: &Discovery, ground: &Ground) -> Option<StepId> {
        let reason = "workloads find their primary's istiod by it";
        let parent = &ground.parent;
        match discovery {
            _ if !has_stand_in(&object) => self.draft.object(object, reason, parent),
            Discovery::At(addresses) => {
                let object = at_addresses(&object, addresses);
                self.draft.object(object, reason, parent)
            }
            Discovery::Awaited(awaited) => {
                let address = address_of(&awaited.cluster, &awaited.service);
                let needs: Vec<StepId> = parent.iter().cloned().chain([address]).collect();
                let content = |object| Content::ApplyAtAddress(object, awaited.clone());
                self.draft.object_as(object, reason, &needs, content)
            }
        }
    }
}

/// The wait for a Service's address.
fn address_of(cluster: &ClusterName, service: &ObjectReference) -> StepId {
    StepId::awaiting(cluster, Area::Mesh, service, &Gate::Address)
}

//! A remote: no control plane of its own, but a Service that leads to its primary's, and webhooks that
//! its primary's istiod answers once it reads the cluster.

use super::blocked;
use super::waves::{Ground, Waves, is_webhook};
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet};
use crate::inventory::{ClusterInventory, Inventory, Object, ObjectReference, kind};
use crate::link::secret;
use crate::mesh::discovery::{Discovery, at_addresses, discovery, has_stand_in};
use crate::mesh::objects::{Desired, Rendering, desired};
use crate::mesh::values::{GATEWAY_NAME, ISTIOD_ROUTE};
use crate::plan::ownership::Ownership;
use crate::plan::{Action, Content, Gate, Plan, StepId};

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
    let served = primary.map(|primary| served(primary, cluster, &read));
    waves.remote(
        desired(fleet, cluster, rendering),
        &discovery,
        &served.unwrap_or_default(),
    );
    waves.draft.finish()
}

/// What a primary has to do before its istiod serves a remote: read it, and be offered to it.
fn served(primary: &ClusterSpec, remote: &ClusterSpec, read: &Gate) -> Vec<StepId> {
    let of = |kind: kind::Kind, name: &str| {
        ObjectReference::new(kind.api_version, kind.kind, primary.system_namespace(), name)
    };
    let link = of(kind::SECRET, &secret::name(remote.name.as_str()));
    let route = of(kind::VIRTUAL_SERVICE, ISTIOD_ROUTE);
    let gateway = of(kind::DEPLOYMENT, GATEWAY_NAME);
    vec![
        StepId::awaiting(&primary.name, Area::Links, &link, read),
        StepId::of(&primary.name, Area::Mesh, Action::Create, &route),
        StepId::awaiting(&primary.name, Area::Mesh, &gateway, &Gate::RolledOut),
    ]
}

impl Waves<'_> {
    fn remote(&mut self, desired: Desired, discovery: &Discovery, served: &[StepId]) {
        let ground = self.ground(&desired);
        let (webhooks, base): (Vec<_>, Vec<_>) = desired.control_plane.into_iter().partition(is_webhook);
        let mut before = ground.all();
        for object in base {
            let step = self.at_its_primary(object, discovery, &ground, served);
            before.extend(step);
        }
        // Before its primary serves the cluster, nobody gives the webhooks a CA bundle, and no pod
        // that they want could be made.
        before.extend_from_slice(served);
        let hooked = self.webhooks(webhooks, &before);
        self.gateway(desired.gateway, desired.exposure, &ground, &hooked);
        // What its own istiod did stays until its primary's reads it.
        self.prune(ground, &before);
        self.retire_intermediate();
    }

    /// Takes out the intermediate that an istiod of the cluster's own signed with.
    fn retire_intermediate(&mut self) {
        let secret = ObjectReference::new("v1", "Secret", self.cluster.system_namespace(), "cacerts");
        let fleet = &self.fleet.metadata.name;
        let live = self.seen.object(&secret);
        let Some(live) = live.filter(|live| Ownership::of(live, fleet) == Ownership::Ours) else {
            return;
        };
        if !self.cluster.manages(Area::Trust) {
            return;
        }
        let uid = live.uid().to_owned();
        let after: Vec<StepId> = self.draft.plan.steps.iter().map(|step| step.id.clone()).collect();
        let reason = "no istiod signs here any more";
        self.draft
            .step(Action::Delete, secret, reason, &after, Content::Delete { uid });
    }

    /// Whether a Service stands that has a selector, and is to have none.
    fn selected_before(&self, object: &Object) -> bool {
        let has_selector = |service: &Object| service.at(&["spec", "selector"]).is_some();
        let live = self.seen.object(&object.reference());
        let is_ours = |live: &&Object| Ownership::of(live, &self.fleet.metadata.name) == Ownership::Ours;
        object.kind() == kind::SERVICE.kind
            && !has_selector(object)
            && live.filter(is_ours).is_some_and(has_selector)
    }

    /// An object of a remote, with its primary's address where it has one.
    fn at_its_primary(
        &mut self,
        object: Object,
        discovery: &Discovery,
        ground: &Ground,
        served: &[StepId],
    ) -> Option<StepId> {
        let reason = "workloads find their primary's istiod by it";
        let parent = &ground.parent;
        match discovery {
            _ if self.selected_before(&object) => {
                // The endpoints that a selector found would stay, and lead to an istiod that is gone.
                let reason = "it led to an istiod of its own";
                let reference = object.reference();
                let needs: Vec<StepId> = parent.iter().chain(served).cloned().collect();
                let content = Content::Apply(object);
                Some(self.draft.anew(&reference, reason, &needs, content))
            }
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

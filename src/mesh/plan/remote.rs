//! A remote: no control plane of its own, but a Service that leads to its primary's, and webhooks that
//! its primary's istiod answers once it reads the cluster.

use super::waves::{Ground, Waves};
use crate::fleet::spec::{DEFAULT_REVISION, named_revision};
use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet, Role};
use crate::inventory::control_plane::{REVISION_LABEL, names_primary};
use crate::inventory::{ClusterInventory, Inventory, Object, ObjectReference, kind};
use crate::link::secret::{self, LinkSecret};
use crate::mesh::discovery::{Discovery, at_addresses, discovery, has_stand_in, unread_primary};
use crate::mesh::objects::{Desired, Rendering, desired, istiod_deployment};
use crate::mesh::values::{EXTERNAL_SERVICE, GATEWAY_NAME, ISTIOD_ROUTE};
use crate::plan::ownership::Ownership;
use crate::plan::{Action, Blocked, Content, Gate, Plan, StepId};
use crate::trust::carried::CACERTS;

/// Plans a remote.
pub(super) fn plan(mut waves: Waves<'_>, inventory: &Inventory, rendering: &Rendering) -> Plan {
    let (fleet, cluster) = (waves.fleet, waves.cluster);
    match discovery(fleet, cluster, inventory) {
        Ok((primary, discovery)) => {
            let served: Vec<StepId> = Serving::of(fleet, primary, cluster).steps().into();
            let mut left = istiods_gone(primary, cluster, inventory);
            left.extend(istiods_going(fleet, primary, inventory));
            let beside = beside(fleet, primary);
            waves.remote(
                desired(fleet, cluster, rendering),
                &discovery,
                [&served, &beside, &left],
            );
            waves.draft.finish()
        }
        Err(blocked) => Plan {
            blocked: vec![blocked],
            ..Plan::default()
        },
    }
}

/// The waits, where they are planned, until istiods that read their configuration in a cluster are gone: one
/// of a revision that goes works with its own account there for as long as proxies are connected to it.
fn istiods_gone(serving: &ClusterSpec, config: &ClusterSpec, inventory: &Inventory) -> Vec<StepId> {
    let seen = inventory
        .seen(&serving.name)
        .filter(|_| config.role == Role::Config);
    let istiods = seen
        .into_iter()
        .flat_map(|seen| seen.istiods_in(serving.system_namespace()));
    let gone =
        istiods.map(|istiod| StepId::awaiting(&serving.name, Area::Mesh, &istiod.reference(), &Gate::Gone));
    gone.collect()
}

/// The steps by which istiods of a primary go that the fleet file no longer asks for: proxies in a remote find
/// them by what the remote has of them. They are planned where the primary is.
pub(super) fn istiods_going(fleet: &Fleet, primary: &ClusterSpec, inventory: &Inventory) -> Vec<StepId> {
    let seen = inventory.seen(&primary.name).into_iter();
    let istiods = seen.flat_map(|seen| seen.istiods_in(primary.system_namespace()));
    let going = istiods.filter(|istiod| {
        let revision = istiod.label(REVISION_LABEL).unwrap_or(DEFAULT_REVISION);
        let is_ours = Ownership::of(istiod, &fleet.metadata.name) == Ownership::Ours;
        let is_own = named_revision(fleet.revision(primary)) == revision;
        is_ours && !is_own && !fleet.spec.mesh.has_revision(revision)
    });
    going
        .map(|istiod| StepId::of(&primary.name, Area::Mesh, Action::Delete, &istiod.reference()))
        .collect()
}

/// The steps, where they are planned, after which the revision beside serves remotes as well.
fn beside(fleet: &Fleet, primary: &ClusterSpec) -> Vec<StepId> {
    let other = fleet.spec.mesh.other_revision.iter();
    let steps = other.flat_map(|other| {
        let istiod = istiod_deployment(primary, &other.revision);
        let route = kind::VIRTUAL_SERVICE.reference(primary.system_namespace(), ISTIOD_ROUTE);
        [
            StepId::awaiting(&primary.name, Area::Mesh, &istiod, &Gate::RolledOut),
            StepId::of(&primary.name, Area::Mesh, Action::Update, &route),
        ]
    });
    steps.collect()
}

/// What has to be done in a cluster before its istiod serves another: read it, and be offered to it.
struct Serving<'fleet> {
    primary: &'fleet ClusterSpec,
    /// The cluster ID by which its istiod goes, where the other has to name it as its control plane.
    named: Option<&'fleet ClusterName>,
    read: Gate,
    link: ObjectReference,
    /// What leads to istiod.
    route: ObjectReference,
    /// What answers there.
    gateway: ObjectReference,
}

impl<'fleet> Serving<'fleet> {
    fn of(fleet: &'fleet Fleet, primary: &'fleet ClusterSpec, remote: &ClusterSpec) -> Self {
        let of = |kind: kind::Kind, name: &str| kind.reference(primary.system_namespace(), name);
        let (route, gateway) = match primary.role {
            Role::External => (
                of(kind::SERVICE, EXTERNAL_SERVICE),
                istiod_deployment(primary, fleet.revision(primary)),
            ),
            Role::Primary | Role::Remote | Role::Config => (
                of(kind::VIRTUAL_SERVICE, ISTIOD_ROUTE),
                of(kind::DEPLOYMENT, GATEWAY_NAME),
            ),
        };
        let configured = fleet.configures(primary).filter(|_| remote.role == Role::Remote);
        Self {
            primary,
            named: configured.map(|cluster| &cluster.name),
            read: Gate::Synced(remote.name.to_string()),
            link: LinkSecret::of(fleet, primary, remote).reference(primary.system_namespace()),
            route,
            gateway,
        }
    }

    /// The steps by which it is done: the link, the route, the gateway.
    fn steps(&self) -> [StepId; 3] {
        let name = &self.primary.name;
        [
            StepId::awaiting(name, Area::Links, &self.link, &self.read),
            StepId::of(name, Area::Mesh, Action::Create, &self.route),
            StepId::awaiting(name, Area::Mesh, &self.gateway, &Gate::RolledOut),
        ]
    }

    /// What is neither done nor planned.
    fn missing(
        &self,
        seen: &ClusterInventory,
        remote: Option<&ClusterInventory>,
        is_planned: impl Fn(&StepId) -> bool,
    ) -> Option<String> {
        let [link, route, gateway] = self.steps();
        if !is_planned(&link) {
            let replicas = seen.replicas_in(self.primary.system_namespace());
            if let Some(missing) = self.read.missing_of_replicas(&replicas) {
                return Some(format!("its istiod does not read it: {missing}"));
            }
            let led = seen.object(&self.link);
            let led = led.is_some_and(|live| live.annotation(secret::CONTROL_PLANE_MARK).is_some());
            // One that has been named all along was told by whoever's Secret it reads by.
            let names = |name: &ClusterName| {
                remote.is_some_and(|remote| {
                    names_primary(remote, self.primary.system_namespace(), name.as_str())
                })
            };
            if !led && self.named.is_some_and(|name| !names(name)) {
                return Some("its istiod was not told that it is the control plane".to_owned());
            }
        }
        if self
            .primary
            .gateway
            .as_ref()
            .is_some_and(|gateway| gateway.external)
        {
            // Who makes the gateway offers istiod through it.
            return None;
        }
        if !is_planned(&route) && seen.object(&self.route).is_none() {
            return Some(format!("{} does not stand", self.route));
        }
        let missing = Gate::RolledOut.missing_of(seen.object(&self.gateway));
        let missing = missing.filter(|_| !is_planned(&gateway));
        missing.map(|missing| format!("{}: {missing}", self.gateway))
    }
}

/// Why nothing may be done to a remote: its primary does not serve it, and will not by this plan.
pub fn unserved(
    fleet: &Fleet,
    remote: &ClusterSpec,
    inventory: &Inventory,
    is_planned: impl Fn(&StepId) -> bool,
) -> Option<Blocked> {
    let primary = fleet.served_by(remote)?;
    let name = &primary.name;
    let serving = Serving::of(fleet, primary, remote);
    let missing = match inventory.seen(name) {
        Some(seen) => serving.missing(seen, inventory.seen(&remote.name), is_planned)?,
        None => return Some(unread_primary(remote, name)),
    };
    let called = match primary.role {
        Role::External => format!("the control plane in {name}"),
        Role::Primary | Role::Remote | Role::Config => format!("its primary {name}"),
    };
    Some(Blocked {
        cluster: remote.name.clone(),
        area: Area::Mesh,
        reason: format!("{called} does not serve it: {missing}"),
        hint: Some(format!(
            "mend what blocks {name}, or `stolos apply` the whole fleet file"
        )),
        unreachable: false,
    })
}

/// Why a cluster without istiods has what leads out of it.
const LED: &str = "workloads find the istiod that serves them by it";

impl Waves<'_> {
    /// Plans what a remote has: `served` are the steps by which it is served, `beside` those by which the
    /// revision beside serves it, and `left` those after which nobody needs what goes.
    fn remote(&mut self, desired: Desired, discovery: &Discovery, [served, beside, left]: [&[StepId]; 3]) {
        let ground = self.ground(&desired);
        let (webhooks, base): (Vec<_>, Vec<_>) =
            desired.control_plane.into_iter().partition(Object::is_webhook);
        let (selected, base): (Vec<_>, Vec<_>) =
            base.into_iter().partition(|object| self.leads_elsewhere(object));
        let mut before = ground.all();
        for object in base {
            before.extend(self.at_its_primary(object, discovery, &ground, served));
        }
        // Before its primary serves the cluster, nobody gives the webhooks a CA bundle, and no pod
        // that they want could be made.
        before.extend_from_slice(served);
        let (webhooks, of_other) = self.by_revision(webhooks);
        let mut hooked = self.webhooks(webhooks, &before);
        let mut before_other = before.clone();
        before_other.extend_from_slice(beside);
        let mut hooked_beside = before_other.clone();
        hooked_beside.extend(self.webhooks(of_other, &before_other));
        self.injection(&hooked, &hooked_beside);
        // Its own istiod, where it has one, injects for the webhooks' new path as well.
        before.extend(hooked.clone());
        for object in selected {
            // The endpoints that a selector found would stay, and lead to an istiod that is gone.
            let reason = "it led to an istiod of its own";
            let reference = object.reference();
            let content = Content::Apply(object);
            hooked.push(self.draft.anew(&reference, reason, &before, content));
        }
        self.gateway(desired.gateway, &ground, &hooked);
        let mut needs = ground.all();
        needs.extend(hooked);
        self.exposure(desired.exposure, &needs);
        // What its own istiod did stays until its primary's serves the cluster.
        before.extend_from_slice(left);
        self.prune(ground, &before);
        self.retire_intermediate();
    }

    /// Takes out the intermediate that an istiod of the cluster's own signed with.
    fn retire_intermediate(&mut self) {
        let secret = kind::SECRET.reference(self.cluster.system_namespace(), CACERTS);
        let Some(live) = self.ours(&secret).filter(|_| self.cluster.manages(Area::Trust)) else {
            return;
        };
        let uid = live.uid().to_owned();
        let after: Vec<StepId> = self.draft.plan.steps.iter().map(|step| step.id.clone()).collect();
        let reason = "no istiod signs here any more";
        self.draft
            .step(Action::Delete, secret, reason, &after, Content::Delete { uid });
    }

    /// An object of a remote, with its primary's address where it has one.
    fn at_its_primary(
        &mut self,
        object: Object,
        discovery: &Discovery,
        ground: &Ground,
        served: &[StepId],
    ) -> Option<StepId> {
        if !has_stand_in(&object) {
            let (reason, needs) = match self.cluster.role {
                // An istiod begins to read the cluster with them, and reads what is defined then.
                Role::Config => (
                    "the istiod that reads its configuration here needs it",
                    ground.all(),
                ),
                _ => (LED, ground.parent.clone()),
            };
            return self.draft.object(object, reason, &needs);
        }
        let mut needs = ground.parent.clone();
        if self.seen.object(&object.reference()).is_some() {
            // What leads somewhere by now is led elsewhere when it is served there.
            needs.extend_from_slice(served);
        }
        match discovery {
            Discovery::At(addresses) => {
                let object = at_addresses(&object, addresses);
                self.draft.object(object, LED, &needs)
            }
            Discovery::Awaited(awaited) => {
                needs.push(address_of(&awaited.cluster, &awaited.service));
                let content = |object| Content::ApplyAtAddress(object, awaited.clone());
                self.draft.object_as(object, LED, &needs, content)
            }
        }
    }
}

/// The wait for a Service's address.
fn address_of(cluster: &ClusterName, service: &ObjectReference) -> StepId {
    StepId::awaiting(cluster, Area::Mesh, service, &Gate::Address)
}

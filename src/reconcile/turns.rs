//! Control planes that serve are changed in turn: the next one when the one before is rolled out and
//! reads again what it read before, so that a change that breaks one breaks no other.

use std::collections::VecDeque;

use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet};
use crate::inventory::{ClusterInventory, Object, ObjectReference, kind};
use crate::link::{links, secret};
use crate::mesh::{istiod_name, istiod_of_revision};
use crate::plan::{Action, Content, Gate, Plan, Step, StepId};
use crate::reconcile::{Given, settle};

/// The plan in which at most so many clusters' control planes are changed at the same time (at least one),
/// in the order of the fleet file. A control plane that does not serve yet waits for no other.
pub fn in_turn(mut plan: Plan, fleet: &Fleet, given: &Given<'_>, at_once: usize) -> Plan {
    let mut under_way: VecDeque<Vec<StepId>> = VecDeque::new();
    for cluster in &fleet.spec.clusters {
        let istiod = ObjectReference::new(
            kind::DEPLOYMENT.api_version,
            kind::DEPLOYMENT.kind,
            cluster.system_namespace(),
            istiod_name(fleet, cluster),
        );
        let change = StepId::of(&cluster.name, Area::Mesh, Action::Update, &istiod);
        let Some(seen) = given.inventory.seen(&cluster.name) else {
            continue;
        };
        if given.areas.contains(&Area::Links) {
            let other = fleet.spec.mesh.other_revision.iter();
            let beside = other.map(|other| ObjectReference {
                name: istiod_of_revision(&other.revision),
                ..istiod.clone()
            });
            for istiod in beside.chain(std::iter::once(istiod.clone())) {
                used_when_it_reads(&mut plan, fleet, cluster, seen, &istiod);
            }
        }
        let serves = Gate::RolledOut.missing_of(seen.object(&istiod)).is_none();
        let Some(step) = plan.steps.iter_mut().find(|step| step.id == change && serves) else {
            continue;
        };
        if under_way.len() >= at_once.max(1) {
            step.needs.extend(under_way.pop_front().unwrap_or_default());
        }
        let rolled_out = StepId::awaiting(&cluster.name, Area::Mesh, &istiod, &Gate::RolledOut);
        let mut over = vec![rolled_out.clone()];
        if given.areas.contains(&Area::Links) {
            over.extend(reads_again(&mut plan, fleet, cluster, seen, &rolled_out));
        }
        under_way.push_back(over);
    }
    settle(plan)
}

/// A control plane that comes beside one that serves is led to when it reads what that one reads.
fn used_when_it_reads(
    plan: &mut Plan,
    fleet: &Fleet,
    cluster: &ClusterSpec,
    seen: &ClusterInventory,
    istiod: &ObjectReference,
) {
    let comes = StepId::of(&cluster.name, Area::Mesh, Action::Create, istiod);
    if !plan.steps.iter().any(|step| step.id == comes) {
        return;
    }
    let rolled_out = StepId::awaiting(&cluster.name, Area::Mesh, istiod, &Gate::RolledOut);
    let reads = reads_again(plan, fleet, cluster, seen, &rolled_out);
    let webhooks = plan.steps.iter_mut().filter(|step| {
        step.cluster == cluster.name
            && step.object.kind == kind::MUTATING_WEBHOOK.kind
            && matches!(step.action, Action::Create | Action::Update)
    });
    for webhook in webhooks {
        if webhook.needs.contains(&rolled_out) {
            webhook.needs.extend(reads.iter().cloned());
        }
    }
}

/// Waits until the istiods of a cluster read every other that they read before. Steps that are in the
/// plan already are only named.
fn reads_again(
    plan: &mut Plan,
    fleet: &Fleet,
    reader: &ClusterSpec,
    seen: &ClusterInventory,
    rolled_out: &StepId,
) -> Vec<StepId> {
    let namespace = reader.system_namespace();
    let replicas = seen.replicas_in(namespace);
    let was_read = |id: &ClusterName| {
        let gate = Gate::Synced(id.to_string());
        gate.missing_of_replicas(&replicas).is_none().then_some(gate)
    };
    let mut waits = Vec::new();
    for (_, read) in links(fleet).filter(|(from, _)| from.name == reader.name) {
        let object = ObjectReference::new("v1", "Secret", namespace, secret::name(read.name.as_str()));
        let gate = Gate::Synced(read.name.to_string());
        let id = StepId::awaiting(&reader.name, Area::Links, &object, &gate);
        if plan.steps.iter().any(|step| step.id == id) {
            waits.push(id);
        } else if let Some(gate) = was_read(&read.name) {
            let uid = seen
                .object(&object)
                .map(Object::uid)
                .unwrap_or_default()
                .to_owned();
            plan.steps.push(Step {
                id: id.clone(),
                cluster: reader.name.clone(),
                area: Area::Links,
                action: Action::Wait,
                object,
                reason: format!("istiod read {} before, and must again", read.name),
                needs: vec![rolled_out.clone()],
                disruptive: false,
                uid,
                owner: None,
                content: Content::Await(gate),
            });
            waits.push(id);
        }
    }
    waits
}

//! The fleet file against what was seen: every domain's plan, put together. Here the domains meet,
//! and nowhere else: trust before the control plane that signs with it, the control plane before
//! the links that it reads through.

mod turns;

pub use turns::in_turn;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::fleet::{Area, ClusterName, Fleet, Role};
use crate::inventory::{FailureClass, Inventory, Observation, Presence, kind};
use crate::mesh::objects::Rendering;
use crate::plan::{Action, Blocked, Content, Plan, Step, StepId};
use crate::trust::RootOnHand;
use crate::{link, mesh, trust};

/// What a plan is made from, beside the fleet file.
#[derive(Debug, Clone, Copy)]
pub struct Given<'input> {
    /// What was seen.
    pub inventory: &'input Inventory,
    /// Istio's rendering for each cluster whose mesh is managed.
    pub renderings: &'input BTreeMap<ClusterName, Rendering>,
    /// The root on this machine.
    pub root: &'input RootOnHand,
    /// Now.
    pub at: Timestamp,
    /// The parts of the work that are planned; what others need of them is still looked at.
    pub areas: &'input [Area],
    /// Whether what `istioctl install` made is taken over.
    pub adopts: bool,
}

/// Plans the whole fleet.
pub fn plan(fleet: &Fleet, given: &Given<'_>) -> Plan {
    let mut whole = Plan::default();
    for (name, observation) in &given.inventory.clusters {
        if let Observation::Unreachable { context, failure } = observation
            && let Some(cluster) = fleet.cluster(name)
        {
            let areas = given.areas.iter().filter(|area| cluster.manages(**area));
            whole
                .blocked
                .extend(areas.enumerate().map(|(index, area)| Blocked {
                    cluster: name.clone(),
                    area: *area,
                    reason: failure.to_string(),
                    // Once is enough for a cluster.
                    hint: (index == 0).then(|| failure.hint(context)),
                    unreachable: failure.class != FailureClass::Identity,
                }));
        }
    }
    let mut trust_plan = trust::plan(fleet, given.inventory, given.root, given.at, given.adopts);
    // A cluster that gave nothing has been said above, once for each area.
    trust_plan
        .blocked
        .retain(|blocked| !blocked.unreachable || given.inventory.seen(&blocked.cluster).is_some());
    let planned = |area: Area| given.areas.contains(&area);
    let signing = signing(fleet, given.inventory, &trust_plan, planned(Area::Trust));
    let mut mesh_plan = mesh::plan(fleet, given.inventory, given.renderings, &signing, given.adopts);
    let mut link_plan = links(fleet, given, &mesh_plan);
    // Who is left out may be what another waits for.
    while leave_unserved(&mut mesh_plan, &link_plan, fleet, given) {
        link_plan = links(fleet, given, &mesh_plan);
    }
    inherit_silence(fleet, [&mut trust_plan, &mut mesh_plan, &mut link_plan]);
    let mesh_steps = planned(Area::Mesh).then_some(&mesh_plan.steps[..]);
    without_a_namespace(&mut trust_plan, given.inventory, mesh_steps);
    for (area, plan) in [
        (Area::Trust, trust_plan),
        (Area::Mesh, mesh_plan),
        (Area::Links, link_plan),
    ] {
        if given.areas.contains(&area) {
            whole.extend(plan);
        }
    }
    refuse(&mut whole, fleet, given);
    settle(whole)
}

/// The plan of the links, beside a plan of the mesh.
fn links(fleet: &Fleet, given: &Given<'_>, mesh_plan: &Plan) -> Plan {
    let installing = match given.areas.contains(&Area::Mesh) {
        true => mesh_plan.steps.iter().map(|step| step.cluster.clone()).collect(),
        false => BTreeSet::new(),
    };
    link::plan(fleet, given.inventory, &installing)
}

/// What cannot be done because a cluster is silent is not refused: it is tried again, also where it is another
/// cluster that waits for the silent one.
fn inherit_silence(fleet: &Fleet, mut plans: [&mut Plan; 3]) {
    let blocked = plans.iter().flat_map(|plan| &plan.blocked);
    let waiting: BTreeSet<ClusterName> = blocked
        .filter(|blocked| blocked.unreachable && blocked.area == Area::Mesh)
        .map(|blocked| blocked.cluster.clone())
        .collect();
    for blocked in plans.iter_mut().flat_map(|plan| &mut plan.blocked) {
        let cluster = fleet.cluster(&blocked.cluster);
        let server = cluster.and_then(|cluster| fleet.served_by(cluster));
        blocked.unreachable |=
            waiting.contains(&blocked.cluster) || server.is_some_and(|server| waiting.contains(&server.name));
    }
}

/// Takes the steps of clusters out that nobody will serve, and of those whose istiod would not find its
/// configuration. Gives whether there are any.
fn leave_unserved(mesh_plan: &mut Plan, link_plan: &Plan, fleet: &Fleet, given: &Given<'_>) -> bool {
    let planned: BTreeSet<&StepId> = [(Area::Mesh, &*mesh_plan), (Area::Links, link_plan)]
        .into_iter()
        .filter(|(area, _)| given.areas.contains(area))
        .flat_map(|(_, plan)| plan.steps.iter().map(|step| &step.id))
        .collect();
    let with_steps = fleet.spec.clusters.iter().filter(|cluster| {
        let mut steps = mesh_plan.steps.iter();
        steps.any(|step| step.cluster == cluster.name)
    });
    let is_planned = |id: &StepId| planned.contains(id);
    let blocked: Vec<Blocked> = with_steps
        .filter_map(|cluster| match cluster.role {
            Role::Primary => None,
            Role::External => mesh::without_configuration(fleet, cluster, given.inventory, is_planned),
            Role::Remote | Role::Config => mesh::unserved(fleet, cluster, given.inventory, is_planned),
        })
        .collect();
    mesh_plan
        .steps
        .retain(|step| !blocked.iter().any(|blocked| blocked.cluster == step.cluster));
    let found = !blocked.is_empty();
    mesh_plan.blocked.extend(blocked);
    found
}

/// Of a mesh that cannot work nothing is built.
fn refuse(plan: &mut Plan, fleet: &Fleet, given: &Given<'_>) {
    let mut refused =
        mesh::guard::refused_by_what_stands(fleet, given.inventory, given.renderings, given.adopts);
    refused.retain(|blocked| given.areas.contains(&blocked.area));
    if !refused.is_empty() {
        *plan = Plan {
            blocked: std::mem::take(&mut plan.blocked),
            ..Plan::default()
        };
        plan.blocked.extend(refused);
    }
}

/// Where the mesh is left out (`mesh` is none) or blocked, nobody makes the namespace that an
/// intermediate is to be placed in.
fn without_a_namespace(plan: &mut Plan, inventory: &Inventory, mesh: Option<&[Step]>) {
    let lacking = |step: &Step| {
        let namespace = kind::NAMESPACE.reference("", &step.object.namespace);
        let seen = inventory.seen(&step.cluster);
        let made = |other: &Step| other.cluster == step.cluster && other.object == namespace;
        step.action == Action::Create
            && !mesh.unwrap_or_default().iter().any(made)
            && seen.is_some_and(|seen| matches!(seen.presence(&namespace), Presence::Absent))
    };
    let (blocked, kept) = std::mem::take(&mut plan.steps).into_iter().partition(lacking);
    plan.steps = kept;
    let blocked: Vec<Step> = blocked;
    plan.blocked.extend(blocked.into_iter().map(|step| Blocked {
        reason: format!(
            "{} has no namespace {} to stand in",
            step.object, step.object.namespace
        ),
        cluster: step.cluster,
        area: step.area,
        hint: Some(match mesh {
            None => "`stolos apply` makes both".to_owned(),
            Some(_) => "mend what blocks the mesh of the cluster".to_owned(),
        }),
        unreachable: false,
    }));
}

/// The clusters whose istiod will find an intermediate when it starts, or gets none from this fleet.
/// `placed` says whether the trust steps are part of the plan.
fn signing(fleet: &Fleet, inventory: &Inventory, trust_plan: &Plan, placed: bool) -> BTreeSet<ClusterName> {
    let planned = |name: &ClusterName| {
        let mut steps = trust_plan.steps.iter();
        placed && steps.any(|step| step.cluster == *name && step.object.name == "cacerts")
    };
    let refused = |name: &ClusterName| trust_plan.blocked.iter().any(|blocked| blocked.cluster == *name);
    fleet
        .spec
        .clusters
        .iter()
        .filter(|cluster| {
            let secret = kind::SECRET.reference(cluster.system_namespace(), "cacerts");
            let stands = inventory
                .seen(&cluster.name)
                .is_some_and(|seen| matches!(seen.presence(&secret), Presence::Present(_)));
            !cluster.role.runs_control_planes()
                || !cluster.manages(Area::Trust)
                || planned(&cluster.name)
                || (stands && !refused(&cluster.name))
                || (!refused(&cluster.name) && fleet.spec.trust.root == crate::fleet::Root::External)
        })
        .map(|cluster| cluster.name.clone())
        .collect()
}

/// Makes one plan of several: each step once, needs only of steps that are there, each step after
/// what it needs.
pub fn settle(mut plan: Plan) -> Plan {
    let mut ids = BTreeSet::new();
    plan.steps.retain(|step| ids.insert(step.id.clone()));
    for step in &mut plan.steps {
        step.needs.retain(|need| ids.contains(need) && *need != step.id);
        step.needs.sort();
        step.needs.dedup();
    }
    let mut placed: BTreeSet<StepId> = BTreeSet::new();
    let mut ordered: Vec<Step> = Vec::with_capacity(plan.steps.len());
    let mut waiting = std::mem::take(&mut plan.steps);
    while !waiting.is_empty() {
        let (ready, later): (Vec<Step>, Vec<Step>) = waiting
            .into_iter()
            .partition(|step| step.needs.iter().all(|need| placed.contains(need)));
        // A circle cannot be ordered; it would be a bug of a planner, and is left as it stands.
        let stuck = ready.is_empty();
        placed.extend(ready.iter().map(|step| step.id.clone()));
        ordered.extend(ready);
        waiting = later;
        if stuck {
            ordered.append(&mut waiting);
        }
    }
    plan.steps = ordered;
    plan
}

/// The plan without what only istiod can say: that it reads the others, that it knows their gateways.
pub fn without_istiods_word(mut plan: Plan) -> Plan {
    plan.steps
        .retain(|step| !matches!(&step.content, Content::Await(gate) if gate.asks_istiod()));
    settle(plan)
}

/// The part of a plan that writes in these clusters only. A step that needs another cluster's is
/// blocked with what it lacks.
pub fn limited_to(mut plan: Plan, clusters: &BTreeSet<ClusterName>) -> Plan {
    if clusters.is_empty() {
        return plan;
    }
    let mut left_out: BTreeSet<StepId> = BTreeSet::new();
    let mut kept = Vec::new();
    for step in plan.steps {
        // What runs on this machine writes in no cluster.
        if !clusters.contains(&step.cluster) && step.action != Action::Run {
            left_out.insert(step.id);
            continue;
        }
        let lacking = step.needs.iter().find(|need| left_out.contains(need)).cloned();
        match lacking {
            None => kept.push(step),
            Some(need) => {
                // What only waits is left out with what it waits for.
                if step.action != Action::Wait {
                    plan.blocked.push(Blocked {
                        cluster: step.cluster.clone(),
                        area: step.area,
                        reason: format!("{} needs `{}`, which --cluster leaves out", step.object, need.0),
                        hint: Some("name that cluster too, or none".to_owned()),
                        unreachable: false,
                    });
                }
                left_out.insert(step.id);
            }
        }
    }
    plan.steps = kept;
    plan.blocked.retain(|blocked| clusters.contains(&blocked.cluster));
    plan.warnings
        .retain(|warning| clusters.contains(&warning.cluster));
    plan
}

//! Control planes that serve are changed in turn: the next one when the one before is rolled out and
//! reads again what it read before, so that a change that breaks one breaks no other. And nobody is
//! led to a control plane that does not read yet what others beside it read.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use crate::fleet::{Area, ClusterName, ClusterSpec, Fleet};
use crate::inventory::control_plane::REVISION_LABEL;
use crate::inventory::{ClusterInventory, Object, ObjectReference, Replica, kind};
use crate::link::links;
use crate::link::secret::LinkSecret;
use crate::mesh::istiod_deployment;
use crate::plan::{Action, Content, Gate, Plan, Step, StepId};
use crate::reconcile::{Given, settle};

/// The plan in which at most so many clusters' control planes are changed at the same time (at least one),
/// in the order of the fleet file; those that an earlier run left unfinished count first. What does not
/// serve yet waits for no other.
pub fn in_turn(plan: Plan, fleet: &Fleet, given: &Given<'_>, at_once: usize) -> Plan {
    let mut plan = Laid::of(plan);
    let mut turns: Vec<Turn<'_>> = Vec::new();
    for cluster in &fleet.spec.clusters {
        let Some(seen) = given.inventory.seen(&cluster.name) else {
            continue;
        };
        let server = fleet.served_by(cluster).unwrap_or(cluster);
        if given.areas.contains(&Area::Links)
            && let Some(serving) = given.inventory.seen(&server.name)
        {
            led_to_when_it_reads(&mut plan, fleet, cluster, (server, serving));
        }
        if cluster.role.runs_control_planes() {
            turns.push(Turn::of(fleet, cluster, seen));
        }
    }
    let mut under_way: VecDeque<Vec<StepId>> = VecDeque::new();
    for turn in turns.iter().filter(|turn| turn.is_unfinished()) {
        let rolled_out = turn.rolled_out(&plan);
        if !rolled_out.is_empty() && !turn.changes_what_serves(&plan) {
            under_way.push_back(rolled_out);
        }
    }
    for turn in &turns {
        if !turn.changes_what_serves(&plan) {
            continue;
        }
        let mut before = Vec::new();
        while under_way.len() >= at_once.max(1) {
            before.extend(under_way.pop_front().unwrap_or_default());
        }
        turn.hold(&mut plan, &before);
        let mut over = turn.rolled_out(&plan);
        if over.is_empty() {
            // Where nothing is rolled out, it is over when it is written.
            over.extend(turn.changes(&plan).map(|step| step.id.clone()));
        } else if given.areas.contains(&Area::Links) {
            over.extend(turn.reads_again(&mut plan, fleet, &over));
        }
        under_way.push_back(over);
    }
    settle(plan.plan)
}

/// A plan that turns are laid into.
struct Laid {
    plan: Plan,
    /// Its steps'.
    ids: HashSet<StepId>,
}

impl Laid {
    fn of(plan: Plan) -> Self {
        let ids = plan.steps.iter().map(|step| step.id.clone()).collect();
        Self { plan, ids }
    }

    fn add(&mut self, step: Step) {
        self.ids.insert(step.id.clone());
        self.plan.steps.push(step);
    }
}

/// A cluster whose control planes are to be changed.
struct Turn<'input> {
    cluster: &'input ClusterSpec,
    seen: &'input ClusterInventory,
    /// The Deployments of its control planes.
    istiods: Vec<ObjectReference>,
}

impl<'input> Turn<'input> {
    fn of(fleet: &Fleet, cluster: &'input ClusterSpec, seen: &'input ClusterInventory) -> Self {
        let other = fleet.spec.mesh.other_revision.iter();
        let revisions =
            std::iter::once(fleet.revision(cluster)).chain(other.map(|other| other.revision.as_str()));
        let istiods = revisions.map(|revision| istiod_deployment(cluster, revision));
        Self {
            cluster,
            seen,
            istiods: istiods.collect(),
        }
    }

    /// Whether a control plane stands and is not rolled out: of a change before this one.
    fn is_unfinished(&self) -> bool {
        let mut standing = self.istiods.iter().filter_map(|istiod| self.seen.object(istiod));
        standing.any(|istiod| Gate::RolledOut.missing_of(Some(istiod)).is_some())
    }

    /// What is written of the mesh.
    fn changes<'plan>(&self, plan: &'plan Laid) -> impl Iterator<Item = &'plan Step> + use<'plan, 'input> {
        let name = &self.cluster.name;
        let steps = plan.plan.steps.iter();
        steps.filter(move |step| {
            step.cluster == *name && step.area == Area::Mesh && step.action != Action::Wait
        })
    }

    /// Whether something of a control plane that serves changes: itself, or what it reads and is led to by.
    fn changes_what_serves(&self, plan: &Laid) -> bool {
        let mut standing = self.istiods.iter().filter_map(|istiod| self.seen.object(istiod));
        let serves = standing.any(|istiod| Gate::RolledOut.missing_of(Some(istiod)).is_none());
        let is_of_it = |step: &Step| {
            let kinds = [kind::DEPLOYMENT, kind::CONFIG_MAP, kind::CLUSTER_ROLE, kind::ROLE];
            let is_set = step.object.name.starts_with("stolos-");
            step.action == Action::Update && !is_set && kinds.iter().any(|kind| kind.kind == step.object.kind)
        };
        serves && self.changes(plan).any(is_of_it)
    }

    /// Has what is written wait for others, unless those wait for this cluster themselves.
    fn hold(&self, plan: &mut Laid, before: &[StepId]) {
        let own: BTreeSet<StepId> = self.changes(plan).map(|step| step.id.clone()).collect();
        let before: Vec<StepId> = {
            let waiting = all_that_wait_for(&plan.plan, &own);
            let free = before.iter().filter(|id| !waiting.contains(id));
            free.cloned().collect()
        };
        for step in plan.plan.steps.iter_mut().filter(|step| own.contains(&step.id)) {
            step.needs.extend(before.iter().cloned());
        }
    }

    /// The plan's waits until its control planes are rolled out.
    fn rolled_out(&self, plan: &Laid) -> Vec<StepId> {
        let waits = self
            .istiods
            .iter()
            .map(|istiod| StepId::awaiting(&self.cluster.name, Area::Mesh, istiod, &Gate::RolledOut));
        waits.filter(|id| plan.ids.contains(id)).collect()
    }

    /// Waits until every other is read that was read before.
    fn reads_again(&self, plan: &mut Laid, fleet: &Fleet, needs: &[StepId]) -> Vec<StepId> {
        let read = read_by(
            &self.seen.replicas_in(self.cluster.system_namespace()),
            fleet,
            self.cluster,
        );
        read.iter()
            .map(|peer| synced(plan, fleet, self.cluster, self.seen, peer, needs))
            .collect()
    }
}

/// The steps that wait, over whatever others, for some of these; these themselves among them.
fn all_that_wait_for<'plan>(plan: &'plan Plan, these: &'plan BTreeSet<StepId>) -> HashSet<&'plan StepId> {
    let mut waiting: HashMap<&StepId, Vec<&StepId>> = HashMap::new();
    for step in &plan.steps {
        for need in &step.needs {
            waiting.entry(need).or_default().push(&step.id);
        }
    }
    let mut found: HashSet<&StepId> = these.iter().collect();
    let mut left: Vec<&StepId> = these.iter().collect();
    while let Some(id) = left.pop() {
        for next in waiting.get(id).into_iter().flatten() {
            if found.insert(next) {
                left.push(next);
            }
        }
    }
    found
}

/// The clusters that each of some istiods has read.
fn read_by<'fleet>(
    replicas: &[Replica],
    fleet: &'fleet Fleet,
    reader: &ClusterSpec,
) -> BTreeSet<&'fleet ClusterName> {
    let of_reader = links(fleet).filter(|(from, _)| from.name == reader.name);
    let is_read = |peer: &&ClusterName| {
        let gate = Gate::Synced(peer.to_string());
        gate.missing_of_replicas(replicas).is_none()
    };
    of_reader.map(|(_, read)| &read.name).filter(is_read).collect()
}

/// A control plane beside one that serves is led to, in a cluster that they serve, when it reads what that one
/// reads.
fn led_to_when_it_reads(
    plan: &mut Laid,
    fleet: &Fleet,
    cluster: &ClusterSpec,
    (server, seen): (&ClusterSpec, &ClusterInventory),
) {
    let replicas = seen.replicas_in(server.system_namespace());
    let revisions: BTreeSet<&str> = replicas.iter().map(|replica| replica.revision.as_str()).collect();
    let of_revision = |revision: &str| -> Vec<Replica> {
        let of_it = replicas.iter().filter(|replica| replica.revision == revision);
        of_it.cloned().collect()
    };
    let of_revisions = revisions
        .iter()
        .map(|revision| (*revision, read_by(&of_revision(revision), fleet, server)));
    let read: Vec<(&str, BTreeSet<&ClusterName>)> = of_revisions.collect();
    let by_any: BTreeSet<&ClusterName> = read.iter().flat_map(|(_, read)| read).copied().collect();
    let leading: Vec<(StepId, String)> = plan
        .plan
        .steps
        .iter()
        .filter(|step| step.cluster == cluster.name)
        .filter_map(|step| {
            let revision = match &step.content {
                Content::Apply(object) if object.is_of(kind::MUTATING_WEBHOOK) => {
                    object.label(REVISION_LABEL)?
                }
                // A namespace that is led to it.
                Content::Merge(changes) => changes["metadata"]["labels"][REVISION_LABEL].as_str()?,
                _ => return None,
            };
            Some((step.id.clone(), revision.to_owned()))
        })
        .collect();
    for (id, revision) in leading {
        let by_it = read.iter().find(|(of, _)| *of == revision).map(|(_, read)| read);
        let lacking = by_any
            .iter()
            .filter(|peer| by_it.is_none_or(|read| !read.contains(*peer)));
        let istiod = istiod_deployment(server, &revision);
        let rolled_out = StepId::awaiting(&server.name, Area::Mesh, &istiod, &Gate::RolledOut);
        let waits: Vec<StepId> = lacking
            .map(|peer| synced(plan, fleet, server, seen, peer, std::slice::from_ref(&rolled_out)))
            .collect();
        if let Some(step) = plan.plan.steps.iter_mut().find(|step| step.id == id) {
            step.needs.extend(waits);
        }
    }
}

/// The wait until all istiods of a cluster read another, which is added where the plan has none.
fn synced(
    plan: &mut Laid,
    fleet: &Fleet,
    reader: &ClusterSpec,
    seen: &ClusterInventory,
    peer: &ClusterName,
    needs: &[StepId],
) -> StepId {
    let namespace = reader.system_namespace();
    let read = fleet.cluster(peer);
    let place = read.map_or(LinkSecret::Remote(peer), |read| {
        LinkSecret::of(fleet, reader, read)
    });
    let object = place.reference(namespace);
    let gate = Gate::Synced(peer.to_string());
    let id = StepId::awaiting(&reader.name, Area::Links, &object, &gate);
    if plan.ids.contains(&id) {
        return id;
    }
    let uid = seen
        .object(&object)
        .map(Object::uid)
        .unwrap_or_default()
        .to_owned();
    plan.add(Step {
        id: id.clone(),
        cluster: reader.name.clone(),
        area: Area::Links,
        action: Action::Wait,
        object,
        reason: format!("istiod read {peer} before, and must again"),
        needs: needs.to_vec(),
        disruptive: false,
        uid,
        owner: None,
        adopts: false,
        content: Content::Await(gate),
    });
    id
}

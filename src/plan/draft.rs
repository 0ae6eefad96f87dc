//! What every planner does with a desired object: compare it with what stands, and make of it a
//! step, nothing, or a reason why not.

use super::adoption::adoption_reason;
use super::difference::{Difference, differences, reason_of};
use super::ownership::{FIELD_MANAGER, Ownership, is_adoptable};
use super::{Action, Blocked, Content, Gate, Plan, Step, StepId};
use crate::fleet::{Area, ClusterName, FleetName};
use crate::inventory::{ClusterInventory, Object, ObjectReference, Presence};
use crate::trust::certificate::fingerprint;

/// What is to be done about one desired object.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It stands as desired.
    Stands,
    /// It does not stand.
    Missing,
    /// It stands and differs in these fields.
    Differs(Vec<Difference>),
    /// It stands and is somebody else's, in words.
    Foreign(String),
    /// It could not be looked for.
    Unknown,
}

/// The digest of a desired object, by which a dry run's answer is known again.
pub fn digest(object: &Object) -> String {
    fingerprint(object.0.to_string().as_bytes())
}

/// Compares a desired object with what stands.
pub fn judge(desired: &Object, inventory: &ClusterInventory, fleet: &FleetName) -> Verdict {
    let reference = desired.reference();
    let live = match inventory.presence(&reference) {
        Presence::Unknown => return Verdict::Unknown,
        Presence::Absent => return Verdict::Missing,
        Presence::Present(live) => live,
    };
    match Ownership::of(live, fleet) {
        Ownership::Ours => {}
        Ownership::OtherFleet(name) => return Verdict::Foreign(format!("the fleet {name}")),
        Ownership::Foreign(owner) => return Verdict::Foreign(owner),
    }
    let differing = differences(desired, live, FIELD_MANAGER);
    if differing.is_empty() {
        return Verdict::Stands;
    }
    let digest = digest(desired);
    let tried = inventory
        .dry_runs
        .iter()
        .find(|run| run.object == reference && run.digest == digest);
    match tried {
        Some(run) if !run.changes => Verdict::Stands,
        _ => Verdict::Differs(differing),
    }
}

/// What a list that was not read blocks: until the cluster answers, or until somebody who may read it
/// asks.
pub fn unread(
    cluster: &ClusterName,
    area: Area,
    inventory: &ClusterInventory,
    reference: &ObjectReference,
    reason: &str,
) -> Blocked {
    let failure = inventory.why_unknown(reference);
    let may_pass = failure.is_some_and(|failure| failure.class.may_pass());
    Blocked {
        cluster: cluster.clone(),
        area,
        reason: failure.map_or_else(|| reason.to_owned(), |failure| format!("{reason}: {failure}")),
        hint: Some(if may_pass {
            "try again when the cluster answers, or give it longer with --request-timeout".to_owned()
        } else {
            "use a context that may read it".to_owned()
        }),
        unreachable: may_pass,
    }
}

/// Drafts one area's steps in one cluster.
pub struct Draft<'input> {
    /// Where.
    pub cluster: &'input ClusterName,
    /// Which part of the work.
    pub area: Area,
    /// What was seen there.
    pub inventory: &'input ClusterInventory,
    /// Whose it is to be.
    pub fleet: &'input FleetName,
    /// Whether what may be taken over from others is ([`is_adoptable`]).
    pub adopts: bool,
    /// What has been drafted.
    pub plan: Plan,
    foreign: Vec<(ObjectReference, String)>,
    unknown: Vec<ObjectReference>,
}

impl<'input> Draft<'input> {
    /// An empty draft.
    pub fn new(
        cluster: &'input ClusterName,
        area: Area,
        inventory: &'input ClusterInventory,
        fleet: &'input FleetName,
    ) -> Self {
        Self {
            cluster,
            area,
            inventory,
            fleet,
            adopts: false,
            plan: Plan::default(),
            foreign: Vec::new(),
            unknown: Vec::new(),
        }
    }

    /// Makes a step of a desired object where one is needed; gives its id.
    pub fn object(&mut self, desired: Object, missing: &str, needs: &[StepId]) -> Option<StepId> {
        self.object_as(desired, missing, needs, Content::Apply)
    }

    /// The same, where the object is written in a way of its own.
    pub fn object_as(
        &mut self,
        desired: Object,
        missing: &str,
        needs: &[StepId],
        content: impl FnOnce(Object) -> Content,
    ) -> Option<StepId> {
        let reference = desired.reference();
        let (action, reason) = match judge(&desired, self.inventory, self.fleet) {
            Verdict::Stands => return None,
            Verdict::Missing => (Action::Create, missing.to_owned()),
            Verdict::Differs(differing) => (Action::Update, reason_of(&differing)),
            Verdict::Foreign(owner) => {
                let live = self.inventory.object(&reference);
                let Some(live) = live.filter(|live| self.adopts && is_adoptable(live)) else {
                    self.foreign.push((reference, owner));
                    return None;
                };
                let reason = adoption_reason(&desired, live, &owner);
                let id = self.step(Action::Update, reference, reason, needs, content(desired));
                if let Some(step) = self.plan.steps.last_mut() {
                    step.adopts = true;
                }
                return Some(id);
            }
            Verdict::Unknown => {
                self.unknown.push(reference);
                return None;
            }
        };
        Some(self.step(action, reference, reason, needs, content(desired)))
    }

    /// Adds a step; gives its id.
    pub fn step(
        &mut self,
        action: Action,
        object: ObjectReference,
        reason: impl Into<String>,
        needs: &[StepId],
        content: Content,
    ) -> StepId {
        let id = match &content {
            Content::Await(gate) => StepId::awaiting(self.cluster, self.area, &object, gate),
            _ => StepId::of(self.cluster, self.area, action, &object),
        };
        let live = self.inventory.object(&object);
        let uid = live.map(|live| live.uid().to_owned()).unwrap_or_default();
        self.plan.steps.push(Step {
            id: id.clone(),
            cluster: self.cluster.clone(),
            area: self.area,
            action,
            object,
            reason: reason.into(),
            needs: needs.to_vec(),
            disruptive: action == Action::Delete,
            uid,
            owner: None,
            adopts: false,
            content,
        });
        id
    }

    /// Makes an object that stands anew: what was is deleted first. Gives the id of the making.
    pub fn anew(
        &mut self,
        object: &ObjectReference,
        reason: &str,
        needs: &[StepId],
        content: Content,
    ) -> StepId {
        let live = self.inventory.object(object);
        let uid = live.map(|live| live.uid().to_owned()).unwrap_or_default();
        let gone = self.step(
            Action::Delete,
            object.clone(),
            reason,
            needs,
            Content::Delete { uid },
        );
        let made = self.step(Action::Create, object.clone(), reason, &[gone], content);
        // The one that is made is another than the one that stands.
        if let Some(step) = self.plan.steps.last_mut() {
            step.uid.clear();
        }
        made
    }

    /// Waits for a gate where it is not open yet, or where a step of this plan moves it.
    pub fn wait(
        &mut self,
        gate: Gate,
        object: ObjectReference,
        reason: impl Into<String>,
        after: &[StepId],
    ) -> Option<StepId> {
        if after.is_empty() && gate.missing_of(self.inventory.object(&object)).is_none() {
            return None;
        }
        Some(self.step(Action::Wait, object, reason, after, Content::Await(gate)))
    }

    /// Ends the draft. Where something of it is somebody else's or could not be looked for, nothing
    /// of it is done: half an area would be worse than none.
    pub fn finish(mut self) -> Plan {
        let mut blocked = Vec::new();
        if let Some((first, owner)) = self.foreign.first() {
            let more = match self.foreign.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            let live = self.inventory.object(first);
            let adopt = match live.is_some_and(is_adoptable) && self.area == Area::Mesh {
                true => ", or take it over: add --adopt",
                false => ", or take out what stands with the tool that made it",
            };
            blocked.push(self.blocked(
                format!("{first} stands and is not this fleet's: it belongs to {owner}{more}"),
                Some(format!(
                    "leave `{}` out of `manage` of the cluster in the fleet file{adopt}",
                    self.area
                )),
            ));
        }
        if let Some(first) = self.unknown.first() {
            let more = match self.unknown.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let reason = format!("whether {first}{more} stands could not be read");
            blocked.push(unread(self.cluster, self.area, self.inventory, first, &reason));
        }
        self.plan.blocked.extend(blocked);
        if !self.plan.blocked.is_empty() {
            self.plan.steps.clear();
        }
        self.plan
    }

    fn blocked(&self, reason: String, hint: Option<String>) -> Blocked {
        Blocked {
            cluster: self.cluster.clone(),
            area: self.area,
            reason,
            hint,
            unreachable: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::inventory::{Failure, FailureClass};

    #[test]
    fn a_list_that_ran_out_of_time_blocks_for_now_and_a_refused_one_until_somebody_else_asks() {
        let cluster: ClusterName = "east".parse().unwrap();
        let fleet: FleetName = "prod".parse().unwrap();
        let services = ("list", "services in istio-system");
        let server = ("connect", "https://192.0.2.1:6443");
        for ((verb, resource), class, unreachable, hint) in [
            (services, FailureClass::Timeout, true, "--request-timeout"),
            (
                services,
                FailureClass::Permission,
                false,
                "a context that may read it",
            ),
            // Said once for all that was not asked any more.
            (server, FailureClass::Tcp, true, "--request-timeout"),
        ] {
            let failure = |verb: &str, resource: &str, class| Failure {
                class,
                verb: verb.to_owned(),
                resource: resource.to_owned(),
                message: "why".to_owned(),
            };
            let inventory = ClusterInventory {
                unread: vec![
                    failure("list", "nodes", FailureClass::Permission),
                    failure(verb, resource, class),
                ],
                ..ClusterInventory::default()
            };
            let mut draft = Draft::new(&cluster, Area::Mesh, &inventory, &fleet);
            let service = json!({"apiVersion": "v1", "kind": "Service",
                                 "metadata": {"name": "istiod", "namespace": "istio-system"}});
            assert_eq!(draft.object(Object(service), "", &[]), None);
            let plan = draft.finish();
            assert!(plan.steps.is_empty());
            assert_eq!(plan.blocked[0].unreachable, unreachable);
            assert!(plan.blocked[0].hint.as_ref().unwrap().contains(hint));
            let reason = &plan.blocked[0].reason;
            assert!(reason.contains(&format!("{verb} {resource}")), "{reason}");
        }
    }
}

//! Plans trust: the root where there is none, and an intermediate for each cluster that runs a
//! control plane and has none, or one that ends. What stands and is not ours is never written, and
//! no root is made while a cluster that may carry one has not been seen.

mod cluster;
mod root;

use jiff::{SignedDuration, Timestamp};

use super::carried::Carried;
use super::root::RootOnHand;
use crate::fleet::{Area, ClusterSpec, Fleet, Root};
use crate::inventory::{Inventory, ObjectReference, Observation};
use crate::plan::{Action, Blocked, Content, Plan, Step, StepId, Warning};

use root::{FleetRoot, Signing};

/// Days that an intermediate is good for: a year. istiod takes a new one under the same root
/// without a restart, so it costs nothing, and a lost cluster's key ends by itself.
pub const INTERMEDIATE_DAYS: u32 = 365;

/// From here on an intermediate that ends is urgent.
const URGENT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// From here on a root that ends is worth a warning: replacing it takes a while.
const ROOT_ENDS: SignedDuration = SignedDuration::from_hours(365 * 24);

/// One cluster of the fleet with what was seen of what it signs with.
struct Member<'data> {
    spec: &'data ClusterSpec,
    seen: Seen<'data>,
}

enum Seen<'data> {
    Yes {
        cluster: &'data crate::inventory::ClusterInventory,
        carried: Box<Carried<'data>>,
    },
    /// Why not, in words.
    No(String),
}

/// Plans the trust of a fleet.
pub fn plan(
    fleet: &Fleet,
    inventory: &Inventory,
    on_hand: &RootOnHand,
    now: Timestamp,
    adopts: bool,
) -> Plan {
    let mut plan = Plan::default();
    if fleet.spec.trust.root == Root::External {
        return plan;
    }
    let members = members(fleet, inventory, now);
    let root = FleetRoot::of(fleet, &members, on_hand);
    let mut planner = Planner {
        fleet,
        root: &root,
        make_root: None,
        plan: &mut plan,
        now,
        adopts,
    };
    for member in &members {
        let ours = member.spec.role.runs_control_planes() && member.spec.manages(Area::Trust);
        match &member.seen {
            Seen::Yes { cluster, carried } if ours => planner.cluster(member.spec, cluster, carried),
            Seen::Yes { carried, .. } => planner.bystander(member.spec, carried),
            Seen::No(reason) if ours => {
                planner.block(
                    member.spec,
                    format!("the cluster could not be read: {reason}"),
                    None,
                    true,
                );
            }
            Seen::No(_) => {}
        }
    }
    planner.remarks(on_hand);
    plan
}

/// Why no root is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: String,
    /// What to do next.
    pub hint: Option<String>,
    /// Whether only clusters that could not be read are in the way.
    pub unreachable: bool,
}

/// Whether a root may be made for the fleet: none is on this machine, none is pinned, and no cluster
/// carries one, all of those that could having been seen.
///
/// # Errors
/// Why not.
pub fn may_make_root(
    fleet: &Fleet,
    inventory: &Inventory,
    on_hand: &RootOnHand,
    now: Timestamp,
) -> Result<(), Refusal> {
    let refused = |reason: String| {
        Err(Refusal {
            reason,
            hint: None,
            unreachable: false,
        })
    };
    if fleet.spec.trust.root != Root::Managed {
        return refused("the fleet file says that its root is made elsewhere (`spec.trust.root`)".to_owned());
    }
    match FleetRoot::of(fleet, &members(fleet, inventory, now), on_hand).signing {
        Signing::WillMake => Ok(()),
        Signing::Can(own) => refused(format!("the root {} is on this machine already", own.sha256)),
        Signing::Cannot {
            reason,
            hint,
            unreachable,
        } => Err(Refusal {
            reason,
            hint,
            unreachable,
        }),
    }
}

fn members<'data>(fleet: &'data Fleet, inventory: &'data Inventory, now: Timestamp) -> Vec<Member<'data>> {
    (fleet.spec.clusters.iter())
        .map(|spec| Member {
            spec,
            seen: match inventory.clusters.get(&spec.name) {
                Some(Observation::Seen(cluster)) => Seen::Yes {
                    cluster,
                    carried: Box::new(Carried::of(spec, cluster, now)),
                },
                Some(Observation::Unreachable { failure, .. }) => Seen::No(failure.to_string()),
                None => Seen::No("it was not read".to_owned()),
            },
        })
        .collect()
}

struct Planner<'data> {
    fleet: &'data Fleet,
    root: &'data FleetRoot,
    /// The step that makes the root, once a cluster has needed it.
    make_root: Option<StepId>,
    plan: &'data mut Plan,
    now: Timestamp,
    /// Whether an istiod that `istioctl install` made becomes ours by the same plan.
    adopts: bool,
}

impl Planner<'_> {
    fn block(&mut self, spec: &ClusterSpec, reason: String, hint: Option<String>, unreachable: bool) {
        self.plan.blocked.push(Blocked {
            cluster: spec.name.clone(),
            area: Area::Trust,
            reason,
            hint,
            unreachable,
        });
    }

    fn warn(&mut self, spec: &ClusterSpec, message: String) {
        self.plan.warnings.push(Warning {
            cluster: spec.name.clone(),
            message,
        });
    }

    /// The step that makes the root, planned where the first cluster needs it.
    fn make_root(&mut self, spec: &ClusterSpec) -> StepId {
        if let Some(id) = &self.make_root {
            return id.clone();
        }
        let name = self.fleet.metadata.name.as_str();
        let object = ObjectReference::new("stolos.dev/v1alpha1", "Root", "", name);
        let id = StepId::of(&spec.name, Area::Trust, Action::Run, &object);
        self.plan.steps.push(Step {
            id: id.clone(),
            cluster: spec.name.clone(),
            area: Area::Trust,
            action: Action::Run,
            object,
            reason: "no cluster carries a root and none is stored here; its key stays on this machine"
                .to_owned(),
            needs: Vec::new(),
            disruptive: false,
            uid: String::new(),
            owner: None,
            adopts: false,
            content: Content::MakeRoot,
        });
        self.make_root = Some(id.clone());
        id
    }

    /// A cluster whose trust is not ours to write: said where it does not fit.
    fn bystander(&mut self, spec: &ClusterSpec, carried: &Carried<'_>) {
        if !carried.roots().is_empty() && !self.root.accepts_any(carried.roots()) {
            let message = format!(
                "it carries the root {}, and the fleet's is {}: their workloads do not trust each other",
                fingerprints(carried.roots()),
                self.root.words()
            );
            self.warn(spec, message);
        }
    }

    /// What the reader should know of the root on this machine, where it is about to sign.
    fn remarks(&mut self, on_hand: &RootOnHand) {
        let Some(spec) = (self.plan.steps.first())
            .and_then(|step| self.fleet.cluster(&step.cluster))
            .cloned()
        else {
            return;
        };
        for remark in &on_hand.remarks {
            self.warn(&spec, remark.clone());
        }
        if let Signing::Can(root) = &self.root.signing
            && root.expires_within(ROOT_ENDS, self.now)
        {
            let message = format!(
                "the root {} ends at {}: no intermediate outlives it",
                root.sha256, root.not_after
            );
            self.warn(&spec, message);
        }
    }
}

fn fingerprints(roots: &[super::certificate::Certificate]) -> String {
    let fingerprints: Vec<&str> = roots.iter().map(|root| root.sha256.as_str()).collect();
    fingerprints.join(" and ")
}

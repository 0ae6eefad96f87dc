//! Runs the steps of a confirmed plan as a graph: each starts when all that it needs is done.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::step::{self, StepFailure, Tools};
use super::{Confirmed, Event, Journal, StepState};
use crate::cluster::Client;
use crate::fleet::{ClusterName, FleetName};
use crate::host::keys::{RootKey, RootStore};
use crate::host::sensitive::Sensitive;
use crate::inventory::Failure;
use crate::plan::{Action, Step, StepId};

/// Steps that run at the same time in one cluster: as many as there are requests on one connection,
/// so that a cluster's links are written in one round trip.
const STEPS_IN_ONE_CLUSTER: usize = 100;

/// What a plan is run with.
pub struct Request<'run> {
    /// The fleet's name.
    pub fleet: &'run FleetName,
    /// The connections.
    pub clients: BTreeMap<ClusterName, Client>,
    /// Where the fleet's root lies.
    pub root_store: &'run RootStore,
    /// The root, where a step signs with it and it stands already.
    pub root: Option<RootKey>,
    /// The passphrase for a root that a step makes.
    pub passphrase: Option<Sensitive>,
    /// How long the whole may take.
    pub timeout: Duration,
    /// Clusters that are written at the same time.
    pub parallel: usize,
}

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Steps that are done.
    pub done: usize,
    /// Steps that failed, and why.
    pub failed: Vec<FailedStep>,
    /// Steps that were not tried.
    pub skipped: usize,
    /// Whether a wait ran out.
    pub timed_out: bool,
    /// The fingerprint of a root that was made.
    pub made_root: Option<String>,
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedStep {
    /// Which.
    pub id: StepId,
    /// Where.
    pub cluster: ClusterName,
    /// What was being done to what, and why it failed.
    pub failure: Failure,
}

/// Runs a plan. `tell` hears each event as it happens.
pub async fn run(
    confirmed: &Confirmed,
    request: Request<'_>,
    journal: &Journal,
    tell: impl Fn(&Event<'_>),
) -> Outcome {
    let deadline = Instant::now() + request.timeout;
    let steps = &confirmed.plan().steps;
    let mut tools = Tools::new(confirmed, request.fleet, &request.clients, request.root_store)
        .with_root(request.root, request.passphrase)
        .until(deadline);
    tools.prepare(steps);
    let permits = Permits::of(steps, request.parallel);
    let mut order = Order::of(steps);
    let mut outcome = Outcome::default();
    let report = |step: &Step, state: StepState| {
        if state != StepState::Begun {
            journal.write(step, &state);
        }
        tell(&Event { step, state });
    };
    let mut running = FuturesUnordered::new();
    loop {
        for index in order.take_ready() {
            let step = &steps[index];
            let attempt = attempt(step, &tools, &permits, deadline, &report);
            running.push(async move { (index, attempt.await) });
        }
        let Some((index, result)) = running.next().await else {
            break;
        };
        let step = &steps[index];
        match result {
            Ok(()) => {
                report(step, StepState::Done);
                order.done(index);
                outcome.done += 1;
                continue;
            }
            Err(Undone::Untried(why)) => {
                report(step, StepState::Skipped(why));
                outcome.skipped += 1;
            }
            Err(Undone::Failed(failure)) => {
                outcome.timed_out |= failure.timed_out;
                report(step, StepState::Failed(failure.message.clone()));
                outcome.failed.push(FailedStep {
                    id: step.id.clone(),
                    cluster: step.cluster.clone(),
                    failure: Failure {
                        class: failure.class,
                        verb: step.action.as_str().to_owned(),
                        resource: step.object.to_string(),
                        message: failure.message,
                    },
                });
            }
        }
        for (lost, need) in order.lost(index) {
            let why = format!("`{}` was not done", steps[need].id.0);
            report(&steps[lost], StepState::Skipped(why));
            outcome.skipped += 1;
        }
    }
    // Steps that need each other in a circle would be a planner's bug: they are told, not lost.
    for index in order.never_ready() {
        let why = "what it needs is never done".to_owned();
        report(&steps[index], StepState::Skipped(why));
        outcome.skipped += 1;
    }
    outcome.made_root = tools.made_root();
    outcome
}

/// Which steps wait for which. Each need is looked at once: the links of a hundred clusters are
/// ten thousand steps.
struct Order {
    /// By step: how many of its needs are not done yet; none where it was begun or given up.
    missing: Vec<Option<usize>>,
    /// By step: those that need it.
    needed_by: Vec<Vec<usize>>,
    ready: Vec<usize>,
}

impl Order {
    fn of(steps: &[Step]) -> Self {
        let by_id: HashMap<&StepId, usize> = steps
            .iter()
            .enumerate()
            .map(|(index, step)| (&step.id, index))
            .collect();
        let mut needed_by = vec![Vec::new(); steps.len()];
        for (index, step) in steps.iter().enumerate() {
            for need in step.needs.iter().filter_map(|need| by_id.get(need)) {
                needed_by[*need].push(index);
            }
        }
        // A need that is no step of the plan is never done.
        let missing: Vec<Option<usize>> = steps.iter().map(|step| Some(step.needs.len())).collect();
        let ready = (0..steps.len())
            .filter(|index| missing[*index] == Some(0))
            .collect();
        Self {
            missing,
            needed_by,
            ready,
        }
    }

    /// The steps that can begin now; each is given once.
    fn take_ready(&mut self) -> Vec<usize> {
        let ready = std::mem::take(&mut self.ready);
        for index in &ready {
            self.missing[*index] = None;
        }
        ready
    }

    fn done(&mut self, index: usize) {
        for next in std::mem::take(&mut self.needed_by[index]) {
            if let Some(missing) = &mut self.missing[next] {
                *missing -= 1;
                if *missing == 0 {
                    self.ready.push(next);
                }
            }
        }
    }

    /// Everything that will not be tried now that a step was not done, each with the need that it
    /// lacks.
    fn lost(&mut self, index: usize) -> Vec<(usize, usize)> {
        let mut lost = Vec::new();
        let mut causes = VecDeque::from([index]);
        while let Some(cause) = causes.pop_front() {
            for next in std::mem::take(&mut self.needed_by[cause]) {
                if self.missing[next].take().is_some() {
                    lost.push((next, cause));
                    causes.push_back(next);
                }
            }
        }
        lost
    }

    fn never_ready(&self) -> Vec<usize> {
        (0..self.missing.len())
            .filter(|index| self.missing[*index].is_some())
            .collect()
    }
}

/// What bounds the steps that run at the same time: each cluster has a bound of its own, and so has
/// the number of clusters in which something runs. One that falls silent is given up at its first
/// unanswered step, and then makes room for another.
struct Permits<'plan> {
    whole: Arc<Semaphore>,
    clusters: BTreeMap<&'plan ClusterName, Room>,
    /// Clusters that gave no answer, and what they were asked in vain.
    silent: RefCell<BTreeMap<&'plan ClusterName, String>>,
}

/// What one cluster may take.
struct Room {
    steps: Semaphore,
    /// Held by all steps that run in it together: the cluster's place among those that are written.
    place: RefCell<Weak<OwnedSemaphorePermit>>,
    /// Held by whoever waits for the place, so that one does for all.
    asking: tokio::sync::Mutex<()>,
}

/// The right to run one step.
struct Held<'permits> {
    _step: Option<SemaphorePermit<'permits>>,
    _place: Option<Rc<OwnedSemaphorePermit>>,
}

impl<'plan> Permits<'plan> {
    fn of(steps: &'plan [Step], parallel: usize) -> Self {
        let room = |step: &'plan Step| {
            let room = Room {
                steps: Semaphore::new(STEPS_IN_ONE_CLUSTER),
                place: RefCell::default(),
                asking: tokio::sync::Mutex::default(),
            };
            (&step.cluster, room)
        };
        Self {
            whole: Arc::new(Semaphore::new(parallel.max(1))),
            clusters: steps.iter().map(room).collect(),
            silent: RefCell::default(),
        }
    }

    /// Waits for the right to run a step in a cluster.
    async fn acquire(&self, cluster: &ClusterName) -> Option<Held<'_>> {
        let room = self.clusters.get(cluster)?;
        // The semaphores are never closed.
        let step = room.steps.acquire().await.ok();
        let _asking = room.asking.lock().await;
        let held = room.place.borrow().upgrade();
        let place = match held {
            Some(place) => Some(place),
            None => {
                let place = Arc::clone(&self.whole).acquire_owned().await.ok().map(Rc::new);
                *room.place.borrow_mut() = place.as_ref().map(Rc::downgrade).unwrap_or_default();
                place
            }
        };
        Some(Held {
            _step: step,
            _place: place,
        })
    }
}

/// Why a step was not done.
enum Undone {
    /// It was not begun.
    Untried(String),
    /// It failed.
    Failed(StepFailure),
}

/// Does one step.
async fn attempt<'plan>(
    step: &'plan Step,
    tools: &Tools<'_>,
    permits: &Permits<'plan>,
    deadline: Instant,
    report: &impl Fn(&Step, StepState),
) -> Result<(), Undone> {
    // A wait holds no permit: it costs a watch, and others must be able to go on.
    let held = match step.action {
        Action::Wait => None,
        _ => permits.acquire(&step.cluster).await,
    };
    // What runs on this machine asks no cluster.
    let silent = permits.silent.borrow().get(&step.cluster).cloned();
    if let Some(asked) = silent.filter(|_| step.action != Action::Run) {
        let why = format!("{} gave no answer to `{asked}`", step.cluster);
        return Err(Undone::Untried(why));
    }
    if step.action != Action::Wait && Instant::now() >= deadline {
        let why = "the time of the whole command, --timeout, is over".to_owned();
        return Err(Undone::Untried(why));
    }
    report(step, StepState::Begun);
    // On the heap while it runs: thousands may wait for their turn, and need no more than that.
    let result = Box::pin(step::run(step, tools)).await;
    drop(held);
    result.map_err(|failure| {
        if failure.silent {
            let mut silent = permits.silent.borrow_mut();
            silent.entry(&step.cluster).or_insert_with(|| step.id.0.clone());
        }
        Undone::Failed(failure)
    })
}

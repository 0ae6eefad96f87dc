//! Runs the steps of a confirmed plan as a graph: each starts when all that it needs is done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::step::{self, StepFailure, Tools};
use super::{Confirmed, Event, Journal, StepState};
use crate::cluster::Client;
use crate::fleet::{ClusterName, FleetName};
use crate::host::keys::{RootKey, RootStore};
use crate::host::sensitive::Sensitive;
use crate::plan::{Action, Step, StepId};

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
    /// Steps that run at the same time.
    pub parallel: usize,
}

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Steps that are done.
    pub done: usize,
    /// Steps that failed, and why.
    pub failed: Vec<(StepId, ClusterName, String)>,
    /// Steps that were not tried.
    pub skipped: usize,
    /// Whether a wait ran out.
    pub timed_out: bool,
    /// The fingerprint of a root that was made.
    pub made_root: Option<String>,
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
    let tools = Tools::new(confirmed, request.fleet, &request.clients, request.root_store)
        .with_root(request.root, request.passphrase)
        .until(deadline);
    let permits = Semaphore::new(request.parallel.max(1));
    let mut waiting: Vec<&Step> = steps.iter().collect();
    let mut done: BTreeSet<&StepId> = BTreeSet::new();
    let mut lost: BTreeMap<&StepId, String> = BTreeMap::new();
    let mut outcome = Outcome::default();
    let report = |step: &Step, state: StepState| {
        if state != StepState::Begun {
            journal.write(step, &state);
        }
        tell(&Event { step, state });
    };
    let mut running = FuturesUnordered::new();
    loop {
        let mut later = Vec::with_capacity(waiting.len());
        for step in waiting {
            if let Some(need) = step.needs.iter().find(|need| lost.contains_key(need)) {
                let why = format!("`{}` was not done", need.0);
                report(step, StepState::Skipped(why.clone()));
                lost.insert(&step.id, why);
                outcome.skipped += 1;
            } else if step.needs.iter().all(|need| done.contains(need)) {
                running.push(attempt(step, &tools, &permits, &report));
            } else {
                later.push(step);
            }
        }
        waiting = later;
        let Some((step, result)) = running.next().await else {
            break;
        };
        match result {
            Ok(()) => {
                report(step, StepState::Done);
                done.insert(&step.id);
                outcome.done += 1;
            }
            Err(failure) => {
                outcome.timed_out |= failure.timed_out;
                report(step, StepState::Failed(failure.message.clone()));
                lost.insert(&step.id, failure.message.clone());
                outcome
                    .failed
                    .push((step.id.clone(), step.cluster.clone(), failure.message));
            }
        }
    }
    outcome.made_root = tools.made_root();
    outcome
}

/// Does one step, and gives it back with what became of it.
async fn attempt<'plan>(
    step: &'plan Step,
    tools: &Tools<'_>,
    permits: &Semaphore,
    report: &impl Fn(&Step, StepState),
) -> (&'plan Step, Result<(), StepFailure>) {
    // A wait holds no permit: it costs a watch, and others must be able to go on.
    let permit = match step.action {
        Action::Wait => None,
        _ => permits.acquire().await.ok(),
    };
    report(step, StepState::Begun);
    let result = step::run(step, tools).await;
    drop(permit);
    (step, result)
}

//! Objects that are made in order to be awaited, such as a token Secret that a controller fills: they
//! are watched from the moment in which they are made, so that what is awaited of them is heard of
//! without a round trip of its own.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cluster::{Client, Watching};
use crate::plan::{Action, Step, StepId};

/// What is watched since it was made.
#[derive(Default)]
pub(super) struct Awaited {
    /// The steps that make something for which another step waits, and for nothing else.
    makers: HashSet<StepId>,
    watched: Mutex<HashMap<StepId, Watching>>,
}

impl Awaited {
    /// What is awaited in a plan.
    pub(super) fn of(steps: &[Step]) -> Self {
        let makers = steps.iter().filter_map(maker).cloned();
        Self {
            makers: makers.collect(),
            watched: Mutex::default(),
        }
    }

    /// Begins to watch what a step is about to make, where it is awaited. What stood before may look
    /// like what is awaited, so that only what is new is watched.
    pub(super) fn begin(&self, step: &Step, client: &Client) {
        if step.action == Action::Create && self.makers.contains(&step.id) {
            let watching = Watching::begin(client, &step.object);
            self.watched().insert(step.id.clone(), watching);
        }
    }

    /// Has what was begun for a step that waits.
    pub(super) fn take(&self, step: &Step) -> Option<Watching> {
        self.watched().remove(maker(step)?)
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<StepId, Watching>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The step that makes what a step waits for, where it waits for the object of that one alone.
fn maker(step: &Step) -> Option<&StepId> {
    match (step.action, &step.needs[..]) {
        (Action::Wait, [made])
            if *made == StepId::of(&step.cluster, step.area, Action::Create, &step.object) =>
        {
            Some(made)
        }
        _ => None,
    }
}

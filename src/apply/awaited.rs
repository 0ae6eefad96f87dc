//! What steps share that wait. Objects that are made in order to be awaited, such as a token Secret
//! that a controller fills, are watched from the moment in which they are made, so that what is
//! awaited of them is heard of without a round trip of its own. What only istiods know is asked once
//! for all who wait for it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cluster::{Client, LastWord, Watching};
use crate::fleet::ClusterName;
use crate::plan::{Action, Step, StepId};

/// What is awaited in a plan.
#[derive(Default)]
pub(super) struct Awaited {
    /// The steps that make something for which another step waits, and for nothing else.
    makers: HashSet<StepId>,
    watched: Mutex<HashMap<StepId, Watching>>,
    /// By cluster and namespace.
    words: Mutex<HashMap<(ClusterName, String), Arc<LastWord>>>,
}

impl Awaited {
    /// What is awaited in a plan.
    pub(super) fn of(steps: &[Step]) -> Self {
        let makers = steps.iter().filter_map(maker).cloned();
        Self {
            makers: makers.collect(),
            ..Self::default()
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

    /// Watches no more what could not be made.
    pub(super) fn give_up(&self, step: &Step) {
        self.watched().remove(&step.id);
    }

    /// Has what was begun for a step that waits.
    pub(super) fn take(&self, step: &Step) -> Option<Watching> {
        self.watched().remove(maker(step)?)
    }

    /// Through what a step asks the istiods of its namespace.
    pub(super) fn word(&self, step: &Step) -> Arc<LastWord> {
        let place = (step.cluster.clone(), step.object.namespace.clone());
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(words.entry(place).or_default())
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

//! Runs a plan and makes no choices: each step as soon as what it needs is done, clusters side by
//! side. What happens is told as events; what failed takes down only what needed it.

mod awaited;
mod credential;
mod journal;
mod run;
#[cfg(test)]
mod run_tests;
mod step;

pub use journal::Journal;
pub use run::{FailedStep, Outcome, Request, run};

use crate::plan::Plan;

/// Consent to one plan. Only [`Confirmed::by`] makes one, and nothing that changes a cluster can be
/// called without it.
#[derive(Debug)]
pub struct Confirmed {
    plan: Plan,
}

/// Who consented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Somebody was asked and said yes.
    Asked,
    /// `--yes`.
    Flag,
}

impl Confirmed {
    /// Consent to a plan as it was shown.
    pub fn by(_consent: Consent, plan: Plan) -> Self {
        Self { plan }
    }

    /// The plan that was consented to.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// What happened to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// It has begun.
    Begun,
    /// It is done.
    Done,
    /// It failed, and why.
    Failed(String),
    /// It was not tried, since what it needs was not done.
    Skipped(String),
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'plan> {
    /// To which step.
    pub step: &'plan crate::plan::Step,
    /// What.
    pub state: StepState,
}

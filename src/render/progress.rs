//! Progress on stderr: a bar on a terminal, silence elsewhere until there is something to say.

use std::collections::BTreeMap;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

use super::Terminal;
use crate::apply::{Event, StepState};
use crate::fleet::ClusterName;
use crate::plan::Plan;

/// A count of things that are done one by one.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// One more is done.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// Prints while the bar stands aside.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// All is done: the bar goes.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn draw(terminal: &Terminal, length: usize, what: &str) -> Self {
        if !terminal.draws_progress() {
            return Self {
                bar: ProgressBar::hidden(),
            };
        }
        let bar = ProgressBar::new(length as u64);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {bar:24} {pos}/{len} {wide_msg}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self { bar }
    }
}

/// What an apply says while it runs: what is being waited for on a terminal, one line a cluster
/// elsewhere, failures in either case.
pub struct ApplyProgress<'terminal> {
    terminal: &'terminal Terminal,
    progress: Progress,
    clusters: Mutex<BTreeMap<ClusterName, Tally>>,
}

#[derive(Default)]
struct Tally {
    left: usize,
    done: usize,
    failed: usize,
    skipped: usize,
}

impl<'terminal> ApplyProgress<'terminal> {
    pub(super) fn new(terminal: &'terminal Terminal, plan: &Plan) -> Self {
        let mut clusters: BTreeMap<ClusterName, Tally> = BTreeMap::new();
        for step in &plan.steps {
            clusters.entry(step.cluster.clone()).or_default().left += 1;
        }
        Self {
            progress: Progress::draw(terminal, plan.steps.len(), "applying"),
            terminal,
            clusters: Mutex::new(clusters),
        }
    }

    /// Hears an event.
    pub fn tell(&self, event: &Event<'_>) {
        let step = event.step;
        let line = || {
            format!(
                "{}: {} {} {}",
                step.cluster,
                step.area,
                step.action.as_str(),
                step.object
            )
        };
        match &event.state {
            StepState::Begun => {
                self.progress.bar.set_message(line());
                return;
            }
            StepState::Done => self.terminal.detail(1, || format!("done    {}", line())),
            StepState::Skipped(why) => self.terminal.detail(1, || format!("skipped {}: {why}", line())),
            StepState::Failed(why) => {
                let text = format!("{}: {why}", line());
                self.progress.bar.suspend(|| self.terminal.warn(&text));
            }
        }
        self.progress.step();
        let Ok(mut clusters) = self.clusters.lock() else {
            return;
        };
        let Some(tally) = clusters.get_mut(&step.cluster) else {
            return;
        };
        tally.left = tally.left.saturating_sub(1);
        match event.state {
            StepState::Done => tally.done += 1,
            StepState::Failed(_) => tally.failed += 1,
            StepState::Skipped(_) => tally.skipped += 1,
            StepState::Begun => {}
        }
        if tally.left == 0 {
            let mut said = format!("{}: {} done", step.cluster, tally.done);
            for (count, word) in [(tally.failed, "failed"), (tally.skipped, "not tried")] {
                if count > 0 {
                    said.push_str(&format!(", {count} {word}"));
                }
            }
            self.progress.bar.suspend(|| self.terminal.say(&said));
        }
    }

    /// All is done: the bar goes.
    pub fn finish(&self) {
        self.progress.finish();
    }
}

impl Terminal {
    /// Counts things that are done one by one.
    pub fn progress(&self, length: usize, what: &str) -> Progress {
        Progress::draw(self, length, what)
    }

    /// Says what an apply does.
    pub fn apply_progress<'terminal>(&'terminal self, plan: &Plan) -> ApplyProgress<'terminal> {
        ApplyProgress::new(self, plan)
    }
}

//! Every plugin of the process: each distinct one runs once, whoever asks.

use std::sync::Arc;
use std::time::Duration;

use super::Policy;

/// How plugins are run.
#[derive(Debug, Clone)]
pub struct PluginOptions {
    /// Which may run.
    pub policy: Policy,
    /// The time for a run that asks nobody: the request timeout.
    pub timeout: Duration,
    /// The time for a run during which somebody may be typing.
    pub interactive_timeout: Duration,
    /// How many run at the same time.
    pub concurrent: usize,
    /// Whether somebody can answer: standard input is a terminal.
    pub can_ask: bool,
    /// Whether what a plugin that may ask says on standard error is seen by somebody at once:
    /// standard error is a terminal.
    pub can_tell: bool,
}

/// The plugins of one process. Clones share it.
#[derive(Clone)]
pub struct Plugins {
    options: Arc<PluginOptions>,
}

impl Plugins {
    /// A registry; nothing runs yet.
    pub fn new(options: PluginOptions) -> Self {
        Self {
            options: Arc::new(options),
        }
    }

    /// How they are run.
    pub fn options(&self) -> &PluginOptions {
        &self.options
    }
}

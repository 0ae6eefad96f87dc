//! Every plugin of the process: each distinct one runs once, whoever asks and however many; what it
//! gave is kept until it expires or is refused, and a failure is kept as well (client-go keeps one
//! authenticator for each configuration: `exec.go`, `globalCache`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::super::{Authorization, unavailable};
use super::group::Groups;
use super::interruption::Signals;
use super::process::{self, Invocation, RunError};
use super::protocol::Issued;
use super::{InteractiveMode, Plugin, Policy, lookup, words};
use crate::inventory::Failure;

/// How plugins are run.
#[derive(Debug, Clone)]
pub struct PluginOptions {
    /// Which may run.
    pub policy: Policy,
    /// The time for a run that asks nobody.
    pub timeout: Duration,
    /// The time for a run during which somebody may be typing.
    pub interactive_timeout: Duration,
    /// How many that ask nobody run at the same time: many are interpreters of 60 MB each.
    pub concurrent: usize,
    /// Whether somebody can answer: standard input is a terminal.
    pub can_ask: bool,
    /// Whether what a plugin that asks says on standard error is seen by somebody at once, and kept
    /// nowhere: standard error is a terminal.
    pub can_tell: bool,
}

/// The plugins of one process. Clones share it; when the last is dropped, what still runs is ended.
#[derive(Clone)]
pub struct Plugins {
    shared: Arc<SharedState>,
    _end: Arc<End>,
}

/// Ends what runs. The runs themselves do not hold it.
struct End(Groups);

impl Drop for End {
    fn drop(&mut self) {
        self.0.kill();
    }
}

struct SharedState {
    options: PluginOptions,
    entries: Mutex<HashMap<Arc<Plugin>, Arc<Entry>>>,
    /// By program: what is known of its login.
    logins: Mutex<HashMap<PathBuf, Arc<tokio::sync::Mutex<Login>>>>,
    /// The terminal: one plugin at a time asks on it.
    terminal: tokio::sync::Mutex<()>,
    permits: Semaphore,
    groups: Groups,
    signals: Once,
}

/// One distinct plugin.
struct Entry {
    plugin: Arc<Plugin>,
    state: Mutex<State>,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    Running(Run),
    Held(Held),
    Failed(Failure),
}

type Run = Shared<BoxFuture<'static, Result<Authorization, Failure>>>;

/// What a plugin gave.
#[derive(Clone)]
struct Held {
    authorization: Authorization,
    expires: Option<Timestamp>,
    refusal: Refusal,
}

/// What became of a 401.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// There was none.
    None,
    /// The next caller has the plugin run.
    Pending,
    /// The plugin has run for one: another is final.
    Answered,
}

/// What is known of the login that the plugins of one program share.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Login {
    Untried,
    Done,
    Failed,
}

impl Plugins {
    /// A registry; nothing runs yet.
    pub fn new(options: PluginOptions) -> Self {
        let groups = Groups::default();
        Self {
            _end: Arc::new(End(groups.clone())),
            shared: Arc::new(SharedState {
                permits: Semaphore::new(options.concurrent.clamp(1, Semaphore::MAX_PERMITS)),
                options,
                entries: Mutex::default(),
                logins: Mutex::default(),
                terminal: tokio::sync::Mutex::default(),
                groups,
                signals: Once::new(),
            }),
        }
    }

    /// What a plugin gives: what it gave before where that is still good, else what it gives now.
    /// The run is waited for by all who ask meanwhile, and goes on where one of them gives up.
    ///
    /// # Errors
    ///
    /// What kept the plugin from giving a credential, the same for all; it is not run again.
    pub(in super::super) async fn authorization(
        &self,
        plugin: &Arc<Plugin>,
    ) -> Result<Authorization, Failure> {
        let entry = self.shared.entry(plugin);
        let run = {
            let mut state = locked(&entry.state);
            let run = match &*state {
                State::Failed(failure) => return Err(failure.clone()),
                State::Held(held) if held.is_good() => return Ok(held.authorization.clone()),
                State::Held(held) => start(&self.shared, &entry, Some(held.clone())),
                State::Idle => start(&self.shared, &entry, None),
                State::Running(run) => run.clone(),
            };
            *state = State::Running(run.clone());
            run
        };
        run.await
    }

    /// Takes note of a 401 to what was shown. True where the next [`Self::authorization`] gives
    /// something else, or tries to: once, shared by all whom the server refused.
    pub(in super::super) fn refused(&self, plugin: &Arc<Plugin>, shown: &Authorization) -> bool {
        let entry = self.shared.entry(plugin);
        let mut state = locked(&entry.state);
        match &mut *state {
            State::Running(_) => true,
            State::Held(held) if held.authorization != *shown => true,
            State::Held(held) => {
                if held.refusal == Refusal::None {
                    held.refusal = Refusal::Pending;
                }
                held.refusal == Refusal::Pending
            }
            State::Idle | State::Failed(_) => false,
        }
    }
}

impl Held {
    fn is_good(&self) -> bool {
        self.refusal != Refusal::Pending && !self.has_expired()
    }

    fn has_expired(&self) -> bool {
        self.expires.is_some_and(|expires| expires < Timestamp::now())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins a run that outlives whoever asked for it. The caller holds the lock of the entry's state,
/// so that the run cannot end before it is noted.
fn start(shared: &Arc<SharedState>, entry: &Arc<Entry>, before: Option<Held>) -> Run {
    shared.signals.call_once(|| {
        tokio::spawn(Signals::caught().watch(shared.groups.clone()));
    });
    let (shared, entry) = (shared.clone(), entry.clone());
    let task = tokio::spawn(async move {
        let (state, result) = settled(shared.issued(&entry.plugin).await, before);
        *locked(&entry.state) = state;
        result
    });
    async move {
        task.await
            .unwrap_or_else(|_| Err(unavailable("the credential plugin was given up")))
    }
    .boxed()
    .shared()
}

/// What a run leaves, and what those who waited for it are told.
fn settled(issued: Result<Issued, Failure>, before: Option<Held>) -> (State, Result<Authorization, Failure>) {
    let refused = before
        .as_ref()
        .is_some_and(|held| held.refusal == Refusal::Pending);
    match (issued, before) {
        (Ok(issued), _) => {
            let mut held = Held {
                authorization: issued.authorization,
                expires: issued.expires,
                refusal: if refused { Refusal::Answered } else { Refusal::None },
            };
            // By this machine's clock, which may be wrong: a server says so if it is right.
            if held.has_expired() {
                held.expires = None;
            }
            let authorization = held.authorization.clone();
            (State::Held(held), Ok(authorization))
        }
        // What one server refuses may be good for others.
        (Err(_), Some(before)) if refused && !before.has_expired() => {
            let authorization = before.authorization.clone();
            let held = Held {
                refusal: Refusal::Answered,
                ..before
            };
            (State::Held(held), Ok(authorization))
        }
        (Err(failure), _) => (State::Failed(failure.clone()), Err(failure)),
    }
}

impl SharedState {
    fn entry(&self, plugin: &Arc<Plugin>) -> Arc<Entry> {
        let mut entries = locked(&self.entries);
        let entry = entries.entry(plugin.clone()).or_insert_with(|| {
            Arc::new(Entry {
                plugin: plugin.clone(),
                state: Mutex::default(),
            })
        });
        entry.clone()
    }

    /// Has a plugin run, in its turn.
    async fn issued(&self, plugin: &Plugin) -> Result<Issued, Failure> {
        if self.options.policy == Policy::None {
            return Err(words::forbidden(plugin));
        }
        let program = lookup::find(&plugin.command).ok_or_else(|| words::not_found(plugin))?;
        if !self.options.policy.permits(&plugin.command, &program) {
            return Err(words::forbidden(plugin));
        }
        let issued = match plugin.interactive_mode {
            InteractiveMode::Never => self.silently(plugin, &program).await,
            InteractiveMode::Always if !self.options.can_ask => return Err(words::nobody(plugin)),
            InteractiveMode::Always | InteractiveMode::IfAvailable => self.in_turn(plugin, &program).await,
        };
        issued.map_err(|error| words::failed(plugin, &error))
    }

    /// Of the plugins of one program the first runs alone: a login that it brings about serves the
    /// others. They run at the same time after it, without the terminal where they can do so, since
    /// a thousand of them in turn would take a thousand times as long; one that fails so has the
    /// terminal then, in its turn. Where the first fails, the others run all the same, each for
    /// itself: what ails one account need not ail another. But they do not get the terminal, unless
    /// they cannot do without: a login that was declined is not asked for again for each of them.
    async fn in_turn(&self, plugin: &Plugin, program: &Path) -> Result<Issued, RunError> {
        let login = locked(&self.logins)
            .entry(program.to_owned())
            .or_insert_with(|| Arc::new(tokio::sync::Mutex::new(Login::Untried)))
            .clone();
        let mut known = login.lock().await;
        if *known == Login::Untried {
            let issued = self.first(plugin, program).await;
            *known = if issued.is_ok() {
                Login::Done
            } else {
                Login::Failed
            };
            return issued;
        }
        let done = *known == Login::Done;
        drop(known);
        if plugin.interactive_mode == InteractiveMode::Always {
            return self.asking(plugin, program).await;
        }
        let issued = self.silently(plugin, program).await;
        if issued.is_err() && done && self.options.can_ask {
            return self.asking(plugin, program).await;
        }
        issued
    }

    /// The first plugin of a program has the terminal where it is free. Where a plugin of another
    /// program has it, this one tries without, so that neither waits for the other.
    async fn first(&self, plugin: &Plugin, program: &Path) -> Result<Issued, RunError> {
        if !self.options.can_ask {
            return self.silently(plugin, program).await;
        }
        if plugin.interactive_mode == InteractiveMode::IfAvailable {
            if let Ok(_terminal) = self.terminal.try_lock() {
                return self.attempt(plugin, program, true).await;
            }
            if let Ok(issued) = self.silently(plugin, program).await {
                return Ok(issued);
            }
        }
        self.asking(plugin, program).await
    }

    /// A run that has the terminal.
    async fn asking(&self, plugin: &Plugin, program: &Path) -> Result<Issued, RunError> {
        let _terminal = self.terminal.lock().await;
        self.attempt(plugin, program, true).await
    }

    /// A run that asks nobody and is not heard.
    async fn silently(&self, plugin: &Plugin, program: &Path) -> Result<Issued, RunError> {
        let _permit = self.permits.acquire().await;
        self.attempt(plugin, program, false).await
    }

    async fn attempt(&self, plugin: &Plugin, program: &Path, asks: bool) -> Result<Issued, RunError> {
        let invocation = Invocation {
            plugin,
            program,
            asks,
            tells: self.options.can_tell,
            timeout: if asks {
                self.options.interactive_timeout
            } else {
                self.options.timeout
            },
        };
        process::run(&invocation, &self.groups).await
    }
}

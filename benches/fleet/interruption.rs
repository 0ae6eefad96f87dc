//! Ending early: whatever was started is ended, and what stands is taken down.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal};
use tokio::signal::unix::{SignalKind, signal};

use crate::clusters::Ground;
use crate::rig;
use crate::trouble::{Doing as _, Outcome};

/// The process group that works now.
static WORKING: Mutex<Option<Pid>> = Mutex::new(None);

/// Whether this process was asked to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Goes no further where this process was asked to end: another thread takes everything away, and
/// then ends it.
pub fn stop_here_if_asked_to_end() {
    while ENDING.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

/// A process group that is ended where this process is asked to end.
pub struct Group(Option<Pid>);

impl Group {
    /// The group that a child leads.
    pub fn of(leader: u32) -> Self {
        let group = i32::try_from(leader).ok().and_then(Pid::from_raw);
        remember(group);
        Self(group)
    }

    /// Ends it now.
    pub fn end(&self) {
        end(self.0);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        remember(None);
    }
}

fn remember(group: Option<Pid>) {
    if let Ok(mut working) = WORKING.lock() {
        *working = group;
    }
}

fn end(group: Option<Pid>) {
    if let Some(group) = group {
        // It may have ended by itself.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

/// From now on, a signal that asks this process to end takes everything away first.
pub fn clean_up_when_asked_to_end(ground: &Ground) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .doing("wait for signals")?;
    let ground = ground.clone();
    let entered = runtime.enter();
    let mut signals = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ]
    .into_iter()
    .map(signal)
    .collect::<Result<Vec<_>, _>>()
    .doing("wait for signals")?;
    drop(entered);
    std::thread::spawn(move || {
        let any = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
        runtime.block_on(futures::future::select_all(any));
        end_here(&ground);
    });
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark that is interrupted has no other end"
)]
fn end_here(ground: &Ground) {
    ENDING.store(true, Ordering::SeqCst);
    crate::say("interrupted: taking everything down");
    end(WORKING.lock().ok().and_then(|working| *working));
    if let Err(trouble) = rig::take_away(ground) {
        crate::say(&format!("benchmark: {trouble}"));
    }
    std::process::exit(130);
}

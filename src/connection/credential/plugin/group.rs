//! Plugins that are running, so that none of them, and nothing that they started, goes on when it
//! is no longer wanted: at its timeout, at the end of the session, on an interrupt.
//!
//! A plugin that cannot ask has a process group of its own, which is signalled as a whole. One that
//! can ask must stay in the terminal's foreground group, ours, or it could not read; Ctrl-C reaches
//! it there by itself, and what it started is found by its parent where the system tells (Linux).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::process::Child;

/// How long a plugin has from being asked to end to being ended: to remove its lock files.
const GRACE: Duration = Duration::from_millis(250);

/// The process groups that are running.
#[derive(Clone, Default)]
pub(super) struct Groups {
    leaders: Arc<Mutex<BTreeSet<u32>>>,
    stopping: Arc<AtomicBool>,
}

impl Groups {
    fn with<T>(&self, change: impl FnOnce(&mut BTreeSet<u32>) -> T) -> T {
        change(&mut self.leaders.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes note of a child. It is ended when what is returned is dropped before it has ended.
    pub(super) fn enter(&self, child: &Child, own_group: bool) -> Running {
        let leader = child.id();
        if own_group && let Some(leader) = leader {
            self.with(|leaders| leaders.insert(leader));
        }
        Running {
            groups: self.clone(),
            leader,
            own_group,
        }
    }

    /// Asks every group to end.
    pub(super) fn terminate(&self) {
        for leader in self.with(|leaders| leaders.clone()) {
            signal::group(leader, signal::TERMINATE);
        }
    }

    /// Ends every group.
    pub(super) fn kill(&self) {
        for leader in self.with(std::mem::take) {
            signal::group(leader, signal::KILL);
        }
    }

    /// Whether everything is being ended, so that how a plugin ends says nothing of the plugin.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Asks every group to end, then ends those that did not.
    pub(super) async fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        if self.with(|leaders| leaders.is_empty()) {
            return;
        }
        self.terminate();
        tokio::time::sleep(GRACE).await;
        self.kill();
    }
}

/// A plugin that runs.
pub(super) struct Running {
    groups: Groups,
    /// None where it has ended already.
    leader: Option<u32>,
    own_group: bool,
}

impl Running {
    /// Takes note that it has ended by itself: what it left behind on purpose stays.
    pub(super) fn ended(mut self) {
        if let Some(leader) = self.leader.take() {
            self.groups.with(|leaders| leaders.remove(&leader));
        }
    }

    fn signal(&self, signal: signal::Kind) {
        match self.leader {
            Some(leader) if self.own_group => signal::group(leader, signal),
            Some(leader) => signal::tree(leader, signal),
            None => {}
        }
    }

    /// Ends it with all that it started. The child is not waited for before the last signal: until
    /// then its number stays its own.
    pub(super) async fn stop(self, child: &mut Child) {
        self.signal(signal::TERMINATE);
        tokio::time::sleep(GRACE).await;
        drop(self);
        // Where there are no signals.
        let _ = child.start_kill();
        let _ = tokio::time::timeout(GRACE, child.wait()).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(signal::KILL);
        if let Some(leader) = self.leader {
            self.groups.with(|leaders| leaders.remove(&leader));
        }
    }
}

#[cfg(unix)]
mod signal {
    use rustix::process::{Pid, Signal, kill_process, kill_process_group};

    pub(super) type Kind = Signal;
    pub(super) const TERMINATE: Kind = Signal::TERM;
    pub(super) const KILL: Kind = Signal::KILL;

    fn pid(number: u32) -> Option<Pid> {
        i32::try_from(number).ok().and_then(Pid::from_raw)
    }

    /// One that has ended already is passed over.
    pub(super) fn group(leader: u32, kind: Kind) {
        if let Some(leader) = pid(leader) {
            let _ = kill_process_group(leader, kind);
        }
    }

    /// Signals a process and its descendants.
    pub(super) fn tree(root: u32, kind: Kind) {
        let mut found = vec![root];
        let mut next = 0;
        let parents = parents();
        while let Some(&parent) = found.get(next) {
            found.extend(
                parents
                    .iter()
                    .filter(|(_, of)| *of == parent)
                    .map(|(child, _)| *child),
            );
            next += 1;
        }
        for process in found {
            if let Some(process) = pid(process) {
                let _ = kill_process(process, kind);
            }
        }
    }

    /// Every process with its parent (proc(5), `/proc/pid/stat`); nothing where there is no `/proc`.
    fn parents() -> Vec<(u32, u32)> {
        let Ok(entries) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        entries
            .flatten()
            .filter_map(|entry| {
                let process = entry.file_name().to_str()?.parse().ok()?;
                let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
                // After the name, which may hold anything, in parentheses: state, then parent.
                let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
                Some((process, parent))
            })
            .collect()
    }
}

/// Elsewhere only the child itself is ended, by tokio.
#[cfg(not(unix))]
mod signal {
    #[derive(Clone, Copy)]
    pub(super) struct Kind;
    pub(super) const TERMINATE: Kind = Kind;
    pub(super) const KILL: Kind = Kind;
    pub(super) fn group(_leader: u32, _kind: Kind) {}
    pub(super) fn tree(_root: u32, _kind: Kind) {}
}

//! The process whose end ends the lab: `unshare --fork --kill-child`, which [`supervise`] becomes.

use std::convert::Infallible;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal};
use serde::{Deserialize, Serialize};

use super::error::LabError;
use super::programs;

/// How long the kernel gets to end everything.
const ENDING: Duration = Duration::from_secs(20);

/// A process, told from a later one of the same number by when it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Supervisor {
    /// The process's number.
    pub process: u32,
    /// When it started, in clock ticks after the machine (field 22 of `/proc/PID/stat`).
    pub started: u64,
}

impl Supervisor {
    /// Looks at a process that was just started.
    pub fn of(process: u32) -> Result<Self, LabError> {
        let started = start_time(process)
            .ok_or_else(|| LabError::system("start the lab's supervisor", "it ended at once"))?;
        Ok(Self { process, started })
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        start_time(self.process) == Some(self.started)
    }

    /// One of the process's namespaces, as `/proc` names it.
    pub fn namespace(&self, kind: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/ns/{kind}", self.process))
    }

    /// Ends the process, and waits until none is left in its process namespace.
    pub fn kill(&self) -> Result<(), LabError> {
        let failed = |why: &dyn std::fmt::Display| LabError::system("end the lab's supervisor", why);
        // Read first: it cannot be read any more when the supervisor is gone.
        let inside = fs::read_link(self.namespace("pid_for_children")).ok();
        let own = fs::read_link("/proc/self/ns/pid").ok();
        let Some(pid) = i32::try_from(self.process).ok().and_then(Pid::from_raw) else {
            return Ok(());
        };
        // The descriptor keeps the number from being given to another process in between.
        let Ok(handle) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else {
            return Ok(());
        };
        if self.is_alive() {
            rustix::process::pidfd_send_signal(&handle, Signal::KILL).map_err(|error| failed(&error))?;
        }
        let deadline = Instant::now() + ENDING;
        while self.is_alive() || (inside != own && inside.as_deref().is_some_and(anyone_in)) {
            if Instant::now() > deadline {
                return Err(failed(&"some of its processes do not end"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// When a process started, in clock ticks after the machine; none where it does not run.
fn start_time(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    parse_start_time(&stat)
}

/// Reads field 22 of a `stat`; none for a process that ended and was not waited for.
fn parse_start_time(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses, and may hold anything.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Whether any process runs in a process namespace. One that ended, and that its new parent did
/// not look at yet, does not.
fn anyone_in(namespace: &Path) -> bool {
    let Ok(entries) = fs::read_dir("/proc") else {
        return false;
    };
    entries.flatten().any(|entry| {
        fs::read_link(entry.path().join("ns/pid")).is_ok_and(|link| link == namespace)
            && fs::read_to_string(entry.path().join("stat"))
                .is_ok_and(|stat| parse_start_time(&stat).is_some())
    })
}

/// Becomes the supervisor of the lab in a folder: leaves the caller's session and terminal, and
/// then is `unshare`, with the lab inside as its child. Stdin holds the listeners.
pub fn supervise(directory: &Path, namespaces: &str) -> Result<Infallible, LabError> {
    let doing = "start the lab's supervisor";
    rustix::process::setsid().map_err(|error| LabError::system(doing, error))?;
    let itself = std::env::current_exe().map_err(|error| LabError::system(doing, error))?;
    let error = Command::new(programs::need("unshare")?)
        .args([namespaces, "--fork", "--kill-child", "--mount-proc", "--"])
        .arg(itself)
        .args(["lab", "inside", "init", "--directory"])
        .arg(directory)
        .current_dir("/")
        .exec();
    Err(LabError::system(doing, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_its_successor() {
        let this = Supervisor::of(std::process::id()).unwrap();
        assert!(this.is_alive());
        let successor = Supervisor {
            started: this.started + 1,
            ..this
        };
        assert!(!successor.is_alive());
        assert!(Supervisor::of(0).is_err());
    }

    #[test]
    fn names_with_spaces_and_parentheses_are_skipped() {
        let stat = "7 (a) S 1) R 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        assert_eq!(parse_start_time(stat), Some(4242));
        assert_eq!(parse_start_time(&stat.replace(") R", ") Z")), None);
        assert_eq!(parse_start_time("7 (sleep) S 1"), None);
    }
}

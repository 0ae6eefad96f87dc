//! Talking to a running lab: one request and its answers, a line of JSON each, over a socket in the
//! lab's folder, which only its owner can enter. Sockets in the file system work across network
//! namespaces.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::LabError;
use super::record::{ClusterState, Lab, LabState, list};

/// The socket's name in the lab's folder.
const SOCKET: &str = "control.sock";

/// How long a lab may take to do what it was asked for.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What can be asked of a lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Request {
    /// How every cluster is.
    States,
    /// Wait until every cluster that was not switched off is ready; each is told as it becomes so.
    Wait,
    /// Switch a cluster off.
    Stop {
        /// The cluster's context.
        context: String,
    },
    /// Switch a cluster on, and wait until it is ready.
    Start {
        /// The cluster's context.
        context: String,
    },
}

/// What a lab answers; the first answer that is not [`Answer::Ready`] is the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// A cluster is ready.
    Ready {
        /// The cluster's context.
        context: String,
    },
    /// How every cluster is.
    States {
        /// By context.
        clusters: BTreeMap<String, ClusterState>,
    },
    /// It is done.
    Done,
    /// It cannot be done.
    Failed {
        /// Why.
        why: String,
    },
}

/// Opens the lab's folder; the socket is reached through the descriptor, since its own path may be
/// longer than the 107 bytes that the address of a socket can have.
pub fn socket_path(directory: &Path) -> std::io::Result<(fs::File, PathBuf)> {
    let folder = fs::File::open(directory)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()));
    Ok((folder, path))
}

/// Asks a lab that is known to run, and passes on what it answers on the way. A lab that was only
/// just started is given time to open its socket.
pub fn ask(lab: &Lab, request: &Request, mut on_ready: impl FnMut(String)) -> Result<Answer, LabError> {
    let failed = |why: &dyn std::fmt::Display| LabError::Failed {
        what: format!("ask the lab {}", lab.name),
        why: why.to_string(),
        logs: lab.directory.clone(),
    };
    let stream = connect(lab).map_err(|error| failed(&error))?;
    stream
        // The lab gives up first, and says why.
        .set_read_timeout(Some(PATIENCE + Duration::from_secs(10)))
        .map_err(|error| failed(&error))?;
    let mut line = serde_json::to_string(request).map_err(|error| failed(&error))?;
    line.push('\n');
    (&stream)
        .write_all(line.as_bytes())
        .map_err(|error| failed(&error))?;
    for line in BufReader::new(&stream).lines() {
        let line = line.map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {
                failed(&format!("no answer within {} s", PATIENCE.as_secs()))
            }
            _ => failed(&error),
        })?;
        match serde_json::from_str(&line).map_err(|error| failed(&error))? {
            Answer::Ready { context } => on_ready(context),
            Answer::Failed { why } => return Err(failed(&why)),
            last => return Ok(last),
        }
    }
    Err(failed(&"it ended before it answered"))
}

fn connect(lab: &Lab) -> std::io::Result<UnixStream> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let (_folder, path) = socket_path(&lab.directory)?;
        match UnixStream::connect(path) {
            Err(_) if lab.state() == LabState::Running && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            connected => return connected,
        }
    }
}

/// How each cluster of a running lab is, by context.
pub fn states(lab: &Lab) -> Result<BTreeMap<String, ClusterState>, LabError> {
    match ask(lab, &Request::States, |_| {})? {
        Answer::States { clusters } => Ok(clusters),
        Answer::Ready { .. } | Answer::Done | Answer::Failed { .. } => Ok(BTreeMap::new()),
    }
}

/// Switches the cluster of a context off: its API server and controllers end, and connections are
/// refused; pods that run for real stay. Does nothing where it is off.
pub fn stop(context: &str) -> Result<(), LabError> {
    let request = Request::Stop {
        context: context.to_owned(),
    };
    ask(&with_context(context)?, &request, |_| {}).map(|_| ())
}

/// Switches the cluster of a context on, and waits until it is ready. Does nothing where it is on.
pub fn start(context: &str) -> Result<(), LabError> {
    let request = Request::Start {
        context: context.to_owned(),
    };
    ask(&with_context(context)?, &request, |_| {}).map(|_| ())
}

/// The running lab that has a context.
fn with_context(context: &str) -> Result<Lab, LabError> {
    let running: Vec<Lab> = list()?
        .into_iter()
        .filter(|lab| lab.state() == LabState::Running)
        .collect();
    let known: Vec<String> = running.iter().flat_map(Lab::contexts).collect();
    running
        .into_iter()
        .find(|lab| lab.contexts().iter().any(|one| one == context))
        .ok_or_else(|| LabError::NoSuchContext {
            context: context.to_owned(),
            known,
        })
}

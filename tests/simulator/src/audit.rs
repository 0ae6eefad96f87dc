//! What was asked of the clusters, written down.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

/// How much is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Detail {
    /// Only counts: next to nothing, for measurements.
    Counts,
    /// A line for each request.
    #[default]
    Lines,
    /// Whole requests with their bodies, and the answers'.
    Whole,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Since the fleet was started.
    pub at: Duration,
    /// The cluster's number, from 1.
    pub cluster: usize,
    /// The connection's number in its cluster, from 1.
    pub connection: u64,
    /// Whether it came by HTTP/2.
    pub http2: bool,
    /// `get`, `list`, `watch`, `create`, `patch`, `update`, `delete`, or the method of what is no
    /// object.
    pub verb: &'static str,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The `User-Agent`.
    pub agent: String,
    /// The `Accept` header.
    pub accept: String,
    /// The body's type.
    pub content_type: String,
    /// The WebSocket protocols that are offered (`Sec-WebSocket-Protocol`).
    pub protocols: String,
    /// The bearer token that it was asked with, where all is written down.
    pub bearer: String,
    /// The answer's status.
    pub status: u16,
    /// The answer's body's type.
    pub answer_type: &'static str,
    /// Bytes of the request's body.
    pub received: usize,
    /// Bytes of the answer's body; of a watch, none.
    pub sent: usize,
    /// The request's body, where all is written down.
    pub request: Bytes,
    /// The answer's body, where all is written down; of a watch, none.
    pub answer: Bytes,
}

/// One cluster's numbers.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections that were accepted.
    pub connections: AtomicU64,
    /// Requests that were read.
    pub requests: AtomicU64,
    /// Requests that changed something: neither dry runs nor reviews nor what was refused.
    pub writes: AtomicU64,
    /// Bytes of answers' bodies.
    pub sent: AtomicU64,
}

/// A copy of one cluster's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Connections that were accepted.
    pub connections: u64,
    /// Requests that were read.
    pub requests: u64,
    /// Requests that changed something.
    pub writes: u64,
    /// Bytes of answers' bodies.
    pub sent: u64,
}

impl Counters {
    /// The numbers now.
    pub fn now(&self) -> Counts {
        Counts {
            connections: self.connections.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
        }
    }
}

impl Counts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            requests: self.requests + other.requests,
            writes: self.writes + other.writes,
            sent: self.sent + other.sent,
        }
    }

    /// What came since an earlier look.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            connections: self.connections - before.connections,
            requests: self.requests - before.requests,
            writes: self.writes - before.writes,
            sent: self.sent - before.sent,
        }
    }
}

/// The record of a fleet.
#[derive(Debug)]
pub struct Audit {
    began: Instant,
    detail: Detail,
    entries: Mutex<Vec<Entry>>,
}

impl Audit {
    /// An empty record.
    pub fn new(detail: Detail) -> Self {
        Self {
            began: Instant::now(),
            detail,
            entries: Mutex::default(),
        }
    }

    /// How much is written down.
    pub fn detail(&self) -> Detail {
        self.detail
    }

    /// Since when the fleet runs.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Writes a request down.
    pub fn add(&self, entry: Entry) {
        self.lock().push(entry);
    }

    /// What was written down so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// What was written down so far, and begins afresh.
    pub fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.lock())
    }

    /// How many requests each connection carried, by cluster and connection.
    pub fn requests_by_connection(&self) -> BTreeMap<(usize, u64), usize> {
        let mut counts = BTreeMap::new();
        for entry in self.lock().iter() {
            *counts.entry((entry.cluster, entry.connection)).or_default() += 1;
        }
        counts
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        self.entries
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

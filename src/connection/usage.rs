//! What talking to one cluster costs.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// What talking to one cluster has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Requests sent, repetitions among them.
    pub requests: u64,
    /// Requests sent again: after a refusal that may pass, or on a new connection.
    pub repetitions: u64,
    /// Connections begun for its requests, those that failed among them; contexts that share a
    /// connection count it once, with the one that asked first.
    pub connections: u64,
    /// Bytes of requests' bodies.
    pub bytes_sent: u64,
    /// Bytes of answers' bodies.
    pub bytes_received: u64,
}

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        write!(
            formatter,
            "{}{} on {}, {} sent and {} received",
            counted(self.requests, "request"),
            match self.repetitions {
                0 => String::new(),
                times => format!(" ({} among them)", counted(times, "repetition")),
            },
            counted(self.connections, "new connection"),
            counted(self.bytes_sent, "byte"),
            counted(self.bytes_received, "byte")
        )
    }
}

/// Counts [`Usage`].
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) requests: Count,
    pub(crate) repetitions: Count,
    pub(crate) connections: Count,
    pub(crate) bytes_sent: Count,
    pub(crate) bytes_received: Count,
}

/// One number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, amount: usize) {
        self.0.fetch_add(amount as u64, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Meter {
    pub(crate) fn read(&self) -> Usage {
        Usage {
            requests: self.requests.get(),
            repetitions: self.repetitions.get(),
            connections: self.connections.get(),
            bytes_sent: self.bytes_sent.get(),
            bytes_received: self.bytes_received.get(),
        }
    }
}

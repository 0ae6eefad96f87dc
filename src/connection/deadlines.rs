//! How long the steps of a request may take.

use std::time::Duration;

/// How long the steps of one request may take. What comes before them and waits for somebody or
/// something of this machine (a credential plugin, a free descriptor) is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// A connection: name, TCP, proxy, TLS.
    pub connect: Duration,
    /// From a request's end to its answer's status line and headers.
    pub first_byte: Duration,
    /// From one piece of an answer's body to the next.
    pub between_bytes: Duration,
    /// All of it, with every repetition.
    pub total: Duration,
}

impl Deadlines {
    /// As kubectl's own dialer and TLS handshake have it (client-go `transport/cache.go`: 10 s), where
    /// a request may take longer than that.
    const CONNECT: Duration = Duration::from_secs(10);

    /// What follows from the time for one request: a connection may take all of it, up to 10 s; an
    /// answer may begin as late as it may end; once it has begun, it may pause for a half of it.
    pub fn within(total: Duration) -> Self {
        Self {
            connect: total.min(Self::CONNECT),
            first_byte: total,
            between_bytes: total / 2,
            total,
        }
    }

    /// How often a peer that owes an answer is asked for a sign of life, and how long it may take
    /// with it (RFC 9113, section 6.7): a connection that died in silence is noticed in a half of
    /// a request's time, so that there is time to ask again on another.
    pub(super) fn keep_alive(&self) -> Duration {
        (self.total / 4).clamp(Duration::from_millis(500), Duration::from_secs(15))
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self::within(Duration::from_secs(10))
    }
}

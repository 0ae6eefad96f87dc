//! What can be wrong with a cluster, switched while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Connections are made, and then nothing is ever read or written. Connections that stand
    /// fall silent too.
    BlackHole,
    /// Not even connections are made: the listener's backlog is full, and a connecting peer hears
    /// nothing.
    Unaccepted,
    /// Silence from the end of the TLS handshake on.
    SilentAfterHandshake,
    /// Nobody listens; connections that stand are reset.
    Refused,
    /// Each connection is reset as soon as it is made.
    ResetOnAccept,
    /// The connection is reset when a request was read: whether it was carried out is unknown to
    /// whoever asked. It was, for the fault's `true`.
    ResetAfterRequest(bool),
    /// The connection is reset in the middle of an answer's body.
    ResetInBody,
    /// The answer's body ends in its middle: the connection is closed (HTTP/1.1), or the stream is
    /// reset (HTTP/2).
    HalfBody,
    /// The answer's body comes at a byte a second.
    Drip,
    /// Every request is answered with this code, and `Retry-After` in seconds where given.
    Status(u16, Option<u64>),
    /// Whoever asks is not known: 401.
    Unauthorized,
    /// A verb (as in the audit: `get`, `list`, `watch`, `create`, `patch`, `delete`) is forbidden on a
    /// resource (`secrets`); an empty one is every one.
    Forbidden(&'static str, &'static str),
    /// Watches and continued lists begin too far back: 410.
    Gone,
    /// The certificate is signed by an authority that nobody knows.
    WrongCertificate,
    /// HTTP without TLS on the port.
    PlainHttp,
    /// A web page: 200, and not Kubernetes.
    WebPage,
    /// Writes fail as they do when etcd's space is used up; reads are fine.
    NoSpace,
    /// Writes are refused with this code, reason and message, as admission does; reads, reviews and
    /// dry runs are fine.
    RefusedWrites(u16, &'static str, &'static str),
    /// The connection is reset after a write that was carried out: its answer is lost.
    LostWrites,
    /// Lists of a resource hold so many bytes more, in objects that nobody asked for.
    Swollen(&'static str, usize),
    /// The cluster says that it is another one: its `kube-system` has this UID.
    AnotherUid(String),
    /// Each answer takes so much longer.
    Slow(Duration),
}

/// Where a fault shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before a connection is made.
    Listener,
    /// On a connection, before a request.
    Connection,
    /// On a request.
    Request,
    /// On a request that changes something.
    Write,
}

impl Fault {
    /// Where it shows.
    pub fn stage(&self) -> Stage {
        match self {
            Fault::Unaccepted | Fault::Refused => Stage::Listener,
            Fault::BlackHole
            | Fault::SilentAfterHandshake
            | Fault::ResetOnAccept
            | Fault::WrongCertificate
            | Fault::PlainHttp => Stage::Connection,
            Fault::RefusedWrites(..) | Fault::LostWrites => Stage::Write,
            _ => Stage::Request,
        }
    }

    /// Whether requests on connections that stand are not answered any more.
    pub fn silences(&self) -> bool {
        matches!(
            self,
            Fault::BlackHole | Fault::Unaccepted | Fault::SilentAfterHandshake
        )
    }
}

/// A fault and how often it strikes.
#[derive(Debug, Default)]
pub struct Plan {
    /// What is wrong.
    pub fault: Fault,
    /// It strikes every so manieth time; 0 and 1 are each time.
    every: u64,
    /// It strikes so many times in all; 0 is for ever.
    times: u64,
    /// It spares so many at first.
    spared: u64,
    seen: AtomicU64,
    struck: AtomicU64,
}

impl Plan {
    /// A fault that always strikes.
    pub fn always(fault: Fault) -> Self {
        Self {
            fault,
            ..Self::default()
        }
    }

    /// A fault that strikes every so manieth connection or request, the first time at the
    /// `every`th: flapping.
    pub fn every(fault: Fault, every: u64) -> Self {
        Self {
            fault,
            every,
            ..Self::default()
        }
    }

    /// A fault that strikes so many times and is over then.
    pub fn times(fault: Fault, times: u64) -> Self {
        Self {
            fault,
            times,
            ..Self::default()
        }
    }

    /// A fault that always strikes, once it has spared so many connections or requests.
    pub fn after(fault: Fault, spared: u64) -> Self {
        Self {
            fault,
            spared,
            ..Self::default()
        }
    }

    /// Whether it strikes some and spares others, so that what it does hangs on what was asked before.
    pub fn counts(&self) -> bool {
        self.every > 1 || self.times > 0 || self.spared > 0
    }

    /// The fault, if it shows at this stage and strikes now.
    pub fn strikes(&self, stage: Stage) -> Option<&Fault> {
        if self.fault == Fault::None || self.fault.stage() != stage {
            return None;
        }
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        if seen <= self.spared {
            return None;
        }
        if self.every > 1 && !seen.is_multiple_of(self.every) {
            return None;
        }
        let struck = self.struck.fetch_add(1, Ordering::Relaxed) + 1;
        (self.times == 0 || struck <= self.times).then_some(&self.fault)
    }
}

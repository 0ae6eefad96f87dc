//! How many connections this process may have at once. File descriptors are few (64 in the worst
//! case, 1,024 often), clusters may be a thousand, and a connection that waits for its turn is
//! better than one that fails.
//!
//! A permit is waited for **before** a cluster's own clock begins, so that no cluster fails merely
//! for waiting:
//!
//! ```text
//! let permit = dialer.permit().await;              // unbounded: others finish, or meet their deadlines
//! let deadline = Instant::now() + connect_timeout; // the clock begins
//! let dialled = dialer.dial_with(permit, wanted, deadline).await?;
//! ```
//!
//! That ends because each connection does: whoever holds one must let go of it when its cluster is
//! done. [`super::dial::Dialer::dial`] is the short form for whoever has one deadline for all of it.

use std::sync::{Arc, LazyLock};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Descriptors that are left for all else: files, name resolution, plugins, the terminal.
const RESERVE: usize = 64;

/// More connections than this are never useful, whatever the limit is.
const MOST: usize = 100_000;

/// Where nothing limits the number of descriptors, or nothing is known of it.
const USUAL: usize = 4_096;

static CAPACITY: LazyLock<usize> = LazyLock::new(|| capacity(raise()));

static PERMITS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(*CAPACITY)));

/// The right to one connection, given back when it is dropped; the stream of a connection holds it.
#[derive(Debug)]
pub struct Permit {
    _held: OwnedSemaphorePermit,
}

/// Waits for a permit.
pub async fn acquire() -> Permit {
    loop {
        // The semaphore is never closed, so that this goes round once.
        if let Ok(held) = Arc::clone(&PERMITS).acquire_owned().await {
            return Permit { _held: held };
        }
    }
}

/// A permit, where one is free now.
pub(super) fn try_acquire() -> Option<Permit> {
    let held = Arc::clone(&PERMITS).try_acquire_owned().ok()?;
    Some(Permit { _held: held })
}

/// For how many clusters at a time there is room where each may need so many connections at once.
/// Whoever begins with more has them wait for one another with one connection in hand, while their
/// clocks run.
pub fn clusters_at_once(connections: usize) -> usize {
    (*CAPACITY / connections.max(1)).max(1)
}

/// How many connections a number of descriptors is enough for: all but a reserve, which is a half
/// at the most.
pub fn capacity(descriptors: Option<usize>) -> usize {
    let descriptors = descriptors.unwrap_or(USUAL);
    let reserve = RESERVE.min(descriptors / 2);
    (descriptors - reserve).clamp(1, MOST)
}

/// Raises the soft limit of descriptors to the hard one, as Go's runtime does, and says what it is
/// now. Programs that use `select(2)` are why the soft one is low; this one does not.
fn raise() -> Option<usize> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let now = if limit.current == limit.maximum || setrlimit(Resource::Nofile, raised).is_err() {
        limit.current
    } else {
        limit.maximum
    };
    now.and_then(|count| usize::try_from(count).ok())
}

#[cfg(test)]
mod tests {
    use super::capacity;

    #[test]
    fn a_reserve_is_kept_and_something_is_always_left() {
        let expected = [
            (Some(0), 1),
            (Some(1), 1),
            (Some(64), 32),
            (Some(256), 192),
            (Some(1_024), 960),
            (Some(usize::MAX), 100_000),
            (None, 4_032),
        ];
        for (descriptors, connections) in expected {
            assert_eq!(capacity(descriptors), connections, "{descriptors:?}");
        }
    }
}

//! One connection's switch: whoever answers a request can have the whole connection reset.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A connection's switch.
#[derive(Debug, Default)]
pub struct Control {
    reset: AtomicBool,
    changed: Notify,
}

impl Control {
    /// Has the connection reset (TCP RST).
    pub fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Whether it is to be reset.
    pub fn is_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }

    /// Waits until it is to be reset.
    pub async fn until_reset(&self) {
        while !self.is_reset() {
            self.changed.notified().await;
        }
    }
}

//! Work that is begun ahead of need.

use tokio::task::JoinHandle;

/// Something whose outcome is wanted later. It is given up when this is dropped.
pub(super) struct Underway<T>(JoinHandle<T>);

impl<T: Send + 'static> Underway<T> {
    /// Begins it.
    pub(super) fn begin(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }

    /// Its outcome, once it is there; none where it was broken off.
    pub(super) async fn outcome(mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

impl<T> Drop for Underway<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

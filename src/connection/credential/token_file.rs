//! A token that lies in a file, which somebody else keeps fresh (client-go
//! `transport/token_source.go`).

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::time::Instant;

use crate::host::sensitive::Sensitive;

/// After how long the file is read again: client-go's minute less its leeway, well within what a
/// kubelet leaves of a projected token's life when it writes the next.
const PERIOD: Duration = Duration::from_secs(50);

/// More than any token.
const LIMIT: u64 = 1 << 20;

/// A file that holds a token. Clones share what was read.
#[derive(Clone)]
pub(super) struct TokenFile {
    path: PathBuf,
    read: Arc<Mutex<Option<(Instant, Sensitive)>>>,
}

impl TokenFile {
    /// Nothing is read yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: Arc::default(),
        }
    }

    /// The token, trimmed: read where it was not read lately. Where the file gives none now, the one
    /// that was read last; none where there is none.
    pub(super) async fn token(&self, now: Instant, deadline: Instant) -> Option<Sensitive> {
        let held = self.held();
        if let Some((at, token)) = &held
            && now.saturating_duration_since(*at) < PERIOD
        {
            return Some(token.clone());
        }
        let read = tokio::time::timeout_at(deadline, self.read_now()).await;
        match read.ok().flatten() {
            Some(token) => {
                self.hold(Some((now, token.clone())));
                Some(token)
            }
            None => held.map(|(_, token)| token),
        }
    }

    /// Forgets when it was read, so that it is read again.
    pub(super) fn doubt(&self) {
        self.hold(None);
    }

    fn held(&self) -> Option<(Instant, Sensitive)> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, token: Option<(Instant, Sensitive)>) {
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    async fn read_now(&self) -> Option<Sensitive> {
        let mut text = String::new();
        let file = tokio::fs::File::open(&self.path).await.ok()?;
        file.take(LIMIT).read_to_string(&mut text).await.ok()?;
        let token = text.trim();
        (!token.is_empty()).then(|| Sensitive::new(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_read_again_within_a_minute_and_may_be_gone_then() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("token");
        let write = |token: &str| std::fs::write(&path, token).expect("the file can be written");
        let file = TokenFile::new(path.clone());
        let start = Instant::now();
        let after = async |seconds| {
            let now = start + Duration::from_secs(seconds);
            let token = file.token(now, start + Duration::from_secs(600)).await;
            token.map(|token| token.expose().to_owned())
        };
        assert_eq!(after(0).await, None);
        write("t-1");
        assert_eq!(after(0).await.as_deref(), Some("t-1"));
        write("t-2");
        assert_eq!(after(49).await.as_deref(), Some("t-1"));
        assert_eq!(after(51).await.as_deref(), Some("t-2"));
        std::fs::remove_file(&path).expect("the file can be removed");
        assert_eq!(after(102).await.as_deref(), Some("t-2"));
        write(" \n");
        assert_eq!(after(102).await.as_deref(), Some("t-2"));
        write("t-3");
        assert_eq!(after(102).await.as_deref(), Some("t-3"));
    }
}

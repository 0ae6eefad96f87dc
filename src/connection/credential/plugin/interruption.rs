//! What becomes of plugins when the process is asked to end. A plugin in a process group of its own
//! hears no Ctrl-C; so from the first such plugin on SIGINT and SIGTERM are caught here, plugins are
//! ended, and the command line is told ([`interrupted`]), since the signals' own action is gone then.

use std::sync::OnceLock;

use tokio::sync::watch;

use super::group::Groups;
use crate::error::ErrorKind;

fn asked_to_end() -> &'static watch::Sender<Option<ErrorKind>> {
    static ASKED: OnceLock<watch::Sender<Option<ErrorKind>>> = OnceLock::new();
    ASKED.get_or_init(|| watch::Sender::new(None))
}

/// Ends when the process was asked to end and its plugins are gone; never where no plugin has run,
/// since the signals keep their own action then.
pub async fn interrupted() -> ErrorKind {
    let mut asked = asked_to_end().subscribe();
    match asked.wait_for(Option::is_some).await.map(|kind| *kind) {
        Ok(Some(kind)) => kind,
        _ => std::future::pending().await,
    }
}

/// The signals that ask a process to end. They are caught from when this is made.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    pub(super) fn caught() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Self {
                interrupt: signal(SignalKind::interrupt()).ok(),
                terminate: signal(SignalKind::terminate()).ok(),
            }
        }
        #[cfg(not(unix))]
        Self {}
    }

    #[cfg(unix)]
    async fn next(&mut self) -> ErrorKind {
        async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
            let heard = match signal {
                Some(signal) => signal.recv().await.is_some(),
                None => false,
            };
            if !heard {
                std::future::pending::<()>().await;
            }
        }
        tokio::select! {
            () = one(&mut self.interrupt) => ErrorKind::Interrupted,
            () = one(&mut self.terminate) => ErrorKind::Terminated,
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> ErrorKind {
        if tokio::signal::ctrl_c().await.is_err() {
            return std::future::pending().await;
        }
        ErrorKind::Interrupted
    }

    /// Watches until the process ends. A second signal ends the process where the first did not, as
    /// where a prompt blocks it.
    pub(super) async fn watch(mut self, groups: Groups) {
        let kind = self.next().await;
        groups.stop().await;
        asked_to_end().send_replace(Some(kind));
        self.next().await;
        groups.kill();
        // As the signal would have: by a signal, but by one that cannot be caught.
        #[cfg(unix)]
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

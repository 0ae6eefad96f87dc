//! Why a request has no answer, and how far it got: whether it may be sent again hangs on that.

use std::error::Error;
use std::io;
use std::sync::{Arc, OnceLock};

use super::tls::alert_words;
use super::watched::Opening;
use crate::inventory::{Failure, FailureClass};

/// How far a request got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// There was no connection to send it on.
    Never,
    /// The server has provably not acted on it: it said so (RFC 9113, section 8.7: `REFUSED_STREAM`,
    /// or a `GOAWAY` whose last stream comes before the request's), or no byte of it was written.
    Unprocessed,
    /// It was sent, in part at least; whether the server acted on it is not known.
    Perhaps,
}

/// A request that has no answer, or only a part of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure}")]
pub struct Broken {
    /// Why. Where there was no connection, its verb is `connect`; otherwise verb and resource are
    /// the caller's to fill in.
    pub failure: Failure,
    /// How far it got.
    pub sent: Sent,
}

impl Broken {
    pub(crate) fn never(failure: Failure) -> Self {
        Self {
            failure,
            sent: Sent::Never,
        }
    }

    pub(crate) fn new(sent: Sent, class: FailureClass, message: impl Into<String>) -> Self {
        Self {
            failure: Failure {
                class,
                verb: String::new(),
                resource: String::new(),
                message: message.into(),
            },
            sent,
        }
    }

    /// What an error of the HTTP library means. `unwritten` says that it gave the request back;
    /// `fault` is what the stream below it met.
    pub(super) fn of_http(error: &hyper::Error, unwritten: bool, fault: &Fault) -> Self {
        let h2 = causes(error).find_map(|error| error.downcast_ref::<h2::Error>());
        let refused = h2.is_some_and(|h2| {
            h2.is_remote()
                && (h2.is_go_away() || (h2.is_reset() && h2.reason() == Some(h2::Reason::REFUSED_STREAM)))
        });
        let sent = if unwritten || refused {
            Sent::Unprocessed
        } else {
            Sent::Perhaps
        };
        if let Some((class, message)) = fault.known() {
            return Self::new(sent, class, message);
        }
        let not_http = error.is_parse() || h2.is_some_and(|h2| h2.is_go_away() && h2.is_library());
        let (class, message) = if not_http {
            let message = "the server does not speak HTTP as an API server does";
            (FailureClass::NotKubernetes, message)
        } else if error.is_timeout() {
            (FailureClass::Timeout, "the server stopped answering")
        } else if refused {
            (
                FailureClass::Server,
                "the server turns requests away without looking at them",
            )
        } else if h2.is_some_and(|h2| h2.is_reset() && h2.is_remote()) {
            (FailureClass::Server, "the server broke its answer off")
        } else {
            (
                FailureClass::Tcp,
                "the connection broke before the answer was whole",
            )
        };
        Self::new(sent, class, message)
    }
}

/// What went wrong with a stream, known below HTTP: the HTTP libraries keep no more of it than a
/// text. The first that is met is kept; clones share it.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    met: Arc<OnceLock<(FailureClass, String)>>,
    opening: Opening,
}

impl Fault {
    pub(super) fn new(opening: Opening) -> Self {
        Self {
            met: Arc::default(),
            opening,
        }
    }

    /// Takes note of an error that says more than that the connection broke.
    pub(super) fn note(&self, error: &io::Error) {
        let said = causes(error).find_map(|error| error.downcast_ref::<rustls::Error>());
        let Some(said) = said else {
            return;
        };
        let message = match said {
            // TLS 1.3 refuses a client's certificate only after the client's handshake is done.
            rustls::Error::AlertReceived(alert) => {
                format!("the server broke TLS off: {}", alert_words(*alert))
            }
            _ => "what the server sends is not the TLS that was agreed on".to_owned(),
        };
        // Only the first counts: what follows comes of it.
        let _ = self.met.set((FailureClass::Tls, message));
    }

    fn known(&self) -> Option<(FailureClass, String)> {
        if let Some(met) = self.met.get() {
            return Some(met.clone());
        }
        let message = "the server speaks TLS, and the kubeconfig's URL for it begins with http:";
        self.opening
            .is_tls()
            .then(|| (FailureClass::Tls, message.to_owned()))
    }
}

/// An error and its causes. An input/output error's own cause is looked at first: its `source` is
/// already the cause behind it, and a TLS error would be passed over.
pub(crate) fn causes<'error>(
    error: &'error (dyn Error + 'static),
) -> impl Iterator<Item = &'error (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'error (dyn Error + 'static)| {
        let error = *error;
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match inside {
            Some(inside) => Some(inside as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

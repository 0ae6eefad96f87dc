//! Why a connection was not made, before it is said of which endpoint.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::inventory::{Failure, FailureClass};

/// Nobody listens at an address: known at once, and no different a moment later.
pub(crate) const REFUSED: &str = "the connection was refused";

/// A class and words for users; nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) class: FailureClass,
    pub(super) message: String,
}

impl Trouble {
    pub(super) fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
        }
    }

    pub(super) fn configuration(message: impl Into<String>) -> Self {
        Self::new(FailureClass::Configuration, message)
    }

    /// As a failure to connect to an endpoint.
    pub(super) fn at(self, resource: &str) -> Failure {
        Failure {
            class: self.class,
            verb: "connect".to_owned(),
            resource: resource.to_owned(),
            message: self.message,
        }
    }
}

/// Ends a step at the deadline, with words for what did not happen by then.
pub(super) async fn by<Answer>(
    deadline: Instant,
    late: impl FnOnce(Duration) -> String,
    step: impl Future<Output = Result<Answer, Trouble>>,
) -> Result<Answer, Trouble> {
    let begun = Instant::now();
    match timeout_at(deadline, step).await {
        Ok(answer) => answer,
        Err(_) => Err(Trouble::new(FailureClass::Timeout, late(begun.elapsed()))),
    }
}

/// A span of time as people say it.
pub(super) fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// What an input/output error means, in a few words of our own.
pub(super) fn io_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => REFUSED.to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            "the connection was reset".to_owned()
        }
        io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        io::ErrorKind::HostUnreachable => "there is no route to the host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "the network cannot be reached".to_owned(),
        io::ErrorKind::TimedOut => "the network gave up waiting".to_owned(),
        kind => match error.raw_os_error() {
            // The error's own text is the operating system's here, not a peer's.
            Some(_) => error.to_string(),
            None => kind.to_string(),
        },
    }
}

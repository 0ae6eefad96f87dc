//! From an endpoint to a stream of bytes that HTTP can be spoken on: name, TCP, proxy, TLS.

use std::fmt;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::endpoint::{ClientCertificate, Endpoint};
use crate::inventory::{Failure, FailureClass};

/// Bytes both ways, encrypted where the endpoint is `https`.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<Stream: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for Stream {}

/// Which protocol a connection is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// HTTP/2, or HTTP/1.1 where the server speaks nothing newer (RFC 7301: both are offered).
    Best,
    /// HTTP/1.1 only: API servers refuse upgrades over HTTP/2.
    Http1,
}

/// Which protocol was agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreed {
    /// RFC 9112.
    Http1,
    /// RFC 9113.
    Http2,
}

/// A connection that has been made.
pub struct Dialled {
    /// The bytes.
    pub stream: Box<dyn ByteStream>,
    /// What is spoken on them.
    pub agreed: Agreed,
}

impl fmt::Debug for Dialled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Dialled")
            .field("agreed", &self.agreed)
            .finish_non_exhaustive()
    }
}

/// Makes connections to one endpoint as one client; TLS sessions are resumed among them. Clones
/// share what they know.
#[derive(Clone)]
pub struct Dialer {
    endpoint: Endpoint,
}

impl Dialer {
    /// A dialer; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Class `Configuration`, where the certificates or the key cannot be used.
    pub fn new(endpoint: &Endpoint, _certificate: Option<&ClientCertificate>) -> Result<Self, Failure> {
        Ok(Self {
            endpoint: endpoint.clone(),
        })
    }

    /// Makes a connection, at the latest by the deadline.
    ///
    /// # Errors
    ///
    /// Class `Name`, `Tcp`, `Tls`, `Certificate` or `Timeout`, by the step that failed.
    pub async fn dial(&self, _wanted: Wanted, _deadline: Instant) -> Result<Dialled, Failure> {
        Err(Failure {
            class: FailureClass::Tcp,
            verb: "connect".to_owned(),
            resource: self.endpoint.url.to_string(),
            message: "not written yet".to_owned(),
        })
    }
}

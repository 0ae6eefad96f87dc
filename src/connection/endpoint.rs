//! Where an API server is, and what proves that it is the one that is meant. Two contexts of equal
//! endpoints and equal client certificates can share a connection: all else that makes them differ
//! goes with each request.

use std::fmt;

use http::Uri;

use crate::host::sensitive::{Sensitive, shown_url};

/// An API server, as a kubeconfig's cluster describes it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// `https://host:port/prefix`, or `http`; without user and password.
    pub url: Uri,
    /// Which authority the server's certificate must come from.
    pub authority: Authority,
    /// The name that the certificate must bear instead of the URL's host; empty for the host.
    pub tls_server_name: String,
    /// The proxy to go through: an `http`, `https` or `socks5` URL, perhaps with user and password.
    pub proxy: Option<Uri>,
}

/// Shows the proxy without its user and password, and how many certificates there are.
impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = self.proxy.as_ref().map(|proxy| shown_url(&proxy.to_string()));
        let authority = match &self.authority {
            Authority::Machine => "the machine's".to_owned(),
            Authority::Certificates(certificates) => format!("{} certificates", certificates.len()),
            Authority::Unchecked => "unchecked".to_owned(),
        };
        formatter
            .debug_struct("Endpoint")
            .field("url", &self.url)
            .field("authority", &authority)
            .field("tls_server_name", &self.tls_server_name)
            .field("proxy", &proxy)
            .finish()
    }
}

/// What a server's certificate is checked against.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Authority {
    /// The roots that this machine trusts.
    Machine,
    /// These certificates (DER), and no others.
    Certificates(Vec<Vec<u8>>),
    /// Nothing: `insecure-skip-tls-verify`.
    Unchecked,
}

/// A client certificate and its key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The chain, the client's own certificate first. Public.
    pub chain: Vec<u8>,
    /// The private key, not encrypted.
    pub key: Sensitive,
}

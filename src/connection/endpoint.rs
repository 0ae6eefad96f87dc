//! Where an API server is, and what proves that it is the one that is meant. Two contexts of equal
//! endpoints and equal client certificates can share a connection: all else that makes them differ
//! goes with each request.

use http::Uri;

use crate::host::sensitive::Sensitive;

/// An API server, as a kubeconfig's cluster describes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

//! From an endpoint to a stream of bytes that HTTP can be spoken on: name, TCP, proxy, TLS.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::uri::Scheme;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};

use super::endpoint::{ClientCertificate, Endpoint};
use super::permit::{self, Permit};
use super::proxy::{Protocol, Proxy};
use super::tcp;
use super::tls::{Tls, is_http2};
use super::trouble::{Trouble, by, seconds};
use super::watched::{Opening, Watched};
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
    /// How the server began, so that one that speaks TLS where plain HTTP was asked can be told.
    pub opening: Opening,
}

impl fmt::Debug for Dialled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Dialled")
            .field("agreed", &self.agreed)
            .finish_non_exhaustive()
    }
}

/// Makes connections to one endpoint as one client; TLS sessions are resumed among them, and among
/// those of every other dialer of an equal endpoint and certificate. Clones share what they know.
#[derive(Clone)]
pub struct Dialer {
    route: Arc<Route>,
}

/// How an endpoint is reached.
struct Route {
    /// What errors call it.
    resource: String,
    host: String,
    port: u16,
    /// None for plain `http`.
    tls: Option<Tls>,
    proxy: Option<Proxy>,
    /// For a proxy of `https`.
    proxy_tls: Option<Tls>,
}

impl Dialer {
    /// A dialer; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Class `Configuration`, where the certificates or the key cannot be used.
    pub fn new(endpoint: &Endpoint, certificate: Option<&ClientCertificate>) -> Result<Self, Failure> {
        let resource = resource(endpoint);
        let route = Route::new(endpoint, certificate, resource.clone());
        Ok(Self {
            route: Arc::new(route.map_err(|trouble| trouble.at(&resource))?),
        })
    }

    /// Waits for the right to make a connection; see [`super::permit`] for when.
    pub async fn permit(&self) -> Permit {
        permit::acquire().await
    }

    /// Makes a connection, at the latest by the deadline; waiting for a permit counts.
    ///
    /// # Errors
    ///
    /// Class `Name`, `Tcp`, `Tls`, `Certificate` or `Timeout`, by the step that failed.
    pub async fn dial(&self, wanted: Wanted, deadline: Instant) -> Result<Dialled, Failure> {
        let Ok(permit) = timeout_at(deadline, self.permit()).await else {
            let message = "as many connections are open as this process may have (`ulimit -n`)";
            return Err(Trouble::new(FailureClass::Timeout, message).at(&self.route.resource));
        };
        self.dial_with(permit, wanted, deadline).await
    }

    /// Makes a connection, at the latest by the deadline. The permit is given back when the stream
    /// is dropped.
    ///
    /// # Errors
    ///
    /// Class `Name`, `Tcp`, `Tls`, `Certificate` or `Timeout`, by the step that failed.
    pub async fn dial_with(
        &self,
        permit: Permit,
        wanted: Wanted,
        deadline: Instant,
    ) -> Result<Dialled, Failure> {
        let dialled = self.route.dial(permit, wanted, deadline).await;
        dialled.map_err(|trouble| trouble.at(&self.route.resource))
    }
}

/// What errors call an endpoint: its URL without a path.
pub(super) fn resource(endpoint: &Endpoint) -> String {
    let scheme = endpoint.url.scheme_str().unwrap_or("https");
    let host = endpoint.url.host().unwrap_or_default();
    match endpoint.url.port_u16() {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

impl Route {
    fn new(
        endpoint: &Endpoint,
        certificate: Option<&ClientCertificate>,
        resource: String,
    ) -> Result<Self, Trouble> {
        let is_plain = endpoint.url.scheme() == Some(&Scheme::HTTP);
        let host = endpoint.url.host().unwrap_or_default().to_owned();
        if host.is_empty() {
            return Err(Trouble::configuration("the server's URL names no host"));
        }
        let port = endpoint.url.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
        let name = match endpoint.tls_server_name.as_str() {
            "" => &host,
            name => name,
        };
        let tls = if is_plain {
            None
        } else {
            let place = format!("{host}:{port}");
            Some(Tls::new(&place, name, &endpoint.authority, certificate)?)
        };
        let proxy = endpoint.proxy.as_ref().map(Proxy::new).transpose()?;
        // As kubectl: what proves the server proves the proxy before it too.
        let proxy_tls = match &proxy {
            Some(proxy) if proxy.protocol == Protocol::Https => Some(Tls::new(
                &proxy.place(),
                &proxy.host,
                &endpoint.authority,
                certificate,
            )?),
            _ => None,
        };
        Ok(Self {
            resource,
            host,
            port,
            tls,
            proxy,
            proxy_tls,
        })
    }

    async fn dial(&self, permit: Permit, wanted: Wanted, deadline: Instant) -> Result<Dialled, Trouble> {
        let Some(proxy) = &self.proxy else {
            let stream = tcp::connect(&self.host, self.port, deadline).await?;
            return self.finish(stream, permit, wanted, deadline).await;
        };
        let place = proxy.place();
        let stream = tcp::connect(&proxy.host, proxy.port, deadline)
            .await
            .map_err(|trouble| Trouble {
                message: format!("the proxy {place}: {}", trouble.message),
                ..trouble
            })?;
        match &self.proxy_tls {
            None => {
                let stream = self.tunnel(proxy, stream, deadline).await?;
                self.finish(stream, permit, wanted, deadline).await
            }
            Some(tls) => {
                let who = format!("the proxy {place}");
                let stream = handshake(tls, stream, true, &who, deadline).await?;
                let stream = self.tunnel(proxy, stream, deadline).await?;
                self.finish(stream, permit, wanted, deadline).await
            }
        }
    }

    async fn tunnel<Stream>(
        &self,
        proxy: &Proxy,
        mut stream: Stream,
        deadline: Instant,
    ) -> Result<Stream, Trouble>
    where
        Stream: AsyncRead + AsyncWrite + Unpin,
    {
        let late = |span| {
            let place = proxy.place();
            format!(
                "the proxy {place} made no connection to {}:{} within {}",
                self.host,
                self.port,
                seconds(span)
            )
        };
        by(deadline, late, proxy.tunnel(&mut stream, &self.host, self.port)).await?;
        Ok(stream)
    }

    async fn finish<Stream>(
        &self,
        stream: Stream,
        permit: Permit,
        wanted: Wanted,
        deadline: Instant,
    ) -> Result<Dialled, Trouble>
    where
        Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Some(tls) = &self.tls else {
            let stream = Watched::new(stream);
            let opening = stream.opening().clone();
            return Ok(Dialled {
                stream: Box::new(Held {
                    stream,
                    _permit: permit,
                }),
                agreed: Agreed::Http1,
                opening,
            });
        };
        let stream = handshake(tls, stream, wanted == Wanted::Http1, "the server", deadline).await?;
        let agreed = if is_http2(&stream) {
            Agreed::Http2
        } else {
            Agreed::Http1
        };
        let opening = stream.get_ref().0.opening().clone();
        Ok(Dialled {
            stream: Box::new(Held {
                stream,
                _permit: permit,
            }),
            agreed,
            opening,
        })
    }
}

async fn handshake<Stream>(
    tls: &Tls,
    stream: Stream,
    http1_only: bool,
    who: &str,
    deadline: Instant,
) -> Result<tokio_rustls::client::TlsStream<Watched<Stream>>, Trouble>
where
    Stream: AsyncRead + AsyncWrite + Unpin,
{
    let late = |span| {
        format!(
            "{who} took the connection, and no TLS handshake was done within {}",
            seconds(span)
        )
    };
    by(deadline, late, tls.handshake(stream, http1_only, who)).await
}

/// A stream and the permit that it was made by.
struct Held<Stream> {
    stream: Stream,
    _permit: Permit,
}

impl<Stream: AsyncRead + Unpin> AsyncRead for Held<Stream> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<Stream: AsyncWrite + Unpin> AsyncWrite for Held<Stream> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

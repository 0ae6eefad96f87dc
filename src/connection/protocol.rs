//! HTTP/2 and HTTP/1.1 on a stream that was dialled: what is sent into them, and their settings.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Uri};
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::broken::{Broken, Fault};
use super::dial::{ByteStream, Dialled};

/// What the other side may send of one answer before this side has taken it in: a list of some
/// megabytes comes in few round trips. It is a limit, not a buffer.
const STREAM_WINDOW: u32 = 4 << 20;
/// The same of all answers together.
const CONNECTION_WINDOW: u32 = 8 << 20;
/// What of a request waits in memory for the other side to take it.
const SEND_BUFFER: usize = 64 << 10;

/// An HTTP/2 connection; clones share it.
#[derive(Clone)]
pub(super) struct Multiplexed {
    pub(super) sender: http2::SendRequest<Full<Bytes>>,
    pub(super) fault: Fault,
}

/// An HTTP/1.1 connection, for one request at a time.
pub(crate) struct Single {
    pub(super) sender: http1::SendRequest<Full<Bytes>>,
    pub(super) fault: Fault,
}

impl Multiplexed {
    /// Speaks HTTP/2 on a stream. The peer is asked for a sign of life after `keep_alive` of silence
    /// while it owes an answer, and may take twice that with it.
    pub(super) async fn open(dialled: Dialled, keep_alive: Duration) -> Result<Self, Broken> {
        let (stream, fault) = Noted::new(dialled);
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            .keep_alive_interval(keep_alive)
            .keep_alive_timeout(keep_alive * 2)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Broken::of_http(&error, true, &fault))?;
        // It ends when the last clone of the sender is gone and the last answer read.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, fault })
    }
}

impl Single {
    /// Speaks HTTP/1.1 on a stream.
    pub(super) async fn open(dialled: Dialled) -> Result<Self, Broken> {
        let (stream, fault) = Noted::new(dialled);
        let (sender, connection) = http1::Builder::new()
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Broken::of_http(&error, true, &fault))?;
        tokio::spawn(async move { drop(connection.with_upgrades().await) });
        Ok(Self { sender, fault })
    }

    /// Whether another request can be sent on it now.
    pub(crate) fn is_free(&self) -> bool {
        self.sender.is_ready() && !self.sender.is_closed()
    }
}

/// Where requests go: what of a URL is the same for all of them.
pub(super) struct Address {
    scheme: Scheme,
    authority: Authority,
    host: Option<HeaderValue>,
    /// Before each path; without a separator at its end.
    prefix: String,
}

impl Address {
    pub(super) fn of(url: &Uri) -> Self {
        let authority = url
            .authority()
            .cloned()
            .unwrap_or_else(|| Authority::from_static("localhost"));
        Self {
            scheme: url.scheme().cloned().unwrap_or(Scheme::HTTPS),
            host: HeaderValue::from_str(authority.as_str()).ok(),
            authority,
            prefix: url.path().trim_end_matches('/').to_owned(),
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// A request as HTTP/2 wants it (RFC 9113, section 8.3.1), or as HTTP/1.1 does (RFC 9112,
    /// section 3.2.1), to be sent as often as need be. Its path comes below the endpoint's own.
    pub(super) fn outgoing(&self, request: &Request<Bytes>, http2: bool) -> Request<Full<Bytes>> {
        let mut outgoing = request.clone().map(Full::new);
        let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let path: PathAndQuery = match self.prefix.as_str() {
            "" => request.uri().path_and_query().cloned(),
            prefix => format!("{prefix}{path}").parse().ok(),
        }
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
        let mut parts = http::uri::Parts::default();
        parts.path_and_query = Some(path);
        if http2 {
            parts.scheme = Some(self.scheme.clone());
            parts.authority = Some(self.authority.clone());
        } else if let Some(host) = &self.host {
            outgoing.headers_mut().insert(HOST, host.clone());
        }
        // Such parts always make one: scheme, authority and path, or the path alone.
        *outgoing.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        outgoing
    }
}

/// A stream that takes note of what goes wrong with it.
struct Noted {
    stream: Box<dyn ByteStream>,
    fault: Fault,
}

impl Noted {
    fn new(dialled: Dialled) -> (Self, Fault) {
        let fault = Fault::new(dialled.opening);
        let noted = Self {
            stream: dialled.stream,
            fault: fault.clone(),
        };
        (noted, fault)
    }

    fn note<Answer>(&self, polled: Poll<io::Result<Answer>>) -> Poll<io::Result<Answer>> {
        if let Poll::Ready(Err(error)) = &polled {
            self.fault.note(error);
        }
        polled
    }
}

impl AsyncRead for Noted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.note(polled)
    }
}

impl AsyncWrite for Noted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.note(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.note(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

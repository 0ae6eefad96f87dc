//! Servers on loopback for the tests of what talks to one: they speak HTTP/2 or HTTP/1.1, with TLS
//! or without, and misbehave where they are told to.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{StreamExt as _, stream};
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::dial::ByteStream;
use super::endpoint::Authority;

pub(crate) type Stream = Box<dyn ByteStream>;

/// What a server does with one request.
pub(crate) enum Reply {
    /// An answer with a status, a body, and headers.
    Answer(u16, String, Vec<(&'static str, String)>),
    /// An answer after a while.
    Late(Duration, String),
    /// The head and a part of the body, and then no more.
    Half,
    /// The head, and then a byte each 100 ms.
    Drip,
    /// Nothing, for ever.
    Hang,
    /// The connection is cut.
    Cut,
    /// The last answer on this connection: the server takes leave (`GOAWAY`, `connection: close`).
    Leave(String),
}

impl Reply {
    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self::Answer(200, value.to_string(), Vec::new())
    }

    pub(crate) fn status(code: u16) -> Self {
        Self::Answer(code, String::new(), Vec::new())
    }
}

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// HTTP/1.1 without TLS.
    Plain,
    /// HTTP/1.1 in TLS.
    Http1,
    /// HTTP/2 in TLS, and HTTP/1.1 for whoever wants it.
    Http2,
}

/// A server that runs for as long as the test's runtime.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) authority: Authority,
    accepted: Arc<AtomicUsize>,
}

impl Server {
    /// How many connections it has accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// A server of whose connections each is served by itself, numbered from 0.
    pub(crate) async fn of_connections<Served>(
        speaks: Speaks,
        serve: impl Fn(usize, Stream, bool) -> Served + Send + Sync + 'static,
    ) -> Self
    where
        Served: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let issued = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(issued.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![issued.cert.der().clone()], key.into())
            .unwrap();
        tls.alpn_protocols = match speaks {
            Speaks::Http2 => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Speaks::Http1 | Speaks::Plain => vec![b"http/1.1".to_vec()],
        };
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let accepted = Arc::new(AtomicUsize::new(0));
        let (count, serve) = (Arc::clone(&accepted), Arc::new(serve));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let (acceptor, serve) = (acceptor.clone(), Arc::clone(&serve));
                tokio::spawn(async move {
                    if speaks == Speaks::Plain {
                        return serve(number, Box::new(stream), false).await;
                    }
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                        serve(number, Box::new(stream), http2).await;
                    }
                });
            }
        });
        let scheme = if speaks == Speaks::Plain { "http" } else { "https" };
        Self {
            url: format!("{scheme}://{address}"),
            authority: Authority::Certificates(vec![issued.cert.der().to_vec()]),
            accepted,
        }
    }

    /// A server that does as it is told with each request.
    pub(crate) async fn of_requests(
        speaks: Speaks,
        reply: impl Fn(Request<Bytes>) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let reply: Arc<Replying> = Arc::new(reply);
        Self::of_connections(speaks, move |_, stream, http2| {
            serve(stream, http2, Arc::clone(&reply), None)
        })
        .await
    }
}

pub(crate) type Replying = dyn Fn(Request<Bytes>) -> Reply + Send + Sync;

/// Serves one connection with replies, at most so many at a time where the server speaks HTTP/2.
pub(crate) fn serve(
    stream: Stream,
    http2: bool,
    reply: Arc<Replying>,
    most: Option<u32>,
) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let (cut, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (cutting, leaving) = (Arc::clone(&cut), Arc::clone(&leave));
        let service = service_fn(move |request: Request<Incoming>| {
            let (reply, cut, leave) = (Arc::clone(&reply), Arc::clone(&cutting), Arc::clone(&leaving));
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect().await.map(http_body_util::Collected::to_bytes);
                let request = Request::from_parts(parts, body.unwrap_or_default());
                Ok::<_, Infallible>(answer(reply(request), &cut, &leave).await)
            }
        });
        let io = TokioIo::new(stream);
        if http2 {
            let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            builder.max_concurrent_streams(most);
            let mut connection = std::pin::pin!(builder.serve_connection(io, service));
            loop {
                tokio::select! {
                    _ = connection.as_mut() => return,
                    () = cut.notified() => return,
                    () = leave.notified() => connection.as_mut().graceful_shutdown(),
                }
            }
        }
        let builder = hyper::server::conn::http1::Builder::new();
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
        loop {
            tokio::select! {
                _ = connection.as_mut() => return,
                () = cut.notified() => return,
                () = leave.notified() => connection.as_mut().graceful_shutdown(),
            }
        }
    })
}

async fn answer(reply: Reply, cut: &Notify, leave: &Notify) -> Response<BoxBody<Bytes, Infallible>> {
    let whole = |text: String| Full::new(Bytes::from(text)).boxed();
    let endless = |first: &'static str, next: Pin<Box<dyn futures::Stream<Item = Bytes> + Send + Sync>>| {
        let pieces = stream::iter([Bytes::from(first)]).chain(next);
        let frames = pieces.map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
        http_body_util::BodyExt::boxed(StreamBody::new(frames))
    };
    match reply {
        Reply::Answer(code, text, headers) => {
            let mut answer = Response::builder().status(code);
            for (name, value) in headers {
                answer = answer.header(name, value);
            }
            answer.body(whole(text)).unwrap()
        }
        Reply::Late(wait, text) => {
            tokio::time::sleep(wait).await;
            Response::new(whole(text))
        }
        Reply::Half => Response::new(endless("{\"kind\": ", Box::pin(stream::pending()))),
        Reply::Drip => {
            let pieces = stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Some((Bytes::from(" "), ()))
            });
            Response::new(endless("{\"kind\": ", Box::pin(pieces)))
        }
        Reply::Hang => std::future::pending().await,
        Reply::Cut => {
            cut.notify_one();
            std::future::pending().await
        }
        Reply::Leave(text) => {
            leave.notify_one();
            Response::new(whole(text))
        }
    }
}

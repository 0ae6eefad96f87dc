//! One cluster's listener and its connections.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::audit::Counters;
use crate::certificates;
use crate::cluster::Cluster;
use crate::control::Control;
use crate::fault::{Fault, Plan, Stage};
use crate::link::{Length, Link};
use crate::people::User;
use crate::request::{Connection, handle};
use crate::stand_in::StandIn;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
/// A kube-apiserver's own limit for one HTTP/2 connection (`secure_serving.go`).
const STREAMS: u32 = 100;
/// Its window for one request's body.
const STREAM_WINDOW: u32 = 256 * 1024;

/// What answers behind a listener.
#[derive(Clone)]
pub enum Behind {
    /// A simulated cluster.
    Simulated(Arc<Cluster>),
    /// A real API server.
    Real(Arc<StandIn>),
}

impl Behind {
    fn plan(&self) -> &watch::Sender<Arc<Plan>> {
        match self {
            Behind::Simulated(cluster) => &cluster.plan,
            Behind::Real(stand_in) => &stand_in.plan,
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Behind::Simulated(cluster) => cluster.address,
            Behind::Real(stand_in) => stand_in.address,
        }
    }

    fn counters(&self) -> &Counters {
        match self {
            Behind::Simulated(cluster) => &cluster.counters,
            Behind::Real(stand_in) => &stand_in.counters,
        }
    }
}

/// What all connections of a cluster are served with.
pub struct Serving {
    /// The cluster.
    pub behind: Behind,
    /// Its TLS.
    pub tls: Arc<ServerConfig>,
    /// TLS with a certificate that nobody trusts.
    pub untrusted: Arc<ServerConfig>,
    /// Its link.
    pub length: Length,
}

/// Serves a cluster until the runtime ends.
pub async fn serve(mut listener: TcpListener, serving: Arc<Serving>) {
    let mut plans = serving.behind.plan().subscribe();
    loop {
        let plan = Arc::clone(&plans.borrow_and_update());
        match plan.fault {
            Fault::Refused => match dead(listener, &mut plans).await {
                Ok(again) => listener = again,
                // Then it stays dead.
                Err(_) => return,
            },
            Fault::Unaccepted => {
                // A socket whose backlog cannot be changed accepts a few more, and then none.
                let _ = rustix::net::listen(&listener, 0);
                let fillers = fill(serving.behind.address()).await;
                until_changed(&mut plans).await;
                drop(fillers);
                let _ = rustix::net::listen(&listener, BACKLOG);
            }
            _ => accept(&listener, &serving, &plan, &mut plans).await,
        }
    }
}

/// Refuses connections until the plan changes: the socket keeps its port and does not listen. The
/// runtime learns of it anew, since to it a socket that was shut down is closed for good.
async fn dead(listener: TcpListener, plans: &mut watch::Receiver<Arc<Plan>>) -> std::io::Result<TcpListener> {
    let socket = listener.into_std()?;
    rustix::net::shutdown(&socket, rustix::net::Shutdown::Read)?;
    until_changed(plans).await;
    rustix::net::listen(&socket, BACKLOG)?;
    TcpListener::from_std(socket)
}

/// Accepts connections until the plan changes.
async fn accept(
    listener: &TcpListener,
    serving: &Arc<Serving>,
    plan: &Arc<Plan>,
    plans: &mut watch::Receiver<Arc<Plan>>,
) {
    loop {
        let accepted = tokio::select! {
            () = until_changed(plans) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let number = serving
                    .behind
                    .counters()
                    .connections
                    .fetch_add(1, Ordering::Relaxed)
                    + 1;
                let fault = plan.strikes(Stage::Connection).cloned().unwrap_or_default();
                tokio::spawn(connection(Arc::clone(serving), stream, number, fault));
            }
            // Such as too many open files: there may be room again soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn until_changed(plans: &mut watch::Receiver<Arc<Plan>>) {
    if plans.changed().await.is_err() {
        pending::<()>().await;
    }
}

/// Fills a listener's backlog: connects until a connection is not answered any more.
async fn fill(address: SocketAddr) -> Vec<TcpStream> {
    let mut fillers = Vec::new();
    while fillers.len() < 16 {
        match tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
            Ok(Ok(stream)) => fillers.push(stream),
            _ => break,
        }
    }
    fillers
}

async fn connection(serving: Arc<Serving>, stream: TcpStream, number: u64, fault: Fault) {
    // Only slower without it.
    let _ = stream.set_nodelay(true);
    let control = Arc::new(Control::default());
    let link = Link::new(stream, serving.length, Arc::clone(&control));
    let plans = serving.behind.plan().subscribe();
    let served = async {
        match fault {
            Fault::BlackHole => hold(link).await,
            Fault::ResetOnAccept => {
                tokio::time::sleep_until(link.stands_at()).await;
                control.reset();
                drop(link);
            }
            Fault::PlainHttp => speak(&serving, TokioIo::new(link), number, None, false, &control).await,
            fault => {
                let tls = if fault == Fault::WrongCertificate {
                    &serving.untrusted
                } else {
                    &serving.tls
                };
                let Ok(stream) = TlsAcceptor::from(Arc::clone(tls)).accept(link).await else {
                    return;
                };
                if fault == Fault::SilentAfterHandshake {
                    hold(stream).await;
                    return;
                }
                let session = stream.get_ref().1;
                let http2 = session.alpn_protocol() == Some(b"h2");
                let user = session
                    .peer_certificates()
                    .and_then(|chain| certificates::user_of(chain.first()?));
                speak(&serving, TokioIo::new(stream), number, user, http2, &control).await;
            }
        }
    };
    tokio::select! {
        () = served => {}
        () = control.until_reset() => {}
        () = until_dead(plans) => control.reset(),
    }
}

/// Waits until the cluster is dead.
async fn until_dead(mut plans: watch::Receiver<Arc<Plan>>) {
    while plans.borrow_and_update().fault != Fault::Refused {
        until_changed(&mut plans).await;
    }
}

/// Keeps a connection open and says nothing.
async fn hold<S>(stream: S) {
    pending::<()>().await;
    drop(stream);
}

async fn speak<S>(
    serving: &Arc<Serving>,
    stream: TokioIo<S>,
    number: u64,
    user: Option<User>,
    http2: bool,
    control: &Arc<Control>,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let spoken = Arc::new(match &serving.behind {
        Behind::Simulated(cluster) => Spoken::Simulated(Connection {
            cluster: Arc::clone(cluster),
            number,
            http2,
            user,
            control: Arc::clone(control),
        }),
        Behind::Real(stand_in) => Spoken::Real(Arc::clone(stand_in), user, Arc::clone(control)),
    });
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let spoken = Arc::clone(&spoken);
        async move {
            Ok::<_, Infallible>(match &*spoken {
                Spoken::Simulated(connection) => handle(connection, request).await,
                Spoken::Real(stand_in, user, control) => {
                    stand_in.answer(user.as_ref(), control, request).await
                }
            })
        }
    });
    // A peer that goes away, or speaks no HTTP, ends its own connection and nothing else.
    if http2 {
        let _ = hyper::server::conn::http2::Builder::new(Spawn)
            .max_concurrent_streams(STREAMS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(STREAM_WINDOW * STREAMS)
            .serve_connection(stream, service)
            .await;
    } else {
        let _ = hyper::server::conn::http1::Builder::new()
            .pipeline_flush(true)
            .serve_connection(stream, service)
            .with_upgrades()
            .await;
    }
}

/// A connection on which requests come.
enum Spoken {
    Simulated(Connection),
    Real(Arc<StandIn>, Option<User>, Arc<Control>),
}

/// Runs hyper's tasks.
#[derive(Clone, Copy)]
pub(crate) struct Spawn;

impl<F> hyper::rt::Executor<F> for Spawn
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        tokio::spawn(future);
    }
}

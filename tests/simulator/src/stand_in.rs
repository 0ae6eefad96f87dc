//! A server that stands for a real one: it has a certificate of the real one's own authority, passes
//! requests on to it, and does wrong what it is told to. What it is asked as, it asks as: a client
//! certificate is taken for the administrator's, a bearer token is passed on. It opens no port-forwards.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_rustls::TlsConnector;

use crate::answer::{Answer, Content, Outgoing};
use crate::api::{self, Asked};
use crate::audit::Counters;
use crate::certificates::{Authority, Flaw};
use crate::control::Control;
use crate::falsehood::falsify;
use crate::fault::Plan;
use crate::fleet::{SimulatorError, failed, listen};
use crate::link::Length;
use crate::people::User;
use crate::request::{Heard, send};
use crate::server::{Behind, Serving, Spawn, serve};

/// The most that the real server may take for an answer. It is a bound, not a fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// The runtime of servers that stand for real ones; they end with it.
pub struct StandIns {
    runtime: Option<tokio::runtime::Runtime>,
}

impl StandIns {
    /// Begins, with no server yet.
    ///
    /// # Errors
    ///
    /// Where no thread can be started.
    pub fn begin() -> Result<Self, SimulatorError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("stand-ins")
            .enable_all()
            .build()
            .map_err(failed("start the stand-ins' thread"))?;
        Ok(Self {
            runtime: Some(runtime),
        })
    }

    /// Starts a server that stands for the one at an address. In the real one's `folder` lie `ca.crt`,
    /// `ca.key` and the administrator's `kubeconfig` (JSON), as in a lab's.
    ///
    /// # Errors
    ///
    /// Where the folder lacks one of them, or no port is free.
    pub fn stand_in(
        &self,
        folder: &Path,
        real: SocketAddr,
        flaw: Option<Flaw>,
        plan: Plan,
    ) -> Result<Arc<StandIn>, SimulatorError> {
        let own: IpAddr = Ipv4Addr::LOCALHOST.into();
        let file =
            |name: &str| std::fs::read_to_string(folder.join(name)).map_err(failed(&format!("read {name}")));
        let authority_pem = file("ca.crt")?;
        let authority = Authority::standing(&authority_pem, &file("ca.key")?)?;
        let tls = match flaw {
            Some(flaw) => authority.flawed_server(flaw, own)?,
            None => authority.server("stand-in.test", own, true)?,
        };
        let stranger = Authority::new("an authority that nobody trusts")?;
        let untrusted = stranger.server("stranger.test", own, true)?;
        let runtime = self.runtime.as_ref().map(tokio::runtime::Runtime::enter);
        let (listener, address) = listen(own).map_err(failed("listen for a stand-in"))?;
        let stand_in = Arc::new(StandIn {
            address,
            plan: watch::Sender::new(Arc::new(plan)),
            counters: Counters::default(),
            real: Real::new(real, &authority_pem, &file("kubeconfig")?)?,
        });
        let serving = Serving {
            behind: Behind::Real(Arc::clone(&stand_in)),
            tls: Arc::new(tls),
            untrusted: Arc::new(untrusted),
            length: Length::default(),
        };
        tokio::spawn(serve(listener, Arc::new(serving)));
        drop(runtime);
        Ok(stand_in)
    }
}

impl Drop for StandIns {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A server that stands for a real one.
pub struct StandIn {
    /// Where it listens.
    pub address: SocketAddr,
    pub(crate) plan: watch::Sender<Arc<Plan>>,
    pub(crate) counters: Counters,
    real: Real,
}

impl StandIn {
    /// Something is wrong from now on, as often as the plan says.
    pub fn set_plan(&self, plan: Plan) {
        self.plan.send_replace(Arc::new(plan));
    }

    /// How many requests it was asked.
    pub fn requests(&self) -> u64 {
        self.counters.now().requests
    }

    /// Answers a request of whoever showed a certificate of the `user`.
    pub(crate) async fn answer(
        &self,
        user: Option<&User>,
        control: &Arc<Control>,
        request: Request<Incoming>,
    ) -> Response<Outgoing> {
        let heard = Heard::of(request, &self.counters, &self.plan).await;
        let asked = heard.asked();
        let fault = heard.fault(&asked, control).await;
        let somebody = User {
            name: "somebody".to_owned(),
            ..User::default()
        };
        let mut answer = match api::instead(&fault, user.unwrap_or(&somebody), &asked) {
            Some(answer) => answer,
            None => self.real.ask(user.is_some(), &asked).await,
        };
        falsify(&mut answer, &fault, &asked);
        send(answer, fault, control).await
    }
}

/// The real server: a connection as its administrator, and one as whoever shows a token.
struct Real {
    address: SocketAddr,
    administrator: Way,
    anybody: Way,
}

struct Way {
    tls: TlsConnector,
    sender: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Real {
    fn new(address: SocketAddr, authority: &str, kubeconfig: &str) -> Result<Self, SimulatorError> {
        let doing = "reach the real server";
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(authority.as_bytes()).map_err(failed(doing))?;
        roots.add(authority).map_err(failed(doing))?;
        let kubeconfig: Value =
            serde_json::from_str(kubeconfig).map_err(failed("read a lab's kubeconfig"))?;
        let data = |field: &str| {
            let text = kubeconfig["users"][0]["user"][field].as_str().unwrap_or_default();
            STANDARD.decode(text).map_err(failed("read a lab's kubeconfig"))
        };
        let certificate =
            CertificateDer::from_pem_slice(&data("client-certificate-data")?).map_err(failed(doing))?;
        let key = PrivateKeyDer::from_pem_slice(&data("client-key-data")?).map_err(failed(doing))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(failed(doing))?
            .with_root_certificates(roots);
        let anybody = builder.clone().with_no_client_auth();
        let administrator = builder
            .with_client_auth_cert(vec![certificate], key)
            .map_err(failed(doing))?;
        Ok(Self {
            address,
            administrator: Way::by(administrator),
            anybody: Way::by(anybody),
        })
    }

    /// Asks it the same; 502 where it gives no answer.
    async fn ask(&self, shows_certificate: bool, asked: &Asked<'_>) -> Answer {
        // As in a kube-apiserver, a certificate counts before a token.
        let way = if shows_certificate {
            &self.administrator
        } else {
            &self.anybody
        };
        let passed_on = async {
            let mut request = Request::builder()
                .method(asked.method.clone())
                .uri(format!("https://{}{}", self.address, asked.whole))
                .version(http::Version::HTTP_2);
            for (name, value) in asked.headers {
                let of_this_hop = [HOST, CONTENT_LENGTH].contains(name)
                    || ["connection", "upgrade", "te", "keep-alive"].contains(&name.as_str());
                if !of_this_hop {
                    request = request.header(name, value);
                }
            }
            let request = request.body(Full::from(asked.body.clone()))?;
            let response = way.sender(self.address).await?.send_request(request).await?;
            Answer::of(response, asked.verb() == "watch").await
        };
        match tokio::time::timeout(PATIENCE, passed_on).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(trouble)) => Answer::text(StatusCode::BAD_GATEWAY, "text/plain", trouble.to_string()),
            Err(_) => Answer::text(StatusCode::GATEWAY_TIMEOUT, "text/plain", "no answer"),
        }
    }
}

type Trouble = Box<dyn std::error::Error + Send + Sync>;

impl Way {
    fn by(mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = vec![b"h2".to_vec()];
        Self {
            tls: TlsConnector::from(Arc::new(tls)),
            sender: Mutex::new(None),
        }
    }

    /// The connection that stands, or a new one.
    async fn sender(&self, address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, Trouble> {
        let mut held = self.sender.lock().await;
        if let Some(sender) = held.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let stream = self
            .tls
            .connect(ServerName::IpAddress(address.ip().into()), stream)
            .await?;
        let (sender, connection) = hyper::client::conn::http2::Builder::new(Spawn)
            .timer(TokioTimer::new())
            .handshake(TokioIo::new(stream))
            .await?;
        // Whoever asks on it hears of its end.
        tokio::spawn(async move { drop(connection.await) });
        *held = Some(sender.clone());
        Ok(sender)
    }
}

impl Answer {
    /// An answer that came from elsewhere; of a watch, while it comes.
    async fn of(response: Response<Incoming>, is_watch: bool) -> Result<Self, Trouble> {
        let (head, mut body) = response.into_parts();
        let is_json = head
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/json"));
        let retry_after = head
            .headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let content = if is_watch && head.status.is_success() {
            let (to, events) = mpsc::unbounded_channel();
            tokio::spawn(async move {
                while let Some(Ok(frame)) = body.frame().await {
                    if let Ok(data) = frame.into_data()
                        && to.send(data).is_err()
                    {
                        break;
                    }
                }
            });
            Content::Watch(events, Duration::from_secs(3600))
        } else {
            Content::Whole(body.collect().await?.to_bytes())
        };
        Ok(Self {
            status: head.status,
            content_type: if is_json {
                "application/json"
            } else {
                "text/plain; charset=utf-8"
            },
            retry_after: retry_after.and_then(|seconds| seconds.parse().ok()),
            content,
        })
    }
}

//! A client for the simulator's own tests: one connection, by HTTP/1.1 or HTTP/2.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use simulator::{Cluster, Fleet};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Why there is no answer, in words: it is only told apart from an answer.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// One connection.
pub struct Client {
    sender: Sender,
    token: String,
}

enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Client {
    /// Connects to a cluster.
    pub async fn connect(fleet: &Fleet, cluster: &Cluster, http2: bool) -> Result<Self, Trouble> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(fleet.authority.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![if http2 {
            b"h2".to_vec()
        } else {
            b"http/1.1".to_vec()
        }];
        let stream = TcpStream::connect(cluster.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::IpAddress(cluster.address.ip().into());
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let stream = TokioIo::new(stream);
        let sender = if http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
            tokio::spawn(connection);
            Sender::Two(sender)
        } else {
            let (sender, connection) = http1::handshake(stream).await?;
            tokio::spawn(connection);
            Sender::One(sender)
        };
        Ok(Self {
            sender,
            token: cluster.administrator_token.clone(),
        })
    }

    /// Sends a request, and gives the answer's head.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Incoming>, Trouble> {
        let content_type = match method {
            "PATCH" => "application/apply-patch+yaml",
            _ => "application/json",
        };
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("https://cluster{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", content_type)
            .header("user-agent", "the simulator's tests")
            .body(Full::from(body))?;
        Ok(match &mut self.sender {
            Sender::One(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Sender::Two(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        })
    }

    /// Sends a request, and gives status and body.
    pub async fn ask(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), Trouble> {
        let response = self.send(method, path, body).await?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok((
            status,
            serde_json::from_slice(&body).unwrap_or(Value::String(text)),
        ))
    }

    /// Reads a path.
    pub async fn get(&mut self, path: &str) -> Result<(u16, Value), Trouble> {
        self.ask("GET", path, None).await
    }

    /// The same connection a second time, where it can be had.
    pub fn share(&self) -> Option<Self> {
        match &self.sender {
            Sender::One(_) => None,
            Sender::Two(sender) => Some(Self {
                sender: Sender::Two(sender.clone()),
                token: self.token.clone(),
            }),
        }
    }
}

/// Connects, and reads a path.
pub async fn get(fleet: &Fleet, cluster: &Cluster, http2: bool, path: &str) -> Result<(u16, Value), Trouble> {
    Client::connect(fleet, cluster, http2).await?.get(path).await
}

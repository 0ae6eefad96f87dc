//! A plain HTTP client for both servers, so that each is asked in the very same words: none of
//! this project's own code, which is what the recordings are of.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, UPGRADE, USER_AGENT};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::conversation::Events;
use crate::shape::Exchange;

/// The most that one question may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One API server.
pub struct Server {
    /// What it is called in a difference.
    pub name: &'static str,
    address: SocketAddr,
    tls: TlsConnector,
    /// The same without a client certificate.
    anonymous: TlsConnector,
    token: Option<String>,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Server {
    /// The server of a context, out of a kubeconfig in kubectl's JSON.
    pub fn of_kubeconfig(name: &'static str, kubeconfig: &Value, context: &str) -> Self {
        let named = |list: &str, name: &str| -> Value {
            let entries = kubeconfig[list].as_array().expect("a list");
            let entry = entries.iter().find(|entry| entry["name"] == name);
            entry.expect("the kubeconfig has it").clone()
        };
        let context = named("contexts", context)["context"].clone();
        let cluster = named("clusters", context["cluster"].as_str().expect("a name"))["cluster"].clone();
        let user = named("users", context["user"].as_str().expect("a name"))["user"].clone();
        let server = cluster["server"].as_str().expect("a server");
        let address = server.trim_start_matches("https://").parse().expect("an address");
        let data = |value: &Value| STANDARD.decode(value.as_str().expect("base64")).expect("base64");
        let authority = data(&cluster["certificate-authority-data"]);
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&authority) {
            roots
                .add(certificate.expect("a certificate"))
                .expect("a certificate");
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_root_certificates(roots);
        let anonymous = builder.clone().with_no_client_auth();
        let config = if user["client-certificate-data"].is_string() {
            let chain = data(&user["client-certificate-data"]);
            let chain = CertificateDer::pem_slice_iter(&chain)
                .collect::<Result<Vec<_>, _>>()
                .expect("certificates");
            let key = PrivateKeyDer::from_pem_slice(&data(&user["client-key-data"])).expect("a key");
            builder.with_client_auth_cert(chain, key).expect("a pair")
        } else {
            builder.with_no_client_auth()
        };
        Self {
            name,
            address,
            tls: TlsConnector::from(Arc::new(config)),
            anonymous: TlsConnector::from(Arc::new(anonymous)),
            token: user["token"].as_str().map(str::to_owned),
            sender: None,
        }
    }

    /// The same server asked with a bearer token alone.
    pub fn as_bearer(&self, token: &str) -> Self {
        Self {
            name: self.name,
            address: self.address,
            tls: self.anonymous.clone(),
            anonymous: self.anonymous.clone(),
            token: Some(token.to_owned()),
            sender: None,
        }
    }

    async fn connect(&self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        let name = ServerName::IpAddress(self.address.ip().into());
        let stream = self.tls.connect(name, stream).await.expect("TLS");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection.with_upgrades());
        sender
    }

    async fn send(&mut self, exchange: &Exchange) -> Response<Incoming> {
        let usable = self.sender.as_ref().is_some_and(|sender| !sender.is_closed());
        let mut sender = match self.sender.take() {
            Some(sender) if usable && exchange.upgrade.is_empty() => sender,
            _ => self.connect().await,
        };
        sender.ready().await.expect("it takes a request");
        let mut request = Request::builder()
            .method(exchange.method.as_str())
            .uri(exchange.target.as_str())
            .header(HOST, self.address.to_string());
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in [
            (ACCEPT, &exchange.accept),
            (CONTENT_TYPE, &exchange.content_type),
            (USER_AGENT, &exchange.agent),
        ] {
            if !value.is_empty() {
                request = request.header(name, value.as_str());
            }
        }
        if !exchange.upgrade.is_empty() {
            request = request
                .header(CONNECTION, "Upgrade")
                .header(UPGRADE, "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", STANDARD.encode("sixteen bytes ok"))
                .header("sec-websocket-protocol", exchange.upgrade.as_str());
        }
        let body = Full::from(exchange.body.clone());
        let response = sender.send_request(request.body(body).expect("a request"));
        let response = response.await.expect("an answer");
        if exchange.upgrade.is_empty() {
            self.sender = Some(sender);
        }
        response
    }

    /// Asks, and gives status, type and body.
    pub async fn ask(&mut self, exchange: &Exchange) -> (u16, String, Bytes) {
        let asked = async {
            let response = self.send(exchange).await;
            let content_type = response.headers().get(CONTENT_TYPE);
            let content_type = content_type.map(|value| value.to_str().expect("text").to_owned());
            let status = response.status().as_u16();
            if status == 101 {
                return (status, content_type.unwrap_or_default(), Bytes::new());
            }
            let body = response.into_body().collect().await.expect("a body").to_bytes();
            (status, content_type.unwrap_or_default(), body)
        };
        tokio::time::timeout(PATIENCE, asked)
            .await
            .unwrap_or_else(|_| panic!("{}: no answer to {exchange}", self.name))
    }

    /// Asks for an object or list as JSON; nothing where it does not stand.
    pub async fn get(&mut self, path: &str) -> Option<Value> {
        let (status, _, body) = self.ask(&Exchange::get(path)).await;
        (status == 200).then(|| serde_json::from_slice(&body).expect("JSON"))
    }

    /// Begins a watch.
    pub async fn watch(&mut self, exchange: &Exchange) -> Events {
        let asked = tokio::time::timeout(PATIENCE, self.send(exchange)).await;
        let response = asked.unwrap_or_else(|_| panic!("{}: no answer to {exchange}", self.name));
        assert_eq!(response.status().as_u16(), 200, "{}: {exchange}", self.name);
        // Its connection is busy until the watch ends.
        self.sender = None;
        Events {
            body: response.into_body(),
            heard: Vec::new(),
        }
    }

    /// What paths of a pod's port answer, asked one right behind the other on one tunnel.
    pub async fn forwarded(&mut self, exchange: &Exchange, port: u16, paths: &[&str]) -> Vec<Value> {
        let asked = async {
            let response = self.send(exchange).await;
            assert_eq!(response.status().as_u16(), 101, "{}: {exchange}", self.name);
            let upgraded = hyper::upgrade::on(response).await.expect("an upgrade");
            let mut socket =
                WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await;
            let [low, high] = port.to_le_bytes();
            for channel in [0, 1] {
                let first = next_binary(&mut socket).await;
                assert_eq!(
                    first,
                    [channel, low, high],
                    "{}: a channel's first frame",
                    self.name
                );
            }
            let mut question = vec![0];
            for path in paths {
                question
                    .extend_from_slice(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
            }
            socket.send(Message::binary(question)).await.expect("it is sent");
            let mut heard = Vec::new();
            let mut answers = Vec::new();
            while answers.len() < paths.len() {
                let frame = next_binary(&mut socket).await;
                assert_eq!(
                    frame[0],
                    0,
                    "{}: {}",
                    self.name,
                    String::from_utf8_lossy(&frame[1..])
                );
                heard.extend_from_slice(&frame[1..]);
                while let Some((body, rest)) = first_body(&heard) {
                    answers.push(body);
                    heard = rest;
                }
            }
            answers
        };
        tokio::time::timeout(PATIENCE, asked)
            .await
            .unwrap_or_else(|_| panic!("{}: no answer by {exchange}", self.name))
    }
}

async fn next_binary<S>(socket: &mut WebSocketStream<S>) -> Vec<u8>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        match socket.next().await.expect("a frame").expect("a frame") {
            Message::Binary(bytes) => return bytes.to_vec(),
            Message::Close(frame) => panic!("the tunnel was closed: {frame:?}"),
            _ => {}
        }
    }
}

/// The first answer's body in what was heard, and the rest, once it is whole. Istiod says its
/// length or sends one chunk after the other (RFC 9112 §6).
fn first_body(heard: &[u8]) -> Option<(Value, Vec<u8>)> {
    let head_end = heard.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&heard[..head_end]).to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let body = &heard[head_end..];
    let length = head.lines().find_map(|line| {
        line.strip_prefix("content-length: ")?
            .trim()
            .parse::<usize>()
            .ok()
    });
    let (body, rest) = match length {
        Some(length) => (body.get(..length)?.to_vec(), body.get(length..)?.to_vec()),
        None => {
            let (mut whole, mut rest) = (Vec::new(), body);
            loop {
                let line_end = rest.windows(2).position(|window| window == b"\r\n")?;
                let size = std::str::from_utf8(&rest[..line_end]).expect("a size");
                let size = usize::from_str_radix(size, 16).expect("a size");
                let chunk = rest.get(line_end + 2..line_end + 2 + size)?;
                whole.extend_from_slice(chunk);
                rest = rest.get(line_end + 4 + size..)?;
                if size == 0 {
                    break;
                }
            }
            (whole, rest.to_vec())
        }
    };
    let text = String::from_utf8(body).expect("text");
    Some((serde_json::from_str(&text).unwrap_or(Value::String(text)), rest))
}

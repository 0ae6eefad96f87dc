//! The benchmark's own requests to API servers: blocking, one connection each, HTTP/1.0 over TLS.
//! It shares no code with what is measured, so that it can judge what that did.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::trouble::{Doing as _, Outcome, Trouble};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A way to one API server.
pub struct Api {
    /// `HOST:PORT`.
    address: String,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
    token: Option<String>,
}

impl Api {
    /// As whoever a certificate names.
    pub fn with_certificate(server: &str, authority: &str, certificate: &str, key: &str) -> Outcome<Self> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let chain = chain.doing("read a client's certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).doing("read a client's key")?;
        let tls = trusting(authority)?
            .with_client_auth_cert(chain, key)
            .doing("use a client's certificate")?;
        Self::new(server, tls, None)
    }

    /// As whoever a token names.
    pub fn with_token(server: &str, authority: &str, token: &str) -> Outcome<Self> {
        let tls = trusting(authority)?.with_no_client_auth();
        Self::new(server, tls, Some(token.to_owned()))
    }

    fn new(server: &str, tls: ClientConfig, token: Option<String>) -> Outcome<Self> {
        let address = server.strip_prefix("https://").doing("read an https URL")?;
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        Ok(Self {
            address: address.to_owned(),
            name: ServerName::try_from(host.to_owned()).doing("read a server's name")?,
            tls: Arc::new(tls),
            token,
        })
    }

    /// Reads something; what is not there is none.
    pub fn get(&self, path: &str) -> Outcome<Option<Value>> {
        match self.send("GET", path, "", "")? {
            (404, _) => Ok(None),
            (200, body) => serde_json::from_slice(&body)
                .doing(format!("read {path}"))
                .map(Some),
            (code, _) => Err(Trouble::new(format!("read {path}: the API server said {code}"))),
        }
    }

    /// The items of a list.
    pub fn list(&self, path: &str) -> Outcome<Vec<Value>> {
        let list = self.get(path)?.doing(format!("list {path}"))?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// The status code of a read.
    pub fn status(&self, path: &str) -> Outcome<u16> {
        Ok(self.send("GET", path, "", "")?.0)
    }

    /// Writes an object over whatever stands (server-side apply).
    pub fn apply(&self, path: &str, object: &Value) -> Outcome<()> {
        let target = format!("{path}?fieldManager=stolos-benchmark&force=true");
        let body = object.to_string();
        match self.send("PATCH", &target, "application/apply-patch+yaml", &body)? {
            (200 | 201, _) => Ok(()),
            (code, body) => Err(refused("apply", path, code, &body)),
        }
    }

    /// Creates something that answers.
    pub fn post(&self, path: &str, object: &Value) -> Outcome<Value> {
        match self.send("POST", path, "application/json", &object.to_string())? {
            (200 | 201, body) => serde_json::from_slice(&body).doing(format!("create {path}")),
            (code, body) => Err(refused("create", path, code, &body)),
        }
    }

    /// Deletes something, if it is there.
    pub fn delete(&self, path: &str) -> Outcome<()> {
        match self.send("DELETE", path, "", "")? {
            (200 | 202 | 404, _) => Ok(()),
            (code, body) => Err(refused("delete", path, code, &body)),
        }
    }

    fn send(&self, method: &str, path: &str, kind: &str, body: &str) -> Outcome<(u16, Vec<u8>)> {
        let doing = format!("{method} https://{}{path}", self.address);
        let socket = TcpStream::connect(&self.address).doing(&doing)?;
        socket.set_read_timeout(Some(PATIENCE)).doing(&doing)?;
        let session = ClientConnection::new(self.tls.clone(), self.name.clone()).doing(&doing)?;
        let mut stream = StreamOwned::new(session, socket);
        let mut head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nUser-Agent: {AGENT}\r\nAccept: application/json\r\n",
            self.address
        );
        if let Some(token) = &self.token {
            head.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!(
                "Content-Type: {kind}\r\nContent-Length: {}\r\n",
                body.len()
            ));
        }
        stream
            .write_all(format!("{head}\r\n{body}").as_bytes())
            .doing(&doing)?;
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            // Some servers close without TLS's own goodbye; what came is judged by its length.
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(error).doing(doing),
            _ => {}
        }
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.doing(format!("{doing}: find the end of the answer's head"))?;
        let code = std::str::from_utf8(&answer[..end])
            .ok()
            .and_then(|head| head.split(' ').nth(1)?.parse().ok())
            .doing(format!("{doing}: read the answer's code"))?;
        Ok((code, answer.split_off(end + 4)))
    }
}

/// How the benchmark's own requests are told from others in an audit log.
pub const AGENT: &str = "stolos-benchmark";

fn trusting(
    authority: &str,
) -> Outcome<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        let certificate = certificate.doing("read an authority's certificate")?;
        roots.add(certificate).doing("use an authority's certificate")?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder
        .with_safe_default_protocol_versions()
        .doing("set TLS up")?;
    Ok(builder.with_root_certificates(roots))
}

fn refused(verb: &str, path: &str, code: u16, body: &[u8]) -> Trouble {
    let message = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|status| status["message"].as_str().map(str::to_owned))
        .unwrap_or_default();
    Trouble::new(format!("{verb} {path}: the API server said {code} {message}"))
}

//! Servers that fail as API servers and what stands before them do. Each listens on loopback, in
//! the lab's network, with the certificate of the cluster that it stands for.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::trouble::{Doing as _, Outcome};

/// Ways to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Accepts connections, and says nothing.
    HangAfterTcp,
    /// Completes the TLS handshake, and says nothing.
    HangAfterTls,
    /// Resets each connection.
    Reset,
    /// Nothing listens.
    Refuse,
    /// Answers every request with 503.
    Unavailable,
    /// Answers every request with 429 and `Retry-After: 1`.
    Throttle,
    /// Sends one byte a second.
    Drip,
    /// Has another cluster's certificate.
    WrongCertificate,
    /// Answers every request with a page of HTML.
    Html,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::HangAfterTcp,
        Self::HangAfterTls,
        Self::Reset,
        Self::Refuse,
        Self::Unavailable,
        Self::Throttle,
        Self::Drip,
        Self::WrongCertificate,
        Self::Html,
    ];

    /// What the report calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::HangAfterTcp => "hangs after TCP",
            Self::HangAfterTls => "hangs after TLS",
            Self::Reset => "resets",
            Self::Refuse => "refuses",
            Self::Unavailable => "503",
            Self::Throttle => "429",
            Self::Drip => "1 byte/s",
            Self::WrongCertificate => "wrong certificate",
            Self::Html => "HTML",
        }
    }

    /// The classes that are right for it, as the contract's `errors[].class` has them.
    pub fn classes(self) -> &'static [&'static str] {
        match self {
            Self::HangAfterTcp | Self::HangAfterTls | Self::Drip => &["timeout"],
            // It happens while TLS is being set up over TCP.
            Self::Reset => &["tcp", "tls"],
            Self::Refuse => &["tcp"],
            Self::Unavailable => &["server"],
            Self::Throttle => &["throttled"],
            Self::WrongCertificate => &["certificate"],
            Self::Html => &["not-kubernetes"],
        }
    }
}

/// Starts a server that fails, for as long as this process lives. `own` is the folder with the
/// certificate of the cluster that it stands for, `other` another's.
pub fn start(fault: Fault, own: &Path, other: &Path) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").doing("listen")?;
    let address = listener.local_addr().doing("listen")?;
    if fault == Fault::Refuse {
        // The port is free again, and nobody in this network takes it.
        return Ok(address);
    }
    let folder = if fault == Fault::WrongCertificate {
        other
    } else {
        own
    };
    let tls = Arc::new(identity(folder)?);
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let tls = tls.clone();
            // A connection that fails is what this is for.
            std::thread::spawn(move || drop(serve(fault, socket, tls)));
        }
    });
    Ok(address)
}

fn identity(folder: &Path) -> Outcome<ServerConfig> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(folder.join("server.crt"))
        .doing("read a server's certificate")?
        .collect();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).doing("read a server's key")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .doing("set TLS up")?
        .with_no_client_auth()
        .with_single_cert(chain.doing("read a server's certificate")?, key)
        .doing("use a server's certificate")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn serve(fault: Fault, mut socket: TcpStream, tls: Arc<ServerConfig>) -> Outcome<()> {
    // Nobody is held for longer than a run may take.
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .doing("serve")?;
    match fault {
        Fault::Refuse => return Ok(()),
        Fault::HangAfterTcp => {
            std::io::copy(&mut socket, &mut std::io::sink()).doing("serve")?;
            return Ok(());
        }
        Fault::Reset => {
            let mut greeting = [0_u8; 16];
            socket.read(&mut greeting).doing("serve")?;
            // What is closed with a linger of nothing is reset.
            rustix::net::sockopt::set_socket_linger(&socket, Some(Duration::ZERO)).doing("serve")?;
            return Ok(());
        }
        _ => {}
    }
    let session = ServerConnection::new(tls).doing("serve")?;
    let mut stream = StreamOwned::new(session, socket);
    let mut request = Vec::new();
    let mut piece = [0_u8; 4096];
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut piece).doing("serve")? {
            0 => return Ok(()),
            length => request.extend_from_slice(&piece[..length]),
        }
    }
    let status = |code: u16, reason: &str| {
        let body = format!(
            r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"{reason}","message":"injected","code":{code}}}"#
        );
        answer(code, reason, "application/json", &body)
    };
    let bytes = match fault {
        Fault::HangAfterTls => {
            std::io::copy(&mut stream, &mut std::io::sink()).doing("serve")?;
            return Ok(());
        }
        Fault::Unavailable => status(503, "ServiceUnavailable"),
        Fault::Throttle => status(429, "TooManyRequests"),
        Fault::Html => answer(200, "OK", "text/html", "<!doctype html><title>Sign in</title>"),
        _ => answer(
            200,
            "OK",
            "application/json",
            r#"{"major":"1","minor":"36","gitVersion":"v1.36.3"}"#,
        ),
    };
    if fault == Fault::Drip {
        for byte in bytes.as_bytes().iter().take(60) {
            stream.write_all(&[*byte]).doing("serve")?;
            stream.flush().doing("serve")?;
            std::thread::sleep(Duration::from_secs(1));
        }
        return Ok(());
    }
    stream.write_all(bytes.as_bytes()).doing("serve")?;
    stream.conn.send_close_notify();
    stream.flush().doing("serve")
}

fn answer(code: u16, reason: &str, kind: &str, body: &str) -> String {
    let retry = if code == 429 { "Retry-After: 1\r\n" } else { "" };
    format!(
        "HTTP/1.1 {code} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{retry}Connection: close\r\n\r\n{body}",
        body.len()
    )
}

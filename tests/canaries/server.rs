//! An HTTP server on this machine's loopback that answers as it is told and remembers whole
//! requests, plain or with TLS.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A request, as it came.
#[derive(Clone, Default)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// All lines of the head but the first.
    pub headers: String,
    pub body: Vec<u8>,
}

impl Request {
    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value.trim())
    }
}

/// An answer to be sent.
pub struct Answer {
    pub status: u16,
    /// Lines of the head, each with its end.
    pub headers: String,
    pub body: Vec<u8>,
}

type Answers = dyn Fn(&Request) -> Answer + Send + Sync;

/// A server that serves until the test process ends.
pub struct Server {
    /// `http://127.0.0.1:PORT` or `https://…`
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// A server; with a certificate and key (PEM) it speaks TLS.
    pub fn start(
        tls: Option<(&str, &str)>,
        answers: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let tls = tls.map(|(certificate, key)| Arc::new(tls_config(certificate, key)));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let answers: Arc<Answers> = Arc::new(answers);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, seen, tls) = (Arc::clone(&answers), Arc::clone(&seen), tls.clone());
                std::thread::spawn(move || {
                    let _ = match tls {
                        None => serve(Both::Plain(stream), &*answers, &seen),
                        Some(config) => match rustls::ServerConnection::new(config) {
                            Ok(session) => {
                                let stream = rustls::StreamOwned::new(session, stream);
                                serve(Both::Tls(Box::new(stream)), &*answers, &seen)
                            }
                            Err(_) => Ok(()),
                        },
                    };
                });
            }
        });
        Self { url, requests }
    }

    /// The requests since they were last taken.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

fn tls_config(certificate: &str, key: &str) -> rustls::ServerConfig {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

enum Both {
    Plain(TcpStream),
    Tls(Box<rustls::StreamOwned<rustls::ServerConnection, TcpStream>>),
}

impl Read for Both {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Both::Plain(stream) => stream.read(buffer),
            Both::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Both {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        match self {
            Both::Plain(stream) => stream.write(buffer),
            Both::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Both::Plain(stream) => stream.flush(),
            Both::Tls(stream) => stream.flush(),
        }
    }
}

fn serve(stream: Both, answers: &Answers, seen: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = Request::default();
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut words = first.split_whitespace();
        request.method = words.next().unwrap_or_default().to_owned();
        request.target = words.next().unwrap_or_default().to_owned();
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
                break;
            }
            request.headers.push_str(&header);
        }
        let length = request.header("content-length").parse().unwrap_or(0);
        request.body = vec![0; length];
        reader.read_exact(&mut request.body)?;
        let answer = answers(&request);
        seen.lock().unwrap().push(request);
        let head = format!(
            "HTTP/1.1 {} Said\r\nContent-Length: {}\r\n{}\r\n",
            answer.status,
            answer.body.len(),
            answer.headers
        );
        let stream = reader.get_mut();
        stream.write_all(&[head.as_bytes(), &answer.body].concat())?;
        stream.flush()?;
    }
}

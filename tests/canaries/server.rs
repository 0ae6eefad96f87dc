//! An HTTP server on this machine's loopback that answers as it is told and remembers whole
//! requests, plain or with TLS.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

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
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    /// Lines of the head, each with its end.
    pub headers: String,
    pub body: Vec<u8>,
}

type Answers = dyn Fn(&Request) -> Answer + Send + Sync;

/// What all servers with TLS run on.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap()
});

/// A server that serves until the test process ends.
pub struct Server {
    /// `http://127.0.0.1:PORT` or `https://…`
    pub url: String,
    told: Arc<Told>,
}

/// What a server answers, and what it was asked.
struct Told {
    answers: Box<Answers>,
    seen: Mutex<Vec<Request>>,
}

impl Told {
    fn answer(&self, request: Request) -> Answer {
        let answer = (self.answers)(&request);
        self.seen.lock().unwrap().push(request);
        answer
    }
}

impl Server {
    /// A server; with a certificate and key (PEM) it speaks TLS, and HTTP/2 with whoever wants it.
    pub fn start(
        tls: Option<(&str, &str)>,
        answers: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let told = Arc::new(Told {
            answers: Box::new(answers),
            seen: Mutex::default(),
        });
        let telling = Arc::clone(&told);
        if let Some((certificate, key)) = tls {
            listener.set_nonblocking(true).unwrap();
            let acceptor = TlsAcceptor::from(Arc::new(tls_config(certificate, key)));
            RUNTIME.spawn(serve_with_tls(listener, acceptor, telling));
        } else {
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let told = Arc::clone(&telling);
                    std::thread::spawn(move || serve_plainly(stream, &told));
                }
            });
        }
        Self { url, told }
    }

    /// The requests since they were last taken.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.told.seen.lock().unwrap())
    }
}

fn tls_config(certificate: &str, key: &str) -> rustls::ServerConfig {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

async fn serve_with_tls(listener: TcpListener, acceptor: TlsAcceptor, told: Arc<Told>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, told) = (acceptor.clone(), Arc::clone(&told));
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = TokioIo::new(stream);
            let service = service_fn(move |request| {
                let told = Arc::clone(&told);
                async move { answered(request, &told).await }
            });
            // Whoever is gone before the answer is whole has been told enough.
            let _ = if is_http2 {
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                server.serve_connection(stream, service).await
            } else {
                let server = hyper::server::conn::http1::Builder::new();
                server.serve_connection(stream, service).await
            };
        });
    }
}

async fn answered(
    request: hyper::Request<Incoming>,
    told: &Told,
) -> Result<hyper::Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let mut headers = String::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers.push_str(&format!("{name}: {value}\r\n"));
    }
    let target = head.uri.path_and_query().map(|target| target.as_str().to_owned());
    let answer = told.answer(Request {
        method: head.method.to_string(),
        target: target.unwrap_or_default(),
        headers,
        body: body.collect().await?.to_bytes().to_vec(),
    });
    let mut response = hyper::Response::builder().status(answer.status);
    for (name, value) in answer.headers.lines().filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    Ok(response.body(Full::from(answer.body)).unwrap())
}

fn serve_plainly(stream: TcpStream, told: &Told) -> std::io::Result<()> {
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
        let answer = told.answer(request);
        let head = format!(
            "HTTP/1.1 {} Said\r\nContent-Length: {}\r\n{}\r\n",
            answer.status,
            answer.body.len(),
            answer.headers
        );
        reader
            .get_mut()
            .write_all(&[head.as_bytes(), &answer.body].concat())?;
    }
}

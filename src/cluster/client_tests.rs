//! The client against a server that misbehaves: what is repeated, what is not, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::Client;
use crate::host::kubeconfig::Connection;
use crate::inventory::FailureClass;

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n{\"kind\":\"Answer\"}";

/// A server that gives its answers in turn, the last again and again; an empty one is a connection
/// that breaks, one of `hang` is silence. Counts the requests.
async fn server(answers: Vec<&'static str>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answers, counted) = (answers.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                let mut request = [0_u8; 8192];
                while stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                    let turn = counted.fetch_add(1, Ordering::SeqCst);
                    match answers[turn.min(answers.len() - 1)] {
                        "" => return,
                        "hang" => std::future::pending().await,
                        answer => stream.write_all(answer.as_bytes()).await.unwrap(),
                    }
                }
            });
        }
    });
    (address, count)
}

/// A connection to it.
pub async fn client(address: &str, timeout: Duration) -> Client {
    let connection = Connection {
        config: kube::Config::new(address.parse().unwrap()),
        server: address.to_owned(),
        authority_pem: String::new(),
        tls_server_name: String::new(),
    };
    Client::connect(connection, "test", "run", timeout).await.unwrap()
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn what_is_throttled_or_breaks_midway_is_asked_again() {
    for first in [
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
        "",
    ] {
        let (address, count) = server(vec![first, FINE]).await;
        let client = client(&address, SECOND * 5).await;
        let answer = client.get("/version", "version").await.unwrap();
        assert_eq!(answer["kind"], "Answer", "after {first:?}");
        assert_eq!(count.load(Ordering::SeqCst), 2, "after {first:?}");
    }
}

#[tokio::test]
async fn a_server_that_never_mends_is_given_up_within_the_deadline() {
    let answers = [
        (
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            FailureClass::Server,
        ),
        (
            "HTTP/1.1 429 Too Many Requests\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n",
            FailureClass::Throttled,
        ),
        ("hang", FailureClass::Timeout),
    ];
    for (answer, class) in answers {
        let (address, _) = server(vec![answer]).await;
        let client = client(&address, SECOND).await;
        let begun = Instant::now();
        let failure = client.get("/version", "version").await.unwrap_err();
        assert_eq!(failure.class, class, "{failure}");
        assert!(
            begun.elapsed() < SECOND * 3,
            "{answer:?} took {:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test]
async fn what_repeating_cannot_help_is_asked_once() {
    let refusals = [
        (
            "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n",
            FailureClass::Authentication,
        ),
        (
            "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
            FailureClass::Permission,
        ),
        (
            "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
            FailureClass::Server,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
            FailureClass::NotKubernetes,
        ),
        (
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            FailureClass::NotKubernetes,
        ),
    ];
    for (answer, class) in refusals {
        let (address, count) = server(vec![answer]).await;
        let client = client(&address, SECOND * 5).await;
        let failure = client.get("/version", "version").await.unwrap_err();
        assert_eq!(failure.class, class, "{failure}");
        assert_eq!(count.load(Ordering::SeqCst), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_known_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let begun = Instant::now();
    let failure = client(&address, SECOND * 20)
        .await
        .get("/version", "version")
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Tcp, "{failure}");
    assert!(begun.elapsed() < SECOND * 5);
}

#[tokio::test]
async fn what_a_server_says_of_a_secret_is_not_repeated() {
    let body = r#"{"kind":"Status","message":"Secret \"x\" is invalid: data[token]: hunter2"}"#;
    let answer = format!(
        "HTTP/1.1 422 Unprocessable\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (address, _) = server(vec![answer.leak()]).await;
    let client = client(&address, SECOND).await;
    let secret = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "namespace": "y"}});
    let object = crate::inventory::Object(secret);
    let failure = client
        .apply(&object, super::WriteOptions::default())
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Invalid);
    assert!(!failure.to_string().contains("hunter2"), "{failure}");
    let other = client.get("/version", "version").await.unwrap_err();
    assert!(
        other.to_string().contains("hunter2"),
        "elsewhere its words help: {other}"
    );
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_told_from_a_broken_connection() {
    let issued = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (served, trusted) = (issued("127.0.0.1"), issued("127.0.0.1"));
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(served.signing_key.serialize_der());
    let server =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![served.cert.der().clone()], key.into())
            .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move { acceptor.accept(stream).await.is_ok() });
        }
    });
    let mut config = kube::Config::new(address.parse().unwrap());
    config.root_cert = Some(vec![trusted.cert.der().to_vec()]);
    let connection = Connection {
        config,
        server: address,
        authority_pem: String::new(),
        tls_server_name: String::new(),
    };
    let client = Client::connect(connection, "test", "run", SECOND * 5)
        .await
        .unwrap();
    let failure = client.get("/version", "version").await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Certificate, "{failure}");
}

//! The client against a server that misbehaves: what is repeated, what is not, and for how long.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::Client;
use super::objects::ListSelector;
use super::watch::Event;
use crate::connection::credential::plugin::{PluginOptions, Plugins, Policy};
use crate::connection::credential::{Bearer, Source};
use crate::connection::deadlines::Deadlines;
use crate::connection::endpoint::{Authority, Endpoint};
use crate::connection::pool::Connections;
use crate::connection::server_tests::{Reply, Server, Speaks};
use crate::host::kubeconfig::Connection;
use crate::host::sensitive::Sensitive;
use crate::inventory::{FailureClass, kind};

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

/// A way to it.
pub fn endpoint(address: &str, authority: Authority) -> Connection {
    Connection {
        endpoint: Endpoint {
            url: address.parse().unwrap(),
            authority,
            tls_server_name: String::new(),
            proxy: None,
        },
        source: Source::default(),
        impersonation: http::HeaderMap::new(),
        server: address.to_owned(),
        authority_pem: String::new(),
        tls_server_name: String::new(),
        namespace: "default".to_owned(),
    }
}

pub fn plugins() -> Plugins {
    Plugins::new(PluginOptions {
        policy: Policy::None,
        timeout: SECOND,
        interactive_timeout: SECOND,
        concurrent: 1,
        can_ask: false,
        can_tell: false,
    })
}

pub fn connect(connection: Connection, deadlines: Deadlines) -> Client {
    let connections = Connections::new(deadlines);
    Client::connect(connection, &connections, &plugins(), "test", "test", deadlines)
}

/// A client of it.
pub async fn client(address: &str, timeout: Duration) -> Client {
    connect(endpoint(address, Authority::Machine), Deadlines::within(timeout))
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_list_of_the_metadata_of_nothing_is_an_empty_list() {
    // As kube-apiserver 1.36 answers where there are no custom resource definitions.
    let nothing = "HTTP/1.1 200 OK\r\ncontent-length: 54\r\n\r\n{\"kind\":\"PartialObjectMetadataList\",     \"items\":null}";
    let other = "HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n{\"kind\":\"Page\",  \"items\":null}";
    let selector = ListSelector {
        metadata_only: true,
        ..ListSelector::default()
    };
    let (address, _) = server(vec![nothing, other]).await;
    let client = client(&address, SECOND * 5).await;
    let listed = client.list(kind::CUSTOM_RESOURCE_DEFINITION, selector).await;
    assert_eq!(listed.unwrap().len(), 0);
    let refused = client.list(kind::CUSTOM_RESOURCE_DEFINITION, selector).await;
    assert_eq!(refused.unwrap_err().class, FailureClass::NotKubernetes);
}

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
async fn what_came_before_a_last_try_that_was_cut_short_is_the_reason() {
    const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
    // The fifth try begins in the second half of the time, whatever the pauses are, the second in the first.
    for (refusals, class) in [(4, FailureClass::Server), (1, FailureClass::Timeout)] {
        let (address, _) = server([vec![BUSY; refusals], vec!["hang"]].concat()).await;
        let client = client(&address, SECOND * 3 / 2).await;
        let failure = client.get("/version", "version").await.unwrap_err();
        assert_eq!(failure.class, class, "{failure}");
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
    let object = object.0.to_string().replace("Secret", "ConfigMap");
    let object = crate::inventory::Object(serde_json::from_str(&object).unwrap());
    let other = client.apply(&object, super::WriteOptions::default()).await;
    let other = other.unwrap_err().to_string();
    assert!(
        other.contains("hunter2"),
        "where no secret is written its words help: {other}"
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
    let authority = Authority::Certificates(vec![trusted.cert.der().to_vec()]);
    let client = connect(endpoint(&address, authority), Deadlines::within(SECOND * 5));
    let failure = client.get("/version", "version").await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Certificate, "{failure}");
}

#[tokio::test]
async fn an_answer_that_stalls_drips_or_breaks_off_ends_in_time() {
    let replies: [fn() -> Reply; 4] = [|| Reply::Half, || Reply::Drip, || Reply::Hang, || Reply::Cut];
    for (reply, speaks) in replies
        .into_iter()
        .flat_map(|reply| [Speaks::Http2, Speaks::Http1].map(|speaks| (reply, speaks)))
    {
        let server = Server::of_requests(speaks, move |_| reply()).await;
        let deadlines = Deadlines::within(SECOND * 2);
        let client = connect(endpoint(&server.url, server.authority.clone()), deadlines);
        let begun = Instant::now();
        let failure = client.get("/version", "version").await.unwrap_err();
        assert!(
            matches!(failure.class, FailureClass::Timeout | FailureClass::Tcp),
            "{failure}"
        );
        assert!(
            begun.elapsed() < SECOND * 6,
            "{failure} after {:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test]
async fn what_breaks_once_is_read_again_and_counted() {
    for first in [Reply::Half, Reply::Cut, Reply::status(502), Reply::status(504)] {
        let first = Mutex::new(Some(first));
        let server = Server::of_requests(Speaks::Http2, move |_| {
            let answer = || Reply::Answer(200, r#"{"kind":"Answer"}"#.to_owned(), Vec::new());
            first.lock().unwrap().take().unwrap_or_else(answer)
        })
        .await;
        let deadlines = Deadlines {
            between_bytes: SECOND / 4,
            ..Deadlines::within(SECOND * 10)
        };
        let client = connect(endpoint(&server.url, server.authority.clone()), deadlines);
        let answer = client.get("/version", "version").await.unwrap();
        assert_eq!(answer["kind"], "Answer");
        let usage = client.usage();
        assert_eq!((usage.requests, usage.repetitions), (2, 1));
        assert_eq!(usage.connections, server.accepted() as u64);
        assert!(usage.bytes_received >= 17);
    }
}

#[tokio::test]
async fn retry_after_is_obeyed_within_the_deadline() {
    let after = |wait: &str| Reply::Answer(429, String::new(), vec![("retry-after", wait.to_owned())]);
    let first = Mutex::new(Some(after("1")));
    let server = Server::of_requests(Speaks::Http2, move |_| {
        let answer = || Reply::Answer(200, "{}".to_owned(), Vec::new());
        first.lock().unwrap().take().unwrap_or_else(answer)
    })
    .await;
    let client = connect(
        endpoint(&server.url, server.authority.clone()),
        Deadlines::within(SECOND * 10),
    );
    let begun = Instant::now();
    client.get("/version", "version").await.unwrap();
    assert!(begun.elapsed() >= SECOND, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn contexts_of_one_server_share_a_connection_and_no_credential() {
    let server = Server::of_requests(Speaks::Http2, |request| {
        let shown = |name: &str| {
            let value = request.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        Reply::json(&serde_json::json!({
            "token": shown("authorization"), "as": shown("impersonate-user"), "agent": shown("user-agent"),
        }))
    })
    .await;
    let deadlines = Deadlines::within(SECOND * 10);
    let connections = Connections::new(deadlines);
    let clients: Vec<Client> = (0..20)
        .map(|number| {
            let mut connection = endpoint(&server.url, server.authority.clone());
            let token = Sensitive::new(format!("token-{number}"));
            connection.source.bearer = Bearer::Token(token);
            let name = format!("user-{number}").parse().unwrap();
            connection.impersonation.insert("impersonate-user", name);
            Client::connect(connection, &connections, &plugins(), "test", "agent", deadlines)
        })
        .collect();
    assert_eq!(server.accepted(), 0, "connecting sends nothing");
    let answers = futures::future::join_all(clients.iter().map(|client| client.get("/version", "version")));
    for (number, answer) in answers.await.into_iter().enumerate() {
        let answer = answer.unwrap();
        assert_eq!(answer["token"], format!("Bearer token-{number}"));
        assert_eq!(answer["as"], format!("user-{number}"));
        assert_eq!(answer["agent"], "agent");
    }
    assert_eq!(server.accepted(), 1);
    let counted: u64 = clients.iter().map(|client| client.usage().connections).sum();
    assert_eq!(counted, 1);
}

#[tokio::test]
async fn an_upgrade_has_a_connection_of_its_own_that_can_be_made_ahead() {
    let server = Server::of_requests(Speaks::Http2, |request| {
        assert!(request.headers()["authorization"] == "Bearer t");
        let version = format!("{:?}", request.version());
        let asks = request.headers().contains_key("upgrade");
        if !asks {
            return Reply::json(&serde_json::json!({"version": version}));
        }
        let host = request.headers()["host"].to_str().unwrap();
        assert!(!host.is_empty() && request.uri().authority().is_none());
        Reply::Answer(
            403,
            serde_json::json!({"kind": "Status", "status": "Failure",
            "message": "no", "reason": "Forbidden", "code": 403})
            .to_string(),
            Vec::new(),
        )
    })
    .await;
    let mut connection = endpoint(&server.url, server.authority.clone());
    connection.source.bearer = Bearer::Token(Sensitive::new("t"));
    let client = connect(connection, Deadlines::within(SECOND * 10));
    let answer = client.get("/version", "version").await.unwrap();
    assert_eq!(answer["version"], "HTTP/2.0");
    client.prepare_upgrade();
    while server.accepted() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let library = client.library_client();
    let plain = http::Request::get("/version").body(Vec::new()).unwrap();
    let answer: serde_json::Value = library.request(plain).await.unwrap();
    assert_eq!(answer["version"], "HTTP/2.0");
    assert_eq!(server.accepted(), 2);
    for connections in [2, 3] {
        let pods: kube::Api<k8s_openapi::api::core::v1::Pod> = kube::Api::namespaced(library.clone(), "a");
        let error = pods.portforward("p", &[1]).await.err().unwrap();
        let failure = super::failure::of_client(&error, "port-forward", "pod");
        assert_eq!(failure.class, FailureClass::Permission, "{error:?}");
        assert_eq!(
            server.accepted(),
            connections,
            "the first takes what was prepared"
        );
    }
}

#[tokio::test]
async fn the_library_says_our_own_failures() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client(&address, SECOND * 5).await;
    let request = http::Request::get("/version").body(Vec::new()).unwrap();
    let error = client.library_client().request_text(request).await.unwrap_err();
    let failure = super::failure::of_client(&error, "port-forward", "pod");
    assert_eq!(
        (failure.class, failure.verb.as_str()),
        (FailureClass::Tcp, "connect"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_watch_gives_each_event_and_ends_with_its_answer() {
    let lines = [
        serde_json::json!({"type": "ADDED", "object": {"metadata": {"name": "a"}}}),
        serde_json::json!({"type": "BOOKMARK", "object": {}}),
        serde_json::json!({"type": "DELETED", "object": {"metadata": {"name": "a"}}}),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let server = Server::of_requests(Speaks::Http1, move |request| match request.uri().path() {
        "/no" => Reply::status(403),
        _ => Reply::Answer(200, text.clone(), Vec::new()),
    })
    .await;
    let client = connect(
        endpoint(&server.url, server.authority.clone()),
        Deadlines::within(SECOND * 5),
    );
    let end = tokio::time::Instant::now() + SECOND * 5;
    let mut watch = client.watch("/things?watch=true", "things").await.unwrap();
    let first = watch.next(end).await.unwrap();
    assert!(matches!(first, Some(Event::Stands(object)) if object.text(&["metadata", "name"]) == "a"));
    assert!(matches!(watch.next(end).await, Ok(Some(Event::Bookmark))));
    assert!(matches!(watch.next(end).await, Ok(Some(Event::Gone))));
    assert!(matches!(watch.next(end).await, Ok(None)));
    let failure = client.watch("/no", "things").await.err().unwrap();
    assert_eq!(
        (failure.class, failure.verb.as_str()),
        (FailureClass::Permission, "watch")
    );
}

#[tokio::test]
async fn a_watch_that_is_refused_for_now_is_asked_for_when_the_server_says() {
    const LATER: &str = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n";
    let (address, count) = server(vec![LATER, FINE]).await;
    let begun = Instant::now();
    let watch = client(&address, SECOND * 9)
        .await
        .watch("/things", "things")
        .await;
    assert!(watch.is_ok() && begun.elapsed() >= SECOND);
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let (address, count) = server(vec![LATER]).await;
    let watch = client(&address, SECOND / 2)
        .await
        .watch("/things", "things")
        .await;
    assert_eq!(watch.err().unwrap().class, FailureClass::Throttled);
    assert_eq!(count.load(Ordering::SeqCst), 1, "its time would be over");
}

/// A thousand clusters are asked a dozen and more questions each at the same time.
#[tokio::test]
async fn a_request_under_way_takes_little_memory() {
    let client = client("http://127.0.0.1:1", SECOND).await;
    let size = size_of_val(&client.get("/version", "version"));
    assert!(size < 3 * 1024, "{size} bytes");
}

//! A credential that a server refuses is had anew, and shown once more, whatever is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::Client;
use super::client_tests::{connect, endpoint};
use crate::connection::credential::Bearer;
use crate::connection::deadlines::Deadlines;
use crate::connection::server_tests::{Reply, Server, Speaks};
use crate::inventory::FailureClass;

const SECOND: Duration = Duration::from_secs(1);

/// A client whose token is replaced on the disk as soon as it is refused, and its server, which
/// answers one path and counts what it is asked.
struct Replaced {
    client: Client,
    asked: Arc<AtomicUsize>,
    _server: Server,
    _folder: tempfile::TempDir,
}

impl Replaced {
    async fn begin() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "old").unwrap();
        let (file, asked) = (path.clone(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        let server = Server::of_requests(Speaks::Http2, move |request| {
            count.fetch_add(1, Ordering::SeqCst);
            if request.headers()["authorization"] == "Bearer new" && request.uri().path() == "/version" {
                return Reply::Answer(200, "{}".to_owned(), Vec::new());
            }
            std::fs::write(&file, "new").unwrap();
            Reply::status(401)
        })
        .await;
        let mut connection = endpoint(&server.url, server.authority.clone());
        connection.source.bearer = Bearer::File { path, fallback: None };
        Self {
            client: connect(connection, Deadlines::within(SECOND * 10)),
            asked,
            _server: server,
            _folder: folder,
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_credential_that_is_refused_is_had_anew_once() {
    let replaced = Replaced::begin().await;
    replaced.client.get("/version", "version").await.unwrap();
    assert_eq!(replaced.asked(), 2);
    let failure = replaced.client.get("/other", "other").await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Authentication);
    assert_eq!(replaced.asked(), 3, "there is nothing else to show");
}

#[tokio::test]
async fn so_it_is_for_a_watch() {
    let replaced = Replaced::begin().await;
    assert!(replaced.client.watch("/version", "version").await.is_ok());
    assert_eq!(replaced.asked(), 2);
    let failure = replaced.client.watch("/other", "other").await.err().unwrap();
    assert_eq!(failure.class, FailureClass::Authentication);
    assert_eq!(replaced.asked(), 3, "there is nothing else to show");
}

#[tokio::test]
async fn so_it_is_for_what_the_library_sends() {
    let replaced = Replaced::begin().await;
    let library = replaced.client.library_client();
    let request = |path: &str| http::Request::get(path).body(Vec::new()).unwrap();
    library.request_text(request("/version")).await.unwrap();
    assert_eq!(replaced.asked(), 2);
    library.request_text(request("/other")).await.unwrap_err();
    assert_eq!(replaced.asked(), 3, "there is nothing else to show");
}

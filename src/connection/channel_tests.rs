//! A channel against servers on loopback: how many connections there are, and what becomes of
//! requests when they break.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use super::broken::{Broken, Sent};
use super::channel::Channel;
use super::deadlines::Deadlines;
use super::endpoint::{Authority, Endpoint};
use super::pool::Connections;
use super::server_tests::{Reply, Replying, Server, Speaks, Stream, serve};
use super::usage::Meter;
use crate::inventory::FailureClass;

const SECOND: Duration = Duration::from_secs(1);

fn endpoint(url: &str, authority: &Authority) -> Endpoint {
    Endpoint {
        url: url.parse().unwrap(),
        authority: authority.clone(),
        tls_server_name: String::new(),
        proxy: None,
    }
}

fn channel(server: &Server, deadlines: Deadlines) -> Arc<Channel> {
    Connections::new(deadlines)
        .channel(&endpoint(&server.url, &server.authority), None)
        .unwrap()
}

/// Sends a request, and gives its answer's body.
async fn send(
    channel: &Arc<Channel>,
    method: Method,
    path: &str,
    within: Duration,
) -> Result<String, Broken> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Bytes::from("sent"))
        .unwrap();
    let (deadlines, end) = (Deadlines::within(within), Instant::now() + within);
    let answer = channel.send(&request, &deadlines, end, &Meter::default()).await?;
    let body = tokio::time::timeout_at(end, answer.into_body().collect()).await;
    let body = body.expect("the body comes in time")?.to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

async fn get(channel: &Arc<Channel>, path: &str) -> Result<String, Broken> {
    send(channel, Method::GET, path, SECOND * 10).await
}

/// How many there are at a time, and have been at most.
#[derive(Default)]
struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_requests_at_once_share_one_connection_and_respect_its_limit() {
    let crowd = Arc::new(Crowd::default());
    let seen = Arc::clone(&crowd);
    let reply: Arc<Replying> = Arc::new(move |request| {
        seen.most
            .fetch_max(seen.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let seen = Arc::clone(&seen);
        // It is answered after a while: until then the others come in.
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            seen.now.fetch_sub(1, Ordering::SeqCst);
        });
        Reply::Late(Duration::from_millis(30), request.uri().path().to_owned())
    });
    let server = Server::of_connections(Speaks::Http2, move |_, stream, http2| {
        assert!(http2);
        serve(stream, http2, Arc::clone(&reply), Some(10))
    })
    .await;
    let channel = channel(&server, Deadlines::default());
    let answers = join_all((0..100).map(|number| {
        let channel = &channel;
        async move { (number, get(channel, &format!("/{number}")).await.unwrap()) }
    }))
    .await;
    for (number, answer) in answers {
        assert_eq!(answer, format!("/{number}"));
    }
    assert_eq!(server.accepted(), 1);
    let most = crowd.most.load(Ordering::SeqCst);
    assert!((2..=10).contains(&most), "{most} at a time");
}

#[tokio::test]
async fn a_server_of_http1_gets_few_connections_and_they_are_used_again() {
    for speaks in [Speaks::Http1, Speaks::Plain] {
        let server = Server::of_requests(speaks, |request| {
            Reply::Late(Duration::from_millis(5), request.uri().path().to_owned())
        })
        .await;
        let channel = channel(&server, Deadlines::default());
        for _ in 0..3 {
            let answers = join_all((0..30).map(|number| {
                let channel = &channel;
                async move { (number, get(channel, &format!("/{number}")).await.unwrap()) }
            }));
            for (number, answer) in answers.await {
                assert_eq!(answer, format!("/{number}"));
            }
        }
        assert!((1..=9).contains(&server.accepted()), "{}", server.accepted());
        let before = server.accepted();
        for _ in 0..9 {
            get(&channel, "/").await.unwrap();
        }
        assert_eq!(server.accepted(), before, "{speaks:?}");
    }
}

#[tokio::test]
async fn a_server_that_takes_leave_is_dialled_again_and_nothing_is_lost() {
    for speaks in [Speaks::Http2, Speaks::Http1] {
        let server = Server::of_requests(speaks, |request| match request.uri().path() {
            "/leave" => Reply::Leave("left".to_owned()),
            "/slow" => Reply::Late(Duration::from_millis(300), "slow".to_owned()),
            path => Reply::Answer(200, path.to_owned(), Vec::new()),
        })
        .await;
        let channel = channel(&server, Deadlines::default());
        let slow = tokio::spawn({
            let channel = Arc::clone(&channel);
            async move { get(&channel, "/slow").await }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(get(&channel, "/leave").await.unwrap(), "left");
        let before = server.accepted();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(
            send(&channel, Method::POST, "/next", SECOND * 5).await.unwrap(),
            "/next"
        );
        assert!(server.accepted() > before.min(1), "{speaks:?}");
        assert_eq!(
            slow.await.unwrap().unwrap(),
            "slow",
            "what was under way ends as usual"
        );
    }
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, 0]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

const PREFACE: usize = 24;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;

/// Reads frames until one of a kind came; false where none came.
async fn until(stream: &mut Stream, kind: u8) -> bool {
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).await.is_err() {
            return false;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        if stream.read_exact(&mut payload).await.is_err() {
            return false;
        }
        if head[3] == kind && (kind != DATA || payload == b"sent") {
            return true;
        }
    }
}

/// What is provably not acted on is sent again, whatever it is; what may have been is not.
#[tokio::test]
async fn only_what_the_server_has_not_looked_at_is_sent_again() {
    let (none, first, no_error): (u32, u32, u32) = (0, 1, 0);
    let go_away = move |last: u32| frame(7, 0, &[last.to_be_bytes(), no_error.to_be_bytes()].concat());
    let reset = |reason: u32| frame(3, 1, &reason.to_be_bytes());
    let (refused_stream, internal_error): (u32, u32) = (7, 2);
    // What the server says to the first request, whether it ends the connection, whether the request
    // is sent again.
    let cases = [
        ("GOAWAY before the request", go_away(none), true, true),
        (
            "GOAWAY after the request, and the end",
            go_away(first),
            true,
            false,
        ),
        ("REFUSED_STREAM", reset(refused_stream), false, true),
        ("INTERNAL_ERROR", reset(internal_error), false, false),
        ("the end", Vec::new(), true, false),
    ];
    for (name, said, ends, again) in cases {
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        let reply: Arc<Replying> = Arc::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Reply::Answer(200, "done".to_owned(), Vec::new())
        });
        let server = Server::of_connections(Speaks::Http2, move |number, mut stream, http2| {
            let (said, reply) = (said.clone(), Arc::clone(&reply));
            async move {
                if number > 0 {
                    return serve(stream, http2, reply, None).await;
                }
                stream.write_all(&frame(SETTINGS, 0, &[])).await.unwrap();
                stream.read_exact(&mut [0; PREFACE]).await.unwrap();
                until(&mut stream, DATA).await;
                stream.write_all(&said).await.unwrap();
                stream.flush().await.unwrap();
                if !ends && until(&mut stream, HEADERS).await {
                    // What comes next on this connection was not looked at.
                    stream.write_all(&go_away(first)).await.unwrap();
                    stream.flush().await.unwrap();
                }
            }
        })
        .await;
        let channel = channel(&server, Deadlines::default());
        let answer = send(&channel, Method::POST, "/", SECOND * 5).await;
        if again {
            assert_eq!(answer.as_deref(), Ok("done"), "{name}");
            assert_eq!(seen.load(Ordering::SeqCst), 1, "{name}");
        } else {
            let broken = answer.unwrap_err();
            assert_eq!(broken.sent, Sent::Perhaps, "{name}: {broken}");
            assert_eq!(seen.load(Ordering::SeqCst), 0, "{name}");
            assert_eq!(
                get(&channel, "/").await.unwrap(),
                "done",
                "{name}: the next one goes"
            );
        }
    }
}

#[tokio::test]
async fn silence_ends_at_the_deadline_wherever_it_begins() {
    // After TCP, after TLS, after the first request.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let after_tls = Server::of_connections(Speaks::Http2, |_, stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let after_request = Server::of_requests(Speaks::Http2, |_| Reply::Hang).await;
    let cases = [
        (
            format!("https://{}", silent.local_addr().unwrap()),
            Authority::Unchecked,
            Sent::Never,
        ),
        (after_tls.url.clone(), after_tls.authority.clone(), Sent::Perhaps),
        (
            after_request.url.clone(),
            after_request.authority.clone(),
            Sent::Perhaps,
        ),
    ];
    for (url, authority, sent) in cases {
        let channel = Connections::new(Deadlines::within(SECOND))
            .channel(&endpoint(&url, &authority), None)
            .unwrap();
        let begun = Instant::now();
        let broken = send(&channel, Method::GET, "/", SECOND).await.unwrap_err();
        assert_eq!(broken.failure.class, FailureClass::Timeout, "{broken}");
        assert_eq!(broken.sent, sent, "{broken}");
        assert!(begun.elapsed() < SECOND * 5, "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_peer_that_died_in_silence_is_noticed_before_the_deadline() {
    let reply: Arc<Replying> = Arc::new(|_| Reply::Answer(200, "here".to_owned(), Vec::new()));
    let server = Server::of_connections(Speaks::Http2, move |number, mut stream, http2| {
        let reply = Arc::clone(&reply);
        async move {
            if number > 0 {
                return serve(stream, http2, reply, None).await;
            }
            // It takes everything and says nothing, pings not answered among it.
            let mut part = [0; 4096];
            while stream.read(&mut part).await.is_ok_and(|length| length > 0) {}
        }
    })
    .await;
    let channel = channel(&server, Deadlines::within(SECOND * 2));
    let begun = Instant::now();
    let broken = send(&channel, Method::GET, "/", SECOND * 60).await.unwrap_err();
    assert_eq!(broken.failure.class, FailureClass::Timeout, "{broken}");
    assert!(begun.elapsed() < SECOND * 20, "{:?}", begun.elapsed());
    assert_eq!(get(&channel, "/").await.unwrap(), "here");
}

#[tokio::test]
async fn a_channel_nobody_uses_can_be_closed_and_opens_again() {
    for speaks in [Speaks::Http2, Speaks::Http1] {
        let server = Server::of_requests(speaks, |request| match request.uri().path() {
            "/slow" => Reply::Late(Duration::from_millis(300), "slow".to_owned()),
            _ => Reply::Answer(200, "fast".to_owned(), Vec::new()),
        })
        .await;
        let channel = channel(&server, Deadlines::default());
        get(&channel, "/").await.unwrap();
        let (slow, closed) = tokio::join!(get(&channel, "/slow"), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            channel.close_if_idle()
        });
        assert_eq!(slow.unwrap(), "slow");
        assert!(!closed, "somebody used it");
        assert_eq!(server.accepted(), 1);
        assert!(channel.close_if_idle());
        assert!(!channel.close_if_idle(), "there is nothing left to close");
        get(&channel, "/").await.unwrap();
        assert_eq!(server.accepted(), 2);
    }
}

#[tokio::test]
async fn who_goes_to_the_same_place_goes_the_same_way() {
    let connections = Connections::new(Deadlines::default());
    let (machine, unchecked) = (Authority::Machine, Authority::Unchecked);
    let certificate = |name: &str| {
        let issued = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        Arc::new(super::endpoint::ClientCertificate {
            chain: issued.cert.pem().into_bytes(),
            key: crate::host::sensitive::Sensitive::new(issued.signing_key.serialize_pem()),
        })
    };
    let (one, other) = (certificate("one"), certificate("other"));
    let open = |url: &str, authority: &Authority, certificate: Option<&Arc<_>>| {
        connections
            .channel(&endpoint(url, authority), certificate)
            .unwrap()
    };
    let first = open("https://a.example", &machine, Some(&one));
    let equal = Arc::new((*one).clone());
    assert!(Arc::ptr_eq(
        &first,
        &open("https://a.example", &machine, Some(&equal))
    ));
    assert!(!Arc::ptr_eq(
        &first,
        &open("https://a.example", &machine, Some(&other))
    ));
    assert!(!Arc::ptr_eq(&first, &open("https://a.example", &machine, None)));
    assert!(!Arc::ptr_eq(
        &first,
        &open("https://b.example", &machine, Some(&one))
    ));
    assert!(!Arc::ptr_eq(
        &first,
        &open("https://a.example", &unchecked, Some(&one))
    ));
    assert_eq!(connections.len(), 1, "what nobody has is forgotten");
    drop(first);
    assert!(connections.is_empty());
}

#[tokio::test]
async fn what_is_not_http_is_told_from_a_broken_connection() {
    let banner = Server::of_connections(Speaks::Http1, |_, mut stream, _| async move {
        stream.write_all(b"220 mail.example ready\r\n").await.unwrap();
        stream.flush().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
    })
    .await;
    let broken = get(&channel(&banner, Deadlines::default()), "/")
        .await
        .unwrap_err();
    assert_eq!(broken.failure.class, FailureClass::NotKubernetes, "{broken}");
    let plain = endpoint(&banner.url.replace("https:", "http:"), &Authority::Machine);
    let plain = Connections::new(Deadlines::default())
        .channel(&plain, None)
        .unwrap();
    let broken = get(&plain, "/").await.unwrap_err();
    assert_eq!(broken.failure.class, FailureClass::Tls, "{broken}");
    let cut = Server::of_requests(Speaks::Http2, |_| Reply::Cut).await;
    let broken = get(&channel(&cut, Deadlines::default()), "/").await.unwrap_err();
    assert_eq!(broken.failure.class, FailureClass::Tcp, "{broken}");
}

#[tokio::test]
async fn an_endpoint_with_a_path_of_its_own_is_kept_to() {
    for speaks in [Speaks::Http2, Speaks::Plain] {
        let server = Server::of_requests(speaks, |request| {
            Reply::Answer(
                200,
                request.uri().path_and_query().unwrap().to_string(),
                Vec::new(),
            )
        })
        .await;
        let below = endpoint(&format!("{}/base/", server.url), &server.authority);
        let channel = Connections::new(Deadlines::default())
            .channel(&below, None)
            .unwrap();
        assert_eq!(get(&channel, "/api?a=b").await.unwrap(), "/base/api?a=b");
    }
}

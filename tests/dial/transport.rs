//! Name, TCP and the handshake: protocols, faults and their classes, sessions.

use std::time::Duration;

use rustls::{HandshakeKind, ProtocolVersion};
use stolos::connection::dial::{Agreed, Dialer, Wanted};
use stolos::connection::endpoint::Authority;
use stolos::inventory::FailureClass;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::server::{Ca, Server, config, listen, send_back};
use crate::{ENOUGH, dial, dial_within, echo, endpoint};

#[tokio::test]
async fn the_newest_protocol_that_both_speak_is_agreed_on() {
    let ca = Ca::new("an authority");
    let both = Server::start(ca.issue_for(&["127.0.0.1"])).await;
    let neither = Server::start_with(config(ca.issue_for(&["127.0.0.1"]))).await;
    let expected = [
        (&both, Wanted::Best, Agreed::Http2),
        (&both, Wanted::Http1, Agreed::Http1),
        (&neither, Wanted::Best, Agreed::Http1),
        (&neither, Wanted::Http1, Agreed::Http1),
    ];
    for (server, wanted, agreed) in expected {
        let dialer = Dialer::new(&endpoint(&server.url(), ca.authority()), None).unwrap();
        let mut dialled = dialer.dial(wanted, Instant::now() + ENOUGH).await.unwrap();
        assert_eq!(dialled.agreed, agreed, "{wanted:?}");
        echo(&mut dialled).await;
    }
    assert!(
        both.seen()
            .iter()
            .all(|seen| seen.version == ProtocolVersion::TLSv1_3)
    );
}

#[tokio::test]
async fn plain_http_is_just_tcp() {
    let address = listen(send_back).await;
    let endpoint = endpoint(&format!("http://{address}/prefix"), Authority::Machine);
    let mut dialled = dial(&endpoint).await.unwrap();
    assert_eq!(dialled.agreed, Agreed::Http1);
    echo(&mut dialled).await;
}

#[tokio::test]
async fn every_address_of_a_name_is_tried() {
    // `localhost` is ::1 as well on most machines, and only 127.0.0.1 listens.
    let address = listen(send_back).await;
    let endpoint = endpoint(
        &format!("http://localhost:{}", address.port()),
        Authority::Machine,
    );
    echo(&mut dial(&endpoint).await.unwrap()).await;
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_matter_of_names() {
    // Longer than a label may be, so that nobody has to be asked.
    let name = "a".repeat(70);
    let failure = dial(&endpoint(&format!("http://{name}.test:80"), Authority::Machine))
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Name, "{failure}");
    assert!(failure.message.contains(&name), "{failure}");
}

#[tokio::test]
async fn nobody_there_is_known_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let begun = Instant::now();
    let failure = dial(&endpoint(&format!("https://{address}"), Authority::Machine))
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Tcp, "{failure}");
    assert!(failure.message.contains("refused"), "{failure}");
    assert!(failure.to_string().contains(&address.to_string()), "{failure}");
    assert!(begun.elapsed() < ENOUGH / 2);
}

#[tokio::test]
async fn a_server_that_never_speaks_tls_ends_at_the_deadline() {
    let address = listen(|stream| async move {
        tokio::time::sleep(ENOUGH * 3).await;
        drop(stream);
    })
    .await;
    let begun = Instant::now();
    let time = Duration::from_millis(300);
    let failure = dial_within(
        &endpoint(&format!("https://{address}"), Authority::Unchecked),
        time,
    )
    .await
    .unwrap_err();
    assert_eq!(failure.class, FailureClass::Timeout, "{failure}");
    assert!(failure.message.contains("TLS"), "{failure}");
    assert!(begun.elapsed() >= time && begun.elapsed() < ENOUGH);
}

#[tokio::test]
async fn a_connection_that_ends_in_the_handshake_is_a_matter_of_tls() {
    let closes = listen(|mut stream| async move {
        let mut hello = [0; 4096];
        let _ = stream.read(&mut hello).await;
    })
    .await;
    let resets = listen(|stream| async move {
        stream.set_zero_linger().unwrap();
    })
    .await;
    let babbles = listen(|mut stream| async move {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await;
        tokio::time::sleep(ENOUGH).await;
    })
    .await;
    for address in [closes, resets, babbles] {
        let failure = dial(&endpoint(&format!("https://{address}"), Authority::Unchecked))
            .await
            .unwrap_err();
        assert_eq!(failure.class, FailureClass::Tls, "{failure}");
        assert!(!failure.message.contains("http://"), "{failure}");
    }
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_told() {
    let address = listen(|mut stream| async move {
        let mut hello = [0; 4096];
        let _ = stream.read(&mut hello).await;
        let _ = stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
            .await;
    })
    .await;
    let failure = dial(&endpoint(&format!("https://{address}"), Authority::Unchecked))
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Tls, "{failure}");
    assert!(failure.message.contains("plain HTTP"), "{failure}");
}

#[tokio::test]
async fn tls_on_a_plain_http_port_can_be_told() {
    let ca = Ca::new("an authority");
    let server = Server::start(ca.issue_for(&["127.0.0.1"])).await;
    let mut dialled = dial(&endpoint(
        &format!("http://{}", server.address),
        Authority::Machine,
    ))
    .await
    .unwrap();
    dialled
        .stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = dialled.stream.read_to_end(&mut answer).await;
    assert!(dialled.opening.is_tls(), "{answer:?}");
    assert!(!dialled.opening.is_http());
}

#[tokio::test]
async fn sessions_are_resumed_among_dialers_of_the_same_endpoint() {
    let ca = Ca::new("an authority");
    let server = Server::start(ca.issue_for(&["127.0.0.1"])).await;
    let endpoint = endpoint(&server.url(), ca.authority());
    let (first, second) = (
        Dialer::new(&endpoint, None).unwrap(),
        Dialer::new(&endpoint, None).unwrap(),
    );
    for (dialer, wanted) in [
        (&first, Wanted::Best),
        (&first, Wanted::Best),
        (&second, Wanted::Http1),
    ] {
        let mut dialled = dialer.dial(wanted, Instant::now() + ENOUGH).await.unwrap();
        // The tickets come with what the server sends first.
        echo(&mut dialled).await;
    }
    let kinds: Vec<HandshakeKind> = server.seen().iter().map(|seen| seen.kind).collect();
    assert_eq!(kinds[1..], [HandshakeKind::Resumed, HandshakeKind::Resumed]);
    assert_ne!(kinds[0], HandshakeKind::Resumed);

    // Another authority has to judge for itself.
    let others = crate::endpoint(&server.url(), Ca::new("another").authority());
    let failure = dial(&others).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Certificate, "{failure}");
}

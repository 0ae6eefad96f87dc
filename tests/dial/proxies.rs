//! Through proxies of every kind, and what is said of those that do not help.

use std::time::Duration;

use stolos::connection::dial::Agreed;
use stolos::connection::endpoint::{Authority, Endpoint};
use stolos::inventory::FailureClass;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::proxy::Proxy;
use crate::server::{Ca, Server, config, listen, send_back};
use crate::{ENOUGH, dial, dial_within, echo, endpoint};

fn through(proxy: &str, mut endpoint: Endpoint) -> Endpoint {
    endpoint.proxy = Some(proxy.parse().unwrap());
    endpoint
}

/// `anna:hunter2&` in base64.
const BASIC: &str = "Proxy-Authorization: Basic YW5uYTpodW50ZXIyJg==\r\n";

#[tokio::test]
async fn every_kind_of_proxy_makes_a_tunnel() {
    let ca = Ca::new("an authority");
    let server = Server::start(ca.issue_for(&["127.0.0.1", "localhost"])).await;
    let behind = endpoint(&server.url(), ca.authority());
    let plain = Proxy::http("CONNECT").await;
    let login = Proxy::http(BASIC).await;
    let secure = Proxy::https(config(ca.issue_for(&["127.0.0.1"])), BASIC).await;
    let socks = Proxy::socks(None).await;
    let socks_login = Proxy::socks(Some(("anna", "hunter2&"))).await;
    for (scheme, proxy) in [
        ("http://", &plain),
        // A login that nobody asks for does no harm.
        ("http://anna:hunter2%26@", &plain),
        ("http://anna:hunter2%26@", &login),
        ("https://anna:hunter2%26@", &secure),
        ("socks5://", &socks),
        ("socks5://anna:hunter2%26@", &socks),
        ("socks5://anna:hunter2%26@", &socks_login),
        ("socks5h://anna:hunter2%26@", &socks_login),
    ] {
        let before = proxy.asked().len();
        let url = format!("{scheme}{}", proxy.address);
        let mut dialled = dial(&through(&url, behind.clone())).await.unwrap();
        assert_eq!(dialled.agreed, Agreed::Http2, "{url}");
        echo(&mut dialled).await;
        assert_eq!(proxy.asked().len(), before + 1, "{url}");
    }
    assert!(plain.asked()[0].starts_with(&format!("CONNECT {} HTTP/1.1\r\n", server.address)));

    // Names are the proxy's to resolve.
    let named = endpoint(
        &format!("https://localhost:{}", server.address.port()),
        ca.authority(),
    );
    let mut dialled = dial(&through(&format!("socks5://{}", socks.address), named))
        .await
        .unwrap();
    echo(&mut dialled).await;
    assert!(socks.asked().last().unwrap().starts_with("localhost:"));
}

#[tokio::test]
async fn plain_http_takes_the_tunnel_too() {
    let address = listen(send_back).await;
    let proxy = Proxy::http("CONNECT").await;
    let behind = endpoint(&format!("http://{address}"), Authority::Machine);
    let url = format!("http://{}", proxy.address);
    echo(&mut dial(&through(&url, behind)).await.unwrap()).await;
    assert_eq!(proxy.asked().len(), 1);
}

#[tokio::test]
async fn a_proxy_that_does_not_help_is_named_without_its_login() {
    let ca = Ca::new("an authority");
    let server = Server::start(ca.issue_for(&["127.0.0.1"])).await;
    let behind = endpoint(&server.url(), ca.authority());
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let refusing = Proxy::http("something else").await;
    let socks = Proxy::socks(Some(("anna", "other"))).await;
    let any = Proxy::http("CONNECT").await;
    let forbids = listen(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden hunter2\r\n\r\n").await;
        tokio::time::sleep(ENOUGH).await;
    })
    .await;
    let babbles = listen(|mut stream| async move {
        let _ = stream.write_all(&[b'x'; 100_000]).await;
        tokio::time::sleep(ENOUGH).await;
    })
    .await;
    let closes = listen(|stream| async move { drop(stream) }).await;
    let elsewhere = endpoint(&format!("https://{nobody}"), ca.authority());
    let cases = [
        (format!("http://anna:hunter2@{nobody}"), &behind, "refused"),
        (format!("socks5://anna:hunter2@{nobody}"), &behind, "refused"),
        (
            format!("http://anna:hunter2@{}", refusing.address),
            &behind,
            "does not take the user and password",
        ),
        (
            format!("http://{}", refusing.address),
            &behind,
            "wants a user and a password",
        ),
        (
            format!("socks5://anna:hunter2@{}", socks.address),
            &behind,
            "does not take the user and password",
        ),
        (
            format!("socks5://{}", socks.address),
            &behind,
            "wants a user and a password",
        ),
        (
            format!("http://anna:hunter2@{}", any.address),
            &elsewhere,
            "cannot reach the server",
        ),
        (format!("http://anna:hunter2@{forbids}"), &behind, "403"),
        (
            format!("http://anna:hunter2@{babbles}"),
            &behind,
            "does not speak HTTP",
        ),
        (
            format!("socks5://anna:hunter2@{babbles}"),
            &behind,
            "does not speak SOCKS5",
        ),
        (format!("http://anna:hunter2@{closes}"), &behind, "connection was"),
        (
            format!("socks5://anna:hunter2@{closes}"),
            &behind,
            "connection was",
        ),
    ];
    for (proxy, endpoint, words) in cases {
        let failure = dial(&through(&proxy, endpoint.clone())).await.unwrap_err();
        let shown = failure.to_string();
        assert_eq!(failure.class, FailureClass::Tcp, "{proxy}: {shown}");
        assert!(failure.message.contains(words), "{proxy}: {shown}");
        assert!(
            failure.message.contains("the proxy 127.0.0.1:"),
            "{proxy}: {shown}"
        );
        assert!(!shown.contains("hunter2") && !shown.contains("anna"), "{shown}");
    }
    let failure = dial(&through(
        &format!("socks5://{}", Proxy::socks(None).await.address),
        elsewhere,
    ))
    .await;
    assert!(failure.unwrap_err().message.contains("refused the connection"));

    // Of another authority than the server behind it.
    let secure = Proxy::https(config(Ca::new("another").issue_for(&["127.0.0.1"])), "CONNECT").await;
    let failure = dial(&through(&format!("https://{}", secure.address), behind))
        .await
        .unwrap_err();
    assert_eq!(failure.class, FailureClass::Certificate, "{failure}");
    assert!(failure.message.contains("the proxy"), "{failure}");
}

#[tokio::test]
async fn a_proxy_that_hangs_ends_at_the_deadline() {
    let hangs = listen(|stream| async move {
        tokio::time::sleep(ENOUGH * 3).await;
        drop(stream);
    })
    .await;
    for scheme in ["http", "https", "socks5"] {
        let behind = endpoint("https://127.0.0.1:1", Authority::Unchecked);
        let begun = Instant::now();
        let failure = dial_within(
            &through(&format!("{scheme}://anna:hunter2@{hangs}"), behind),
            Duration::from_millis(300),
        )
        .await
        .unwrap_err();
        assert_eq!(failure.class, FailureClass::Timeout, "{failure}");
        assert!(failure.message.contains("the proxy"), "{failure}");
        assert!(!failure.to_string().contains("hunter2"), "{failure}");
        assert!(begun.elapsed() < ENOUGH);
    }
}

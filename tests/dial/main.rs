//! Making connections, against real servers and proxies on loopback: good ones, broken ones, and those
//! that never answer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod certificates;
mod client_certificates;
mod limits;
mod proxies;
mod proxy;
mod server;
mod transport;

use std::time::Duration;

use stolos::connection::dial::{Dialer, Dialled, Wanted};
use stolos::connection::endpoint::{Authority, Endpoint};
use stolos::inventory::Failure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// Long enough for anything on loopback, on a machine that is busy with other tests.
const ENOUGH: Duration = Duration::from_secs(20);

fn endpoint(url: &str, authority: Authority) -> Endpoint {
    Endpoint {
        url: url.parse().unwrap(),
        authority,
        tls_server_name: String::new(),
        proxy: None,
    }
}

async fn dial(endpoint: &Endpoint) -> Result<Dialled, Failure> {
    dial_within(endpoint, ENOUGH).await
}

async fn dial_within(endpoint: &Endpoint, time: Duration) -> Result<Dialled, Failure> {
    let dialer = Dialer::new(endpoint, None).unwrap();
    dialer.dial(Wanted::Best, Instant::now() + time).await
}

/// Says something and hears it back, so that the stream is known to work both ways.
async fn echo(dialled: &mut Dialled) {
    dialled.stream.write_all(b"hello?").await.unwrap();
    dialled.stream.flush().await.unwrap();
    let mut heard = [0; 6];
    dialled.stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"hello?");
}

//! From a host's name and port to a TCP connection: resolution, then its addresses one after another
//! with a head start each ("happy eyeballs", RFC 8305), the first to connect wins.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;

use super::permit;
use super::trouble::{Trouble, by, io_words, seconds};
use crate::inventory::FailureClass;

/// The head start of an address over the next one (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// As client-go's dialer has it: a peer that vanished is noticed.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Lookups at once: each is a thread that the C library may keep for as long as it likes.
static LOOKUPS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(256)));

/// Connects to the first address of a host that answers.
pub(super) async fn connect(host: &str, port: u16, deadline: Instant) -> Result<TcpStream, Trouble> {
    let late = |span| format!("the name {host:?} was not resolved within {}", seconds(span));
    let addresses = by(deadline, late, resolve(host, port)).await?;
    let shown = shown(&addresses);
    let late = |span| format!("no TCP connection to {shown} within {}", seconds(span));
    let connected = by(deadline, late, first_of(interleaved(addresses))).await;
    connected.map_err(|trouble| {
        // What is tried is said beside the message already, where it is no other than that.
        let own = trouble.message.strip_prefix(&format!("{host}:{port}: "));
        match own.filter(|own| !own.contains("; ")) {
            Some(own) => Trouble::new(trouble.class, own),
            None => trouble,
        }
    })
}

/// The addresses of a host. Names are looked up by the C library, which knows all that the machine
/// is told of names, in a thread of its own: one that hangs must neither take up the runtime's
/// threads nor keep the process from ending.
async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
    let unbracketed = host.trim_matches(['[', ']']);
    if let Ok(address) = unbracketed.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let unknown = |words: &str| {
        Trouble::new(
            FailureClass::Name,
            format!("the name {unbracketed:?} does not resolve{words}"),
        )
    };
    let turn = Arc::clone(&LOOKUPS).acquire_owned().await;
    let (answer, answered) = oneshot::channel();
    let name = unbracketed.to_owned();
    std::thread::Builder::new()
        .name("lookup".to_owned())
        .spawn(move || {
            let found = (name.as_str(), port).to_socket_addrs().map(Vec::from_iter);
            drop(turn);
            // Nobody waits any more where the deadline has passed.
            let _ = answer.send(found);
        })
        .map_err(|_| unknown(": no thread could be started for it"))?;
    match answered.await {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Err(error)) if is_out_of_descriptors(&error) => Err(out_of_descriptors()),
        _ => Err(unknown("")),
    }
}

/// The families in turn, the first one's first (RFC 8305, section 4).
fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut order = VecDeque::with_capacity(preferred.len() + other.len());
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    loop {
        let (one, two) = (preferred.next(), other.next());
        if one.is_none() && two.is_none() {
            return order;
        }
        order.extend(one.into_iter().chain(two));
    }
}

/// Tries addresses, the next one when the ones before have failed or had their head start. More than
/// one at a time only where descriptors are free: the caller's permit is for one.
async fn first_of(mut waiting: VecDeque<SocketAddr>) -> Result<TcpStream, Trouble> {
    let mut tried = Vec::new();
    let mut attempts = FuturesUnordered::new();
    loop {
        let extra = if attempts.is_empty() {
            None
        } else {
            permit::try_acquire()
        };
        if (attempts.is_empty() || extra.is_some())
            && let Some(address) = waiting.pop_front()
        {
            attempts.push(async move {
                let outcome = TcpStream::connect(address).await;
                drop(extra);
                (address, outcome)
            });
        }
        let outcome = tokio::select! {
            outcome = attempts.next() => outcome,
            () = tokio::time::sleep(HEAD_START), if !waiting.is_empty() => continue,
        };
        match outcome {
            Some((_, Ok(stream))) => {
                settle(&stream);
                return Ok(stream);
            }
            Some((_, Err(error))) if is_out_of_descriptors(&error) => return Err(out_of_descriptors()),
            Some((address, Err(error))) => tried.push(format!("{address}: {}", io_words(&error))),
            None if waiting.is_empty() => {
                let class = FailureClass::Tcp;
                return Err(Trouble::new(class, tried.join("; ")));
            }
            None => {}
        }
    }
}

/// Options that make a connection quicker or its end noticed; none is needed for it to work.
fn settle(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = rustix::net::sockopt::set_socket_keepalive(stream, true);
    let _ = rustix::net::sockopt::set_tcp_keepidle(stream, KEEPALIVE);
    let _ = rustix::net::sockopt::set_tcp_keepintvl(stream, KEEPALIVE);
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| {
        [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE]
            .iter()
            .any(|errno| errno.raw_os_error() == code)
    })
}

fn out_of_descriptors() -> Trouble {
    Trouble::new(
        FailureClass::Tcp,
        "this process has no file descriptor left (`ulimit -n` raises the limit)",
    )
}

fn shown(addresses: &[SocketAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn families_take_turns() {
        let order = interleaved(
            ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1", "127.0.0.2:1"]
                .map(address)
                .to_vec(),
        );
        let expected = ["[::1]:1", "127.0.0.1:1", "[::2]:1", "127.0.0.2:1", "[::3]:1"];
        assert_eq!(Vec::from(order), expected.map(address));
    }

    /// An address that lets connections hang: its queue is full, so that the kernel answers nothing.
    async fn black_hole() -> (TcpListener, Vec<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let target = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        let wait = Duration::from_millis(200);
        while let Ok(Ok(stream)) = tokio::time::timeout(wait, TcpStream::connect(target)).await {
            queued.push(stream);
        }
        (listener, queued)
    }

    #[tokio::test]
    async fn an_address_that_hangs_holds_the_next_up_for_a_moment_only() {
        let (hole, _queued) = black_hole().await;
        let good = TcpListener::bind("127.0.0.1:0").unwrap();
        let order = [hole.local_addr().unwrap(), good.local_addr().unwrap()];
        let begun = Instant::now();
        let stream = first_of(VecDeque::from(order)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), order[1]);
        assert!(begun.elapsed() >= HEAD_START);
        // A hole alone would take the kernel two minutes.
        assert!(begun.elapsed() < HEAD_START * 40);
    }

    #[tokio::test]
    async fn one_that_refuses_holds_nobody_up_and_all_are_told() {
        let closed = || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let order = [closed(), closed()];
        let trouble = first_of(VecDeque::from(order)).await.unwrap_err();
        assert_eq!(trouble.class, FailureClass::Tcp);
        for address in order {
            assert!(
                trouble
                    .message
                    .contains(&format!("{address}: the connection was refused")),
                "{}",
                trouble.message
            );
        }
    }
}

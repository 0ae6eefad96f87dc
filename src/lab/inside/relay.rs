//! Passing connections on: from the ports outside to the API servers, and from kwok's port-forward
//! to a pod's own loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::log::Log;
use crate::lab::error::LabError;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// The port of one API server, outside and inside of the lab's network.
#[derive(Debug)]
pub struct Relay {
    /// Bound outside, and so reached from there.
    outside: std::net::TcpListener,
    address: SocketAddr,
    target: SocketAddr,
    serving: Vec<JoinHandle<()>>,
}

impl Relay {
    /// A relay that does not serve yet.
    pub fn new(outside: std::net::TcpListener, target: SocketAddr) -> Result<Self, LabError> {
        let failed = |error: std::io::Error| LabError::system("take a listener", error);
        outside.set_nonblocking(true).map_err(failed)?;
        let relay = Self {
            address: outside.local_addr().map_err(failed)?,
            outside,
            target,
            serving: Vec::new(),
        };
        relay.silence();
        Ok(relay)
    }

    /// Accepts connections, on the same port of both networks' loopback.
    pub async fn open(&mut self, log: &Log) -> Result<(), LabError> {
        let failed = |error: std::io::Error| LabError::system(format!("serve {}", self.address), error);
        if !self.serving.is_empty() {
            return Ok(());
        }
        rustix::net::listen(&self.outside, BACKLOG).map_err(|error| failed(error.into()))?;
        let outside = self.outside.try_clone().and_then(TcpListener::from_std);
        let inside = TcpListener::bind(self.address).await;
        for listener in [outside, inside] {
            let listener = listener.map_err(failed)?;
            self.serving
                .push(tokio::spawn(serve(listener, self.target, log.clone())));
        }
        Ok(())
    }

    /// Refuses connections, and cuts those that stand.
    pub async fn close(&mut self) {
        for task in self.serving.drain(..) {
            task.abort();
            // Its end closes the connections; that it was aborted is what was wanted.
            let _ = task.await;
        }
        self.silence();
    }

    /// Stops listening: whoever connects is refused, as by a dead server. The port stays ours.
    fn silence(&self) {
        // A socket that does not listen now is as good.
        let _ = rustix::net::shutdown(&self.outside, rustix::net::Shutdown::Read);
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, log: Log) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                connections.spawn(pass(client, target));
            }
            Err(error) => {
                // As with too many open files: there may be room again soon.
                log.say(format!("accept on the way to {target}: {error}"));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Passes bytes both ways until both sides are done.
pub async fn pass(mut client: TcpStream, target: SocketAddr) {
    // Whoever asked learns of a failure by the connection's end.
    if let Ok(mut server) = TcpStream::connect(target).await {
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}

/// Connects stdin and stdout with a port of the loopback address.
pub async fn relay_standard_streams(port: u16) -> Result<(), LabError> {
    let doing = format!("connect to 127.0.0.1:{port}");
    let failed = |error: std::io::Error| LabError::system(doing.clone(), error);
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(failed)?;
    let (mut from, mut to) = stream.into_split();
    let upload = tokio::spawn(async move {
        // The other direction says what went wrong.
        let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut to).await;
        let _ = to.shutdown().await;
    });
    tokio::io::copy(&mut from, &mut tokio::io::stdout())
        .await
        .map_err(failed)?;
    tokio::io::stdout().flush().await.map_err(failed)?;
    upload.abort();
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::lab::listeners;

    #[tokio::test]
    async fn a_closed_relay_refuses_and_an_opened_one_serves_again() {
        let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let listener = listeners::bind(1).unwrap().remove(0);
        let address = listener.local_addr().unwrap();
        let mut relay = Relay::new(listener, target.local_addr().unwrap()).unwrap();
        assert!(TcpStream::connect(address).await.is_err());
        for _ in 0..2 {
            // In one network both listeners cannot have the port: only the outer one is tried.
            rustix::net::listen(&relay.outside, BACKLOG).unwrap();
            let outside = TcpListener::from_std(relay.outside.try_clone().unwrap()).unwrap();
            let directory = tempfile::tempdir().unwrap();
            let log = Log::open(directory.path()).unwrap();
            relay
                .serving
                .push(tokio::spawn(serve(outside, relay.target, log)));
            let mut client = TcpStream::connect(address).await.unwrap();
            let (mut server, _) = target.accept().await.unwrap();
            client.write_all(b"ping").await.unwrap();
            let mut four = [0; 4];
            server.read_exact(&mut four).await.unwrap();
            assert_eq!(&four, b"ping");
            relay.close().await;
            assert_eq!(client.read(&mut four).await.unwrap_or(0), 0, "it is cut");
            assert!(TcpStream::connect(address).await.is_err());
        }
    }
}

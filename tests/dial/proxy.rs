//! Small proxies that do as they are told: CONNECT and SOCKS5.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::server::listen;

/// A proxy, and what it was asked.
pub struct Proxy {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// CONNECT: a tunnel for all whose request holds the given text.
    pub async fn http(wanted: &'static str) -> Self {
        Self::start(None, move |stream, asked| connect(stream, wanted, asked)).await
    }

    /// The same within TLS.
    pub async fn https(config: ServerConfig, wanted: &'static str) -> Self {
        Self::start(Some(config), move |stream, asked| connect(stream, wanted, asked)).await
    }

    /// SOCKS5, with a login where one is given.
    pub async fn socks(login: Option<(&'static str, &'static str)>) -> Self {
        Self::start(None, move |stream, asked| socks(stream, login, asked)).await
    }

    async fn start<Doing, Done>(config: Option<ServerConfig>, doing: Doing) -> Self
    where
        Doing: Fn(Box<dyn Stream>, Arc<Mutex<Vec<String>>>) -> Done + Send + Sync + Clone + 'static,
        Done: Future<Output = ()> + Send + 'static,
    {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let acceptor = config.map(|config| TlsAcceptor::from(Arc::new(config)));
        let address = listen(move |stream| {
            let (acceptor, doing, noted) = (acceptor.clone(), doing.clone(), Arc::clone(&noted));
            async move {
                match acceptor {
                    None => doing(Box::new(stream), noted).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            doing(Box::new(stream), noted).await;
                        }
                    }
                }
            }
        })
        .await;
        Self { address, asked }
    }
}

pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<Any: AsyncRead + AsyncWrite + Send + Unpin> Stream for Any {}

async fn connect(mut stream: Box<dyn Stream>, wanted: &str, asked: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else {
            return;
        };
        request.push(byte);
    }
    let request = String::from_utf8(request).unwrap();
    asked.lock().unwrap().push(request.clone());
    if !request.contains(wanted) {
        let _ = stream
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            .await;
        return;
    }
    let target = request.split(' ').nth(1).unwrap();
    let Ok(mut onward) = TcpStream::connect(target).await else {
        let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").await;
        return;
    };
    let _ = stream
        .write_all(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n")
        .await;
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
}

async fn socks(
    mut stream: Box<dyn Stream>,
    login: Option<(&'static str, &'static str)>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    let done: std::io::Result<()> = async {
        let mut head = [0; 2];
        stream.read_exact(&mut head).await?;
        let mut methods = vec![0; usize::from(head[1])];
        stream.read_exact(&mut methods).await?;
        let method = if login.is_some() { 2 } else { 0 };
        if !methods.contains(&method) {
            return stream.write_all(&[5, 0xff]).await;
        }
        stream.write_all(&[5, method]).await?;
        if let Some((user, password)) = login {
            stream.read_u8().await?;
            let mut pair = Vec::new();
            for _ in 0..2 {
                let mut part = vec![0; usize::from(stream.read_u8().await?)];
                stream.read_exact(&mut part).await?;
                pair.push(String::from_utf8(part).unwrap());
            }
            if pair != [user, password] {
                return stream.write_all(&[1, 1]).await;
            }
            stream.write_all(&[1, 0]).await?;
        }
        let mut request = [0; 4];
        stream.read_exact(&mut request).await?;
        let host = match request[3] {
            1 => std::net::Ipv4Addr::from(stream.read_u32().await?).to_string(),
            _ => {
                let mut name = vec![0; usize::from(stream.read_u8().await?)];
                stream.read_exact(&mut name).await?;
                String::from_utf8(name).unwrap()
            }
        };
        let port = stream.read_u16().await?;
        asked.lock().unwrap().push(format!("{host}:{port}"));
        let Ok(mut onward) = TcpStream::connect((host.as_str(), port)).await else {
            return stream.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).await;
        };
        // A bound address of the longest kind, to see that all of it is read.
        stream.write_all(&[5, 0, 0, 3, 3, b'a', b'.', b'b', 1, 2]).await?;
        tokio::io::copy_bidirectional(&mut stream, &mut onward).await?;
        Ok(())
    }
    .await;
    drop(done);
}

//! Through a proxy to an endpoint: CONNECT (RFC 9110, section 9.3.6) over HTTP or HTTPS, and SOCKS5
//! (RFC 1928, with the user name and password of RFC 1929), as Go's `http.Transport` speaks them.
//! Two differences, both for good: endpoints of plain `http` are tunnelled to as well, where Go sends
//! such a proxy the whole URL (a tunnel carries upgrades, and hides credentials from the proxy's
//! log); and an `https` proxy proves its own name, not the `tls-server-name` of what is behind it.
//! The host is resolved by the proxy, never here.

use base64::Engine as _;
use http::Uri;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::trouble::{Trouble, io_words};
use crate::host::sensitive::Sensitive;
use crate::inventory::FailureClass;

/// The longest answer to CONNECT that is read.
const LONGEST_ANSWER: usize = 16 * 1024;

/// What is spoken with a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// CONNECT.
    Http,
    /// CONNECT inside TLS.
    Https,
    /// SOCKS5.
    Socks5,
}

/// A proxy, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    pub(super) protocol: Protocol,
    pub(super) host: String,
    pub(super) port: u16,
    login: Option<Login>,
}

#[derive(Debug, Clone)]
struct Login {
    user: Vec<u8>,
    password: Sensitive,
}

impl Proxy {
    /// Takes a proxy's URL apart.
    pub(super) fn new(url: &Uri) -> Result<Self, Trouble> {
        let (protocol, usual_port) = match url.scheme_str() {
            Some("http") => (Protocol::Http, 80),
            Some("https") => (Protocol::Https, 443),
            Some("socks5" | "socks5h") => (Protocol::Socks5, 1080),
            _ => {
                return Err(Trouble::configuration(
                    "the proxy's URL begins with neither http://, https:// nor socks5://",
                ));
            }
        };
        let host = url.host().unwrap_or_default();
        if host.is_empty() {
            return Err(Trouble::configuration("the proxy's URL names no host"));
        }
        Ok(Self {
            protocol,
            host: host.to_owned(),
            port: url.port_u16().unwrap_or(usual_port),
            login: login(url)?,
        })
    }

    /// Host and port, for errors: without the login.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Asks the proxy at the other end of a stream for a tunnel to a host.
    pub(super) async fn tunnel<Stream>(
        &self,
        stream: &mut Stream,
        host: &str,
        port: u16,
    ) -> Result<(), Trouble>
    where
        Stream: AsyncRead + AsyncWrite + Unpin,
    {
        let tunnel = match self.protocol {
            Protocol::Http | Protocol::Https => self.connect(stream, host, port).await,
            Protocol::Socks5 => self.socks(stream, host, port).await,
        };
        tunnel.map_err(|why| {
            Trouble::new(
                FailureClass::Tcp,
                format!(
                    "the proxy {} made no connection to {host}:{port}: {why}",
                    self.place()
                ),
            )
        })
    }

    async fn connect<Stream>(&self, stream: &mut Stream, host: &str, port: u16) -> Result<(), String>
    where
        Stream: AsyncRead + AsyncWrite + Unpin,
    {
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some(login) = &self.login {
            let pair = [login.user.as_slice(), b":", login.password.expose().as_bytes()].concat();
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            request.push_str(&format!("Proxy-Authorization: Basic {encoded}\r\n"));
        }
        request.push_str("\r\n");
        send(stream, request.as_bytes()).await?;
        let mut answer = Vec::new();
        loop {
            // Byte by byte: what follows the answer is the tunnel's.
            let byte = stream.read_u8().await.map_err(|error| io_words(&error))?;
            answer.push(byte);
            if answer.ends_with(b"\r\n\r\n") || answer.ends_with(b"\n\n") {
                break;
            }
            if answer.len() == LONGEST_ANSWER || !could_be_http(&answer) {
                return Err("it does not speak HTTP".to_owned());
            }
        }
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut parsed = httparse::Response::new(&mut headers);
        if !parsed.parse(&answer).is_ok_and(|status| status.is_complete()) {
            return Err("it does not speak HTTP".to_owned());
        }
        match parsed.code.unwrap_or_default() {
            200 => Ok(()),
            407 if self.login.is_some() => {
                Err("it does not take the user and password in its URL (407)".to_owned())
            }
            407 => Err("it wants a user and a password in its URL (407)".to_owned()),
            code @ 502..=504 => Err(format!("it cannot reach the server ({code})")),
            code => Err(format!("it refuses to ({code})")),
        }
    }

    async fn socks<Stream>(&self, stream: &mut Stream, host: &str, port: u16) -> Result<(), String>
    where
        Stream: AsyncRead + AsyncWrite + Unpin,
    {
        // Without a login where the proxy wants none, as in Go, even if there is one.
        let methods: &[u8] = if self.login.is_some() {
            &[5, 2, 0, 2]
        } else {
            &[5, 1, 0]
        };
        send(stream, methods).await?;
        let [version, method] = receive(stream).await?;
        match (version, method, &self.login) {
            (5, 0, _) => {}
            (5, 2, Some(login)) => authenticate(stream, login).await?,
            (5, 0xff, Some(_)) => return Err("it takes neither no login nor a user and password".to_owned()),
            (5, 0xff | 2, None) => return Err("it wants a user and a password in its URL".to_owned()),
            _ => return Err("it does not speak SOCKS5".to_owned()),
        }
        send(stream, &socks_request(host, port)?).await?;
        let [version, reply, _, kind] = receive(stream).await?;
        if version != 5 {
            return Err("it does not speak SOCKS5".to_owned());
        }
        if reply != 0 {
            return Err(reply_words(reply));
        }
        // The address that it connects from, which says nothing here.
        let length = match kind {
            1 => 4,
            3 => usize::from(stream.read_u8().await.map_err(|error| io_words(&error))?),
            4 => 16,
            _ => return Err("it does not speak SOCKS5".to_owned()),
        };
        let mut bound = vec![0; length + 2];
        let read = stream.read_exact(&mut bound).await;
        read.map(|_| ()).map_err(|error| io_words(&error))
    }
}

/// The user and the password of a URL, percent-decoded as Go does.
fn login(url: &Uri) -> Result<Option<Login>, Trouble> {
    let authority = url
        .authority()
        .map(http::uri::Authority::as_str)
        .unwrap_or_default();
    let Some((login, _)) = authority.rsplit_once('@') else {
        return Ok(None);
    };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let user: Vec<u8> = percent_decode_str(user).collect();
    let password = percent_decode_str(password)
        .decode_utf8()
        .map_err(|_| Trouble::configuration("the password in the proxy's URL is no text"))?;
    Ok(Some(Login {
        user,
        password: Sensitive::new(password),
    }))
}

async fn send<Stream: AsyncWrite + Unpin>(stream: &mut Stream, bytes: &[u8]) -> Result<(), String> {
    let sent = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    sent.await.map_err(|error| io_words(&error))
}

async fn receive<const LENGTH: usize, Stream: AsyncRead + Unpin>(
    stream: &mut Stream,
) -> Result<[u8; LENGTH], String> {
    let mut bytes = [0; LENGTH];
    let read = stream.read_exact(&mut bytes).await;
    read.map(|_| bytes).map_err(|error| io_words(&error))
}

/// Whether the first bytes of an answer can be those of HTTP/1.
fn could_be_http(answer: &[u8]) -> bool {
    answer
        .iter()
        .zip(b"HTTP/1.")
        .all(|(came, expected)| came == expected)
}

/// RFC 1929.
async fn authenticate<Stream>(stream: &mut Stream, login: &Login) -> Result<(), String>
where
    Stream: AsyncRead + AsyncWrite + Unpin,
{
    let mut message = vec![1];
    for part in [login.user.as_slice(), login.password.expose().as_bytes()] {
        let length = u8::try_from(part.len())
            .map_err(|_| "the user or the password in its URL is longer than SOCKS5 can say".to_owned())?;
        message.push(length);
        message.extend_from_slice(part);
    }
    send(stream, &message).await?;
    match receive(stream).await? {
        [1, 0] => Ok(()),
        [1, _] => Err("it does not take the user and password in its URL".to_owned()),
        [_, _] => Err("it does not speak SOCKS5".to_owned()),
    }
}

/// RFC 1928, section 4.
fn socks_request(host: &str, port: u16) -> Result<Vec<u8>, String> {
    let mut request = vec![5, 1, 0];
    match host.trim_matches(['[', ']']).parse() {
        Ok(std::net::IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Ok(std::net::IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            request.push(3);
            let length = u8::try_from(host.len())
                .map_err(|_| "the server's name is longer than SOCKS5 can say".to_owned())?;
            request.push(length);
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    Ok(request)
}

/// RFC 1928, section 6.
fn reply_words(reply: u8) -> String {
    match reply {
        2 => "its rules do not allow it".to_owned(),
        3 => "it cannot reach the server's network".to_owned(),
        4 => "it cannot reach the server, or cannot resolve its name".to_owned(),
        5 => "the server refused the connection".to_owned(),
        reply => format!("it refuses to (SOCKS5 reply {reply})"),
    }
}

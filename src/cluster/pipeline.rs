//! Several HTTP/1.1 requests written at once on one connection, and their answers read in order
//! (RFC 9112 §9.3.2): through a tunnel to a pod that costs one round trip where asking one after
//! another would cost one for each. Go's servers, istiod among them, answer pipelined requests.
//!
//! An answer comes from a pod, so it is bounded in size and nothing of it is believed but its
//! framing (RFC 9112 §6.3).

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The most that an answer's head, or a chunk's or a trailer's line, may hold, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;
/// The most header fields in an answer.
const FIELDS_LIMIT: usize = 64;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The connection ended before the answer did.
    #[error("the connection ended before the answer was whole")]
    Closed,
    /// What came is no HTTP answer.
    #[error("what answers does not speak HTTP")]
    NotHttp,
    /// The answer is longer than is read.
    #[error("the answer is too large to be read")]
    TooLarge,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

/// The answers to requests that were written to a connection.
pub struct Answers<Stream> {
    stream: Stream,
    buffer: BytesMut,
    body_limit: usize,
    /// Why nothing more can be read.
    over: Option<Broken>,
}

/// How an answer's body is delimited.
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

struct Head {
    status: u16,
    framing: Framing,
    closes: bool,
}

/// Writes a GET for each path, the last with `Connection: close`.
///
/// # Errors
/// The connection is gone.
pub async fn ask_all<Stream>(
    mut stream: Stream,
    paths: &[&str],
    body_limit: usize,
) -> Result<Answers<Stream>, Broken>
where
    Stream: AsyncRead + AsyncWrite + Unpin,
{
    let mut requests = String::new();
    for (index, path) in paths.iter().enumerate() {
        requests.push_str(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"));
        if index + 1 == paths.len() {
            requests.push_str("Connection: close\r\n");
        }
        requests.push_str("\r\n");
    }
    let written = async {
        stream.write_all(requests.as_bytes()).await?;
        stream.flush().await
    };
    // The write half stays open: closing it would end a port-forward in both directions.
    match written.await {
        Ok(()) => Ok(Answers {
            stream,
            buffer: BytesMut::new(),
            body_limit,
            over: None,
        }),
        Err(_) => Err(Broken::Closed),
    }
}

impl<Stream: AsyncRead + Unpin> Answers<Stream> {
    /// The next answer. Once one is broken there are no more.
    pub async fn next(&mut self) -> Result<Answer, Broken> {
        if let Some(broken) = self.over {
            return Err(broken);
        }
        let answer = self.read().await;
        if let Err(broken) = answer {
            self.over = Some(broken);
        }
        answer
    }

    async fn read(&mut self) -> Result<Answer, Broken> {
        let head = loop {
            let head = self.head().await?;
            // Interim answers (RFC 9110 §15.2) come before the one that was asked for.
            if head.status >= 200 {
                break head;
            }
        };
        let body = match head.framing {
            _ if matches!(head.status, 204 | 304) => Vec::new(),
            Framing::Length(length) if length > self.body_limit => return Err(Broken::TooLarge),
            Framing::Length(length) => {
                self.fill(length).await?;
                self.buffer.split_to(length).to_vec()
            }
            Framing::Chunked => self.chunks().await?,
            Framing::UntilClose => self.rest().await?,
        };
        if head.closes {
            self.over = Some(Broken::Closed);
        }
        Ok(Answer {
            status: head.status,
            body,
        })
    }

    async fn head(&mut self) -> Result<Head, Broken> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; FIELDS_LIMIT];
            let mut response = httparse::Response::new(&mut fields);
            match response.parse(&self.buffer) {
                Ok(httparse::Status::Complete(length)) => {
                    let head = understood(&response)?;
                    self.buffer.advance(length);
                    return Ok(head);
                }
                Ok(httparse::Status::Partial) if self.buffer.len() > HEAD_LIMIT => {
                    return Err(Broken::TooLarge);
                }
                Ok(httparse::Status::Partial) => self.more().await?,
                Err(_) => return Err(Broken::NotHttp),
            }
        }
    }

    /// A chunked body (RFC 9112 §7.1).
    async fn chunks(&mut self) -> Result<Vec<u8>, Broken> {
        let mut body = Vec::new();
        loop {
            let length = match httparse::parse_chunk_size(&self.buffer) {
                Ok(httparse::Status::Complete((line, length))) => {
                    self.buffer.advance(line);
                    usize::try_from(length).map_err(|_| Broken::TooLarge)?
                }
                Ok(httparse::Status::Partial) if self.buffer.len() > HEAD_LIMIT => {
                    return Err(Broken::TooLarge);
                }
                Ok(httparse::Status::Partial) => {
                    self.more().await?;
                    continue;
                }
                Err(_) => return Err(Broken::NotHttp),
            };
            if length == 0 {
                self.trailers().await?;
                return Ok(body);
            }
            if length > self.body_limit.saturating_sub(body.len()) {
                return Err(Broken::TooLarge);
            }
            self.fill(length + 2).await?;
            body.extend_from_slice(&self.buffer.split_to(length));
            if self.buffer.split_to(2) != b"\r\n"[..] {
                return Err(Broken::NotHttp);
            }
        }
    }

    /// Passes over the fields after a chunked body, to the empty line that ends them.
    async fn trailers(&mut self) -> Result<(), Broken> {
        let mut passed = 0;
        loop {
            let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") else {
                if self.buffer.len() > HEAD_LIMIT {
                    return Err(Broken::TooLarge);
                }
                self.more().await?;
                continue;
            };
            self.buffer.advance(end + 2);
            passed += end;
            match end {
                0 => return Ok(()),
                _ if passed > HEAD_LIMIT => return Err(Broken::TooLarge),
                _ => {}
            }
        }
    }

    /// A body that the connection's end delimits.
    async fn rest(&mut self) -> Result<Vec<u8>, Broken> {
        loop {
            if self.buffer.len() > self.body_limit {
                return Err(Broken::TooLarge);
            }
            match self.more().await {
                Ok(()) => {}
                Err(Broken::Closed) => return Ok(self.buffer.split().to_vec()),
                Err(broken) => return Err(broken),
            }
        }
    }

    /// Waits until the buffer holds so many bytes.
    async fn fill(&mut self, length: usize) -> Result<(), Broken> {
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(())
    }

    /// Waits for more bytes.
    async fn more(&mut self) -> Result<(), Broken> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(0) | Err(_) => Err(Broken::Closed),
            Ok(_) => Ok(()),
        }
    }
}

/// What a head says of its body.
fn understood(response: &httparse::Response<'_, '_>) -> Result<Head, Broken> {
    let status = response.code.ok_or(Broken::NotHttp)?;
    let mut length = None;
    let mut coding = None;
    // HTTP/1.0 closes unless it says otherwise; such a server answers one request.
    let mut closes = response.version != Some(1);
    for field in response.headers.iter() {
        let value = std::str::from_utf8(field.value)
            .map_err(|_| Broken::NotHttp)?
            .trim();
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            let said = value
                .parse::<usize>()
                .ok()
                .filter(|_| digits)
                .ok_or(Broken::NotHttp)?;
            if length.is_some_and(|length| length != said) {
                return Err(Broken::NotHttp);
            }
            length = Some(said);
        } else if is("transfer-encoding") {
            coding = Some(value.to_ascii_lowercase());
        } else if is("connection") {
            closes |= value
                .split(',')
                .any(|option| option.trim().eq_ignore_ascii_case("close"));
        }
    }
    let framing = match (coding.as_deref(), length) {
        (Some("chunked"), _) => Framing::Chunked,
        (Some(_), _) => return Err(Broken::NotHttp),
        (None, Some(length)) => Framing::Length(length),
        (None, None) => {
            closes |= status >= 200;
            Framing::UntilClose
        }
    };
    Ok(Head {
        status,
        framing,
        closes,
    })
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;

//! A stream that remembers its first bytes, so that a peer that speaks another protocol than was
//! expected can be told from one that speaks it badly.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes are remembered.
const REMEMBERED: usize = 7;

/// The first bytes that a peer sent, as far as it has sent any. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// The lowest byte is how many there are, the others are they, in their order.
    bytes: Arc<AtomicU64>,
}

impl Opening {
    /// Whether the peer began as a TLS server does: with an alert or a handshake record (RFC 8446,
    /// section 5.1).
    pub fn is_tls(&self) -> bool {
        let (bytes, length) = self.get();
        length >= 2 && matches!(bytes[0], 0x15 | 0x16) && bytes[1] == 3
    }

    /// Whether the peer began as an HTTP/1 server does (RFC 9112, section 4).
    pub fn is_http(&self) -> bool {
        let (bytes, length) = self.get();
        length >= 5 && bytes.starts_with(b"HTTP/")
    }

    /// Whether the peer has sent nothing yet.
    pub fn is_silence(&self) -> bool {
        self.get().1 == 0
    }

    fn get(&self) -> ([u8; REMEMBERED], usize) {
        let word = self.bytes.load(Ordering::Relaxed).to_le_bytes();
        let mut bytes = [0; REMEMBERED];
        bytes.copy_from_slice(&word[1..]);
        (bytes, usize::from(word[0]))
    }

    /// Takes note of what came; only one stream writes here, and only one task reads from it.
    fn note(&self, came: &[u8]) {
        let (_, length) = self.get();
        if length == REMEMBERED || came.is_empty() {
            return;
        }
        let mut word = self.bytes.load(Ordering::Relaxed).to_le_bytes();
        let mut filled = length;
        for (place, byte) in word[1 + length..].iter_mut().zip(came) {
            *place = *byte;
            filled += 1;
        }
        word[0] = u8::try_from(filled).unwrap_or(u8::MAX);
        self.bytes.store(u64::from_le_bytes(word), Ordering::Relaxed);
    }
}

/// A stream that remembers its first bytes.
pub(super) struct Watched<Stream> {
    stream: Stream,
    opening: Opening,
}

impl<Stream> Watched<Stream> {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            opening: Opening::default(),
        }
    }

    pub(super) fn opening(&self) -> &Opening {
        &self.opening
    }
}

impl<Stream: AsyncRead + Unpin> AsyncRead for Watched<Stream> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if polled.is_ready() {
            self.opening.note(&buffer.filled()[before..]);
        }
        polled
    }
}

impl<Stream: AsyncWrite + Unpin> AsyncWrite for Watched<Stream> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

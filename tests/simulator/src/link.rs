//! A connection of a certain length: bytes take half a round trip each way, and no more of them a
//! second than its width lets through.
//!
//! The loopback connects at once; on a real link a peer's `connect` takes a round trip. So what
//! arrives on a new connection is held back by one more round trip, counted from its being
//! accepted: seen by the peer, connecting and the TLS 1.3 handshake then take two round trips and
//! each request one more, as they would. Bytes queue one behind the other with a time each, so that
//! requests that are pipelined or multiplexed overlap as on a real link. What is not modelled:
//! TCP's slow start and losses, and that a refusal takes a round trip as well.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::control::Control;

/// How long and wide links are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Length {
    /// From a question's first byte to its answer's, over the link alone.
    pub round_trip: Duration,
    /// Bytes a second in each direction; any number where none is given.
    pub bandwidth: Option<u64>,
}

/// Bytes that may be on their way in one direction.
const IN_FLIGHT: usize = 4 * 1024 * 1024;
/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;

/// Bytes on their way in one direction.
#[derive(Debug, Default)]
struct Way {
    chunks: VecDeque<(Instant, Vec<u8>)>,
    /// How much of the first chunk is through.
    taken: usize,
    length: usize,
    /// Until when the link's width is used up.
    busy_until: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Way {
    fn push(&mut self, bytes: &[u8], sent: Instant, length: Length) {
        let sent = match length.bandwidth {
            None => sent,
            Some(bandwidth) => {
                let takes = Duration::from_secs_f64(bytes.len() as f64 / bandwidth.max(1) as f64);
                let sent = self.busy_until.map_or(sent, |busy| busy.max(sent)) + takes;
                self.busy_until = Some(sent);
                sent
            }
        };
        let due = sent + length.round_trip / 2;
        self.length += bytes.len();
        match self.chunks.back_mut() {
            Some((last, chunk)) if *last == due && chunk.len() < CHUNK => chunk.extend_from_slice(bytes),
            _ => self.chunks.push_back((due, bytes.to_vec())),
        }
    }

    /// Waits until the first chunk is through; ready at once where there is none.
    fn poll_due(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some((due, _)) = self.chunks.front() else {
            self.timer = None;
            return Poll::Ready(());
        };
        if *due <= Instant::now() {
            return Poll::Ready(());
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(*due)));
        if timer.deadline() != *due {
            timer.as_mut().reset(*due);
        }
        timer.as_mut().poll(context)
    }

    fn first(&self) -> &[u8] {
        self.chunks
            .front()
            .map_or(&[], |(_, chunk)| chunk.get(self.taken..).unwrap_or_default())
    }

    fn take(&mut self, count: usize) {
        self.taken += count;
        self.length -= count;
        if self.first().is_empty() {
            self.chunks.pop_front();
            self.taken = 0;
        }
    }
}

/// The server's end of a connection.
#[derive(Debug)]
pub struct Link {
    stream: TcpStream,
    control: Arc<Control>,
    length: Length,
    /// When the connection stands, seen from the peer.
    stands_at: Instant,
    inbound: Way,
    outbound: Way,
    /// When the peer was done sending.
    ended: Option<Instant>,
}

impl Link {
    /// A link over a connection that was just accepted.
    pub fn new(stream: TcpStream, length: Length, control: Arc<Control>) -> Self {
        Self {
            stream,
            control,
            length,
            stands_at: Instant::now() + length.round_trip,
            inbound: Way::default(),
            outbound: Way::default(),
            ended: None,
        }
    }

    /// When the connection stands, seen from the peer.
    pub fn stands_at(&self) -> Instant {
        self.stands_at
    }

    fn is_plain(&self) -> bool {
        self.length.round_trip.is_zero() && self.length.bandwidth.is_none()
    }

    /// Takes in whatever arrived, with the time of its arrival.
    fn take_in(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let mut space = [std::mem::MaybeUninit::uninit(); CHUNK];
        while self.ended.is_none() && self.inbound.length < IN_FLIGHT {
            let mut buffer = ReadBuf::uninit(&mut space);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Pending => break,
                Poll::Ready(result) => result?,
            }
            let sent = Instant::now().max(self.stands_at);
            if buffer.filled().is_empty() {
                self.ended = Some(sent + self.length.round_trip / 2);
            } else {
                self.inbound.push(buffer.filled(), sent, self.length);
            }
        }
        Ok(())
    }

    /// Lets out what is through; ready when nothing is left.
    fn let_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.outbound.length > 0 {
            ready!(self.outbound.poll_due(context));
            let count = ready!(Pin::new(&mut self.stream).poll_write(context, self.outbound.first()))?;
            self.outbound.take(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.control.is_reset() {
            // Closing it then sends a reset; where that cannot be, it is closed all the same.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_plain() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        // Whoever only reads drives what is on its way out as well.
        if let Poll::Ready(Err(error)) = self.let_out(context) {
            return Poll::Ready(Err(error));
        }
        self.take_in(context)?;
        if self.inbound.length > 0 {
            ready!(self.inbound.poll_due(context));
            let count = self.inbound.first().len().min(buffer.remaining());
            buffer.put_slice(&self.inbound.first()[..count]);
            self.inbound.take(count);
            return Poll::Ready(Ok(()));
        }
        match self.ended {
            None => Poll::Pending,
            Some(ended) => {
                if ended > Instant::now() {
                    self.inbound.chunks.push_back((ended, Vec::new()));
                    let due = self.inbound.poll_due(context);
                    self.inbound.chunks.clear();
                    ready!(due);
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_plain() {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        }
        if self.outbound.length >= IN_FLIGHT {
            ready!(self.let_out(context))?;
        }
        let length = self.length;
        self.outbound.push(bytes, Instant::now(), length);
        if let Poll::Ready(Err(error)) = self.let_out(context) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What was written is on its way, as if a kernel had it: nobody waits until it has arrived.
        // Whoever flushes goes on to read, and so lets it out.
        match self.let_out(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.let_out(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

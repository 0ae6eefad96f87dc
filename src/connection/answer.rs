//! An answer's body, as it comes in.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::OwnedSemaphorePermit;

use super::broken::{Broken, Fault};
use super::channel::Busy;
use super::protocol::Single;

/// An answer's body. While it stands its channel counts as busy.
pub struct Answer {
    body: Incoming,
    fault: Fault,
    busy: Busy,
    /// The HTTP/1.1 connection that it comes on, which is free for others when it is whole.
    taken: Option<Taken>,
}

/// An HTTP/1.1 connection that a request has taken, and its place among those that there may be.
pub(super) struct Taken {
    pub(super) single: Single,
    /// None for one that does not count, such as one for an upgrade.
    pub(super) place: Option<OwnedSemaphorePermit>,
}

impl Answer {
    pub(super) fn new(body: Incoming, fault: Fault, busy: Busy, taken: Option<Taken>) -> Self {
        let mut answer = Self {
            body,
            fault,
            busy,
            taken,
        };
        if answer.body.is_end_stream() {
            answer.give_back();
        }
        answer
    }

    fn give_back(&mut self) {
        if let Some(Taken {
            single,
            place: Some(place),
        }) = self.taken.take_if(|taken| taken.place.is_some())
        {
            self.busy.channel().put_back(single);
            drop(place);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.give_back();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(|error| Broken::of_http(&error, false, &self.fault))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

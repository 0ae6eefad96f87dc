//! What a request is answered with: a status, a body that is there or still comes, and the API's
//! `Status` objects.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use hyper::body::{Body, Frame, SizeHint};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep};

use crate::control::Control;
use crate::resource::Resource;

/// An answer before it is sent.
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The body's type.
    pub content_type: &'static str,
    /// Seconds for `Retry-After`.
    pub retry_after: Option<u64>,
    /// The body.
    pub content: Content,
}

/// A body.
pub enum Content {
    /// All of it.
    Whole(Bytes),
    /// Lines that come while they happen, for at most so long.
    Watch(mpsc::UnboundedReceiver<Bytes>, Duration),
}

impl Answer {
    /// JSON.
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            content_type: "application/json",
            retry_after: None,
            content: Content::Whole(body.into()),
        }
    }

    /// An object.
    pub fn value(status: StatusCode, value: &Value) -> Self {
        Self::json(status, format!("{value}\n"))
    }

    /// Text.
    pub fn text(status: StatusCode, content_type: &'static str, text: impl Into<Bytes>) -> Self {
        Self {
            content_type,
            ..Self::json(status, text)
        }
    }

    /// A refusal.
    pub fn refusal(status: StatusCode, reason: &str, message: impl Into<String>, details: Value) -> Self {
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message.into(), "reason": reason, "code": status.as_u16(),
        });
        if !details.is_null() {
            body["details"] = details;
        }
        Self::value(status, &body)
    }

    /// A refusal that names an object.
    pub fn refusal_of(
        status: StatusCode,
        reason: &str,
        message: impl Into<String>,
        resource: &Resource,
        name: &str,
    ) -> Self {
        Self::refusal(status, reason, message, details(resource, name))
    }

    /// An object that does not stand.
    pub fn not_found(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Self::refusal_of(StatusCode::NOT_FOUND, "NotFound", message, resource, name)
    }

    /// A path that nothing is served at.
    pub fn no_page() -> Self {
        Self::text(
            StatusCode::NOT_FOUND,
            "text/plain; charset=utf-8",
            "404 page not found\n",
        )
    }

    /// A server, or what stands before it, that is out of order.
    pub fn out_of_order(code: u16) -> Self {
        let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (reason, message) = match code {
            429 => ("TooManyRequests", "Too many requests, please try again later."),
            503 => (
                "ServiceUnavailable",
                "the server is currently unable to handle the request",
            ),
            504 => ("Timeout", "the server was unable to return a response in time"),
            _ => (
                "InternalError",
                "an error on the server has prevented the request from succeeding",
            ),
        };
        Self::refusal(status, reason, message, Value::Null)
    }

    /// Whoever asks did not say who they are.
    pub fn unauthorized() -> Self {
        Self::refusal(
            StatusCode::UNAUTHORIZED,
            "Unauthorized",
            "Unauthorized",
            Value::Null,
        )
    }
}

/// A `Status`'s details of an object.
pub fn details(resource: &Resource, name: &str) -> Value {
    let mut details = json!({"kind": resource.plural});
    if !name.is_empty() {
        details["name"] = name.into();
    }
    if !resource.group.is_empty() {
        details["group"] = resource.group.into();
    }
    details
}

/// How a body is sent.
pub enum Sending {
    /// As it is.
    Straight,
    /// A byte a second.
    Drip,
    /// Half of it, then the connection is reset.
    HalfThenReset(Arc<Control>),
    /// Half of it, then nothing more, and the body ends before its length.
    Half,
}

/// A body on its way.
pub struct Outgoing {
    parts: VecDeque<Bytes>,
    watch: Option<mpsc::UnboundedReceiver<Bytes>>,
    /// When a watch ends, or when the next part of a dripping body comes.
    timer: Option<Pin<Box<Sleep>>>,
    every: Option<Duration>,
    /// What happens when the parts are over.
    end: End,
    length: Option<u64>,
}

enum End {
    Done,
    Broken,
    Reset(Arc<Control>),
}

impl Outgoing {
    /// Sends a body.
    pub fn new(content: Content, sending: Sending) -> Self {
        match content {
            Content::Watch(events, time) => Self {
                parts: VecDeque::new(),
                watch: Some(events),
                timer: Some(Box::pin(sleep(time))),
                every: None,
                end: End::Done,
                length: None,
            },
            Content::Whole(bytes) => {
                let length = bytes.len();
                let half = |bytes: &Bytes| VecDeque::from([bytes.slice(..length / 2)]);
                let (parts, every, end) = match sending {
                    Sending::Straight => (VecDeque::from([bytes]), None, End::Done),
                    Sending::Drip => {
                        let single = (0..length).map(|index| bytes.slice(index..=index)).collect();
                        (single, Some(Duration::from_secs(1)), End::Done)
                    }
                    Sending::HalfThenReset(control) => (half(&bytes), None, End::Reset(control)),
                    Sending::Half => (half(&bytes), None, End::Broken),
                };
                Self {
                    parts,
                    watch: None,
                    timer: every.map(|every| Box::pin(sleep(every))),
                    every,
                    end,
                    length: Some(length as u64),
                }
            }
        }
    }
}

/// Long enough for what was written to be on its way before a connection is cut.
const GRACE: Duration = Duration::from_millis(50);

impl Body for Outgoing {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(events) = &mut self.watch {
            if let Poll::Ready(line) = events.poll_recv(context) {
                return Poll::Ready(line.map(|line| Ok(Frame::data(line))));
            }
            let timer = self.timer.as_mut();
            return match timer.map(|timer| timer.as_mut().poll(context)) {
                Some(Poll::Pending) => Poll::Pending,
                _ => Poll::Ready(None),
            };
        }
        if let Some(timer) = &mut self.timer {
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if let (Some(every), false) = (self.every, self.parts.is_empty()) {
                self.timer = Some(Box::pin(sleep(every)));
            }
        }
        if let Some(part) = self.parts.pop_front() {
            if !matches!(self.end, End::Done) {
                self.timer = Some(Box::pin(sleep(GRACE)));
            }
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        match &self.end {
            End::Done => Poll::Ready(None),
            End::Broken => Poll::Ready(Some(Err(std::io::ErrorKind::UnexpectedEof.into()))),
            End::Reset(control) => {
                control.reset();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.watch.is_none() && self.parts.is_empty() && matches!(self.end, End::Done)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The moment a watch that asked for so many seconds ends: the server's own choice is between half
/// an hour and an hour.
pub fn watch_time(asked: Option<u64>) -> Duration {
    Duration::from_secs(asked.unwrap_or(1800))
}

/// The time now in the API's form (RFC 3339, whole seconds).
pub fn now() -> String {
    jiff::Timestamp::now()
        .round(jiff::Unit::Second)
        .unwrap_or_else(|_| jiff::Timestamp::now())
        .to_string()
}

/// A deadline for tests that wait.
pub fn soon(time: Duration) -> Instant {
    Instant::now() + time
}

//! One request, until it is answered, is refused for good, or its time is over.
//!
//! What is sent again by itself: what the server has provably not acted on, and what may be acted on
//! twice ([`Repeat::Freely`]: reads, reviews, dry runs). A write whose answer was lost comes back as
//! [`Refusal::unknown`]: [`super::write`] looks before it sends it again.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::client::Client;
use super::failure::{failure, of_broken, of_status};
use super::pause::{Pause, retry_after};
use crate::connection::answer::Answer;
use crate::connection::broken::{Broken, Sent};
use crate::connection::credential::Authorization;
use crate::connection::trouble::REFUSED;
use crate::inventory::{Failure, FailureClass};

/// The most that one answer may hold, in bytes: a page of 500 objects is some megabytes, and rarely
/// ten. Whoever sends more is no API server, or is asked for too much at once.
const ANSWER_LIMIT: usize = 128 << 20;

/// How often a connection that breaks while it is made is made again: a server behind a balancer with
/// a dead half breaks every other one, and not all of them are this request's.
pub(super) const RECONNECTIONS: usize = 3;

/// What requests and answers are, unless something else is said.
pub(super) const JSON: &str = "application/json";

/// One request, as it is sent and as an error calls it.
pub(super) struct Outgoing<'text> {
    pub(super) method: Method,
    pub(super) path: &'text str,
    /// The body and its content type.
    pub(super) body: Option<(Bytes, &'static str)>,
    pub(super) verb: &'text str,
    pub(super) resource: &'text str,
    pub(super) accept: &'static str,
    pub(super) repeat: Repeat,
}

/// Whether a request may be sent again where its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It changes nothing.
    Freely,
    /// It changes something: only after a look at what stands.
    AfterALook,
}

/// What came of sending a request once.
pub(super) struct Attempted {
    pub(super) answer: Response<Answer>,
    /// What was shown for it.
    pub(super) shown: Authorization,
    /// When it had to be answered.
    pub(super) end: Instant,
}

/// A request that was not answered with what it asked for.
pub(super) struct Refusal {
    pub(super) failure: Failure,
    /// Whether the server may have done what it was asked for.
    pub(super) unknown: bool,
    again: Again,
}

/// Whether the same request can be answered better later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Never,
    /// After the time that the server named, if it named one.
    Later(Option<Duration>),
    /// With another credential.
    Authorized,
    /// On another connection: there was none, or it broke while it was made.
    Reconnected,
}

impl Refusal {
    /// How long to wait before the same request is sent again.
    pub(super) fn pause(&self, pause: &mut Pause) -> Duration {
        match self.again {
            Again::Later(named) => pause.next(named),
            Again::Never | Again::Authorized | Again::Reconnected => pause.next(None),
        }
    }

    fn never(failure: Failure) -> Self {
        Self {
            failure,
            unknown: false,
            again: Again::Never,
        }
    }
}

impl Client {
    /// Reads what stands at a path.
    pub async fn get(&self, path: &str, resource: &str) -> Result<Value, Failure> {
        self.get_as(path, resource, JSON).await
    }

    /// Reads what stands at a path, in a representation other than plain JSON.
    pub async fn get_as(&self, path: &str, resource: &str, accept: &'static str) -> Result<Value, Failure> {
        let request = Outgoing {
            method: Method::GET,
            path,
            body: None,
            verb: "get",
            resource,
            accept,
            repeat: Repeat::Freely,
        };
        self.send_request(&request).await
    }

    /// Sends a request until it is answered, is refused for good, or its time is over.
    pub(super) async fn send_request(&self, request: &Outgoing<'_>) -> Result<Value, Failure> {
        // What is waited for before does not count.
        self.begin().await?;
        let answered = self.exchange(request, self.end()).await;
        answered.map_err(|refusal| refusal.failure)
    }

    /// Sends a request until it is answered, is refused for good, its outcome is not known and must
    /// be looked for, or its time is over.
    pub(super) async fn exchange(&self, request: &Outgoing<'_>, mut end: Instant) -> Result<Value, Refusal> {
        let mut pause = Pause::default();
        let (mut authorized, mut reconnected) = (false, 0);
        let mut earlier: Option<Failure> = None;
        loop {
            let had = end.saturating_duration_since(Instant::now());
            let mut refusal = match self.attempt(request, end).await {
                Ok(answer) => return Ok(answer),
                Err(refusal) => refusal,
            };
            // One that was cut short says nothing of the server: what it was repeated for does.
            let was_cut_short =
                refusal.failure.class == FailureClass::Timeout && had <= self.shared.deadlines.total / 2;
            match earlier {
                Some(earlier) if was_cut_short => refusal.failure = earlier,
                _ => {}
            }
            earlier = Some(refusal.failure.clone());
            if refusal.unknown && request.repeat == Repeat::AfterALook {
                return Err(refusal);
            }
            let wait = match refusal.again {
                Again::Authorized if !authorized => {
                    authorized = true;
                    let begun = Instant::now();
                    // A plugin's time is not this request's. What fails here fails there again.
                    let _ = self.begin().await;
                    if self.deadline.is_none() {
                        end += begun.elapsed();
                    }
                    Duration::ZERO
                }
                Again::Reconnected if reconnected < RECONNECTIONS => {
                    reconnected += 1;
                    pause.next(None)
                }
                Again::Later(named) => pause.next(named),
                Again::Never | Again::Authorized | Again::Reconnected => return Err(refusal),
            };
            if Instant::now() + wait >= end {
                return Err(refusal);
            }
            tokio::time::sleep(wait).await;
            self.shared.meter.repetitions.add(1);
        }
    }

    /// Sends what is not repeated otherwise: once more where the credential was refused and another
    /// is to be had. Gives the answer, and when it had to be there.
    pub(super) async fn authorized<Sending>(
        &self,
        send: impl Fn() -> Sending,
    ) -> Result<(Response<Answer>, Instant), Failure>
    where
        Sending: Future<Output = Result<Attempted, Failure>>,
    {
        let first = send().await?;
        let is_refused = first.answer.status() == StatusCode::UNAUTHORIZED;
        // On the heap: it may run a plugin, which is rare and large.
        let attempted = match is_refused && Box::pin(self.shared.credential.refused(&first.shown)).await {
            true => send().await?,
            false => first,
        };
        Ok((attempted.answer, attempted.end))
    }

    async fn attempt(&self, outgoing: &Outgoing<'_>, end: Instant) -> Result<Value, Refusal> {
        let (verb, resource) = (outgoing.verb, outgoing.resource);
        let shared = &self.shared;
        let Ok(permit) = timeout_at(end, shared.in_flight.acquire()).await else {
            let message = "its turn among this cluster's requests did not come in time";
            return Err(Refusal::never(failure(
                FailureClass::Timeout,
                verb,
                resource,
                message,
            )));
        };
        let (shown, channel) = self.begin().await.map_err(Refusal::never)?;
        let request = self.request(outgoing, &shown).map_err(Refusal::never)?;
        let answered = channel
            .send(&request, &shared.deadlines, end, &shared.meter)
            .await;
        let answer = answered.map_err(|broken| refusal_of(broken, outgoing))?;
        let status = answer.status();
        let named = retry_after(answer.headers());
        let bytes = self.body(answer.into_body(), end).await;
        drop(permit);
        let bytes = bytes.map_err(|broken| refusal_of(broken, outgoing))?;
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|_| {
                let message = "the answer is not a Kubernetes API server's";
                Refusal::never(failure(FailureClass::NotKubernetes, verb, resource, message))
            });
        }
        let again = match status {
            // On the heap: it may run a plugin, which is rare and large.
            StatusCode::UNAUTHORIZED if Box::pin(shared.credential.refused(&shown)).await => {
                Again::Authorized
            }
            status if may_be_answered_later(status) => Again::Later(named),
            _ => Again::Never,
        };
        // What stands between here and the server may have passed the request on, and a server may
        // have waited for its storage: only 429 says that nothing was done.
        let unknown = may_be_answered_later(status) && status != StatusCode::TOO_MANY_REQUESTS;
        Err(Refusal {
            failure: of_status(status, &bytes, verb, resource),
            unknown,
            again,
        })
    }

    /// A request with all that it carries, its path below the endpoint's own.
    pub(super) fn request(
        &self,
        outgoing: &Outgoing<'_>,
        shown: &Authorization,
    ) -> Result<Request<Bytes>, Failure> {
        let mut request = Request::builder()
            .method(outgoing.method.clone())
            .uri(outgoing.path)
            .header(http::header::ACCEPT, outgoing.accept);
        let mut body = Bytes::new();
        if let Some((bytes, content_type)) = &outgoing.body {
            request = request.header(http::header::CONTENT_TYPE, *content_type);
            body = bytes.clone();
        }
        let mut request = request.body(body).map_err(|_| {
            let message = "the request's path is not one that can be sent";
            failure(FailureClass::Invalid, outgoing.verb, outgoing.resource, message)
        })?;
        self.equip(request.headers_mut(), shown);
        Ok(request)
    }

    /// Adds what every request carries: the credential, as whom to act, the agent.
    pub(super) fn equip(&self, headers: &mut http::HeaderMap, shown: &Authorization) {
        for (name, value) in &self.shared.headers {
            headers.append(name, value.clone());
        }
        if let Some(authorization) = &shown.header {
            headers.insert(http::header::AUTHORIZATION, authorization.clone());
        }
    }

    async fn body(&self, mut body: Answer, end: Instant) -> Result<Bytes, Broken> {
        let mut whole = BytesMut::new();
        loop {
            let next = Instant::now() + self.shared.deadlines.between_bytes;
            let frame = match timeout_at(end.min(next), body.frame()).await {
                Ok(None) => return Ok(whole.freeze()),
                Ok(Some(frame)) => frame?,
                Err(_) => {
                    let message = format!(
                        "the answer was not whole in time ({} bytes of it came)",
                        whole.len()
                    );
                    return Err(Broken::new(Sent::Perhaps, FailureClass::Timeout, message));
                }
            };
            if let Ok(data) = frame.into_data() {
                self.shared.meter.bytes_received.add(data.len());
                if whole.len() + data.len() > ANSWER_LIMIT {
                    let message = format!("the answer is larger than {} MiB", ANSWER_LIMIT >> 20);
                    return Err(Broken::new(Sent::Perhaps, FailureClass::NotKubernetes, message));
                }
                whole.extend_from_slice(&data);
            }
        }
    }
}

/// Whether a status says that the same request may be answered later.
pub(super) fn may_be_answered_later(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Whether the next connection may succeed where this one broke while it was made: one that is
/// refused says that nobody listens.
pub(super) fn may_be_chance(broken: &Broken) -> bool {
    broken.sent == Sent::Never
        && matches!(broken.failure.class, FailureClass::Tcp | FailureClass::Tls)
        && !broken.failure.message.ends_with(REFUSED)
}

fn refusal_of(broken: Broken, outgoing: &Outgoing<'_>) -> Refusal {
    let again = match (broken.sent, broken.failure.class) {
        _ if may_be_chance(&broken) => Again::Reconnected,
        (Sent::Never, _) | (_, FailureClass::NotKubernetes | FailureClass::Tls) => Again::Never,
        (Sent::Unprocessed | Sent::Perhaps, _) => Again::Later(None),
    };
    Refusal {
        unknown: broken.sent == Sent::Perhaps,
        failure: of_broken(broken, outgoing.verb, outgoing.resource),
        again,
    }
}

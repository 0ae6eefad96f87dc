//! A watch: changes of objects, as they come (Kubernetes API concepts, "efficient detection of
//! changes": one JSON object on each line).

use bytes::BytesMut;
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::client::Client;
use super::failure::{failure, of_broken, of_status};
use super::pause::{Pause, retry_after};
use super::request::{Attempted, JSON, Outgoing, Repeat, may_be_answered_later};
use crate::connection::answer::Answer;
use crate::inventory::{Failure, FailureClass, Object};

/// The most that one event may hold, in bytes: etcd stores no more than 1.5 MB of an object.
const EVENT_LIMIT: usize = 16 << 20;

/// A watch that is open.
pub(super) struct Watch {
    body: Answer,
    received: BytesMut,
    resource: String,
}

/// What happened to an object.
pub(super) enum Event {
    /// It came or changed, and is this now.
    Stands(Object),
    /// It is gone.
    Gone,
    /// A sign of life.
    Bookmark,
    /// The server cannot go on from here (410 Gone).
    Over,
}

impl Client {
    /// Opens a watch; a server that cannot answer now is given the time that it names. It may last
    /// longer than a request, so it does not count among those in flight.
    pub(super) async fn watch(&self, path: &str, resource: &str) -> Result<Watch, Failure> {
        let outgoing = Outgoing {
            method: Method::GET,
            path,
            body: None,
            verb: "watch",
            resource,
            accept: JSON,
            repeat: Repeat::Freely,
        };
        let mut pause = Pause::default();
        let mut latest = None;
        loop {
            let (answer, end) = self.authorized(|| self.open_watch(&outgoing)).await?;
            let latest = *latest.get_or_insert(end);
            let status = answer.status();
            let named = retry_after(answer.headers());
            let mut body = answer.into_body();
            if status.is_success() {
                return Ok(Watch {
                    body,
                    received: BytesMut::new(),
                    resource: resource.to_owned(),
                });
            }
            let said = timeout_at(end, body.frame()).await;
            let said = said.ok().flatten().and_then(Result::ok);
            let said = said.and_then(|frame| frame.into_data().ok()).unwrap_or_default();
            let wait = pause.next(named);
            if !may_be_answered_later(status) || Instant::now() + wait >= latest {
                return Err(of_status(status, &said, "watch", resource));
            }
            drop(body);
            tokio::time::sleep(wait).await;
            self.shared.meter.repetitions.add(1);
        }
    }

    /// Asks for a watch once.
    async fn open_watch(&self, outgoing: &Outgoing<'_>) -> Result<Attempted, Failure> {
        let (shown, channel) = self.begin().await?;
        let request = self.request(outgoing, &shown)?;
        let (end, shared) = (self.end(), &self.shared);
        let answer = channel
            .send_lasting(&request, &shared.deadlines, end, &shared.meter)
            .await
            .map_err(|broken| of_broken(broken, outgoing.verb, outgoing.resource))?;
        Ok(Attempted { answer, shown, end })
    }
}

impl Watch {
    /// The next event; none where the watch has ended, by the server or at the deadline.
    pub(super) async fn next(&mut self, deadline: Instant) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line = self.received.split_to(end + 1);
                return self.event(&line).map(Some);
            }
            let refused = |class, message| failure(class, "watch", &self.resource, message);
            if self.received.len() > EVENT_LIMIT {
                let message = "an event is larger than any object can be";
                return Err(refused(FailureClass::NotKubernetes, message));
            }
            match timeout_at(deadline, self.body.frame()).await {
                Err(_) | Ok(None) => return Ok(None),
                Ok(Some(Err(broken))) => return Err(of_broken(broken, "watch", &self.resource)),
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.received.extend_from_slice(&data);
                    }
                }
            }
        }
    }

    fn event(&self, line: &[u8]) -> Result<Event, Failure> {
        let mut event: Value = serde_json::from_slice(line).unwrap_or_default();
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        match kind.as_str() {
            "ADDED" | "MODIFIED" => Ok(Event::Stands(Object(event["object"].take()))),
            "DELETED" => Ok(Event::Gone),
            "BOOKMARK" => Ok(Event::Bookmark),
            "ERROR" => Ok(Event::Over),
            _ => {
                let message = "what came is no event";
                Err(failure(
                    FailureClass::NotKubernetes,
                    "watch",
                    &self.resource,
                    message,
                ))
            }
        }
    }
}

//! The way to one endpoint as one client: one HTTP/2 connection that all requests share, opened when
//! the first of them needs it and again when it is lost. Where the server speaks HTTP/1.1 only, a
//! few connections of one request at a time.
//!
//! ```text
//!  send ──► lane: a live HTTP/2 connection, or a place among those of HTTP/1.1
//!    ▲        │ none: all wait for one dial
//!    │        ▼
//!    └── sent again at once: only what the server has provably not acted on
//! ```
//!
//! What the server may have acted on comes back as [`Sent::Perhaps`]: whether that is sent again
//! is for those to say who know what it does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, Taken};
use super::broken::{Broken, Sent};
use super::deadlines::Deadlines;
use super::dial::{Agreed, Dialer, Wanted, resource};
use super::endpoint::Endpoint;
use super::pool::Room;
use super::protocol::{Address, Multiplexed, Single};
use super::usage::Meter;
use crate::inventory::{Failure, FailureClass};

/// HTTP/1.1 connections to one endpoint at a time: about what browsers open.
const SINGLES: usize = 8;

/// How often one request is sent again at once because the server has not looked at it.
const RESENDS: usize = 8;

/// The way to one endpoint as one client. All who have it share its connections; they are closed
/// when nobody has it any more.
pub struct Channel {
    dialer: Dialer,
    address: Address,
    server: String,
    deadlines: Deadlines,
    room: Arc<Room>,
    state: Mutex<State>,
    /// Held by whoever begins a dial, so that only one is begun.
    beginning: tokio::sync::Mutex<()>,
    places: Arc<Semaphore>,
    busy: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// The HTTP/2 connection, and which one it is.
    multiplexed: Option<(Multiplexed, usize)>,
    made: usize,
    attempt: Option<Attempt>,
    /// The server speaks nothing newer than HTTP/1.1.
    http1: bool,
    /// HTTP/1.1 connections that wait for a request, the last used last.
    idle: Vec<Single>,
}

/// A dial under way, which all wait for. It ends with the channel.
struct Attempt {
    outcome: Outcome,
    task: AbortHandle,
}

type Outcome = watch::Receiver<Option<Result<(), Failure>>>;

/// A dial that is under way; none where there is a connection.
pub(crate) struct Begun(Option<Outcome>);

impl Drop for Attempt {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a request is sent on.
enum Lane {
    Multiplexed(Multiplexed, usize),
    Single(Taken),
}

/// A request under way on a channel, or an answer that is being read.
pub(super) struct Busy(Arc<Channel>);

impl Busy {
    fn new(channel: &Arc<Channel>) -> Self {
        channel.busy.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(channel))
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.0
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let last = self.0.busy.fetch_sub(1, Ordering::AcqRel) == 1;
        if last && self.0.room.is_wanted() {
            self.0.close_if_idle();
        }
    }
}

impl Channel {
    pub(super) fn new(endpoint: &Endpoint, dialer: Dialer, deadlines: Deadlines, room: Arc<Room>) -> Self {
        let address = Address::of(&endpoint.url);
        Self {
            dialer,
            server: resource(endpoint),
            deadlines,
            room,
            state: Mutex::new(State {
                // Without TLS nothing newer is agreed on (RFC 9113, section 3.3).
                http1: !address.is_encrypted(),
                ..State::default()
            }),
            address,
            beginning: tokio::sync::Mutex::default(),
            places: Arc::new(Semaphore::new(SINGLES)),
            busy: AtomicUsize::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to connect where there is no connection, and does not wait until it stands: only, for
    /// as long as it takes, until this process may have one more.
    pub(crate) async fn begin(self: &Arc<Self>, meter: &Meter) -> Begun {
        if let Some(begun) = self.state().begun() {
            return begun;
        }
        let _one = self.beginning.lock().await;
        if let Some(begun) = self.state().begun() {
            return begun;
        }
        self.state().multiplexed = None;
        let permit = self.room.permit().await;
        meter.connections.add(1);
        let (report, outcome) = watch::channel(None);
        let (dialer, channel) = (self.dialer.clone(), Arc::downgrade(self));
        let (deadlines, server) = (self.deadlines, self.server.clone());
        let mut state = self.state();
        let task = tokio::spawn(async move {
            let deadline = Instant::now() + deadlines.connect;
            let made = match dialer.dial_with(permit, Wanted::Best, deadline).await {
                Ok(dialled) if dialled.agreed == Agreed::Http2 => {
                    let opened = Multiplexed::open(dialled, deadlines.keep_alive()).await;
                    opened.map(Made::Multiplexed)
                }
                Ok(dialled) => Single::open(dialled, true).await.map(Made::Single),
                Err(failure) => Err(Broken::never(failure)),
            };
            let outcome = made
                .map(|made| Self::take_in(&channel, made))
                .map_err(|broken| connect_failure(&server, broken.failure));
            // While the state has an attempt, others wait for it: it goes before they are told.
            let attempt = channel
                .upgrade()
                .and_then(|channel| channel.state().attempt.take());
            report.send_replace(Some(outcome));
            drop(attempt);
        });
        state.attempt = Some(Attempt {
            outcome: outcome.clone(),
            task: task.abort_handle(),
        });
        Begun(Some(outcome))
    }

    fn take_in(channel: &Weak<Self>, made: Made) {
        if let Some(channel) = channel.upgrade() {
            let mut state = channel.state();
            match made {
                Made::Multiplexed(multiplexed) => {
                    state.made += 1;
                    state.multiplexed = Some((multiplexed, state.made));
                }
                Made::Single(single) => {
                    state.http1 = true;
                    state.idle.push(single);
                }
            }
        }
    }

    /// Waits until there is something to send on: a live connection where the server speaks HTTP/2.
    ///
    /// # Errors
    ///
    /// There is none by the deadline, or there cannot be one.
    pub(crate) async fn connected(self: &Arc<Self>, end: Instant, meter: &Meter) -> Result<(), Broken> {
        let Ok(Begun(begun)) = timeout_at(end, self.begin(meter)).await else {
            return Err(Broken::never(self.late()));
        };
        let Some(mut outcome) = begun else {
            return Ok(());
        };
        let outcome = match timeout_at(end, outcome.wait_for(Option::is_some)).await {
            Err(_) => return Err(Broken::never(self.late())),
            Ok(Ok(outcome)) => outcome.clone(),
            Ok(Err(_)) => None,
        };
        match outcome {
            Some(Ok(())) => Ok(()),
            Some(Err(failure)) => Err(Broken::never(failure)),
            // The channel was closed under those who waited.
            None => {
                let broken = Broken::new(Sent::Never, FailureClass::Tcp, "the connection was closed");
                Err(Broken::never(connect_failure(&self.server, broken.failure)))
            }
        }
    }

    fn late(&self) -> Failure {
        let message = "no connection in time";
        connect_failure(
            &self.server,
            Broken::new(Sent::Never, FailureClass::Timeout, message).failure,
        )
    }

    async fn lane(self: &Arc<Self>, end: Instant, meter: &Meter) -> Result<Lane, Broken> {
        loop {
            {
                let state = self.state();
                if let Some((multiplexed, number)) = state.live() {
                    return Ok(Lane::Multiplexed(multiplexed.clone(), *number));
                }
                if state.http1 {
                    break;
                }
            }
            self.connected(end, meter).await?;
        }
        let Ok(Ok(place)) = timeout_at(end, Arc::clone(&self.places).acquire_owned()).await else {
            let message = "the connections to the server were taken all the time";
            return Err(Broken::new(Sent::Unprocessed, FailureClass::Timeout, message));
        };
        let free = {
            let mut state = self.state();
            state.idle.retain(Single::is_free);
            state.idle.pop()
        };
        let single = match free {
            Some(single) => single,
            None => self.single(end, meter).await?,
        };
        Ok(Lane::Single(Taken {
            single,
            place: Some(place),
        }))
    }

    /// An HTTP/1.1 connection of its own.
    pub(crate) async fn single(&self, end: Instant, meter: &Meter) -> Result<Single, Broken> {
        let Ok(permit) = timeout_at(end, self.room.permit()).await else {
            return Err(Broken::never(self.late()));
        };
        meter.connections.add(1);
        let deadline = end.min(Instant::now() + self.deadlines.connect);
        // On the heap: the rare dial would make every request's future as large as its own.
        let dialling = Box::pin(self.dialer.dial_with(permit, Wanted::Http1, deadline));
        match dialling.await {
            Ok(dialled) => Single::open(dialled, self.address.is_encrypted()).await,
            Err(failure) => Err(Broken::never(failure)),
        }
    }

    /// Sends a request, again where the server has provably not acted on it, and gives its answer
    /// when it begins. Its URI is a path below the endpoint's own.
    ///
    /// # Errors
    ///
    /// There is no connection, or no answer begins by the deadlines.
    pub(crate) async fn send(
        self: &Arc<Self>,
        request: &Request<Bytes>,
        deadlines: &Deadlines,
        end: Instant,
        meter: &Meter,
    ) -> Result<Response<Answer>, Broken> {
        let mut resends = 0;
        loop {
            let busy = Busy::new(self);
            let lane = self.lane(end, meter).await?;
            meter.requests.add(1);
            meter.bytes_sent.add(request.body().len());
            let broken = match self.send_on(lane, busy, request, deadlines, end).await {
                Err(broken) if broken.sent == Sent::Unprocessed => broken,
                other => return other,
            };
            resends += 1;
            if resends > RESENDS || Instant::now() >= end {
                return Err(broken);
            }
            meter.repetitions.add(1);
        }
    }

    async fn send_on(
        &self,
        lane: Lane,
        busy: Busy,
        request: &Request<Bytes>,
        deadlines: &Deadlines,
        end: Instant,
    ) -> Result<Response<Answer>, Broken> {
        let begun = Instant::now();
        let by = end.min(begun + deadlines.first_byte);
        let silent = |_| {
            let message = format!("no answer within {:.1} s", begun.elapsed().as_secs_f64());
            Broken::new(Sent::Perhaps, FailureClass::Timeout, message)
        };
        match lane {
            Lane::Multiplexed(mut multiplexed, number) => {
                let outgoing = self.address.outgoing(request, true);
                let sent = timeout_at(by, multiplexed.sender.try_send_request(outgoing)).await;
                match sent.map_err(silent)? {
                    Ok(answer) => {
                        Ok(answer.map(|body| Answer::new(body, multiplexed.fault.clone(), busy, None)))
                    }
                    Err(error) => {
                        let unwritten = error.message().is_some();
                        if unwritten || multiplexed.sender.is_closed() {
                            self.forget(number);
                        }
                        Err(Broken::of_http(error.error(), unwritten, &multiplexed.fault))
                    }
                }
            }
            Lane::Single(mut taken) => {
                let outgoing = self.address.outgoing(request, false);
                let fault = taken.single.fault.clone();
                let sent = timeout_at(by, taken.single.sender.try_send_request(outgoing)).await;
                match sent.map_err(silent)? {
                    Ok(answer) => Ok(answer.map(|body| Answer::new(body, fault, busy, Some(taken)))),
                    Err(error) => {
                        let unwritten = error.message().is_some();
                        Err(Broken::of_http(error.error(), unwritten, &fault))
                    }
                }
            }
        }
    }

    /// Sends a request on an HTTP/1.1 connection of its own, such as one for an upgrade.
    pub(crate) async fn send_alone(
        self: &Arc<Self>,
        single: Single,
        request: &Request<Bytes>,
        deadlines: &Deadlines,
        end: Instant,
    ) -> Result<Response<Answer>, Broken> {
        let taken = Taken { single, place: None };
        self.send_on(Lane::Single(taken), Busy::new(self), request, deadlines, end)
            .await
    }

    /// As [`Self::send`], for an answer that goes on for long: where requests cannot share a
    /// connection it has one of its own.
    pub(crate) async fn send_lasting(
        self: &Arc<Self>,
        request: &Request<Bytes>,
        deadlines: &Deadlines,
        end: Instant,
        meter: &Meter,
    ) -> Result<Response<Answer>, Broken> {
        self.connected(end, meter).await?;
        if !self.state().http1 {
            return self.send(request, deadlines, end, meter).await;
        }
        let single = self.single(end, meter).await?;
        meter.requests.add(1);
        self.send_alone(single, request, deadlines, end).await
    }

    fn forget(&self, number: usize) {
        self.state().multiplexed.take_if(|(_, held)| *held == number);
    }

    pub(super) fn put_back(&self, single: Single) {
        if self.room.is_wanted() {
            return;
        }
        self.state().idle.push(single);
    }

    /// Closes its connections where no request is under way; the next request opens one again.
    pub fn close_if_idle(&self) -> bool {
        let mut state = self.state();
        if self.busy.load(Ordering::Acquire) > 0 {
            return false;
        }
        let had_any = state.multiplexed.take().is_some() || !state.idle.is_empty();
        state.idle.clear();
        had_any
    }
}

enum Made {
    Multiplexed(Multiplexed),
    Single(Single),
}

impl State {
    fn begun(&self) -> Option<Begun> {
        if self.http1 || self.live().is_some() {
            return Some(Begun(None));
        }
        let attempt = self.attempt.as_ref()?;
        Some(Begun(Some(attempt.outcome.clone())))
    }

    fn live(&self) -> Option<&(Multiplexed, usize)> {
        self.multiplexed
            .as_ref()
            .filter(|(multiplexed, _)| !multiplexed.sender.is_closed())
    }
}

fn connect_failure(server: &str, failure: Failure) -> Failure {
    Failure {
        verb: "connect".to_owned(),
        resource: server.to_owned(),
        ..failure
    }
}

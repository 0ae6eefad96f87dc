//! The client library on our own connections. It is used for what is neither a request nor a watch:
//! a port-forward, which an API server opens only by an upgrade of HTTP/1.1 (RFC 9110, section 7.8);
//! and by the lab.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::UPGRADE;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use tokio::time::{Instant, timeout_at};

use super::client::Client;
use super::request::Attempted;
use super::underway::Underway;
use crate::connection::answer::Answer;
use crate::connection::broken::Broken;
use crate::connection::protocol::Single;
use crate::inventory::Failure;

/// The most that the client library sends in one request, in bytes.
const REQUEST_LIMIT: usize = 8 << 20;

/// Connections that are made ahead of need. They are closed with the client.
#[derive(Default)]
pub(super) struct Prepared(Mutex<Vec<Upgradeable>>);

/// A connection that is being made.
type Upgradeable = Underway<Result<Single, Broken>>;

impl Prepared {
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn push(&self, connection: Upgradeable) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }

    fn take(&self) -> Option<Upgradeable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// A request of the client library that our connections did not carry through.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Uncarried(pub(super) Failure);

impl Client {
    /// Begins to make the connection of one port-forward that is to come, while other requests are
    /// under way; it resumes their TLS session. The next port-forward takes it; without one it is
    /// closed with the client.
    pub fn prepare_upgrade(&self) {
        let client = self.clone();
        let connection = Underway::begin(async move { client.upgradeable(client.end()).await });
        self.shared.prepared.push(connection);
    }

    /// Closes what was prepared and nobody needs.
    pub(super) fn drop_prepared(&self) {
        self.shared.prepared.clear();
    }

    /// The client library on this client's connections: requests share them, upgrades have one each.
    pub fn library_client(&self) -> kube::Client {
        let client = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let client = client.clone();
            let carried: BoxFuture<'static, Result<Response<Answer>, Uncarried>> =
                Box::pin(async move { client.carry(request).await.map_err(Uncarried) });
            carried
        });
        kube::Client::new(service, self.shared.namespace.clone())
    }

    async fn upgradeable(&self, end: Instant) -> Result<Single, Broken> {
        let (_, channel) = self.begin().await.map_err(Broken::never)?;
        channel.single(end, &self.shared.meter).await
    }

    async fn carry(&self, request: Request<Body>) -> Result<Response<Answer>, Failure> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, REQUEST_LIMIT).collect().await;
        let body: Bytes = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let request = Request::from_parts(parts, body);
        let (answer, _) = self.authorized(|| self.carry_once(request.clone())).await?;
        Ok(answer)
    }

    async fn carry_once(&self, mut request: Request<Bytes>) -> Result<Attempted, Failure> {
        let (shown, channel) = self.begin().await?;
        self.equip(request.headers_mut(), &shown);
        let is_upgrade = request.headers().contains_key(UPGRADE);
        let (end, shared) = (self.end(), &self.shared);
        let (deadlines, meter) = (&shared.deadlines, &shared.meter);
        let answered = async {
            if !is_upgrade {
                // A watch among them lasts as long as it likes.
                return channel.send_lasting(&request, deadlines, end, meter).await;
            }
            let prepared = match shared.prepared.take() {
                Some(underway) => match timeout_at(end, underway.outcome()).await {
                    Ok(Some(Ok(single))) if single.is_free() => Some(single),
                    _ => None,
                },
                None => None,
            };
            let single = match prepared {
                Some(single) => single,
                None => channel.single(end, meter).await?,
            };
            meter.requests.add(1);
            channel.send_alone(single, &request, deadlines, end).await
        };
        let answer = answered.await.map_err(|broken| {
            let resource = self.server();
            super::failure::of_broken(broken, "connect", resource)
        })?;
        Ok(Attempted { answer, shown, end })
    }
}

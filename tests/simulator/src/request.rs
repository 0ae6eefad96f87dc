//! One request on a connection: read, judged by what is wrong, answered, written down.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use tokio::sync::watch;

use crate::answer::{Answer, Content, Outgoing, Sending};
use crate::api::{self, Asked, Query};
use crate::audit::{Counters, Detail, Entry};
use crate::cluster::Cluster;
use crate::control::Control;
use crate::falsehood::falsify;
use crate::fault::{Fault, Plan, Stage};
use crate::forward;
use crate::people::User;

/// What is known of a connection.
pub struct Connection {
    /// The cluster at its end.
    pub cluster: Arc<Cluster>,
    /// Its number.
    pub number: u64,
    /// Whether it speaks HTTP/2.
    pub http2: bool,
    /// Whom the client certificate names.
    pub user: Option<User>,
    /// Its switch.
    pub control: Arc<Control>,
}

/// A request that was heard, with what is planned for the server that hears it.
pub struct Heard {
    head: Parts,
    body: Bytes,
    plan: Arc<Plan>,
    /// What strikes it as a request.
    struck: Fault,
}

impl Heard {
    /// Hears a request, once the server hears anything.
    pub async fn of(
        request: Request<Incoming>,
        counters: &Counters,
        plan: &watch::Sender<Arc<Plan>>,
    ) -> Self {
        counters.requests.fetch_add(1, Ordering::Relaxed);
        until_heard(plan).await;
        let plan = Arc::clone(&plan.borrow());
        let struck = plan.strikes(Stage::Request).cloned().unwrap_or_default();
        let (head, body) = request.into_parts();
        Self {
            head,
            body: read(body).await,
            plan,
            struck,
        }
    }

    /// What is asked for.
    pub fn asked(&self) -> Asked<'_> {
        let (head, uri) = (&self.head, &self.head.uri);
        Asked {
            method: &head.method,
            whole: uri.path_and_query().map_or("", |target| target.as_str()),
            path: uri.path(),
            query: Query::of(uri.query().unwrap_or_default()),
            headers: &head.headers,
            body: &self.body,
        }
    }

    /// What is wrong with the answer, after what comes before any: slowness, or the connection's end.
    pub async fn fault(&self, asked: &Asked<'_>, control: &Control) -> Fault {
        let as_write = asked
            .is_write()
            .then(|| self.plan.strikes(Stage::Write))
            .flatten();
        let fault = as_write.unwrap_or(&self.struck).clone();
        if let Fault::Slow(time) = &fault {
            tokio::time::sleep(*time).await;
        }
        if fault == Fault::ResetAfterRequest(false) {
            control.reset();
            pending::<()>().await;
        }
        fault
    }
}

/// Answers a request.
pub async fn handle(connection: &Connection, mut request: Request<Incoming>) -> Response<Outgoing> {
    let cluster = &connection.cluster;
    let upgrade = forward::is_upgrade(request.headers()).then(|| hyper::upgrade::on(&mut request));
    let heard = Heard::of(request, &cluster.counters, &cluster.plan).await;
    let asked = heard.asked();
    let fault = heard.fault(&asked, &connection.control).await;
    let user = user_of(connection, asked.headers);
    if let (Some(user), Some(upgrade)) = (&user, upgrade)
        && fault == Fault::None
        && !user.is_anonymous()
        && let Some(response) = forward::answer(connection, user, &asked, upgrade)
    {
        note(connection, &asked, response.status().as_u16(), "", &Bytes::new());
        return response;
    }
    let mut answer = match &user {
        None => api::instead(&fault, &User::anonymous(), &asked).unwrap_or_else(Answer::unauthorized),
        Some(user) => {
            api::instead(&fault, user, &asked).unwrap_or_else(|| api::answer(cluster, user, &asked, &fault))
        }
    };
    falsify(&mut answer, &fault, &asked);
    let bytes = match &answer.content {
        Content::Whole(bytes) => bytes.clone(),
        Content::Watch(..) => Bytes::new(),
    };
    note(
        connection,
        &asked,
        answer.status.as_u16(),
        answer.content_type,
        &bytes,
    );
    send(answer, fault, &connection.control).await
}

/// Sends an answer, as far as a fault lets it.
pub async fn send(answer: Answer, fault: Fault, control: &Arc<Control>) -> Response<Outgoing> {
    let sending = match fault {
        Fault::ResetAfterRequest(true) | Fault::LostWrites => {
            control.reset();
            return pending().await;
        }
        Fault::ResetInBody => Sending::HalfThenReset(Arc::clone(control)),
        Fault::HalfBody => Sending::Half,
        Fault::Drip => Sending::Drip,
        _ => Sending::Straight,
    };
    respond(answer, sending)
}

/// Waits while the cluster hears nothing.
async fn until_heard(plan: &watch::Sender<Arc<Plan>>) {
    if !plan.borrow().fault.silences() {
        return;
    }
    let mut plans = plan.subscribe();
    while plans.borrow_and_update().fault.silences() {
        if plans.changed().await.is_err() {
            pending::<()>().await;
        }
    }
}

/// Reads a request's body.
async fn read(body: Incoming) -> Bytes {
    if body.is_end_stream() {
        return Bytes::new();
    }
    // A peer that does not finish its request does not hear the answer either.
    body.collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default()
}

/// Whoever asks: a client certificate counts before a bearer token, and whoever brings neither is
/// anonymous. None for a credential that nobody knows.
fn user_of(connection: &Connection, headers: &HeaderMap) -> Option<User> {
    if let Some(user) = &connection.user {
        return Some(user.clone());
    }
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|header| header.strip_prefix("Bearer "));
    match token.map(str::trim) {
        None | Some("") => Some(User::anonymous()),
        Some(token) => connection.cluster.state().user(token),
    }
}

fn respond(answer: Answer, sending: Sending) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::new(answer.content, sending));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert("cache-control", HeaderValue::from_static("no-cache, private"));
    if let Some(seconds) = answer.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Counts a request, and writes it down.
fn note(connection: &Connection, asked: &Asked<'_>, status: u16, answer_type: &'static str, sent: &Bytes) {
    let cluster = &connection.cluster;
    cluster
        .counters
        .sent
        .fetch_add(sent.len() as u64, Ordering::Relaxed);
    let audit = &cluster.audit;
    if audit.detail() == Detail::Counts {
        return;
    }
    let header = |name: &str| {
        let value = asked.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let whole = |bytes: &Bytes| {
        if audit.detail() == Detail::Whole {
            bytes.clone()
        } else {
            Bytes::new()
        }
    };
    audit.add(Entry {
        at: audit.age(),
        cluster: cluster.number,
        connection: connection.number,
        http2: connection.http2,
        verb: asked.verb(),
        method: asked.method.to_string(),
        target: asked.whole.to_owned(),
        agent: header("user-agent"),
        accept: header("accept"),
        content_type: header("content-type"),
        protocols: header("sec-websocket-protocol"),
        bearer: if audit.detail() == Detail::Whole {
            header("authorization").trim_start_matches("Bearer ").to_owned()
        } else {
            String::new()
        },
        status,
        answer_type,
        received: asked.body.len(),
        sent: sent.len(),
        request: whole(asked.body),
        answer: whole(sent),
    });
}

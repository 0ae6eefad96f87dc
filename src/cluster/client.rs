//! One cluster's API server, as one context reaches it. Making a client sends nothing and runs
//! nothing: the credential is had, and the connection made, when the first request needs them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::pause::Pause;
use super::request::{RECONNECTIONS, may_be_chance};
use super::upgrade::Prepared;
use crate::connection::channel::Channel;
use crate::connection::credential::plugin::Plugins;
use crate::connection::credential::{Authorization, Bearer, Credential, Source};
use crate::connection::deadlines::Deadlines;
use crate::connection::endpoint::{ClientCertificate, Endpoint};
use crate::connection::pool::Connections;
use crate::connection::usage::{Meter, Usage};
use crate::host::kubeconfig::Connection;
use crate::host::sensitive::Sensitive;
use crate::inventory::Failure;

/// Requests in flight of one context: as many as one connection carries (kube-apiserver's
/// `--http2-max-streams-per-connection` is 100), and under what a server works on at a time (400
/// reads, 200 writes), which it shares out fairly among its users (KEP-1040).
const REQUESTS_IN_FLIGHT: usize = 100;

/// The way to one cluster's API server. Clones share it.
#[derive(Clone)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
    /// Until when this clone may go on asking.
    pub(super) deadline: Option<Instant>,
}

pub(super) struct Shared {
    context: String,
    server: String,
    authority: String,
    tls_server_name: String,
    pub(super) namespace: String,
    pub(super) endpoint: Endpoint,
    pub(super) credential: Credential,
    /// What every request carries beside its credential: as whom to act, and the agent.
    pub(super) headers: HeaderMap,
    pub(super) deadlines: Deadlines,
    pub(super) in_flight: Semaphore,
    pub(super) meter: Meter,
    pub(super) prepared: Prepared,
    connections: Connections,
    channel: Mutex<Option<Held>>,
}

/// The certificate that was shown last, and the channel for it.
type Held = (Option<Arc<ClientCertificate>>, Arc<Channel>);

impl Client {
    /// A client of the cluster that a connection leads to, which calls itself `agent`. Nothing is
    /// sent, read or run.
    pub fn connect(
        connection: Connection,
        connections: &Connections,
        plugins: &Plugins,
        context: &str,
        agent: &str,
        deadlines: Deadlines,
    ) -> Self {
        let mut headers = connection.impersonation;
        if let Ok(agent) = HeaderValue::from_str(agent) {
            headers.insert(http::header::USER_AGENT, agent);
        }
        Self {
            shared: Arc::new(Shared {
                context: context.to_owned(),
                server: connection.server,
                authority: connection.authority_pem,
                tls_server_name: connection.tls_server_name,
                namespace: connection.namespace,
                endpoint: connection.endpoint,
                credential: Credential::new(connection.source, plugins),
                headers,
                deadlines,
                in_flight: Semaphore::new(REQUESTS_IN_FLIGHT),
                meter: Meter::default(),
                prepared: Prepared::default(),
                connections: connections.clone(),
                channel: Mutex::default(),
            }),
            deadline: None,
        }
    }

    /// A client that shows the same credential at another endpoint, and counts for itself.
    pub(super) fn toward(&self, endpoint: Endpoint, deadlines: Deadlines) -> Self {
        let (credential, headers) = (self.shared.credential.clone(), self.shared.headers.clone());
        self.elsewhere(endpoint, credential, headers, deadlines)
    }

    /// A client that shows this token, or nothing, at an endpoint, as nobody else; it counts for itself.
    pub(super) fn presenting(&self, endpoint: Endpoint, token: Option<Sensitive>) -> Self {
        let source = Source {
            certificate: None,
            bearer: token.map_or(Bearer::None, Bearer::Token),
        };
        let mut headers = HeaderMap::new();
        if let Some(agent) = self.shared.headers.get(http::header::USER_AGENT) {
            headers.insert(http::header::USER_AGENT, agent.clone());
        }
        let credential = self.shared.credential.replaced_by(source);
        self.elsewhere(endpoint, credential, headers, self.shared.deadlines)
    }

    fn elsewhere(
        &self,
        endpoint: Endpoint,
        credential: Credential,
        headers: HeaderMap,
        deadlines: Deadlines,
    ) -> Self {
        let shared = &self.shared;
        Self {
            shared: Arc::new(Shared {
                context: shared.context.clone(),
                server: endpoint.url.to_string(),
                authority: String::new(),
                tls_server_name: endpoint.tls_server_name.clone(),
                namespace: shared.namespace.clone(),
                endpoint,
                credential,
                headers,
                deadlines,
                in_flight: Semaphore::new(REQUESTS_IN_FLIGHT),
                meter: Meter::default(),
                prepared: Prepared::default(),
                connections: shared.connections.clone(),
                channel: Mutex::default(),
            }),
            deadline: self.deadline,
        }
    }

    /// The same connection for requests that must all be done by a deadline.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        Self {
            deadline: Some(self.deadline.map_or(deadline, |own| own.min(deadline))),
            ..self.clone()
        }
    }

    /// The kubeconfig context.
    pub fn context(&self) -> &str {
        &self.shared.context
    }

    /// The API server's URL, as the kubeconfig has it, without credentials.
    pub fn server(&self) -> &str {
        &self.shared.server
    }

    /// The authority's certificates in the kubeconfig (PEM), empty where it has none.
    pub fn authority(&self) -> &str {
        &self.shared.authority
    }

    /// The kubeconfig's `tls-server-name`, empty where it has none.
    pub fn tls_server_name(&self) -> &str {
        &self.shared.tls_server_name
    }

    /// How long one request may take.
    pub fn request_timeout(&self) -> Duration {
        self.shared.deadlines.total
    }

    /// How long the steps of a request may take.
    pub fn deadlines(&self) -> &Deadlines {
        &self.shared.deadlines
    }

    /// What talking to the cluster has cost so far.
    pub fn usage(&self) -> Usage {
        self.shared.meter.read()
    }

    /// Has the credential (which may run a plugin, ask somebody, and take as long as that takes) and
    /// makes the connection. A request does the same by itself; whoever gives a cluster a time for
    /// everything begins it after this, so that no cluster's time is spent on waiting for others.
    ///
    /// # Errors
    ///
    /// The credential cannot be had, or there is no connection within its deadline.
    pub async fn open(&self) -> Result<(), Failure> {
        let (_, channel) = self.begin().await?;
        let end = Instant::now() + self.shared.deadlines.connect;
        let mut pause = Pause::default();
        let mut again = 0;
        loop {
            let Err(broken) = channel.connected(end, &self.shared.meter).await else {
                return Ok(());
            };
            let wait = pause.next(None);
            if again == RECONNECTIONS || !may_be_chance(&broken) || Instant::now() + wait >= end {
                return Err(broken.failure);
            }
            again += 1;
            tokio::time::sleep(wait).await;
            self.shared.meter.repetitions.add(1);
        }
    }

    /// Has no share in the connection any more: it is closed when no other context of the same server
    /// has one and the last answer has come. The next request opens it again.
    pub fn let_go(&self) {
        self.shared.prepared.clear();
        let mut held = self.shared.channel.lock().unwrap_or_else(PoisonError::into_inner);
        *held = None;
    }

    /// What to show the server, and the channel to show it on, with a connection begun where there
    /// is none: all that is waited for before a request's own time begins.
    pub(super) async fn begin(&self) -> Result<(Authorization, Arc<Channel>), Failure> {
        let deadline = Instant::now() + self.shared.deadlines.total;
        let shown = self
            .shared
            .credential
            .authorization(deadline)
            .await
            .map_err(|failure| Failure {
                resource: self.shared.server.clone(),
                ..failure
            })?;
        let channel = self.channel(shown.certificate.as_ref())?;
        channel.begin(&self.shared.meter).await;
        Ok((shown, channel))
    }

    pub(super) fn channel(
        &self,
        certificate: Option<&Arc<ClientCertificate>>,
    ) -> Result<Arc<Channel>, Failure> {
        let mut held = self.shared.channel.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((shown, channel)) = &*held
            && shown.as_ref() == certificate
        {
            return Ok(Arc::clone(channel));
        }
        let channel = self
            .shared
            .connections
            .channel(&self.shared.endpoint, certificate)?;
        *held = Some((certificate.cloned(), Arc::clone(&channel)));
        Ok(channel)
    }

    /// When a request that begins now must be done.
    pub(super) fn end(&self) -> Instant {
        let end = Instant::now() + self.shared.deadlines.total;
        self.deadline.map_or(end, |deadline| deadline.min(end))
    }
}

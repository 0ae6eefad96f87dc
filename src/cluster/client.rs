//! One cluster's API server: requests with a deadline each, repeated with back-off where that is
//! safe and can help, answered with JSON or a [`Failure`].

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode};
use kube::client::{Body, ClientBuilder};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::failure::{broke_midway, failure, of_client, of_status};
use crate::host::kubeconfig::Connection;
use crate::inventory::{Failure, FailureClass};

/// Requests in flight to one API server: well under a server's own limit (400 reads, 200 writes),
/// so that nobody else's requests are pushed out.
const REQUESTS_IN_FLIGHT: usize = 32;

/// A connection to one cluster's API server. Clones share it.
#[derive(Clone)]
pub struct Client {
    client: kube::Client,
    context: String,
    server: String,
    authority: String,
    tls_server_name: String,
    request_timeout: Duration,
    /// Until when this clone may go on reading.
    deadline: Option<Instant>,
    in_flight: Arc<Semaphore>,
    config: kube::Config,
}

impl Client {
    /// Prepares a connection; nothing is sent yet, but a credential plugin may run.
    ///
    /// # Errors
    ///
    /// Where the kubeconfig's certificates or its credential plugin cannot be used in time.
    pub async fn connect(
        connection: Connection,
        context: &str,
        run_id: &str,
        request_timeout: Duration,
    ) -> Result<Self, Failure> {
        let Connection {
            mut config,
            server,
            authority_pem,
            tls_server_name,
        } = connection;
        config.default_retry = false;
        config.connect_timeout = Some(request_timeout);
        if let Ok(agent) = format!("stolos/{} (run {run_id})", env!("CARGO_PKG_VERSION")).parse() {
            config.headers.push((http::header::USER_AGENT, agent));
        }
        let resource = server.clone();
        let for_builder = config.clone();
        // The client library runs credential plugins while it builds, and blocks meanwhile.
        let built = tokio::task::spawn_blocking(move || ClientBuilder::try_from(for_builder));
        let client = match tokio::time::timeout(request_timeout, built).await {
            Err(_) => {
                return Err(failure(
                    FailureClass::Timeout,
                    "connect",
                    &resource,
                    format!("the credential plugin gave nothing within {request_timeout:?}"),
                ));
            }
            Ok(Err(_)) => {
                return Err(failure(
                    FailureClass::Configuration,
                    "connect",
                    &resource,
                    "the connection could not be set up",
                ));
            }
            Ok(Ok(Err(error))) => return Err(of_client(&error, "connect", &resource)),
            Ok(Ok(Ok(builder))) => builder.build(),
        };
        Ok(Self {
            client,
            context: context.to_owned(),
            server,
            authority: authority_pem,
            tls_server_name,
            request_timeout,
            deadline: None,
            in_flight: Arc::new(Semaphore::new(REQUESTS_IN_FLIGHT)),
            config,
        })
    }

    /// The same connection for requests that must all be done by a deadline.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        Self {
            deadline: Some(deadline),
            ..self.clone()
        }
    }

    /// The kubeconfig context.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The API server's URL, as the kubeconfig has it.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The authority's certificates in the kubeconfig (PEM), empty where it has none.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The kubeconfig's `tls-server-name`, empty where it has none.
    pub fn tls_server_name(&self) -> &str {
        &self.tls_server_name
    }

    /// How long one request may take.
    pub fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    pub(super) fn library_client(&self) -> kube::Client {
        self.client.clone()
    }

    pub(super) fn library_config(&self) -> &kube::Config {
        &self.config
    }

    /// Reads what stands at a path.
    pub async fn get(&self, path: &str, resource: &str) -> Result<Value, Failure> {
        self.send(Method::GET, path, None, "get", resource).await
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
        };
        self.send_request(&request).await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(Value, &'static str)>,
        verb: &str,
        resource: &str,
    ) -> Result<Value, Failure> {
        let request = Outgoing {
            method,
            path,
            body: body.map(|(value, content_type)| (value.to_string().into_bytes(), content_type)),
            verb,
            resource,
            accept: "application/json",
        };
        self.send_request(&request).await
    }

    /// Sends a request until it is answered, is refused for good, or its time is over. Each of this
    /// tool's requests is safe to repeat: reads, server-side applies of a whole intent, deletions
    /// of one UID, reviews, which leave nothing behind, and creations under a fixed name, of which
    /// the second is refused.
    pub(super) async fn send_request(&self, request: &Outgoing<'_>) -> Result<Value, Failure> {
        let own_deadline = Instant::now() + self.request_timeout;
        let deadline = self
            .deadline
            .map_or(own_deadline, |deadline| deadline.min(own_deadline));
        let mut pause = Duration::from_millis(100);
        loop {
            let refused = match timeout_at(deadline, self.send_once(request)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(refused)) => refused,
                Err(_) => {
                    return Err(failure(
                        FailureClass::Timeout,
                        request.verb,
                        request.resource,
                        format!("no answer within {:?}", self.request_timeout),
                    ));
                }
            };
            let wait = match refused.again {
                Again::Never => return Err(refused.failure),
                Again::After(wait) => wait,
                Again::Soon => pause,
            };
            if Instant::now() + wait >= deadline {
                return Err(refused.failure);
            }
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    async fn send_once(&self, outgoing: &Outgoing<'_>) -> Result<Value, Refused> {
        let (verb, resource) = (outgoing.verb, outgoing.resource);
        let _permit = self.in_flight.acquire().await;
        let mut request = Request::builder()
            .method(outgoing.method.clone())
            .uri(outgoing.path)
            .header(http::header::ACCEPT, outgoing.accept);
        if let Some((_, content_type)) = &outgoing.body {
            request = request.header(http::header::CONTENT_TYPE, *content_type);
        }
        let body = outgoing
            .body
            .as_ref()
            .map(|(bytes, _)| bytes.clone())
            .unwrap_or_default();
        let request = request.body(Body::from(body)).map_err(|_| {
            let message = "the request's path is not one that can be sent";
            failure(FailureClass::Invalid, verb, resource, message)
        })?;
        let broken = |error: kube::Error| Refused {
            again: if broke_midway(&error) {
                Again::Soon
            } else {
                Again::Never
            },
            failure: of_client(&error, verb, resource),
        };
        let answer = self.client.send(request).await.map_err(broken)?;
        let status = answer.status();
        let retry_after = answer
            .headers()
            .get(http::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let bytes = answer.into_body().collect_bytes().await.map_err(broken)?;
        if !status.is_success() {
            return Err(Refused {
                failure: of_status(status, &bytes, verb, resource),
                again: match status {
                    StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                        retry_after.map_or(Again::Soon, Again::After)
                    }
                    _ => Again::Never,
                },
            });
        }
        let answer: Value = serde_json::from_slice(&bytes).map_err(|_| {
            let message = "the answer is not a Kubernetes API server's";
            failure(FailureClass::NotKubernetes, verb, resource, message)
        })?;
        Ok(answer)
    }
}

/// One request, as it is sent and as an error calls it.
pub(super) struct Outgoing<'text> {
    pub(super) method: Method,
    pub(super) path: &'text str,
    /// The body and its content type.
    pub(super) body: Option<(Vec<u8>, &'static str)>,
    pub(super) verb: &'text str,
    pub(super) resource: &'text str,
    pub(super) accept: &'static str,
}

struct Refused {
    failure: Failure,
    again: Again,
}

/// Whether the same request can be answered better later.
#[derive(Clone, Copy)]
enum Again {
    Never,
    /// After the time that the server named.
    After(Duration),
    /// After a short pause, which grows.
    Soon,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            again: Again::Never,
        }
    }
}

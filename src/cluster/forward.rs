//! HTTP through a port-forward to a pod: how an istiod's debug endpoints are asked, since they
//! answer without a token only to their pod's own loopback.

use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use tokio::time::Instant;

use super::client::Client;
use super::failure::{failure, of_client};
use crate::inventory::{Failure, FailureClass};

/// The most that one answer may hold, in bytes: a debug page of a large mesh is some megabytes.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// Asks a pod's port for several paths, one after another on one tunnel, and gives each one's body.
///
/// # Errors
///
/// The tunnel's own failure; that of a single path stands in its place in the list.
pub async fn forwarded_get(
    client: &Client,
    namespace: &str,
    pod: &str,
    port: u16,
    paths: &[&str],
) -> Result<Vec<Result<Vec<u8>, Failure>>, Failure> {
    let resource = format!("pod {namespace}/{pod} port {port}");
    let deadline = Instant::now() + client.request_timeout();
    let timed_out = || {
        let message = format!("no answer within {:?}", client.request_timeout());
        failure(FailureClass::Timeout, "port-forward", &resource, message)
    };
    let pods: Api<Pod> = Api::namespaced(client.library_client(), namespace);
    let mut forwarder = tokio::time::timeout_at(deadline, pods.portforward(pod, &[port]))
        .await
        .map_err(|_| timed_out())?
        .map_err(|error| of_client(&error, "port-forward", &resource))?;
    let refused = |message: &str| failure(FailureClass::Tcp, "port-forward", &resource, message);
    let stream = forwarder
        .take_stream(port)
        .ok_or_else(|| refused("the tunnel has no stream"))?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = tokio::time::timeout_at(deadline, handshake)
        .await
        .map_err(|_| timed_out())?
        .map_err(|_| refused("nothing answers in the pod"))?;
    let connection = tokio::spawn(connection);
    let mut answers = Vec::with_capacity(paths.len());
    for path in paths {
        let answer = tokio::time::timeout_at(deadline, ask(&mut sender, path)).await;
        answers.push(match answer {
            Ok(answer) => answer
                .map_err(|(class, message)| failure(class, "get", &format!("{path} of {resource}"), message)),
            Err(_) => Err(timed_out()),
        });
    }
    connection.abort();
    forwarder.abort();
    Ok(answers)
}

async fn ask(
    sender: &mut hyper::client::conn::http1::SendRequest<Empty<bytes::Bytes>>,
    path: &str,
) -> Result<Vec<u8>, (FailureClass, String)> {
    let broken = |_| (FailureClass::Tcp, "the tunnel broke".to_owned());
    sender.ready().await.map_err(broken)?;
    let request = Request::get(path)
        .header(http::header::HOST, "localhost")
        .body(Empty::new())
        .map_err(|_| (FailureClass::Invalid, "the path cannot be asked".to_owned()))?;
    let answer = sender.send_request(request).await.map_err(broken)?;
    let status = answer.status();
    let body = http_body_util::Limited::new(answer.into_body(), ANSWER_LIMIT)
        .collect()
        .await
        .map_err(|_| (FailureClass::Tcp, "the tunnel broke".to_owned()))?
        .to_bytes();
    if status.is_success() {
        Ok(body.to_vec())
    } else {
        let class = match status.as_u16() {
            401 => FailureClass::Authentication,
            403 => FailureClass::Permission,
            404 => FailureClass::NotFound,
            _ => FailureClass::Server,
        };
        Err((class, format!("it answered {status}")))
    }
}

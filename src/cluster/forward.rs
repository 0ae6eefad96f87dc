//! HTTP through a port-forward to a pod: how an istiod's debug endpoints are asked, since they
//! answer without a token only to their pod's own loopback. One port-forward to a pod, on which all
//! that is asked goes out at once: a round trip for the tunnel, one for all of the answers.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::Portforwarder;
use tokio::time::{Instant, timeout_at};

use super::client::Client;
use super::failure::{failure, of_client};
use super::pipeline::{Answer, Broken, ask_all};
use crate::inventory::{Failure, FailureClass};

/// The most that one answer may hold, in bytes: a debug page of a large mesh is some megabytes.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;

/// Asks a pod's port for several paths at once, and gives each one's body, in their order; what is
/// not there by the deadline has timed out.
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
    deadline: Instant,
) -> Result<Vec<Result<Vec<u8>, Failure>>, Failure> {
    let resource = format!("pod {namespace}/{pod} port {port}");
    let timed_out = |verb: &str, resource: &str| {
        let message = format!("no answer within {:?}", client.request_timeout());
        failure(FailureClass::Timeout, verb, resource, message)
    };
    let pods: Api<Pod> = Api::namespaced(client.library_client(), namespace);
    let mut tunnel = timeout_at(deadline, pods.portforward(pod, &[port]))
        .await
        .map_err(|_| timed_out("port-forward", &resource))?
        .map(Tunnel)
        .map_err(|error| of_client(&error, "port-forward", &resource))?;
    let refused = |message: &str| failure(FailureClass::Tcp, "port-forward", &resource, message);
    let stream = tunnel
        .0
        .take_stream(port)
        .ok_or_else(|| refused("the tunnel has no stream"))?;
    let mut answers = timeout_at(deadline, ask_all(stream, paths, ANSWER_LIMIT))
        .await
        .map_err(|_| timed_out("port-forward", &resource))?
        .map_err(|_| refused("nothing answers in the pod"))?;
    let mut bodies = Vec::with_capacity(paths.len());
    for (index, path) in paths.iter().enumerate() {
        let of_path = |path: &str| format!("{path} of {resource}");
        // What is half read cannot be gone on with.
        let Ok(answer) = timeout_at(deadline, answers.next()).await else {
            let silent = paths[index..].iter();
            bodies.extend(silent.map(|path| Err(timed_out("get", &of_path(path)))));
            break;
        };
        bodies.push(match answer {
            // The kubelet opens the tunnel before it dials the port.
            Err(Broken::Closed) if index == 0 => return Err(refused("nothing answers in the pod")),
            answer => answer
                .map_err(|broken| (class_of(broken), broken.to_string()))
                .and_then(body)
                .map_err(|(class, message)| failure(class, "get", &of_path(path), message)),
        });
    }
    Ok(bodies)
}

/// A port-forward, which ends when nobody asks through it any more.
struct Tunnel(Portforwarder);

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn class_of(broken: Broken) -> FailureClass {
    match broken {
        Broken::Closed => FailureClass::Tcp,
        Broken::NotHttp | Broken::TooLarge => FailureClass::Server,
    }
}

/// The body of an answer that is none of a refusal.
fn body(answer: Answer) -> Result<Vec<u8>, (FailureClass, String)> {
    let class = match answer.status {
        200..=299 => return Ok(answer.body),
        401 => FailureClass::Authentication,
        403 => FailureClass::Permission,
        404 => FailureClass::NotFound,
        _ => FailureClass::Server,
    };
    let status = http::StatusCode::from_u16(answer.status);
    let status = status.map_or_else(|_| answer.status.to_string(), |status| status.to_string());
    Err((class, format!("it answered {status}")))
}

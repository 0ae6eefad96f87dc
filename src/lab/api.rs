//! The lab's own requests to its API servers: JSON in, JSON out.

use std::path::Path;
use std::time::Duration;

use http::{Method, Request};
use kube::Client;
use serde_json::Value;

use super::error::LabError;
use crate::cluster;
use crate::connection::credential::plugin::{PluginOptions, Plugins, Policy};
use crate::connection::deadlines::Deadlines;
use crate::connection::pool::Connections;
use crate::host::kubeconfig::{ConnectionOptions, Kubeconfigs};

/// How long a connection within one machine may take.
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// How long an answer may take to begin: an API server that starts is slow.
const REQUEST_TIME: Duration = Duration::from_secs(60);

/// An API server said no, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// It said no.
    #[error("the API server said {code} {reason}: {message}")]
    Refused {
        /// The HTTP status.
        code: u16,
        /// Kubernetes' reason.
        reason: String,
        /// What it said.
        message: String,
    },
    /// It did not answer, or not in JSON.
    #[error("the API server did not answer")]
    Silent,
}

impl ApiError {
    /// Whether the object is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, ApiError::Refused { code: 404, .. })
    }

    /// Whether the object is there already.
    pub fn is_present(&self) -> bool {
        matches!(self, ApiError::Refused { code: 409, reason, .. } if reason == "AlreadyExists")
    }
}

impl From<kube::Error> for ApiError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => ApiError::Refused {
                code: status.code,
                reason: status.reason.clone(),
                message: status.message.clone(),
            },
            _ => ApiError::Silent,
        }
    }
}

/// A client of the API server that a kubeconfig of ours names.
pub async fn client(kubeconfig: &Path) -> Result<Client, LabError> {
    let failed = |why: &str| LabError::file("use the kubeconfig", kubeconfig, why);
    let read = Kubeconfigs::load(Some(kubeconfig)).map_err(|_| failed("it cannot be read"))?;
    let context = read.contexts().into_iter().find(|context| context.current);
    let context = context.ok_or_else(|| failed("it has no current context"))?.name;
    let connection = read.connection(&context, &ConnectionOptions::default()).await;
    let connection = connection.map_err(|_| failed("it is incomplete"))?;
    let deadlines = Deadlines {
        connect: CONNECT_TIME,
        ..Deadlines::within(REQUEST_TIME)
    };
    let connections = Connections::new(deadlines);
    // Told from the tool's own requests in the audit log.
    let agent = "lab-runner";
    // A lab's kubeconfig names none.
    let plugins = Plugins::new(PluginOptions {
        policy: Policy::None,
        timeout: CONNECT_TIME,
        interactive_timeout: CONNECT_TIME,
        concurrent: 1,
        can_ask: false,
        can_tell: false,
    });
    let client = cluster::Client::connect(connection, &connections, &plugins, &context, agent, deadlines);
    Ok(client.library_client())
}

/// Reads an object.
pub async fn get(client: &Client, path: &str) -> Result<Value, ApiError> {
    send(client, Method::GET, path, "application/json", None).await
}

/// Whether an API server is ready.
pub async fn is_ready(client: &Client) -> bool {
    let Ok(request) = Request::get("/readyz").body(Vec::new()) else {
        return false;
    };
    client.request_text(request).await.is_ok()
}

/// Creates an object; one that is there already is as good.
pub async fn create(client: &Client, path: &str, object: &Value) -> Result<(), ApiError> {
    match post(client, path, object).await {
        Err(error) if !error.is_present() => Err(error),
        _ => Ok(()),
    }
}

/// Creates something that answers.
pub async fn post(client: &Client, path: &str, object: &Value) -> Result<Value, ApiError> {
    send(client, Method::POST, path, "application/json", Some(object)).await
}

/// Changes an object by a merge patch.
pub async fn merge(client: &Client, path: &str, patch: &Value) -> Result<Value, ApiError> {
    send(
        client,
        Method::PATCH,
        path,
        "application/merge-patch+json",
        Some(patch),
    )
    .await
}

/// Changes a pod's status; lists with keys are merged by them.
pub async fn patch_status(client: &Client, pod: &str, patch: &Value) -> Result<(), ApiError> {
    let path = format!("{pod}/status");
    let kind = "application/strategic-merge-patch+json";
    send(client, Method::PATCH, &path, kind, Some(patch))
        .await
        .map(|_| ())
}

/// Writes an object by server-side apply, over whatever stands.
pub async fn apply(client: &Client, path: &str, object: &Value) -> Result<Value, ApiError> {
    let path = format!("{path}?fieldManager=stolos-lab&force=true");
    send(
        client,
        Method::PATCH,
        &path,
        "application/apply-patch+yaml",
        Some(object),
    )
    .await
}

/// Deletes an object at once, if it is still the one with this UID.
pub async fn delete_now(client: &Client, path: &str, uid: Option<&str>) -> Result<(), ApiError> {
    let mut options = serde_json::json!({"gracePeriodSeconds": 0});
    if let Some(uid) = uid {
        options["preconditions"] = serde_json::json!({"uid": uid});
    }
    match send(client, Method::DELETE, path, "application/json", Some(&options)).await {
        Err(error) if !error.is_absent() => Err(error),
        _ => Ok(()),
    }
}

async fn send(
    client: &Client,
    method: Method,
    path: &str,
    kind: &str,
    body: Option<&Value>,
) -> Result<Value, ApiError> {
    let bytes = body.map(Value::to_string).unwrap_or_default().into_bytes();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .header("accept", "application/json")
        .body(bytes)
        .map_err(|_| ApiError::Silent)?;
    Ok(client.request(request).await?)
}

//! Which cluster a connection reaches: two requests, for those who need no more than that.

use tokio::time::Instant;

use super::client::Client;
use super::failure::failure;
use crate::inventory::{Failure, FailureClass};

/// Which cluster answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The UID of its `kube-system` namespace, or why it is not known.
    pub uid: Result<String, Failure>,
    /// `gitVersion` of `/version`.
    pub kubernetes_version: String,
}

/// Asks a cluster which one it is.
///
/// # Errors
/// It does not answer, or is no Kubernetes API server.
pub async fn identify(client: &Client) -> Result<Identity, Failure> {
    let client = client.until(Instant::now() + client.request_timeout());
    let (version, namespace) = tokio::join!(
        client.get("/version", "version"),
        client.get("/api/v1/namespaces/kube-system", "namespace kube-system")
    );
    let version = version?;
    let uid = match namespace {
        Ok(namespace) => Ok(namespace["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned()),
        Err(refused) if refused.class == FailureClass::Permission => Err(refused),
        Err(failure) => return Err(failure),
    };
    match version["gitVersion"].as_str() {
        Some(version) => Ok(Identity {
            uid,
            kubernetes_version: version.to_owned(),
        }),
        None => {
            let message = "what answers is not a Kubernetes API server";
            Err(failure(FailureClass::NotKubernetes, "get", "version", message))
        }
    }
}

impl Identity {
    /// Refuses a cluster that is not the one that the fleet file pins. One that does not show its
    /// identity may still be read; it is not written (`cli::planning::refuse_unproven`).
    ///
    /// # Errors
    /// It is another one.
    pub fn check(&self, pinned: Option<&str>, server: &str) -> Result<(), Failure> {
        match (pinned, &self.uid) {
            (Some(pinned), Ok(uid)) if !uid.is_empty() && pinned != uid => {
                let message = format!(
                    "the fleet file pins the cluster whose kube-system namespace has the UID {pinned}, and this \
                     context reaches the one with {uid}"
                );
                Err(failure(FailureClass::Identity, "connect", server, message))
            }
            _ => Ok(()),
        }
    }
}

//! Contexts before they are clusters of a fleet: connecting to one by its name, asking which
//! cluster it reaches, and reading several at once.

use futures::stream::{self, StreamExt};
use tokio::time::Instant;

use super::client::Client;
use super::collect::{CollectRequest, collect};
use super::failure::failure;
use crate::fleet::ClusterName;
use crate::host::kubeconfig::{ConnectionOptions, Kubeconfigs};
use crate::inventory::{Failure, FailureClass, Observation};

/// How contexts are read.
#[derive(Debug, Clone)]
pub struct ContextReading {
    /// How each is connected to; the timeout is also a request's and a whole cluster's.
    pub connection: ConnectionOptions,
    /// The run's id, which goes into the User-Agent.
    pub run_id: String,
    /// How many at a time.
    pub parallel: usize,
}

/// Which cluster a context reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The UID of its `kube-system` namespace, or why it is not known.
    pub uid: Result<String, Failure>,
    /// `gitVersion` of `/version`.
    pub kubernetes_version: String,
}

/// Connects to a context's cluster.
///
/// # Errors
/// The kubeconfig gives no connection, or its credential plugin no credential.
pub async fn connect(
    kubeconfigs: &Kubeconfigs,
    context: &str,
    reading: &ContextReading,
) -> Result<Client, Failure> {
    let connection = kubeconfigs
        .connection(context, &reading.connection)
        .await
        .map_err(|error| failure(FailureClass::Configuration, "connect", context, error.to_string()))?;
    Client::connect(
        connection,
        context,
        &reading.run_id,
        reading.connection.connect_timeout,
    )
    .await
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
    let uid = match namespace {
        Ok(namespace) => Ok(namespace["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned()),
        Err(refused) if refused.class == FailureClass::Permission => Err(refused),
        Err(failure) => return Err(failure),
    };
    let version = version?;
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

/// Asks several contexts which cluster they reach, in the order in which they were given.
pub async fn identify_all(
    kubeconfigs: &Kubeconfigs,
    contexts: &[String],
    reading: &ContextReading,
) -> Vec<Result<Identity, Failure>> {
    stream::iter(contexts)
        .map(|context| async move {
            let client = connect(kubeconfigs, context, reading).await?;
            identify(&client).await
        })
        .buffered(reading.parallel.max(1))
        .collect()
        .await
}

/// Reads several contexts whole, in the order in which they were given. `done` is called for each
/// as it ends.
pub async fn observe(
    kubeconfigs: &Kubeconfigs,
    contexts: &[String],
    reading: &ContextReading,
    done: impl Fn(&str, &Observation),
) -> Vec<(String, Observation)> {
    let mut names: Vec<ClusterName> = Vec::new();
    for context in contexts {
        let name = ClusterName::proposed_for(context).made_unique(|name| names.contains(name));
        names.push(name);
    }
    let requests: Vec<CollectRequest> = stream::iter(contexts.iter().zip(&names))
        .map(|(context, name)| async move {
            CollectRequest {
                name: name.clone(),
                context: context.clone(),
                client: connect(kubeconfigs, context, reading).await,
                system_namespaces: Vec::new(),
                pinned_uid: None,
                ask_istiods: false,
            }
        })
        .buffered(reading.parallel.max(1))
        .collect()
        .await;
    let context_of = |name: &ClusterName| {
        names
            .iter()
            .position(|other| other == name)
            .map_or("", |index| &contexts[index])
    };
    let collected = collect(requests, reading.parallel, |name, observation| {
        done(context_of(name), observation);
    })
    .await;
    let mut observations = collected.inventory.clusters;
    contexts
        .iter()
        .zip(&names)
        .filter_map(|(context, name)| Some((context.clone(), observations.remove(name)?)))
        .collect()
}

//! The envelope of every JSON and YAML answer (contract: "Output"): what kind of document it is,
//! when and by which run it was made, whether everything that should have been read was, and what
//! was not. Pure: the time and the run's id come in as arguments.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::inventory::{
    ClusterInventory, Failure, FailureClass, Inventory, Observation, Replica, ReviewOutcome,
};

/// Every document's `apiVersion`.
pub const API_VERSION: &str = "stolos.dev/v1alpha1";
/// `metadata.tool`.
pub const TOOL: &str = concat!("stolos/", env!("CARGO_PKG_VERSION"));

/// What a document holds beside its envelope.
pub trait Body: Serialize {
    /// The document's `kind`.
    const KIND: &'static str;
}

/// One answer. Its body's fields stand beside the envelope's.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<T: Body> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    complete: bool,
    errors: Vec<DocumentError>,
    #[serde(flatten)]
    body: T,
}

/// When and by what a document was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    generated_at: String,
    tool: &'static str,
    run_id: String,
}

/// The run that makes a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// When the answer was made.
    pub at: Timestamp,
    /// The run's id, which the User-Agent and the journal carry as well.
    pub id: String,
}

/// Something that should have been read and was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentError {
    /// The cluster's name; empty where it concerns none.
    pub cluster: String,
    /// What kind of failure.
    pub class: FailureClass,
    /// The API verb, or `connect`.
    pub verb: String,
    /// What it was done to.
    pub resource: String,
    /// Why, in words; never a secret.
    pub message: String,
}

impl<T: Body> Document<T> {
    /// A document; it is complete exactly where there are no errors.
    pub fn new(run: &Run, errors: Vec<DocumentError>, body: T) -> Self {
        Self {
            api_version: API_VERSION,
            kind: T::KIND,
            metadata: Metadata {
                generated_at: time(run.at),
                tool: TOOL,
                run_id: run.id.clone(),
            },
            complete: errors.is_empty(),
            errors,
            body,
        }
    }

    /// The same run's document of another kind, made of this one's body.
    pub fn map<U: Body>(self, other: impl FnOnce(T) -> U) -> Document<U> {
        Document {
            api_version: self.api_version,
            kind: U::KIND,
            metadata: self.metadata,
            complete: self.complete,
            errors: self.errors,
            body: other(self.body),
        }
    }

    /// What the document holds.
    pub fn body(&self) -> &T {
        &self.body
    }

    /// What could not be read.
    pub fn errors(&self) -> &[DocumentError] {
        &self.errors
    }
}

impl DocumentError {
    /// A cluster's failure.
    pub fn new(cluster: impl Into<String>, failure: &Failure) -> Self {
        Self {
            cluster: cluster.into(),
            class: failure.class,
            verb: failure.verb.clone(),
            resource: failure.resource.clone(),
            message: failure.message.clone(),
        }
    }

    /// Everything that an inventory could not read, by the cluster that did not give it: lists,
    /// istiods that said nothing, reviews of credentials that others hold. Each once.
    pub fn of(inventory: &Inventory) -> Vec<Self> {
        let mut by_cluster: BTreeMap<&str, Vec<&Failure>> = BTreeMap::new();
        let mut add = |cluster, failure| {
            let failures = by_cluster.entry(cluster).or_default();
            if !failures.contains(&failure) {
                failures.push(failure);
            }
        };
        for (name, observation) in &inventory.clusters {
            match observation {
                Observation::Unreachable { failure, .. } => add(name.as_str(), failure),
                Observation::Seen(cluster) => {
                    not_given(cluster).for_each(|failure| add(name.as_str(), failure));
                    // Who holds a credential has no part in the silence of the one that it is for.
                    failed_reviews(cluster).for_each(|(reviewer, failure)| add(reviewer, failure));
                }
            }
        }
        by_cluster
            .into_iter()
            .flat_map(|(cluster, failures)| failures.into_iter().map(move |one| Self::new(cluster, one)))
            .collect()
    }
}

/// Whether a cluster has given all that it was asked for, as far as it has been asked.
pub fn is_whole(observation: &Observation) -> bool {
    match observation {
        Observation::Seen(cluster) => not_given(cluster).next().is_none(),
        Observation::Unreachable { .. } => false,
    }
}

/// What a cluster that answered did not give.
fn not_given(cluster: &ClusterInventory) -> impl Iterator<Item = &Failure> {
    let of_replicas = cluster.replicas.iter().flat_map(Replica::failures);
    cluster.unread.iter().chain(of_replicas)
}

/// The reviews of credentials in a cluster that could not be made, each with the cluster ID that the
/// credential is for: that cluster was asked.
fn failed_reviews(cluster: &ClusterInventory) -> impl Iterator<Item = (&str, &Failure)> {
    let secrets = cluster.remote_secrets.iter().chain(&cluster.istiod_kubeconfigs);
    let entries = secrets.flat_map(|secret| &secret.entries);
    entries.filter_map(|entry| match &entry.review {
        ReviewOutcome::Failed(failure) => Some((entry.cluster_id.as_str(), failure)),
        ReviewOutcome::Authenticated(_) | ReviewOutcome::Rejected(_) | ReviewOutcome::NotReviewed => None,
    })
}

/// A time as documents write it: RFC 3339, UTC, whole seconds.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{RemoteSecret, RemoteSecretEntry};

    #[derive(Serialize)]
    struct Numbers {
        numbers: Vec<u8>,
    }

    impl Body for Numbers {
        const KIND: &'static str = "NumberList";
    }

    #[test]
    fn a_review_that_failed_is_the_failure_of_who_was_asked() {
        let refused = Failure {
            class: FailureClass::Tcp,
            verb: "connect".to_owned(),
            resource: "https://192.0.2.1:6443".to_owned(),
            message: "the connection was refused".to_owned(),
        };
        let holder = || {
            let entry = RemoteSecretEntry {
                cluster_id: "east".to_owned(),
                review: ReviewOutcome::Failed(refused.clone()),
                ..RemoteSecretEntry::default()
            };
            let secret = RemoteSecret {
                entries: vec![entry],
                ..RemoteSecret::default()
            };
            Observation::Seen(Box::new(ClusterInventory {
                remote_secrets: vec![secret],
                ..ClusterInventory::default()
            }))
        };
        let mut inventory = Inventory::default();
        for name in ["north", "west"] {
            inventory.clusters.insert(name.parse().unwrap(), holder());
        }
        // Once, though two hold it.
        assert_eq!(
            DocumentError::of(&inventory),
            [DocumentError::new("east", &refused)]
        );
        assert!(inventory.clusters.values().all(is_whole));
    }

    #[test]
    fn the_body_stands_beside_the_envelope() {
        let run = Run {
            at: Timestamp::new(1_767_225_600, 5).unwrap(),
            id: "r-1".to_owned(),
        };
        let failure = Failure {
            class: FailureClass::NotKubernetes,
            verb: "get".to_owned(),
            resource: "/version".to_owned(),
            message: "it answered HTML".to_owned(),
        };
        let errors = vec![DocumentError::new("east", &failure)];
        let document = Document::new(&run, errors, Numbers { numbers: vec![1] });
        assert_eq!(
            serde_json::to_value(&document).unwrap(),
            serde_json::json!({
                "apiVersion": "stolos.dev/v1alpha1",
                "kind": "NumberList",
                "metadata": {"generatedAt": "2026-01-01T00:00:00Z", "tool": TOOL, "runId": "r-1"},
                "complete": false,
                "errors": [{
                    "cluster": "east", "class": "not-kubernetes", "verb": "get",
                    "resource": "/version", "message": "it answered HTML",
                }],
                "numbers": [1],
            })
        );
    }
}

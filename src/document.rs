//! The envelope of every JSON and YAML answer (contract: "Output"): what kind of document it is,
//! when and by which run it was made, whether everything that should have been read was, and what
//! was not. Pure: the time and the run's id come in as arguments.

use jiff::Timestamp;
use serde::Serialize;

use crate::inventory::{ClusterInventory, Failure, FailureClass, Inventory, Observation, ReviewOutcome};

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

    /// Everything that an inventory could not read, by cluster: lists, istiods that said nothing,
    /// credentials that could not be reviewed. Each once.
    pub fn of(inventory: &Inventory) -> Vec<Self> {
        let clusters = inventory.clusters.iter();
        clusters
            .flat_map(|(name, observation)| Self::of_cluster(name.as_str(), observation))
            .collect()
    }

    /// Everything that could not be read of one cluster, each once.
    pub fn of_cluster(name: &str, observation: &Observation) -> Vec<Self> {
        let failures = match observation {
            Observation::Seen(cluster) => failures(cluster),
            Observation::Unreachable { failure, .. } => vec![failure],
        };
        let mut errors = Vec::new();
        for failure in failures {
            let error = Self::new(name, failure);
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        errors
    }
}

/// What a cluster that answered did not give.
fn failures(cluster: &ClusterInventory) -> Vec<&Failure> {
    let mut failures: Vec<&Failure> = cluster.unread.iter().collect();
    for replica in &cluster.replicas {
        failures.extend(replica.version.failure());
        failures.extend(replica.clusterz.failure());
        failures.extend(replica.networkz.failure());
    }
    let entries = cluster.remote_secrets.iter().flat_map(|secret| &secret.entries);
    failures.extend(entries.filter_map(|entry| match &entry.review {
        ReviewOutcome::Failed(failure) => Some(failure),
        ReviewOutcome::Authenticated(_) | ReviewOutcome::Rejected(_) | ReviewOutcome::NotReviewed => None,
    }));
    failures
}

/// A time as documents write it: RFC 3339, UTC, whole seconds.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Numbers {
        numbers: Vec<u8>,
    }

    impl Body for Numbers {
        const KIND: &'static str = "NumberList";
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

//! What is said of a link: its state, each replica's word, the credential in short.

use serde::Serialize;

use crate::inventory::credential::CredentialKind;

/// The states of a link, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// The read cluster refuses the credential, or istiod the kubeconfig.
    Rejected,
    /// There is a secret for a cluster that is not there, or that is not what it was.
    Stale,
    /// There is no secret, or istiod does not know of it.
    Missing,
    /// istiod gave up waiting for the first synchronisation.
    Timeout,
    /// The read cluster did not answer.
    Unreachable,
    /// It could not be told.
    Unknown,
    /// istiod is reading for the first time.
    Syncing,
    /// Set aside on purpose.
    Paused,
    /// Each replica has read it once and the credential is accepted.
    Synced,
}

impl LinkState {
    /// Whether the link does not do what it should; one that could not be told is not known to.
    pub fn is_error(self) -> bool {
        matches!(
            self,
            LinkState::Rejected | LinkState::Stale | LinkState::Missing | LinkState::Timeout
        )
    }

    /// The state's word.
    pub fn as_str(self) -> &'static str {
        match self {
            LinkState::Rejected => "rejected",
            LinkState::Stale => "stale",
            LinkState::Missing => "missing",
            LinkState::Timeout => "timeout",
            LinkState::Unreachable => "unreachable",
            LinkState::Unknown => "unknown",
            LinkState::Syncing => "syncing",
            LinkState::Paused => "paused",
            LinkState::Synced => "synced",
        }
    }
}

/// What one replica says of a link.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// The istiod pod.
    pub pod: String,
    /// Its revision.
    pub revision: String,
    /// In istiod's words; absent where it does not list the cluster, or said nothing.
    pub sync_status: Option<String>,
    /// Why it said nothing, where it did not.
    pub error: Option<String>,
}

/// The credential of a link, in short.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialReport {
    /// What kind it is.
    pub kind: CredentialKind,
    /// When the Secret was made: RFC 3339, UTC.
    pub created_at: Option<String>,
    /// When the credential ends; absent where it does not.
    pub expires_at: Option<String>,
}

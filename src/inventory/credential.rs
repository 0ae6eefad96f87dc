//! What is known of the keys and tokens that lie in a cluster: facts about them, never themselves.

use serde::{Deserialize, Serialize};

use super::Failure;

/// A Secret labelled `istio/multiCluster=true`: kubeconfigs by which an istiod reads other clusters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RemoteSecret {
    /// Its namespace.
    pub namespace: String,
    /// Its name; istioctl's is `istio-remote-secret-CLUSTER`.
    pub name: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// When somebody last changed it, RFC 3339, UTC: the latest of its field managers' times.
    pub written_at: String,
    /// Whether it carries this tool's marks.
    pub managed_by_stolos: bool,
    /// The fleet that owns it (`stolos.dev/fleet`), empty where none does.
    pub fleet: String,
    /// Its field managers.
    pub managers: Vec<String>,
    /// Whether an annotation holds a credential a second time (`kubectl apply` leaves one).
    pub credential_in_annotation: bool,
    /// One entry a key.
    pub entries: Vec<RemoteSecretEntry>,
}

/// One kubeconfig in a remote secret.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RemoteSecretEntry {
    /// The key, which istiod takes as the cluster ID.
    pub cluster_id: String,
    /// Lower-case hex SHA-256 of the whole kubeconfig's bytes.
    pub sha256: String,
    /// Why istiod cannot use it: not a kubeconfig, or a kind of credential it refuses. Empty if none.
    pub problem: String,
    /// The API server's URL.
    pub server: String,
    /// `tls-server-name`, empty where there is none.
    pub tls_server_name: String,
    /// The authority's certificates, PEM (public); empty where the kubeconfig has none.
    pub authority: String,
    /// What kind of credential it holds.
    pub kind: CredentialKind,
    /// Lower-case hex SHA-256 of the token; empty where the credential is none.
    pub token_sha256: String,
    /// RFC 3339: a bound token's end, or a client certificate's; empty where it has none.
    pub expires_at: String,
    /// The account that the token claims to be, unverified: `system:serviceaccount:NS:NAME`.
    pub claimed_subject: String,
    /// What the cluster that it is meant for said of it.
    pub review: ReviewOutcome,
}

/// What kind of credential a kubeconfig holds (contract: `links[].credential.kind`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CredentialKind {
    /// A service account's token that lies in a Secret and does not expire.
    TokenSecret,
    /// A token with an end.
    BoundToken,
    /// A client certificate.
    ClientCertificate,
    /// Anything else, or nothing.
    #[default]
    Other,
}

/// What a TokenReview at the API server that a credential is meant for said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReviewOutcome {
    /// Accepted, as this user.
    Authenticated(String),
    /// Refused, in the server's words.
    Rejected(String),
    /// The review could not be made.
    Failed(Failure),
    /// Nobody was asked: the cluster is not in the fleet, was not reached, or it is no token.
    #[default]
    NotReviewed,
}

/// A Secret of type `kubernetes.io/service-account-token`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenSecret {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The annotation `kubernetes.io/service-account.name`.
    pub service_account: String,
    /// Lower-case hex SHA-256 of the token; empty until the token controller has filled it.
    pub token_sha256: String,
    /// `ca.crt`, PEM; empty until the token controller has filled it.
    pub authority: String,
}

/// A Secret from which an istiod signs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthoritySecret {
    /// Its namespace.
    pub namespace: String,
    /// `cacerts` or `istio-ca-secret`.
    pub name: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// When somebody last changed it, RFC 3339, UTC: the latest of its field managers' times.
    pub written_at: String,
    /// Whether it carries this tool's marks.
    pub managed_by_stolos: bool,
    /// The fleet that owns it (`stolos.dev/fleet`), empty where none does.
    pub fleet: String,
    /// Its field managers.
    pub managers: Vec<String>,
    /// The data keys it has.
    pub keys: Vec<String>,
    /// The signing certificate (`ca-cert.pem`, `tls.crt`), PEM.
    pub signing_certificate: String,
    /// The chain to the root (`cert-chain.pem`), PEM.
    pub chain: String,
    /// The roots (`root-cert.pem`, `ca.crt`), PEM.
    pub roots: String,
    /// Whether the private key belongs to the signing certificate; absent where that could not be told.
    pub key_matches: Option<bool>,
}

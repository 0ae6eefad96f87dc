//! What was seen: per cluster what it said, or why it said nothing. Data only, and free of secrets
//! by construction: `cluster/collect` turns every key and token into a fact about it (a
//! fingerprint, what a review said of it) before it puts it here, so that an inventory can be
//! printed, saved and committed as a test case.

pub mod control_plane;
pub mod credential;
pub mod hint;
pub mod installer;
pub mod kind;
pub mod object;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use control_plane::{ControlPlane, Fact, control_planes};
pub use credential::{AuthoritySecret, RemoteSecret, RemoteSecretEntry, ReviewOutcome, TokenSecret};
pub use installer::InstalledBy;
pub use kind::Kind;
pub use object::{Object, ObjectReference};

use crate::fleet::ClusterName;

/// What was seen of every cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// By the cluster's name in the fleet; without a fleet file, by the name that was inferred.
    pub clusters: BTreeMap<ClusterName, Observation>,
}

/// What became of the attempt to read one cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Observation {
    /// It answered, perhaps not to everything.
    Seen(Box<ClusterInventory>),
    /// It did not.
    Unreachable {
        /// The kubeconfig context that was tried.
        context: String,
        /// Why it gave nothing.
        failure: Failure,
    },
}

/// What one cluster said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterInventory {
    /// The kubeconfig context it was reached by.
    pub context: String,
    /// The API server's URL as the kubeconfig has it.
    pub server: String,
    /// PEM certificates that the kubeconfig gives as the API server's authority; empty where it
    /// relies on the machine's own roots. Public.
    pub kubeconfig_authority: String,
    /// The kubeconfig's `tls-server-name`, empty where it has none.
    pub tls_server_name: String,
    /// The UID of its `kube-system` namespace; empty where that may not be read.
    pub uid: String,
    /// `gitVersion` of `/version`.
    pub kubernetes_version: String,
    /// Every object that was listed. Secrets are here without their data.
    pub objects: Vec<Object>,
    /// The lists that were read: kind as `apiVersion/Kind`, then the namespaces that were read
    /// (an empty one is the whole cluster). What is in no such list is *not known*, not absent.
    pub lists: BTreeMap<String, Vec<String>>,
    /// What could not be read, and why.
    pub unread: Vec<Failure>,
    /// Secrets that an istiod takes as remote clusters' kubeconfigs.
    pub remote_secrets: Vec<RemoteSecret>,
    /// Secrets by which an istiod finds the cluster that holds its configuration, where that is another.
    #[serde(default)]
    pub istiod_kubeconfigs: Vec<RemoteSecret>,
    /// Tokens of service accounts that lie in Secrets.
    pub token_secrets: Vec<TokenSecret>,
    /// Secrets from which an istiod signs: `cacerts` and `istio-ca-secret`.
    pub authorities: Vec<AuthoritySecret>,
    /// What each istiod replica said of itself.
    pub replicas: Vec<Replica>,
    /// The metadata of everything in the system namespace, of whatever kind; only where it was asked
    /// for and could be read.
    pub system_namespace_contents: Option<Vec<Object>>,
    /// Which of Istio's custom resources there are, in all namespaces; only where it was asked for and
    /// could be read.
    pub custom_resources: Option<Vec<ObjectReference>>,
    /// What a dry run of a desired object said: by its reference, the digest of what was desired
    /// (`plan::digest`) and whether the object would have changed.
    pub dry_runs: Vec<DryRun>,
    /// What this machine found at an address that peers could dial.
    pub probes: Vec<AddressProbe>,
}

/// The answer to a server-side dry run of one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DryRun {
    /// Which object.
    pub object: ObjectReference,
    /// The digest of the desired content.
    pub digest: String,
    /// Whether applying it would change the object.
    pub changes: bool,
    /// Managers of fields that a forced apply would take over.
    #[serde(default)]
    pub conflicts: Vec<String>,
}

/// What this machine found when it dialled an address under which peers would reach a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressProbe {
    /// The URL that was dialled.
    pub url: String,
    /// What answered.
    pub outcome: ProbeOutcome,
}

/// What answered at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProbeOutcome {
    /// The cluster itself: its authority, and its UID.
    Same,
    /// A server with the cluster's authority whose identity could not be asked.
    Authenticated,
    /// An API server with another UID.
    AnotherCluster(String),
    /// A server whose certificate the cluster's authority did not sign, or that names another host.
    AnotherAuthority(String),
    /// Nothing, from this machine.
    Unreachable(String),
    /// Not dialled: the address belongs to a network that this machine is not on.
    NotDialled,
}

/// One istiod pod and what its debug endpoints said, in its own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replica {
    /// Its namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The revision that it serves: the label `istio.io/rev`, `default` where there is none.
    pub revision: String,
    /// Whether the pod is Ready, in the API server's words.
    pub ready: bool,
    /// `/version`, istiod's own.
    pub version: Said<String>,
    /// `/debug/clusterz`.
    pub clusterz: Said<Vec<ClusterzEntry>>,
    /// `/debug/networkz`.
    pub networkz: Said<Vec<NetworkzEntry>>,
    /// `/debug/connections`: the proxies that are connected to it.
    #[serde(default = "not_asked")]
    pub proxies: Said<Vec<Proxy>>,
}

/// The word of an istiod that was not asked for it: nobody needed it, or the record was made before.
pub fn not_asked<T>() -> Said<T> {
    Said::Silent(Failure {
        class: FailureClass::NotFound,
        verb: "get".to_owned(),
        resource: "/debug/connections".to_owned(),
        message: "istiod was not asked".to_owned(),
    })
}

/// A proxy that is connected to an istiod: a sidecar, a gateway, a waypoint or a ztunnel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proxy {
    /// Its pod's namespace.
    pub namespace: String,
    /// Its pod's name.
    pub pod: String,
}

impl Proxy {
    /// The proxy of a connection's ID, which is `POD.NAMESPACE-NUMBER` (Istio: `pilot/pkg/xds/ads.go`,
    /// `connectionID`).
    pub fn of_connection(id: &str) -> Option<Self> {
        let (node, _) = id.rsplit_once('-')?;
        let (pod, namespace) = node.rsplit_once('.')?;
        Some(Self {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
        })
    }
}

impl std::fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.pod)
    }
}

impl Replica {
    /// What it did not say, and why.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        let (version, clusterz, networkz) = (&self.version, &self.clusterz, &self.networkz);
        let failures = [version.failure(), clusterz.failure(), networkz.failure()];
        failures.into_iter().flatten()
    }
}

/// An answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Said<T> {
    /// The answer.
    Said(T),
    /// Why there is none.
    Silent(Failure),
}

impl<T> Said<T> {
    /// The answer, where there is one.
    pub fn said(&self) -> Option<&T> {
        match self {
            Said::Said(answer) => Some(answer),
            Said::Silent(_) => None,
        }
    }

    /// Why there is no answer, where there is none.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Said::Said(_) => None,
            Said::Silent(failure) => Some(failure),
        }
    }
}

/// One cluster in istiod's `/debug/clusterz` (pilot/pkg/bootstrap, `cluster.DebugInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterzEntry {
    /// The cluster ID.
    pub id: String,
    /// `namespace/name` of the Secret that it came from; empty for istiod's own cluster.
    #[serde(default)]
    pub secret_name: String,
    /// `synced`, `syncing`, `timeout` or `closed`. `synced` says only that the first
    /// synchronisation was finished once.
    #[serde(default)]
    pub sync_status: String,
}

/// One gateway in istiod's `/debug/networkz` (`model.NetworkGateway`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkzEntry {
    /// The network behind it.
    #[serde(default)]
    pub network: String,
    /// The cluster that it is in.
    #[serde(default)]
    pub cluster: String,
    /// Its address, resolved.
    #[serde(default)]
    pub addr: String,
    /// Its mTLS passthrough port.
    #[serde(default)]
    pub port: u32,
}

/// Why something could not be read or done, in a class that scripts can tell apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What kind of failure.
    pub class: FailureClass,
    /// The API verb (`get`, `list`, `patch`, …), or `connect`.
    pub verb: String,
    /// What it was done to: a path's resource, such as `secrets in istio-system`.
    pub resource: String,
    /// Why, in words; never a secret.
    pub message: String,
}

/// The classes of failure (contract: `errors[].class`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// The kubeconfig cannot give a connection.
    Configuration,
    /// A host name does not resolve.
    Name,
    /// No TCP connection.
    Tcp,
    /// No TLS session.
    Tls,
    /// A certificate was not accepted.
    Certificate,
    /// 401, or no credential to be had.
    Authentication,
    /// 403.
    Permission,
    /// 429.
    Throttled,
    /// 5xx.
    Server,
    /// No answer within the deadline.
    Timeout,
    /// The answer is not a Kubernetes API server's.
    NotKubernetes,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 422 and 400: the API server does not accept the object.
    Invalid,
    /// The context reaches another cluster than the fleet file pins.
    Identity,
}

impl FailureClass {
    /// Whether the same question may be answered later: the cluster did not refuse it.
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            FailureClass::Name
                | FailureClass::Tcp
                | FailureClass::Tls
                | FailureClass::Throttled
                | FailureClass::Server
                | FailureClass::Timeout
        )
    }

    /// The class as it stands in JSON and in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureClass::Configuration => "configuration",
            FailureClass::Name => "name",
            FailureClass::Tcp => "tcp",
            FailureClass::Tls => "tls",
            FailureClass::Certificate => "certificate",
            FailureClass::Authentication => "authentication",
            FailureClass::Permission => "permission",
            FailureClass::Throttled => "throttled",
            FailureClass::Server => "server",
            FailureClass::Timeout => "timeout",
            FailureClass::NotKubernetes => "not-kubernetes",
            FailureClass::NotFound => "not-found",
            FailureClass::Conflict => "conflict",
            FailureClass::Invalid => "invalid",
            FailureClass::Identity => "identity",
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} {}: {} ({})",
            self.verb,
            self.resource,
            self.message,
            self.class.as_str()
        )
    }
}

impl Inventory {
    /// A cluster that answered.
    pub fn seen(&self, name: &ClusterName) -> Option<&ClusterInventory> {
        match self.clusters.get(name)? {
            Observation::Seen(inventory) => Some(inventory),
            Observation::Unreachable { .. } => None,
        }
    }

    /// Every cluster that answered.
    pub fn all_seen(&self) -> impl Iterator<Item = (&ClusterName, &ClusterInventory)> {
        self.clusters
            .iter()
            .filter_map(|(name, observation)| match observation {
                Observation::Seen(inventory) => Some((name, &**inventory)),
                Observation::Unreachable { .. } => None,
            })
    }

    /// Every cluster that gave nothing, with the reason.
    pub fn unreachable(&self) -> impl Iterator<Item = (&ClusterName, &Failure)> {
        self.clusters
            .iter()
            .filter_map(|(name, observation)| match observation {
                Observation::Seen(_) => None,
                Observation::Unreachable { failure, .. } => Some((name, failure)),
            })
    }
}

/// Whether something stands in a cluster.
#[derive(Debug, Clone, Copy)]
pub enum Presence<'inventory> {
    /// It stands.
    Present(&'inventory Object),
    /// It was looked for and is not there.
    Absent,
    /// It could not be looked for.
    Unknown,
}

impl ClusterInventory {
    /// The listed objects of a kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |object| object.is_of(kind))
    }

    /// The control planes' Deployments in a namespace.
    pub fn istiods_in<'seen>(&'seen self, namespace: &str) -> impl Iterator<Item = &'seen Object> {
        self.of_kind(kind::DEPLOYMENT).filter(move |deployment| {
            deployment.namespace() == namespace && deployment.label("app") == Some("istiod")
        })
    }

    /// What the istiods of a namespace said.
    pub fn replicas_in(&self, namespace: &str) -> Vec<Replica> {
        let replicas = self.replicas.iter();
        let here = replicas.filter(|replica| replica.namespace == namespace);
        here.cloned().collect()
    }

    /// One listed object.
    pub fn object(&self, reference: &ObjectReference) -> Option<&Object> {
        self.objects.iter().find(|object| {
            object.kind() == reference.kind
                && object.name() == reference.name
                && object.namespace() == reference.namespace
                && object.api_version() == reference.api_version
        })
    }

    /// Whether an object stands, is absent, or could not be looked for.
    pub fn presence(&self, reference: &ObjectReference) -> Presence<'_> {
        match self.object(reference) {
            Some(object) => Presence::Present(object),
            None if self.was_looked_for(reference) => Presence::Absent,
            None => Presence::Unknown,
        }
    }

    /// Why it is not known whether an object stands, where what would have shown it failed: the list
    /// that would hold it, the object itself where it was asked for by name, or all that was left to
    /// be asked.
    pub fn why_unknown(&self, reference: &ObjectReference) -> Option<&Failure> {
        let kind = Kind::of(&reference.api_version, &reference.kind)?;
        let of_namespace = format!("{} in {}", kind.plural, reference.namespace);
        let itself = reference.to_string();
        let failed = self.unread.iter().find(|failure| match failure.verb.as_str() {
            "list" => failure.resource == of_namespace || failure.resource == kind.plural,
            "get" => failure.resource == itself,
            _ => false,
        });
        let is_unknown = matches!(self.presence(reference), Presence::Unknown);
        failed.or_else(|| self.lost().filter(|_| is_unknown))
    }

    /// Why the cluster could no longer be reached while it was being read, if that is so: it stands
    /// once for all that was not asked any more.
    pub fn lost(&self) -> Option<&Failure> {
        self.unread.iter().find(|failure| failure.verb == "connect")
    }

    /// Whether those of a kind's objects that a selector finds were listed, in a namespace or in the
    /// whole cluster; a list without a selector holds them too.
    pub fn was_searched(&self, kind: Kind, selector: &str, namespace: &str) -> bool {
        self.was_listed(kind.api_version, kind.kind, namespace)
            || self.was_listed(kind.api_version, &format!("{}?{selector}", kind.kind), namespace)
    }

    /// Whether an object would have been seen: its kind was listed where it is, or it was asked for by
    /// its name.
    fn was_looked_for(&self, reference: &ObjectReference) -> bool {
        let (api_version, namespace) = (&reference.api_version, &reference.namespace);
        let by_name = format!("{}?metadata.name={}", reference.kind, reference.name);
        self.was_listed(api_version, &reference.kind, namespace)
            || self.was_listed(api_version, &by_name, namespace)
    }

    /// Whether a kind's objects in a namespace (empty: of the whole cluster) were listed.
    pub fn was_listed(&self, api_version: &str, kind: &str, namespace: &str) -> bool {
        self.lists
            .get(&format!("{api_version}/{kind}"))
            .is_some_and(|namespaces| {
                namespaces
                    .iter()
                    .any(|listed| listed.is_empty() || listed == namespace)
            })
    }
}

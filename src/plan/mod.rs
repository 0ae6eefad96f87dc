//! A plan as data: what would be done to which object in which cluster, why, after what. It leaves
//! nothing to decide: `apply/` runs it and makes no choice about the mesh. No key and no token is
//! ever in it; a step names the one it needs and `apply/` fetches it.

pub mod adoption;
pub mod changes;
pub mod difference;
pub mod document;
pub mod draft;
pub mod gate;
pub mod manifests;
pub mod ownership;
pub mod saved;
pub mod secret_store;
pub mod text;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fleet::{Area, ClusterName, FleetName};
use crate::inventory::{Object, ObjectReference};
use crate::link::secret::CONTROL_PLANE_MARK;

/// What would be done, in an order that works, and what cannot be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// In an order in which each comes after what it needs.
    pub steps: Vec<Step>,
    /// What the fleet file asks for and cannot be done now.
    pub blocked: Vec<Blocked>,
    /// What the reader should know before consenting: warnings that block nothing.
    pub warnings: Vec<Warning>,
}

/// A step's identity within its plan: `east/mesh/update/Deployment istio-system/istiod`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub String);

/// One thing to do in one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Unique in its plan.
    pub id: StepId,
    /// Where it is done.
    pub cluster: ClusterName,
    /// Which part of the fleet's work it is.
    pub area: Area,
    /// What is done.
    pub action: Action,
    /// To which object.
    pub object: ObjectReference,
    /// Why.
    pub reason: String,
    /// What must have been done before.
    pub needs: Vec<StepId>,
    /// Whether it can interrupt what serves now.
    pub disruptive: bool,
    /// `metadata.uid` of the object as it was planned, empty where it did not stand: what has been
    /// made anew since is not written.
    pub uid: String,
    /// Who else has written the object, where somebody has.
    pub owner: Option<String>,
    /// Whether the object is taken over first: what the owner's field manager owns of it
    /// ([`ownership::ISTIOCTL_MANAGER`]) becomes ours, so that what is not meant any more goes.
    pub adopts: bool,
    /// What `apply/` needs to do it.
    pub content: Content,
}

/// What a step does (contract: `steps[].action`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The object does not stand.
    Create,
    /// It stands and differs.
    Update,
    /// It stands and should not.
    Delete,
    /// Nothing is written: a state is awaited.
    Wait,
    /// Something else is done, on this machine.
    Run,
}

impl Action {
    /// The action's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Delete => "delete",
            Action::Wait => "wait",
            Action::Run => "run",
        }
    }
}

/// What a step needs beside its object's name. It can be written down, so that a digest tells whether
/// two steps do the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Content {
    /// This object, by server-side apply under the field manager `stolos`: with force where it
    /// stood, and without where it is created, so that what somebody else made meanwhile is kept.
    Apply(Object),
    /// This object as [`Content::Apply`], once addresses that are not known yet are laid in for
    /// [`STAND_IN`] ([`crate::mesh::discovery::at_addresses`]).
    ApplyAtAddress(Object, AwaitedAddress),
    /// These changes to an object that stands and is not ours as a whole, by server-side apply
    /// under the field manager `stolos-SUFFIX` of only these fields.
    Label(Object),
    /// These changes to an object that stands and is somebody else's, by a JSON merge patch (RFC 7386):
    /// where what others wrote is to go, which server-side apply of a part does not do.
    Merge(Value),
    /// Deletion, if the object still has this UID.
    Delete {
        /// `metadata.uid` as it was planned.
        uid: String,
    },
    /// An intermediate for this cluster, signed by the fleet's root, as the Secret `cacerts`.
    IssueIntermediate(IntermediateProfile),
    /// The fleet's root is made on this machine.
    MakeRoot,
    /// A remote secret with a token of the account by which the other cluster is read.
    RemoteSecret(RemoteSecretContent),
    /// A state to wait for.
    Await(Gate),
}

/// What stands in an object of [`Content::ApplyAtAddress`] in place of an address that is not known
/// yet: one of those that are for documentation alone (RFC 5737).
pub const STAND_IN: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 255));

/// A Service whose addresses are not known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AwaitedAddress {
    /// The cluster that it is in.
    pub cluster: ClusterName,
    /// Which Service.
    pub service: ObjectReference,
}

/// What an intermediate certificate is to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IntermediateProfile {
    /// The fleet, part of the subject.
    pub fleet: FleetName,
    /// The cluster that signs with it; part of the subject, which is distinct for each cluster.
    pub cluster: ClusterName,
    /// The namespace of the Secret.
    pub namespace: String,
    /// The mesh's trust domain.
    pub trust_domain: String,
    /// Days that it is good for.
    pub days: u32,
    /// Lower-case hex SHA-256 of the root that must sign it; empty where the root is made in this plan.
    pub root_sha256: String,
    /// The Secret's metadata and labels, without data.
    pub secret: Object,
}

/// What a remote secret is to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteSecretContent {
    /// The cluster that is read.
    pub to: ClusterName,
    /// Its cluster ID.
    pub cluster_id: String,
    /// The Secret's key: the cluster ID, or `config` in the Secret from which an external istiod learns where
    /// its configuration is.
    pub key: String,
    /// Its API server's URL for peers.
    pub server: String,
    /// `tls-server-name`, empty where none is needed.
    pub tls_server_name: String,
    /// PEM of the authority; empty: take it from the token Secret.
    pub authority: String,
    /// The namespace of the token Secret in the read cluster.
    pub token_namespace: String,
    /// The token Secret's name in the read cluster.
    pub token_secret: String,
    /// The account whose token it holds.
    pub account: String,
    /// How the credential is tried before the link counts as made. It hangs on what this machine can
    /// dial at the moment, and is no part of what is written down.
    #[serde(skip)]
    pub trial: Trial,
    /// The remote secret's metadata, without data.
    pub secret: Object,
}

/// How a credential is tried once at the API server that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// As it will be stored: at its address, trusting nothing but its authority.
    AsStored,
    /// This machine cannot dial that address: over the connection by which the cluster is read.
    OverOwnConnection,
}

impl RemoteSecretContent {
    /// Whether the reader is the control plane of the cluster that it reads.
    pub fn leads(&self) -> bool {
        self.secret.annotation(CONTROL_PLANE_MARK).is_some()
    }
}

impl Eq for Object {}

/// A state to wait for; a pure predicate over what can be seen, evaluated in `cluster/wait`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Gate {
    /// The object (a custom resource definition) has this condition.
    Condition(&'static str),
    /// The Deployment's current generation is rolled out and available.
    RolledOut,
    /// The Service has an address (IP or host name).
    Address,
    /// The service account's token Secret is filled.
    TokenFilled,
    /// Each istiod of the step's cluster says `synced` of this cluster ID.
    Synced(String),
    /// Each istiod of the step's cluster knows a gateway of this network.
    GatewayKnown(String),
    /// The webhook configuration has a CA bundle in every webhook.
    CaBundle,
    /// The object is gone.
    Gone,
    /// No proxy is connected to an istiod of this revision any more, the fleet's own gateways aside:
    /// those connect anew by themselves.
    Unused(String),
}

/// Something that the fleet file asks for and that cannot be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// In which cluster.
    pub cluster: ClusterName,
    /// Which part of the work.
    pub area: Area,
    /// Why, with the owner or the failure.
    pub reason: String,
    /// What to type or do next.
    pub hint: Option<String>,
    /// Whether only a cluster that could not be read blocks it (exit code 4, not 1).
    pub unreachable: bool,
}

/// Something that the reader should know before consenting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// In which cluster.
    pub cluster: ClusterName,
    /// What it is.
    pub message: String,
}

impl Gate {
    /// The gate's word, part of its step's identity.
    pub fn word(&self) -> String {
        match self {
            Gate::Condition(condition) => condition.to_lowercase(),
            Gate::RolledOut => "rolled-out".to_owned(),
            Gate::Address => "address".to_owned(),
            Gate::TokenFilled => "token".to_owned(),
            Gate::Synced(cluster) => format!("synced-{cluster}"),
            Gate::GatewayKnown(network) => format!("gateway-{network}"),
            Gate::CaBundle => "ca-bundle".to_owned(),
            Gate::Gone => "gone".to_owned(),
            Gate::Unused(revision) => format!("unused-{revision}"),
        }
    }
}

impl Plan {
    /// Whether there is nothing to do and nothing in the way.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.blocked.is_empty()
    }

    /// The part of it that is about these clusters, whatever it needs of others.
    pub fn part_of(mut self, clusters: &BTreeSet<ClusterName>) -> Self {
        self.steps.retain(|step| clusters.contains(&step.cluster));
        self.blocked.retain(|blocked| clusters.contains(&blocked.cluster));
        self.warnings
            .retain(|warning| clusters.contains(&warning.cluster));
        self
    }

    /// Adds what another planner found.
    pub fn extend(&mut self, other: Plan) {
        self.steps.extend(other.steps);
        self.blocked.extend(other.blocked);
        self.warnings.extend(other.warnings);
    }
}

impl StepId {
    /// The identity of what is done to an object in a cluster.
    pub fn of(cluster: &ClusterName, area: Area, action: Action, object: &ObjectReference) -> Self {
        Self(format!("{cluster}/{area}/{}/{object}", action.as_str()))
    }

    /// The identity of a wait, which its gate is part of: several can be awaited of one object.
    pub fn awaiting(cluster: &ClusterName, area: Area, object: &ObjectReference, gate: &Gate) -> Self {
        let of_object = Self::of(cluster, area, Action::Wait, object);
        Self(format!("{}/{}", of_object.0, gate.word()))
    }
}

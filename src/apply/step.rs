//! Does one step. What it is was decided by the planner; here it is only carried out.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::Confirmed;
use super::awaited::Awaited;
use super::credential::Credentials;
use crate::cluster::{self, Client, WaitError, WriteOptions};
use crate::fleet::{ClusterName, FleetName};
use crate::host::keys::{RootKey, RootStore};
use crate::host::sensitive::Sensitive;
use crate::inventory::{Failure, FailureClass, Object};
use crate::mesh::discovery::{addresses, at_addresses};
use crate::plan::gate::service_addresses;
use crate::plan::ownership::{FIELD_MANAGER, FIELDS_MANAGER, ISTIOCTL_MANAGER};
use crate::plan::{Action, AwaitedAddress, Content, Gate, IntermediateProfile, Step};

/// Why a step was not done.
#[derive(Clone)]
pub struct StepFailure {
    /// Why.
    pub message: String,
    /// Its class.
    pub class: FailureClass,
    /// Whether the step's cluster gave no answer at all: it is not asked again in this run.
    pub silent: bool,
    /// Whether the time of the whole command ran out.
    pub timed_out: bool,
}

/// A failure of the step's own cluster.
impl From<Failure> for StepFailure {
    fn from(failure: Failure) -> Self {
        Self {
            message: failure.to_string(),
            class: failure.class,
            silent: matches!(
                failure.class,
                FailureClass::Timeout | FailureClass::Tcp | FailureClass::Name | FailureClass::Tls
            ),
            timed_out: false,
        }
    }
}

pub(super) fn failed(class: FailureClass, message: impl Into<String>) -> StepFailure {
    StepFailure {
        message: message.into(),
        class,
        silent: false,
        timed_out: false,
    }
}

/// What steps are done with.
pub struct Tools<'run> {
    fleet: &'run FleetName,
    clients: &'run BTreeMap<ClusterName, Client>,
    root_store: &'run RootStore,
    root: OnceCell<RootKey>,
    passphrase: Option<Sensitive>,
    made_root: OnceCell<String>,
    credentials: Credentials,
    awaited: Awaited,
    deadline: Instant,
}

impl<'run> Tools<'run> {
    /// Tools for a plan that was consented to.
    pub fn new(
        _confirmed: &'run Confirmed,
        fleet: &'run FleetName,
        clients: &'run BTreeMap<ClusterName, Client>,
        root_store: &'run RootStore,
    ) -> Self {
        Self {
            fleet,
            clients,
            root_store,
            root: OnceCell::new(),
            passphrase: None,
            made_root: OnceCell::new(),
            credentials: Credentials::default(),
            awaited: Awaited::default(),
            deadline: Instant::now(),
        }
    }

    /// With a root that stands, and the passphrase for one that does not yet.
    pub fn with_root(mut self, root: Option<RootKey>, passphrase: Option<Sensitive>) -> Self {
        self.root = root.map_or_else(OnceCell::new, OnceCell::from);
        self.passphrase = passphrase;
        self
    }

    /// Begins to connect to where credentials will be tried, and learns what is awaited.
    pub fn prepare(&mut self, steps: &[Step]) {
        self.awaited = Awaited::of(steps);
        self.credentials.prepare(steps, self);
    }

    /// With a deadline for what is waited for.
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = deadline;
        self
    }

    /// The fingerprint of the root that was made, if one was.
    pub fn made_root(&self) -> Option<String> {
        self.made_root.get().cloned()
    }

    pub(super) fn client(&self, cluster: &ClusterName) -> Result<&Client, StepFailure> {
        self.clients.get(cluster).ok_or_else(|| {
            failed(
                FailureClass::Configuration,
                format!("there is no connection to {cluster}"),
            )
        })
    }
}

/// Does one step.
pub async fn run(step: &Step, tools: &Tools<'_>) -> Result<(), StepFailure> {
    match &step.content {
        Content::Apply(object) => {
            let client = tools.client(&step.cluster)?;
            take_over(step, client).await?;
            tools.awaited.begin(step, client);
            let written = client.apply(object, write_options(step)).await;
            if written.is_err() {
                tools.awaited.give_up(step);
            }
            written?;
            Ok(())
        }
        Content::ApplyAtAddress(object, awaited) => {
            let addressed = at_awaited(object, awaited, tools).await?;
            let client = tools.client(&step.cluster)?;
            take_over(step, client).await?;
            client.apply(&addressed, write_options(step)).await?;
            Ok(())
        }
        Content::Label(object) => {
            let options = WriteOptions {
                manager: FIELDS_MANAGER,
                force: false,
                ..write_options(step)
            };
            tools.client(&step.cluster)?.apply(object, options).await?;
            Ok(())
        }
        Content::Merge(changes) => {
            let client = tools.client(&step.cluster)?;
            client.merge(&step.object, changes, &step.uid).await?;
            Ok(())
        }
        Content::Delete { uid } => {
            tools.client(&step.cluster)?.delete(&step.object, uid).await?;
            Ok(())
        }
        Content::MakeRoot => make_root(tools).await,
        Content::IssueIntermediate(profile) => issue(step, profile, tools).await,
        Content::RemoteSecret(content) => tools.credentials.give(step, content, tools).await,
        Content::Await(gate) => {
            let client = tools.client(&step.cluster)?;
            let (watching, word) = (tools.awaited.take(step), tools.awaited.word(step));
            let seen = cluster::wait(client, gate, &step.object, watching, &word, tools.deadline)
                .await
                .map_err(|error| StepFailure {
                    message: format!("wait for {}: {error}", step.object),
                    class: match &error {
                        WaitError::TimedOut { .. } => FailureClass::Timeout,
                        WaitError::Refused(failure) => failure.class,
                    },
                    silent: false,
                    timed_out: matches!(error, WaitError::TimedOut { .. }),
                })?;
            if let Some(filled) = seen.filter(|_| *gate == Gate::TokenFilled) {
                tools.credentials.saw(&step.cluster, &step.object, filled);
            }
            Ok(())
        }
    }
}

/// How a step's object is written: only the one that was planned, and over nobody's fields where
/// none stood.
pub(super) fn write_options(step: &Step) -> WriteOptions<'_> {
    WriteOptions {
        force: step.action != Action::Create,
        uid: &step.uid,
        ..WriteOptions::default()
    }
}

/// Makes ours what its owner's field manager owns of an object, where the step says so.
async fn take_over(step: &Step, client: &Client) -> Result<(), StepFailure> {
    if step.adopts {
        client
            .take_over(&step.object, &step.uid, ISTIOCTL_MANAGER, FIELD_MANAGER)
            .await?;
    }
    Ok(())
}

/// An object with the addresses that a Service of another cluster has by now.
async fn at_awaited(
    object: &Object,
    awaited: &AwaitedAddress,
    tools: &Tools<'_>,
) -> Result<Object, StepFailure> {
    let elsewhere = |class, message| {
        failed(
            class,
            format!("{} of {}: {message}", awaited.service, awaited.cluster),
        )
    };
    let service = tools.client(&awaited.cluster)?.get_object(&awaited.service).await;
    // A failure there says nothing of the step's own cluster.
    let service = service.map_err(|failure| elsewhere(failure.class, failure.message))?;
    let found = service.as_ref().map(service_addresses).unwrap_or_default();
    let found = addresses(&found).map_err(|why| elsewhere(FailureClass::Configuration, why))?;
    Ok(at_addresses(object, &found))
}

async fn make_root(tools: &Tools<'_>) -> Result<(), StepFailure> {
    let (store, fleet, passphrase) = (
        tools.root_store.clone(),
        tools.fleet.clone(),
        tools.passphrase.clone(),
    );
    // Stretching a passphrase takes a good part of a second of computing.
    let root = tokio::task::spawn_blocking(move || store.make(&fleet, passphrase.as_ref(), Timestamp::now()))
        .await
        .map_err(|_| {
            failed(
                FailureClass::Configuration,
                "make the root: the work was broken off",
            )
        })?
        .map_err(|error| failed(FailureClass::Configuration, error.to_string()))?;
    let _ = tools.made_root.set(root.certificate().sha256.clone());
    let _ = tools.root.set(root);
    Ok(())
}

async fn issue(step: &Step, profile: &IntermediateProfile, tools: &Tools<'_>) -> Result<(), StepFailure> {
    let client = tools.client(&profile.cluster)?;
    let root = tools.root.get().ok_or_else(|| {
        failed(
            FailureClass::Configuration,
            "sign an intermediate: the root was not unlocked",
        )
    })?;
    let certificates = root
        .sign_intermediate(profile, Timestamp::now())
        .map_err(|error| failed(FailureClass::Configuration, error.to_string()))?;
    let mut secret = profile.secret.clone();
    let encoded = |text: &str| STANDARD.encode(text);
    secret.0["data"] = json!({
        "ca-cert.pem": encoded(&certificates.certificate),
        "ca-key.pem": encoded(certificates.key.expose()),
        "cert-chain.pem": encoded(&certificates.chain),
        "root-cert.pem": encoded(&certificates.root),
    });
    if step.action == Action::Create {
        // Where another machine was quicker, its intermediate stays: there must be no second root.
        client.create_object(&secret).await?;
    } else {
        client.apply(&secret, write_options(step)).await?;
    }
    Ok(())
}
